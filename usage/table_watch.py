"""What looks like usage in the columns of a table: whole columns at once, and what stands in cells that hold JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from .likeness import NAMES
from .reader import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .source import Source


def watch_cells(
    connection: DuckDBPyConnection, source: Source, places: Mapping[str, str], kinds: Mapping[str, str]
) -> None:
    """Note the numbers of `cells` that are usage and are not counted; `places` are the file's columns in it."""
    for name, place in places.items():
        nested = kinds[place].endswith("]") or kinds[place].startswith(("STRUCT", "MAP"))
        if (
            name in source.watch.likeness.ways
            or (NAMES.search(name) and not source.watch.likeness.known(name))
            or nested
        ):
            _objects(connection, source, name, place, nested)
        if not nested and source.watch.likeness.judge(name, False):
            _column(connection, source, name, place)


def _column(connection: DuckDBPyConnection, source: Source, name: str, place: str) -> None:
    number = f"TRY_CAST(TRY_CAST({identifier(place)} AS DOUBLE) AS DECIMAL(38, 9))"
    exact = f"coalesce(TRY_CAST({identifier(place)} AS DECIMAL(38, 9)), {number})"
    row = connection.execute(
        f"""
        SELECT count(*), sum(TRY_CAST(n AS DECIMAL(28, 9)))::VARCHAR, arg_min(line, line), arg_min(raw, line)
        FROM (SELECT "costsim line" AS line, {identifier(place)}::VARCHAR AS raw, {exact} AS n FROM cells) WHERE n <> 0
        """  # noqa: S608 (names are quoted)
    ).fetchone()
    if row and row[0]:
        source.watch.add(source.file_id, name, row[0], Decimal(row[1] or 0), row[2], row[3])


def _objects(connection: DuckDBPyConnection, source: Source, name: str, place: str, nested: bool) -> None:
    cell = f"to_json({identifier(place)})" if nested else identifier(place)
    rows = connection.execute(
        f"""
        SELECT line, value FROM (SELECT "costsim line" AS line, ltrim({cell}::VARCHAR) AS value FROM cells)
        WHERE value[1] IN ('{{', '[')
        """  # noqa: S608 (names are quoted)
    )
    while batch := rows.fetchmany(10_000):
        for line, value in batch:
            try:
                record = {name: json.loads(value)}
            except (ValueError, RecursionError):
                continue
            source.watch.see(source.file_id, line, record)
