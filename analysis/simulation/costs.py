"""All exact costs of one architecture, each computed once."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ...pricing.book import PriceBook, open_book
from ..exact import total
from .brackets import Bracket
from .costing import Costing, cost_brackets, tier_starts
from .fleets import Family, family_of, is_large
from .needs import DrawnNeeds, Needs, added
from .overage import Covered
from .plans import Plan, named_models, policy_models, single_model_plan
from .policies.calls import ComponentChoice, Costed, with_policies, without_policies
from .policies.spawns import spawns_of
from .profiles import Profile
from .scale import Scale
from .spawned import with_spawned
from .streams import generator
from .subscriptions import SubscriptionCost, covering, subscription_costs, used_subscriptions
from .workload import Horizon, SpawnedRuns, Work, workload

if TYPE_CHECKING:
    from ..architecture.model import Architecture

MOST_PLANS_KEPT = 8


@dataclass
class Costs:
    """All exact costs of one architecture, at any of its books: computed once per component and model."""

    architecture: Architecture
    horizon: Horizon
    run_book: str
    naive: str | None = None
    _books: dict[str, PriceBook] = field(default_factory=dict)
    _costings: dict[tuple[str, str, str], Costing] = field(default_factory=dict)
    _brackets: dict[tuple[str, tuple[int, ...]], tuple[Profile, tuple[Bracket, ...]]] = field(default_factory=dict)
    _planned: dict[tuple[str, str, ComponentChoice, bool], Costed] = field(default_factory=dict)
    _skipping: dict[frozenset[str], dict[str, Work]] = field(default_factory=dict)
    _of_plan: dict[tuple[str, str, int], tuple[Plan, Costed]] = field(default_factory=dict, init=False)
    _tiers: dict[tuple[object, ...], tuple[int, ...]] = field(default_factory=dict, init=False)
    works: dict[str, Work] = field(default_factory=dict)
    scale: Scale = field(default_factory=Scale)
    forecast: str = ""
    """What the runs of logged components are forecast from, in a sentence."""
    trials: int = 10_000
    """Of the draws that what is beyond an allowance is expected from, with `seed`."""
    seed: int = 1
    _needs: DrawnNeeds = field(default_factory=DrawnNeeds, repr=False)
    _flat: dict[tuple[object, ...], Fraction] = field(default_factory=dict)
    _covered: dict[tuple[str, str], Covered] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        architecture: Architecture,
        horizon: Horizon,
        run_book: str,
        naive: str | None = None,
        opened: PriceBook | None = None,
        scale: Scale | None = None,
    ) -> Costs:
        """The costs of an architecture over a horizon; `naive` is a model that only the baseline uses.

        `opened` is the run's book with the architecture's overlays, if it is open already.
        """
        costs = cls(architecture, horizon, run_book, naive, {run_book: opened} if opened else {})
        costs.scale = scale or Scale()
        works = {w.component.name: w for w in costs.scale.all_of(workload(architecture, horizon, costs.book))}
        costs.works = with_spawned(works, horizon, scale=costs.scale)
        return costs

    def with_work(self, *works: Work) -> Costs:
        """The same with other runs or tokens for the components of these works."""
        changed = replace(self, _costings={}, _brackets={}, _planned={}, _skipping={}, _flat={})
        changed.works = with_spawned(
            self.works | {work.component.name: work for work in works}, self.horizon, scale=self.scale
        )
        return changed

    def work(self, component: str, plan: Plan) -> Work:
        """A component's work under a plan: runs that fresh_for skips spawn nothing."""
        skipping = self.skipping(component) if "fresh_for" in plan.policies else frozenset()
        if not skipping:
            return self.works[component]
        if skipping not in self._skipping:
            self._skipping[skipping] = with_spawned(self.works, self.horizon, partial(self._kept, skipping), self.scale)
        return self._skipping[skipping][component]

    @cached_property
    def _any_fresh(self) -> bool:
        return any(work.component.fresh_for for work in self.works.values())

    def skipping(self, component: str) -> frozenset[str]:
        """The components that state fresh_for among those that spawn it, directly or not."""
        if not self._any_fresh:
            return frozenset()
        found: dict[str, None] = {}
        waiting = [component]
        while waiting:
            for source in self.works[waiting.pop()].runs.parents:
                parent = source.parent.component.name
                if parent in self.works and parent not in found:
                    found[parent] = None
                    waiting.append(parent)
        return frozenset(name for name in found if self.works[name].component.fresh_for)

    def _kept(self, skipping: frozenset[str], parent: Work) -> SpawnedRuns | None:
        name, fresh = parent.component.name, parent.component.fresh_for
        if name not in skipping or fresh is None:
            return None
        spawns = spawns_of(parent.runs, fresh, None, self.horizon.edges)
        return SpawnedRuns(
            parent,
            spawns.kept,
            keep=lambda runs, trials, seed: spawns.draw(
                runs, trials, lambda policy: generator(seed, f"{name}\n{policy}")
            ),
        )

    def book(self, name: str) -> PriceBook:
        """The book of that name with the architecture's overlays on it."""
        if name not in self._books:
            self._books[name] = open_book(name, self.architecture.prices)
        return self._books[name]

    def costing(self, component: str, model: str, book_name: str | None = None) -> Costing:
        """One component on one model, without policies."""
        book_name = book_name or self.run_book
        key = (book_name, component, model)
        if key not in self._costings:
            work, book = self.works[component], self.book(book_name)
            profile, brackets = self._on_tiers(work, self._starts(work, book, [model]))
            self._costings[key] = cost_brackets(work, profile, brackets, model, book, self.horizon)
        return self._costings[key]

    def _on_tiers(self, work: Work, starts: tuple[int, ...]) -> tuple[Profile, tuple[Bracket, ...]]:
        """A work's profile cut at those token counts, and its brackets: the same for most models."""
        key = (work.component.name, starts)
        if key not in self._brackets:
            profile = work.profile.on_tiers(starts)
            self._brackets[key] = profile, tuple(profile.brackets(starts))
        return self._brackets[key]

    def planned(self, component: str, plan: Plan, book_name: str | None = None) -> Costed:
        """One component as a plan has it, with the policies that the plan applies."""
        asked = (book_name or self.run_book, component, id(plan))
        if asked not in self._of_plan:
            if len(self._of_plan) > MOST_PLANS_KEPT * len(self.works):
                self._of_plan.clear()
            self._of_plan[asked] = plan, self._as_planned(component, plan, asked[0])  # the plan keeps its id
        return self._of_plan[asked][1]

    def _as_planned(self, component: str, plan: Plan, book_name: str) -> Costed:
        work = self.work(component, plan)
        choice = plan.choice(work.component)
        plain = self.costing(component, choice.model, book_name)
        fewer = work is not self.works[component]
        if fewer:
            plain = cost_brackets(work, plain.profile, plain.brackets, plain.model, self.book(book_name), self.horizon)
        choice = (
            choice if choice.policies else ComponentChoice(choice.model, choice.policies)
        )  # whatever unused policies name
        key = (book_name, component, choice, fewer)
        if key not in self._planned:
            costed = self._costed(work, choice, plain, self.book(book_name))
            self._planned[key] = replace(costed, own_draws=True) if fewer else costed
        return self._planned[key]

    def _costed(self, work: Work, choice: ComponentChoice, plain: Costing, book: PriceBook) -> Costed:
        if not choice.policies:
            return without_policies(plain, choice, self.horizon.edges)
        starts = self._starts(work, book, choice.models)
        return with_policies(work, choice, starts, plain, book, self.horizon)

    def _starts(self, work: Work, book: PriceBook, models: list[str]) -> tuple[int, ...]:
        """The token counts that cut a component's runs, in every plan: price tiers, the large-context threshold."""
        more = tuple(model for model in models if model not in self._models)
        asked = (id(book), more, work.component.processing)  # books are kept
        if asked not in self._tiers:
            self._tiers[asked] = tier_starts(book, [*self._models, *more], work.component.processing)
        starts, large = self._tiers[asked], work.component.large_context
        return tuple(sorted({*starts, large.over + 1})) if large else starts

    @cached_property
    def _models(self) -> dict[str, None]:
        """Every model that some plan may use, so that all plans cut runs into the same brackets."""
        specs = self.architecture.plans.values()
        planned = [m for s in specs for m in (s.model, *s.model_routing.values(), *s.components.values()) if m]
        named = [*named_models(self.architecture), *policy_models(self.architecture)]
        return dict.fromkeys([*named, *planned, *([self.naive] if self.naive else [])])

    def usd_per_day(self, component: str, model: str, book_name: str | None = None) -> Fraction | None:
        """A component's expected cost per day on a model, over the horizon; None where it is unpriced."""
        costing = self.costing(component, model, book_name)
        return costing.horizon_usd / self.horizon.days if costing.priced else None

    def plan_usd_per_day(self, plan: Plan, book_name: str, component: str | None = None) -> Fraction | None:
        """A plan's (or one of its components') expected cost per day; None where something is unpriced."""
        names = [component] if component else list(plan.models)
        parts = [self.planned(name, plan, book_name) for name in names]
        flat = Fraction(0) if component else self.flat_usd_per_day(plan, book_name)
        if not all(part.priced for part in parts):
            return None
        return flat + total(part.horizon_usd for part in parts) / self.horizon.days

    def single_model_usd_per_day(self, model: str) -> Fraction | None:
        """What everything costs per day on one model, without policies; None where that is unpriced."""
        if self.book(self.run_book).subscriptions:
            return self.plan_usd_per_day(single_model_plan(self.architecture, "", model), self.run_book)
        parts = [self.costing(name, model) for name in self.works]
        if not all(part.priced for part in parts):
            return None
        return total(part.horizon_usd for part in parts) / self.horizon.days

    def marginal_usd_per_day(self, plan: Plan, names: Collection[str]) -> Fraction | None:
        """What components cost a plan per day, what they add to its subscriptions included; None where unpriced."""
        parts = [self.plan_usd_per_day(plan, self.run_book, name) for name in names]
        known = [part for part in parts if part is not None]
        if len(known) < len(parts):
            return None
        return sum(known, Fraction(0)) + self.added_usd_per_day(plan, names)

    def added_usd_per_day(self, plan: Plan, names: Collection[str]) -> Fraction:
        """What components add to the cost of a plan's subscriptions per day: overage, and fees that no other needs."""
        if not self.book(self.run_book).subscriptions:
            return Fraction(0)
        own = frozenset(names)
        others = [name for name in plan.models if name not in own]
        return self.flat_usd_per_day(plan) - self.flat_usd_per_day(plan, names=others)

    def flat_usd_per_day(
        self, plan: Plan, book_name: str | None = None, names: Collection[str] | None = None
    ) -> Fraction:
        """What the plan's subscriptions cost per day, fees and what is beyond them; of these components alone."""
        name = book_name or self.run_book
        if not self.book(name).subscriptions:
            return Fraction(0)
        parts = [part for part in plan.models if names is None or part in names]
        chosen = tuple((part, plan.choice(self.works[part].component)) for part in parts)
        key = (name, chosen, plan.policies)
        if key not in self._flat:
            costs = self.subscriptions(plan, book_name=name, names=parts)
            self._flat[key] = sum((own.total_usd for own in costs), Fraction(0)) / self.horizon.days
        return self._flat[key]

    def subscriptions(
        self, plan: Plan, trials: int | None = None, seed: int | None = None, book_name: str | None = None,
        names: Collection[str] | None = None,
    ) -> list[SubscriptionCost]:  # fmt: skip
        """What each subscription of the plan costs, or of these components of it, on the draws that cost them."""
        book = self.book(book_name or self.run_book)
        if not book.subscriptions:
            return []
        parts = [part for part in plan.models if names is None or part in names]
        models = sorted({m for part in parts for m in plan.choice(self.works[part].component).models})
        used = used_subscriptions(models, book, self.horizon)
        limited = [entry for entry in used if entry.included]
        needs = self.needs(plan, parts, trials, seed, book_name) if limited else {}
        keys = [key for model in models if (key := book.resolve(model))]
        named = {entry.name: min(key for key in keys if entry.covers(key)) for entry in used}
        found = subscription_costs([(entry, entry.seats) for entry in used], needs, named, self.horizon)
        return [cost for cost in found if cost.name in named]

    def needs(
        self, plan: Plan, names: Iterable[str], trials: int | None = None, seed: int | None = None,
        book_name: str | None = None,
    ) -> Needs:  # fmt: skip
        """What the components' calls under subscriptions need, together."""
        name = book_name or self.run_book
        shape = trials or self.trials, self.seed if seed is None else seed
        families = self._families if is_large(self.architecture, shape[0]) else {}

        def covered_by(model: str) -> Covered:
            return self.covered(model, name)

        return added(
            self._needs.of(self.planned(part, plan, name), covered_by, name, *shape, families.get(part))
            for part in names
        )

    @cached_property
    def _families(self) -> dict[str, Family]:
        return family_of(self.architecture.components, self.horizon.days)

    def covered(self, model: str, book_name: str) -> Covered:
        """The subscriptions that cover a model."""
        if (model, book_name) not in self._covered:
            self._covered[model, book_name] = covering(model, self.book(book_name), self.horizon)
        return self._covered[model, book_name]
