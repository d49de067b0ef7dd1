"""Which plan a projection recommends: the cheapest one that meets the architecture's budgets of the whole."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ...money import strip, to_usd
from ..projection import PlanBudget, PlanResult, Projection

if TYPE_CHECKING:
    from ..architecture.budgets import Budget

MONTH_DAYS = 30
ABOUT_A_MONTH = range(28, 32)
"""Projections of so many days have the quantiles of a month."""


def with_recommended(projection: Projection, budgets: Iterable[Budget]) -> Projection:
    """The projection with each plan compared with the budgets of the whole, and the plan that it recommends."""
    stated = [budget for budget in budgets if _of_the_whole(budget, projection.start)]
    judged = [_judged(plan, budget, projection.days) for plan in projection.plans for budget in stated]
    return projection.model_copy(update={"budgets": judged, "recommended": _recommended(projection, judged)})


def _of_the_whole(budget: Budget, start: date) -> bool:
    limits = budget.scope == "total" and budget.usd is not None and budget.period in ("day", "month")
    return limits and budget.enforced(start)


def _judged(plan: PlanResult, budget: Budget, days: int) -> PlanBudget:
    """A month's quantile is known where the projection is about a month long; else the mean is compared."""
    by_day = budget.period == "day"
    sums = plan if by_day else plan.horizon if days in ABOUT_A_MONTH else None
    at = budget.at if sums and budget.at in ("p50", "p90") else "mean"
    if at == "mean" or sums is None:
        figure = plan.expected_usd_per_day * (1 if by_day else MONTH_DAYS)
    else:
        figure = getattr(sums, f"{at}_usd_per_day" if by_day else f"{at}_usd")
    limit = to_usd(budget.usd or 0)
    return PlanBudget(
        plan=plan.name, budget=budget.name, period="day" if by_day else "month", at=at, limit_usd=limit,
        usd=strip(figure), within=figure <= limit,
    )  # fmt: skip


def _recommended(projection: Projection, judged: Iterable[PlanBudget]) -> str:
    """Plans with something unpriced are left out where others are whole; where none meets the budgets, the cheapest."""
    partly = {gap.plan for gap in projection.unpriced}
    exceeding = {use.plan for use in judged if not use.within}
    whole = [plan for plan in projection.plans if plan.name not in partly] or projection.plans
    meeting = [plan for plan in whole if plan.name not in exceeding] or whole

    def rank(plan: PlanResult) -> tuple[Decimal, bool]:
        return plan.expected_usd_per_day, plan.name != "routed"

    return min(meeting, key=rank).name
