"""Charts for slides: what each plan saves, and each component on each model (the what-if matrix)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ..money import format_apart, format_usd
from .chart_parts import LABELLED_ROW, Row, finish, label_above, ticks, tooltip
from .colours_by_name import last_part
from .theme import LIGHT, Theme

if TYPE_CHECKING:
    import altair as alt

    from ..analysis.move_results import WhatIf, WhatIfRow
    from ..analysis.projection import Projection, Saving

MOST_ROWS, MOST_MODELS = 30, 10


def saving_ranges(projection: Projection, theme: Theme = LIGHT) -> alt.LayerChart:
    """A dot and a line for each plan: what it saves per day against the baseline, from P10 to P90; USD."""
    import altair as alt

    rows = [_saving_row(saving) for saving in projection.savings]
    ends = [0.0, *(row[name] for row in rows for name in ("low", "high"))]
    span = (max(ends) - min(ends)) or 1.0
    scale = alt.Scale(domain=[min(ends), max(ends) + 0.05 * span], nice=False)
    axis = ticks(ends)
    colour = alt.Scale(domain=["saves", "costs more"], range=[theme.good, theme.bad])
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("plan:N", sort=None, title=None, axis=alt.Axis(labelLimit=150)),
        color=alt.Color("kind:N", scale=colour, legend=None),
        tooltip=tooltip(alt, "plan", label="saves per day"),
    )
    spans = base.mark_rule(strokeWidth=5, opacity=0.4).encode(
        x=alt.X("low:Q", title="USD saved per day", scale=scale, axis=axis), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(x=alt.X("usd:Q", scale=scale))
    caption = "Dots and lines: USD saved per day by each plan, and its range from P10 to P90"
    layers = [spans, dots, label_above(alt, base, theme)]
    return finish(layers, {"rows": rows}, caption, height=LABELLED_ROW * len(rows), theme=theme)


def _saving_row(saving: Saving) -> Row:
    usd, p10, p90 = saving.expected_usd_per_day, saving.p10_usd_per_day, saving.p90_usd_per_day
    low, shown, high = format_apart(p10, usd, p90)
    return {
        "plan": saving.plan,
        "kind": "saves" if usd >= 0 else "costs more",
        "usd": float(usd),
        "low": float(min(p10, usd)),
        "high": float(max(p90, usd)),
        "label": f"{shown} ({low} to {high})" if p10 != p90 else shown,
    }


def what_if_matrix(found: WhatIf, theme: Theme = LIGHT) -> alt.LayerChart:
    """Components by models: USD per month of each component on each model; the present one is marked with a dot."""
    import altair as alt

    shown = found.rows[:MOST_ROWS]
    models, names = found.models[:MOST_MODELS], [_name(row) for row in shown]
    cells = [cell for row in shown for cell in _cells(row, models)]
    limit = alt.Axis(labelLimit=190)
    base = alt.Chart(alt.NamedData("rows")).encode(
        y=alt.Y("row:N", sort=None, title=None, scale=alt.Scale(domain=names), axis=limit),
        x=alt.X(
            "model:N", sort=None, title=None, scale=alt.Scale(domain=[last_part(model) for model in models]),
            axis=alt.Axis(orient="top", labelAngle=30, labelLimit=150, labelAlign="right"),
        ),
    )  # fmt: skip
    depth = alt.Scale(domain=[0, 1], range=[0.05, 0.5])  # so pale that its text reads on every one
    squares = base.mark_rect(color=theme.muted).encode(
        opacity=alt.Opacity("share:Q", scale=depth, legend=None),
        tooltip=tooltip(alt, "row", "model", shown="USD per month"),
    )
    texts = base.mark_text(fontSize=11, color=theme.text, tooltip=None).encode(text="shown:N")
    caption = "Matrix: USD per month of each component on each model; a stronger shade costs more within its row"
    height = 26 * max(1, len(names))
    return finish([squares, texts], {"rows": cells}, caption, height=height, theme=theme)


def _cells(row: WhatIfRow, models: list[str]) -> list[Row]:
    """The cells of a row; the darkest is its most expensive one."""
    costs = dict(zip(models, row.usd, strict=False))
    most = max([usd for usd in costs.values() if usd is not None], default=Decimal(0)) or Decimal(1)
    return [
        {
            "row": _name(row),
            "model": last_part(model),
            "share": float((usd or Decimal(0)) / most),
            "shown": ("no price" if usd is None else format_usd(usd)) + (" ●" if model == row.now else ""),
        }
        for model, usd in costs.items()
    ]


def _name(row: WhatIfRow) -> str:
    return f"{row.component}, {row.task}" if row.task else row.component
