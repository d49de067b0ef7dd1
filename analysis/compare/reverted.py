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


Change = tuple[int, Iterable[Used]]
"""Usage that is added (1) or taken out (-1)."""


def without(usage: Mapping[str, Iterable[Used]], decisions: Iterable[Reverted]) -> Mapping[str, Iterable[Used]]:
    """The usage by component as it would have been without the decisions; itself where there are none."""
    changes: dict[str, list[Change]] = defaultdict(list)
    for of in decisions:
        for sign, by_component in ((-1, of.removed), (1, of.added)):
            for component, lines in by_component.items():
                changes[component].append((sign, lines))
    return {**usage, **{name: _merged([(1, usage.get(name, ())), *changes[name]]) for name in sorted(changes)}}


def saved_by_component(decisions: Iterable[Reverted]) -> dict[str, Fraction]:
    """What all decisions saved at each component that they touched, USD."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for of in decisions:
        for component, usd in of.saved.items():
            found[component] += usd
    return found


def _merged(changes: Iterable[Change]) -> list[Used]:
    """The sums of a component, whole lines of which nothing is left taken out."""
    units: dict[tuple[str, Route, Kind], Fraction] = defaultdict(Fraction)
    usd: dict[tuple[str, Route, Kind], Fraction] = defaultdict(Fraction)
    for sign, lines in changes:
        for used in lines:
            key = used.task, used.route, used.kind
            units[key] += sign * Fraction(used.units)
            usd[key] += sign * Fraction(used.usd)
    return [Used(*key, left, usd[key]) for key, left in units.items() if left]
