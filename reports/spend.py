"""Spend in the terminal and for other programs: table, JSON, CSV, Markdown, Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

from rich.console import Console

from ..analysis.spend.spend import Spend, SpendRow
from ..json_text import json_text
from ..money import format_cents
from ..tokens import BILLED_TOKENS, CALL_CLASSES, MEDIA_CLASSES
from ..usage.reader import identifier
from ..usage.tags import json_path
from .beside_spend import as_data, markdown_above, markdown_below, priced, print_above, print_below
from .escaping import cell
from .fitted import Fitted, TableColumn
from .numbers import count, percent
from .sheets import records_as_sheet

Costs = Literal["recorded", "computed", "both"]

TOKEN_HEADINGS = {name: name.replace("cache_write", "write").replace("_", " ") for name in BILLED_TOKENS}


def print_spend(spend: Spend, costs: Costs, console: Console) -> None:
    """The groups, unpriced ones first, and what the figures rest on."""
    print_above(spend, console)
    console.print(_table(spend, costs))
    _print_difference(spend.total, console)
    print_below(spend, console)


def _table(spend: Spend, costs: Costs) -> Fitted:
    span = f" from {spend.days[0]} to {spend.days[1]}" if spend.days else ": nothing is logged for those days"
    where = "".join(f", {condition}" for condition in spend.query.where)
    figures = _columns(spend, costs)
    tokens = [heading for heading in figures if heading in TOKEN_HEADINGS.values()]
    if len(tokens) > 1:
        at = list(figures).index(tokens[-1]) + 1
        figures = dict([*list(figures.items())[:at], ("tokens", _all_tokens), *list(figures.items())[at:]])
    by = spend.query.by
    return Fitted(
        [
            *(TableColumn(name, "model" if name == "model" else "key") for name in by),
            *(_place(h, tokens) for h in figures),
        ],
        [[*row.keys, *(show(row) for show in figures.values())] for row in spend.rows],
        title=f"Spend{span}{where}",
        total=[*(["total", *[""] * (len(by) - 1)] if by else []), *(show(spend.total) for show in figures.values())],
    )


def _place(heading: str, tokens: Sequence[str]) -> TableColumn:
    """When a figure goes: the single classes of tokens first, for their sum; the cost never."""
    if heading == "tokens":
        return TableColumn(heading, goes=4, instead_of=tokens[0])
    goes = 2 if heading in tokens else {"searches": 1, "recorded": 3, "calls": 5}.get(heading, 0)
    return TableColumn(heading, goes=goes)


def _columns(spend: Spend, costs: Costs) -> dict[str, Callable[[SpendRow], str]]:
    by_class = "class" in spend.query.by  # a call has tokens of several classes: it is counted in its own row
    columns: dict[str, Callable[[SpendRow], str]] = {
        "calls": lambda row: count(row.calls) if row.calls or not by_class else ""
    }
    used = {name for row in spend.rows for name, tokens in row.tokens.items() if tokens}
    for name, heading in TOKEN_HEADINGS.items():
        if name in used:
            columns[heading] = lambda row, name=name: f"{row.tokens[name]:,}"  # type: ignore[misc]
    if "web_search" in used:
        columns["searches"] = lambda row: f"{row.tokens['web_search']:,}"
    if costs != "recorded":
        columns["cost"] = _computed
    if spend.currency:
        columns[f"cost in {spend.currency}"] = lambda row: priced(row.converted, row.unpriced_tokens, sign="")
    if costs != "computed" and any(row.recorded_usd is not None for row in (*spend.rows, spend.total)):
        columns["recorded"] = _recorded
    if spend.query.reprice:
        columns[f"at prices of {spend.query.reprice}"] = lambda row: priced(
            row.repriced_usd, row.repriced_unpriced_tokens
        )
    if any(row.shadow_usd for row in spend.rows):
        columns["list value"] = lambda row: format_cents(row.shadow_usd)
    return columns


def _all_tokens(row: SpendRow) -> str:
    return f"{sum(row.tokens[name] for name in TOKEN_HEADINGS):,}"


def _computed(row: SpendRow) -> str:
    return priced(row.computed_usd, row.unpriced_tokens)


def _recorded(row: SpendRow) -> str:
    if row.recorded_usd is None:
        return "-"
    if row.recorded_calls == row.entries:
        return format_cents(row.recorded_usd)
    of_what = "" if row.entries == row.calls else " entries"  # sums of calls, of which each has a cost or has none
    return f"{format_cents(row.recorded_usd)} ({row.recorded_calls} of {row.entries}{of_what})"


def _print_difference(total: SpendRow, console: Console) -> None:
    if total.recorded_usd is None:
        return
    if total.difference is None:
        console.print("Recorded and computed cost cover different calls, so they are not compared.")
    elif abs(total.difference.usd) < Decimal("0.000001"):
        console.print("Recorded and computed cost are equal.")
    else:
        share = abs(total.difference.usd) / total.computed_usd * 100 if total.computed_usd else Decimal(0)
        said = f"{format_cents(total.difference.usd)} ({percent(share)}): {total.difference.explained}"
        console.print(f"Recorded less computed: {said}")


def _record(spend: Spend, row: SpendRow) -> dict[str, object]:
    """One group, flat: money as decimal strings, null where unknown."""

    def plain(amount: Decimal | None) -> str | None:
        return None if amount is None else f"{amount:f}"

    record: dict[str, object] = dict(zip(spend.query.by, row.keys, strict=False))
    record |= {"calls": row.calls, **{_count(name): row.tokens[name] for name in shown_classes(spend)}}
    record |= {
        "computed_usd": plain(row.computed_usd),
        "unpriced_tokens": row.unpriced_tokens,
        "recorded_usd": plain(row.recorded_usd),
        "recorded_calls": row.recorded_calls,
        "shadow_usd": plain(row.shadow_usd),
    }
    if spend.currency:
        record[_in_currency(spend.currency)] = plain(row.converted)
    if spend.query.reprice:
        record |= {
            "repriced_usd": plain(row.repriced_usd),
            "repriced_unpriced_tokens": row.repriced_unpriced_tokens,
        }
    if row.difference:
        record["difference"] = {
            "usd": plain(row.difference.usd),
            "tier_usd": plain(row.difference.tier_usd),
            "class_usd": plain(row.difference.class_usd),
            "price_usd": plain(row.difference.price_usd),
        }
    return record


def shown_classes(spend: Spend) -> list[str]:
    """The classes that programs are told of: all, but of audio and images those that some call has."""
    return [name for name in CALL_CLASSES if name not in MEDIA_CLASSES or spend.total.tokens[name]]


def _count(name: str) -> str:
    return "web_searches" if name == "web_search" else f"{name}_tokens"


def _in_currency(currency: str) -> str:
    return f"computed_{currency.lower()}"


def as_json(spend: Spend) -> str:
    """Rows, total, unpriced models and the book's hash."""
    data = {
        "by": list(spend.query.by),
        **({"where": list(map(str, spend.query.where))} if spend.query.where else {}),
        **({"top": spend.query.top} if spend.query.top else {}),
        **({"currency": spend.currency} if spend.currency else {}),
        "rows": [_record(spend, row) for row in spend.rows],
        "total": {key: value for key, value in _record(spend, spend.total).items() if key not in spend.query.by},
        **as_data(spend),
    }
    return json_text(data)


def _flat(spend: Spend) -> list[dict[str, object]]:
    return [{k: v for k, v in _record(spend, row).items() if k != "difference"} for row in spend.rows]


def as_csv(spend: Spend) -> str:
    """A row per group: full precision; safe to open in a spreadsheet."""
    return records_as_sheet(_flat(spend))


def as_markdown(spend: Spend, costs: Costs) -> str:
    """The table, for a pull request or a chat."""
    columns = _columns(spend, costs)
    lines = markdown_above(spend)
    lines.append("| " + " | ".join([*map(cell, spend.query.by), *map(cell, columns)]) + " |")
    lines.append("| " + " | ".join(["---"] * len(spend.query.by) + ["---:"] * len(columns)) + " |")
    for row in spend.rows:
        lines.append("| " + " | ".join([*map(cell, row.keys), *(show(row) for show in columns.values())]) + " |")
    total = ["**total**", *[""] * (len(spend.query.by) - 1)] if spend.query.by else []
    lines.append("| " + " | ".join([*total, *(f"**{show(spend.total)}**" for show in columns.values())]) + " |")
    return "\n".join([*lines, "", *markdown_below(spend)]) + "\n"


def write_parquet(spend: Spend, file: Path) -> None:
    """The rows as Parquet, money DECIMAL(38, 24); written whole or not at all. Raises OutputError."""
    import duckdb

    from ..usage.output_files import failing_as_output
    from ..writing import replacing

    keys = ", ".join(f"row ->> ? AS {identifier(name)}" for name in spend.query.by)
    counts = ("calls", *map(_count, shown_classes(spend)), "unpriced_tokens", "recorded_calls")
    money = (
        "computed_usd",
        "recorded_usd",
        "shadow_usd",
        *(("repriced_usd",) if spend.query.reprice else ()),
        *((_in_currency(spend.currency),) if spend.currency else ()),
    )
    columns = [keys] if keys else []
    columns += [f"(row->>'{name}')::BIGINT AS {name}" for name in counts]
    columns += [f"(row->>?)::DECIMAL(38, 24) AS {identifier(name)}" for name in money]
    sql = f"SELECT {', '.join(columns)} FROM (SELECT unnest(from_json(?, '[\"JSON\"]')) AS row)"  # noqa: S608 (fixed names)
    with duckdb.connect() as connection, replacing(file) as temporary, failing_as_output(file):
        paths = [json_path(name) for name in (*spend.query.by, *money)]
        connection.sql(sql, params=[*paths, json.dumps(_flat(spend))]).write_parquet(str(temporary))
