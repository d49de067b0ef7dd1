"""What a batch of files says, from `found` into the store: of the statements, those that have something to do.

DuckDB takes longer to plan a statement of many columns than to run it on the entries of a small file. So what there
is nothing to do for is not asked: calls that a file no longer contains, and calls that the store has already.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .store import scalar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

ENTRIES, WITHDRAWN, INCOMING, REPEATED, KEPT, SUPERSEDED = (
    Path(__file__).with_name(f"{name}.sql").read_text("utf-8")
    for name in ("entries", "withdrawn", "incoming", "repeated", "kept", "superseded")
)
TOLD_BY_METRICS = ("otel", "claude-code")  # sources of calls that Claude Code's metrics sum
METRICS = "SELECT count(*) FROM usage_event WHERE source = 'otel' AND aggregated"
READ_AGAIN = """
CREATE OR REPLACE TEMP TABLE read_again AS
SELECT * FROM (SELECT unnest(?::BIGINT[]) AS file_id, unnest(?::BOOLEAN[]) AS stands) WHERE stands IS NOT NULL
"""
ALL_NEW = """
CREATE OR REPLACE TEMP TABLE better AS
SELECT event_id, place, TRUE AS added, NULL::BIGINT AS place_before, NULL::TIMESTAMP AS ts_before FROM incoming
"""


def merge(store: DuckDBPyConnection, source: str, again: Mapping[int, bool | None]) -> int:
    """Put the entries of `found`, all of one source, into the store; how many calls were withdrawn.

    `again` says of each file whether all that it held before still stands; None for one that was not there.
    """
    store.execute(ENTRIES)
    withdrawn = _withdraw(store, again) if any(stands is not None for stands in again.values()) else 0
    store.execute(INCOMING)
    store.execute(REPEATED if scalar(store, "SELECT count(*) FROM again") else ALL_NEW)
    store.execute(KEPT)
    if source in TOLD_BY_METRICS and scalar(store, METRICS):
        store.execute(SUPERSEDED)
    return withdrawn


def _withdraw(store: DuckDBPyConnection, again: Mapping[int, bool | None]) -> int:
    store.execute(READ_AGAIN, [list(again), list(again.values())])
    store.execute(WITHDRAWN)
    return scalar(store, "SELECT count(*) FROM withdrawn")
