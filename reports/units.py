"""Unit economics in the terminal and for other programs: table, JSON, CSV, Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from ..analysis.spend.units import UnitCost, UnitEconomics, UnitRow
from ..json_text import json_text
from .beside_spend import as_data, markdown_above, markdown_below, priced, print_above, print_below
from .escaping import cell, plain
from .fitted import Fitted, TableColumn
from .sheets import records_as_sheet


def print_units(found: UnitEconomics, console: Console) -> None:
    """The units, what is unattributed, and what each unit cost."""
    days = found.spend.days
    span = f" from {days[0]} to {days[1]}" if days else ": nothing is logged for those days"
    columns = [*(TableColumn(name, "key") for name in found.units.keys), *map(TableColumn, _headings(found))]
    rows: list[list[str | Text]] = [[*map(Text, row.keys), *_figures(row)] for row in (*found.rows, found.unattributed)]
    print_above(found.spend, console)
    console.print(Fitted(columns, rows, title=f"Cost per {plain(found.units.names[-1])}{span}"))
    for line in _sentences(found):
        console.print(Text(line))
    print_below(found.spend, console)


def _headings(found: UnitEconomics) -> list[str]:
    return ["calls", "cost", *found.units.names[1:]]


def _figures(row: UnitRow) -> list[str]:
    return [f"{row.calls:,}", priced(row.usd, row.unpriced_tokens), *(f"{count:f}" for count in row.counts[1:])]


def _sentences(found: UnitEconomics) -> list[str]:
    """What each kind of unit cost, and of what."""
    rest, total = found.unattributed, found.spend.total
    whole = priced(total.computed_usd, total.unpriced_tokens)
    left = rest.usd or rest.unpriced_tokens
    share = f"; {priced(rest.usd, rest.unpriced_tokens)} of {whole} is unattributed" if left else ""
    return [*(_sentence(cost, total.unpriced_tokens) for cost in found.costs), f"Total {whole}{share}."]


def _sentence(cost: UnitCost, unpriced_tokens: int) -> str:
    name = plain(cost.name)
    if cost.usd_per_unit is None:
        return f"Per {name}: there is none."
    own = f"Per {name}: {priced(cost.usd_per_unit, cost.unpriced_tokens)} over {cost.units:f}"
    if not cost.units_with_spend:
        own += ", none of them with spend"
    elif cost.units_with_spend != cost.units:
        per = priced(cost.usd_per_unit_with_spend, cost.unpriced_tokens)
        own += f", {per} over the {cost.units_with_spend:f} with spend"
    return f"{own}; {priced(cost.loaded_usd_per_unit, unpriced_tokens)} with what is unattributed."


def _record(found: UnitEconomics, row: UnitRow) -> dict[str, object]:
    counts = dict(zip(found.units.names[1:], (f"{count:f}" for count in row.counts[1:]), strict=True))
    keys = dict(zip(found.units.keys, row.keys, strict=True))
    return keys | {"calls": row.calls, "computed_usd": f"{row.usd:f}", "unpriced_tokens": row.unpriced_tokens} | counts


def as_json(found: UnitEconomics) -> str:
    """Units, what is unattributed, total, and the cost per unit; money as decimal strings, null where there is none."""

    def exact(amount: Decimal | None) -> str | None:
        return None if amount is None else f"{amount:f}"

    data = {
        "per": list(found.units.keys),
        "rows": [_record(found, row) for row in found.rows],
        "unattributed": _record(found, found.unattributed),
        "total_usd": f"{found.spend.total.computed_usd:f}",
        "total_unpriced_tokens": found.spend.total.unpriced_tokens,
        "costs": [
            {"unit": cost.name, "units": exact(cost.units), "units_with_spend": exact(cost.units_with_spend),
             "usd_per_unit": exact(cost.usd_per_unit),
             "usd_per_unit_with_spend": exact(cost.usd_per_unit_with_spend),
             "loaded_usd_per_unit": exact(cost.loaded_usd_per_unit), "unpriced_tokens": cost.unpriced_tokens}
            for cost in found.costs
        ],
        **as_data(found.spend),
    }  # fmt: skip
    return json_text(data)


def as_csv(found: UnitEconomics) -> str:
    """A row per unit, and the unattributed; safe to open in a spreadsheet."""
    return records_as_sheet([_record(found, row) for row in (*found.rows, found.unattributed)])


def as_markdown(found: UnitEconomics) -> str:
    """The table and what a unit cost, for a pull request or a chat."""
    headings = [cell(name) for name in (*found.units.keys, *_headings(found))]
    ruler = ["---"] * len(found.units.keys) + ["---:"] * len(_headings(found))
    rows: list[Sequence[str]] = [headings, ruler]
    rows += [[*map(cell, row.keys), *_figures(row)] for row in (*found.rows, found.unattributed)]
    table = ["| " + " | ".join(row) + " |" for row in rows]
    sentences = [f"- {cell(line)}" for line in _sentences(found)]
    return "\n".join([*markdown_above(found.spend), *table, "", *sentences, "", *markdown_below(found.spend)]) + "\n"
