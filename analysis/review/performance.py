"""How models did by task in the month, and against the month before."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from ...months import moments, month_bounds
from ..outcomes.costs import paid_usd, report_month, under_book_names
from ..outcomes.outcomes import Criteria
from ..outcomes.store import count_outcomes
from .results import Performance

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

FIND = "SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = 'outcome' AND NOT temporary"
NONE = Performance(tasks=[], changes=[], query="performance")


def has_outcomes(connection: DuckDBPyConnection) -> bool:
    """Whether outcomes were ever loaded into the store."""
    found = connection.execute(FIND).fetchone()
    return bool(found and found[0])


def performance(
    connection: DuckDBPyConnection, book: PriceBook, first: date, last: date, criteria: Criteria
) -> Performance:
    """The month's outcomes by task and model, and by task over all models; empty without outcomes."""
    if not has_outcomes(connection):
        return NONE
    since, _ = month_bounds(first - date.resolution)
    counts = under_book_names(count_outcomes(connection, *moments(since, last)), book)
    if not counts:
        return NONE
    report = report_month(counts, first, paid_usd(connection, book, first, last), criteria)
    return Performance(tasks=[*report.models, *report.tasks], changes=report.changes, query="performance")
