"""Prices in DuckDB: the tables `price` and `model_alias`, and the cost of summed usage, exact in DECIMAL.

Temporary tables (moments are TIMESTAMP, naive, UTC):

- `price`: the fields of PriceRow in their order, `price_id` INTEGER before them (the order of the book),
  `usd_per_unit` and `shadow_usd_per_unit` DECIMAL(38,24) after them.
- `model_alias` (provider_ref, model_ref, provider, model): what logged names mean; NULLs where unpriced.
- `usage_sum` (sum_id BIGINT, at TIMESTAMP, provider VARCHAR, model VARCHAR, processing VARCHAR,
  tier_input BIGINT, token_class VARCHAR, tokens BIGINT), a table or view that the caller makes: tokens summed
  over calls that one row of prices pays for. `at` is any moment of theirs, `tier_input` the total input of any
  one of these requests, `provider` and `model` the resolved key (NULL: unpriced).
- `sum_cost` (sum_id, token_class, tokens, usd DECIMAL(38,24), shadow_usd DECIMAL(38,24), price_id).

A price that is not whole in 24 decimals per unit (audio hours, 3,600 seconds each) is not in `price`: no token
class of ours is priced so, and a rounded price is a wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..tokens import TOKEN_CLASSES, paying
from .book import PriceBook
from .rows import ModelKey, PriceRow

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PLACES = 24

PRICE_ROWS_SQL = Path(__file__).with_name("price_rows.sql").read_text("utf-8")
PAYS = ", ".join(
    f"('{name}', '{priced}', {place})" for name in TOKEN_CLASSES for place, priced in enumerate(paying(name))
)
COST_SQL = Path(__file__).with_name("cost.sql").read_text("utf-8").replace("[pays]", PAYS)

MODEL_ALIAS_SQL = """
CREATE OR REPLACE TEMP TABLE model_alias AS
SELECT alias.*
FROM (
    SELECT unnest(from_json_strict(?::JSON, '[{
        "provider_ref": "VARCHAR", "model_ref": "VARCHAR", "provider": "VARCHAR", "model": "VARCHAR"
    }]')) AS alias
);
"""


def load_prices(connection: DuckDBPyConnection, book: PriceBook, keys: Iterable[ModelKey] | None = None) -> None:
    """Fill the table `price` with the book's rows of the models `keys` (all models without), replacing it."""
    wanted = book.keys() if keys is None else keys
    connection.execute(f"CREATE OR REPLACE TEMP TABLE price AS {PRICE_ROWS_SQL}", [_records(book, wanted, 1)])


def add_prices(connection: DuckDBPyConnection, book: PriceBook, keys: Iterable[ModelKey]) -> None:
    """Add to the table `price` the book's rows of those models of `keys` that it has none of; ids go on."""
    held = {*connection.execute("SELECT DISTINCT provider, model FROM price").fetchall()}
    wanted = [key for key in keys if (key.provider, key.model) not in held]
    if not wanted:
        return
    (last,) = connection.execute("SELECT coalesce(max(price_id), 0) FROM price").fetchone() or (0,)
    connection.execute(f"INSERT INTO price {PRICE_ROWS_SQL}", [_records(book, wanted, last + 1)])


def _records(book: PriceBook, keys: Iterable[ModelKey], first_id: int) -> str:
    rows = (row for key in dict.fromkeys(keys) for row in book.rows(key))
    records = (_record(number, row) for number, row in enumerate(rows, start=first_id))
    return json.dumps([record for record in records if record["usd_per_unit"] and record["shadow_usd_per_unit"]])


def _record(price_id: int, row: PriceRow) -> dict[str, Any]:
    return {
        "price_id": price_id,
        "provider": row.provider,
        "model": row.model,
        "token_class": row.token_class,
        "processing": row.processing,
        "min_input_tokens": row.min_input_tokens,
        "valid_from": _naive(row.valid_from),
        "valid_to": _naive(row.valid_to),
        "utc_from": row.utc_from and row.utc_from.isoformat(),
        "utc_to": row.utc_to and row.utc_to.isoformat(),
        "usd": f"{row.usd:f}",
        "per": row.per,
        "source": row.source,
        "source_version": row.source_version,
        "layer": row.layer,
        "shadow_usd": None if row.shadow_usd is None else f"{row.shadow_usd:f}",
        "note": row.note,
        "usd_per_unit": _exact(row.usd, row.per),
        "shadow_usd_per_unit": _exact(row.shadow_usd or Decimal(0), row.per),
    }


def _naive(at: datetime | None) -> str | None:
    return None if at is None else at.replace(tzinfo=None).isoformat(" ")


@lru_cache(maxsize=65_536)
def _exact(usd: Decimal, per: int) -> str | None:
    """USD per unit, written out, or None where 24 decimals do not hold it."""
    scaled = Fraction(usd) * 10**PLACES / per
    return f"{Decimal(scaled.numerator).scaleb(-PLACES):f}" if scaled.denominator == 1 else None


def resolve_models(connection: DuckDBPyConnection, book: PriceBook, pairs: Iterable[tuple[str | None, str]]) -> None:
    """Fill the table `model_alias` with what logged (provider, model) pairs mean, replacing it.

    A provider that the log does not state is NULL: join with `IS NOT DISTINCT FROM`.
    """
    aliases = [
        {"provider_ref": provider, "model_ref": model, **_meant(book.resolve(model, provider))}
        for provider, model in dict.fromkeys(pairs)
    ]
    connection.execute(MODEL_ALIAS_SQL, [json.dumps(aliases)])


def _meant(key: ModelKey | None) -> dict[str, str | None]:
    return {"provider": key and key.provider, "model": key and key.model}


def cost_sums(connection: DuckDBPyConnection) -> None:
    """Fill the table `sum_cost` with the cost of every row of `usage_sum`, replacing it; needs `price`.

    `usd` is NULL where a class with tokens has no price, 0 for calls without a price per call, and exact
    otherwise: tokens x usd_per_unit, no rounding. `shadow_usd` is what a subscription's tokens would have cost,
    0 outside subscriptions. A cost beyond DECIMAL(38,24) raises duckdb.OutOfRangeException.
    """
    connection.execute(COST_SQL)
