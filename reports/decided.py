"""Decisions that were taken, and those that are open: in the terminal, as CSV, as Markdown."""

from __future__ import annotations

from rich.console import Console

from ..analysis.decided.results import DecisionList, DecisionRecord
from ..money import format_cents, format_range
from .escaping import cell
from .fitted import Fitted, TableColumn
from .sheets import as_sheet

CSV_COLUMNS = (
    "id", "decision", "date", "month", "promised_usd_per_month", "low_usd_per_month", "high_usd_per_month", "who",
    "what", "note",
)  # fmt: skip
COLUMNS = (
    TableColumn("id", "key"),
    TableColumn("decision", "label"),
    TableColumn("date", "label"),
    TableColumn("promised per month"),
    TableColumn("P10 to P90", goes=1),
    TableColumn("who", "label", goes=2),
    TableColumn("what", "words"),
)


def recorded(record: DecisionRecord) -> str:
    """What was recorded, in a sentence."""
    usd = record.promised_usd_per_month
    promise = "it changes no routing: no review measures it" if record.change is None else "it promised nothing"
    if usd is not None:
        promise = f"promised are {format_cents(usd)} per month; the reviews from {record.on:%Y-%m} on measure it"
    return f"{record.id} {record.decision}" + ("" if record.decision == "rejected" else f"; {promise}")


def print_list(found: DecisionList, console: Console) -> None:
    """What was recorded, and what is open."""
    rows = [*((r.decision, r) for r in found.recorded), *(("open", r) for r in found.open)]
    if not rows:
        console.print(f"{found.file}: nothing was decided, and nothing is open")
        return
    left = f", and what the review of {found.month} leaves open" if found.month else ""
    lines = [[r.id, state, _date(r, state), *_money(r), r.who, _what(r)] for state, r in rows]
    console.print(Fitted(COLUMNS, lines, title=f"Decisions of {found.file}{left}"))
    if found.open:
        console.print("Record one with: costsim decide ID --accept, or --reject", style="dim")


def _date(record: DecisionRecord, state: str) -> str:
    return "" if state == "open" else str(record.on)


def _money(record: DecisionRecord) -> tuple[str, str]:
    usd, low, high = record.promised_usd_per_month, record.low_usd_per_month, record.high_usd_per_month
    between = format_range(low, high) if low is not None and high is not None else ""
    return "-" if usd is None else format_cents(usd), between if " to " in between else ""


def _what(record: DecisionRecord) -> str:
    return f"{record.what} ({record.note})" if record.note else record.what


def as_csv(found: DecisionList) -> str:
    """A row for each: full precision; safe in a spreadsheet."""
    rows: list[list[object]] = []
    for state, r in [*((r.decision, r) for r in found.recorded), *(("open", r) for r in found.open)]:
        amounts = (r.promised_usd_per_month, r.low_usd_per_month, r.high_usd_per_month)
        usd = ["" if amount is None else f"{amount:f}" for amount in amounts]
        rows.append([r.id, state, _date(r, state), r.month, *usd, r.who, r.what, r.note])
    return as_sheet(CSV_COLUMNS, *rows)


def as_markdown(found: DecisionList) -> str:
    """A table for a pull request or a chat."""
    lines = ["| id | decision | date | promised per month | who | what |", "| --- | --- | --- | ---: | --- | --- |"]
    for state, r in [*((r.decision, r) for r in found.recorded), *(("open", r) for r in found.open)]:
        words = (r.id, state, _date(r, state), _money(r)[0], r.who, _what(r))
        lines.append(f"| {' | '.join(cell(word) for word in words)} |")
    return "\n".join(lines) + "\n"
