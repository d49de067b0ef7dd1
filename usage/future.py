"""Calls that lie in the future: they count on their day, and whoever reads the total is told.

A clock that is wrong dates them so, or a time that was read in another unit than it was written in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ..months import span_words
from ..plurals import counted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OF_FILES = """
SELECT count(*), max(ts)::DATE FROM usage_event
WHERE ts >= $after AND file_id IN (SELECT unnest($files::BIGINT[]))
"""
OF_DAYS = "SELECT coalesce(sum(calls), 0)::BIGINT, max(day) FROM {relation} WHERE day >= $after"


def this_day() -> date:
    """The day (UTC), by the machine's clock."""
    return datetime.now(UTC).date()


def future_of_files(connection: DuckDBPyConnection, files: Sequence[int], today: date | None = None) -> str | None:
    """Which calls of these files (numbers in the table `load`) lie in the future, in words; None where none does."""
    return _in_words(*_found(connection, OF_FILES, today, files=list(files)))


def future_of_days(connection: DuckDBPyConnection, relation: str, today: date | None = None) -> str | None:
    """The same of a relation with the columns `day` and `calls`; its name is ours."""
    return _in_words(*_found(connection, OF_DAYS.format(relation=relation), today))


def _found(
    connection: DuckDBPyConnection, sql: str, today: date | None, **parameters: object
) -> tuple[int, date | None]:
    """Calls of days after tomorrow: somewhere on earth it is tomorrow already."""
    after = (today or this_day()) + timedelta(2)
    return connection.execute(sql, {"after": after, **parameters}).fetchone() or (0, None)


def _in_words(calls: int, last: date | None) -> str | None:
    if not calls or last is None:
        return None
    lie = counted(calls, "call lies", "calls lie")
    return f"{lie} in the future, the latest on {span_words(last, last)}: perhaps a wrong clock"
