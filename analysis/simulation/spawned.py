"""Runs that other components' runs spawn: expected numbers multiply along the tree; draws follow the drawn parents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from ..architecture.component import Component
from ..architecture.session import distribution_of
from ..architecture.spawn import Spawn, spawned_names
from .scale import Scale
from .workload import Horizon, Runs, SpawnedRuns, Work, active_days

Kept = Callable[[Work], SpawnedRuns | None]
"""Which of a parent's runs happen under a plan, so that they spawn; None: all of them."""


def with_spawned(
    works: Mapping[str, Work], horizon: Horizon, kept: Kept = lambda _: None, scale: Scale | None = None
) -> dict[str, Work]:
    """The works with the runs that their parents' runs spawn; those of nobody stay as they are."""
    components = [work.component for work in works.values()]
    if not spawned_names(components):
        return dict(works)
    return _Spread(works, horizon, kept, _parents(components), scale or Scale()).all()


def own_runs(work: Work) -> Runs:
    """The runs that a component has by itself."""
    return work.runs.own if work.runs.own else work.runs


def rooted(works: Mapping[str, Work], root: str) -> list[Work]:
    """The works where only the root runs by itself: once on each day on which it runs at all."""
    found = []
    for name, work in works.items():
        once = tuple(Fraction(int(count > 0 and name == root)) for count in work.runs.expected)
        found.append(replace(work, runs=Runs(once)))
    return found


def _parents(components: list[Component]) -> dict[str, list[tuple[str, Spawn]]]:
    found: dict[str, list[tuple[str, Spawn]]] = {}
    for component in components:
        for spawn in component.spawns:
            found.setdefault(spawn.component, []).append((component.name, spawn))
    return found


@dataclass
class _Spread:
    works: Mapping[str, Work]
    horizon: Horizon
    kept: Kept
    parents: Mapping[str, list[tuple[str, Spawn]]]
    scale: Scale

    def all(self) -> dict[str, Work]:
        done: dict[str, Work] = {}
        for name in self._parents_first():
            work = replace(self.works[name], runs=own_runs(self.works[name]))
            done[name] = replace(work, runs=self._runs(work, done)) if name in self.parents else work
        return {name: done[name] for name in self.works}

    def _parents_first(self) -> list[str]:
        order: dict[str, None] = {}
        waiting = [*self.works][::-1]
        while waiting:
            name = waiting[-1]
            missing = [parent for parent, _ in self.parents.get(name, ()) if parent not in order]
            if missing:
                waiting += missing
            else:
                order[waiting.pop()] = None
        return list(order)

    def _runs(self, work: Work, done: Mapping[str, Work]) -> Runs:
        active = active_days(work.component, self.horizon)
        sources = [self._source(done[parent], spawn) for parent, spawn in self.parents[work.component.name]]
        expected = list(work.runs.expected)
        for source in sources:
            expected = [n + source.mean * m * on for n, m, on in zip(expected, source.expected, active, strict=True)]
        hours = _hours(work.runs, sources, active, self.horizon)
        return Runs(tuple(expected), "spawned", hours=hours, own=work.runs, parents=tuple(sources), active=active)

    def _source(self, parent: Work, spawn: Spawn) -> SpawnedRuns:
        kept = self.kept(parent) or SpawnedRuns(parent, parent.runs)
        return replace(
            kept, count=self.scale.count(distribution_of(spawn.count), spawn.component), chance=Fraction(spawn.chance)
        )


def _hours(
    own: Runs, sources: list[SpawnedRuns], active: tuple[bool, ...], horizon: Horizon
) -> tuple[tuple[int, Fraction], ...]:
    """Runs by the hour where some source knows its hours, so that they are priced at their own moment."""
    known = [(own, Fraction(1)), *((source.runs, source.mean) for source in sources)]
    if not any(runs.hours or runs.instants is not None for runs, _ in known):
        return ()
    total: dict[int, Fraction] = {}
    for runs, share in known:
        for minute, rate in _by_hour(runs, share, horizon):
            total[minute] = total[minute] + rate if minute in total else rate
    days = np.searchsorted(horizon.edges, list(total), side="right") - 1
    return tuple(sorted((m, rate) for (m, rate), day in zip(total.items(), days.tolist(), strict=True) if active[day]))


def _by_hour(runs: Runs, share: Fraction, horizon: Horizon) -> list[tuple[int, Fraction]]:
    """A share of the runs, by the hour in which they are; an hour may stand in it more than once."""
    if runs.hours:
        return [(minute, rate * share) for minute, rate in runs.hours]
    found: list[tuple[int, Fraction]] = []
    for day, count in enumerate(runs.expected):
        first, last = int(horizon.edges[day]), int(horizon.edges[day + 1])
        if runs.instants is not None:
            own = runs.instants[(runs.instants >= first) & (runs.instants < last)]
            hours, counts = np.unique((own - first) // 60, return_counts=True)
            each = count * share / len(own) if len(own) else Fraction(0)
            found += [(first + 60 * hour, each * n) for hour, n in zip(hours.tolist(), counts.tolist(), strict=True)]
        elif count:
            marks = range(first, last, 60)
            each = count * share / len(marks)
            found += [(minute, each) for minute in marks]
    return found
