"""What a pull request's comment says: a check's, and a difference's, in Markdown.

Each begins with a marker, so that a script can find the comment and update it; the Action puts both into one comment,
under a marker of its own (action.yml).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...analysis.budgets.results import BudgetCheck, CheckResult
from ...analysis.compare.results import ArchitectureDifference
from ...money import format_cents as usd
from ...shown import shortened_line
from .. import check, diff
from ..escaping import cell

MOST_ROWS = 50
"""Of a list; the rest is counted."""
MOST_BYTES = 8_000
"""Of a list as it is written: a check and a difference are a comment together, which holds 65,536 characters."""
MOST_WRITTEN = 1_000
"""Bytes of a text as it is written: one of signs that Markdown knows is twenty times as long."""
SHORTER = (500, 50)
"""Characters that are kept of a text that is longer."""


def check_comment(result: CheckResult) -> str:
    """Headline, what is wrong, the budgets, and folded who makes them."""
    said = check.headline(result).removeprefix(result.name)
    lines = ["<!-- costsim:check -->", f"### {_text(result.name)}{said}", "", *_first(list(_not_passed(result)))]
    if result.budgets:
        lines += ["", "| budget | scope | period | compared with | costs | limit | chance of breach | on about | |"]
        lines.append("| --- | --- | --- | --- | ---: | ---: | ---: | --- | --- |")
        lines += _first([_row(check.cells_of(budget, result)) for budget in result.budgets])
        lines += ["", "<details><summary>What makes them</summary>", ""]
        lines += _first([f"- {_text(budget.name)} ({budget.source}): {_makers(budget)}" for budget in result.budgets])
        lines += ["", "</details>"]
    lines += _first([f"\n{_text(note)}" for note in result.notes])
    return "\n".join([*lines, "", check.footer(result)]) + "\n"


def diff_comment(found: ArchitectureDifference) -> str:
    """A short headline, what failed, the components that changed, folded notes."""
    lines = ["<!-- costsim:diff -->", f"### Agent fleet cost: {diff.headline(found)}", ""]
    failed = [finding for finding in found.verdicts if finding.status == "fail"]
    lines += _first([f"- **FAILED** {_text(finding.name)}: {_text(finding.message)}" for finding in failed])
    if found.components:
        lines += ["", "| component | change | why | before | after | difference | P10 to P90 |"]
        lines.append("| --- | --- | --- | ---: | ---: | ---: | ---: |")
        lines += _first([_row(diff.cells_of(row)) for row in found.components])
    lines += ["", "<details><summary>Totals, range, prices</summary>", ""]
    return "\n".join([*lines, *(f"- {note}" for note in diff.notes_of(found, _text)), "", "</details>"]) + "\n"


def _first(lines: Sequence[str]) -> list[str]:
    """The first lines, as many as a comment has room for, and how many more there are."""
    kept, room = 0, MOST_BYTES
    for line in lines[:MOST_ROWS]:
        room -= len(line.encode()) + 1
        if kept and room < 0:
            break
        kept += 1
    return [*lines[:kept], *(["", f"and {len(lines) - kept:,} more"] if kept < len(lines) else [])]


def _text(text: str) -> str:
    """Text in a comment; of one that is too long there, the beginning, the end and the length."""
    written = cell(text)
    for most in SHORTER:
        if len(written.encode()) > MOST_WRITTEN:
            written = cell(shortened_line(text, most))
    return written


def _not_passed(result: CheckResult) -> Iterator[str]:
    """Sources that overlap first: what is compared with the budgets may be counted twice."""
    for finding in sorted(check.not_passed(result), key=lambda finding: finding.rule != check.OVERLAP):
        fix = f" {_text(finding.fix)}" if finding.fix else ""
        if finding.rule == check.OVERLAP:
            yield f"- **OVERLAP** {_text(finding.message)}.{fix}"
        else:
            yield f"- **{check.WORDS[finding.status]}** {_text(finding.name)}: {_text(finding.message)}.{fix}"


def _makers(budget: BudgetCheck) -> str:
    parts = [f"{_text(part.component)} {usd(part.usd)} ({part.percent:.0f}%)" for part in budget.contributions]
    return ", ".join(parts) or "nothing"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(map(_text, cells))} |"
