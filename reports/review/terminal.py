"""A review in the terminal: headline, what to decide, what came of earlier decisions, and the tables behind."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.text import Text

from ...analysis.review.results import Review
from ...money import format_cents, format_usd
from ..fitted import Cell, Fitted, TableColumn
from ..numbers import count
from . import forecasts, taken
from .words import CONVENTION, EFFECTS, GROUPS, HOW_TO_DECIDE, headline, labels, month_name, nothing, signed, spans

MOST = 12
"""Rows of a table; the page has them all."""


def print_review(review: Review, console: Console) -> None:
    """The review, the answer first."""
    for part in _parts(review):
        console.print(part)
        console.print()


def _parts(review: Review) -> Iterator[RenderableType]:
    yield Text(f"{review.name}: routing review of {month_name(review.month)}", style="bold")
    yield Text(headline(review))
    if review.overlaps or review.quality.unpriced:
        unpriced = [
            f"UNPRICED {usage.model}: {usage.calls:,} calls are in no total" for usage in review.quality.unpriced
        ]
        lines = [*(f"OVERLAP {message}" for message in review.overlaps), *unpriced]
        yield Group(*(Text(line, style="bold yellow") for line in lines))
    yield from _decisions(review)
    yield from _taken(review)
    yield from _bridge(review)
    yield from _components(review)
    yield from _forecasts(review)
    yield Group(*(Text(f"note: {note}", style="dim") for note in review.notes))


def _decisions(review: Review) -> Iterator[RenderableType]:
    if not review.decisions:
        yield Text(nothing(review))
        return
    columns = [TableColumn("to decide", "label"), TableColumn("USD a month"), TableColumn("what", "words")]
    rows: list[list[Cell]] = [
        [GROUPS[d.group], "–" if d.worth_usd is None else format_usd(d.worth_usd), d.message, d.id]
        for d in review.decisions
    ]
    yield Fitted([*columns, TableColumn("id", "key")], rows)
    yield Text(f"{CONVENTION} {HOW_TO_DECIDE}", style="dim")


def _taken(review: Review) -> Iterator[RenderableType]:
    rows = taken.rows(review)
    if rows:
        id, when, promised, measured, bridged, message = taken.HEADS
        columns = [
            TableColumn(id, "key"), TableColumn(when, "label", goes=2), TableColumn(promised), TableColumn(measured),
            TableColumn(bridged, goes=1), TableColumn(message, "words"),
        ]  # fmt: skip
        yield Fitted(columns, [list(row[:-1]) for row in rows], title=taken.TITLE)


def _bridge(review: Review) -> Iterator[RenderableType]:
    found = review.bridge
    if found is None:
        return
    before, after = spans(found)
    steps: list[list[Cell]] = [
        [EFFECTS[step.effect], signed(step.usd), step.components[0].component if step.components else ""]
        for step in found.steps
    ]
    rows: list[list[Cell]] = [[before, format_cents(found.before_usd), ""], *steps]
    columns = [TableColumn("effect", "key"), TableColumn("USD"), TableColumn("mostly at", "words", goes=1)]
    yield Fitted(columns, rows, title="Why it changed", total=[after, format_cents(found.after_usd), ""])


def _components(review: Review) -> Iterator[RenderableType]:
    names = labels((m.component, m.agent) for m in review.where.movers)
    rows: list[list[Cell]] = [
        [
            names[m.component, m.agent], format_cents(m.after_usd), format_cents(m.before_usd), signed(m.change_usd),
            EFFECTS[m.mostly] if m.mostly else "",
        ]
        for m in review.where.movers[:MOST]
    ]  # fmt: skip
    if rows:
        columns = [
            TableColumn("component", "key"), TableColumn("this month"), TableColumn("before", goes=1),
            TableColumn("change"), TableColumn("mostly", "label", goes=2),
        ]  # fmt: skip
        more = len(review.where.movers) - len(rows)
        title = "Where it goes" + (f" (and {count(more)} more components)" if more > 0 else "")
        yield Fitted(columns, rows, title=title)


def _forecasts(review: Review) -> Iterator[RenderableType]:
    found = review.calibration
    if found:
        _, actual, early, middle, late = forecasts.HEADS
        columns = [
            TableColumn("component", "key"), TableColumn(actual), TableColumn(early, goes=2),
            TableColumn(middle, goes=1), TableColumn(late),
        ]  # fmt: skip
        title = f"{forecasts.TITLE}: {forecasts.TABLE}"
        yield Fitted(columns, [list(row) for row in forecasts.rows(found)], title=title)
        yield Group(*map(Text, [forecasts.headline(found), *forecasts.record_lines(found)]))
