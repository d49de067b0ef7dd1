"""From files to the relation `record`: a reader's columns, with the file and line of every entry.

The fast way hands whole batches of JSON lines to DuckDB with typed columns. A file that does not fit (a line that
is no JSON, a count that is no number), or whose reader needs line numbers, goes the careful way: its lines are
looked at one by one, bad ones become rejects with their line, and DuckDB reads what is left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ..errors import UsageLogError
from .bounded import lines_of
from .files import escaped
from .fits import as_columns_take, loaded, misfit_of_record, pruned
from .limits import MAX_LINE, end_of_reading, object_size
from .reader import RAW_CHARACTERS, Reader, identifier, struct
from .scanned import profiled, scanned_rows
from .sieve import may_be_entry
from .sifted import FILE_KEY, Portion
from .source import Reject, Source
from .store import any_order
from .store_faults import first_line, is_grave
from .tables import read_csv, read_parquet, stream_csv

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


REFUSED = """
SELECT DISTINCT file_id FROM found
WHERE reason IS NOT NULL OR (unnamed AND file_id IN (SELECT unnest($1)))
"""

FORGET = "DELETE FROM found WHERE file_id IN (SELECT unnest($1))"
FORGET_RECORDS = "DELETE FROM record WHERE file_id IN (SELECT unnest($1))"

NO_FIT = (duckdb.DataError, duckdb.InvalidInputException, duckdb.OperationalError)  # bad lines, torn packing

TABLES = ("csv", "parquet")
AS_DECLARED = "auto_detect = false, records = true"  # else 20,480 lines are parsed to guess what is said already
COUNT_ROWS = "SELECT file_id, count(*) FROM record GROUP BY file_id"

LineCounts = Callable[[Source], int]
"""How many lines a file has, or its tail."""

Project = Callable[[str, dict[str, object]], None]
"""Takes SQL that selects records (file_id, line, path and a reader's columns), and its parameters."""


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
    project: Project,
    lines: LineCounts,
) -> Read:
    """Hand the entries of files of one format to `project`, or of their tails where these are all that is needed.

    What DuckDB can read at once comes in `parts`; without any, all files are read line by line.
    Raises UsageLogError where a file cannot be read at all.
    """
    format = sources[0].format
    rejects = [reject for source in sources for reject in _broken_off(source)]
    careful = sources
    if first := next(parts, None):
        careful = [source for part in chain([first], parts) for source in _fast(connection, part, project, lines)]
    if not careful:
        return Read(rejects, set())
    if len(careful) == 1 and format.layout in TABLES:
        [source] = careful
        if not _is_streamed(connection, source, lines, project, FORGET):
            rejects += _read_carefully(connection, source, spool, lines, project)
        return Read(rejects, {source.file_id})
    connection.execute("DROP TABLE IF EXISTS record")
    _empty_record(connection, format.reader)
    keep = partial(_append_rows, connection)
    for source in careful:
        if not _is_streamed(connection, source, lines, keep, FORGET_RECORDS):
            rejects += _read_carefully(connection, source, spool, lines, keep)
    project("FROM temp.record", {})
    return Read(rejects, {source.file_id for source in careful})


def _is_streamed(connection: DuckDBPyConnection, source: Source, lines: LineCounts, keep: Project, forget: str) -> bool:
    """Whether a file is a CSV that could be handed to `keep` with nothing between; if not, nothing is kept."""
    if source.format.layout != "csv":
        return False
    streamed = stream_csv(connection, source, lines, keep)
    if not streamed:
        connection.execute(forget, [[source.file_id]])
    return streamed


def _append_rows(connection: DuckDBPyConnection, sql: str, parameters: dict[str, object]) -> None:
    connection.execute(f"INSERT INTO record BY NAME {sql}", parameters)


def _broken_off(source: Source) -> list[Reject]:
    if not source.fault:
        return []
    return [(source.file_id, None, f"the file cannot be read from here on: {source.fault}", "")]


def _fast(connection: DuckDBPyConnection, part: Portion, project: Project, lines: LineCounts) -> list[Source]:
    """Project what fits the columns; returns the files that need care, for the lines of what is wrong in them.

    Places are not known here, so a file with an entry that is refused (no time, a negative count) is one of them; so is
    one with a tail whose entries are distinguished by their place in the file, having no id.
    """
    sources = part.read
    numbered = bool(sources) and sources[0].format.reader.ordered  # needs a table of lines in their order
    fits = not sources or (not numbered and _streamed(connection, part, project))
    torn = [] if fits else _unfit(connection, sources, project, lines)
    if part.taken:
        part.taken.unlink()
    tails = [source.file_id for source in sources if source.tail]
    refused = {row[0] for row in connection.execute(REFUSED, [tails]).fetchall()}
    if refused:
        connection.execute(FORGET, [list(refused)])
    unfit = {source.file_id for source in torn} | refused
    return [*part.torn, *(source for source in sources if source.file_id in unfit)]


def _streamed(connection: DuckDBPyConnection, part: Portion, project: Project) -> bool:
    """Project a part in one go, keeping nothing between; whether every line fitted. If not, nothing is projected."""
    sql, parameters = _line_scan(connection, part.plain, part.taken, part.sifted)
    try:
        with profiled(connection), any_order(connection, sum(source.file.size for source in part.read)):
            project(sql, parameters)
            fits = scanned_rows(connection, "READ_NDJSON") == part.rows() and not any(map(_is_unfit, part.read))
    except NO_FIT as error:
        if is_grave(error):
            raise
        fits = False
    if not fits:
        connection.execute(FORGET, [[source.file_id for source in part.read]])
    return fits


def _unfit(
    connection: DuckDBPyConnection, sources: Sequence[Source], project: Project, lines: LineCounts
) -> list[Source]:
    """The files with a line that does not fit, found by halving; the others are projected.

    DuckDB 2.0 may hide an error in one of several files behind rows that are missing, so rows are compared with lines.
    """
    if _read_lines(connection, sources):
        rows = dict(connection.execute(COUNT_ROWS).fetchall())
        short = [source for source in sources if rows.get(source.file_id, 0) != lines(source) or _is_unfit(source)]
        if short:
            connection.execute("DELETE FROM record WHERE file_id IN (SELECT unnest($1))", [[s.file_id for s in short]])
        project("FROM temp.record", {})
        return short if len(sources) == 1 else [left for s in short for left in _unfit(connection, [s], project, lines)]
    if len(sources) == 1:
        return list(sources)
    half = len(sources) // 2
    return [left for part in (sources[:half], sources[half:]) for left in _unfit(connection, part, project, lines)]


def _is_unfit(source: Source) -> bool:
    """Whether a look at its lines, over by now, found something else where whole numbers are expected."""
    return source.file_id in source.watch.unfit


def _read_carefully(
    connection: DuckDBPyConnection, source: Source, spool: Path, lines: LineCounts, keep: Project
) -> list[Reject]:
    """One file, its lines to `record`, its rows to `keep`; returns what is no entry.

    What DuckDB cannot take at all is an error if it was named, else a reject of the whole file.
    """
    source.watch.forget(source.file_id)
    try:
        match source.format.layout:
            case "ndjson" | "json":
                return _careful_lines(connection, source, spool)
            case "csv":
                return read_csv(connection, source, spool, lines(source), keep)
            case "parquet":
                return read_parquet(connection, source, keep)
            case "sqlite":
                raise UsageLogError(f"a log of {source.format.reader.name} is no database", file=source.file.label)
    except duckdb.Error as error:
        if is_grave(error):
            raise
        reason = first_line(error)
        if source.file.named:
            raise UsageLogError(f"the file cannot be read: {reason}", file=source.file.label) from None
        return [(source.file_id, None, reason, "")]


def _empty_record(connection: DuckDBPyConnection, reader: Reader) -> None:
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in reader.columns.items())
    connection.execute(f"CREATE TEMP TABLE record (file_id BIGINT, line BIGINT, path VARCHAR, {columns})")


def _read_lines(connection: DuckDBPyConnection, sources: Sequence[Source]) -> bool:
    """Fill `record`, with lines in their order for readers that need it; whether every line seemed to fit."""
    sql, parameters = _line_scan(connection, sources)
    connection.execute("DROP TABLE IF EXISTS record")
    size = 0 if sources[0].format.reader.ordered else sum(source.file.size for source in sources)
    try:
        with any_order(connection, size):
            connection.execute(f"CREATE TEMP TABLE record AS {sql}", parameters)
    except NO_FIT as error:
        if is_grave(error):
            raise
        return False
    return True


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


def _careful_lines(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:
    """Every line by itself: what is no entry is rejected, the rest is written out with its line number.

    A file is read up to so many lines that are none, or `{}`: each is kept, and a packed file may hold millions.
    """
    kinds, empty = source.watch.columns, 0
    clean = spool / f"{source.file_id}.ndjson"
    rejects: list[Reject] = []
    longest = MAX_LINE.value
    with source.opened() as lines, clean.open("w", encoding="utf-8", errors="replace") as out:
        for number, raw in enumerate(lines_of(lines, longest), 1):
            if len(raw) > longest:
                rejects.append((source.file_id, number, f"a line of over {MAX_LINE}", ""))
                continue
            text = raw.decode("utf-8", "replace").strip().lstrip("\ufeff")
            if not text:
                continue
            why, record = _checked(text, kinds, source.format.reader, partial(source.watch.see, source.file_id, number))
            if why:
                rejects.append((source.file_id, number, why, text[:RAW_CHARACTERS]))
            elif record is not None:
                empty += text == "{}"
                out.write(json.dumps({**record, "line": number}, ensure_ascii=False) + "\n")
            if end := end_of_reading(len(rejects) + empty):
                rejects.append((source.file_id, number, end, ""))
                break
    _append(connection, source, clean)
    return rejects


def _checked(
    text: str, kinds: Mapping[str, Any], reader: Reader, see: Callable[[Any], None]
) -> tuple[str | None, dict[str, Any] | None]:
    """Why a line is no entry, or the columns of it that a reader takes; an entry is shown to `see` as a whole.

    What the bytes show to be none (an object without the usage key) cannot be a bad one.
    """
    no_entry = reader.usage_key and text[0] == "{" and text[-1] == "}" and not may_be_entry(text, reader.usage_key)
    try:
        entry = loaded(text)
    except (ValueError, RecursionError):
        return None if no_entry else "not JSON", None
    if not isinstance(entry, dict):
        return "not a JSON object", None
    why = misfit_of_record(entry, kinds)
    if why:
        return None if no_entry else why, None
    see(entry)
    entry = as_columns_take(text, entry, kinds)
    named = ((name, reader.key(name)) for name in reader.columns)
    return None, {name: pruned(entry[key], kinds[key]) for name, key in named if key in entry}


def _append(connection: DuckDBPyConnection, source: Source, clean: Path) -> None:
    columns = {**source.format.reader.columns, "line": "BIGINT"}
    connection.execute(
        f"""
        INSERT INTO record BY NAME
        SELECT $file_id::BIGINT AS file_id, $path AS path, entry.*
        FROM read_ndjson($clean, columns = {struct(columns)}, maximum_object_size = {object_size(clean)}, {AS_DECLARED})
            AS entry
        """,  # noqa: S608 (columns are the reader's)
        {"file_id": source.file_id, "path": source.file.shown, "clean": str(clean)},
    )
    clean.unlink()
