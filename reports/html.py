"""A projection as one HTML file that needs nothing else: no network, no server, no scripts if it must."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, TypeVar

from ..analysis.projection import exactness
from ..money import format_usd
from . import captions, charts, mixes
from .colours_by_name import agent_of, of_projection
from .next_steps import next_steps
from .numbers import count
from .page import Figure, figure, render_page
from .theme import CSS, Theme
from .vega import warm_up

if TYPE_CHECKING:
    import altair as alt

    from ..analysis.move_results import WhatIf
    from ..analysis.projection import ClaimResult, ComponentCost, PaidClass, Projection, UsedPrice

Subject = TypeVar("Subject")


def render_html(projection: Projection, choices: WhatIf | None = None) -> str:
    """The report as one self-contained HTML document: see `render_page`.

    With `choices`, a reader can try a model for each task. Names out of the architecture are escaped wherever they
    stand.
    """
    warm_up()
    filters: dict[str, Callable[..., str]] = {
        "runs": runs, "stated": stated, "computed": computed, "verdict": verdict, "validity": validity,
    }  # fmt: skip
    return render_page(
        "projection.html.jinja",
        filters,
        ["report.js", *(["what-if.js"] if choices else [])],
        version=projection.costsim_version,
        projection=projection,
        captions=captions,
        colours=of_projection(projection),
        steps=next_steps(projection, found=choices is not None),
        shown=captions.shown_plan(projection),
        figures=figures(projection),
        components=component_rows(projection),
        savings=saving_rows(projection),
        classes=class_rows(projection),
        mixes=mixes,
        sessions=[row for row in captions.shown_plan(projection).components if row.session],
        exactness=exactness,
        found=choices,
        tasks=choosable(choices) if choices else [],
        last=projection.start + timedelta(days=projection.days - 1),
    )


def choosable(choices: WhatIf) -> list[tuple[str, str]]:
    """The tasks that a reader can move, each with the models that it has now."""
    now: dict[str, dict[str, None]] = {}
    for row in choices.rows:
        if row.movable:
            now.setdefault(row.task, {})[row.now.rpartition("/")[2]] = None
    return [(task, ", ".join(models)) for task, models in now.items()]


def figures(projection: Projection) -> list[Figure]:
    """The charts in the order of the page."""
    drawn = [
        _figure("plans", "What each plan costs", captions.of_ranges, charts.plan_ranges, projection, whole=True),
        _figure(
            "components",
            "Cost per day by component",
            captions.of_components,
            charts.cost_by_component,
            projection,
            whole=True,
        ),
        _figure("days", "Cost day by day", captions.of_days, charts.daily_cost, projection, whole=True),
    ]
    if projection.waterfall:
        title = "From naive to routed, step by step"
        drawn.append(_figure("waterfall", title, captions.of_waterfall, charts.waterfall, projection, whole=True))
    drawn.append(_figure("models", "Cost per day by model", captions.of_models, charts.cost_by_model, projection))
    if len({agent_of(row) for plan in projection.plans for row in plan.components}) > 1:
        title = "Cost per day by agent"
        drawn.append(_figure("agents", title, captions.of_agents, charts.cost_by_agent, projection))
    return drawn


def _figure(
    name: str,
    title: str,
    caption: Callable[[Subject], str],
    chart: Callable[[Subject, Theme], alt.LayerChart],
    subject: Subject,
    *,
    whole: bool = False,
) -> Figure:
    return figure(name, title, caption(subject), chart(subject, CSS), whole=whole)


def component_rows(projection: Projection) -> list[tuple[ComponentCost, list[ComponentCost | None]]]:
    """Each component with its row under every plan (None: not in it); unpriced first, then the most expensive."""
    by_plan = [{row.name: row for row in plan.components} for plan in projection.plans]
    shown = {row.name: row for row in captions.shown_plan(projection).components}
    first = shown | {name: row for plan in by_plan for name, row in plan.items() if name not in shown}
    ordered = sorted(first.values(), key=_unpriced_then_most_expensive)
    return [(row, [plan.get(row.name) for plan in by_plan]) for row in ordered]


def class_rows(projection: Projection) -> list[tuple[str, list[PaidClass | None]]]:
    """Each token class with its cost under every plan (None: costs nothing there), in the order of the plan shown."""
    by_plan = [{part.token_class: part for part in plan.classes} for plan in projection.plans]
    first = [part.token_class for part in captions.shown_plan(projection).classes]
    names = dict.fromkeys([*first, *(name for parts in by_plan for name in parts)])
    return [(name, [parts.get(name) for parts in by_plan]) for name in names]


def saving_rows(projection: Projection) -> list[tuple[str, list[Decimal | None]]]:
    """Each component's part in every saving, in the order of the first."""
    by_saving = [{part.name: part.expected_usd_per_day for part in s.components} for s in projection.savings]
    names = dict.fromkeys(name for parts in by_saving for name in parts)
    return [(name, [parts.get(name) for parts in by_saving]) for name in names]


def _unpriced_then_most_expensive(row: ComponentCost) -> tuple[bool, Decimal]:
    return (row.expected_usd_per_day is not None, -(row.expected_usd_per_day or Decimal(0)))


def runs(rows: list[ComponentCost | None]) -> str:
    """Runs per day: one figure where all plans agree, else one for each."""
    return " / ".join(dict.fromkeys(count(row.runs_per_day) for row in rows if row and row.tokens != "flat")) or "–"


def stated(claim: ClaimResult) -> str:
    """What a claim says, with its unit, before the tolerance if any; a range with a dash."""
    figures, space, tolerance = claim.stated.replace("-", "–").partition(" ")
    amount = f"${figures}" if claim.unit == "usd_per_day" else f"{figures}×"
    return f"{amount}{space}{tolerance}"


def computed(claim: ClaimResult) -> str:
    """What a claim came to, with its unit."""
    if claim.computed is None or claim.unit == "usd_per_day":
        return format_usd(claim.computed)
    return f"{count(claim.computed)}×"


def verdict(claim: ClaimResult) -> str:
    """Whether a claim holds, as a word."""
    return "unknown" if claim.holds is None else "yes" if claim.holds else "no"


def validity(price: UsedPrice) -> str:
    """When a price holds, in UTC; the end is not in it."""
    since, until = (edge and _moment(edge) for edge in (price.valid_from, price.valid_to))
    if since and until:
        return f"{since} to {until}"
    return f"from {since}" if since else f"until {until}" if until else "always"


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return f"{moment:%Y-%m-%d}" if not (moment.hour or moment.minute) else f"{moment:%Y-%m-%d %H:%M}"
