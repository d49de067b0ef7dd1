"""What is to be known beside a table of spend, whatever its rows are: what it leaves out, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from ..analysis.spend.allowances import Allowance
from ..analysis.spend.spend import Spend
from ..money import format_cents
from ..plurals import first_lines
from .escaping import cell


def priced(usd: Decimal | None, unpriced_tokens: int, sign: str = "$") -> str:
    """A cost, and whether there are tokens that it does not count."""
    if not unpriced_tokens:
        return format_cents(usd, sign)
    return f"{format_cents(usd, sign)} + unpriced" if usd else "unpriced"


def print_above(spend: Spend, console: Console) -> None:
    """Sources that may count twice, and models without a price."""
    for overlap in spend.sources.overlaps:
        console.print(Text("OVERLAP: ", style="bold red"), Text(overlap.message, style="red"), sep="")
    if spend.unpriced_models:
        console.print(Text("UNPRICED: in tokens only, in no cost", style="bold red"))
        for name in spend.unpriced_models:
            console.print(Text(f"  {name}", style="red"))
        console.print()


def print_below(spend: Spend, console: Console) -> None:
    """How complete the sources are, what is not counted, subscriptions, the prices, and notes."""
    for score in spend.quality.scores:
        console.print(Text(f"Completeness: {score.message}"), style="yellow" if score.score < 90 else "")
    for message in _first(spend.quality.messages):
        console.print(Text(f"NOT IN THE TOTAL: {message}", style="yellow"))
    for line in _allowance_lines(spend):
        console.print(Text(line))
    console.print(f"Prices {spend.book_hash[:12]}")
    for note in _first(spend.notes):
        console.print(Text(f"note: {note}", style="yellow"))


def markdown_above(spend: Spend) -> list[str]:
    """As `print_above`, for a pull request or a chat; a blank line ends it."""
    lines = [f"- **OVERLAP** {cell(overlap.message)}" for overlap in spend.sources.overlaps]
    lines += [f"- **UNPRICED** {cell(name)}" for name in spend.unpriced_models]
    return [*lines, ""] if lines else []


def markdown_below(spend: Spend) -> list[str]:
    """As `print_below`, for a pull request or a chat."""
    notes = [f"- {cell(line.strip())}" for line in _allowance_lines(spend)]
    notes += [f"- Completeness: {cell(score.message)}" for score in spend.quality.scores]
    notes += [f"- Not in the total: {cell(message)}" for message in _first(spend.quality.messages)]
    notes += [f"- {cell(note)}" for note in _first(spend.notes)]
    return [f"Prices `{spend.book_hash[:12]}`.", *[""][: len(notes)], *notes]


def as_data(spend: Spend) -> dict[str, object]:
    """The same for programs, each of the sources and notes whole."""
    return {
        **({"allowances": [_allowance(entry) for entry in spend.allowances]} if spend.allowances else {}),
        "unpriced_models": list(spend.unpriced_models),
        "price_book": {"hash": spend.book_hash},
        "sources": spend.sources.as_data(),
        "data_quality": spend.quality.as_data(),
        "notes": list(spend.notes),
    }


def _allowance(entry: Allowance) -> dict[str, object]:
    return {
        key: f"{value:f}" if isinstance(value, Decimal) else f"{value}" if isinstance(value, date) else value
        for key, value in asdict(entry).items()
    }


def quality_lines(spend: Spend) -> list[str]:
    """What is to be known of the sources beside a table that other programs read."""
    return [
        *(f"OVERLAP: {overlap.message}" for overlap in spend.sources.overlaps),
        *(f"Completeness: {score.message}" for score in spend.quality.scores),
        *(f"NOT IN THE TOTAL: {message}" for message in _first(spend.quality.messages)),
    ]


def _first(lines: Sequence[str]) -> list[str]:
    return first_lines(lines, "--format json has all")


def _allowance_lines(spend: Spend) -> list[str]:
    """What subscriptions cost beside the calls, and what they include; the total with it."""
    if not spend.allowances:
        return []
    lines = [_allowance_line(entry) for entry in spend.allowances]
    flat = sum((entry.fee_usd + entry.overage_usd for entry in spend.allowances), Decimal(0))
    whole = priced(spend.total.computed_usd + flat, spend.total.unpriced_tokens)
    days = f"{min(a.first_day for a in spend.allowances)} to {max(a.last_day for a in spend.allowances)}"
    heading = f"Subscriptions ({days}, a fee per month for whole months; in no row above):"
    return [heading, *lines, f"  total with fees and overage: {whole}"]


def _allowance_line(entry: Allowance) -> str:
    seats = f", {entry.seats:,} seats" if entry.seats > 1 else ""
    fee = f"  {entry.name}, {entry.month}{seats}: fee {format_cents(entry.fee_usd)}, list value "
    line = f"{fee}{format_cents(entry.list_usd)}"
    if entry.included is None or entry.used is None:
        return line
    line += f", {entry.used.normalize():,f} of {entry.included.normalize():,f} {entry.unit} used"
    beyond = f"; {entry.unbilled:,f} beyond, without a price" if entry.unbilled else ""
    return f"{line}, overage {format_cents(entry.overage_usd)}{beyond}"
