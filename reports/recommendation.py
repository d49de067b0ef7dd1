"""A recommended routing in the terminal: advice with its evidence, saving, front, and the edit that makes it so."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from ..analysis.recommend.results import Considered, FrontPoint, LoggedMoves, Recommendation, TaskAdvice
from ..analysis.recommend.task_costs import RoutingAdvice
from ..money import format_cents, format_usd
from .escaping import cell
from .evidence import interval
from .fitted import Cell, Fitted, TableColumn
from .numbers import count, percent
from .replay import cache_lines
from .sheets import as_sheet

COLOURS = {"+": "green", "-": "red", "@": "cyan"}
"""Of the lines of a difference, by what they begin with."""

MOST_FRONT_POINTS = 12
CSV_COLUMNS = (
    "task", "advice", "present", "recommended", "model", "usd_per_month", "successes", "runs",
    "success_low", "success_high", "message", "decision",
)  # fmt: skip
_STYLES = {"move": "bold green", "no model clears the floor": "red", "no evidence": "yellow"}


def print_advice(found: RoutingAdvice, console: Console) -> None:
    """Every task's advice and evidence, the saving, the front of whole plans, the diff."""
    recommendation = found.recommendation
    console.print(_tasks(recommendation))
    console.print(saving(recommendation))
    console.print(_successes(recommendation))
    if len(recommendation.front) > 1:
        console.print(_front(recommendation.front))
    for line in _logged(found.logged):
        console.print(Text(line))
    for note in found.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    if found.diff:
        for line in found.diff.rstrip("\n").split("\n"):
            console.print(Text(line, style=COLOURS.get(line[:1], "")))
    else:
        console.print(f"{found.routing_file} stays as it is.")
    for line in to_decide(recommendation):
        console.print(Text(line, style="dim"))


def _logged(moves: LoggedMoves | None) -> list[str]:
    """The moves over the logged calls, as one set, call by call and by whole sessions."""
    if moves is None or moves.total.calls == moves.total.unpriced_calls:
        return []
    total = moves.total
    made = f"All moves made together over the logged calls of {moves.since} to {moves.until}"
    costs = f"{format_cents(total.replayed_usd)}, where {format_cents(total.spent_usd)} was spent"
    return [f"{made}: {costs}.", *cache_lines(moves)]


def to_decide(recommendation: Recommendation) -> list[str]:
    """How each move is recorded, so that the review of the next month measures it."""
    return [f"{task.task}: costsim decide {task.id} --accept" for task in recommendation.tasks if task.id]


def _tasks(recommendation: Recommendation) -> Fitted:
    asked = (
        f"the most successes for {format_cents(recommendation.budget_usd)} a month"
        if recommendation.budget_usd is not None
        else f"the cheapest model that surely succeeds in {recommendation.min_success:.1%} of the runs"
    )
    columns = [
        TableColumn("task", "key"),
        TableColumn("advice", "label"),
        TableColumn("model", "key"),
        TableColumn("USD a month"),
        TableColumn("success", goes=2),
        TableColumn("runs known", goes=1),
        TableColumn("evidence", "words", goes=3),
    ]
    rows: list[list[Cell]] = []
    ends = set[int]()
    for task in recommendation.tasks:
        for number, cells in enumerate(_task_rows(task)):
            advice = Text(task.advice, style=_STYLES.get(task.advice, ""))
            rows.append([*((task.task, advice) if number == 0 else ("", "")), *cells])
        ends.add(len(rows) - 1)
    return Fitted(columns, rows, title=f"For each task {asked}", sections=frozenset(ends))


def _task_rows(task: TaskAdvice) -> Iterator[tuple[str | Text, ...]]:
    """The models with evidence, the present and the recommended one; how many others there are."""
    others = 0
    for row in task.considered:
        chosen, now = row.model == task.model, row.model == task.present
        if not (chosen or now or row.success.trials):
            others += 1
            continue
        yield (
            Text(f"{'> ' if chosen else '  '}{row.model}", style="bold" if chosen else ""),
            format_cents(_within_set(task, row)),
            interval(row.success),
            f"{row.success.trials:,}",
            f"{row.message}, now" if now else row.message,
        )
    if others:
        yield Text(f"  {others} other{'' if others == 1 else 's'}", style="dim"), "", "", "", "no evidence"


def _within_set(task: TaskAdvice, row: Considered) -> Decimal | None:
    """What a model costs a month: the recommended one with its part of what all moves write again, others alone."""
    return task.usd_per_month if row.model == task.model else row.usd_per_month


def saving(recommendation: Recommendation) -> Text:
    """What the recommended routing saves, with its range, in a sentence."""
    found = recommendation.saving
    unknown = [task.task for task in recommendation.tasks if _unknown(task)]
    lacking = f"; in no figure, for want of a price: {', '.join(unknown)}" if unknown else ""
    if not recommendation.changes:
        return Text(f"Nothing to change: {format_cents(recommendation.usd_per_month)} a month{lacking}")
    word = "Saves" if found.expected_usd >= 0 else "Costs"
    more = "of" if found.expected_usd >= 0 else "more than"
    part = f" ({percent(abs(found.percent))})" if found.percent is not None else ""
    spread = (
        f"; P10 {format_cents(found.p10_usd)}, P90 {format_cents(found.p90_usd)}"
        if found.p10_usd is not None and found.p90_usd is not None
        else ""
    )
    amount = format_cents(abs(found.expected_usd))
    message = f"{word} {amount} a month {more} {format_cents(found.present_usd)}{part}{spread}{lacking}"
    return Text(message, style="bold green" if found.expected_usd >= 0 else "bold red")


def _unknown(task: TaskAdvice) -> bool:
    return task.present_usd_per_month is None or task.usd_per_month is None


def _successes(recommendation: Recommendation) -> str:
    now, then = recommendation.present_successes, recommendation.successes
    proof = ""
    if recommendation.budget_usd is not None and recommendation.could_gain_successes:
        proof = f"; no plan for the budget has more than {count(recommendation.could_gain_successes)} more"
    return (
        f"Expected successes: {count(then.expected)} of {count(then.runs)} runs a month (P10 {count(then.p10)},"
        f" P90 {count(then.p90)}), now {count(now.expected)} of {count(now.runs)}{proof}"
    )


def _front(front: list[FrontPoint]) -> Fitted:
    shown = front
    title = "The best plans for any money, from models with evidence"
    if len(front) > MOST_FRONT_POINTS:
        shown = [front[i * (len(front) - 1) // (MOST_FRONT_POINTS - 1)] for i in range(MOST_FRONT_POINTS)]
        title += f" ({len(shown)} of {len(front)})"
    columns = [TableColumn("USD a month"), TableColumn("successes"), TableColumn("USD per further success", goes=1)]
    rows = [
        [
            format_cents(point.usd_per_month),
            count(point.expected_successes),
            "-" if point.usd_per_success is None else format_usd(point.usd_per_success),
            f"{point.task}: {point.before} to {point.after}" if point.task else "the cheapest",
        ]
        for point in shown
    ]
    return Fitted([*columns, TableColumn("last move", "words")], rows, title=title)


def as_csv(found: RoutingAdvice) -> str:
    """A row per task and model that was considered, with its evidence: full precision; safe in a spreadsheet."""
    rows: list[list[object]] = []
    for task in found.recommendation.tasks:
        for row in task.considered:
            names = (task.task, task.advice, task.present, task.model, row.model)
            usd = _within_set(task, row)
            cost = "" if usd is None else f"{usd:f}"
            of = row.success
            rows.append([*names, cost, of.successes, of.trials, of.low, of.high, row.message, task.id])
    return as_sheet(CSV_COLUMNS, *rows)


def as_markdown(found: RoutingAdvice) -> str:
    """Saving, advice by task, and the diff of the routing: for a pull request or a chat."""
    recommendation = found.recommendation
    lines = [f"**{cell(saving(recommendation).plain)}.**", "", cell(_successes(recommendation)) + ".", ""]
    lines += [
        "| task | advice | now | recommended | USD a month | success |",
        "| --- | --- | --- | --- | ---: | ---: |",
    ]
    for task in recommendation.tasks:
        success = next((row.success for row in task.considered if row.model == task.model), None)
        known = interval(success) if success and success.trials else "-"
        names = (cell(name) for name in (task.task, task.advice, task.present, task.model))
        lines.append("| " + " | ".join([*names, format_cents(task.usd_per_month), known]) + " |")
    lines += ["", *(f"- {cell(line)}" for line in _logged(found.logged)), *(f"- {cell(note)}" for note in found.notes)]
    lines += [f"- {cell(line)}" for line in to_decide(recommendation)]
    if found.diff:
        lines += ["", "```diff", found.diff.replace("```", "` ` `").rstrip("\n"), "```"]
    return "\n".join(lines).rstrip("\n") + "\n"
