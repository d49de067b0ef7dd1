"""A large fleet simulated family by family; see `fleets` for how its sums are put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..architecture.distributions import Floats
from ..exact import daily_total
from ..exact import total as exact_total
from ..projection import ComponentCost
from .fleets import LANES, POOL, dominant, draws_of, families, put_together, variance_and_kurtosis
from .plan_sums import CostingOf, PlanSum, PricedDraws, ProjectionDay, component_days, component_rows, priced_draws
from .streams import pool_size
from .workload import Horizon

if TYPE_CHECKING:
    from ..architecture.component import Component
    from ..architecture.model import Architecture
    from .plans import Plan
    from .settings import Progress, Settings

Sink = Callable[[list[ProjectionDay]], None]


@dataclass
class _Family:
    """A family's drawn sums of each plan: USD, (plans, days, draws), and what it saves in all, (plans, draws)."""

    name: str
    usd: Floats
    saved_usd: Floats

    @classmethod
    def nothing(cls, name: str, plans: int, days: int, draws: int) -> _Family:
        return cls(name, np.zeros((plans, days, draws)), np.zeros((plans, draws)))

    def add(self, priced: list[PricedDraws]) -> None:
        for n, own in enumerate(priced):
            if own.costing.priced:
                self.usd[n] += own.drawn_usd
            if n and own.costing.priced and priced[0].costing.priced:
                self.saved_usd[n] += priced[0].horizon_usd - own.horizon_usd

    def join(self, other: _Family) -> None:
        self.usd += other.usd
        self.saved_usd += other.saved_usd

    @property
    def moments(self) -> Floats:
        """Of every sum that it is part of: a plan's days, its horizon, its saving; see `variance_and_kurtosis`."""
        whole = np.concatenate([self.usd.sum(axis=1), self.saved_usd[1:]])
        return np.concatenate([variance_and_kurtosis(self.usd), variance_and_kurtosis(whole)])


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
        lanes = self._lanes()
        moments: dict[str, Floats] = {}
        with pool_size(POOL):
            for draws, lane in lanes:
                joint = _Family.nothing(lane[0][0].name, len(self.plans), self.horizon.days, draws)
                for members in lane:
                    family = self._drawn(members, draws, sink)
                    moments[family.name] = family.moments
                    joint.join(family)
                    if progress:
                        progress(len(self.rows), len(self.architecture.components))
                self._put_together(joint, joint.name)
        chosen = set(dominant(moments, {own[0].name: draws for draws, lane in lanes for own in lane}))
        self._draw_in_full(
            [(draws, lane[0][0].name, own) for draws, lane in lanes for own in lane if own[0].name in chosen]
        )
        for n, total in enumerate(self.sums):
            total.components += [self.rows[component.name][n] for component in self.architecture.components]
        return self.sums

    def _lanes(self) -> list[tuple[int, list[list[Component]]]]:
        """The families that take their draws from the same places, and how many each has."""
        by_draws: dict[int, list[list[Component]]] = {}
        for family in families(self.architecture.components):
            by_draws.setdefault(draws_of(family, self.horizon.days), []).append(family)
        return [
            (draws, listed[first : first + wide])
            for draws, listed in by_draws.items()
            for wide in [-(-len(listed) // LANES)]
            for first in range(0, len(listed), wide)
        ]

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

    def _draw_in_full(self, chosen: list[tuple[int, str, list[Component]]]) -> None:
        """Take these families, each of a lane, out of the sums, centre what stays, and add them as drawn in full."""
        with pool_size(POOL):
            for draws, lane, members in chosen:
                self._put_together(self._drawn(members, draws, None), lane, sign=-1)
        self._centre([component.name for _, _, members in chosen for component in members])
        for _, _, members in chosen:
            family = self._drawn(members, self.settings.trials, None)
            for total, usd, saved in zip(self.sums, family.usd, family.saved_usd, strict=True):
                total.drawn_usd += usd
                total.saved_usd += saved

    def _centre(self, without: list[str]) -> None:
        """The exact expectation, less that of these components, is the mean of what was drawn a few times."""
        for total in self.sums:
            costings = [self.costing_of(name, total.plan) for name in without]
            apart = daily_total([costing.expected_usd for costing in costings if costing.priced], self.horizon.days)
            usd = np.array([float(a - b) for a, b in zip(total.expected_usd, apart, strict=True)])
            total.drawn_usd += (usd - total.drawn_usd.mean(axis=1))[:, None]
            left = set(total.saved_by_component).difference(without)
            rest = exact_total(total.saved_by_component[name] for name in left)
            total.saved_usd += float(rest) - total.saved_usd.mean()
