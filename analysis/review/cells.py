"""The priced usage as a table of the store: `spend_cell`, which every figure of the review is a sum over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..priced import choose_days, price_cells

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

SPEND_CELL = """
CREATE OR REPLACE TABLE spend_cell AS
SELECT
    day, component, agent, task,
    coalesce(priced_provider, provider) AS provider,    -- the priced name where there is one, else as logged
    coalesce(priced_model, model) AS model,
    processing, status, tier, token_class,
    sum(tokens)::BIGINT AS units,                       -- tokens, searches or calls
    sum(usd) AS usd,                                    -- exact; NULL: no price, never $0
    price_id                                            -- the row of `price` that paid
FROM cell
GROUP BY ALL
ORDER BY day, component, task, model, token_class
"""


def fill_cells(connection: DuckDBPyConnection, book: PriceBook) -> None:
    """Replace `spend_cell` by all days of the rollup at the book's prices; `price` holds the rows that paid.

    Its sums are those of `costsim spend`, to the last digit. Bring the rollup up to date first.
    """
    choose_days(connection, book, None, None)
    price_cells(connection)
    connection.execute(SPEND_CELL)
