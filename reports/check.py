"""A check for people and programs: the terminal's table and JSON; `ci.pull_request_comment` has Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..analysis.budgets.results import BudgetCheck, CheckResult
from ..analysis.budgets.words import crosses_on, share
from ..analysis.findings import Finding, Status
from ..json_text import json_text
from ..money import format_cents as usd
from ..plurals import counted

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

WORDS: dict[Status, str] = {"pass": "ok", "note": "note", "warn": "warning", "fail": "FAILED"}
STYLES: dict[Status, str] = {"pass": "green", "note": "dim", "warn": "yellow", "fail": "bold red"}
OVERLAP = "overlap"
AT = {"mean": "mean", "p50": "P50", "p90": "P90", "p99": "P99"}


def headline(result: CheckResult) -> str:
    """`c-suite: 2 of 14 checks failed, 1 warning`, or `c-suite: all 3 budgets within; 2 other checks passed`."""
    failed, warned = (sum(v.status == status for v in result.verdicts) for status in ("fail", "warn"))
    count = len(result.verdicts)
    warnings = f", {counted(warned, 'warning')}" if warned else ""
    if failed:
        return f"{result.name}: {failed} of {counted(count, 'check')} failed{warnings}"
    if warned:
        return f"{result.name}: no check of {count} failed{warnings}"
    budgets = len(result.budgets)
    if not budgets:
        return f"{result.name}: {_all(count, 'check')} passed"
    others = f"; {counted(count - budgets, 'other check')} passed" if count > budgets else ""
    return f"{result.name}: {_all(budgets, 'budget')} within{others}"


def _all(number: int, thing: str) -> str:
    return f"{'' if number == 1 else 'all '}{counted(number, thing)}"


def footer(result: CheckResult) -> str:
    """What the figures rest on, in a line."""
    usage = f"; usage through {result.as_of}" if result.as_of else ""
    book = result.price_book.hash[:12]
    return f"{result.month}{usage}; prices {book}; {result.trials:,} trials, seed {result.seed}"


def print_check(result: CheckResult, console: Console) -> None:
    """Sources that overlap, the headline, budgets as a table, then everything that is not as it should be."""
    for part in (*_overlaps(result), _title(result), _table(result), *_lines(result)):
        if part is not None:
            console.print(part)


def _overlaps(result: CheckResult) -> list[Text]:
    """First, as in spend and the review: what is compared with the budgets may be counted twice."""
    from rich.text import Text

    return [
        Text.assemble(("OVERLAP: ", "bold red"), (f"{finding.message}. {finding.fix}", "red"))
        for finding in result.verdicts
        if finding.rule == OVERLAP
    ]


def _title(result: CheckResult) -> Text:
    from rich.text import Text

    return Text(headline(result), style=STYLES[result.status])


def _table(result: CheckResult) -> RenderableType | None:
    from rich.text import Text

    from .fitted import Cell, Fitted, TableColumn

    if not result.budgets:
        return None
    columns = [
        TableColumn("budget", "key"),
        TableColumn("scope", "label", goes=3),
        TableColumn("period", "label", goes=3),
        TableColumn("compared with", "key") if _repeated(result) else TableColumn("compared with", "label", goes=2),
        TableColumn("costs"),
        TableColumn("limit"),
        TableColumn("chance of breach", goes=4),
        TableColumn("on about", "label", goes=1),
        TableColumn("", "label"),
    ]
    rows: list[list[Cell]] = [
        [*cells_of(budget, result)[:-1], Text(WORDS[budget.status], style=STYLES[budget.status])]
        for budget in result.budgets
    ]
    return Fitted(columns, rows)


def _repeated(result: CheckResult) -> bool:
    """Whether a budget has several rows, which of which only what it is compared with differs."""
    return len({budget.name for budget in result.budgets}) < len(result.budgets)


def cells_of(budget: BudgetCheck, result: CheckResult) -> list[str]:
    """A budget's row of the table: what it is, what it costs, its limit, how it stands."""
    return [
        budget.name,
        budget.scope,
        budget.period,
        f"{budget.source}, {AT[budget.at]}",
        usd(budget.value_usd),
        "-" if budget.limit_usd is None else usd(budget.limit_usd),
        "-" if budget.chance is None else share(budget.chance),
        str(crosses_on(budget.crossed_on, budget.source, budget.last, result.today) or ""),
        WORDS[budget.status],
    ]


def _lines(result: CheckResult) -> list[Text]:
    from rich.text import Text

    lines: list[Text] = []
    for finding in not_passed(result):
        if finding.rule == OVERLAP:
            continue  # stands first
        place = ":".join(str(part) for part in (finding.file, finding.line) if part)
        head = " ".join(part for part in (place, finding.name) if part)
        lines.append(
            Text.assemble((f"{WORDS[finding.status]:8}", STYLES[finding.status]), f"{head}: {finding.message}")
        )
        if finding.fix:
            lines.append(Text(f"{'':8}{finding.fix}", style="dim"))
    lines += [Text(f"note: {note}", style="dim") for note in result.notes]
    return [*lines, Text(footer(result), style="dim")]


def not_passed(result: CheckResult) -> list[Finding]:
    """Failures, then warnings."""
    order: dict[Status, int] = {"fail": 0, "warn": 1, "note": 2, "pass": 3}
    return sorted((v for v in result.verdicts if v.status != "pass"), key=lambda finding: order[finding.status])


def line(finding: Finding) -> str:
    """A finding as one line: `FAILED fleet-month: everything costs …. Move …`."""
    return f"{WORDS[finding.status]} {finding.name}: {finding.message}{f'. {finding.fix}' if finding.fix else ''}"


def as_json(result: CheckResult) -> str:
    """The contract: `CheckResult`."""
    return json_text(result)
