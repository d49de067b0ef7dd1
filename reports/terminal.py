"""A projection in the terminal: the table a person grasps at once (Rich)."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from ..analysis.results import ComponentCost, PlanResult, Projection, SpawnNode, exactness
from ..money import format_cents as usd
from .numbers import count, percent

SHORT_HASH = 12
WIDE, MEDIUM = 125, 105  # columns that a terminal needs for all of the table, and for most of it


def print_projection(projection: Projection, console: Console) -> None:
    """The whole projection: headline, components by plan, saving, claims, and what it rests on."""
    for part in (
        _outgrown(projection),
        _headline(projection),
        _unpriced(projection),
        _components(projection, console.width),
        _spawns(projection),
        _sessions(projection),
        _savings(projection),
        _waterfall(projection),
        _claims(projection),
        _footer(projection),
    ):
        if part is not None:
            console.print(part)
            console.print()


def _headline(projection: Projection) -> RenderableType:
    last = projection.plans[0].days[-1].day
    title = f"{projection.name}: {projection.start} to {last}, {projection.days} days"
    table = Table(title=Text(title), title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("plan", style="bold")
    for heading in ("per day", f"in {projection.days} days", "P10", "P90"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("chooses", overflow="fold")
    for plan in projection.plans:
        month = plan.horizon
        amounts = (plan.expected_usd_per_day, month.expected_usd, month.p10_usd, month.p90_usd)
        table.add_row(Text(plan.name), *(_total(projection, plan, amount) for amount in amounts), Text(plan.says))
    return table


def _total(projection: Projection, plan: PlanResult, amount: Decimal) -> str:
    """A total that leaves something out says so."""
    lacking = any(entry.plan == plan.name for entry in projection.unpriced)
    return f"{usd(amount)} + unpriced" if lacking else usd(amount)


def _outgrown(projection: Projection) -> RenderableType | None:
    """Before everything: these requests would be refused, whatever they are counted at."""
    if not projection.outgrown:
        return None
    lines = [Text("DOES NOT FIT: costed as if the model took it", style="bold red")]
    return Group(*lines, *(Text(f"  {entry.message}", style="red") for entry in projection.outgrown))


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
    table = Table(title="Sessions", title_justify="left", title_style="bold")
    table.add_column("component", overflow="fold")
    for heading in ("turns", "per session", "largest context (P95)", "cold turns", "compactions"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        facts = row.session
        assert facts  # noqa: S101
        table.add_row(
            Text(row.name), count(facts.turns), usd(facts.usd_per_session), f"{facts.largest_context_p95:,}",
            f"{facts.cold_percent:g} %", f"{facts.compactions:g}",
        )  # fmt: skip
    return table


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


def _components(projection: Projection, width: int) -> Table:
    """Every component on every plan; a narrow terminal shows what fits: its costs before all else."""
    wide, medium = width >= WIDE, width >= MEDIUM
    table = Table(title="Cost per day by component", title_justify="left", title_style="bold", show_footer=True)
    routed = _shown_plan(projection)
    totals = [plan.expected_usd_per_day for plan in projection.plans]
    table.add_column("component", "total", overflow="fold")
    if wide:
        table.add_column("agent", overflow="fold")
    table.add_column(Text(f"model ({routed.name})"), overflow="fold")
    if medium:
        table.add_column("runs/day", justify="right", no_wrap=True)
    for plan, total in zip(projection.plans, totals, strict=True):
        table.add_column(Text(plan.name), _total(projection, plan, total), justify="right", no_wrap=True)
    if medium:
        spread = f"{usd(routed.p10_usd_per_day)} - {usd(routed.p90_usd_per_day)}"
        table.add_column(Text(f"P10 - P90 ({routed.name})"), spread, justify="right", no_wrap=True)
    if wide:
        table.add_column("tokens")
    by_plan = [{row.name: row for row in plan.components} for plan in projection.plans]
    for row in sorted(routed.components, key=_dearest_first):
        costs = [usd(plan[row.name].expected_usd_per_day) if row.name in plan else "-" for plan in by_plan]
        runs = count(row.runs_per_day) if row.tokens != "flat" else "-"
        agent, tokens = ([Text(row.agent)], [row.tokens]) if wide else ([], [])
        often, spread_of_row = ([runs], [_range(row)]) if medium else ([], [])
        table.add_row(Text(row.name), *agent, Text(row.model), *often, *costs, *spread_of_row, *tokens)
    return table


def _shown_plan(projection: Projection) -> PlanResult:
    """The plan whose models and range the table shows: `routed`."""
    return next((plan for plan in projection.plans if plan.name == "routed"), projection.plans[0])


def _dearest_first(row: ComponentCost) -> tuple[bool, Decimal]:
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
    of_priced = ", of the components that both can price" if projection.unpriced else ""
    for saving in projection.savings:
        word = "saves" if saving.expected_usd_per_day >= 0 else "costs"
        amount = abs(saving.expected_usd_per_day)
        lines.append(
            Text.assemble(
                (
                    f"{saving.plan} {word} {usd(amount)} per day",
                    "bold green" if word == "saves" else "bold red",
                ),
                f" ({percent(abs(saving.percent))}) against {saving.baseline}{of_priced};"
                f" P10 {usd(saving.p10_usd_per_day)}, P90 {usd(saving.p90_usd_per_day)}",
            )
        )
        makers = [c for c in saving.components if c.expected_usd_per_day][:3]
        if makers:
            text = ", ".join(f"{c.name} {usd(c.expected_usd_per_day)}" for c in makers)
            lines.append(Padding(Text(f"most of it: {text}"), (0, 0, 0, 2)))
    return Group(*lines)


def _waterfall(projection: Projection) -> RenderableType | None:
    """From naive to routed, policy by policy, and what is worth knowing about each."""
    if not projection.waterfall:
        return None
    table = Table(title="Where the saving comes from", title_justify="left", title_style="bold")
    table.add_column("step")
    for heading in ("per day after it", "it saves", "in any order (Shapley)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for step in projection.waterfall:
        saved = "" if step.step == "naive" else usd(step.saved_usd_per_day)
        shapley = "" if step.shapley_usd_per_day is None else usd(step.shapley_usd_per_day)
        table.add_row(step.step, usd(step.expected_usd_per_day), saved, shapley)
    notes = [Text(f"  {note.says}") for note in projection.policy_notes if not note.warns]
    return Group(table, *notes)


def _claims(projection: Projection) -> RenderableType | None:
    if not projection.claims:
        return None
    table = Table(title="Claims", title_justify="left", title_style="bold")
    for name in ("claim", "stated", "computed", "at book", "holds"):
        table.add_column(name, overflow="fold", justify="right" if name in ("stated", "computed") else "left")
    for claim in projection.claims:
        computed = "unpriced" if claim.computed is None else (
            usd(claim.computed) if claim.unit == "usd_per_day" else f"{claim.computed:.4g}x"
        )  # fmt: skip
        verdict = Text("unknown", style="yellow")
        if claim.holds is not None:
            verdict = Text("yes", style="green") if claim.holds else Text("no", style="bold red")
        table.add_row(Text(claim.says), claim.stated, computed, claim.book, verdict)
    return table


def _footer(projection: Projection) -> RenderableType:
    book = projection.price_book
    layers = " + ".join(f"{layer.name} ({layer.source})" for layer in book.layers)
    lines = [Text.assemble("Prices ", (book.hash[:SHORT_HASH], "bold"), f"  {layers}")]
    if not projection.unpriced:
        lines.append(Text("Every model is priced."))
    trials = f"{projection.trials:,} trials, seed {projection.seed}"
    lines.append(Text(f"{trials}; {exactness(projection.plans)}.", style="dim"))
    lines += [Text(f"warning: {warning}", style="yellow") for warning in projection.warnings]
    return Group(*lines)
