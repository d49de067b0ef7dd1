"""Single charts of a review as PNG or SVG."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from ...errors import OutputError
from ..texts import chart as harmless
from ..theme import DARK, LIGHT, Theme
from . import charts

if TYPE_CHECKING:
    import altair as alt

    from ...analysis.review.results import Review

Drawn = Callable[["Review", Theme], "alt.LayerChart | None"]


def _bridge(review: Review, theme: Theme) -> alt.LayerChart | None:
    return charts.bridge(review.bridge, theme) if review.bridge and review.bridge.steps else None


def _days(review: Review, theme: Theme) -> alt.LayerChart | None:
    return charts.days(review.where, theme) if review.where.days else None


def _heat(review: Review, theme: Theme) -> alt.LayerChart | None:
    return charts.heat_map(review.where, theme) if review.where.cells else None


def _outlook(review: Review, theme: Theme) -> alt.LayerChart | None:
    return charts.outlook(review, theme) if review.headline.forecast and not review.headline.month.complete else None


def _success(review: Review, theme: Theme) -> alt.LayerChart | None:
    known = any(row.model and row.success.rate is not None for row in review.performance.tasks)
    return charts.success(review.performance, theme) if known else None


CHARTS: dict[str, tuple[Drawn, str]] = {
    "bridge": (_bridge, "from the month before to this one, effect by effect"),
    "days": (_days, "every day of both months, by component, anomalies marked"),
    "heat": (_heat, "components by models"),
    "outlook": (_outlook, "how a running month may end"),
    "success": (_success, "how often each task was solved, by model"),
}
"""What `costsim chart` can draw, and what each shows."""


def picture(review: Review, name: str, ending: str, theme: Literal["light", "dark"], width: int) -> str | bytes:
    """A chart as the content of a .png or .svg file. Raises OutputError where the review has nothing to draw there."""
    import vl_convert

    colours = DARK if theme == "dark" else LIGHT
    chart = CHARTS[name][0](review, colours)
    if chart is None:
        raise OutputError(f"the review of {review.month} has nothing to draw as {name}")
    spec = {**harmless(chart.to_dict(validate=False)), "width": width, "background": colours.surface}
    if ending == ".svg":
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return vl_convert.vegalite_to_png(spec, scale=2, allowed_base_urls=[])
