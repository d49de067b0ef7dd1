"""From files to the relation `record`: a reader's columns, with the file and line of every entry.

The fast way hands whole batches of JSON lines to DuckDB with typed columns. A file that does not fit (a line that
is no JSON, a count that is no number), or whose reader needs line numbers, goes the careful way: its lines are
looked at one by one, bad ones become rejects with their line, and DuckDB reads what is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from .careful import FORGET, Careful, LineCounts
from .files import escaped
from .limits import MAX_REJECTS
from .project import NEW_COUNT, Projector, TooManyRefusedError
from .reader import STATED_BY_OTHERS, Reader, identifier, struct
from .scanned import AS_DECLARED, profiled, scanned_rows
from .sifted import FILE_KEY, Portion
from .source import Reject, Source
from .store import any_order
from .store_faults import is_grave
from .zeros import zeros_in_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

REFUSED = f"""  -- no reject is an entry that others of its file state
SELECT DISTINCT file_id FROM found
WHERE reason <> '{STATED_BY_OTHERS}' OR (unnamed AND file_id IN (SELECT unnest($1)))
"""  # noqa: S608 (ours)

NO_FIT = (duckdb.DataError, duckdb.InvalidInputException, duckdb.OperationalError)  # bad lines, torn packing

MOST_ROWS = 400_000  # of several files in `record`, to see in which of them one is missing
COUNT_ROWS = "SELECT file_id, count(*) FROM record GROUP BY file_id"


@dataclass(frozen=True)
class Read:
    """What reading left beside the entries: the lines that are none, and the files that were read as a whole though
    they had a tail."""

    rejects: list[Reject]
    whole: set[int]


def read_entries(
    connection: DuckDBPyConnection,
    sources: Sequence[Source],
    parts: Iterator[Portion],
    spool: Path,
    projection: Projector,
    lines: LineCounts,
) -> Read:
    """Hand the entries of files of one format to `projection`, or of their tails where these are all that is needed.

    What DuckDB can read at once comes in `parts`; without any, all files are read line by line.
    Raises UsageLogError where a file cannot be read at all.
    """
    rejects = [reject for source in sources for reject in _of_file(source)]
    left = sources
    if first := next(parts, None):
        left = [source for part in chain([first], parts) for source in _fast(connection, part, projection, lines)]
    if not left:
        return Read(rejects, set())
    careful = Careful(connection, projection, spool, lines, len(left) > 1)
    for source in left:
        careful.read(source)
    return Read(rejects + careful.finish(), {source.file_id for source in left})


def _of_file(source: Source) -> list[Reject]:
    """What is wrong with a file as a whole."""
    zeros: list[Reject] = [zeros_in_line(source.file_id, source.zeros)] if source.zeros else []
    if not source.fault:
        return zeros
    return [*zeros, (source.file_id, None, f"the file cannot be read from here on: {source.fault}", "")]


def _fast(connection: DuckDBPyConnection, part: Portion, projection: Projector, lines: LineCounts) -> list[Source]:
    """Project what fits the columns; returns the files that need care, for the lines of what is wrong in them.

    Places are not known here, so a file with an entry that is refused (no time, a negative count) is one of them; so is
    one with a tail whose entries are distinguished by their place in the file, having no id.
    """
    sources = part.read
    numbered = bool(sources) and sources[0].format.reader.ordered  # needs a table of lines in their order
    fits = not sources or (not numbered and _streamed(connection, part, projection))
    torn = [] if fits else _unfit(connection, sources, projection, lines)
    if part.taken:
        part.taken.unlink()
    tails = [source.file_id for source in sources if source.tail]
    refused = {row[0] for row in connection.execute(REFUSED, [tails]).fetchall()}
    if refused:
        connection.execute(FORGET, [list(refused)])
    unfit = {source.file_id for source in torn} | refused
    return [*part.torn, *(source for source in sources if source.file_id in unfit)]


def _streamed(connection: DuckDBPyConnection, part: Portion, projection: Projector) -> bool:
    """Project a part in one go, keeping nothing between; whether every line fitted. If not, nothing is projected."""
    sql, parameters = _line_scan(connection, part.plain, part.taken, part.sifted)
    most = MAX_REJECTS.value
    try:
        with profiled(connection), any_order(connection, sum(source.file.size for source in part.read)):
            if part.plain:
                projection.append_something(sql, parameters, most, part.plain[0].file_id)
            else:
                projection.append(sql, parameters, most)
            fits = scanned_rows(connection, "READ_NDJSON") == part.rows() and not any(map(_is_unfit, part.read))
    except NO_FIT as error:
        if is_grave(error):
            raise
        fits = False
    except TooManyRefusedError:
        fits = False
    if not fits:
        connection.execute(FORGET, [[source.file_id for source in part.read]])
    return fits


def _unfit(
    connection: DuckDBPyConnection,
    sources: Sequence[Source],
    projection: Projector,
    lines: LineCounts,
    tried: bool = True,
) -> list[Source]:
    """The files with a line that does not fit, or too many that are refused, found by halving; others are projected.

    DuckDB 2.0 may hide an error in one of several files behind rows that are missing, so rows are compared with lines.
    """
    ordered = sources[0].format.reader.ordered
    if len(sources) == 1 and tried and not ordered:
        return list(sources)
    few = _are_few(sources, lines) or len(sources) == 1
    short = _projected_but(connection, sources, projection, lines) if few else None
    if short is not None:
        if len(sources) == 1:
            return short
        return [left for source in short for left in _halved(connection, [source], projection, lines)]
    if len(sources) == 1:
        return list(sources)
    half = len(sources) // 2
    parts = (sources[:half], sources[half:])
    return [left for part in parts for left in _halved(connection, part, projection, lines)]


def _halved(
    connection: DuckDBPyConnection, sources: Sequence[Source], projection: Projector, lines: LineCounts
) -> list[Source]:
    """`_unfit` of what may fit by now. Few lines are but read, to see: a projection that fails takes longer to plan."""
    if _are_few(sources, lines):
        return _unfit(connection, sources, projection, lines, tried=False)
    part = Portion(sources, lambda: sum(map(lines, sources)))
    if not sources[0].format.reader.ordered and _streamed(connection, part, projection):
        return []
    return _unfit(connection, sources, projection, lines)


def _are_few(sources: Sequence[Source], lines: LineCounts) -> bool:
    return sum(map(lines, sources)) <= MOST_ROWS


def _projected_but(
    connection: DuckDBPyConnection, sources: Sequence[Source], projection: Projector, lines: LineCounts
) -> list[Source] | None:
    """The files that lack a row, the others projected by way of `record`; None where nothing could be projected."""
    several = len(sources) > 1
    something = "" if several else f"WHERE {projection.of_something(sources[0].file_id, MAX_REJECTS.value)}"
    scanned = _read_lines(connection, sources, something)
    if scanned is None:
        return None
    rows = dict(connection.execute(COUNT_ROWS).fetchall()) if several else {sources[0].file_id: scanned}
    short = [source for source in sources if rows.get(source.file_id, 0) != lines(source) or _is_unfit(source)]
    if short:
        connection.execute("DELETE FROM record WHERE file_id IN (SELECT unnest($1))", [[s.file_id for s in short]])
    try:
        projection.append("FROM temp.record", {}, MAX_REJECTS.value)
    except TooManyRefusedError:
        return None
    except NO_FIT as error:
        if is_grave(error):
            raise
        return None
    return short


def _is_unfit(source: Source) -> bool:
    """Whether a look at its lines, over by now, found something else where whole numbers are expected."""
    return source.file_id in source.watch.unfit


def _read_lines(connection: DuckDBPyConnection, sources: Sequence[Source], where: str) -> int | None:
    """Fill `record`, with lines in their order for readers that need it; how many were read if every one fitted."""
    sql, parameters = _line_scan(connection, sources)
    connection.execute(NEW_COUNT)
    connection.execute("DROP TABLE IF EXISTS record")
    size = 0 if sources[0].format.reader.ordered else sum(source.file.size for source in sources)
    try:
        with profiled(connection), any_order(connection, size):
            connection.execute(f"CREATE TEMP TABLE record AS SELECT * FROM ({sql}) {where}", parameters)  # noqa: S608 (ours)
            return scanned_rows(connection, "READ_NDJSON")
    except NO_FIT as error:
        if is_grave(error):
            raise
        return None


def _line_scan(
    connection: DuckDBPyConnection, plain: Sequence[Source], taken: Path | None = None, sifted: Sequence[Source] = ()
) -> tuple[str, dict[str, object]]:
    """SQL for the records of JSON lines files, and of lines taken from others; and its parameters.

    `batch` says which file has which place in the scan, or which number is given to its lines.
    """
    sources = [*plain, *sifted]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE batch AS SELECT unnest($1) AS place, unnest($2) AS path, unnest($3) AS file_id",
        [list(range(len(sources))), [s.file.shown for s in sources], [s.file_id for s in sources]],
    )
    reader = sources[0].format.reader
    scans: list[str] = []
    parameters: dict[str, object] = {}
    if plain:
        scans.append(_scan("$files", reader))
        parameters["files"] = [escaped(str(s.tail.path) if s.tail else s.whole) for s in plain]
    if taken:
        scans.append(_scan("$taken", reader, FILE_KEY))
        parameters["taken"] = [escaped(str(taken))]
    return " UNION ALL ".join(scans), parameters


def _scan(files: str, reader: Reader, key: str = "") -> str:
    """SQL for the records of JSON lines files, of which `key` may give the number; it fails where one does not fit.

    That whole numbers are some was seen when the lines were taken, or is seen beside (`_is_unfit`). For an ordered
    reader, lines have numbers that rise through all files: rows come in their order, for it is preserved.
    """
    columns = {**({key: "BIGINT"} if key else {}), **reader.columns}
    but = f"EXCLUDE ({identifier(key)})" if key else ""
    of_batch = f"batch.file_id = entry.{identifier(key)}" if key else "batch.place = entry.file_index"
    numbered = key and not reader.ordered and not re.search(r"\bpath\b", reader.sql)
    lines = f"read_ndjson({files}, columns = {struct(columns)}, compression = 'none', {AS_DECLARED})"
    line = "NULL::BIGINT"
    if reader.ordered:
        lines = f'(SELECT *, file_index AS "its file", row_number() OVER () AS "its line" FROM {lines})'  # noqa: S608
        but, line, of_batch = 'EXCLUDE ("its file", "its line")', 'entry."its line"', 'batch.place = entry."its file"'
    if numbered:  # no need to look up what the lines state
        own = f"{identifier(key)} AS file_id, {line} AS line, NULL::VARCHAR AS path"
        return f"SELECT {own}, * {but} FROM {lines}"  # noqa: S608 (as below)
    return f"""
        SELECT file_id, line, path, * EXCLUDE (file_id, line, path) FROM (
            SELECT batch.file_id, {line} AS line, batch.path, entry.* {but}
            FROM {lines} AS entry JOIN batch ON {of_batch})
        """  # noqa: S608 (columns are the reader's)
