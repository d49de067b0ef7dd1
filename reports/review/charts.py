"""The charts of a review: one function each, from its parts to an Altair chart.

Names are only ever data and scale domains, as in reports/charts.py. Rows carry `component` and `agent` where they
have one, so that the page can be filtered by them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...analysis.grouping import by_cost, fold
from ...analysis.review.charted import spent_so_far, sum_cells, sum_days
from ...money import format_cents, format_range, format_usd
from ..chart_parts import Row, finish, legend, ticks, tooltip
from ..colours_by_name import last_part, of_month
from ..numbers import count, percent
from ..theme import LIGHT, Theme
from .words import EFFECTS, labels, spans

if TYPE_CHECKING:
    import altair as alt

    from ...analysis.compare.bridge_results import Bridge
    from ...analysis.review.results import Cell, Review, Where

MODELS = 9
"""Columns of the heat map; the rest is added up in one more."""
COMPONENTS = 25
"""Rows of the heat map."""


def bridge(found: Bridge, theme: Theme = LIGHT) -> alt.LayerChart:
    """From one month to the next: both as bars, and between them what each effect adds or takes off; USD."""
    import altair as alt

    rows = _bridge_rows(found)
    kinds = ["month", "more", "less"]
    scale = alt.Scale(domain=kinds, range=[theme.rest, theme.bad, theme.good])
    most = max(row["high"] for row in rows) or 1.0
    domain = alt.Scale(domain=[0, most * 1.22], nice=False)
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("step:N", sort=None, title=None, axis=alt.Axis(labelLimit=150))
    )
    bars = base.mark_bar(size=18).encode(
        x=alt.X("low:Q", title="USD", scale=domain, axis=ticks([0, most])),
        x2="high:Q",
        color=alt.Color("kind:N", scale=scale, legend=None),
        tooltip=tooltip(alt, "step", shown="USD"),
    )
    ends = base.mark_text(align="left", baseline="middle", dx=4, color=theme.text, fontSize=11, tooltip=None)
    layers = [bars, ends.encode(x="high:Q", text="shown:N")]
    caption = "Waterfall: from the cost of one month to that of the next, effect by effect"
    return finish(layers, {"rows": rows}, caption, height=20 + 28 * len(rows), theme=theme)


def _bridge_rows(found: Bridge) -> list[Row]:
    level = found.before_usd
    before, after = spans(found)
    rows = [_bridge_row(before, "month", Decimal(0), level, format_cents(level))]
    for step in found.steps:
        kind = "more" if step.usd > 0 else "less"
        shown = format_cents(step.usd) if step.usd < 0 else f"+{format_cents(step.usd)}"
        rows.append(_bridge_row(EFFECTS[step.effect], kind, level, level + step.usd, shown))
        level += step.usd
    return [*rows, _bridge_row(after, "month", Decimal(0), found.after_usd, format_cents(found.after_usd))]


def _bridge_row(step: str, kind: str, start: Decimal, end: Decimal, shown: str) -> Row:
    low, high = sorted((float(start), float(end)))
    return {"step": step, "kind": kind, "low": low, "high": high, "shown": shown}


def heat_map(where: Where, theme: Theme = LIGHT) -> alt.LayerChart:
    """Components by models: the stronger the shade, the more expensive in the month; USD."""
    import altair as alt

    cells, components, models = _heat_cells(where)
    most = max((row["usd"] for row in cells), default=0.0) or 1.0
    limit = alt.Axis(labelLimit=150)
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("row:N", sort=None, title=None, scale=alt.Scale(domain=components), axis=limit),
        x=alt.X(
            "model:N", sort=None, title=None, scale=alt.Scale(domain=models),
            axis=alt.Axis(orient="top", labelAngle=35, labelLimit=150, labelAlign="right"),
        ),
    )  # fmt: skip
    # Colours are the page's own properties, which no scale can blend: the share shows as opacity, and grey is no
    # component's or model's own colour. It stays so pale that its text reads on every one.
    depth = alt.Scale(domain=[0, most], range=[0.05, 0.5], type="sqrt")
    squares = base.mark_rect(color=theme.muted).encode(
        opacity=alt.Opacity("usd:Q", scale=depth, legend=None),
        tooltip=tooltip(alt, "component", "agent", "model", shown="cost", calls="calls"),
    )
    labels = base.mark_text(fontSize=11, color=theme.text, tooltip=None).encode(text="shown:N")
    caption = "Heat map: what each component cost on each model in the month"
    return finish([squares, labels], {"rows": cells}, caption, height=26 * len(components), theme=theme)


def _heat_cells(where: Where) -> tuple[list[Row], list[str], list[str]]:
    """The most expensive components and models; the others of each added up."""
    label = labels((cell.component, cell.agent) for cell in where.cells)
    ranked = by_cost((label[c.component, c.agent], c.usd) for c in where.cells)
    components, other_component = fold(ranked, COMPONENTS, "components")
    models, other_model = fold(by_cost((last_part(c.model), c.usd) for c in where.cells), MODELS, "models")
    whose = {name: key for key, name in label.items() if name in components} | {other_component: (other_component, "")}

    def place(cell: Cell) -> tuple[str, str]:
        name = label[cell.component, cell.agent]
        return name if name in components else other_component, _column(cell.model, models, other_model)

    rows: list[Row] = [
        {
            "row": name,
            "component": whose[name][0],
            "agent": whose[name][1],
            "model": model,
            "usd": float(cost or 0),
            "shown": format_usd(cost),
            "calls": count(calls),
        }
        for (name, model), (cost, calls) in sum_cells(where, place).items()
    ]
    return rows, components, models


def _column(model: str, models: list[str], other: str) -> str:
    return last_part(model) if last_part(model) in models else other


def _noons(days: Iterable[str]) -> tuple[date, date]:
    """The day before the first and the last: from noon to noon, every bar has its place."""
    known = [date.fromisoformat(day) for day in days] or [date(1970, 1, 1)]
    return min(known) - timedelta(days=1), max(known)


def days(where: Where, theme: Theme = LIGHT) -> alt.LayerChart:
    """Every day of both months as a stack of the most expensive components and the others, anomalies marked; USD."""
    import altair as alt

    parts = of_month(where, theme).parts
    rows = _day_rows(where, parts.names, parts.folded)
    totals: dict[str, float] = {}
    for row in rows:
        totals[row["day"]] = totals.get(row["day"], 0.0) + row["usd"]
    noons = _noons(totals)
    span = (noons[1] - noons[0]).days
    domain = [alt.DateTime(year=day.year, month=day.month, date=day.day, hours=12, utc=True) for day in noons]
    x = alt.X(
        "day:T", title=None, scale=alt.Scale(type="utc", domain=domain),
        axis=alt.Axis(format="%-d %b", tickCount=alt.ExprRef("width < 400 ? 4 : 10"), grid=False, labelOverlap=True),
    )  # fmt: skip
    top = max(totals.values(), default=1.0)
    bars = (
        alt.Chart(alt.NamedData("rows"))
        .mark_bar(size=alt.ExprRef(f"min(60, max(2, width / {span} - 2))"))
        .encode(
            x=x,
            y=alt.Y("usd:Q", title="USD per day", stack="zero", axis=ticks([0, top])),
            color=alt.Color("part:N", scale=parts.scale(alt), legend=legend(alt)),
            order=alt.Order("rank:Q"),
            tooltip=tooltip(alt, "day", "component", "agent", shown="cost"),
        )
    )
    anomalies: list[Row] = [
        {
            "day": (at := a.day.isoformat()),
            "component": a.component or "",
            "usd": totals.get(at, 0.0),
            "message": a.message,
        }
        for a in where.anomalies
    ]
    marks = (
        alt.Chart(alt.NamedData("anomalies"))
        .mark_text(text="▼ anomaly", dy=-9, fontSize=11, fontWeight="bold", color=theme.bad)
        .encode(x=x, y="usd:Q", tooltip=tooltip(alt, "day", "message"))
    )
    caption = "Stacked bars: what every day cost, by component; anomalies are marked"
    layers, data = [bars, _months(alt, theme)], {"rows": rows, "months": _month_rows(*noons)}
    if anomalies:
        layers, data = [*layers, marks], {**data, "anomalies": anomalies}
    return finish(layers, data, caption, height=260, theme=theme, above=20)


def _months(alt: Any, theme: Theme) -> Any:
    """A line where a month begins, and its name above the chart."""
    base = alt.Chart(alt.NamedData("months")).encode(x=alt.X("start:T", scale=alt.Scale(type="utc")))
    names = base.mark_text(align="left", baseline="bottom", dx=3, fontSize=11, color=theme.muted, tooltip=None)
    line = base.mark_rule(color=theme.muted, strokeDash=[3, 3], tooltip=None)
    return line + names.encode(text="month:N", y=alt.value(-4))


def _month_rows(before: date, last: date) -> list[Row]:
    """Each month from the noon before its first day, or before the first day of all."""
    first = before + timedelta(days=1)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    starts = [day for day in days if day == first or day.day == 1]
    return [{"start": f"{day - timedelta(days=1)}T12:00:00Z", "month": f"{day:%B %Y}"} for day in starts]


def day_ranks(where: Where, columns: Iterable[tuple[str, str]], theme: Theme = LIGHT) -> list[tuple[str, str, int]]:
    """Each component and agent with the entry of the legend that it belongs to."""
    parts = of_month(where, theme).parts.names
    place = {name: n for n, name in enumerate(parts)}
    return [(component, agent, place.get(component, len(parts) - 1)) for component, agent in columns]


def _day_rows(where: Where, parts: list[str], folded: str) -> list[Row]:
    """One row for each day and entry of the legend."""
    known = set(parts)
    return [
        {
            "day": day.isoformat(),
            "component": part,
            "agent": "",
            "part": part,
            "rank": parts.index(part),
            "usd": float(cost),
            "shown": format_usd(cost),
        }
        for (day, part), cost in sum_days(where, lambda name: name if name in known else folded).items()
    ]


def outlook(review: Review, theme: Theme = LIGHT) -> alt.LayerChart:
    """A running month: what is spent, day upon day, and the range in which it is expected to end; USD."""
    import altair as alt

    forecast = review.headline.forecast
    assert forecast is not None  # noqa: S101 (the caller has looked)
    so_far = [
        {"day": day.isoformat(), "usd": float(cost), "shown": format_usd(cost)} for day, cost in spent_so_far(review)
    ]
    spent = forecast.spent_usd
    last = forecast.days[-1].day if forecast.days else forecast.as_of
    expected = [
        _outlook_row(forecast.as_of, spent, spent, spent),
        _outlook_row(last, forecast.expected_usd, forecast.p10_usd, forecast.p90_usd),
    ]
    x = alt.X("day:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(format="%-d %b", grid=False, tickCount=6))
    y = alt.Y("usd:Q", title="USD since the first", axis=ticks([0, float(forecast.p90_usd)]))
    band = alt.Chart(alt.NamedData("expected")).mark_area(opacity=0.25, color=theme.accent)
    line = alt.Chart(alt.NamedData("expected")).mark_line(strokeDash=[5, 4], color=theme.accent)
    known = alt.Chart(alt.NamedData("rows")).mark_line(color=theme.accent, strokeWidth=2.5)
    layers = [
        band.encode(
            x=x, y=alt.Y("p10:Q", title="USD since the first", axis=ticks([0, float(forecast.p90_usd)])), y2="p90:Q"
        ),
        line.encode(x=x, y=y, tooltip=tooltip(alt, "day", shown="P10 to P90")),
        known.encode(x=x, y=y, tooltip=tooltip(alt, "day", shown="spent so far")),
    ]
    caption = "Line: spent so far; band: P10 to P90 of the month's end"
    return finish(layers, {"rows": so_far, "expected": expected}, caption, height=210, theme=theme)


def _outlook_row(day: date, expected: Decimal, p10: Decimal, p90: Decimal) -> Row:
    row: Row = {"day": day.isoformat(), "usd": float(expected), "p10": float(p10), "p90": float(p90)}
    return row | {"shown": format_range(p10, p90)}


def success(review: Review, theme: Theme = LIGHT) -> alt.LayerChart:
    """How often each task was solved on each model, with the interval that the evidence leaves open."""
    import altair as alt

    rows: list[Row] = [
        {
            "task": f"{row.task} on {last_part(row.model or '')}",
            "model": last_part(row.model or ""),
            "rate": row.success.rate,
            "low": row.success.low,
            "high": row.success.high,
            "shown": f"{percent(Decimal(str(round(100 * row.success.rate, 1))))} of {count(row.success.trials)}",
        }
        for row in review.performance.tasks
        if row.model and row.success.rate is not None
    ]
    scale = alt.Scale(domain=[min([0.9, *(row["low"] for row in rows)]), 1])
    axis = alt.Axis(format=".0%", tickCount=5)
    models, known = list(dict.fromkeys(row["model"] for row in rows)), of_month(review.where, theme).models
    colours = alt.Scale(domain=models, range=[known.colour(name) or theme.rest for name in models])
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("task:N", sort=None, title=None, axis=alt.Axis(labelLimit=210)),
        tooltip=tooltip(alt, "task", shown="solved"),
        color=alt.Color("model:N", scale=colours, legend=None),
    )
    span = base.mark_rule(strokeWidth=5, opacity=0.35)
    point = base.mark_point(filled=True, size=60)
    layers = [
        span.encode(x=alt.X("low:Q", title="solved, with its 95% interval", scale=scale, axis=axis), x2="high:Q"),
        point.encode(x=alt.X("rate:Q", scale=scale)),
    ]
    caption = "Dots: share of runs solved, by task and model; lines: Wilson's 95% interval"
    return finish(layers, {"rows": rows}, caption, height=26 * max(1, len(rows)) + 20, theme=theme)
