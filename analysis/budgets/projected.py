"""What scopes will cost by an architecture: exact in expectation, drawn by the same Monte Carlo as a projection.

A component's cost is split by the models that it calls, so that a scope can be a model. Scopes are summed draw by
draw, never by quantiles: only their sums are kept, however many components there are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from ..architecture.policies import Policy
from ..architecture.spawn import descendants
from ..exact import Days, daily_total, total
from ..simulation.costing import Costing
from ..simulation.fleets import POOL, Family, family_of, is_large, spread
from ..simulation.monte_carlo import TokenSums, draw
from ..simulation.plans import Plan
from ..simulation.policies.calls import Costed
from ..simulation.policies.draws import draw_usd_by_model
from ..simulation.settings import check_draws
from ..simulation.spawned import rooted
from ..simulation.streams import pool_size
from ..simulation.subscriptions import SubscriptionCost
from ..simulation.workload import Work
from .counting import ScopesOf, check_counted
from .scopes import AnyScope, Labels, canonical, counts, tags_of
from .windows import Daily, Floats

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.component import Component
    from ..simulation.costs import Costs
    from ..simulation.settings import Progress

KEPT = 12
"""Of how many components drawn tokens are kept: a few megabytes each at the default trials."""
KEPT_BYTES = 128 * 2**20
"""How much of them is kept besides the newest."""
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
    by_component: dict[str, Days]


@dataclass
class _ScopeSum:
    """A scope's cost while it is added up."""

    dates: Sequence[date]
    drawn_usd: Floats
    by_component: dict[str, list[Days]] = field(default_factory=dict)

    def add(self, share: Share) -> None:
        """Add a share that lies in the scope."""
        if self.drawn_usd.shape == np.broadcast_shapes(self.drawn_usd.shape, share.drawn_usd.shape):
            self.drawn_usd += share.drawn_usd
        else:
            self.drawn_usd = self.drawn_usd + share.drawn_usd
        self.by_component.setdefault(share.labels.component, []).append(share.expected_usd)

    @property
    def cost(self) -> ScopeCost:
        """All that was added."""
        days = len(self.dates)
        expected = daily_total((part for parts in self.by_component.values() for part in parts), days)
        own = {
            name: parts[0] if len(parts) == 1 else daily_total(parts, days) for name, parts in self.by_component.items()
        }
        return ScopeCost(Daily(tuple(self.dates), expected, self.drawn_usd), own)


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
            self._forget(self.kept[key])
        self.kept.move_to_end(key)
        return self.kept[key]

    def _forget(self, newest: TokenSums) -> None:
        """Those that were used longest ago, beyond the bounds."""
        while len(self.kept) > 1 and (
            len(self.kept) > KEPT or sum(kept.nbytes for kept in self.kept.values()) - newest.nbytes > KEPT_BYTES
        ):
            self.kept.popitem(last=False)


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
            found[labels] = daily_total((found[labels], usd), len(usd)) if labels in found else usd
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
        family = self._families[name]
        with pool_size(POOL):
            few = self._priced(name, costing, family.draws)
        return {labels: spread(usd, self.trials, family.name, self.seed) for labels, usd in few.items()}

    @cached_property
    def _families(self) -> dict[str, Family]:
        return family_of(self.components, self.costs.horizon.days)

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
        found = {scope: self._nothing() for scope in scopes}
        check_draws(self.costs.horizon.days, self.trials, max(1, len(found)), f"each of {len(found)} scopes of budgets")
        of, called = ScopesOf(found, self._book), [self._called(component) for component in self.components]
        check_counted(of, chain.from_iterable(called))
        for done, component in enumerate(self.components):
            if any(map(of.counting, called[done])):
                self._add(found, of, self.shares(component.name))
            if self.progress:
                self.progress(done + 1, len(self.components))
        self._add(found, of, self.subscriptions())
        return {scope: summed.cost for scope, summed in found.items()}

    def expected_usd(self, scope: AnyScope, names: Iterable[str], days: slice, *, flat: bool = True) -> Fraction:
        """What those components, and if `flat` the subscriptions, cost of a scope on some days, exact."""
        counted = counts(scope, self._book)
        parts = [part for name in names for part in self.expected(name).items()]
        subscribed = [(share.labels, share.expected_usd) for share in self.subscriptions()] if flat else []
        return total(usd for labels, by_day in [*parts, *subscribed] if counted(labels) for usd in by_day[days])

    def part(self, scope: AnyScope, components: Iterable[Sequence[Share]]) -> ScopeCost:
        """What the shares of those components, and the subscriptions, cost of a scope."""
        found, of = {scope: self._nothing()}, ScopesOf([scope], self._book)
        for shares in components:
            self._add(found, of, shares)
        self._add(found, of, self.subscriptions())
        return found[scope].cost

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
        one = Daily.nothing(self.costs.horizon.dates)
        for share in (share for shares in parts for share in shares):
            one = one.plus(share.expected_usd, share.drawn_usd)
        days = tuple(one.dates[n] for n in running)
        return Daily(days, tuple(one.expected_usd[n] for n in running), one.drawn_usd[running])

    def spawned_by(self, names: Iterable[str]) -> list[str]:
        """All that those components spawn, directly or not."""
        components = {component.name: component for component in self.components}
        return list(dict.fromkeys(below for name in names for below in descendants(components, name)))

    def labels(self) -> list[Labels]:
        """Every component with every model that the plan may call for it, and the subscriptions."""
        called = [labels for component in self.components for labels in self._called(component)]
        return called + [share.labels for share in self.subscriptions()]

    def counted(self, scope: AnyScope) -> Iterator[str]:
        """The components that a scope counts, at least in part."""
        counted = counts(scope, self._book)
        return (component.name for component in self.components if any(map(counted, self._called(component))))

    @property
    def _book(self) -> PriceBook:
        return self.costs.book(self.costs.run_book)

    def _nothing(self) -> _ScopeSum:
        dates = self.costs.horizon.dates
        return _ScopeSum(dates, np.zeros((len(dates), 1)))

    def _add(self, found: Mapping[AnyScope, _ScopeSum], of: ScopesOf, shares: Sequence[Share]) -> None:
        for share in shares:
            for scope in of.counting(share.labels):
                found[scope].add(share)

    def _called(self, component: Component) -> list[Labels]:
        """A component with every model that the plan may call for it."""
        return [self._labels(component.name, model) for model in self.plan.choice(component).models]

    def _labels(self, name: str, model: str) -> Labels:
        component = self.costs.works[name].component
        return Labels(name, component.agent, component.task, canonical(model, self._book), tags_of(component.tags))


def _one_a_day(work: Work) -> Work:
    once = tuple(Fraction(int(count > 0)) for count in work.runs.expected)
    return replace(work, runs=replace(work.runs, expected=once, law="fixed", spread=None))
