"""What looks like usage in the columns of a table: whole columns at once, and what stands in cells that hold JSON.

What a cell says depends on nothing but the cell, so each text of a column is looked at once, however often it is there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from .likeness import NAMES, bounded
from .line_watch import LineWatch
from .reader import identifier

# A cast takes long to see that another text is none. An amount may have the sign of a currency, and thousands.
NUMBER = r"'[$€£¥]?[-+.,_eE0-9\s]*[1-9][-+.,_eE0-9\s]*[$€£¥]?'"
SIGNS = "'[$€£¥,]'"

ROWS = 10_000  # at a time

# The cells of a column that hold JSON as lines, each an object with the column's name; many lines at once, and where
# these stand.
OBJECTS = """
WITH cell AS (SELECT "costsim line" AS line, ltrim({cell}::VARCHAR) AS value FROM cells)
SELECT list(line), string_agg(concat($start, CASE WHEN contains(value, chr(10)) OR contains(value, chr(13))
    THEN translate(value, chr(10) || chr(13), '  ') ELSE value END, '}}', chr(10)), '')
FROM cell WHERE value[1] IN ('{{', '[') GROUP BY line // $rows ORDER BY line // $rows
"""

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .source import Source


def may_hold_usage(source: Source, name: str) -> bool:
    """Whether a column may hold usage that is not counted, as a number or within JSON."""
    name = bounded(name)
    return _holds_objects(source, name) or source.watch.likeness.judge(name, False)


def watch_cells(
    connection: DuckDBPyConnection, source: Source, places: Mapping[str, str], kinds: Mapping[str, str]
) -> None:
    """Note the numbers of `cells` that are usage and are not counted; `places` are the file's columns in it."""
    for given, place in places.items():
        name = bounded(given)
        nested = kinds[place].endswith("]") or kinds[place].startswith(("STRUCT", "MAP"))
        if nested or _holds_objects(source, name):
            _objects(connection, source, name, place, nested)
        if not nested and source.watch.likeness.judge(name, False):
            _column(connection, source, name, place)


def _holds_objects(source: Source, name: str) -> bool:
    likeness = source.watch.likeness
    return name in likeness.ways or bool(
        NAMES.search(name) and not likeness.known(name) and not likeness.left_out(name)
    )


def _column(connection: DuckDBPyConnection, source: Source, name: str, place: str) -> None:
    bare = f"regexp_replace(raw, {SIGNS}, '', 'g')"
    exact = f"coalesce(TRY_CAST({bare} AS DECIMAL(38, 9)), TRY_CAST(TRY_CAST({bare} AS DOUBLE) AS DECIMAL(38, 9)))"
    row = connection.execute(
        f"""
        WITH said AS MATERIALIZED (  -- else each cell would be cast, not each text
            SELECT {identifier(place)}::VARCHAR AS raw, count(*)::DECIMAL(10, 0) AS times, min("costsim line") AS line
            FROM cells WHERE regexp_full_match({identifier(place)}::VARCHAR, {NUMBER}) GROUP BY 1
        )
        SELECT sum(times)::BIGINT, sum(TRY_CAST(n AS DECIMAL(28, 9)) * times)::VARCHAR, min(line), arg_min(raw, line)
        FROM (SELECT *, {exact} AS n FROM said) WHERE n <> 0
        """  # noqa: S608 (names are quoted)
    ).fetchone()
    if row and row[0]:
        source.watch.add(source.file_id, name, row[0], Decimal(row[1] or 0), row[2], row[3])


def _objects(connection: DuckDBPyConnection, source: Source, name: str, place: str, nested: bool) -> None:
    cell = f"to_json({identifier(place)})" if nested else identifier(place)
    parts = connection.execute(OBJECTS.format(cell=cell), {"start": f"{{{json.dumps(name)}: ", "rows": ROWS})
    numbers: list[int] = []
    lines = LineWatch(source.watch, source.file_id, lambda place: numbers[place - 1])
    while part := parts.fetchone():
        numbers += part[0]
        lines.feed(part[1].encode(), len(part[0]))
    lines.finish()
