"""The priced logs as tables of the store: a review's figures are plain SELECTs over `spend_cell` and `spend_price`.

`spend_cell`, a row per day, place, model, context tier and token class (of models whose price changes within the
day, a row per half hour):

| column | |
|---|---|
| day | DATE, UTC |
| component, agent, task | as attributed; agent and task may be NULL |
| provider, model | the price book's names, else as logged (NULL where nothing was) |
| processing, status, tier | as in `usage_daily` |
| token_class | one of TOKEN_CLASSES (tokens.py), or as billed |
| units | BIGINT: tokens, searches, or calls (request); more than 0, calls may be 0; 0 as billed |
| usd | DECIMAL(38,24), exact: units x spend_price.usd_per_unit; NULL where there is no price |
| price_id | the row of `spend_price` that paid; NULL where none did (a call without a price per call costs 0) |

What only a bill states, without tokens that have a price, is `as billed`: its `usd` is what the bill says.

`spend_price`, the price rows (pricing/price_rows.sql).

`spend_call`, a view on the cells: `calls` by day, component, agent, task, provider, model, processing and status.

These three are the only priced tables that stay in a store, on purpose: after a review anyone can run its queries on
the file (`duckdb costsim.duckdb`). In a store opened read-only they are temporary.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ...tokens import COLUMNS, SUMMED
from ...usage.store import is_read_only
from ..spend.ledger import Ledger
from ..spend.priced import AS_BILLED, AS_IT_RAN

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

SPEND_CELL = f"""
CREATE OR REPLACE TABLE spend_cell AS
WITH line AS (
    SELECT
        chosen.day, component, agent, task,
        coalesce(priced_provider, chosen.provider) AS provider, coalesce(priced_model, chosen.model) AS model,
        chosen.processing, status, chosen.tier, unit_id, as_billed, sum(recorded_usd)::DECIMAL(38, 24) AS stated_usd,
        {SUMMED}
    {AS_IT_RAN}
    GROUP BY ALL
),
long AS (UNPIVOT line ON {COLUMNS} INTO NAME token_class VALUE units)
SELECT
    long.* EXCLUDE (unit_id, as_billed, stated_usd),
    CASE WHEN as_billed THEN 0::DECIMAL(38, 24) ELSE units * unit_price.usd END AS usd,
    CASE WHEN NOT as_billed THEN price_id END AS price_id
FROM long
JOIN unit_price ON unit_price.unit_id = long.unit_id AND unit_price.token_class = long.token_class
WHERE units > 0 OR long.token_class = 'request'
UNION ALL BY NAME
SELECT
    line.* EXCLUDE (unit_id, as_billed, stated_usd, {COLUMNS}),
    '{AS_BILLED}' AS token_class, 0 AS units, stated_usd AS usd
FROM line WHERE as_billed
"""  # noqa: S608 (fixed names)
SPEND_CALL = """
CREATE OR REPLACE VIEW spend_call AS
SELECT day, component, agent, task, provider, model, processing, status, sum(units)::BIGINT AS calls
FROM spend_cell WHERE token_class = 'request' AND units > 0
GROUP BY ALL
"""


# The rows that paid, beside the cells: the ledger's own tables are gone when the store is closed.
SPEND_PRICE = """
CREATE OR REPLACE TABLE spend_price AS
FROM price WHERE (provider, model) IN (SELECT (provider, model) FROM model_alias WHERE provider IS NOT NULL)
"""


def fill_cells(
    connection: DuckDBPyConnection, book: PriceBook, since: date | None = None, until: date | None = None
) -> None:
    """Price the rollup by `book` into `spend_cell`, of the days from `since` to `until`, both included (else all).

    Replaces `spend_cell`, the view `spend_call`, and `spend_price`, whose rows `spend_cell.price_id` names.
    """
    Ledger.open(connection, book).choose(since, until)
    lasting = "" if not is_read_only(connection) else "TEMP "
    for sql in (SPEND_CELL, SPEND_PRICE, SPEND_CALL):
        connection.execute(sql.replace("CREATE OR REPLACE ", f"CREATE OR REPLACE {lasting}"))
