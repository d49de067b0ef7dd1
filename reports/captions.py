"""What each chart shows, in a sentence: read from the result by selection, nothing is computed anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..analysis.grouping import summed
from ..money import format_cents, format_range, format_usd
from ..plurals import counted
from .colours_by_name import agent_of, model_label
from .numbers import percent

if TYPE_CHECKING:
    from decimal import Decimal

    from ..analysis.projection import ComponentCost, PlanBudget, PlanResult, Projection, Saving


def shown_plan(projection: Projection) -> PlanResult:
    """The plan that headlines speak of: the recommended one, else `routed`, or else the last one."""
    named = projection.recommended or "routed"
    return next((plan for plan in projection.plans if plan.name == named), projection.plans[-1])


def shown_saving(projection: Projection) -> Saving | None:
    """What that plan saves; None where it is the baseline."""
    plan = shown_plan(projection)
    return next((saving for saving in projection.savings if saving.plan == plan.name), None)


def broken_budget(projection: Projection) -> PlanBudget | None:
    """The first budget that that plan breaks."""
    plan = shown_plan(projection)
    return next((use for use in projection.budgets if use.plan == plan.name and not use.within), None)


def of_headline(projection: Projection) -> str:
    """The recommended plan per month and per day, against the baseline and the budgets."""
    plan, baseline = shown_plan(projection), projection.plans[0]
    amounts = (30 * plan.expected_usd_per_day, plan.expected_usd_per_day, 30 * baseline.expected_usd_per_day)
    month, day, other = map(format_cents, amounts)  # a difference is the message: to the cent
    costs = f"{plan.name} costs {month} per month ({day} per day)"
    saving = shown_saving(projection)
    if saving is None:
        return f"{costs}: no plan costs less. {_within(projection)}".strip()
    at = f" at {other} per month" if saving.expected_usd_per_day else ""
    return f"{costs}, {beside(saving)}{at}. {_within(projection)}".strip()


def sureness(projection: Projection) -> str:
    """How far the shown plan's cost can be trusted, in a sentence: its range, and what that leaves out."""
    horizon = shown_plan(projection).horizon
    low, high = horizon.p10_usd, horizon.p90_usd
    range_of = "nothing in it is left to chance" if low == high else f"{projection.days} days cost {mostly(low, high)}"
    missing = len({gap.model for gap in projection.unpriced})
    chance, _, _ = projection.range_note.partition(";")
    unpriced = f"{counted(missing, 'model')} without a price: what runs there is in no total" if missing else ""
    lacks = [f"; {lack}" for lack in (chance, unpriced) if lack]
    return f"How sure: {range_of}{''.join(lacks)}."


def beside(saving: Saving) -> str:
    """What a plan costs beside the baseline: `12.5% less than naive`, `as much as naive`."""
    if not saving.expected_usd_per_day:
        return f"as much as {saving.baseline}"
    verb = "less" if saving.expected_usd_per_day > 0 else "more"
    return f"{percent(abs(saving.percent))} {verb} than {saving.baseline}"


def _within(projection: Projection) -> str:
    """Whether the shown plan meets the budgets; nothing where there are none."""
    own = [use for use in projection.budgets if use.plan == shown_plan(projection).name]
    broken = broken_budget(projection)
    if broken:
        usd, limit = format_cents(broken.usd), format_cents(broken.limit_usd)
        of = "on average" if broken.at == "mean" else f"at {broken.at.upper()}"
        return (
            f"No plan meets the budget {broken.budget}: a {broken.period} costs {usd} {of}, over the limit of {limit}."
        )
    names = " and ".join(f"{use.budget} ({format_cents(use.limit_usd)} per {use.period})" for use in own)
    return f"It is the cheapest plan that meets the budget {names}." if own else ""


def of_ranges(projection: Projection) -> str:
    """What the dots and lines are, and whether the plans' ranges are apart."""
    return (
        f"Dot: expected USD of {projection.days} days; line: P10 to P90, in which eight outcomes of ten lie. "
        f"What each saves against {projection.plans[0].name} stands in the table."
    )


def of_components(projection: Projection) -> str:
    """Which component is the most expensive."""
    return _most_expensive(shown_plan(projection), lambda row: row.name)


def of_models(projection: Projection) -> str:
    """Which model is the most expensive."""
    label = model_label(projection)
    return _most_expensive(shown_plan(projection), lambda row: label(row.model))


def of_agents(projection: Projection) -> str:
    """Which agent is the most expensive."""
    return _most_expensive(shown_plan(projection), agent_of)


def of_classes(plan: PlanResult) -> str:
    """Which share of a plan's cost each token class is, the largest first."""
    shares = ", ".join(f"{part.token_class.replace('_', ' ')} {percent(part.percent)}" for part in plan.classes)
    return f"Of the cost of {plan.name}: {shares}."


def of_days(projection: Projection) -> str:
    """What a day of the shown plan and of the baseline costs, mostly."""
    spans = [
        f"A day of {plan.name} costs {mostly(plan.p10_usd_per_day, plan.p90_usd_per_day)}."
        for plan in (shown_plan(projection), projection.plans[0])
    ]
    return " ".join(dict.fromkeys(spans))


def mostly(p10: Decimal, p90: Decimal) -> str:
    """A range in words: eight cases of ten lie between P10 and P90."""
    return f"always {format_usd(p10)}" if p10 == p90 else f"{format_range(p10, p90)} in eight cases of ten"


def of_saving(saving: Saving) -> str:
    """What a plan saves in most trials."""
    low, middle, high = saving.p10_usd_per_day, saving.p50_usd_per_day, saving.p90_usd_per_day
    if saving.histogram[0][0] == saving.histogram[-1][1]:
        return "Nothing in it varies: every trial comes to the same."
    if high < 0:
        return f"In nine trials of ten {saving.plan} adds {format_cents(-high)} per day or more to {saving.baseline}."
    if low < 0:
        return (
            f"Half of the trials save {format_cents(middle)} per day or more with {saving.plan},"
            f" but in some it costs more than {saving.baseline}."
        )
    return (
        f"In eight trials of ten {saving.plan} saves {format_range(low, high)} per day;"
        f" in nine of ten at least {format_cents(low)}."
    )


def of_waterfall(projection: Projection) -> str:
    """What the routing and what the policies take off; which policy does most, whatever the order."""
    naive, routing, *policies = projection.waterfall
    last = projection.waterfall[-1].expected_usd_per_day
    parts = [("the routing", routing.saved_usd_per_day), ("policies", routing.expected_usd_per_day - last)]
    message = ", ".join(
        f"{format_cents(saved)} saved by {who}" if saved >= 0 else f"{format_cents(-saved)} added by {who}"
        for who, saved in parts
    )
    best = max(policies, key=lambda step: step.shapley_usd_per_day or 0)
    if not best.shapley_usd_per_day or best.shapley_usd_per_day < 0:
        return f"From {format_cents(naive.expected_usd_per_day)} per day: {message}."
    most = f"averaged over all orders, {best.step} saves most: {format_cents(best.shapley_usd_per_day)}"
    return f"From {format_cents(naive.expected_usd_per_day)} per day: {message}; {most}."


def headline(saving: Saving) -> str:
    """A plan against the baseline, as one sentence."""
    amount, share = abs(saving.expected_usd_per_day), percent(abs(saving.percent))
    if not amount:
        return f"{saving.plan} costs the same as {saving.baseline}."
    verb = "saves" if saving.expected_usd_per_day > 0 else "adds"
    against = "against" if verb == "saves" else "to"
    return f"{saving.plan} {verb} {format_cents(amount)} per day ({share}) {against} {saving.baseline}."


def _most_expensive(plan: PlanResult, key: Callable[[ComponentCost], str]) -> str:
    totals = summed(plan, key)
    if not totals:
        return f"Nothing in {plan.name} has a price."
    name, amount = max(totals.items(), key=lambda item: item[1])
    whole = format_cents(plan.expected_usd_per_day)
    return f"{name} takes {format_cents(amount)} of the {whole} that {plan.name} costs per day."
