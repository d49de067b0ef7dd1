"""The rollup's exact sums at their prices, in DuckDB: what spend, FOCUS and the review are grouped from.

Prices are looked up once per (day, half hour, model, processing, context tier) and class, by the same SQL that
prices everything (pricing/cost.sql), and multiplied with the sums: no event is ever touched. Costs are
DECIMAL(38,24) and exact; a class without a price is NULL, or counted apart, never $0.

Temporary tables: `chosen`, the rollup's rows of some days with the priced name of their model; `priced`, the same
with their cost; `cell`, a row per row of `chosen` and token class, where costs are asked class by class.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ...pricing.store import cost_sums, load_prices, resolve_models
from ...usage.rollup import rolled_models

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search", "request")

CHOSEN = """
CREATE OR REPLACE TEMP VIEW chosen AS
SELECT sums.rowid AS row_id, sums.*, sums.{shown} AS shown_day,
    alias.provider AS priced_provider, alias.model AS priced_model
FROM {relation} AS sums
LEFT JOIN model_alias AS alias
    ON alias.provider_ref IS NOT DISTINCT FROM sums.provider AND alias.model_ref = sums.model
WHERE shown_day >= getvariable('chosen_since') AND shown_day <= getvariable('chosen_until')
"""
PRICE_KEY = """
CREATE OR REPLACE TEMP TABLE price_key AS
SELECT row_number() OVER () AS key_id, *
FROM (SELECT DISTINCT day, slot, priced_provider, priced_model, processing, tier FROM chosen)
"""
# One unit of each class at each key: sum_cost then holds the price of a unit.
USAGE_SUM = """
CREATE OR REPLACE TEMP TABLE usage_sum AS
SELECT
    key_id AS sum_id,
    coalesce($reprice::DATE, day)::TIMESTAMP + to_minutes(CASE WHEN slot < 0 THEN 0 ELSE slot * 30 END) AS at,
    priced_provider AS provider,
    priced_model AS model,
    processing,
    CASE WHEN $base_tier THEN 0 ELSE tier END AS tier_input,
    token_class,
    1::BIGINT AS tokens
FROM price_key
CROSS JOIN (SELECT unnest($classes) AS token_class)
"""
KEYED = """
FROM chosen
JOIN price_key
    ON price_key.day = chosen.day AND price_key.slot = chosen.slot AND price_key.processing = chosen.processing
    AND price_key.tier = chosen.tier
    AND price_key.priced_provider IS NOT DISTINCT FROM chosen.priced_provider
    AND price_key.priced_model IS NOT DISTINCT FROM chosen.priced_model
"""
CELL = f"""
CREATE OR REPLACE TEMP TABLE cell AS
WITH keyed AS (SELECT chosen.*, price_key.key_id {KEYED}),
long AS (
    UNPIVOT keyed ON input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request
    INTO NAME token_class VALUE tokens
)
SELECT
    long.*,
    CASE WHEN long.tokens = 0 THEN 0::DECIMAL(38, 24) ELSE long.tokens * sum_cost.usd END AS usd,
    CASE WHEN long.tokens = 0 THEN 0::DECIMAL(38, 24) ELSE long.tokens * sum_cost.shadow_usd END AS shadow_usd,
    sum_cost.price_id
FROM long
JOIN sum_cost ON sum_cost.sum_id = long.key_id AND sum_cost.token_class = CASE
    WHEN $short_cache AND long.token_class = 'cache_write_1h' THEN 'cache_write_5m' ELSE long.token_class END
WHERE long.tokens > 0 OR long.token_class = 'request'
"""  # noqa: S608 (fixed text)


def _each(sql: str) -> str:
    """`sql` for every class, added up; `{name}` is its column, `{price}` where its unit prices stand."""
    paid = {"cache_write_1h": "(CASE WHEN $short_cache THEN unit.cache_write_5m ELSE unit.cache_write_1h END)"}
    return " + ".join(sql.format(name=name, price=paid.get(name, f"unit.{name}")) for name in CLASSES)


# A class without tokens costs nothing, whatever its price.
_UNIT = "any_value({{usd: usd, shadow_usd: shadow_usd}}) FILTER (token_class = '{name}') AS {name}"
PRICED = f"""
CREATE OR REPLACE TEMP TABLE priced AS
WITH unit AS (
    SELECT sum_id, {", ".join(_UNIT.format(name=name) for name in CLASSES)}
    FROM sum_cost GROUP BY sum_id
)
SELECT
    chosen.*,
    {_each("coalesce(chosen.{name} * {price}.usd, 0)")} AS usd,
    {_each("coalesce(chosen.{name} * {price}.shadow_usd, 0)")} AS shadow_usd,
    {_each("CASE WHEN {price}.usd IS NULL THEN chosen.{name} ELSE 0 END")} AS unpriced_tokens
{KEYED}
JOIN unit ON unit.sum_id = price_key.key_id
"""  # noqa: S608 (fixed names)


def choose_days(
    connection: DuckDBPyConnection,
    book: PriceBook,
    since: date | None,
    until: date | None,
    *,
    relation: str = "usage_daily",
    shown: str = "day",
) -> None:
    """Fill `chosen` with the rollup's rows from `since` to `until`, both included, ready to be priced by `book`.

    `relation` may be other sums with the rollup's columns, whose days are those of its column `shown`: names of ours.
    """
    price_models(connection, book)
    for name, day in {"chosen_since": since or date(1, 1, 1), "chosen_until": until or date(9999, 12, 31)}.items():
        connection.execute(f"SET VARIABLE {name} = ?", [day])
    connection.execute(CHOSEN.format(relation=relation, shown=shown))
    connection.execute(PRICE_KEY)


def price_models(connection: DuckDBPyConnection, book: PriceBook) -> None:
    """Fill `model_alias` and `price` with all that the rollup's models need."""
    pairs = rolled_models(connection)
    resolve_models(connection, book, pairs)
    keys = {key for provider, model in pairs if (key := book.resolve(model, provider))}
    load_prices(connection, book, sorted(keys))


def price_rows(
    connection: DuckDBPyConnection, *, reprice: date | None = None, base_tier: bool = False, short_cache: bool = False
) -> None:
    """Fill `priced`: each chosen row with its `usd`, `shadow_usd` and `unpriced_tokens`.

    `reprice` prices everything at that day; `base_tier` as if every request were small; `short_cache` 1-hour
    cache writes as 5-minute ones.
    """
    unit_prices(connection, reprice, base_tier)
    connection.execute("SET preserve_insertion_order = false")  # the rows are only ever summed
    connection.execute(PRICED, {"short_cache": short_cache})
    connection.execute("RESET preserve_insertion_order")


def price_cells(
    connection: DuckDBPyConnection, *, reprice: date | None = None, base_tier: bool = False, short_cache: bool = False
) -> None:
    """Fill `cell`: as `price_rows`, but class by class, each with the `price_id` of the row that paid."""
    unit_prices(connection, reprice, base_tier)
    connection.execute(CELL, {"short_cache": short_cache})


def unit_prices(connection: DuckDBPyConnection, reprice: date | None = None, base_tier: bool = False) -> None:
    """Fill `sum_cost` with the price of one unit of each class at each of `price_key`: join it by KEYED's key_id."""
    values = {"reprice": reprice, "base_tier": base_tier, "classes": list(CLASSES)}
    connection.execute(USAGE_SUM, values)
    cost_sums(connection)
