"""From costings and draws to the typed result: expectations exact, ranges from the simulation.

Components are simulated one after the other and only their sums are kept, so memory is a few arrays of
(days, trials) per plan however many components there are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ... import __version__
from ...money import to_usd
from ...pricing.rows import ModelKey
from ..architecture.distributions import Floats
from ..results import (
    BookLayer,
    CallCost,
    ClaimResult,
    ComponentCost,
    ComponentSaving,
    DayCost,
    HorizonCost,
    PlanResult,
    PolicyNote,
    PriceBookRef,
    Projection,
    Saving,
    WaterfallStep,
)
from .monte_carlo import draw
from .plans import Plan
from .policies.calls import Costed
from .policies.draws import draw_usd
from .provenance import assumptions, unpriced, used_prices, warnings
from .subscriptions import flat_total, subscriptions_of
from .workload import Horizon

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture, Component
    from .settings import Progress, Settings

QUANTILES = (0.1, 0.5, 0.9)
BINS = 40

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

    `expected_usd` are exact costs by day, `drawn_usd` the simulated (days, trials). `saved_usd` is what the
    plan saves against the baseline over the horizon, (trials,), of the components that both can price;
    `compared_usd` is what those cost at the baseline.
    """

    plan: Plan
    expected_usd: list[Fraction]
    drawn_usd: Floats
    saved_usd: Floats
    components: list[ComponentCost] = field(default_factory=list)
    saved_by_component: dict[str, Fraction] = field(default_factory=dict)
    compared_usd: Fraction = Fraction(0)

    def add(self, expected_usd: Iterable[Fraction], drawn_usd: Floats) -> None:
        """Add one component's cost."""
        self.expected_usd = [total + part for total, part in zip(self.expected_usd, expected_usd, strict=True)]
        self.drawn_usd += drawn_usd

    def save(self, name: str, baseline_usd: Fraction, own_usd: Fraction, drawn_usd: Floats | float) -> None:
        """Add what one component saves over the horizon: exactly, and as drawn, (trials,) or one number."""
        saved = self.saved_by_component.get(name, Fraction(0))
        self.saved_by_component[name] = saved + baseline_usd - own_usd
        self.compared_usd += baseline_usd
        self.saved_usd += drawn_usd


@dataclass(frozen=True)
class PricedDraws:
    """One component as a plan has it: its draws priced, (days, trials), or (days, 1) where nothing varies."""

    costing: Costed
    drawn_usd: Floats

    @cached_property
    def horizon_usd(self) -> Floats:
        """The draws summed over the days."""
        total: Floats = self.drawn_usd.sum(axis=0)
        return total


def simulate_plans(
    architecture: Architecture,
    plans: list[Plan],
    costing_of: CostingOf,
    horizon: Horizon,
    settings: Settings,
    progress: Progress | None = None,
    sink: Callable[[list[ProjectionDay]], None] | None = None,
) -> list[PlanSum]:
    """Simulate every component once and price its draws for every plan."""
    shape = (horizon.days, settings.trials)
    sums = [PlanSum(p, [Fraction(0)] * horizon.days, np.zeros(shape), np.zeros(settings.trials)) for p in plans]
    rooms = [np.empty(shape) for _ in plans]
    for done, component in enumerate(architecture.components):
        costings = [costing_of(component.name, plan) for plan in plans]
        plain = costings[0].plain
        tokens = draw(plain.work, plain.profile, plain.brackets, horizon.days, settings.trials, settings.seed)
        distinct = {id(costing): costing for costing in costings}
        drawn = {
            known: PricedDraws(costing, draw_usd(costing, tokens, room, settings.seed))
            for (known, costing), room in zip(distinct.items(), rooms, strict=False)
        }
        priced = {plan.name: drawn[id(costing)] for plan, costing in zip(plans, costings, strict=True)}
        _add_component(sums, priced, component.name)
        if sink:
            sink([row for total in sums for row in _component_days(total.plan, priced, component.name, horizon)])
        rows = {known: _component(own.costing, own.drawn_usd) for known, own in drawn.items()}
        for total, costing in zip(sums, costings, strict=True):
            total.components.append(rows[id(costing)])
        if progress:
            progress(done + 1, len(architecture.components))
    return sums


def _add_component(sums: list[PlanSum], priced: dict[str, PricedDraws], name: str) -> None:
    baseline = priced[sums[0].plan.name]
    for total in sums:
        own = priced[total.plan.name]
        if own.costing.priced:
            total.add(own.costing.expected_usd, own.drawn_usd)
        if own.costing.priced and baseline.costing.priced:  # a saving compares like with like, or says nothing
            saved = baseline.horizon_usd - own.horizon_usd
            total.save(name, baseline.costing.horizon_usd, own.costing.horizon_usd, saved)


def _component(costing: Costed, drawn_usd: Floats) -> ComponentCost:
    """Its row of the result. The draws are sorted on the way, and of no use after it."""
    component, days = costing.work.component, len(costing.expected_usd)
    expected = to_usd(costing.horizon_usd / days) if costing.priced else None
    p10, p50, p90 = _quantiles(drawn_usd) if costing.priced else (None, None, None)
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
        shadow_usd_per_day=to_usd(sum(costing.expected_shadow_usd, Fraction(0)) / days),
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


def _component_days(plan: Plan, priced: dict[str, PricedDraws], name: str, horizon: Horizon) -> Iterator[ProjectionDay]:
    own = priced[plan.name]
    if own.costing.priced:
        runs, expected = own.costing.work.runs.expected, own.costing.expected_usd
        part, model = own.costing.work.component, own.costing.model
        for day, count, cost, ranges in zip(horizon.dates, runs, expected, _by_day(own.drawn_usd), strict=True):
            yield ProjectionDay(
                plan.name, day, name, part.agent, part.task, model, to_usd(count), to_usd(cost), *ranges
            )


def _money(amount: float) -> Decimal:
    """A simulated amount, to 8 significant digits: more than 10,000 trials can know."""
    return to_usd(Decimal(f"{amount:.8g}"))


def _quantiles(drawn_usd: Floats) -> tuple[Decimal, Decimal, Decimal]:
    """P10, P50 and P90 of all the draws together, linear between neighbours. Sorts the draws in place."""
    ordered = drawn_usd.reshape(-1)
    ordered.sort()  # a third of the time of np.quantile, which also copies
    places = [q * (len(ordered) - 1) for q in QUANTILES]
    p10, p50, p90 = (ordered[int(x)] + (x - int(x)) * (ordered[math.ceil(x)] - ordered[int(x)]) for x in places)
    return _money(p10), _money(p50), _money(p90)


def _by_day(drawn_usd: Floats) -> list[tuple[Decimal, Decimal, Decimal]]:
    """P10, P50 and P90 of each day."""
    ordered = np.sort(drawn_usd, axis=1)  # faster than np.quantile along rows, and the same to a draw
    places = [round(q * (ordered.shape[1] - 1)) for q in QUANTILES]
    return [(_money(row[0]), _money(row[1]), _money(row[2])) for row in ordered[:, places].tolist()]


def summarise(
    architecture: Architecture,
    plans: list[Plan],
    costing_of: CostingOf,
    book: PriceBook,
    horizon: Horizon,
    settings: Settings,
    claims: list[ClaimResult],
    waterfall: list[WaterfallStep],
    policy_notes: list[PolicyNote],
    progress: Progress | None = None,
    sink: Callable[[list[ProjectionDay]], None] | None = None,
) -> Projection:
    """The whole result: plans, their savings against the first, what is unpriced, the prices used."""
    sums = simulate_plans(architecture, plans, costing_of, horizon, settings, progress, sink)
    subscribed = _add_subscriptions(sums, architecture.components, book, horizon)
    if sink and subscribed:
        sink(subscribed)
    costings = {(plan.name, name): costing_of(name, plan) for plan in plans for name in plan.models}
    return Projection(
        name=architecture.name,
        start=horizon.start,
        days=horizon.days,
        timezone=horizon.timezone.key,
        trials=settings.trials,
        seed=settings.seed,
        plans=[_plan_result(total, horizon) for total in sums],
        savings=[_saving(total, sums[0], horizon) for total in sums[1:]],
        claims=claims,
        price_book=book_ref(book),
        prices=used_prices(costings.values()),
        unpriced=unpriced(plans, costings),
        assumptions=assumptions(architecture, costings.values(), book),
        warnings=warnings(architecture, book, costings.values()) + [note.says for note in policy_notes if note.warns],
        waterfall=waterfall,
        policy_notes=policy_notes,
        costsim_version=__version__,
    )


def _add_subscriptions(
    sums: list[PlanSum], components: list[Component], book: PriceBook, horizon: Horizon
) -> list[ProjectionDay]:
    """A subscription that a plan uses costs its flat price on every day it is valid, however much it is used."""
    flat = [subscriptions_of(total.plan.used_models(components), book, horizon) for total in sums]
    rows: list[ProjectionDay] = []
    for total, own in zip(sums, flat, strict=True):
        for name, (key, costs) in own.items():
            drawn = np.array([float(cost) for cost in costs])[:, None]
            total.add(costs, drawn)
            row = _flat_row(name, key, costs, drawn)
            total.components.append(row)
            rows += _flat_days(total.plan, row, costs, horizon)
        for name in dict.fromkeys([*flat[0], *own]):
            base, cost = flat_total(flat[0], name), flat_total(own, name)
            total.save(f"subscription {name}", base, cost, float(base - cost))
    return rows


def _flat_row(name: str, key: ModelKey, costs: list[Fraction], drawn: Floats) -> ComponentCost:
    p10, p50, p90 = _quantiles(drawn)
    return ComponentCost(
        name=f"subscription {name}",
        agent="",
        task="subscription",
        model=str(key),
        runs_per_day=Decimal(0),
        expected_usd_per_day=to_usd(sum(costs, Fraction(0)) / len(costs)),
        p10_usd_per_day=p10,
        p50_usd_per_day=p50,
        p90_usd_per_day=p90,
        calibrated=False,
        tokens="flat",
    )


def _flat_days(plan: Plan, row: ComponentCost, costs: list[Fraction], horizon: Horizon) -> Iterator[ProjectionDay]:
    for day, cost in zip(horizon.dates, costs, strict=True):
        paid = to_usd(cost)
        yield ProjectionDay(
            plan.name, day, row.name, row.agent, row.task, row.model, Decimal(0), paid, paid, paid, paid
        )


def _plan_result(total: PlanSum, horizon: Horizon) -> PlanResult:
    expected = sum(total.expected_usd, Fraction(0))
    sum10, sum50, sum90 = _quantiles(total.drawn_usd.sum(axis=0))
    days = zip(horizon.dates, total.expected_usd, _by_day(total.drawn_usd), strict=True)
    day10, day50, day90 = _quantiles(total.drawn_usd)
    return PlanResult(
        name=total.plan.name,
        says=total.plan.says,
        expected_usd_per_day=to_usd(expected / horizon.days),
        p10_usd_per_day=day10,
        p50_usd_per_day=day50,
        p90_usd_per_day=day90,
        horizon=HorizonCost(
            days=horizon.days, expected_usd=to_usd(expected), p10_usd=sum10, p50_usd=sum50, p90_usd=sum90
        ),
        components=total.components,
        days=[
            DayCost(day=day, expected_usd=to_usd(cost), p10_usd=low, p50_usd=middle, p90_usd=high)
            for day, cost, (low, middle, high) in days
        ],
    )


def _saving(total: PlanSum, baseline: PlanSum, horizon: Horizon) -> Saving:
    expected = sum(total.saved_by_component.values(), Fraction(0))
    base = total.compared_usd
    per_day = total.saved_usd / horizon.days
    histogram = _histogram(per_day)
    p10, p50, p90 = _quantiles(per_day)
    return Saving(
        plan=total.plan.name,
        baseline=baseline.plan.name,
        expected_usd_per_day=to_usd(expected / horizon.days),
        percent=to_usd(round(100 * expected / base, 6) if base else Fraction(0)),
        p10_usd_per_day=p10,
        p50_usd_per_day=p50,
        p90_usd_per_day=p90,
        components=[
            ComponentSaving(name=name, expected_usd_per_day=to_usd(part / horizon.days))
            for name, part in sorted(total.saved_by_component.items(), key=lambda item: -item[1])
        ],
        histogram=histogram,
    )


def _histogram(amounts: Floats) -> list[tuple[Decimal, Decimal, int]]:
    spread = amounts.max() - amounts.min()
    if spread <= 1e-9 * max(1.0, abs(float(amounts.max()))):  # nothing varies: one bar
        middle = _money(float(amounts.mean()))
        return [(middle, middle, len(amounts))]
    counts, edges = np.histogram(amounts, bins=BINS)
    bins = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return [(_money(low), _money(high), count) for low, high, count in bins]


def book_ref(book: PriceBook) -> PriceBookRef:
    """The stack's hash and layers, as every output shows them."""
    layers = [BookLayer(name=x.name, hash=x.hash, source=x.source, stale=x.stale) for x in book.layers]
    return PriceBookRef(hash=book.hash, layers=layers)
