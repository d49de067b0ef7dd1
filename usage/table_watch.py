"""What looks like usage in the columns of a table: whole columns at once, and what stands in cells that hold JSON.

What a cell says depends on nothing but the cell, so each text of a column is looked at once, however often it is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from .likeness import NAMES, bounded
from .line_watch import LineWatch
from .parquet_bounds import StatedColumn
from .reader import identifier

# A cast takes long to see that another text is none. An amount may have the sign of a currency, and thousands.
NUMBER = r"'[$€£¥]?[-+.,_eE0-9\s]*[1-9][-+.,_eE0-9\s]*[$€£¥]?'"
SIGNS = "'[$€£¥,]'"
BARE = f"regexp_replace(raw, {SIGNS}, '', 'g')"
EXACT = f"coalesce(TRY_CAST({BARE} AS DECIMAL(38, 9)), TRY_CAST(TRY_CAST({BARE} AS DOUBLE) AS DECIMAL(38, 9)))"

ROWS = 10_000  # at a time, or fewer where their texts take more than so many bytes
BYTES = 64 * 2**20
NEXT_ROWS = 16  # are asked together, however long they are
WIDE, SLICE = 64, 500  # columns from which on they are asked some at a time: a statement looks at all that a table has

# The lines of `cells` from a first to a last one.
SOME = '(FROM cells WHERE "costsim line" BETWEEN $first AND $last)'
LENGTHS = """
SELECT min("costsim line"), max("costsim line"), sum({length})::BIGINT
FROM cells GROUP BY "costsim line" // $rows ORDER BY 1
"""

# The cells of a column that hold JSON, and not nothing, as lines, each an object with the column's name; many lines at
# once, and where these stand.
OBJECTS = """
WITH cell AS (SELECT "costsim line" AS line, ltrim({cell}::VARCHAR) AS value FROM {some})
SELECT list(line), string_agg(concat($start, CASE WHEN contains(value, chr(10)) OR contains(value, chr(13))
    THEN translate(value, chr(10) || chr(13), '  ') ELSE value END, '}}', chr(10)), '')
FROM cell WHERE value[1] IN ('{{', '[') AND value NOT IN ('{{}}', '[]') HAVING count(*) > 0
"""

# The cells of several columns below one another, with their places among these columns.
CELLS = """
WITH cell AS (
    SELECT line, substr(place, 2)::INTEGER AS place, raw
    FROM (UNPIVOT (SELECT "costsim line" AS line, {columns} FROM {some}) ON COLUMNS(* EXCLUDE line)
        INTO NAME place VALUE raw)
)
"""
OBJECTS_OF_SEVERAL = """
SELECT list(line), string_agg(concat($starts[place], translate(ltrim(raw), chr(10) || chr(13), '  '), '}', chr(10)), '')
FROM cell WHERE ltrim(raw)[1] IN ('{', '[') HAVING count(*) > 0
"""
NUMBERS_OF_SEVERAL = """
, said AS MATERIALIZED (
    SELECT place, raw, count(*)::DECIMAL(10, 0) AS times, min(line) AS line
    FROM cell WHERE regexp_full_match(raw, {number}) GROUP BY ALL
)
SELECT place, sum(times)::BIGINT, sum(TRY_CAST(n AS DECIMAL(28, 9)) * times)::VARCHAR, min(line), arg_min(raw, line)
FROM (SELECT *, {exact} AS n FROM said) WHERE n <> 0 GROUP BY place ORDER BY place
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
    plain = [(bounded(name), place) for name, place in places.items() if not is_nested(kinds[place])]
    watched = [(name, place) for name, place in plain if may_hold_usage(source, name)]
    if len(watched) > WIDE:
        for start in range(0, len(watched), SLICE):
            _several(connection, source, watched[start : start + SLICE])
        places = {name: place for name, place in places.items() if is_nested(kinds[place])}
    for given, place in places.items():
        name = bounded(given)
        nested = is_nested(kinds[place])
        if nested or _holds_objects(source, name):
            _objects(connection, source, name, place, kinds[place])
        if not nested and source.watch.likeness.judge(name, False):
            _column(connection, source, name, place)


def is_nested(kind: str) -> bool:
    """Whether a type is one of lists or of named members."""
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP"))


def _holds_objects(source: Source, name: str) -> bool:
    likeness = source.watch.likeness
    return name in likeness.ways or bool(
        NAMES.search(name) and not likeness.known(name) and not likeness.left_out(name)
    )


def _several(connection: DuckDBPyConnection, source: Source, columns: Sequence[tuple[str, str]]) -> None:
    """Note what columns of texts and numbers hold, with few statements for all of them."""
    judge = source.watch.likeness.judge
    if objects := [(name, place) for name, place in columns if _holds_objects(source, name)]:
        starts = [f"{{{json.dumps(name)}: " for name, _ in objects]
        length = " + ".join(_length(place, "VARCHAR") for _, place in objects)
        _watch_lines(connection, source, _cells(objects, SOME) + OBJECTS_OF_SEVERAL, {"starts": starts}, length)
    if numbers := [(name, place) for name, place in columns if judge(name, False)]:
        sums = NUMBERS_OF_SEVERAL.format(number=NUMBER, exact=EXACT)
        for number, times, total, line, raw in connection.execute(_cells(numbers) + sums).fetchall():
            source.watch.add(source.file_id, numbers[number - 1][0], times, Decimal(total or 0), line, raw)


def _cells(columns: Sequence[tuple[str, str]], some: str = "cells") -> str:
    texts = [f"{identifier(place)}::VARCHAR AS c{number}" for number, (_, place) in enumerate(columns, 1)]
    return CELLS.format(columns=", ".join(texts), some=some)


def _column(connection: DuckDBPyConnection, source: Source, name: str, place: str) -> None:
    row = connection.execute(
        f"""
        WITH said AS MATERIALIZED (  -- else each cell would be cast, not each text
            SELECT {identifier(place)}::VARCHAR AS raw, count(*)::DECIMAL(10, 0) AS times, min("costsim line") AS line
            FROM cells WHERE regexp_full_match({identifier(place)}::VARCHAR, {NUMBER}) GROUP BY 1
        )
        SELECT sum(times)::BIGINT, sum(TRY_CAST(n AS DECIMAL(28, 9)) * times)::VARCHAR, min(line), arg_min(raw, line)
        FROM (SELECT *, {EXACT} AS n FROM said) WHERE n <> 0
        """  # noqa: S608 (names are quoted)
    ).fetchone()
    if row and row[0]:
        source.watch.add(source.file_id, name, row[0], Decimal(row[1] or 0), row[2], row[3])


def _objects(connection: DuckDBPyConnection, source: Source, name: str, place: str, kind: str) -> None:
    cell = f"to_json({identifier(place)})" if is_nested(kind) else identifier(place)
    start = f"{{{json.dumps(name)}: "
    sql = OBJECTS.format(cell=cell, some=SOME)
    _watch_lines(connection, source, sql, {"start": start}, _length(place, kind))


def _length(place: str, kind: str) -> str:
    """SQL for the bytes that a cell takes; what is no text takes few."""
    return f"coalesce({StatedColumn(place, kind).length}, 0)"


def _watch_lines(
    connection: DuckDBPyConnection, source: Source, sql: str, parameters: Mapping[str, object], length: str
) -> None:
    """Look at what `sql` selects of some rows after the others, of which each takes `length` bytes (SQL)."""
    numbers: list[int] = []
    lines = LineWatch(source.watch, source.file_id, lambda place: numbers[place - 1])
    asked = LENGTHS.format(length=length)
    for first, last in _spans(connection.execute(asked, {"rows": NEXT_ROWS}).fetchall()):
        part = connection.execute(sql, {**parameters, "first": first, "last": last}).fetchone()
        if part:
            numbers += part[0]
            lines.feed(part[1].encode(), len(part[0]))
    lines.finish()


def _spans(units: Iterable[tuple[int, int, int]]) -> list[list[int]]:
    """First and last lines, from those of few rows each with the bytes that these take: as many rows as are looked at
    together."""
    spans: list[list[int]] = []
    room = 0
    for first, last, size in units:
        if spans and last - spans[-1][0] < ROWS and size <= room:
            spans[-1][1], room = last, room - size
        else:
            spans.append([first, last])
            room = BYTES - size
    return spans
