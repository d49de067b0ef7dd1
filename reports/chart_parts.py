"""What all charts share: axes, legends, tooltips, and the manner of a finished chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .theme import FONT, Theme

if TYPE_CHECKING:
    import altair as alt


Row = dict[str, Any]


LABELLED_ROW = 46
"""Pixels of a row whose label stands over it."""
FEW_DAYS = 3
"""Up to this many days are drawn apart: a band needs more."""


def legend(alt: Any) -> Any:
    """Below the chart; `config.legend.columns` says in how many columns."""
    return alt.Legend(title=None, orient="bottom", labelLimit=130, symbolType="square", symbolOpacity=1)


def tooltip(alt: Any, *fields: str, **titled: str) -> list[Any]:
    """Fields as text (`day` as a date), under their own names or the title given."""
    titles = {name: name for name in fields} | titled
    return [
        alt.Tooltip(f"{name}:T", title=title, format="%-d %B %Y")
        if name == "day"
        else alt.Tooltip(f"{name}:N", title=title)
        for name, title in titles.items()
    ]


def ticks(amounts: list[float]) -> Any:
    """An axis in USD with the decimals that its span needs: cents below $10, k and M from $10,000."""
    import altair as alt

    least, most = min(amounts), max(amounts)
    span = most - least
    if max(abs(least), abs(most)) >= 10_000:
        written = "$~s"
    else:
        written = "$,.0f" if span > 8 else "$,.2f" if span > 0.04 else "$,.2~r"
    zero = "datum.value === 0 ? '$0' : datum.label"
    return alt.Axis(format=written, labelExpr=zero, tickCount=alt.ExprRef("width < 500 ? 4 : 7"))


def label_above(alt: Any, base: Any, theme: Theme) -> Any:
    """The `label` of each row over its marks, from the plot's left edge on: a long one fits a phone too."""
    words = base.mark_text(align="left", baseline="middle", dy=-14, fontSize=11, tooltip=None)
    return words.encode(x=alt.value(4), text="label:N", color=alt.value(theme.text))


def finish(
    layers: list[Any], datasets: dict[str, list[Row]], description: str, *, height: int, theme: Theme, above: int = 6
) -> alt.LayerChart:
    """The manner that all charts share: as wide as their container, quiet axes, no frame, no background.

    `above` is the room over the plot, in pixels. All is given at once, and the data last, under their names: Altair
    would copy the whole at every step.
    """
    import altair as alt

    chart: Any = alt.layer(
        *layers, width="container", height=height, description=description, background="transparent",
        autosize={"type": "fit-x", "contains": "padding"},
        padding={"left": 2, "right": 8, "top": above, "bottom": 4}, config=_config(theme),
    )  # fmt: skip
    chart.datasets = datasets
    return cast("alt.LayerChart", chart)


def _config(theme: Theme) -> dict[str, Any]:
    axis = {
        "domain": False, "gridColor": theme.rule, "labelColor": theme.muted, "labelFontSize": 11, "labelPadding": 6,
        "ticks": False, "titleColor": theme.muted, "titleFontSize": 11, "titleFontWeight": "normal", "titlePadding": 8,
    }  # fmt: skip
    legend = {
        "columnPadding": 14, "columns": 3, "labelColor": theme.text, "labelFontSize": 11, "offset": 10, "rowPadding": 4,
        "symbolSize": 90,
    }  # fmt: skip
    return {"view": {"stroke": None}, "axis": axis, "font": FONT, "legend": legend}
