"""The table of moves: each task on each candidate model, for a terminal and for other programs."""

from __future__ import annotations

from rich.console import Console

from ..analysis.move_results import Moves, TaskMove
from ..json_text import json_text
from ..money import format_cents as usd
from .escaping import cell
from .fitted import Fitted, TableColumn
from .sheets import as_sheet

COLUMNS = (
    "task", "model", "current", "usd_per_month", "difference_usd_per_month", "kind", "window", "tools", "images",
    "evidence",
)  # fmt: skip


def print_moves(found: Moves, console: Console) -> None:
    """A row per task and model, the cheapest of a task first."""
    columns = [
        TableColumn("task", "key"), TableColumn("model", "key"), TableColumn("per month"), TableColumn("difference"),
        TableColumn("fits", "words"), TableColumn("evidence", "words", goes=1),
    ]  # fmt: skip
    rows = [
        [row.task, row.model, usd(row.usd_per_month), _difference(row), fits(row), row.evidence]
        for row in in_order(found)
    ]
    console.print(Fitted(columns, rows, title=f"{found.name}: each task on each model, USD of 30 days"))


def in_order(found: Moves) -> list[TaskMove]:
    """By task, the cheapest first and those without a price last."""
    tasks = list(dict.fromkeys(row.task for row in found.rows))
    return sorted(
        found.rows, key=lambda row: (tasks.index(row.task), row.usd_per_month is None, row.usd_per_month or 0)
    )


def fits(row: TaskMove) -> str:
    """What does not fit, or is not known; `yes` where all fits."""
    known = {"kind": row.kind, "window": row.window, "tools": row.tools, "images": row.images}
    wrong = [name for name, fit in known.items() if fit == "does not fit"]
    unknown = [name for name, fit in known.items() if fit == "unknown"]
    if wrong:
        return f"no: {', '.join(wrong)}"
    return f"unknown: {', '.join(unknown)}" if unknown else "yes"


def _difference(row: TaskMove) -> str:
    return "as now" if row.current else usd(row.difference_usd_per_month)


def as_json(found: Moves) -> str:
    """The rows as they are."""
    return json_text(found)


def as_csv(found: Moves) -> str:
    """A row per task and model: full precision, empty where unpriced."""
    return as_sheet(COLUMNS, *([getattr(row, name) for name in COLUMNS] for row in in_order(found)))


def as_markdown(found: Moves) -> str:
    """The same as a Markdown table."""
    lines = ["| task | model | USD/month | difference | fits | evidence |", "| --- | --- | ---: | ---: | --- | --- |"]
    for row in in_order(found):
        amounts = f"{usd(row.usd_per_month)} | {_difference(row)}"
        lines.append(f"| {cell(row.task)} | {cell(row.model)} | {amounts} | {fits(row)} | {row.evidence} |")
    return "\n".join(lines) + "\n"
