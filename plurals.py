"""How many of something, in words: one of it, several, or 1.2M."""

from __future__ import annotations

from decimal import Decimal


def counted(number: int, one: str, many: str = "") -> str:
    """`1 file`, `1,200 files`; `many` where it is not `one` with an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def short_amount(total: Decimal) -> str:
    """A sum of numbers whose unit is not known, in a few characters: 77, 1.2M, 0.0325."""
    for size, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**4, "k")):
        if abs(total) >= size:
            return f"{total / (1000 if letter == 'k' else size):,.1f}{letter}"
    return f"{total:,.6f}".rstrip("0").rstrip(".")
