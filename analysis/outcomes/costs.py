"""Outcomes under the names of the price book, and what the runs behind them cost at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from ...months import moments
from ..spend.spend import Query, spend
from .outcomes import Criteria, OutcomeReport, TaskModel, compare_months, report_outcomes
from .store import OutcomeCount

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

NO_TASK = "fallback"  # what outcomes call the task of a call that has none

# How many runs were judged, and how many of them are logged calls.
JUDGED = """
SELECT outcome.task, outcome.model, count(*) AS runs, count(usage_event.event_id) AS calls
FROM outcome LEFT JOIN usage_event ON usage_event.event_id = outcome.request_id
WHERE ($since IS NULL OR outcome.ts >= $since) AND ($until IS NULL OR outcome.ts < $until)
GROUP BY ALL
"""


def book_name(book: PriceBook, model: str, provider: str | None = None) -> str:
    """The model as the book calls it; a model that it does not know keeps its name."""
    key = book.resolve(model, provider)
    return str(key) if key else model


def under_book_names(counts: Iterable[OutcomeCount], book: PriceBook) -> list[OutcomeCount]:
    """The counts with all names of one model as one, so that its evidence is not split."""
    merged: dict[tuple[str, str, date], OutcomeCount] = {}
    for count in counts:
        own = replace(count, model=book_name(book, count.model))
        key = (own.task, own.model, own.month)
        merged[key] = _sum(merged[key], own) if key in merged else own
    return list(merged.values())


def _sum(a: OutcomeCount, b: OutcomeCount) -> OutcomeCount:
    return replace(
        a,
        trials=a.trials + b.trials,
        successes=a.successes + b.successes,
        solved=a.solved + b.solved,
        escalated=a.escalated + b.escalated,
        priced=a.priced + b.priced,
        usd=a.usd + b.usd,
        human_scores=a.human_scores + b.human_scores,
        human_score_sum=a.human_score_sum + b.human_score_sum,
    )


def paid_usd(
    connection: DuckDBPyConnection, book: PriceBook, since: date | None = None, until: date | None = None
) -> dict[TaskModel, Fraction]:
    """What the calls of a task and model (by its book name) cost from `since` to `until`, both included; exact.

    Only where each run is a logged call, each logged call was judged, and all are priced: then what the calls
    cost is what the runs cost, failures and retries included. Needs outcomes.
    """
    judged: dict[TaskModel, tuple[int, int]] = {}
    first, last = moments(since, until)
    for task, model, runs, calls in connection.execute(JUDGED, {"since": first, "until": last}).fetchall():
        key = (task, book_name(book, model))
        known = judged.get(key, (0, 0))
        judged[key] = known[0] + runs, known[1] + calls
    logged: dict[TaskModel, tuple[int, int, Fraction]] = {}
    for row in spend(connection, book, Query(("task", "model"), since, until)).rows:
        key = (row.keys[0] or NO_TASK, row.keys[1])
        entries, unpriced, usd = logged.get(key, (0, 0, Fraction(0)))
        logged[key] = entries + row.entries, unpriced + row.unpriced_tokens, usd + Fraction(row.computed_usd)
    return {
        key: usd
        for key, (entries, unpriced, usd) in logged.items()
        if judged.get(key) == (entries, entries) and not unpriced
    }


def report_month(
    counts: Sequence[OutcomeCount], month: date, paid: Mapping[TaskModel, Fraction], criteria: Criteria
) -> OutcomeReport:
    """The outcomes of one month (its first day), and what changed in it against the month before.

    `counts` are of both months at least; `paid` is of the month alone.
    """
    before = (month - timedelta(days=1)).replace(day=1)
    own = [count for count in counts if count.month == month]
    report = report_outcomes(own, paid, criteria)
    if not own or not any(count.month == before for count in counts):
        return report
    changes = compare_months(counts, before, month, criteria)
    return report.model_copy(update={"month_before": before, "month_after": month, "changes": changes})
