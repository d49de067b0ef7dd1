"""Whether the rollups that were loaded (`costsim rollup`) can be priced exactly, and none is there in two versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import CostsimError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Needs = Callable[[list[tuple[str | None, str]]], tuple[list[int], list[str]]]
"""What prices need kept apart for providers and models: tier starts, and models by half hours."""

ROLLED = "SELECT DISTINCT provider, model FROM usage_daily WHERE source = 'rollup' AND model IS NOT NULL"
MADE = """
SELECT DISTINCT provider, model, tags ->> '$.tier_starts', (tags ->> '$.slot')::INTEGER < 0, load.path
FROM usage_event JOIN load USING (file_id)
WHERE source = 'rollup' AND model IS NOT NULL AND covered_by IS NULL ORDER BY ALL
"""
TWICE = """
SELECT tags ->> '$.origin', min(ts)::DATE::VARCHAR, list_sort(list(DISTINCT load.path))
FROM usage_event JOIN load USING (file_id) WHERE source = 'rollup'
GROUP BY tags ->> '$.origin', ts::DATE HAVING count(DISTINCT tags ->> '$.made_by') > 1 ORDER BY ALL LIMIT 1
"""


def check_rollups(connection: DuckDBPyConnection, needs: Needs) -> None:
    """Raises CostsimError where a price has a tier or an hour that a rollup does not keep apart, or where the same
    days of one source stand in rollups that were made in two ways: their sums would be added."""
    if not connection.execute(ROLLED + " LIMIT 1").fetchone():
        return
    for provider, model, starts, whole_days, file in connection.execute(MADE).fetchall():
        needed, by_half_hour = needs([(provider, model)])
        missing = {*needed} - {int(start) for start in starts.split(",") if start}
        if missing:
            raise CostsimError(
                f"{file}: {model} has a price from {min(missing):,} tokens, which this rollup does not keep apart; "
                "make it again with costsim rollup and these prices"
            )
        if by_half_hour and whole_days:
            raise CostsimError(
                f"{file}: the price of {model} changes within a day, and this rollup has whole days; make it again "
                "with costsim rollup and these prices"
            )
    twice = connection.execute(TWICE).fetchone()
    if twice:
        origin, day, files = twice
        raise CostsimError(
            f"{origin} of {day} is in rollups that were made in two ways ({', '.join(files)}): their sums would "
            "be added; load one of them into a new store"
        )
