"""From costings and draws to the typed result: expectations exact, ranges from the simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ... import __version__
from ...money import to_usd
from ...pricing.rows import ModelKey
from ..architecture.distributions import Floats
from ..quantiles import row_quantiles, simulated_usd, sorted_quantiles
from ..results import (
    BookLayer,
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
    exactness,
)
from .class_costs import class_costs
from .fits import large_requests, outgrown
from .plan_sums import CostingOf, PlanSum, ProjectionDay
from .plans import Plan, named_models
from .provenance import assumptions, unpriced, used_prices, warnings
from .simulate import simulate_plans
from .spawn_tree import SpawnCosts
from .subscriptions import flat_total, limited_subscriptions, subscriptions_of
from .workload import Horizon

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture, Component
    from .settings import Progress, Settings

BINS = 40


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
    results = [
        _with_trees(_plan_result(total, horizon, costing_of), total.plan, costing_of, architecture) for total in sums
    ]
    return Projection(
        name=architecture.name,
        start=horizon.start,
        days=horizon.days,
        timezone=horizon.timezone.key,
        trials=settings.trials,
        seed=settings.seed,
        plans=results,
        savings=[_saving(total, sums[0], horizon) for total in sums[1:]],
        claims=claims,
        price_book=book_ref(book),
        prices=used_prices(costings.values()),
        unpriced=unpriced(plans, costings),
        assumptions=assumptions(architecture, costings.values(), book, exactness(results), settings.trials),
        warnings=warnings(architecture, book, costings.values())
        + large_requests((costings[plans[1].name, name] for name in plans[1].models), book, horizon)
        + [note.message for note in policy_notes if note.warns]
        + limited_subscriptions(named_models(architecture), book, horizon),
        waterfall=waterfall,
        policy_notes=policy_notes,
        outgrown=outgrown(plans, costings, book, named_models(architecture)),
        costsim_version=__version__,
    )


def _with_trees(result: PlanResult, plan: Plan, costing_of: CostingOf, architecture: Architecture) -> PlanResult:
    """The plan with what its components cost with all that they spawn."""
    if not any(component.spawns for component in architecture.components):
        return result
    costs = SpawnCosts(lambda name: costing_of(name, plan), result.horizon.days)
    known = {component.name for component in architecture.components}
    rows = []
    for row in result.components:
        usd = costs.with_spawned_usd_per_day(row.name) if row.name in known else None
        rows.append(row if usd is None else row.model_copy(update={"with_spawned_usd_per_day": to_usd(usd)}))
    return result.model_copy(update={"components": rows, "spawn_trees": costs.trees(list(plan.models))})


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
    p10, p50, p90 = sorted_quantiles(drawn, simulated_usd)
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


def _plan_result(total: PlanSum, horizon: Horizon, costing_of: CostingOf) -> PlanResult:
    expected = sum(total.expected_usd, Fraction(0))
    sum10, sum50, sum90 = sorted_quantiles(total.drawn_usd.sum(axis=0), simulated_usd)
    days = zip(horizon.dates, total.expected_usd, row_quantiles(total.drawn_usd, simulated_usd), strict=True)
    day10, day50, day90 = sorted_quantiles(total.drawn_usd, simulated_usd)
    return PlanResult(
        name=total.plan.name,
        message=total.plan.message,
        expected_usd_per_day=to_usd(expected / horizon.days),
        p10_usd_per_day=day10,
        p50_usd_per_day=day50,
        p90_usd_per_day=day90,
        horizon=HorizonCost(
            days=horizon.days, expected_usd=to_usd(expected), p10_usd=sum10, p50_usd=sum50, p90_usd=sum90
        ),
        components=total.components,
        weekday_usd_per_day=_mean_usd(total, horizon, weekend=False),
        weekend_usd_per_day=_mean_usd(total, horizon, weekend=True),
        classes=class_costs((costing_of(name, total.plan) for name in total.plan.models), expected, horizon.days),
        days=[
            DayCost(day=day, expected_usd=to_usd(cost), p10_usd=low, p50_usd=middle, p90_usd=high)
            for day, cost, (low, middle, high) in days
        ],
    )


def _mean_usd(total: PlanSum, horizon: Horizon, *, weekend: bool) -> Decimal | None:
    """The expected cost per day of weekdays or weekends; None where the horizon has none."""
    kept = [usd for day, usd in zip(horizon.dates, total.expected_usd, strict=True) if (day.weekday() >= 5) == weekend]
    return to_usd(sum(kept, Fraction(0)) / len(kept)) if kept else None


def _saving(total: PlanSum, baseline: PlanSum, horizon: Horizon) -> Saving:
    expected = sum(total.saved_by_component.values(), Fraction(0))
    base = total.compared_usd
    per_day = total.saved_usd / horizon.days
    histogram = _histogram(per_day)
    p10, p50, p90 = sorted_quantiles(per_day, simulated_usd)
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
        middle = simulated_usd(float(amounts.mean()))
        return [(middle, middle, len(amounts))]
    counts, edges = np.histogram(amounts, bins=BINS)
    bins = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return [(simulated_usd(low), simulated_usd(high), count) for low, high, count in bins]


def book_ref(book: PriceBook) -> PriceBookRef:
    """The stack's hash and layers, as every output shows them."""
    layers = [BookLayer(name=x.name, hash=x.hash, source=x.source, stale=x.stale) for x in book.layers]
    return PriceBookRef(hash=book.hash, layers=layers)
