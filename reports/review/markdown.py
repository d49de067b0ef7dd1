"""A review in Markdown, for a pull request or a chat: the headline, what to decide, and the tables behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...money import format_cents, format_usd
from ..colours_by_name import last_part
from ..escaping import cell
from ..numbers import count, percent
from ..reconcile import cause_lines, completeness, pair_headline
from . import forecasts, taken
from .html import rate
from .words import (
    CONVENTION,
    EFFECTS,
    HOW_TO_DECIDE,
    OWNERS,
    grouped,
    headline,
    labels,
    month_name,
    nothing,
    signed,
    spans,
)

if TYPE_CHECKING:
    from ...analysis.review.results import OwnerCosts, Review

MOST = 10
"""Rows of a table; the page has them all."""


def as_markdown(review: Review) -> str:
    """The review as Markdown text; names are escaped."""
    lines = [f"## {cell(review.name)}: routing review of {month_name(review.month)}", "", headline(review), ""]
    lines += [f"- **OVERLAP** {cell(message)}" for message in review.overlaps] + [""] * bool(review.overlaps)
    lines += _decisions(review)
    for title, columns, rows in (
        (taken.TITLE, taken.HEADS, _taken(review)),
        ("Why it changed", ("effect", "USD"), _bridge(review)),
        ("Where it goes", ("component", "this month", "before", "change", "mostly"), _movers(review)),
        ("By token class", ("class", "tokens", "cost"), _classes(review)),
        *((OWNERS[of.dimension], (of.dimension, "calls", "cost"), _owners(of)) for of in review.where.owners),
        ("Drift", ("component", "task", "configured", "went to", "calls", "worth"), _drift(review)),
        ("Could move down", ("task", "from", "to", "saves", "evidence"), _moves(review)),
        ("Prices", ("model", "class", "what", "from", "before", "after", "worth"), _prices(review)),
    ):
        lines += _table(title, columns, rows)
    return "\n".join([*lines, *_forecasts(review), *_agreement(review), "", _quality(review)]) + "\n"


def _forecasts(review: Review) -> list[str]:
    """Past forecasts against what happened, and the record."""
    if review.calibration is None:
        return []
    table = _table(forecasts.TITLE, forecasts.HEADS, forecasts.rows(review.calibration))
    record = [f"- {line}" for line in forecasts.record_lines(review.calibration)]
    return [*table, "", f"{forecasts.TABLE}. {cell(forecasts.headline(review.calibration))}", "", *record]


def _agreement(review: Review) -> list[str]:
    """Whether the sources agree with one another and with the bill."""
    lines = ["", "### Do the sources and the bill agree?", ""] if review.agreement else []
    for pair in review.agreement:
        lines.append(f"- {cell(pair_headline(pair))}. {cell(completeness(pair))}")
        lines += [f"  {cell(line)}" for line in cause_lines(pair)[:MOST]]
    return lines


def _decisions(review: Review) -> list[str]:
    if not review.decisions:
        return [nothing(review)]
    lines = []
    for title, decisions in grouped(review):
        lines += [f"**{title}**", ""]
        lines += [
            f"- **{format_usd(d.worth_usd) if d.worth_usd is not None else '–'}** {cell(d.message)} (`{d.id}`)"
            for d in decisions
        ]
        lines += [""]
    return [*lines, f"{CONVENTION} {HOW_TO_DECIDE}"]


def _taken(review: Review) -> list[Sequence[str]]:
    """As the page has them, without the words of the proposals."""
    return [row[:-1] for row in taken.rows(review)]


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = ["", f"### {title}", "", f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    lines += [f"| {' | '.join(cell(word) for word in row)} |" for row in rows[:MOST]]
    return lines + ([f"\nand {len(rows) - MOST:,} more"] if len(rows) > MOST else [])


def _bridge(review: Review) -> list[Sequence[str]]:
    if not review.bridge:
        return []
    found = review.bridge
    steps = [(EFFECTS[step.effect], signed(step.usd)) for step in found.steps]
    before, after = spans(found)
    return [(before, format_cents(found.before_usd)), *steps, (after, format_cents(found.after_usd))]


def _movers(review: Review) -> list[Sequence[str]]:
    names = labels((m.component, m.agent) for m in review.where.movers)
    return [
        (
            names[m.component, m.agent],
            format_usd(m.after_usd),
            format_usd(m.before_usd),
            signed(m.change_usd),
            EFFECTS[m.mostly] if m.mostly else "",
        )
        for m in review.where.movers
    ]


def _classes(review: Review) -> list[Sequence[str]]:
    return [(c.token_class, count(c.units), format_usd(c.usd)) for c in review.where.classes]


def _owners(of: OwnerCosts) -> list[Sequence[str]]:
    named = {"others": "others", "unattributed": "unattributed"}
    return [(named.get(row.kind, row.name), count(row.calls), format_usd(row.usd)) for row in of.rows]


def _drift(review: Review) -> list[Sequence[str]]:
    return [
        (d.component, d.task, last_part(d.configured), last_part(d.went_to), count(d.calls), signed(d.worth_usd))
        for d in review.drift
    ]


def _moves(review: Review) -> list[Sequence[str]]:
    return [
        (move.task, last_part(move.model), last_part(move.to), format_usd(move.saving_usd), rate(move.success))
        for move in review.moves
    ]


def _prices(review: Review) -> list[Sequence[str]]:
    return [
        (
            last_part(m.model), m.token_class, m.kind, str(m.at or "–"),
            "–" if m.before_usd is None else format_usd(m.before_usd),
            format_usd(m.after_usd), "–" if m.worth_usd is None else signed(m.worth_usd),
        )
        for m in review.prices.moves
    ]  # fmt: skip


def _quality(review: Review) -> str:
    q = review.quality
    unpriced = f"{len(q.unpriced)} models without a price (in no figure)" if q.unpriced else "every model has a price"
    rejected = f"{count(q.rejected_lines)} lines unreadable" if q.rejected_lines else "every line was read"
    total = review.headline.month.usd
    share = f" ({percent(q.unattributed_usd / total * 100)})" if total else ""
    owner = (
        f"{format_usd(q.unattributed_usd)}{share} belongs to no component"
        if q.unattributed_calls
        else "every call has a component"
    )
    made = f"Prices `{review.prices.book_hash[:12]}`, costsim {review.costsim_version}."
    complete = ", ".join(f"{cell(source.source)} {source.percent:f} %" for source in q.completeness)
    missing = [f"- Not in the total: {cell(message)}" for message in q.not_in_total]
    whole = f" Complete: {complete}." if complete else ""
    return "\n".join([f"Data: {unpriced}; {rejected}; {owner}.{whole} {made}", *[""][: len(missing)], *missing])
