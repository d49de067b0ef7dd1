"""A monthly review as one HTML file: the answer first, then where it comes from, complete without scripts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from ...analysis.review.charted import spent_so_far
from ...money import format_usd
from ...shown import MAX_NAME, shortened_line
from ...tokens import UNIT_CLASSES
from .. import reconcile
from ..colours_by_name import last_part, of_month
from ..escaping import inert
from ..html import choosable, validity
from ..numbers import count, percent
from ..page import Figure, figure, render_page
from ..theme import CSS
from ..vega import warm_up
from . import charts, forecasts, taken, words
from .embedded import columns, day_table, embed

if TYPE_CHECKING:
    from ...analysis.outcomes.outcomes import SuccessRate
    from ...analysis.review.results import Cell, ClassCost, Mover, Review

STRIP_TALL = 50
"""The most expensive day's height in a component's strip of days."""


@dataclass(frozen=True)
class ComponentPart:
    """One component: its change, its models in the month, and its days as a drawing."""

    name: str
    agent: str
    usd: Decimal | None
    mover: Mover | None
    cells: list[Cell]
    strip: str
    strip_box: str
    strip_message: str


def render_review(review: Review) -> str:
    """The review as one self-contained HTML document: see `render_page`. Names are escaped wherever they stand."""
    from ...analysis.review.price_changes import RIVALS_AHEAD

    warm_up()
    filters: dict[str, Callable[..., Any]] = {
        "rate": rate, "month_name": words.month_name, "short": last_part, "signed": words.signed,
        "validity": validity,
    }  # fmt: skip
    return render_page(
        "review.html.jinja",
        filters,
        ["review.js", "report.js", *(["what-if.js"] if review.what_if else [])],
        version=review.costsim_version,
        review=review,
        words=words,
        colours=of_month(review.where),
        taken=taken,
        forecasts=forecasts,
        pairs=reconcile,
        figures={drawn.id: drawn for drawn in figures(review)},
        components=component_parts(review),
        found=review.what_if,
        tasks=choosable(review.what_if) if review.what_if else [],
        classes=class_shares(review),
        embedded=embed(review),
        rivals_ahead=RIVALS_AHEAD.days,
    )


def figures(review: Review) -> list[Figure]:
    """The charts that this review has something to draw for."""
    drawn: list[Figure] = []
    if review.bridge and review.bridge.steps:
        chart = charts.bridge(review.bridge, CSS)
        data = [(step.effect, part.component, part.usd) for step in review.bridge.steps for part in step.components]
        table = csv_link(("effect", "component", "usd"), data)
        caption = words.of_bridge(review)
        drawn.append(figure("bridge", "From month to month", caption, chart, whole=True, query="bridge", csv=table))
    if review.headline.forecast and not review.headline.month.complete:
        chart, caption = charts.outlook(review, CSS), words.of_outlook(review)
        drawn.append(
            figure("outlook", "How the month may end", caption, chart, whole=True, csv=csv_link(*_outlook(review)))
        )
    if review.where.days:
        header, days = day_table(review.where)
        table = csv_link(header, days)
        anomalies = "; ".join(a.message for a in review.where.anomalies) or "No day was unusual for its weekday"
        chart = charts.days(review.where, CSS)
        rows = {"days": len(days), "columns_of_csv": charts.day_ranks(review.where, columns(review.where), CSS)}
        drawn.append(
            figure("days", "Day by day", f"{anomalies}.", chart, rows=rows, whole=True, query="days", csv=table)
        )
    if review.where.cells:
        cells = [(c.component, c.agent, c.model, c.calls, c.tokens, c.usd) for c in review.where.cells]
        table = csv_link(("component", "agent", "model", "calls", "tokens", "usd"), cells)
        caption = "The stronger the shade, the more expensive in this month."
        chart = charts.heat_map(review.where, CSS)
        drawn.append(figure("heat", "Components by models", caption, chart, whole=True, query="where", csv=table))
    if any(row.model and row.success.rate is not None for row in review.performance.tasks):
        rates = [(r.task, r.model, r.success.trials, r.success.successes) for r in review.performance.tasks if r.model]
        table = csv_link(("task", "model", "trials", "successes"), rates)
        chart = charts.success(review, CSS)
        caption = "The interval says how sure the rate is: few runs leave much open."
        drawn.append(
            figure("success", "Solved by task and model", caption, chart, whole=True, query="performance", csv=table)
        )
    if review.calibration:
        checks = [tuple(check.model_dump().values()) for check in review.calibration.checks]
        table = csv_link([*review.calibration.checks[0].model_dump()], checks)
        chart, caption = forecasts.calibration(review.calibration, CSS), forecasts.caption(review.calibration)
        drawn.append(
            figure(
                "calibration", "Forecasts against what happened", caption, chart, whole=True, query="days", csv=table
            )
        )
    return drawn


def _outlook(review: Review) -> tuple[Sequence[str], list[Sequence[Any]]]:
    """USD since the month's first day: spent by the end of each day, and how the month may end."""
    forecast = review.headline.forecast
    assert forecast is not None  # noqa: S101 (the caller has looked)
    spent = [(day, cost, None, None, None, None) for day, cost in spent_so_far(review)]
    end = forecast.days[-1].day if forecast.days else forecast.as_of
    ends = (end, None, forecast.expected_usd, forecast.p10_usd, forecast.p50_usd, forecast.p90_usd)
    return ("day", "spent_usd", "expected_usd", "p10_usd", "p50_usd", "p90_usd"), [*spent, ends]


def component_parts(review: Review) -> list[ComponentPart]:
    """Every component (by agent) of the month and the one before, the most expensive first; unpriced ones last."""
    movers = {(mover.component, mover.agent): mover for mover in review.where.movers}
    days: dict[tuple[str, str], dict[date, Decimal]] = {}
    for d in review.where.days:
        days.setdefault((d.component, d.agent), {})[d.day] = d.usd
    cells: dict[tuple[str, str], list[Cell]] = {key: [] for key in days}
    for cell in review.where.cells:
        cells.setdefault((cell.component, cell.agent), []).append(cell)
    known = [d.day for d in review.where.days]
    span = (min(known), max(known)) if known else (date.max, date.min)
    parts = [
        ComponentPart(*key, _total(own), movers.get(key), own, *_strip(days.get(key, {}), *span))
        for key, own in cells.items()
    ]
    return sorted(parts, key=lambda part: (part.usd is None, -(part.usd or Decimal(0)), part.name, part.agent))


class ClassShare(NamedTuple):
    """A token class with its share of the month's tokens and of its cost, in percent; None where there is none."""

    of: ClassCost
    of_tokens: Decimal | None
    of_usd: Decimal | None


def class_shares(review: Review) -> list[ClassShare]:
    """The token classes; searches and calls are no tokens."""
    tokens = sum(c.units for c in review.where.classes if c.token_class not in UNIT_CLASSES)
    usd = sum((c.usd or Decimal(0) for c in review.where.classes), Decimal(0))
    return [
        ClassShare(
            c,
            Decimal(100 * c.units) / tokens if tokens and c.token_class not in UNIT_CLASSES else None,
            100 * c.usd / usd if c.usd is not None and usd else None,
        )
        for c in review.where.classes
    ]


def _total(cells: Sequence[Cell]) -> Decimal | None:
    known = [cell.usd for cell in cells if cell.usd is not None]
    return sum(known, Decimal(0)) if known or not cells else None


def _strip(costs: Mapping[date, Decimal], first: date, last: date) -> tuple[str, str, str]:
    """A step for each day of both months: the path, the box it stands in, and words; numbers and dates only."""
    if not costs:
        return "", "", ""
    days, most = (last - first).days + 1, max(costs.values())
    known = [costs.get(first + timedelta(days=n), Decimal(0)) for n in range(days)]
    steps = "h1".join(f"V{STRIP_TALL - _tall(cost, most)}" for cost in known)
    box = f'viewBox="0 0 {days} {STRIP_TALL}" preserveAspectRatio="none"'
    return (
        f"M0 {STRIP_TALL}{steps}h1V{STRIP_TALL}z",
        box,
        f"{days} days from {first}; the most expensive {format_usd(most)}",
    )


def _tall(cost: Decimal, most: Decimal) -> int:
    """What costs something is seen."""
    return max(1, round(cost / most * STRIP_TALL)) if cost > 0 else 0


def csv_link(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV as a data URI, to be saved without a script, however many rows; safe to open in a spreadsheet. Names are
    bounded as in the page: it repeats them in every row."""
    from markupsafe import Markup

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (columns, *rows):
        writer.writerow([_plain(value) for value in row])
    return Markup("data:text/csv;charset=utf-8," + quote(text.getvalue(), safe=",:"))  # noqa: S704 (all is quoted)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else inert(shortened_line(value, MAX_NAME)) if isinstance(value, str) else str(value)


def rate(success: SuccessRate | None) -> str:
    """`98.7% of 230 (97.1 to 99.5%)`."""
    if success is None or success.rate is None:
        return "no runs"
    shown, low, high = (percent(Decimal(str(100 * share))) for share in (success.rate, success.low, success.high))
    return f"{shown} of {count(success.trials)} ({low.removesuffix('%')} to {high})"
