"""Each component on each model, in USD per month: what the what-if of a page adds up."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from ...money import to_usd
from ..move_results import WhatIf, WhatIfRow
from .moves import MONTH_DAYS
from .plans import Plan, named_models, routed_plan

if TYPE_CHECKING:
    from decimal import Decimal

    from ..architecture.component import Component
    from ..projection import Projection
    from .costs import Costs

NOTE = (
    "USD of 30 days at the mean of the projected days, with all policies. Each row moves by itself: escalations and "
    "large contexts stay as routed."
)
SHARED = (
    " A row has what it adds to a subscription's fee and overage while the other rows stay; rows that share an "
    "allowance add up only approximately when several move."
)


def what_if(costs: Costs, projection: Projection) -> WhatIf:
    """Every component as routed, and on each model that the routing or a component names."""
    plan, models = routed_plan(costs.architecture), named_models(costs.architecture)
    baseline = projection.plans[0]
    limits = {use.limit_usd: use.budget for use in projection.budgets if use.period == "month"}
    limit = min(limits, default=None)
    rows = [_row(costs, plan, component, models) for component in costs.architecture.components]
    in_rows = sum(
        (costs.added_usd_per_day(plan, [row.component]) for row in rows if row.now_usd is not None), Fraction(0)
    )
    return WhatIf(
        models=models,
        rows=rows,
        fixed_usd=to_usd((costs.flat_usd_per_day(plan) - in_rows) * MONTH_DAYS),
        baseline=baseline.name,
        baseline_usd=MONTH_DAYS * baseline.expected_usd_per_day,
        limit=limits[limit] if limit is not None else "",
        limit_usd=limit,
        routing=dict(costs.architecture.model_routing),
        note=NOTE + (SHARED if costs.book(costs.run_book).subscriptions else ""),
    )


def _row(costs: Costs, plan: Plan, component: Component, models: list[str]) -> WhatIfRow:
    return WhatIfRow(
        component=component.name,
        task=component.task,
        now=plan.models[component.name],
        now_usd=_usd(costs, plan, component.name),
        usd=[
            _usd(costs, replace(plan, models=plan.models | {component.name: model}), component.name)
            for model in models
        ],
        movable=not component.model,
    )  # fmt: skip


def _usd(costs: Costs, plan: Plan, name: str) -> Decimal | None:
    usd = costs.marginal_usd_per_day(plan, [name])
    return None if usd is None else to_usd(usd * MONTH_DAYS)
