"""Single charts of a review as pictures: what `costsim chart NAME --month MONTH` can draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import OutputError
from ...months import span_words
from ..pictures import Framed, Shades, draw, theme_of
from ..plan_charts import what_if_matrix
from ..theme import Theme
from . import charts, forecasts, words

if TYPE_CHECKING:
    import altair as alt

    from ...analysis.review.results import Review

Drawn = Callable[["Review", Theme], "tuple[alt.LayerChart, str, str] | None"]
"""A chart with its title and subtitle; None where there is nothing to draw."""


def _bridge(review: Review, theme: Theme) -> tuple[alt.LayerChart, str, str] | None:
    if not review.bridge or not review.bridge.steps:
        return None
    return charts.bridge(review.bridge, theme), words.headline(review), words.of_bridge(review)


def _days(review: Review, theme: Theme) -> tuple[alt.LayerChart, str, str] | None:
    if not review.where.days:
        return None
    anomalies = "; ".join(a.message for a in review.where.anomalies) or "No day was unusual for its weekday"
    title = f"Cost day by day through {words.month_name(review.month)}"
    return charts.days(review.where, theme), title, f"{anomalies}. USD per day, by component."


def _heat(review: Review, theme: Theme) -> tuple[alt.LayerChart, str, str] | None:
    if not review.where.cells:
        return None
    title = f"Components by models, {words.month_name(review.month)}"
    return charts.heat_map(review.where, theme), title, "USD of the month; the stronger the shade, the more expensive."


def _outlook(review: Review, theme: Theme) -> tuple[alt.LayerChart, str, str] | None:
    if not review.headline.forecast or review.headline.month.complete:
        return None
    return charts.outlook(review, theme), f"How {words.month_name(review.month)} may end", words.of_outlook(review)


def _success(review: Review, theme: Theme) -> tuple[alt.LayerChart, str, str] | None:
    if not any(row.model and row.success.rate is not None for row in review.performance.tasks):
        return None
    subtitle = "Dot: the share of runs solved; line: its 95% interval (Wilson). Few runs leave much open."
    title = f"Solved by task and model, {words.month_name(review.month)}"
    return charts.success(review, theme), title, subtitle


def _what_if(review: Review, theme: Theme) -> tuple[alt.LayerChart, str, str] | None:
    if review.what_if is None:
        return None
    title = f"What the calls of {words.month_name(review.month)} would have cost on other models"
    return what_if_matrix(review.what_if, theme), title, review.what_if.note


def _forecasts(review: Review, theme: Theme) -> tuple[alt.LayerChart, str, str] | None:
    if review.calibration is None:
        return None
    subtitle = "Line: P10 to P90 of a forecast; dot: P50; dashed: what the month came to."
    return forecasts.calibration(review.calibration, theme), forecasts.caption(review.calibration), subtitle


CHARTS: dict[str, tuple[Drawn, str]] = {
    "bridge": (_bridge, "from the month before to this one, effect by effect"),
    "days": (_days, "every day of both months, by component, anomalies marked"),
    "heat": (_heat, "components by models"),
    "outlook": (_outlook, "how a running month may end"),
    "success": (_success, "how often each task was solved, by model"),
    "what-if": (_what_if, "the month's calls, each component and task on each model"),
    "forecasts": (_forecasts, "past forecasts against what happened"),
}
"""What `costsim chart` can draw of a month, and what each shows."""


def picture(review: Review, name: str, ending: str, theme: Shades, width: int) -> str | bytes:
    """A chart as the content of a .png, .svg or .pdf file. Raises OutputError where the review has nothing to draw."""
    drawn = CHARTS[name][0](review, theme_of(theme))
    if drawn is None:
        raise OutputError(f"the review of {review.month} has nothing to draw as {name}")
    return draw(Framed(*drawn, source(review)), ending, theme, width)


def source(review: Review) -> str:
    """Where the figures come from, in a line."""
    month = review.headline.month
    layers = " + ".join(layer.name for layer in review.prices.layers)
    return (
        f"Source: costsim {review.costsim_version}, review of {review.name}, {span_words(month.first, month.last)}, "
        f"{month.calls:,} calls; prices {layers} ({review.prices.book_hash[:12]})"
    )
