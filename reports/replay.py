"""A replay in the terminal and for other programs: table, JSON, CSV, Markdown."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from ..analysis.replay.results import Move, Replay, ReplayRow
from ..money import UNPRICED, format_cents, format_range
from .fitted import Fitted, TableColumn
from .numbers import count, percent
from .texts import cell, inert

HEADINGS = ("calls", "spent", "replayed", "P10 - P90", "difference")
CSV_COLUMNS = (
    "by", "name", "calls", "spent_usd", "replayed_usd", "low_usd", "high_usd", "difference_usd", "unpriced_calls",
)  # fmt: skip


def print_replay(replay: Replay, console: Console) -> None:
    """Unpriced calls first, then components, days, and which model's calls went where."""
    if replay.unpriced:
        console.print(Text("UNPRICED: in neither figure", style="bold red"))
        for row in replay.unpriced:
            says = f"  {row.model} ({row.says}): {row.calls:,} calls, {row.tokens:,} tokens"
            console.print(Text(says, style="red"))
        console.print()
    span = f"{replay.since} to {replay.until}" if replay.since else "nothing is logged for those days"
    console.print(Text(f"Replay: {replay.says}; {span}", style="bold"))
    console.print(_table("component", replay.components, replay.total))
    if len(replay.days) > 1:
        console.print(_table("day", replay.days, replay.total))
    if replay.moves:
        console.print(_moves(replay.moves))
    console.print(Text(headline(replay), style="bold green" if replay.total.difference_usd <= 0 else "bold red"))
    console.print(f"Prices {replay.price_book_hash[:12]}")
    for note in replay.notes:
        console.print(Text(f"note: {note}", style="yellow"))


def headline(replay: Replay) -> str:
    """What the other routing would have saved or cost, in a sentence."""
    total, spent = replay.total, format_cents(replay.total.spent_usd)
    if not total.calls:
        return "Nothing is logged for those days"
    if total.calls == total.unpriced_calls:
        return "Nothing can be compared: no call has a price both ways"
    if not total.difference_usd:
        return f"{replay.plan} would have cost what was spent: {spent}"
    amount = format_cents(abs(total.difference_usd))
    part = f" ({percent(abs(total.difference_usd) / total.spent_usd * 100)})" if total.spent_usd else ""
    if total.difference_usd < 0:
        return f"{replay.plan} would have saved {amount} of the {spent} spent{part}"
    return f"{replay.plan} would have cost {amount} more than the {spent} spent{part}"


def _figures(row: ReplayRow) -> tuple[str, ...]:
    if 0 < row.calls == row.unpriced_calls:
        return count(row.calls), UNPRICED, UNPRICED, "-", "-"
    lacking = f" ({row.unpriced_calls:,} unpriced)" if row.unpriced_calls else ""
    return (
        count(row.calls) + lacking,
        format_cents(row.spent_usd),
        format_cents(row.replayed_usd),
        "-" if row.low_usd == row.high_usd else format_range(row.low_usd, row.high_usd),
        format_cents(row.difference_usd),
    )


def _table(of: str, rows: list[ReplayRow], total: ReplayRow) -> Fitted:
    goes = {"calls": 2, "P10 - P90": 1}
    return Fitted(
        [TableColumn(of, "key"), *(TableColumn(heading, goes=goes.get(heading, 0)) for heading in HEADINGS)],
        [[row.name, *_figures(row)] for row in rows],
        total=["total", *_figures(total)],
    )


def _moves(moves: list[Move]) -> Fitted:
    columns = [
        TableColumn("as it ran", "model"),
        TableColumn("as replayed", "model"),
        TableColumn("calls", goes=3),
        TableColumn("spent"),
        TableColumn("replayed"),
        TableColumn("prompt tokens", goes=2),
        TableColumn("output tokens", goes=2),
        TableColumn("multipliers", "words", goes=1),
    ]
    return Fitted(columns, [_move(move) for move in moves], title="Models")


def _move(move: Move) -> list[str]:
    of = move.multiplier
    return [
        move.model,
        "stays" if move.to == move.model else move.to,
        count(move.calls),
        format_cents(move.spent_usd),
        format_cents(move.replayed_usd),
        _multiplier(of.prompt, of.prompt_low, of.prompt_high),
        _multiplier(of.output, of.output_low, of.output_high),
        basis(move),
    ]


def _multiplier(factor: Decimal, low: Decimal, high: Decimal) -> str:
    return "x 1" if low == high == 1 else f"x {factor:.3f} ({low:.3f} - {high:.3f})"


def basis(move: Move) -> str:
    """Where a move's multipliers come from, in words."""
    of = move.multiplier
    if of.basis == "measured":
        tasks = f"{len(of.tasks)} task{'' if len(of.tasks) == 1 else 's'}"
        return f"measured on {tasks}, {of.days} days, {of.calls:,} and {of.other_calls:,} calls"
    if of.basis == "no evidence":
        return "taken as 1: the store has too little of both models on one task"
    return {"same model": "the same model", "as logged": "tokens as logged"}[of.basis]


def as_json(replay: Replay) -> str:
    """The whole result; money as decimal strings."""
    return replay.model_dump_json(indent=2) + "\n"


def as_csv(replay: Replay) -> str:
    """A row per component, per day, and the total: full precision; safe to open in a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    groups = (("component", replay.components), ("day", replay.days), ("total", [replay.total]))
    for by, rows in groups:
        for row in rows:
            money = (row.spent_usd, row.replayed_usd, row.low_usd, row.high_usd, row.difference_usd)
            amounts = [f"{amount:f}" for amount in money]
            writer.writerow([by, inert(row.name), row.calls, *amounts, row.unpriced_calls])
    return text.getvalue()


def as_markdown(replay: Replay) -> str:
    """The components, for a pull request or a chat."""
    lines = [f"- **UNPRICED** {cell(u.model)} ({u.says}): {u.calls:,} calls" for u in replay.unpriced]
    lines += [""] if lines else []
    lines += ["| " + " | ".join(["component", *HEADINGS]) + " |", "| --- |" + " ---: |" * len(HEADINGS)]
    lines += ["| " + " | ".join([cell(row.name), *_figures(row)]) + " |" for row in replay.components]
    lines.append("| " + " | ".join(["**total**", *(f"**{figure}**" for figure in _figures(replay.total))]) + " |")
    notes = [f"- {cell(note)}" for note in replay.notes]
    return (
        "\n".join([*lines, "", cell(headline(replay)) + ".", *notes, f"Prices `{replay.price_book_hash[:12]}`."]) + "\n"
    )
