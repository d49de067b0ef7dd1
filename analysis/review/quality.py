"""How far the month's figures can be trusted: what has no price or component, was not read, or was billed otherwise.

Recorded costs are compared where a day's calls of a component and model all have one, and the difference is split as
`costsim spend` does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ...money import strip
from ..spend.completeness import DataQuality
from ..spend.ledger import Ledger
from ..spend.sources import stated_by_bills
from ..spend.spend import Difference, Query, spend
from .results import Quality, RejectedLines, SourceCompleteness, UnpricedUsage

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

COMPARED_BY = ("day", "source", "component", "task", "model")
UNATTRIBUTED = "unattributed"
MOST_REJECTS = 50
ANY_RECORDED = "SELECT count(recorded_usd) > 0 FROM usage_daily WHERE day >= ? AND day <= ?"
ANY_REJECT = "SELECT count(*) > 0 FROM reject"
REJECTED = """
WITH bad AS (
    SELECT file_id, reason, count(*) AS lines FROM reject GROUP BY ALL
),
stated AS (
    SELECT file_id, bool_or(ts >= $first AND ts < $last::DATE + 1) AS in_month
    FROM usage_event WHERE file_id IN (SELECT file_id FROM bad) GROUP BY file_id
)
SELECT coalesce(load.path, '(unknown)'), bad.lines, bad.reason
FROM bad LEFT JOIN load USING (file_id) LEFT JOIN stated USING (file_id)
WHERE coalesce(in_month, TRUE)
ORDER BY bad.lines DESC, 1, 3
"""


@dataclass(frozen=True)
class Compared:
    """Costs that the source recorded beside ours, of the calls that have both."""

    recorded_usd: Decimal
    computed_usd: Decimal
    calls: int
    difference: Difference


def _any(connection: DuckDBPyConnection, sql: str, values: list[date]) -> bool:
    row = connection.execute(sql, values).fetchone()
    return bool(row and row[0])


def compare_recorded(
    connection: DuckDBPyConnection, book: PriceBook, first: date, last: date
) -> tuple[Compared | None, list[str], DataQuality]:
    """Recorded against computed from `first` to `last`, None where nothing was recorded; notes on the sources; and what
    is in no total."""
    by = COMPARED_BY if _any(connection, ANY_RECORDED, [first, last]) else ()
    found = spend(connection, book, Query(by, first, last))
    data = found.quality
    if stated := stated_by_bills(Ledger.open(connection, book), first, last):
        data = replace(data, only_stated=f"{stated}: in the total, in no figure of routing or prices")
    rows = [row for row in found.rows if row.difference and row.recorded_usd is not None]
    if not rows:
        return None, list(found.notes), data
    parts = [row.difference for row in rows if row.difference]
    difference = Difference(
        *(sum((getattr(p, name) for p in parts), Decimal(0)) for name in Difference.__annotations__)
    )
    recorded = sum((row.recorded_usd or Decimal(0) for row in rows), Decimal(0))
    computed = sum((row.computed_usd for row in rows), Decimal(0))
    return Compared(recorded, computed, sum(row.calls for row in rows), difference), list(found.notes), data


def quality(
    connection: DuckDBPyConnection,
    lines: Sequence[tuple[Any, ...]],
    first: date,
    last: date,
    compared: Compared | None,
    notes: list[str],
    data: DataQuality,
) -> Quality:
    """The part, from its query's rows (see queries.py) and what was compared."""
    unattributed = [line for line in lines if line[0] == UNATTRIBUTED]
    rejected = _rejected(connection, first, last)
    return Quality(
        unpriced=_unpriced(lines),
        rejected=rejected[:MOST_REJECTS],
        rejected_lines=sum(line.lines for line in rejected),
        unattributed_usd=strip(sum((line[3] or Decimal(0) for line in unattributed), Decimal(0))),
        unattributed_calls=sum(line[2] for line in unattributed),
        recorded_usd=strip(compared.recorded_usd) if compared else None,
        recorded_calls=compared.calls if compared else 0,
        computed_usd=strip(compared.computed_usd) if compared else None,
        difference_usd=strip(compared.difference.usd) if compared else None,
        explained=compared.difference.explained if compared else "",
        completeness=[
            SourceCompleteness(source=score.source, percent=score.score, reasons=list(score.reasons))
            for score in data.scores
        ],
        not_in_total=[message for message in data.messages if "lines were rejected" not in message],
        notes=notes,
        query="quality",
    )


def _unpriced(lines: Iterable[tuple[Any, ...]]) -> list[UnpricedUsage]:
    models: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    for line in lines:
        if line[5]:
            models[line[1]].append(line)
    found = [
        UnpricedUsage(
            model=model,
            calls=sum(line[4] for line in own),
            tokens=sum(line[5] for line in own),
            components=sorted({line[0] for line in own}),
        )
        for model, own in models.items()
    ]
    return sorted(found, key=lambda usage: (-usage.tokens, usage.model))


def _rejected(connection: DuckDBPyConnection, first: date, last: date) -> list[RejectedLines]:
    """The lines that were refused, of files that have calls in the month, or no calls at all."""
    if not _any(connection, ANY_REJECT, []):
        return []
    found = connection.execute(REJECTED, {"first": first, "last": last}).fetchall()
    return [RejectedLines(file=file, lines=lines, reason=reason) for file, lines, reason in found]
