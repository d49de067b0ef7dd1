"""How many of something, in words: one of it, several, or 1.2M."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from .shown import shortened

MOST_LINES = 20
"""Of one kind that people read."""
MOST_NAMES, NAME_CHARACTERS = 10, 100
"""What a sentence names of a long list, and shows of a long name."""


def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `1,200 files`; `many` where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def quoted_names(names: Iterable[str | None]) -> str:
    """Models in a sentence, each once: `'a', 'b' and 3 more`; a log may have thousands, of any length."""
    each = list(dict.fromkeys(name or "(no model)" for name in names))
    shown = ", ".join(repr(shortened(name, NAME_CHARACTERS)) for name in each[:MOST_NAMES])
    return shown + (f" and {len(each) - MOST_NAMES:,} more" if len(each) > MOST_NAMES else "")


def first_lines(lines: Sequence[str], where: str) -> list[str]:
    """The first of the lines and how many more there are, and where all are: a log may make thousands."""
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], f"and {more:,} more ({where})"] if more > 0 else list(lines)


def short_amount(total: Decimal) -> str:
    """A sum of numbers whose unit is not known, in a few characters: 77, 1.2M, 0.0325."""
    for size, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**4, "k")):
        if abs(total) >= size:
            return f"{total / (1000 if letter == 'k' else size):,.1f}{letter}"
    return f"{total:,.6f}".rstrip("0").rstrip(".")
