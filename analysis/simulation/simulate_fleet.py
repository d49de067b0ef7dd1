"""A large fleet simulated family by family; see `fleets` for how its sums are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..architecture.distributions import Floats
from ..results import ComponentCost
from .fleets import DRAWN, POOL, dominant, families, put_together, variance_and_kurtosis
from .monte_carlo import pool_size
from .plan_sums import CostingOf, PlanSum, PricedDraws, ProjectionDay, component_days, component_rows, priced_draws
from .workload import Horizon

if TYPE_CHECKING:
    from ..architecture.component import Component
    from ..architecture.model import Architecture
    from .plans import Plan
    from .settings import Progress, Settings

Sink = Callable[[list[ProjectionDay]], None]


@dataclass
class _Family:
    """A family's drawn sums: by plan, USD (days, draws), and what the plan saves over the horizon, (draws,)."""

    name: str
    usd: list[Floats]
    saved_usd: list[Floats]

    @classmethod
    def nothing(cls, name: str, plans: int, days: int, draws: int) -> _Family:
        return cls(name, [np.zeros((days, draws)) for _ in range(plans)], [np.zeros(draws) for _ in range(plans)])

    def add(self, priced: list[PricedDraws]) -> None:
        for n, own in enumerate(priced):
            if own.costing.priced:
                self.usd[n] += own.drawn_usd
            if own.costing.priced and priced[0].costing.priced:
                self.saved_usd[n] += priced[0].horizon_usd - own.horizon_usd

    @property
    def moments(self) -> list[tuple[float, float]]:
        """Of every sum that it is part of: a plan's days, its horizon, its saving."""
        parts = [*self.usd, *(usd.sum(axis=0) for usd in self.usd), *self.saved_usd[1:]]
        return [variance_and_kurtosis(part) for part in parts]


@dataclass
class FleetSimulation:
    """One simulation of a large fleet: `sums` are the plans', as `simulate_plans` gives them."""

    architecture: Architecture
    plans: list[Plan]
    costing_of: CostingOf
    horizon: Horizon
    settings: Settings
    sums: list[PlanSum]
    rows: dict[str, list[ComponentCost]] = field(default_factory=dict)

    def run(self, progress: Progress | None, sink: Sink | None) -> list[PlanSum]:
        """Draw all families a few times, then those that decide a sum in full."""
        listed = families(self.architecture.components)
        moments: dict[str, list[tuple[float, float]]] = {}
        done = 0
        with pool_size(POOL):
            for members in listed:
                family = self._drawn(members, DRAWN, sink)
                moments[family.name] = family.moments
                self._put_together(family)
                done += len(members)
                if progress:
                    progress(done, len(self.architecture.components))
        chosen = set(dominant(moments))
        self._draw_in_full([members for members in listed if members[0].name in chosen])
        for n, total in enumerate(self.sums):
            total.components += [self.rows[component.name][n] for component in self.architecture.components]
        return self.sums

    def _drawn(self, members: list[Component], draws: int, sink: Sink | None) -> _Family:
        """A family's sums; on the way the rows of its components and, the first time, their exact costs."""
        family = _Family.nothing(members[0].name, len(self.plans), self.horizon.days, draws)
        rooms = [np.empty((self.horizon.days, draws)) for _ in self.plans]
        for component in members:
            priced = priced_draws(component, self.plans, self.costing_of, self.horizon.days, self.settings.seed, rooms)
            family.add(priced)
            if component.name not in self.rows:
                for total, own in zip(self.sums, priced, strict=True):
                    total.add_exact(component.name, priced[0].costing, own.costing)
            if sink:
                sink([row for plan, own in zip(self.plans, priced, strict=True)
                      for row in component_days(plan, own, self.horizon)])  # fmt: skip
            self.rows[component.name] = component_rows(priced)
        return family

    def _put_together(self, family: _Family, sign: int = 1) -> None:
        for total, usd, saved in zip(self.sums, family.usd, family.saved_usd, strict=True):
            put_together(total.drawn_usd, usd, family.name, self.settings.seed, sign)
            put_together(total.saved_usd, saved, family.name, self.settings.seed, sign)

    def _draw_in_full(self, chosen: list[list[Component]]) -> None:
        """Take these families out of the sums, bring what stays to its exact mean, and add them as drawn in full."""
        with pool_size(POOL):
            for members in chosen:
                self._put_together(self._drawn(members, DRAWN, None), sign=-1)
        self._centre({component.name for members in chosen for component in members})
        for members in chosen:
            family = self._drawn(members, self.settings.trials, None)
            for total, usd, saved in zip(self.sums, family.usd, family.saved_usd, strict=True):
                total.drawn_usd += usd
                total.saved_usd += saved

    def _centre(self, without: set[str]) -> None:
        """The exact expectation is the mean of what was drawn a few times."""
        names = [name for name in self.rows if name not in without]
        for total in self.sums:
            costings = [self.costing_of(name, total.plan) for name in names]
            exact = [costing.expected_usd for costing in costings if costing.priced]
            usd = np.array([float(sum(day, Fraction(0))) for day in zip(*exact, strict=True)] or [0.0])
            total.drawn_usd += (usd - total.drawn_usd.mean(axis=1))[:, None]
            saved = sum((total.saved_by_component.get(name, Fraction(0)) for name in names), Fraction(0))
            total.saved_usd += float(saved) - total.saved_usd.mean()
