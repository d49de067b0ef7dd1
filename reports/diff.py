"""A difference for people and programs: the terminal's table and JSON; `ci.pull_request_comment` has Markdown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from ..analysis.compare.results import ArchitectureDifference, ComponentDifference
from ..json_text import json_text
from ..money import format_cents as usd
from ..money import format_range
from ..plurals import counted
from .numbers import percent

if TYPE_CHECKING:
    from rich.console import Console

    from .fitted import Cell

MOST_PRINTED = 200
"""Rows on a terminal; the rest is counted."""


def signed(amount: Decimal | None) -> str:
    """USD with its sign: `+$1.20`; `unpriced` where it is not known."""
    if amount is None:
        return "unpriced"
    return usd(amount) if amount <= 0 else f"+{usd(amount)}"


def headline(found: ArchitectureDifference) -> str:
    """`+$12.40 in 30 days (+6%): 3 components changed`."""
    share = "" if found.percent is None else f" ({'+' if found.percent > 0 else ''}{percent(found.percent)})"
    if not found.components and not found.difference_usd:
        return "no change in cost"
    changed = f"{counted(len(found.components), 'component')} changed"
    return f"{signed(found.difference_usd)} in {found.days} days{share}: {changed}"


def print_diff(found: ArchitectureDifference, console: Console) -> None:
    """Headline, a row per component that changed, the totals."""
    from rich.text import Text

    from .fitted import Fitted, TableColumn

    console.print(Text(headline(found), style=_style(found.difference_usd)))
    if found.components:
        columns = [
            TableColumn("component", "key"),
            TableColumn("change", "label", goes=2),
            TableColumn("why", "words", goes=4),
            TableColumn("before", goes=3),
            TableColumn("after", goes=3),
            TableColumn("difference"),
            TableColumn("P10 to P90", goes=1),
        ]
        console.print(Fitted(columns, [_styled(row) for row in found.components[:MOST_PRINTED]]))
    if len(found.components) > MOST_PRINTED:
        more = counted(len(found.components) - MOST_PRINTED, "component")
        console.print(Text(f"and {more} more, with smaller differences; all of them: --format json", style="dim"))
    for line in notes_of(found):
        console.print(Text(line, style="dim"))
    for finding in found.verdicts:
        if finding.status == "fail":
            console.print(Text(f"FAILED  {finding.name}: {finding.message}", style="bold red"))


def _style(amount: Decimal | None) -> str:
    return "yellow" if amount is None else "red" if amount > 0 else "green" if amount < 0 else "dim"


def _styled(row: ComponentDifference) -> list[Cell]:
    from rich.text import Text

    *words, amount, spread = cells_of(row)
    return [*words, Text(amount, style=_style(row.difference_usd)), spread]


def cells_of(row: ComponentDifference) -> list[str]:
    """A component's row of the table: how it changed, why, and what that costs."""
    spread = "" if row.p10_usd is None or row.p90_usd is None else format_range(row.p10_usd, row.p90_usd)
    before, after = (
        "" if gone else usd(amount)
        for gone, amount in ((row.change == "added", row.before_usd), (row.change == "removed", row.after_usd))
    )
    return [row.component, row.change, why(row), before, after, signed(row.difference_usd), spread]


def why(row: ComponentDifference) -> str:
    """The causes with what each adds, or the model of a component that came or went."""
    if row.change != "changed":
        return row.after_model or row.before_model or ""
    return "; ".join(f"{effect.cause} {signed(effect.usd)} ({effect.message})" for effect in row.causes)


def notes_of(found: ArchitectureDifference, name: Callable[[str], str] = str) -> list[str]:
    """The totals, their range, the prices and what is in no component; `name` writes a name in the medium."""
    base, head, plan = name(found.base), name(found.head), name(found.plan)
    totals = f"{base}: {usd(found.before_usd)}; {head}: {usd(found.after_usd)}; plan {plan}"
    spread = f"P10 to P90 of the paired difference: {format_range(found.p10_usd, found.p90_usd)}"
    books = [ref.hash[:12] for ref in (found.base_prices, found.head_prices) if ref]
    same = f"{counted(found.unchanged, 'component')} unchanged"
    prices = f"prices {' -> '.join(dict.fromkeys(books))}; {same}"
    unpriced = [f"without a price, in no figure: {name(', '.join(found.unpriced))}"] if found.unpriced else []
    subscribed = f"subscriptions, fees and what is beyond them: {signed(found.subscriptions_usd)}, in no component"
    return [*([subscribed] if found.subscriptions_usd else []), totals, spread, prices, *unpriced]


def as_json(found: ArchitectureDifference) -> str:
    """The contract: `Difference`."""
    return json_text(found)
