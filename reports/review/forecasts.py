"""Past forecasts against what happened, as the page, Markdown and the terminal show them, and as a chart."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ...analysis.forecast.calibration import DAYS
from ...money import format_cents, format_range
from ..chart_parts import Row, finish, tooltip
from ..theme import LIGHT, Theme
from .words import month_name

if TYPE_CHECKING:
    import altair as alt

    from ...analysis.forecast.results import Calibration, ForecastCheck

TITLE = "How good the forecasts were"
HEADS = ("", "came to", *(f"after day {day}" for day in DAYS))
TABLE = "P10 to P90 of each forecast, and where the month came to less or more"
TOTAL = "total"
FELL = {"below": "came to less", "within": "held", "above": "came to more"}
MOST_TIMES = 2.5
"""Forecasts of more than so many times the actual cost end at the chart's edge."""


def headline(found: Calibration) -> str:
    """What became of the month's forecasts, in a sentence."""
    own = [check for check in found.checks if check.component is None]
    said = ", ".join(f"{FELL[check.fell]} after day {check.as_of.day}" for check in own)
    return f"{month_name(found.month)} came to {format_cents(own[0].actual_usd)}. P10 to P90 of its forecasts: {said}."


def record_lines(found: Calibration) -> list[str]:
    """The record over the months, a line for each day of the month."""
    return [f"After day {record.day}: {record.message}" for record in found.record]


def rows(found: Calibration) -> list[tuple[str, ...]]:
    """The total, then each component: what it came to, and the range after each day, with where it fell."""
    by_name: dict[str | None, dict[int, ForecastCheck]] = {}
    for check in found.checks:
        by_name.setdefault(check.component, {})[check.as_of.day] = check
    return [
        (
            TOTAL if name is None else name,
            format_cents(next(iter(of.values())).actual_usd),
            *(_range(of.get(day)) for day in DAYS),
        )
        for name, of in by_name.items()
    ]


def _range(check: ForecastCheck | None) -> str:
    if check is None:
        return "no forecast yet"
    said = {"within": "", "below": ": less", "above": ": more"}[check.fell]
    return f"{format_range(check.p10_usd, check.p90_usd)}{said}"


def calibration(found: Calibration, theme: Theme = LIGHT) -> alt.LayerChart:
    """A line for each forecast from its P10 to its P90, in percent of what the month came to: 100 % is a hit."""
    import altair as alt

    shown = [_row(check) for check in found.checks if check.actual_usd]
    names = list(dict.fromkeys(row["forecast"] for row in shown))
    scale = alt.Scale(domain=[0, min(MOST_TIMES, max([1.2, *(row["p90"] for row in shown)]))], nice=False, clamp=True)
    colour = alt.Scale(domain=[*FELL.values()], range=[theme.bad, theme.accent, theme.bad])
    axis = alt.Axis(format=".0%", tickCount=6)
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("forecast:N", sort=None, title=None, scale=alt.Scale(domain=names), axis=alt.Axis(labelLimit=210)),
        color=alt.Color("fell:N", scale=colour, legend=None),
        tooltip=tooltip(alt, "forecast", range="P10 to P90", actual="came to", fell="the month"),
    )
    spans = base.mark_rule(strokeWidth=5, opacity=0.4).encode(
        x=alt.X("p10:Q", title="of what the month came to", scale=scale, axis=axis), x2="p90:Q"
    )
    dots = base.mark_point(filled=True, size=50, opacity=1).encode(x=alt.X("p50:Q", scale=scale))
    hit = (
        alt.Chart(alt.NamedData("hit"))
        .mark_rule(strokeDash=[4, 3], color=theme.text)
        .encode(x=alt.X("actual:Q", scale=scale))
    )
    caption = "Lines: P10 to P90 of each forecast, in percent of what the month came to; dots: P50"
    data: dict[str, list[Row]] = {"rows": shown, "hit": [{"actual": 1.0}]}
    return finish([spans, dots, hit], data, caption, height=20 + 18 * max(1, len(names)), theme=theme)


def _row(check: ForecastCheck) -> Row:
    of = {name: float(getattr(check, f"{name}_usd") / check.actual_usd) for name in ("p10", "p50", "p90")}
    return {
        "forecast": f"{check.component or TOTAL}, {_day(check.as_of)}",
        **of,
        "fell": FELL[check.fell],
        "range": format_range(check.p10_usd, check.p90_usd),
        "actual": format_cents(check.actual_usd),
    }


def _day(day: date) -> str:
    return f"{day.day} {day:%b}"


def caption(found: Calibration) -> str:
    """What the chart shows, in two sentences."""
    own = [check for check in found.checks if check.component is not None]
    held = sum(check.fell == "within" for check in own)
    said = f" Of {len(own)} forecasts of components, {held} held." if own else ""
    return headline(found) + said
