"""What a component costs alone and with all that its runs spawn: along the tree, exact, by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from ...money import to_usd
from ..projection import SpawnNode
from .policies.calls import Costed
from .spawned import own_runs

MAX_NODES, MAX_DEPTH = 300, 50
"""A tree with more nodes, or more levels than people read and JSON is nested, is cut; its sums are whole."""

ByDay = tuple[Fraction, ...]


@dataclass
class SpawnCosts:
    """One plan's components with what they spawn; `costing_of` gives a component as the plan has it."""

    costing_of: Callable[[str], Costed]
    days: int
    _whole: dict[str, ByDay | None] = field(default_factory=dict)
    _nodes: int = 0

    def with_spawned_usd_per_day(self, name: str) -> Fraction | None:
        """A component's runs with all that they spawn; None where it spawns nothing, or something has no price."""
        costed = self.costing_of(name)
        whole = self._per_run(name) if costed.base.component.spawns else None
        if whole is None:
            return None
        return _sum(n * usd for n, usd in zip(costed.base.runs.expected, whole, strict=True)) / self.days

    def trees(self, names: list[str]) -> list[SpawnNode]:
        """A tree for every component that runs by itself and spawns others."""
        self._nodes = 0
        roots = [name for name in names if self.costing_of(name).base.component.spawns]
        runs = {name: own_runs(self.costing_of(name).base).expected for name in roots}
        return [self._node(name, runs[name]) for name in roots if any(runs[name])]

    def _per_run(self, name: str) -> ByDay | None:
        """USD of a run with all that it spawns, on each day; None where something has no price.

        What is spawned comes first, however deep: no call of this waits for another, for these are bounded.
        """
        todo = [name]
        while todo:
            below = [] if todo[-1] in self._whole else [c for c in self._spawned(todo[-1]) if c not in self._whole]
            if not below and (done := todo.pop()) not in self._whole:
                self._whole[done] = self._summed(done)
            todo += below
        return self._whole[name]

    def _summed(self, name: str) -> ByDay | None:
        total = self._alone(name)
        for child, each in self._children(name):
            below = self._whole[child]
            if total is None or below is None:
                return None
            total = tuple(own + n * usd for own, n, usd in zip(total, each, below, strict=True))
        return total

    def _alone(self, name: str) -> ByDay | None:
        """USD of a run by itself, on each day on which there are any."""
        costed = self.costing_of(name)
        if not costed.priced:
            return None
        runs = costed.base.runs.expected
        return tuple(usd / n if n else Fraction(0) for usd, n in zip(costed.expected_usd, runs, strict=True))

    def _children(self, name: str) -> list[tuple[str, ByDay]]:
        """What a run spawns: the component, and how many of its runs on each day; skipped runs spawn nothing."""
        costed = self.costing_of(name)
        both = zip(costed.spawns.kept.expected, costed.base.runs.expected, strict=True)
        kept = [happening / n if n else Fraction(1) for happening, n in both]
        found = []
        for child in self._spawned(name):
            runs = self.costing_of(child).base.runs
            each = _sum(source.mean for source in runs.parents if source.parent.component.name == name)
            found.append((child, tuple(each * k * on for k, on in zip(kept, runs.active, strict=True))))
        return found

    def _spawned(self, name: str) -> Iterable[str]:
        return dict.fromkeys(spawn.component for spawn in self.costing_of(name).base.component.spawns)

    def _node(self, name: str, runs: ByDay, level: int = 1) -> SpawnNode:
        self._nodes += 1
        alone, whole = self._alone(name), self._per_run(name)
        children = []
        for child, each in self._children(name):
            if self._nodes < MAX_NODES and level < MAX_DEPTH:
                children.append(self._node(child, tuple(n * e for n, e in zip(runs, each, strict=True)), level + 1))
        total = _sum(runs)
        paid = None if whole is None else _sum(n * usd for n, usd in zip(runs, whole, strict=True))
        own = None if alone is None else _sum(n * usd for n, usd in zip(runs, alone, strict=True))
        return SpawnNode(
            component=name,
            model=self.costing_of(name).model,
            runs_per_day=to_usd(total / self.days),
            expected_usd_per_day=None if own is None else to_usd(own / self.days),
            with_spawned_usd_per_day=None if paid is None else to_usd(paid / self.days),
            with_spawned_usd_per_run=to_usd(paid / total) if paid is not None and total else None,
            children=children,
        )


def _sum(amounts: Iterable[Fraction]) -> Fraction:
    return sum(amounts, Fraction(0))
