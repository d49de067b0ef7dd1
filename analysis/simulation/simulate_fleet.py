"""A large fleet simulated family by family; see `fleets` for how its sums are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ..architecture.distributions import Floats
from ..results import ComponentCost
from .fleets import DRAWN, LANES, POOL, dominant, families, put_together, variance_and_kurtosis
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

    def join(self, other: _Family) -> None:
        for own, added in zip([*self.usd, *self.saved_usd], [*other.usd, *other.saved_usd], strict=True):
            np.add(own, added, out=own)

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
        wide = -(-len(listed) // LANES)
        lanes = [listed[first : first + wide] for first in range(0, len(listed), wide)]
        moments: dict[str, list[tuple[float, float]]] = {}
        with pool_size(POOL):
            for lane in lanes:
                joint = _Family.nothing(lane[0][0].name, len(self.plans), self.horizon.days, DRAWN)
                for members in lane:
                    family = self._drawn(members, DRAWN, sink)
                    moments[family.name] = family.moments
                    joint.join(family)
                    if progress:
                        progress(len(self.rows), len(self.architecture.components))
                self._put_together(joint, joint.name)
        chosen = set(dominant(moments))
        self._draw_in_full([(lane[0][0].name, own) for lane in lanes for own in lane if own[0].name in chosen])
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

    def _put_together(self, family: _Family, lane: str, sign: int = 1) -> None:
        for total, usd, saved in zip(self.sums, family.usd, family.saved_usd, strict=True):
            put_together(total.drawn_usd, usd, lane, self.settings.seed, sign)
            put_together(total.saved_usd, saved, lane, self.settings.seed, sign)

    def _draw_in_full(self, chosen: list[tuple[str, list[Component]]]) -> None:
        """Take these families, each of a lane, out of the sums, centre what stays, and add them as drawn in full."""
        with pool_size(POOL):
            for lane, members in chosen:
                self._put_together(self._drawn(members, DRAWN, None), lane, sign=-1)
        self._centre([component.name for _, members in chosen for component in members])
        for _, members in chosen:
            family = self._drawn(members, self.settings.trials, None)
            for total, usd, saved in zip(self.sums, family.usd, family.saved_usd, strict=True):
                total.drawn_usd += usd
                total.saved_usd += saved

    def _centre(self, without: list[str]) -> None:
        """The exact expectation, less that of these components, is the mean of what was drawn a few times."""
        for total in self.sums:
            costings = [self.costing_of(name, total.plan) for name in without]
            full = [costing.expected_usd for costing in costings if costing.priced]
            apart = [sum(day, Fraction(0)) for day in zip(*full, strict=True)] or [Fraction(0)] * self.horizon.days
            usd = np.array([float(a - b) for a, b in zip(total.expected_usd, apart, strict=True)])
            total.drawn_usd += (usd - total.drawn_usd.mean(axis=1))[:, None]
            saved = sum((total.saved_by_component.get(name, Fraction(0)) for name in without), Fraction(0))
            rest = sum(total.saved_by_component.values(), Fraction(0)) - saved
            total.saved_usd += float(rest) - total.saved_usd.mean()
