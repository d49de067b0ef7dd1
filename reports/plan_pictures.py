"""Single charts of a projection as pictures: what `costsim chart NAME ARCHITECTURE` can draw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import OutputError
from ..months import span_words
from . import captions, charts
from .pictures import Framed, Shades, draw, theme_of
from .plan_charts import saving_ranges, what_if_matrix
from .theme import Theme

if TYPE_CHECKING:
    import altair as alt

    from ..analysis.move_results import WhatIf
    from ..analysis.projection import Projection

Drawing = tuple["alt.LayerChart | None", str, str]
"""A chart, None where there is nothing to draw; its title and its subtitle."""
Choices = Callable[[], "WhatIf"]


def _plans(found: Projection, _choices: Choices, theme: Theme) -> Drawing:
    title, _, budgets = captions.of_headline(found).removesuffix(".").partition(". ")
    ranges = f"Dot: expected USD of {found.days} days; line: P10 to P90, in which eight outcomes of ten lie."
    return charts.plan_ranges(found, theme), title, f"{budgets}{'. ' if budgets else ''}{ranges}"


def _components(found: Projection, _: Choices, theme: Theme) -> Drawing:
    subtitle = f"{captions.of_components(found)} Expected USD per day of each plan, by component."
    return charts.cost_by_component(found, theme), "Cost per day by component", subtitle


def _days(found: Projection, _: Choices, theme: Theme) -> Drawing:
    subtitle = f"{captions.of_days(found)} Lines: expected USD; bands: P10 to P90."
    return charts.daily_cost(found, theme), "Cost day by day", subtitle


def _saving(found: Projection, _: Choices, theme: Theme) -> Drawing:
    if not found.savings:
        return None, "", ""
    best = max(found.savings, key=lambda saving: saving.expected_usd_per_day)
    subtitle = f"{captions.of_saving(best)} Dot: expected; line: P10 to P90 of the difference on the same draws."
    return saving_ranges(found, theme), captions.headline(best).removesuffix("."), subtitle


def _what_if(found: Projection, choices: Choices, theme: Theme) -> Drawing:
    asked = choices()
    title = f"What {found.name} would cost per month on other models"
    return what_if_matrix(asked, theme), title, f"● is the model that it has now. {asked.note}"


def _waterfall(found: Projection, _: Choices, theme: Theme) -> Drawing:
    if not found.waterfall:
        return None, "", ""
    return charts.waterfall(found, theme), "From naive to routed, step by step", captions.of_waterfall(found)


def _models(found: Projection, _: Choices, theme: Theme) -> Drawing:
    return charts.cost_by_model(found, theme), "Cost per day by model", captions.of_models(found)


def _agents(found: Projection, _: Choices, theme: Theme) -> Drawing:
    return charts.cost_by_agent(found, theme), "Cost per day by agent", captions.of_agents(found)


CHARTS: dict[str, tuple[Callable[[Projection, Choices, Theme], Drawing], str]] = {
    "plans": (_plans, "what each plan costs, with its range"),
    "components": (_components, "each plan's cost per day, by component"),
    "days": (_days, "each plan day by day, with its range"),
    "saving": (_saving, "what each plan saves against the baseline, with its range"),
    "what-if": (_what_if, "each component on each model, per month"),
    "waterfall": (_waterfall, "from naive to routed, step by step"),
    "models": (_models, "cost per day by model"),
    "agents": (_agents, "cost per day by agent"),
}
"""What `costsim chart` can draw of a projection, and what each shows."""


def picture(found: Projection, choices: Choices, name: str, ending: str, shade: Shades, width: int) -> str | bytes:
    """A chart as the content of a .png, .svg or .pdf file; `choices` is asked for the what-if matrix alone.

    Raises OutputError where the projection has nothing to draw there.
    """
    chart, title, subtitle = CHARTS[name][0](found, choices, theme_of(shade))
    if chart is None:
        raise OutputError(f"the projection of {found.name} has nothing to draw as {name}")
    return draw(Framed(chart, title, subtitle, source(found)), ending, shade, width)


def source(found: Projection) -> str:
    """Where the figures come from, in a line."""
    last = found.start + timedelta(days=found.days - 1)
    layers = " + ".join(layer.name for layer in found.price_book.layers)
    draws = f"{found.trials:,} draws, seed {found.seed}"
    return (
        f"Source: costsim {found.costsim_version}, projection of {found.name}, {span_words(found.start, last)}; "
        f"prices {layers} ({found.price_book.hash[:12]}); {draws}"
    )
