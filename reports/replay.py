"""A replay in the terminal and for other programs: table, JSON, CSV, Markdown."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.text import Text

from ..analysis.recommend.results import LoggedMoves
from ..analysis.replay.results import Move, Replay, ReplayRow
from ..money import UNPRICED, format_cents, format_range
from ..plurals import counted
from .escaping import cell
from .fitted import Fitted, TableColumn
from .numbers import count, percent
from .sheets import as_sheet

HEADINGS = ("calls", "spent", "replayed", "P10 - P90", "difference")
CSV_COLUMNS = (
    "by", "name", "calls", "spent_usd", "replayed_usd", "low_usd", "high_usd", "difference_usd", "unpriced_calls",
    "switch_usd", "whole_sessions_usd", "pays_from_turns",
)  # fmt: skip
CACHE_HEADINGS = ("written again", "whole sessions", "pays from")


def print_replay(replay: Replay, console: Console) -> None:
    """Unpriced calls first, then components, tasks, days, and which model's calls went where."""
    if replay.unpriced:
        console.print(Text("UNPRICED: in neither figure", style="bold red"))
        for row in replay.unpriced:
            message = f"  {row.model} ({row.message}): {row.calls:,} calls, {row.tokens:,} tokens"
            console.print(Text(message, style="red"))
        console.print()
    span = f"{replay.since} to {replay.until}" if replay.since else "nothing is logged for those days"
    console.print(Text(f"Replay: {replay.message}; {span}", style="bold"))
    console.print(_table("component", replay, replay.components))
    if _several(replay.tasks):
        console.print(_table("task", replay, replay.tasks))
    if len(replay.days) > 1:
        console.print(_table("day", replay, replay.days))
    if replay.moves:
        console.print(_moves(replay))
    console.print(Text(headline(replay), style="bold green" if replay.total.difference_usd <= 0 else "bold red"))
    for line in cache_lines(replay):
        console.print(line)
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


def cache_lines(replay: Replay | LoggedMoves) -> list[str]:
    """The cache effects in sentences: what switches cost, what whole sessions would have, when a switch pays."""
    if not replay.total.calls:
        return []
    if replay.cache_effects == "not counted":
        return ["Without cache effects: the log has no session ids."]
    return [_switched(replay), *(_pays(move) for move in replay.moves if move.pays_from_turns)]


def _switched(replay: Replay | LoggedMoves) -> str:
    total, switches = replay.total, sum(move.switches for move in replay.moves)
    if not switches:
        return "No session changes its model within its cache's life: no cached prefix is written again."
    whole = format_cents(total.whole_sessions_usd)
    return (
        f"Moved call by call, {format_cents(total.switch_usd)} of the {format_cents(total.replayed_usd)} is for cached "
        f"prefixes that {counted(switches, 'call')} would have written again on another model; "
        f"whole sessions moved: {whole}."
    )


def _pays(move: Move) -> str:
    if move.pays_from_turns == "never":
        return f"A switch from {move.model} to {move.to} within a session never pays: its calls save nothing there."
    turns = move.pays_from_turns
    more = "turn there" if turns == 1 else "turns there or more"
    return f"A switch from {move.model} to {move.to} within a session pays with {turns:,} {more}."


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


def _cached(row: ReplayRow) -> tuple[str, ...]:
    """The figures of CACHE_HEADINGS."""
    return format_cents(row.switch_usd), format_cents(row.whole_sessions_usd), turns(row)


def _several(tasks: list[ReplayRow]) -> list[ReplayRow]:
    """The tasks, where the log distinguishes any."""
    return tasks if len(tasks) > 1 else []


def turns(row: ReplayRow | Move) -> str:
    """From how many turns on a switch pays."""
    of = row.pays_from_turns
    return "-" if of is None else of if of == "never" else counted(of, "turn")


def _headings(replay: Replay) -> tuple[str, ...]:
    return HEADINGS if replay.cache_effects == "not counted" else (*HEADINGS, *CACHE_HEADINGS)


def _row(replay: Replay, row: ReplayRow) -> tuple[str, ...]:
    return _figures(row) if replay.cache_effects == "not counted" else (*_figures(row), *_cached(row))


def _table(of: str, replay: Replay, rows: list[ReplayRow]) -> Fitted:
    goes = {"calls": 4, "P10 - P90": 1, "written again": 3, "pays from": 2}
    return Fitted(
        [TableColumn(of, "key"), *(TableColumn(heading, goes=goes.get(heading, 0)) for heading in _headings(replay))],
        [[row.name or f"(no {of})", *_row(replay, row)] for row in rows],
        total=["total", *_row(replay, replay.total)],
    )


def _moves(replay: Replay) -> Fitted:
    columns = [
        TableColumn("as it ran", "model"),
        TableColumn("as replayed", "model"),
        TableColumn("calls", goes=5),
        TableColumn("spent"),
        TableColumn("replayed"),
        TableColumn("prompt tokens", goes=2),
        TableColumn("output tokens", goes=2),
        TableColumn("multipliers", "words", goes=1),
    ]
    if replay.cache_effects != "not counted":
        columns[5:5] = [
            TableColumn("switches", goes=3),
            TableColumn("written again", goes=4),
            TableColumn("pays from", goes=4),
        ]
    return Fitted(columns, [_move(replay, move) for move in replay.moves], title="Models")


def _move(replay: Replay, move: Move) -> list[str]:
    of = move.multiplier
    counted = replay.cache_effects != "not counted"
    cached = [count(move.switches), format_cents(move.switch_usd), turns(move)] if counted else []
    return [
        move.model,
        "stays" if move.to == move.model else move.to,
        count(move.calls),
        format_cents(move.spent_usd),
        format_cents(move.replayed_usd),
        *cached,
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


def as_csv(replay: Replay) -> str:
    """A row per component, task (where there are several), day, and total: full precision; safe in a spreadsheet."""
    rows: list[list[object]] = []
    groups = (
        ("component", replay.components), ("task", _several(replay.tasks)),
        ("day", replay.days), ("total", [replay.total]),
    )  # fmt: skip
    for by, group in groups:
        for row in group:
            money = (row.spent_usd, row.replayed_usd, row.low_usd, row.high_usd, row.difference_usd)
            amounts = [f"{amount:f}" for amount in money]
            whole = "" if row.whole_sessions_usd is None else f"{row.whole_sessions_usd:f}"
            cached = [f"{row.switch_usd:f}", whole, row.pays_from_turns]
            rows.append([by, row.name, row.calls, *amounts, row.unpriced_calls, *cached])
    return as_sheet(CSV_COLUMNS, *rows)


def _sentences(replay: Replay) -> str:
    return " ".join([cell(headline(replay)) + ".", *map(cell, cache_lines(replay))])


def as_markdown(replay: Replay) -> str:
    """The components, for a pull request or a chat."""
    lines = [f"- **UNPRICED** {cell(u.model)} ({u.message}): {u.calls:,} calls" for u in replay.unpriced]
    lines += [""] if lines else []
    headings = _headings(replay)
    lines += ["| " + " | ".join(["component", *headings]) + " |", "| --- |" + " ---: |" * len(headings)]
    lines += ["| " + " | ".join([cell(row.name), *_row(replay, row)]) + " |" for row in replay.components]
    total = [f"**{figure}**" for figure in _row(replay, replay.total)]
    lines.append("| " + " | ".join(["**total**", *total]) + " |")
    notes = [f"- {cell(note)}" for note in replay.notes]
    return "\n".join([*lines, "", _sentences(replay), *notes, f"Prices `{replay.price_book_hash[:12]}`."]) + "\n"
