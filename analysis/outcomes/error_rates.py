"""How often logged calls failed, by task and model. A call that returned is no solved task: this is no success rate."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from ...months import moments
from ..result import Result
from .costs import NO_TASK, book_name
from .proportions import wilson

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

# A sum over calls has no status of single calls; a call without a model cannot be attributed to one.
COUNT_STATUSES = """
SELECT coalesce(nullif(task, ''), $no_task), provider, model, count(*), count(*) FILTER (lower(status) <> 'ok')
FROM usage_event
WHERE covered_by IS NULL AND NOT aggregated AND model IS NOT NULL AND status <> ''
    AND ($since IS NULL OR ts >= $since) AND ($until IS NULL OR ts < $until)
GROUP BY ALL
"""
NOTE = (
    "An error rate says how often a call failed, not whether its task was solved; sources that log no failed calls "
    "show none. For success rates load outcomes: costsim outcomes FILE"
)


class ErrorRate(Result):
    """One task on one model: `calls` with a status, `failed` of them, and the Wilson interval of their share."""

    task: str
    model: str
    calls: int
    failed: int
    rate: float
    low: float
    high: float


class ErrorReport(Result):
    """Error rates by task and model, the most calls first. `confidence` is that of the intervals."""

    since: date | None
    until: date | None
    confidence: float
    models: list[ErrorRate]
    note: str = NOTE


def error_rates(
    connection: DuckDBPyConnection,
    book: PriceBook,
    since: date | None = None,
    until: date | None = None,
    confidence: float = 0.95,
) -> ErrorReport:
    """The error rates of the calls from `since` to `until` (UTC days, both included), models by the book's names.

    Reads `usage_event` and writes nothing: a status is no outcome. Raises duckdb.Error.
    """
    first, last = moments(since, until)
    counts = _counts(connection, book, first, last)
    rows = [_rate(*key, *count, confidence) for key, count in sorted(counts.items(), key=lambda c: (-c[1][0], c[0]))]
    return ErrorReport(since=since, until=until, confidence=confidence, models=rows)


def _counts(
    connection: DuckDBPyConnection, book: PriceBook, first: datetime | None, last: datetime | None
) -> dict[tuple[str, str], tuple[int, int]]:
    """Calls and failed calls by task and model."""
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    bound = {"since": first, "until": last, "no_task": NO_TASK}
    for task, provider, model, calls, failed in connection.execute(COUNT_STATUSES, bound).fetchall():
        key = task, book_name(book, model, provider)
        known = counts.get(key, (0, 0))
        counts[key] = known[0] + calls, known[1] + failed
    return counts


def _rate(task: str, model: str, calls: int, failed: int, confidence: float) -> ErrorRate:
    low, high = wilson(failed, calls, confidence)
    return ErrorRate(task=task, model=model, calls=calls, failed=failed, rate=failed / calls, low=low, high=high)
