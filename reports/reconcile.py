"""A reconciliation in the terminal and for other programs: table, JSON, CSV, Markdown."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..analysis.reconcile.results import ComparedGroup, PartAmounts, Reconciliation, SourcePair
from ..json_text import json_text
from ..money import format_cents
from ..months import span_words
from .escaping import cell
from .fitted import Fitted, TableColumn
from .numbers import percent
from .sheets import as_sheet

PARTS = {
    "missing_in_ours": "calls missing in ours",
    "missing_in_theirs": "calls missing in theirs",
    "timing": "another day",
    "tokens": "tokens",
    "price": "price",
    "credits": "credits and allowances",
    "unexplained": "unexplained",
}
CAUSES_SHOWN = 10


def print_reconciliation(result: Reconciliation, console: Console) -> None:
    """Every pair with its difference, split; the causes, largest first, and who is complete."""
    for note in result.notes:
        console.print(Text(note, style="yellow"))
    for pair in result.pairs:
        _print_pair(pair, result, console)
    console.print(f"Prices {result.book_hash[:12]}")


def _print_pair(pair: SourcePair, result: Reconciliation, console: Console) -> None:
    console.print(Text(headline(pair, result.tolerance), style="bold" if pair.within else "bold red"))
    table = Table(show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    for name, amount in steps(pair):
        table.add_row(name, amount)
    console.print(table)
    for line in cause_lines(pair):
        console.print(Text(line))
    if pair.groups:
        console.print(_groups(pair, result))
    console.print(Text(completeness(pair)))
    for note in pair.notes:
        console.print(Text(f"note: {note}", style="yellow"))
    console.print()


def _groups(pair: SourcePair, result: Reconciliation) -> Fitted:
    """Both sides, the difference and its parts, by what was asked for; the parts go first in a narrow terminal."""
    sides = [TableColumn(heading) for heading in (pair.ours, pair.theirs, "difference")]
    parts = [TableColumn(heading, goes=1) for heading in _used(pair).values()]
    rows: list[list[str | Text]] = []
    for group in pair.groups:
        amounts = (group.ours_usd, group.theirs_usd, group.difference_usd, *_amounts(group.parts, pair))
        rows.append([*map(Text, group.keys), *map(_usd, amounts)])
    return Fitted([*(TableColumn(name, "key") for name in result.by), *sides, *parts], rows)


def _used(pair: SourcePair) -> dict[str, str]:
    """The parts that some group has."""
    return {
        name: heading
        for name, heading in PARTS.items()
        if any(not _is_nothing(getattr(g.parts, name)) for g in pair.groups)
    }


def _amounts(parts: PartAmounts, pair: SourcePair) -> list[Decimal]:
    return [getattr(parts, name) for name in _used(pair)]


def _usd(amount: Decimal) -> str:
    return "$0" if _is_nothing(amount) else format_cents(amount)


def _is_nothing(amount: Decimal) -> bool:
    """Whether an amount rounds to $0.000000."""
    return abs(amount) < Decimal("0.0000005")


def headline(pair: SourcePair, tolerance: str) -> str:
    """Both amounts and whether they agree."""
    return f"{pair_headline(pair)}, {'within' if pair.within else 'beyond'} {tolerance}"


def pair_headline(pair: SourcePair) -> str:
    """Both amounts and their difference."""
    when = span_words(pair.first, pair.last)
    both = f"{pair.ours} {format_cents(pair.ours_usd)}, {pair.theirs} {format_cents(pair.theirs_usd)}"
    return f"{both} ({when}): {_usd(pair.difference_usd)} difference, {percent(pair.percent)}"


def steps(pair: SourcePair) -> list[tuple[str, str]]:
    """From ours to theirs, part by part."""
    parts = [(f"  {name}", getattr(pair.parts, part)) for part, name in PARTS.items()]
    ours, theirs = (pair.ours, _usd(pair.ours_usd)), (pair.theirs, _usd(pair.theirs_usd))
    return [ours, *((name, _usd(amount)) for name, amount in parts if not _is_nothing(amount)), theirs]


def cause_lines(pair: SourcePair) -> list[str]:
    """The causes, largest first, each with a call that shows it."""
    lines = [f"- {cause.message}{_example(pair, number)}" for number, cause in enumerate(pair.causes[:CAUSES_SHOWN])]
    more = len(pair.causes) - CAUSES_SHOWN
    return [*lines, *([f"- and {more} more causes (--format json has all)"] if more > 0 else [])]


def _example(pair: SourcePair, number: int) -> str:
    shown = pair.causes[number].examples[:1]
    return "".join(f"; for example {call.event_id} of {call.ts:%Y-%m-%d %H:%M} UTC" for call in shown)


def completeness(pair: SourcePair) -> str:
    """What each source has of what either has."""
    return "Complete: " + ", ".join(f"{name} {percent(share)}" for name, share in pair.completeness.items())


def as_json(result: Reconciliation) -> str:
    """The whole result: money and percents as decimal strings."""
    return json_text(result)


def as_csv(result: Reconciliation) -> str:
    """A row per pair and group (one per pair without --by); full precision; safe to open in a spreadsheet."""
    amounts = ("ours_usd", "theirs_usd", "difference_usd")
    lines: list[list[str]] = [["ours", "theirs", *result.by, *amounts, *(f"{part}_usd" for part in PARTS)]]
    for pair in result.pairs:
        rows: list[ComparedGroup | SourcePair] = [*pair.groups] if result.by else [pair]
        for row in rows:
            figures = [getattr(row, name) for name in amounts] + [getattr(row.parts, part) for part in PARTS]
            keys = row.keys if isinstance(row, ComparedGroup) else []
            lines.append([pair.ours, pair.theirs, *keys, *(f"{figure:f}" for figure in figures)])
    return as_sheet(*lines)


def as_markdown(result: Reconciliation) -> str:
    """Each pair as a table from ours to theirs, with its causes."""
    lines = [f"- {cell(note)}" for note in result.notes]
    for pair in result.pairs:
        lines += [f"## {cell(pair.ours)} and {cell(pair.theirs)}", "", cell(headline(pair, result.tolerance)), ""]
        lines += ["| from ours to theirs | USD |", "| --- | ---: |"]
        lines += [f"| {cell(name.strip())} | {amount} |" for name, amount in steps(pair)]
        lines += ["", *map(cell, cause_lines(pair))] if pair.causes else []
        lines += _markdown_groups(pair, result)
        lines += ["", cell(completeness(pair)), *(f"- {cell(note)}" for note in pair.notes), ""]
    return "\n".join([*lines, f"Prices `{result.book_hash[:12]}`."]) + "\n"


def _markdown_groups(pair: SourcePair, result: Reconciliation) -> list[str]:
    if not pair.groups:
        return []
    headings = [*result.by, pair.ours, pair.theirs, "difference", *_used(pair).values()]
    marks = ["---"] * len(result.by) + ["---:"] * (len(headings) - len(result.by))
    rows = [
        [*map(cell, g.keys), *map(_usd, (g.ours_usd, g.theirs_usd, g.difference_usd, *_amounts(g.parts, pair)))]
        for g in pair.groups
    ]
    return ["", *("| " + " | ".join(row) + " |" for row in (list(map(cell, headings)), marks, *rows))]
