"""What a pull request's comment says: a check's, and a difference's, in Markdown.

Each begins with a marker, so that a script can find the comment and update it; the Action puts both into one comment,
under a marker of its own (action.yml).
"""

from __future__ import annotations

from collections.abc import Iterator

from ...analysis.budgets.results import BudgetCheck, CheckResult
from ...analysis.compare.results import ArchitectureDifference
from ...money import format_cents as usd
from .. import check, diff
from ..escaping import cell

MOST_ROWS = 50
"""Of a difference; the rest is counted."""


def check_comment(result: CheckResult) -> str:
    """Headline, what is wrong, the budgets, and folded who makes them."""
    lines = ["<!-- costsim:check -->", f"### {cell(check.headline(result))}", "", *_not_passed(result)]
    if result.budgets:
        lines += ["", "| budget | scope | period | compared with | costs | limit | chance of breach | on about | |"]
        lines.append("| --- | --- | --- | --- | ---: | ---: | ---: | --- | --- |")
        lines += [_row(check.cells_of(budget, result)) for budget in result.budgets]
        lines += ["", "<details><summary>What makes them</summary>", ""]
        lines += [f"- {cell(budget.name)} ({budget.source}): {_makers(budget)}" for budget in result.budgets]
        lines += ["", "</details>"]
    lines += [f"\n{cell(note)}" for note in result.notes]
    return "\n".join([*lines, "", check.footer(result)]) + "\n"


def diff_comment(found: ArchitectureDifference) -> str:
    """A short headline, what failed, the components that changed, folded notes."""
    lines = ["<!-- costsim:diff -->", f"### Agent fleet cost: {diff.headline(found)}", ""]
    failed = [finding for finding in found.verdicts if finding.status == "fail"]
    lines += [f"- **FAILED** {cell(finding.name)}: {cell(finding.message)}" for finding in failed]
    if found.components:
        lines += ["", "| component | change | why | before | after | difference | P10 to P90 |"]
        lines.append("| --- | --- | --- | ---: | ---: | ---: | ---: |")
        lines += [_row(diff.cells_of(row)) for row in found.components[:MOST_ROWS]]
        if len(found.components) > MOST_ROWS:
            lines += ["", f"and {len(found.components) - MOST_ROWS:,} more"]
    lines += ["", "<details><summary>Totals, range, prices</summary>", ""]
    return "\n".join([*lines, *(f"- {note}" for note in diff.notes_of(found, cell)), "", "</details>"]) + "\n"


def _not_passed(result: CheckResult) -> Iterator[str]:
    """Sources that overlap first: what is compared with the budgets may be counted twice."""
    for finding in sorted(check.not_passed(result), key=lambda finding: finding.rule != check.OVERLAP):
        fix = f" {cell(finding.fix)}" if finding.fix else ""
        if finding.rule == check.OVERLAP:
            yield f"- **OVERLAP** {cell(finding.message)}.{fix}"
        else:
            yield f"- **{check.WORDS[finding.status]}** {cell(finding.name)}: {cell(finding.message)}.{fix}"


def _makers(budget: BudgetCheck) -> str:
    parts = [f"{cell(part.component)} {usd(part.usd)} ({part.percent:.0f}%)" for part in budget.contributions]
    return ", ".join(parts) or "nothing"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(map(cell, cells))} |"
