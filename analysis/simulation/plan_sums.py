"""A component's draws, priced for every plan, and the sums of plans that they are added to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from ...money import to_usd
from ..architecture.distributions import Floats
from ..exact import Days, daily_total, total
from ..projection import (
    CallCost,
    ComponentCost,
)
from ..quantiles import row_quantiles, simulated_usd, sorted_quantiles
from .monte_carlo import draw
from .plans import Plan
from .policies.calls import Costed
from .policies.draws import draw_usd
from .session_facts import error_percent, session_facts
from .workload import Horizon

if TYPE_CHECKING:
    from ..architecture.component import Component


CostingOf = Callable[[str, Plan], Costed]


class ProjectionDay(NamedTuple):
    """A row of the `projection` table: one component of one plan on one day. Quantiles are USD of that day."""

    plan: str
    day: date
    component: str
    agent: str
    task: str
    model: str
    runs: Decimal
    expected_usd: Decimal
    p10_usd: Decimal
    p50_usd: Decimal
    p90_usd: Decimal


@dataclass
class PlanSum:
    """One plan while it is added up.

    `drawn_usd` are the simulated costs, (days, trials). `saved_usd` is what the plan saves against the baseline
    over the horizon, (trials,), of the components that both can price.
    """

    plan: Plan
    drawn_usd: Floats
    saved_usd: Floats
    components: list[ComponentCost] = field(default_factory=list)
    saved_by_component: dict[str, Fraction] = field(default_factory=dict)
    _expected: list[Days] = field(default_factory=list)
    _compared: list[Fraction] = field(default_factory=list)

    @property
    def expected_usd(self) -> Days:
        """Exact cost by day."""
        return daily_total(self._expected, len(self.drawn_usd))

    @property
    def compared_usd(self) -> Fraction:
        """What the components that both plans can price cost at the baseline, exact."""
        return total(self._compared)

    def add(self, expected_usd: Sequence[Fraction], drawn_usd: Floats) -> None:
        """Add one component's cost."""
        self._expected.append(tuple(expected_usd))
        self.drawn_usd += drawn_usd

    def save(self, name: str, baseline_usd: Fraction, own_usd: Fraction, drawn_usd: Floats | float) -> None:
        """Add what one component saves over the horizon: exactly, and as drawn, (trials,) or one number."""
        self._save_expected(name, baseline_usd, own_usd)
        self.saved_usd += drawn_usd

    def add_exact(self, name: str, baseline: Costed, own: Costed) -> None:
        """Add one component's cost and what it saves, without draws."""
        if own.priced:
            self._expected.append(own.expected_usd)
        if own.priced and baseline.priced:
            self._save_expected(name, baseline.horizon_usd, own.horizon_usd)

    def _save_expected(self, name: str, baseline_usd: Fraction, own_usd: Fraction) -> None:
        before = self.saved_by_component.get(name, Fraction(0))
        self.saved_by_component[name] = before + baseline_usd - own_usd
        self._compared.append(baseline_usd)


@dataclass(frozen=True)
class PricedDraws:
    """One component as a plan has it: its draws priced, (days, trials), or (days, 1) where nothing varies."""

    costing: Costed
    drawn_usd: Floats

    @cached_property
    def horizon_usd(self) -> Floats:
        """The draws summed over the days."""
        summed: Floats = self.drawn_usd.sum(axis=0)
        return summed


def priced_draws(
    component: Component, plans: list[Plan], costing_of: CostingOf, days: int, seed: int, rooms: list[Floats]
) -> list[PricedDraws]:
    """A component's draws, once, priced for every plan; plans that cost it alike share theirs.

    `rooms` are where the prices go, one (days, trials) a plan.
    """
    costings = [costing_of(component.name, plan) for plan in plans]
    plain = costings[0].plain
    tokens = draw(plain.work, plain.profile, plain.brackets, days, rooms[0].shape[1], seed)
    distinct = {id(costing): costing for costing in costings}
    drawn = {
        known: PricedDraws(costing, draw_usd(costing, tokens, room, seed))
        for (known, costing), room in zip(distinct.items(), rooms, strict=False)
    }
    return [drawn[id(costing)] for costing in costings]


def component_rows(priced: list[PricedDraws]) -> list[ComponentCost]:
    """Its row of the result for every plan. The draws are sorted on the way, and of no use after it."""
    rows = {id(own): _component(own.costing, own.drawn_usd) for own in {id(own): own for own in priced}.values()}
    return [rows[id(own)] for own in priced]


def _component(costing: Costed, drawn_usd: Floats) -> ComponentCost:
    component, days = costing.work.component, len(costing.expected_usd)
    expected = to_usd(costing.horizon_usd / days) if costing.priced else None
    p10, p50, p90 = sorted_quantiles(drawn_usd, simulated_usd) if costing.priced else (None, None, None)
    return ComponentCost(
        name=component.name,
        agent=component.agent,
        task=component.task,
        model=costing.model,
        runs_per_day=to_usd(costing.work.runs.per_day),
        expected_usd_per_day=expected,
        p10_usd_per_day=p10,
        p50_usd_per_day=p50,
        p90_usd_per_day=p90,
        calibrated=costing.profile.origin == "calibrated",
        tokens=costing.profile.origin,
        shadow_usd_per_day=to_usd(total(costing.expected_shadow_usd) / days),
        expected_error_percent=error_percent(costing),
        session=session_facts(costing),
        calls=_calls(costing, days),
    )


def _calls(costing: Costed, days: int) -> list[CallCost]:
    """Which models a component under policies calls, and what for; nothing for one without."""
    if not costing.has_policies:
        return []
    return [
        CallCost(
            kind=call.kind,
            model=call.model,
            calls_per_day=to_usd(call.expected_calls / days),
            expected_usd_per_day=to_usd(call.expected_usd / days) if costing.priced else None,
        )
        for call in costing.calls
    ]


def component_days(plan: Plan, own: PricedDraws, horizon: Horizon) -> Iterator[ProjectionDay]:
    """The rows of a component under a plan; none where it has no price."""
    if own.costing.priced:
        runs, expected = own.costing.work.runs.expected, own.costing.expected_usd
        part, model = own.costing.work.component, own.costing.model
        ranges = row_quantiles(own.drawn_usd, simulated_usd)
        for day, count, cost, spread in zip(horizon.dates, runs, expected, ranges, strict=True):
            yield ProjectionDay(
                plan.name, day, part.name, part.agent, part.task, model, to_usd(count), to_usd(cost), *spread
            )
