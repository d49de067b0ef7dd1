"""The charts of a projection: one function each, from the typed result to an Altair chart.

Names (of components, models, agents, plans) are only ever data and scale domains, never field names, sort
lists or expressions, so no name can be run. Positions are floats; what is read, in labels and tooltips, is
text made from the exact amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..analysis.grouping import fold_costs, summed
from ..money import format_apart, format_cents, format_range
from .chart_parts import FEW_DAYS, LABELLED_ROW, Row, finish, label_above, legend, ticks, tooltip
from .colours_by_name import Things, agent_of, of_projection
from .theme import LIGHT, Theme

if TYPE_CHECKING:
    import altair as alt

    from ..analysis.projection import ComponentCost, PlanResult, Projection, WaterfallStep


def cost_by_component(projection: Projection, theme: Theme = LIGHT) -> alt.LayerChart:
    """A bar per plan, stacked from its components, the most expensive first; USD per day."""
    return _stacked(projection, lambda row: row.name, of_projection(projection, theme).parts, "component", theme)


def cost_by_model(projection: Projection, theme: Theme = LIGHT) -> alt.LayerChart:
    """A bar per plan, stacked from its models, the most expensive first; USD per day."""
    things = of_projection(projection, theme).models
    return _stacked(projection, lambda row: things.label(row.model), things, "model", theme)


def cost_by_agent(projection: Projection, theme: Theme = LIGHT) -> alt.LayerChart:
    """A bar per plan, stacked from its agents, the most expensive first; USD per day."""
    return _stacked(projection, agent_of, of_projection(projection, theme).agents, "agent", theme)


def _stacked(
    projection: Projection, key: Callable[[ComponentCost], str], things: Things, kind: str, theme: Theme
) -> alt.LayerChart:
    import altair as alt

    rows = [row for plan in projection.plans for row in _stack(plan, key, things, kind)]
    totals: list[Row] = [
        {"plan": plan.name, "usd": float(plan.expected_usd_per_day), "shown": format_cents(plan.expected_usd_per_day)}
        for plan in projection.plans
    ]
    most = [row["usd"] for row in totals]
    y = alt.Y("plan:N", sort=None, title=None, axis=alt.Axis(labelLimit=110))
    bars = (
        alt.Chart(alt.NamedData("rows"))
        .mark_bar(size=26, stroke=theme.surface, strokeWidth=1)
        .encode(
            y=y,
            x=_usd_axis(most, room=1.16, axis=ticks([0, *most])),
            color=alt.Color(f"{kind}:N", scale=things.scale(alt), legend=legend(alt)),
            order=alt.Order("rank:Q"),
            tooltip=tooltip(alt, "plan", kind, shown="USD per day"),
        )
    )
    ends = _end_labels(alt, "totals", theme).encode(y=y)
    caption = f"Stacked bars: expected USD per day of each plan, by {kind}"
    height = 30 + 42 * len(projection.plans)
    return finish([bars, ends], {"rows": rows, "totals": totals}, caption, height=height, theme=theme)


def daily_cost(projection: Projection, theme: Theme = LIGHT) -> alt.LayerChart:
    """A line per plan through each day's expected USD, in the band from P10 to P90."""
    import altair as alt

    rows: list[Row] = [
        {
            "plan": plan.name,
            "day": day.day.isoformat(),
            "usd": float(day.expected_usd),
            "p10": float(day.p10_usd),
            "p90": float(day.p90_usd),
            "shown": format_cents(day.expected_usd),
            "range": format_range(day.p10_usd, day.p90_usd),
        }
        for plan in projection.plans
        for day in plan.days
    ]
    few = projection.days <= FEW_DAYS
    base = alt.Chart(alt.NamedData("rows")).encode(
        x=alt.X("day:T", title=None, scale=alt.Scale(type="utc"), axis=_day_axis(alt, projection.days)),
        color=_plan_colour(alt, projection, theme),
        tooltip=tooltip(alt, "plan", "day", shown="expected", range="P10 to P90"),
    )
    y = alt.Y("p10:Q", axis=ticks([0, *(row["p90"] for row in rows)]), title="USD per day")
    band = base.mark_rule(strokeWidth=6, opacity=0.35) if few else base.mark_area(opacity=0.22)
    line = base.mark_line(strokeWidth=2, point=alt.OverlayMarkDef(size=36, filled=True) if few else False)
    layers = [band.encode(y=y, y2="p90:Q"), line.encode(y=alt.Y("usd:Q"))]
    caption = "Lines: expected USD of each day, by plan; bands: from P10 to P90"
    return finish(layers, {"rows": rows}, caption, height=250, theme=theme)


def plan_ranges(projection: Projection, theme: Theme = LIGHT) -> alt.LayerChart:
    """A dot and a line for each plan: the expected cost of all days, and its range from P10 to P90; USD."""
    import altair as alt

    rows: list[Row] = []
    for plan in projection.plans:
        of = plan.horizon
        low, shown, high = format_apart(of.p10_usd, of.expected_usd, of.p90_usd)
        rows.append(
            {
                "plan": plan.name,
                "usd": float(of.expected_usd),
                "low": float(of.p10_usd),
                "high": float(max(of.p90_usd, of.expected_usd)),
                "shown": shown,
                "range": f"{low} to {high}" if of.p10_usd != of.p90_usd else "does not vary",
                "label": f"{shown} ({low} to {high})" if of.p10_usd != of.p90_usd else shown,
            }
        )
    most = [row["high"] for row in rows]
    scale = alt.Scale(domainMin=0, domainMax=(max(most, default=0.0) or 1.0) * 1.05, nice=False)
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("plan:N", sort=None, title=None, axis=alt.Axis(labelLimit=110)),
        color=alt.Color("plan:N", scale=of_projection(projection, theme).plans.scale(alt), legend=None),
        tooltip=tooltip(alt, "plan", shown="expected", range="P10 to P90"),
    )
    axis = ticks([0, *most])
    spans = base.mark_rule(strokeWidth=5, opacity=0.4).encode(
        x=alt.X("low:Q", title=f"USD in {projection.days} days", scale=scale, axis=axis), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("usd:Q", scale=scale))
    caption = f"Dots and lines: expected USD of {projection.days} days of each plan, and its range from P10 to P90"
    layers = [spans, dots, label_above(alt, base, theme)]
    return finish(layers, {"rows": rows}, caption, height=LABELLED_ROW * len(rows), theme=theme)


def waterfall(projection: Projection, theme: Theme = LIGHT) -> alt.LayerChart:
    """From naive to routed: both as bars, and between them what every step takes off, or adds; USD per day."""
    import altair as alt

    rows = _steps(projection.waterfall)
    kinds, plans = ["naive", "routed", "saves", "costs more"], of_projection(projection, theme).plans
    ends_of = [plans.colour(name) or theme.rest for name in kinds[:2]]
    scale = alt.Scale(domain=kinds, range=[*ends_of, theme.good, theme.bad])
    most = max(row["high"] for row in rows) or 1.0
    x = alt.X("low:Q", title="USD per day", scale=alt.Scale(domain=[0, most * 1.16], nice=False), axis=ticks([0, most]))
    y = alt.Y("step:N", sort=None, title=None, axis=alt.Axis(labelLimit=110))
    base = alt.Chart(alt.NamedData("rows")).encode(y=y)
    bars = base.mark_bar(size=18).encode(
        x=x,
        x2="high:Q",
        color=alt.Color("kind:N", scale=scale, legend=None),
        tooltip=tooltip(alt, "step", shown="USD per day", after="a day costs then"),
    )
    ends = base.mark_text(align="left", baseline="middle", dx=4, color=theme.text, fontSize=11, tooltip=None)
    caption = "Waterfall: USD per day from the naive plan to the routed one, with what each step saves"
    layers = [bars, ends.encode(x="high:Q", text="shown:N")]
    return finish(layers, {"rows": rows}, caption, height=20 + 28 * len(rows), theme=theme)


def _steps(steps: Sequence[WaterfallStep]) -> list[Row]:
    """A row per step, from the cost after it to that before it, and the routed plan's cost once more at the end."""
    first, last = steps[0].expected_usd_per_day, steps[-1].expected_usd_per_day
    rows = [_step("naive", Decimal(0), first, format_cents(first), first)]
    for step in steps[1:]:
        after, saved = step.expected_usd_per_day, step.saved_usd_per_day
        rows.append(
            _step(
                step.step,
                after,
                after + saved,
                format_cents(-saved) if saved >= 0 else f"+{format_cents(-saved)}",
                after,
            )
        )
    return [*rows, _step("routed", Decimal(0), last, format_cents(last), last)]


def _step(name: str, after: Decimal, before: Decimal, shown: str, costs: Decimal) -> Row:
    kind = name if name in ("naive", "routed") else "saves" if before >= after else "costs more"
    low, high = sorted((float(after), float(before)))
    return {"step": name, "low": low, "high": high, "kind": kind, "shown": shown, "after": format_cents(costs)}


def _stack(plan: PlanResult, key: Callable[[ComponentCost], str], things: Things, kind: str) -> list[Row]:
    totals = fold_costs(summed(plan, key), things.names, things.folded)
    return [
        {"plan": plan.name, kind: name, "rank": rank, "usd": float(amount), "shown": format_cents(amount)}
        for rank, name in enumerate(things.names)
        if (amount := totals.get(name)) is not None
    ]


def _end_labels(alt: Any, data: str, theme: Theme) -> Any:
    """The amounts as text at the ends of bars."""
    return (
        alt.Chart(alt.NamedData(data))
        .mark_text(align="left", baseline="middle", dx=4, color=theme.text, fontSize=11, tooltip=None)
        .encode(x="usd:Q", text="shown:N")
    )


def _plan_colour(alt: Any, projection: Projection, theme: Theme) -> Any:
    return alt.Color("plan:N", scale=of_projection(projection, theme).plans.scale(alt), legend=legend(alt))


def _usd_axis(amounts: list[float], room: float, axis: Any) -> Any:
    """From nothing to the largest amount and some room for its label."""
    import altair as alt

    scale = alt.Scale(domainMin=0, domainMax=(max(amounts, default=0.0) or 1.0) * room, nice=False)
    return alt.X("usd:Q", title="USD per day", axis=axis, scale=scale, stack="zero")


def _day_axis(alt: Any, days: int) -> Any:
    written = "%-d %b" if days <= 92 else "%b %Y"
    count = days if days <= FEW_DAYS else alt.ExprRef("width < 400 ? 4 : 8")
    return alt.Axis(format=written, tickCount=count, grid=False, labelOverlap=True)
