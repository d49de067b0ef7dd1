"""The SQL of the ledger: which unit price a sum of the rollup has, and what the sum then costs.

Unit prices are looked up by the same SQL that prices everything (pricing/cost.sql), and multiplied with the sums.
ledger.py says what the tables hold, and runs this.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...tokens import CALL_CLASSES, COLUMNS, TOKEN_CLASSES

AS_BILLED = "as billed"
"""In place of a token class: what a bill states without tokens that have a price."""
BOOK_HASH = "SELECT getvariable('ledger_book')"
HOLD_BOOK = "SET VARIABLE ledger_book = $book_hash"
KNOWN_MODELS = "SELECT provider_ref, model_ref FROM model_alias"
OPEN_TABLES = f"""
CREATE OR REPLACE TEMP TABLE price_key (
    day DATE, slot SMALLINT, provider VARCHAR, model VARCHAR, processing VARCHAR, tier BIGINT, unit_id BIGINT
);
CREATE OR REPLACE TEMP TABLE unit_price (
    unit_id BIGINT, token_class VARCHAR, usd DECIMAL(38, 24), shadow_usd DECIMAL(38, 24), price_id INTEGER
);
CREATE OR REPLACE TEMP VIEW unit_rate AS
SELECT unit_id, {", ".join(f"max(usd) FILTER (token_class = '{name}') AS {name}" for name in TOKEN_CLASSES)}
FROM unit_price GROUP BY unit_id;
"""  # noqa: S608 (fixed names)

# Every sum at its own tier, and at the base tier: recorded costs are compared with that too.
USED_KEYS = """
WITH used AS (
    SELECT DISTINCT day, slot, alias.provider, alias.model, processing, tier
    FROM (
        SELECT day, slot, provider, model, processing, tier FROM usage_daily
        UNION SELECT day, slot, provider, model, processing, tier FROM covered_daily
    ) AS usage_daily
    LEFT JOIN model_alias AS alias
        ON alias.provider_ref IS NOT DISTINCT FROM usage_daily.provider AND alias.model_ref = usage_daily.model
)
SELECT * FROM used UNION SELECT * REPLACE (0::BIGINT AS tier) FROM used
"""
NEW_KEY = """
CREATE OR REPLACE TEMP TABLE new_key AS
SELECT * FROM ({wanted}) AS key (day, slot, provider, model, processing, tier)
EXCEPT SELECT * EXCLUDE (unit_id) FROM price_key
"""
# All moments between two price changes of a model, at the same time of day, are priced by the first of them.
NEW_UNIT = """
CREATE OR REPLACE TEMP TABLE new_unit AS
WITH edge AS (
    SELECT DISTINCT provider, model, unnest([valid_from, valid_to]) AS edge FROM price
),
moment AS (
    SELECT *, day::TIMESTAMP + to_minutes(CASE WHEN slot < 0 THEN 0 ELSE slot * 30 END) AS ts FROM new_key
),
placed AS (
    SELECT moment.*, edge
    FROM moment
    ASOF LEFT JOIN (FROM edge WHERE edge IS NOT NULL) AS edge
        ON moment.provider = edge.provider AND moment.model = edge.model AND moment.ts >= edge.edge
)
SELECT
    * EXCLUDE (ts, edge),
    min(ts) OVER (PARTITION BY provider, model, processing, tier, slot, edge) AS priced_at,
    dense_rank() OVER (ORDER BY provider, model, processing, tier, slot, edge)
        + (SELECT coalesce(max(unit_id), 0) FROM price_key) AS unit_id
FROM placed
"""
NEW_PRICE_KEY = "INSERT INTO price_key BY NAME SELECT * EXCLUDE (priced_at) FROM new_unit"
USAGE_SUM = """
CREATE OR REPLACE TEMP TABLE usage_sum AS
SELECT
    unit_id AS sum_id, priced_at AS at, provider, model, processing, tier AS tier_input, token_class,
    1::BIGINT AS tokens
FROM (SELECT DISTINCT unit_id, priced_at, provider, model, processing, tier FROM new_unit)
CROSS JOIN (SELECT unnest($classes) AS token_class)
"""
UNIT_PRICE = "INSERT INTO unit_price BY NAME SELECT * EXCLUDE (sum_id, tokens), sum_id AS unit_id FROM sum_cost"

USED = " + ".join(CALL_CLASSES)
CHOSEN = """
CREATE OR REPLACE TEMP VIEW chosen AS
SELECT * FROM (
    SELECT sums.rowid AS row_id, sums.*, sums.{shown} AS shown_day,
        alias.provider AS priced_provider, alias.model AS priced_model,
        -- a bill's sum without tokens that a price is known for costs what it says
        sums.role = 'bill' AND sums.recorded_calls = sums.calls AND sums.recorded_usd IS NOT NULL
            AND (alias.model IS NULL OR {used} = 0)
            AS as_billed
    FROM {relation} AS sums
    LEFT JOIN model_alias AS alias
        ON alias.provider_ref IS NOT DISTINCT FROM sums.provider AND alias.model_ref = sums.model
    WHERE shown_day >= getvariable('chosen_since') AND shown_day <= getvariable('chosen_until')
)
WHERE {where}
"""
CHOSEN_KEYS = "SELECT DISTINCT {day}, slot, priced_provider, priced_model, processing, tier FROM chosen"
KEYED = """
FROM chosen
JOIN price_key
    ON price_key.day = {day} AND price_key.slot = chosen.slot AND price_key.processing = chosen.processing
    AND price_key.tier = {tier}
    AND price_key.provider IS NOT DISTINCT FROM chosen.priced_provider
    AND price_key.model IS NOT DISTINCT FROM chosen.priced_model
"""
AS_IT_RAN = KEYED.format(day="chosen.day", tier="chosen.tier")
ASSUMED = KEYED.format(
    day="coalesce($reprice::DATE, chosen.day)", tier="(CASE WHEN $base_tier THEN 0 ELSE chosen.tier END)"
)
CELL = f"""
CREATE OR REPLACE TEMP TABLE cell AS
WITH keyed AS (SELECT chosen.*, price_key.unit_id {ASSUMED}),
long AS (
    UNPIVOT keyed ON {COLUMNS}
    INTO NAME token_class VALUE tokens
)
SELECT
    long.*,
    CASE WHEN long.as_billed THEN CASE WHEN long.token_class = 'request' THEN long.recorded_usd ELSE 0 END
        ::DECIMAL(38, 24)
        WHEN long.tokens = 0 THEN 0::DECIMAL(38, 24) ELSE long.tokens * unit_price.usd END AS usd,
    CASE WHEN long.as_billed OR long.tokens = 0 THEN 0::DECIMAL(38, 24)
        ELSE long.tokens * unit_price.shadow_usd END AS shadow_usd,
    unit_price.price_id
FROM long
JOIN unit_price ON unit_price.unit_id = long.unit_id AND unit_price.token_class = CASE
    WHEN $short_cache AND long.token_class = 'cache_write_1h' THEN 'cache_write_5m' ELSE long.token_class END
WHERE long.tokens > 0 OR long.token_class = 'request'
"""  # noqa: S608 (fixed text)


def _each(sql: str) -> str:
    """`sql` for every class, added up; `{name}` is its column, `{price}` where its unit prices stand."""
    paid = {"cache_write_1h": "(CASE WHEN $short_cache THEN unit.cache_write_5m ELSE unit.cache_write_1h END)"}
    return " + ".join(sql.format(name=name, price=paid.get(name, f"unit.{name}")) for name in TOKEN_CLASSES)


# A class without tokens costs nothing, whatever its price.
_UNIT = "any_value({{usd: usd, shadow_usd: shadow_usd}}) FILTER (token_class = '{name}') AS {name}"
PRICED = f"""
CREATE OR REPLACE TEMP TABLE priced AS
WITH unit AS (
    SELECT unit_id, {", ".join(_UNIT.format(name=name) for name in TOKEN_CLASSES)}
    FROM unit_price GROUP BY unit_id
)
SELECT
    chosen.*,
    price_key.unit_id,
    CASE WHEN as_billed THEN recorded_usd::DECIMAL(38, 24)
        ELSE {_each("coalesce(chosen.{name} * {price}.usd, 0)")} END AS usd,
    {_each("coalesce(chosen.{name} * {price}.shadow_usd, 0)")} AS shadow_usd,
    CASE WHEN as_billed THEN 0 ELSE {_each("CASE WHEN {price}.usd IS NULL THEN chosen.{name} ELSE 0 END")} END
        AS unpriced_tokens
{ASSUMED}
JOIN unit ON unit.unit_id = price_key.unit_id
"""  # noqa: S608 (fixed names)


def cost_at(rate: str, classes: Iterable[str]) -> str:
    """SQL of what the tokens of `line` cost at the `unit_rate` row `rate`, of these classes added up.

    NULL where a class that has tokens has no price.
    """
    return " + ".join(
        f"CASE WHEN line.{name} = 0 THEN 0::DECIMAL(38, 24) ELSE line.{name} * {rate}.{name} END" for name in classes
    )
