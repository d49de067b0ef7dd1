"""What scopes will cost by an architecture: exact in expectation, drawn by the same Monte Carlo as a projection.

A component's cost is split by the models that it calls, so that a scope can be a model. Scopes are summed draw by
draw, never by quantiles: only their sums are kept, however many components there are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..architecture.policies import Policy
from ..architecture.spawn import descendants
from ..simulation.costing import Costing
from ..simulation.fleets import DRAWN, POOL, family_names, is_large, spread
from ..simulation.monte_carlo import TokenSums, draw, pool_size
from ..simulation.plans import Plan
from ..simulation.policies.calls import Costed
from ..simulation.policies.draws import draw_usd_by_model
from ..simulation.spawned import rooted
from ..simulation.subscriptions import SubscriptionCost
from ..simulation.workload import Work
from .scopes import AnyScope, Labels, canonical, in_scope, tags_of
from .windows import Daily, Floats

if TYPE_CHECKING:
    from ..architecture.component import Component
    from ..simulation.costs import Costs
    from ..simulation.settings import Progress

KEPT = 12
"""Of how many components drawn tokens are kept: a few megabytes each."""
NOT_OF_ONE_RUN: frozenset[Policy] = frozenset({"fresh_for", "batch_with", "cache"})
"""Policies that say which runs happen, or which find a cache: one run, by itself, is priced without them."""


@dataclass(frozen=True)
class Share:
    """What one component, or a subscription, spends on one model: by day, exact and drawn."""

    labels: Labels
    expected_usd: tuple[Fraction, ...]
    drawn_usd: Floats = field(repr=False)


@dataclass
class ScopeCost:
    """A scope's cost by day, and each component's expected part in it."""

    daily: Daily
    by_component: dict[str, list[Fraction]] = field(default_factory=dict)

    def add(self, share: Share) -> None:
        """Add a share that lies in the scope."""
        self.daily = self.daily.plus(share.expected_usd, share.drawn_usd)
        before = self.by_component.get(share.labels.component)
        own = list(share.expected_usd)
        self.by_component[share.labels.component] = (
            own if before is None else [a + b for a, b in zip(before, own, strict=True)]
        )


@dataclass
class TokenDraws:
    """Keeps the tokens drawn last for a few components: changes of a component's model are priced on the same."""

    kept: OrderedDict[tuple[Any, ...], TokenSums] = field(default_factory=OrderedDict, repr=False)

    def of(self, plain: Costing, days: int, trials: int, seed: int) -> TokenSums:
        """The drawn tokens of a component without policies."""
        brackets = tuple((bracket.min_input_tokens, bracket.probability) for bracket in plain.brackets)
        key = (_ById(plain.work), brackets)
        if key not in self.kept:
            self.kept[key] = draw(plain.work, plain.profile, plain.brackets, days, trials, seed)
            if len(self.kept) > KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end(key)
        return self.kept[key]


@dataclass(frozen=True, eq=False)
class _ById:
    """An object as a key: itself, and no other that is equal; it lives as long as the key does."""

    of: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and self.of is other.of

    def __hash__(self) -> int:
        return id(self.of)


@dataclass(frozen=True)
class Projected:
    """An architecture under one plan, ready to be asked what scopes will cost."""

    costs: Costs
    plan: Plan
    trials: int
    seed: int
    draws: TokenDraws = field(default_factory=TokenDraws, repr=False)
    progress: Progress | None = field(default=None, compare=False, repr=False)

    @property
    def components(self) -> list[Component]:
        """The architecture's components."""
        return self.costs.architecture.components

    def expected(self, name: str) -> dict[Labels, tuple[Fraction, ...]]:
        """One component's exact cost by day, by model; nothing where it has no price."""
        costing = self.costs.planned(name, self.plan)
        if not costing.priced:
            return {}
        calls = [(call.model, way.costing.expected_usd) for call in costing.calls for way in call.ways]
        found: dict[Labels, tuple[Fraction, ...]] = {}
        for model, usd in calls:
            labels = self._labels(name, model)
            found[labels] = tuple(a + b for a, b in zip(found[labels], usd, strict=True)) if labels in found else usd
        return found

    def shares(self, name: str) -> list[Share]:
        """One component's cost by model, exact and drawn; nothing where it has no price."""
        expected, drawn = self.expected(name), self._drawn(name)
        return [Share(labels, usd, drawn[labels]) for labels, usd in expected.items()]

    def _drawn(self, name: str) -> dict[Labels, Floats]:
        costing = self.costs.planned(name, self.plan)
        if not costing.priced:
            return {}
        if not is_large(self.costs.architecture, self.trials):
            return self._priced(name, costing, self.trials)
        with pool_size(POOL):
            few, family = self._priced(name, costing, DRAWN), self._families[name]
        return {labels: spread(usd, self.trials, family, self.seed) for labels, usd in few.items()}

    @cached_property
    def _families(self) -> dict[str, str]:
        return family_names(self.components)

    def _priced(self, name: str, costing: Costed, trials: int) -> dict[Labels, Floats]:
        tokens = self.draws.of(costing.plain, self.costs.horizon.days, trials, self.seed)
        found: dict[Labels, Floats] = {}
        for model, usd in draw_usd_by_model(costing, tokens, trials, self.seed).items():
            labels = self._labels(name, model)
            found[labels] = found[labels] + usd if labels in found else usd
        return found

    def subscriptions(self) -> list[Share]:
        """What the plan's subscriptions cost, with what is beyond them, as shares of components of their own."""
        return [
            Share(
                Labels(f"subscription {cost.name}", "", "subscription", str(cost.key)),
                cost.expected_usd,
                cost.drawn_usd,
            )
            for cost in self._subscribed
        ]

    @cached_property
    def _subscribed(self) -> list[SubscriptionCost]:
        return self.costs.subscriptions(self.plan, self.trials, self.seed)

    def scopes(self, scopes: Iterable[AnyScope]) -> dict[AnyScope, ScopeCost]:
        """What each of the scopes costs."""
        nothing = Daily.nothing(self.costs.horizon.dates)
        found: dict[AnyScope, ScopeCost] = {scope: ScopeCost(nothing) for scope in scopes}
        for done, component in enumerate(self.components):
            if any(self._may_count(scope, component.name) for scope in found):
                self._add(found, self.shares(component.name))
            if self.progress:
                self.progress(done + 1, len(self.components))
        self._add(found, self.subscriptions())
        return found

    def expected_usd(self, scope: AnyScope, names: Iterable[str], days: slice, *, flat: bool = True) -> Fraction:
        """What those components, and if `flat` the subscriptions, cost of a scope on some days, exact."""
        book = self.costs.book(self.costs.run_book)
        parts = [part for name in names for part in self.expected(name).items()]
        subscribed = [(share.labels, share.expected_usd) for share in self.subscriptions()] if flat else []
        counted = (usd[days] for labels, usd in [*parts, *subscribed] if in_scope(scope, labels, book))
        return sum((sum(usd, Fraction(0)) for usd in counted), Fraction(0))

    def part(self, scope: AnyScope, names: Iterable[str]) -> ScopeCost:
        """What those components, and the subscriptions, cost of a scope."""
        found: dict[AnyScope, ScopeCost] = {scope: ScopeCost(Daily.nothing(self.costs.horizon.dates))}
        for name in names:
            self._add(found, self.shares(name))
        self._add(found, self.subscriptions())
        return found[scope]

    def one_run(self, name: str, *, with_spawned: bool = False) -> Daily:
        """What one run of a component costs on the days on which it runs; no days where it never does, or unpriced.

        It is a run that happens, without a cache: escalations, large contexts and retries count; and all that it
        spawns, if asked.
        """
        work = self.costs.works[name]
        spawns = any(component.spawns for component in self.components)
        alone = replace(
            self,
            costs=self.costs.with_work(*(rooted(self.costs.works, name) if spawns else [_one_a_day(work)])),
            plan=replace(self.plan, policies=self.plan.policies - NOT_OF_ONE_RUN),
        )
        below = self.spawned_by([name]) if with_spawned else []
        parts = [alone.shares(part) for part in (name, *below)]
        running = [n for n, count in enumerate(work.runs.expected) if count] if all(parts) else []
        total = Daily.nothing(self.costs.horizon.dates)
        for share in (share for shares in parts for share in shares):
            total = total.plus(share.expected_usd, share.drawn_usd)
        days = tuple(total.dates[n] for n in running)
        return Daily(days, tuple(total.expected_usd[n] for n in running), total.drawn_usd[running])

    def spawned_by(self, names: Iterable[str]) -> list[str]:
        """All that those components spawn, directly or not."""
        components = {component.name: component for component in self.components}
        return list(dict.fromkeys(below for name in names for below in descendants(components, name)))

    def labels(self) -> list[Labels]:
        """Every component with every model that the plan may call for it, and the subscriptions."""
        called = [
            self._labels(component.name, model)
            for component in self.components
            for model in self.plan.choice(component).models
        ]
        return called + [share.labels for share in self.subscriptions()]

    def counted(self, scope: AnyScope) -> Iterator[str]:
        """The components that a scope counts, at least in part."""
        return (component.name for component in self.components if self._may_count(scope, component.name))

    def _add(self, found: dict[AnyScope, ScopeCost], shares: Sequence[Share]) -> None:
        book = self.costs.book(self.costs.run_book)
        for scope, cost in found.items():
            for share in shares:
                if in_scope(scope, share.labels, book):
                    cost.add(share)

    def _may_count(self, scope: AnyScope, name: str) -> bool:
        book, choice = self.costs.book(self.costs.run_book), self.plan.choice(self.costs.works[name].component)
        return any(in_scope(scope, self._labels(name, model), book) for model in choice.models)

    def _labels(self, name: str, model: str) -> Labels:
        component = self.costs.works[name].component
        book = self.costs.book(self.costs.run_book)
        return Labels(name, component.agent, component.task, canonical(model, book), tags_of(component.tags))


def _one_a_day(work: Work) -> Work:
    once = tuple(Fraction(int(count > 0)) for count in work.runs.expected)
    return replace(work, runs=replace(work.runs, expected=once, law="fixed", spread=None))
