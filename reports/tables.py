"""A projection for other programs and documents: CSV, Markdown and JSON."""

from __future__ import annotations

from ..analysis.projection import ComponentCost, PlanResult, Projection, SpawnNode
from ..json_text import json_text
from ..money import format_cents as usd
from .escaping import cell
from .mixes import mixes_markdown
from .numbers import count, percent
from .sheets import as_sheet

MONTH_DAYS = 30
COLUMNS = (
    "plan", "component", "agent", "task", "model", "runs_per_day", "expected_usd_per_day",
    "p10_usd_per_day", "p50_usd_per_day", "p90_usd_per_day", "tokens", "price_book",
)  # fmt: skip


def as_json(projection: Projection) -> str:
    """The contract that `costsim schema run` publishes."""
    return json_text(projection)


def as_csv(projection: Projection) -> str:
    """A row per plan and component: full precision, empty where unpriced; safe to open in a spreadsheet."""
    hash = projection.price_book.hash
    return as_sheet(COLUMNS, *(_csv_row(plan.name, row, hash) for plan in projection.plans for row in plan.components))


def _csv_row(plan: str, row: ComponentCost, book_hash: str) -> list[str]:
    names = (plan, row.name, row.agent, row.task, row.model)
    amounts = (row.expected_usd_per_day, row.p10_usd_per_day, row.p50_usd_per_day, row.p90_usd_per_day)
    figures = ["" if amount is None else f"{amount:f}" for amount in amounts]
    return [*names, f"{row.runs_per_day:f}", *figures, row.tokens, book_hash]


def as_markdown(projection: Projection) -> str:
    """Headline, table of components by plan, savings, claims: for a pull request or a chat."""
    lines = [f"## {cell(projection.name)}: {projection.days} days from {projection.start}", ""]
    lines += [f"- what if {cell(edit)}" for edit in projection.what_if]
    lines += [f"- baseline: {cell(projection.baseline)}"] if projection.baseline else []
    lines += [f"- **DOES NOT FIT** {cell(entry.message)}" for entry in projection.outgrown]
    lines += [f"- **UNPRICED** {cell(u.model)} (plan {cell(u.plan)}): {u.reason}" for u in projection.unpriced]
    lines += [f"- ranges: {cell(projection.range_note)}"] if projection.range_note else []
    plans = projection.plans
    header = ["component", "agent", *(f"{cell(plan.name)} USD/day" for plan in plans), "runs/day"]
    rows = [header, ["---", "---", *("---:" for _ in plans), "---:"]]
    by_plan = [{row.name: row for row in plan.components} for plan in plans]
    for name in dict.fromkeys(row.name for plan in plans for row in plan.components):
        found = [plan.get(name) for plan in by_plan]
        first = next(row for row in found if row)
        costs = ["-" if row is None else usd(row.expected_usd_per_day) for row in found]
        rows.append([cell(name), cell(first.agent), *costs, count(first.runs_per_day)])
    rows.append(["**total per day**", "", *(f"**{usd(plan.expected_usd_per_day)}**" for plan in plans), ""])
    rows.append([f"**total, {MONTH_DAYS} days**", "", *(f"**{_month(plan)}**" for plan in plans), ""])
    lines += ["", *("| " + " | ".join(row) + " |" for row in rows), ""]
    lines += _spawns(next((plan for plan in plans if plan.name == "routed"), plans[0]))
    for saving in projection.savings:
        lines.append(
            f"**{cell(saving.plan)}** against {cell(saving.baseline)}: {usd(saving.expected_usd_per_day)} per day"
            f" ({percent(saving.percent)}), P10 {usd(saving.p10_usd_per_day)}, P90 {usd(saving.p90_usd_per_day)}  "
        )
    lines += _waterfall(projection)
    lines += mixes_markdown(projection)
    if projection.claims:
        lines += ["", "| claim | stated | computed | book | holds |", "| --- | ---: | ---: | --- | --- |"]
        verdicts = {True: "yes", False: "no", None: "unknown"}
        for claim in projection.claims:
            computed = "unpriced" if claim.computed is None else f"{claim.computed:.6g}"
            cells = [cell(claim.message), claim.stated, computed, cell(claim.book), verdicts[claim.holds]]
            lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        f"Prices `{projection.price_book.hash[:12]}`, {projection.trials:,} trials, seed {projection.seed}.",
    ]
    return "\n".join(lines) + "\n"


def _month(plan: PlanResult) -> str:
    """The plan's cost of a month of 30 days."""
    daily = plan.expected_usd_per_day
    return usd(None if daily is None else daily * MONTH_DAYS)


def _spawns(plan: PlanResult) -> list[str]:
    """The spawn trees as nested lists."""
    lines = [line for node in plan.spawn_trees for line in _spawn_lines(node, 0)]
    return (
        [f"Spawns ({cell(plan.name)}), USD per day alone and with all that was spawned:", "", *lines, ""]
        if lines
        else []
    )


def _spawn_lines(node: SpawnNode, depth: int) -> list[str]:
    amounts = f"{usd(node.expected_usd_per_day)} alone, {usd(node.with_spawned_usd_per_day)} with spawned"
    own = f"{'  ' * depth}- {cell(node.component)}: {count(node.runs_per_day)} runs, {amounts}"
    return [own, *(line for child in node.children for line in _spawn_lines(child, depth + 1))]


def _waterfall(projection: Projection) -> list[str]:
    if not projection.waterfall:
        return []
    lines = ["", "| step | USD/day after it | it saves | in any order (Shapley) |", "| --- | ---: | ---: | ---: |"]
    for step in projection.waterfall:
        saved = "" if step.step == "naive" else usd(step.saved_usd_per_day)
        shapley = "" if step.shapley_usd_per_day is None else usd(step.shapley_usd_per_day)
        lines.append(f"| {cell(step.step)} | {usd(step.expected_usd_per_day)} | {saved} | {shapley} |")
    return [*lines, "", *(f"- {cell(note.message)}" for note in projection.policy_notes)]
