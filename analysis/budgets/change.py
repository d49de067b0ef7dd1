"""A change of an architecture, and how changes are tried on a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from .projected import Projected


@dataclass(frozen=True)
class Change:
    """One edit: in words, the components that it touches, and the architecture after it.

    `way` is what it changes (model, processing, cache, batching), where it goes together with changes of other ways.
    """

    message: str
    components: frozenset[str]
    apply: Callable[[Projected], Projected] = field(repr=False)
    way: str = ""


@dataclass(frozen=True)
class Trial:
    """How changes are tried: what they take off the budget's scope, what they save altogether (both expected, exact),
    and the judged figure after them, drawn.
    """

    relief_usd: Callable[[Sequence[Change]], Fraction]
    saved_usd: Callable[[Sequence[Change]], Fraction]
    value_usd: Callable[[Sequence[Change]], Fraction]


def remembered(trial: Trial) -> Trial:
    """The same, each figure found once for the same changes."""
    return Trial(_once(trial.relief_usd), _once(trial.saved_usd), _once(trial.value_usd))


def _once(figure: Callable[[Sequence[Change]], Fraction]) -> Callable[[Sequence[Change]], Fraction]:
    found: dict[tuple[Change, ...], Fraction] = {}

    def known(taken: Sequence[Change]) -> Fraction:
        if (key := tuple(taken)) not in found:
            found[key] = figure(taken)
        return found[key]

    return known


def applied(projected: Projected, taken: Sequence[Change]) -> Projected:
    """The architecture after these changes."""
    for change in taken:
        projected = change.apply(projected)
    return projected


def touched(taken: Sequence[Change]) -> list[str]:
    """The components that these changes touch."""
    return sorted({name for change in taken for name in change.components})
