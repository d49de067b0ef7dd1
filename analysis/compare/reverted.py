"""A month's usage as it would have been without some decisions: the calls that they moved, on the earlier model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from .bridge_effects import Kind, Route, Used


@dataclass(frozen=True)
class Reverted:
    """One decision taken back in a month: usage by component that is `removed`, and what is `added` in its place.

    `saved` is what the added usage costs more than the removed one, by component, USD.
    """

    removed: Mapping[str, Sequence[Used]]
    added: Mapping[str, Sequence[Used]]
    saved: Mapping[str, Fraction]


def without(usage: Mapping[str, Iterable[Used]], decisions: Sequence[Reverted]) -> Mapping[str, Iterable[Used]]:
    """The usage by component as it would have been without the decisions; itself where there are none."""
    touched = {component for of in decisions for component in (*of.removed, *of.added)}
    return {**usage, **{component: _merged(component, usage, decisions) for component in sorted(touched)}}


def saved_by(decisions: Iterable[Reverted], component: str) -> Fraction:
    """What all decisions saved at a component, USD."""
    return sum((of.saved.get(component, Fraction(0)) for of in decisions), Fraction(0))


def _merged(component: str, usage: Mapping[str, Iterable[Used]], decisions: Sequence[Reverted]) -> list[Used]:
    """The sums of a component, whole lines of which nothing is left taken out."""
    units: dict[tuple[str, Route, Kind], Fraction] = defaultdict(Fraction)
    usd: dict[tuple[str, Route, Kind], Fraction] = defaultdict(Fraction)
    changes = [(1, usage.get(component, ()))]
    for of in decisions:
        changes += [(-1, of.removed.get(component, ())), (1, of.added.get(component, ()))]
    for sign, lines in changes:
        for used in lines:
            key = used.task, used.route, used.kind
            units[key] += sign * Fraction(used.units)
            usd[key] += sign * Fraction(used.usd)
    return [Used(*key, left, usd[key]) for key, left in units.items() if left]
