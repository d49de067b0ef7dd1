"""The cells of a FOCUS export: spend cells beside their cost at the base book alone (the list price)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ...errors import UnpricedError
from ...pricing.book import PriceBook
from .ledger import Ledger
from .spend import Query, spend

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Base and stack are priced one after the other over the same rows; a model that only an overlay prices has no
# list price, so its contracted price stands in.
KEEP_LIST = """
CREATE OR REPLACE TEMP TABLE list_cell AS
SELECT row_id, cell.token_class, cell.usd, price.usd AS unit_usd FROM cell LEFT JOIN price USING (price_id)
"""
FOCUS_CELL = """
CREATE OR REPLACE TEMP TABLE focus_cell AS
SELECT
    cell.*,
    coalesce(list_cell.usd, cell.usd) AS list_usd,
    coalesce(list_cell.unit_usd, price.usd) AS list_unit_usd
FROM cell
JOIN price USING (price_id)
LEFT JOIN list_cell ON list_cell.row_id = cell.row_id AND list_cell.token_class = cell.token_class
WHERE cell.tokens > 0
"""


def focus_cells(connection: DuckDBPyConnection, book: PriceBook, since: date | None, until: date | None) -> None:
    """Fill the temporary table `focus_cell`. Raises UnpricedError: a charge without a cost cannot be exported."""
    base = PriceBook(book.layers[:1], book.files[:1])
    listed = Ledger.open(connection, base)
    listed.choose(since, until)
    listed.price_cells()
    connection.execute(KEEP_LIST)
    found = spend(connection, book, Query((), since, until))
    if found.unpriced_models:
        names = ", ".join(repr(name) for name in found.unpriced_models)
        raise UnpricedError(f"no price for {names}: FOCUS wants a cost in every row; add them to a price overlay")
    Ledger.open(connection, book).price_cells()
    connection.execute(FOCUS_CELL)
