"""From costings and draws to the typed result: expectations exact, ranges from the simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from ...money import to_usd
from ...version import __version__
from .. import exact
from ..architecture.distributions import Floats
from ..projection import (
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
from ..quantiles import row_quantiles, simulated_usd, sorted_quantiles
from .class_costs import class_costs
from .fits import large_requests, outgrown
from .mixes import subscription_mixes
from .plan_sums import CostingOf, PlanSum, ProjectionDay
from .plans import Plan, named_models
from .provenance import assumptions, unpriced, used_prices, warnings
from .simulate import simulate_plans
from .spawn_tree import SpawnCosts
from .subscriptions import SubscriptionCost, beyond_unknown, terms, used_subscriptions
from .workload import Horizon

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture
    from .costs import Costs
    from .settings import Progress, Settings

BINS = 40


def summarise(
    costs: Costs,
    plans: list[Plan],
    settings: Settings,
    claims: list[ClaimResult],
    waterfall: list[WaterfallStep],
    policy_notes: list[PolicyNote],
    progress: Progress | None = None,
    sink: Callable[[list[ProjectionDay]], None] | None = None,
) -> Projection:
    """The whole result: plans, their savings against the first, what is unpriced, the prices used."""
    architecture, horizon, book = costs.architecture, costs.horizon, costs.book(costs.run_book)
    sums = simulate_plans(architecture, plans, costs.planned, horizon, settings, progress, sink)
    routed = next(total for total in sums if total.plan.name == "routed")
    mixes = subscription_mixes(costs, routed, settings)
    subscribed = _add_subscriptions(sums, costs, settings)
    if sink and subscribed:
        sink(subscribed)
    costings = {(plan.name, name): costs.planned(name, plan) for plan in plans for name in plan.models}
    results = [
        _with_trees(_plan_result(total, horizon, costs.planned), total.plan, costs.planned, architecture)
        for total in sums
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
        assumptions=assumptions(architecture, costings.values(), book, exactness(results), settings.trials)
        + terms(used_subscriptions({call.model for own in costings.values() for call in own.calls}, book, horizon)),
        warnings=warnings(architecture, book, costings.values())
        + large_requests((costings[plans[1].name, name] for name in plans[1].models), book, horizon)
        + [note.message for note in policy_notes if note.warns]
        + beyond_unknown(costings.values(), book, horizon),
        waterfall=waterfall,
        policy_notes=policy_notes,
        outgrown=outgrown(plans, costings, book, named_models(architecture)),
        mixes=mixes,
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


def _add_subscriptions(sums: list[PlanSum], costs: Costs, settings: Settings) -> list[ProjectionDay]:
    """A subscription that a plan uses costs its fee however much it is used, and what is beyond its allowance."""
    of_plans = [
        {cost.name: cost for cost in costs.subscriptions(total.plan, settings.trials, settings.seed)} for total in sums
    ]
    rows: list[ProjectionDay] = []
    for total, own in zip(sums, of_plans, strict=True):
        for cost in own.values():
            total.add(cost.expected_usd, cost.drawn_usd)
            total.components.append(_subscription_row(cost))
            rows += _subscription_days(total.plan, cost, costs.horizon)
        for name in dict.fromkeys([*of_plans[0], *own]):
            base, paid = of_plans[0].get(name), own.get(name)
            total.save(f"subscription {name}", _total(base), _total(paid), _drawn_total(base) - _drawn_total(paid))
    return rows


def _total(cost: SubscriptionCost | None) -> Fraction:
    return cost.total_usd if cost else Fraction(0)


def _drawn_total(cost: SubscriptionCost | None) -> Floats:
    drawn: Floats = cost.drawn_usd.sum(axis=0) if cost else np.zeros(1)
    return drawn


def _subscription_row(cost: SubscriptionCost) -> ComponentCost:
    p10, p50, p90 = sorted_quantiles(cost.drawn_usd, simulated_usd)
    days = len(cost.fee_usd)
    return ComponentCost(
        name=f"subscription {cost.name}",
        agent="",
        task="subscription",
        model=str(cost.key),
        runs_per_day=Decimal(0),
        expected_usd_per_day=to_usd(cost.total_usd / days),
        p10_usd_per_day=p10,
        p50_usd_per_day=p50,
        p90_usd_per_day=p90,
        calibrated=False,
        tokens="flat",
        overage_usd_per_day=to_usd(sum(cost.beyond_usd, Fraction(0)) / days),
        expected_error_percent=cost.error_percent,
    )


def _subscription_days(plan: Plan, cost: SubscriptionCost, horizon: Horizon) -> Iterator[ProjectionDay]:
    ranges = row_quantiles(cost.drawn_usd, simulated_usd)
    for day, usd, spread in zip(horizon.dates, cost.expected_usd, ranges, strict=True):
        yield ProjectionDay(
            plan.name, day, f"subscription {cost.name}", "", "subscription", str(cost.key), Decimal(0), to_usd(usd),
            *spread,
        )  # fmt: skip


def _plan_result(total: PlanSum, horizon: Horizon, costing_of: CostingOf) -> PlanResult:
    by_day = total.expected_usd
    expected = exact.total(by_day)
    sum10, sum50, sum90 = sorted_quantiles(total.drawn_usd.sum(axis=0), simulated_usd)
    days = zip(horizon.dates, by_day, row_quantiles(total.drawn_usd, simulated_usd), strict=True)
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
        weekday_usd_per_day=_mean_usd(by_day, horizon, weekend=False),
        weekend_usd_per_day=_mean_usd(by_day, horizon, weekend=True),
        classes=class_costs((costing_of(name, total.plan) for name in total.plan.models), expected, horizon.days),
        days=[
            DayCost(day=day, expected_usd=to_usd(cost), p10_usd=low, p50_usd=middle, p90_usd=high)
            for day, cost, (low, middle, high) in days
        ],
    )


def _mean_usd(by_day: exact.Days, horizon: Horizon, *, weekend: bool) -> Decimal | None:
    """The expected cost per day of weekdays or weekends; None where the horizon has none."""
    kept = [usd for day, usd in zip(horizon.dates, by_day, strict=True) if (day.weekday() >= 5) == weekend]
    return to_usd(exact.total(kept) / len(kept)) if kept else None


def _saving(total: PlanSum, baseline: PlanSum, horizon: Horizon) -> Saving:
    expected = exact.total(total.saved_by_component.values())
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
