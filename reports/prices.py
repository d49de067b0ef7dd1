"""Price books in the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from rich.console import Console
from rich.text import Text

from ..json_text import json_text
from ..plurals import counted
from ..pricing.book import PriceBook
from ..pricing.queries import KnownModel, PriceDifference
from ..pricing.rows import PriceRow
from ..tokens import BILLED_TOKENS, MEDIA_CLASSES
from .fitted import Fitted, TableColumn
from .numbers import count, percent

MOST_SHOWN = 200
GOES = {**dict.fromkeys(MEDIA_CLASSES, 2), "cache_write_1h": 3, "cache_write_5m": 4, "cache_read": 5}
"""Which classes go first where a terminal is narrow: those that few models have, and fixed multiples of the input."""


def print_list(rows: list[PriceRow], book: PriceBook, console: Console) -> None:
    """A line per model: USD per million tokens by class, and where the price comes from."""
    by_model: dict[str, dict[str, PriceRow]] = {}
    for row in rows:
        by_model.setdefault(f"{row.provider}/{row.model}", {})[row.token_class] = row
    known = {name for priced in by_model.values() for name in priced}
    classes = [name for name in BILLED_TOKENS if name in known or name not in MEDIA_CLASSES]
    table = Fitted(
        [
            TableColumn("model", "model"),
            *(TableColumn(name, goes=GOES.get(name, 0)) for name in classes),
            TableColumn("book version", "label", goes=1),
        ],
        [
            [
                model,
                *(_price(priced[name]) if name in priced else "-" for name in classes),
                next(iter(priced.values())).source_version,
            ]
            for model, priced in by_model.items()
        ],
        title="USD per million tokens",
    )
    console.print(table)
    console.print(f"{len(by_model):,} models. {_stack(book)}")


def print_model(model: KnownModel, book: PriceBook, console: Console) -> None:
    """Every row of one model: class, processing, tier, dates, price and source."""
    window = f", context window {count(model.context_window)} tokens" if model.context_window else ""
    sources = list(dict.fromkeys(_source(row) for row in model.rows))
    columns = [
        TableColumn("class", "key"),
        TableColumn("processing", "key"),
        TableColumn("from tokens"),
        TableColumn("valid from", "label"),
        TableColumn("valid to", "label"),
        TableColumn("daily (UTC)", "label"),
        TableColumn("USD"),
        TableColumn("per", goes=1),
        TableColumn("source"),
    ]
    rows = [[*_terms(row), _price(row), f"{row.per:,}", f"[{sources.index(_source(row)) + 1}]"] for row in model.rows]
    console.print(Fitted(columns, rows, title=f"{model.key}{window}"))
    for number, source in enumerate(sources, 1):
        console.print(Text(f"[{number}] {source}"))
    console.print(_stack(book))


def _source(row: PriceRow) -> str:
    return ". ".join(part for part in (row.source, row.note) if part)


def _terms(row: PriceRow) -> list[str]:
    """When the price of a row holds: class, processing, tier, days, hours."""
    return [
        row.token_class,
        row.processing,
        f"{row.min_input_tokens:,}" if row.min_input_tokens else "",
        f"{row.valid_from:%Y-%m-%d}" if row.valid_from else "",
        f"{row.valid_to:%Y-%m-%d}" if row.valid_to else "",
        f"{row.utc_from:%H:%M}-{row.utc_to:%H:%M}" if row.utc_from and row.utc_to else "",
    ]


def _price(row: PriceRow) -> str:
    shadow = f" (shadow {_cents_at_least(row.shadow_usd)})" if row.shadow_usd is not None else ""
    return _cents_at_least(row.usd) + shadow


def _cents_at_least(usd: Decimal) -> str:
    """Every digit of a price, and two decimals at least: `$0.80`, `$0.0833`."""
    places = max(2, -int(usd.as_tuple().exponent))
    return f"${usd:,.{places}f}"


def print_diff(differences: list[PriceDifference], console: Console) -> None:
    """A line per price that differs; where one book lacks hundreds, they are counted."""
    changed = [found for found in differences if found.kind == "changed"]
    shown = differences if len(differences) <= MOST_SHOWN else changed
    columns = [
        TableColumn("model", "model"),
        TableColumn("class", "key"),
        *map(TableColumn, ("first", "second", "change")),
    ]
    console.print(Fitted(columns, [_difference(found) for found in shown]))
    console.print(
        f"{counted(len(changed), 'price')} changed, {_only('removed', differences)}, {_only('added', differences)}."
    )
    if len(shown) < len(differences):
        console.print("Those in one book only are counted, not shown; name models with --model, or use --format json.")


def _difference(found: PriceDifference) -> list[str]:
    old = _price(found.before) if found.before else "-"
    new = _price(found.after) if found.after else "-"
    change = found.kind if found.percent is None else f"{'+' if found.percent > 0 else ''}{percent(found.percent)}"
    return [str(found.key), found.token_class, old, new, change]


def _only(kind: str, differences: list[PriceDifference]) -> str:
    found = [difference for difference in differences if difference.kind == kind]
    where = "first" if kind == "removed" else "second"
    models = len({difference.key for difference in found})
    return f"{counted(models, 'model')} only in the {where} book ({counted(len(found), 'price')})"


def _stack(book: PriceBook) -> Text:
    layers = " + ".join(f"{layer.name} ({layer.source})" for layer in book.layers)
    return Text(f"Prices {book.hash[:12]}  {layers}")


def rows_json(rows: Iterable[PriceRow]) -> str:
    """Price rows as JSON: money as decimal strings, moments in ISO 8601."""
    return json_text([_row(row) for row in rows])


def differences_json(differences: Iterable[PriceDifference]) -> str:
    """Differences as JSON: both rows whole."""
    data = [
        {
            "kind": found.kind,
            "model": str(found.key),
            "token_class": found.token_class,
            "before": _row(found.before) if found.before else None,
            "after": _row(found.after) if found.after else None,
            "percent": None if found.percent is None else f"{found.percent:f}",
        }
        for found in differences
    ]
    return json_text(data)


def _row(row: PriceRow) -> dict[str, object]:
    return {
        "provider": row.provider,
        "model": row.model,
        "token_class": row.token_class,
        "processing": row.processing,
        "min_input_tokens": row.min_input_tokens,
        "valid_from": row.valid_from.isoformat() if row.valid_from else None,
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "utc_from": row.utc_from.isoformat() if row.utc_from else None,
        "utc_to": row.utc_to.isoformat() if row.utc_to else None,
        "usd": f"{row.usd:f}",
        "per": row.per,
        "shadow_usd": None if row.shadow_usd is None else f"{row.shadow_usd:f}",
        "source": row.source,
        "note": row.note,
    }
