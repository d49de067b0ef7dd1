"""A projection in the terminal: the table a person grasps at once (Rich)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text
from rich.tree import Tree

from ..analysis.projection import ClaimResult, ComponentCost, PlanResult, Projection, Saving, SpawnNode, exactness
from ..money import format_cents as usd
from ..plurals import counted
from .fitted import Cell, Fitted, TableColumn
from .mixes import mixes_table
from .numbers import count, percent

SHORT_HASH = 12
CALENDAR_SHARE = Decimal("0.01")


def print_projection(projection: Projection, console: Console, *, details: bool = False) -> None:
    """The whole projection, its answer last; claims, price lists and notes are one line without `details`."""
    for part in (
        _unpriced(projection),
        _outgrown(projection),
        _headline(projection),
        _calendar(projection),
        Text(f"Ranges: {projection.range_note}.", style="yellow") if projection.range_note else None,
        _components(projection),
        _spawns(projection),
        _sessions(projection),
        _waterfall(projection, details=details),
        mixes_table(projection),
        _claims(projection) if details else None,
        _footer(projection, details=details),
        _savings(projection),
    ):
        if part is not None:
            console.print(part)
            console.print()


def _headline(projection: Projection) -> RenderableType:
    last = projection.plans[0].days[-1].day
    columns = [
        TableColumn("plan", "key"),
        TableColumn("per day"),
        TableColumn(f"in {projection.days} days"),
        TableColumn("P10", goes=2),
        TableColumn("P90", goes=2),
        TableColumn("chooses", "words", goes=1),
    ]
    rows = []
    for plan in projection.plans:
        month = plan.horizon
        amounts = (plan.expected_usd_per_day, month.expected_usd, month.p10_usd, month.p90_usd)
        rows.append([plan.name, *(_total(projection, plan, amount) for amount in amounts), plan.message])
    title = f"{projection.name}: {projection.start} to {last}, {projection.days} days"
    title += f"; what if {', '.join(projection.what_if)}" if projection.what_if else ""
    return Fitted(columns, rows, title=title)


def _calendar(projection: Projection) -> RenderableType | None:
    """What the calendar makes of days, which is known and no uncertainty; nothing where days cost alike."""
    plan = _shown_plan(projection)
    week, end = plan.weekday_usd_per_day, plan.weekend_usd_per_day
    if week is None or end is None or abs(week - end) <= CALENDAR_SHARE * max(week, end):
        return None
    parts = f"{usd(week)} per day on weekdays, {usd(end)} at weekends"
    return Text(f"Calendar ({plan.name}): {parts}; that is known, and in the ranges of single days.", style="dim")


def _total(projection: Projection, plan: PlanResult, amount: Decimal) -> str:
    """A total that leaves something out says so."""
    lacking = any(entry.plan == plan.name for entry in projection.unpriced)
    return f"{usd(amount)} + unpriced" if lacking else usd(amount)


def _outgrown(projection: Projection) -> RenderableType | None:
    """Before everything: these requests would be refused, whatever they are counted at."""
    if not projection.outgrown:
        return None
    lines = [Text("DOES NOT FIT: costed as if the model took it", style="bold red")]
    notes = [Padding(Text(entry.message, style="red"), (0, 0, 0, 2)) for entry in projection.outgrown]
    return Group(*lines, *notes)


def _spawns(projection: Projection) -> RenderableType | None:
    """Who spawns whom under the shown plan, and what that costs."""
    plan = _shown_plan(projection)
    if not plan.spawn_trees:
        return None
    title = Text(f"Spawns ({plan.name}): cost per day alone, and with all that was spawned", style="bold")
    trees = [_spawn_tree(node, Tree(_spawn_line(node))) for node in plan.spawn_trees]
    return Group(title, *trees)


def _spawn_tree(node: SpawnNode, tree: Tree) -> Tree:
    for child in node.children:
        _spawn_tree(child, tree.add(_spawn_line(child)))
    return tree


def _spawn_line(node: SpawnNode) -> Text:
    alone, whole = usd(node.expected_usd_per_day), usd(node.with_spawned_usd_per_day)
    line = Text.assemble((node.component, "bold"), f"  {count(node.runs_per_day)} runs, {alone}")
    if node.children:
        line.append(f" alone, {whole} with spawned ({usd(node.with_spawned_usd_per_run)} a run)")
    return line


def _sessions(projection: Projection) -> RenderableType | None:
    """What the sessions of the shown plan are like."""
    rows = [row for row in _shown_plan(projection).components if row.session]
    if not rows:
        return None
    columns = [
        TableColumn("component", "key"),
        TableColumn("turns"),
        TableColumn("per session"),
        TableColumn("largest context (P95)", goes=1),
        TableColumn("cold turns", goes=3),
        TableColumn("compactions", goes=2),
    ]
    return Fitted(columns, [_session(row) for row in rows], title="Sessions")


def _session(row: ComponentCost) -> list[str]:
    facts = row.session
    assert facts  # noqa: S101
    return [
        row.name, count(facts.turns), usd(facts.usd_per_session), f"{facts.largest_context_p95:,}",
        f"{facts.cold_percent:g} %", f"{facts.compactions:g}",
    ]  # fmt: skip


def _unpriced(projection: Projection) -> RenderableType | None:
    """Loud and first: these runs cost money that no total holds."""
    if not projection.unpriced:
        return None
    lines = [Text("UNPRICED: not in any total, not zero", style="bold red")]
    for entry in projection.unpriced:
        where = ", ".join(entry.components)
        lines.append(
            Text(f"  {entry.model or '(no model)'}: {entry.reason}; plan {entry.plan}, components {where}", style="red")
        )
    return Group(*lines)


def _components(projection: Projection) -> Fitted:
    """Every component on every plan; a narrow terminal shows what fits: its costs before all else."""
    routed = _shown_plan(projection)
    spread = f"P10 - P90 ({routed.name})"
    columns = [
        TableColumn("component", "key"),
        TableColumn("agent", "label", goes=2),
        TableColumn(f"model ({routed.name})", "model", goes=5),
        TableColumn("runs/day", goes=3),
        *(TableColumn(plan.name) for plan in projection.plans),
        TableColumn(spread, goes=4),
        TableColumn("tokens", "words", goes=1),
    ]
    by_plan = [{row.name: row for row in plan.components} for plan in projection.plans]
    rows = [_component(row, by_plan) for row in sorted(routed.components, key=_most_expensive_first)]
    totals = [_total(projection, plan, plan.expected_usd_per_day) for plan in projection.plans]
    range_of_total = f"{usd(routed.p10_usd_per_day)} - {usd(routed.p90_usd_per_day)}"
    total = ["total", "", "", "", *totals, range_of_total, ""]
    return Fitted(columns, rows, title="Cost per day by component", total=total)


def _component(row: ComponentCost, by_plan: Sequence[Mapping[str, ComponentCost]]) -> list[str]:
    costs = [usd(plan[row.name].expected_usd_per_day) if row.name in plan else "-" for plan in by_plan]
    runs = count(row.runs_per_day) if row.tokens != "flat" else "-"
    return [row.name, row.agent, row.model, runs, *costs, _range(row), row.tokens]


def _shown_plan(projection: Projection) -> PlanResult:
    """The plan whose models and range the table shows: `routed`."""
    return next((plan for plan in projection.plans if plan.name == "routed"), projection.plans[0])


def _most_expensive_first(row: ComponentCost) -> tuple[bool, Decimal]:
    return (row.expected_usd_per_day is not None, -(row.expected_usd_per_day or Decimal(0)))


def _range(row: ComponentCost) -> str:
    if row.p10_usd_per_day is None or row.p90_usd_per_day is None:
        return ""
    if row.p10_usd_per_day == row.p90_usd_per_day:
        fixed = usd(row.p10_usd_per_day) == usd(row.expected_usd_per_day)
        return "fixed" if fixed else f"{usd(row.p10_usd_per_day)} on most days"
    return f"{usd(row.p10_usd_per_day)} - {usd(row.p90_usd_per_day)}"


def _savings(projection: Projection) -> RenderableType:
    lines: list[RenderableType] = []
    if projection.baseline and projection.savings:
        lines.append(Text(f"baseline: {projection.baseline}", style="dim"))
    of_priced = ", of the components that both can price" if projection.unpriced else ""
    for saving in projection.savings:
        lines.append(_saving(saving, of_priced))
        parts = [(c.name, c.expected_usd_per_day) for c in saving.components if c.expected_usd_per_day]
        makers = parts[:3] if saving.expected_usd_per_day >= 0 else [(name, -more) for name, more in parts[:-4:-1]]
        if makers:
            text = ", ".join(f"{name} {usd(amount)}" for name, amount in makers)
            lines.append(Padding(Text(f"most of it: {text}"), (0, 0, 0, 2)))
    return Group(*lines)


def _saving(saving: Saving, of_priced: str) -> Text:
    """What a plan saves against the baseline, or how much more it costs, with its range."""
    amount, low, high = saving.expected_usd_per_day, saving.p10_usd_per_day, saving.p90_usd_per_day
    word, style, more, than = "saves", "bold green", "", "against"
    if amount < 0:
        amount, low, high = -amount, -high, -low
        word, style, more, than = "costs", "bold red", " more", "than"
    return Text.assemble(
        (f"{saving.plan} {word} {usd(amount)}{more} per day", style),
        f" ({percent(abs(saving.percent))}) {than} {saving.baseline}{of_priced}; P10 {usd(low)}, P90 {usd(high)}",
    )


def _waterfall(projection: Projection, *, details: bool) -> RenderableType | None:
    """From naive to routed, policy by policy, and what is worth knowing about each."""
    if not projection.waterfall:
        return None
    columns = [
        TableColumn("step", "key"),
        TableColumn("per day after it"),
        TableColumn("it saves"),
        TableColumn("in any order (Shapley)", goes=1),
    ]
    rows = []
    for step in projection.waterfall:
        saved = "" if step.step == "naive" else usd(step.saved_usd_per_day)
        shapley = "" if step.shapley_usd_per_day is None else usd(step.shapley_usd_per_day)
        rows.append([step.step, usd(step.expected_usd_per_day), saved, shapley])
    table = Fitted(columns, rows, title="Where the saving comes from")
    if not details:
        return table
    said = [note.message for note in projection.policy_notes if not note.warns]
    notes = [Padding(Text(message), (0, 0, 0, 2)) for message in said]
    return Group(table, *notes)


def _claims(projection: Projection) -> RenderableType | None:
    if not projection.claims:
        return None
    columns = [
        TableColumn("claim", "words"),
        TableColumn("stated"),
        TableColumn("computed"),
        TableColumn("at book", "label", goes=1),
        TableColumn("holds", "label"),
    ]
    return Fitted(columns, [_claim(claim) for claim in projection.claims], title="Claims")


def _claim(claim: ClaimResult) -> list[Cell]:
    computed = "unpriced" if claim.computed is None else (
        usd(claim.computed) if claim.unit == "usd_per_day" else f"{claim.computed:.4g}x"
    )  # fmt: skip
    verdict = Text("unknown", style="yellow")
    if claim.holds is not None:
        verdict = Text("yes", style="green") if claim.holds else Text("no", style="bold red")
    return [claim.message, claim.stated, computed, claim.book, verdict]


def _folded(projection: Projection) -> list[Text]:
    """What `--details` shows, in a line."""
    claims, notes = projection.claims, [note for note in projection.policy_notes if not note.warns]
    said = []
    if claims:
        hold = sum(claim.holds is True for claim in claims)
        said.append(f"{hold} of {len(claims)} claims hold")
    if notes:
        said.append(counted(len(notes), "note") + " on policies")
    return [Text(f"{'; '.join(said)}: costsim run --details", style="dim")] if said else []


def _footer(projection: Projection, *, details: bool) -> RenderableType:
    book = projection.price_book
    layers = " + ".join(f"{layer.name} ({layer.source})" for layer in book.layers)
    lines = [Text.assemble("Prices ", (book.hash[:SHORT_HASH], "bold"), f"  {layers}")]
    if not projection.unpriced:
        lines.append(Text("Every model is priced."))
    trials = f"{projection.trials:,} trials, seed {projection.seed}"
    lines.append(Text(f"{trials}; {exactness(projection.plans)}.", style="dim"))
    lines += [Text(f"Runs of logged components: {projection.forecast}.")] if projection.forecast else []
    lines += [] if details else _folded(projection)
    lines += [Text(f"warning: {warning}", style="yellow") for warning in projection.warnings]
    return Group(*lines)
