"""One side of a comparison, and components put together from two sides: what causes are found by.

A component is described by five factors; one taken from either side for each makes a component that may exist on
neither, and whose exact cost shows what each factor does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from ...errors import ArchitectureError
from ...pricing.book import SHIPPED, PriceBook, open_book
from ..architecture.component import Component
from ..architecture.distributions import Floats
from ..architecture.model import Architecture
from ..architecture.policies import POLICIES
from ..architecture.spawn import spawned_names
from ..routing.resolve import routed_model
from ..simulation.costs import Costs
from ..simulation.fleets import Family, family_of, is_large
from ..simulation.logged import as_forecast
from ..simulation.monte_carlo import draw, is_gamma
from ..simulation.plans import Plan, plans_of
from ..simulation.policies.calls import Costed
from ..simulation.policies.draws import draw_usd
from ..simulation.profiles import Independent, Joint
from ..simulation.settings import Settings
from ..simulation.streams import Paired, paired
from ..simulation.workload import Horizon, Runs, Work, workload
from .results import CAUSES, Cause

FIELDS: dict[Cause, tuple[str, ...]] = {
    "schedule": ("cron", "schedule", "timezone", "runs_per_day", "weekdays_only", "start", "end", "growth"),
    "tokens": ("tokens", "calibrate", "uncertainty"),
    "model": (),
    "policies": ("processing", *POLICIES),
    "prices": (),
}
NO_MODEL = "unused"
MARGIN = 2
"""How many times fewer runs than expected a day may have, and their sum still be drawn as a gamma distribution."""

Mixture = tuple[int, ...]
"""For each cause in order, the side that it is taken from: 0 the base, 1 the head."""
BASE, HEAD = (0,) * len(CAUSES), (1,) * len(CAUSES)


def mixture(causes: Sequence[Cause], changed: tuple[int, ...]) -> Mixture:
    """What has not changed is taken from the head: it is the same there."""
    taken = dict(zip(causes, changed, strict=True))
    return tuple(taken.get(cause, 1) for cause in CAUSES)


@dataclass
class Side:
    """An architecture at its prices under one plan; `label` names it for people."""

    label: str
    architecture: Architecture
    book_name: str
    plan_name: str
    settings: Settings

    @cached_property
    def book(self) -> PriceBook:
        """The base book with the architecture's overlays."""
        return open_book(self.book_name, self.architecture.prices)

    @cached_property
    def horizon(self) -> Horizon:
        """The days, in the architecture's time zone."""
        return Horizon.of(self.settings.start, self.settings.days, ZoneInfo(self.architecture.timezone))

    @cached_property
    def plan(self) -> Plan:
        """Raises ArchitectureError where the architecture has no such plan."""
        plans = {plan.name: plan for plan in plans_of(self.architecture, self.settings.naive or NO_MODEL)}
        if self.plan_name == "naive" and not self.settings.naive:
            raise ArchitectureError("naive needs a model to compare on: --naive MODEL")
        if self.plan_name not in plans:
            raise ArchitectureError(f"{self.label}: there is no plan {self.plan_name!r}; known: {', '.join(plans)}")
        return plans[self.plan_name]

    @cached_property
    def components(self) -> dict[str, Component]:
        """By name."""
        return {component.name: component for component in self.architecture.components}

    @cached_property
    def spawned(self) -> frozenset[str]:
        """The components that others spawn."""
        return spawned_names(self.architecture.components)

    def runs(self, name: str) -> Runs | None:
        """The runs of a component that others spawn, or that a store's forecast has; None where its own keys say it."""
        if name not in self.spawned and not self.architecture.forecast:
            return None
        runs = self._costs.work(name, self.plan).runs
        return runs if name in self.spawned or runs.law == "forecast" else None

    def work(self, name: str) -> Work:
        """A component's runs and tokens."""
        return self._costs.works[name]

    @cached_property
    def _costs(self) -> Costs:
        costs = Costs.of(self.architecture, self.horizon, self.book_name, None, self.book)
        source = self.architecture.forecast
        return as_forecast(costs, source, self.architecture, self.settings.seed) if source else costs

    def subscriptions_usd(self) -> tuple[Fraction, Floats]:
        """What the plan's subscriptions cost over the horizon, with what is beyond them: expected, and (trials,)."""
        if not self.book.subscriptions:
            return Fraction(0), np.zeros(1)
        costs = self._costs.subscriptions(self.plan, self.settings.trials, self.settings.seed)
        drawn = sum((cost.drawn_usd.sum(axis=0) for cost in costs), np.zeros(1))
        return sum((cost.total_usd for cost in costs), Fraction(0)), drawn

    def calibrated_on(self, name: str) -> str | None:
        """The model whose price solves a component's tokens: the routing's, whatever the plan, as in a run."""
        component = self.components[name]
        if component.calibrate is None:
            return None
        return component.calibrate.model or routed_model(component, self.architecture.model_routing)

    def facts(self, name: str, cause: Cause) -> Any:
        """What the side says of a component as to one cause (but prices): equal facts, equal cost."""
        component = self.components[name]
        if cause == "model":
            return self.plan.models[name]
        stated = {key: getattr(component, key) for key in FIELDS[cause]}
        if cause == "schedule":
            spawned = self.runs(name)
            return stated | {"cron": None}, self.architecture.timezone, spawned and spawned.expected
        if cause == "tokens":
            return stated | _measured(component), self.calibrated_on(name)
        if cause == "policies":
            return stated, self.plan.targets.get(name, ()), self.plan.policies & component.stated
        return stated


@dataclass
class Pair:
    """Two sides. `same_prices` where both stacks of books are one and the same."""

    base: Side
    head: Side
    _mixed: dict[tuple[str, Mixture], Mixed] = field(default_factory=dict)

    @cached_property
    def same_prices(self) -> bool:
        return self.base.book.hash == self.head.book.hash

    @cached_property
    def large(self) -> bool:
        """Whether either side is a large fleet, whose components are drawn fewer times."""
        return any(
            is_large(side.architecture, side.settings.trials) and not other.architecture.forecast
            for side, other in ((self.base, self.head), (self.head, self.base))
        )

    @cached_property
    def families(self) -> dict[str, Family]:
        """Each component's family: those whose runs depend on one another on either side."""
        both = [*self.base.architecture.components, *self.head.architecture.components]
        return family_of(both, self.head.settings.days)

    def draws(self, name: str) -> int:
        """How often a component is drawn."""
        return self.families[name].draws if self.large else self.head.settings.trials

    def changed(self, name: str) -> list[Cause]:
        """The causes that may make a difference to a component that both sides have."""
        sides = (self.base, self.head)
        stated = [cause for cause in CAUSES[:-1] if sides[0].facts(name, cause) != sides[1].facts(name, cause)]
        return stated + ([] if self.same_prices else ["prices"])

    def before(self, name: str, causes: Sequence[Cause]) -> Mixture:
        """A component as the base has it; as one of its mixtures where its runs are drawn alike on both sides."""
        follows = any(side.runs(name) for side in (self.base, self.head) if name in side.components)
        return BASE if follows or not causes else mixture(causes, (0,) * len(causes))

    def mixed(self, name: str, mixture: Mixture) -> Mixed:
        """A component with each cause taken from one side, costed."""
        if (name, mixture) not in self._mixed:
            self._mixed[name, mixture] = _mix(name, self._taken(mixture), self._models(name))
        return self._mixed[name, mixture]

    def _taken(self, mixture: Mixture) -> dict[Cause, Side]:
        return {cause: (self.base, self.head)[of] for cause, of in zip(CAUSES, mixture, strict=True)}

    def _models(self, name: str) -> list[str]:
        """Every model that either side may use for it: so that runs are cut alike, and draws are shared."""
        sides = [side for side in (self.base, self.head) if name in side.components]
        used = [model for side in sides for model in side.plan.choice(side.components[name]).models]
        return list(dict.fromkeys(used))


@dataclass(frozen=True)
class Mixed:
    """A component of two sides, costed as its plan has it."""

    costed: Costed

    @property
    def usd(self) -> Fraction | None:
        """Expected cost over the horizon, exact; None where it has no price."""
        return self.costed.horizon_usd if self.costed.priced else None

    def drawn_usd(self, trials: int, seed: int, how: Paired | None) -> Floats:
        """The simulated cost over the horizon, (trials,): the same random numbers on every mixture of a component.

        `how` is that of both mixtures that are compared; None for a component of one side, drawn as in a run.
        """
        plain, days = self.costed.plain, self.costed.days
        with paired(how) if how else nullcontext():
            tokens = draw(plain.work, plain.profile, plain.brackets, days, trials, seed)
            usd = draw_usd(self.costed, tokens, np.empty((days, trials)), seed)
        return np.broadcast_to(usd.sum(axis=0), (trials,))

    @property
    def pooled(self) -> frozenset[str]:
        """The token classes of which the sum of a day's runs may be too far from a gamma distribution."""
        plain = self.costed.plain
        if not isinstance(plain.profile, Independent):
            return frozenset()
        fewest = min((count for count in plain.work.runs.expected if count), default=Fraction(0))
        of = plain.profile.parts.items()
        return frozenset(name for name, part in of if part.variance and not is_gamma(part, float(fewest / MARGIN)))

    @property
    def whole(self) -> bool:
        """Whether its runs can only be drawn whole: they lie in several price tiers, or their classes are related."""
        plain = self.costed.plain
        return isinstance(plain.profile, Joint) or len(plain.brackets) > 1


def drawn_alike(mixed: Sequence[Mixed]) -> Paired | None:
    """How to draw these, for their difference to be what differs; None for one alone."""
    if len(mixed) < 2:
        return None
    common = _common([one.costed.plain.work for one in mixed])
    return Paired(
        frozenset[str]().union(*(one.pooled for one in mixed)),
        any(one.whole for one in mixed),
        common if any(common) else (),
    )


def _common(works: Sequence[Work]) -> tuple[Fraction, ...]:
    """The runs of each day that all have; a Poisson number of runs that spawn others is drawn as it is."""
    poisson = all(work.runs.law == "poisson" and not work.component.spawns for work in works)
    if not poisson and not all(work.runs.certain for work in works):
        return ()
    return tuple(map(min, zip(*(work.runs.expected for work in works), strict=True)))


def _measured(component: Component) -> dict[str, Any]:
    """The log or book that tokens come from is its content, wherever it lies: a revision has a folder of its own."""
    found: dict[str, Any] = {}
    source, solved = component.tokens and component.tokens.from_usage, component.calibrate
    if source:
        unplaced = source.model_copy(update={"file": None, "store": None})
        found["tokens"] = (unplaced, _digest(source.file or source.store))
    if solved and solved.book not in ("list", *SHIPPED):
        found["calibrate"] = (solved.model_copy(update={"book": ""}), _digest(Path(solved.book)))
    return found


def _digest(file: Path | None) -> str:
    """The content's sha256; a file that is not there is an error elsewhere, once it is read."""
    if file is None or not file.is_file():
        return str(file)
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _mix(name: str, taken: Mapping[Cause, Side], models: list[str]) -> Mixed:
    priced, policies, scheduled = taken["prices"], taken["policies"], taken["schedule"]
    model = taken["model"].plan.models[name]
    stated = dict(_fields(name, taken))
    if stated["calibrate"]:
        solved = taken["tokens"].calibrated_on(name)
        stated["calibrate"] = stated["calibrate"].model_copy(update={"model": solved})
    component = taken["tokens"].components[name].model_copy(update={**stated, "model": model})
    architecture = priced.architecture.model_copy(
        update={
            "components": [component],
            "timezone": scheduled.architecture.timezone,
            "model_routing": dict(zip(map(str, range(len(models))), models, strict=True)),
            "plans": {},
        }
    )
    targets = {name: policies.plan.targets.get(name, ())}
    plan = Plan(policies.plan.name, "", {name: model}, policies.plan.policies, targets)
    costs = Costs(architecture, scheduled.horizon, priced.book_name, None, {priced.book_name: priced.book})
    costs.works = {name: _work(component, taken) or next(workload(architecture, scheduled.horizon, costs.book))}
    runs = scheduled.runs(name)
    if runs:
        costs.works[name] = replace(costs.works[name], runs=runs)
    return Mixed(costs.planned(name, plan))


def _work(component: Component, taken: Mapping[Cause, Side]) -> Work | None:
    """Its runs as one side has them, its tokens as the other; None where the tokens depend on more than themselves."""
    used, scheduled = taken["tokens"], taken["schedule"]
    if component.calibrate or (component.tokens and component.tokens.from_usage):
        return None
    if used.architecture.forecast or scheduled.architecture.forecast:
        return None
    return replace(used.work(component.name), component=component, runs=scheduled.work(component.name).runs)


def _fields(name: str, taken: Mapping[Cause, Side]) -> Iterator[tuple[str, Any]]:
    for cause, keys in FIELDS.items():
        for key in keys:
            yield key, getattr(taken[cause].components[name], key)
