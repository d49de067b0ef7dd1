"""From files to the relation `record`: a reader's columns, with the file and line of every entry.

The fast way hands whole batches of JSON lines to DuckDB with typed columns. A file that does not fit (a line that
is no JSON, a count that is no number), or whose reader needs line numbers, goes the careful way: its lines are
looked at one by one, bad ones become rejects with their line, and DuckDB reads what is left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from ..errors import UsageLogError
from .files import Format, LogFile, escaped
from .reader import Reader, identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .fingerprint import Tail

RAW_CHARACTERS = 500
NUMBERS = {"bigint": 2**63 - 1, "hugeint": 2**126, "integer": 2**31 - 1}
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,38})")
MAX_LINE_BYTES = 256 * 1024 * 1024

CSV_ERRORS = "SELECT line, any_value(error_message), any_value(csv_line) FROM reject_errors GROUP BY line"

# The n-th row that was read stands below the header, and below the lines refused before it.
REFUSED_LINES = """
CREATE OR REPLACE TEMP TABLE refused AS
WITH numbered AS (
    SELECT line, row_number() OVER (ORDER BY line) AS above FROM (SELECT DISTINCT line FROM reject_errors)
)
SELECT line - above + 1 AS at, max(above) AS above FROM numbered GROUP BY ALL
"""
CSV_LINES = """
FROM (
    SELECT cells.*, "costsim row" + 1 + coalesce(refused.above, 0) AS line
    FROM cells ASOF LEFT JOIN refused ON cells."costsim row" + 1 >= refused.at
)
"""
PARQUET_LINES = 'FROM (SELECT * EXCLUDE ("costsim row"), "costsim row" AS line FROM cells)'
REFUSED = """
SELECT DISTINCT file_id FROM found
WHERE reason IS NOT NULL OR (event_id IS NULL AND file_id IN (SELECT unnest($1)))
"""

FORGET = "DELETE FROM found WHERE file_id IN (SELECT unnest($1))"

NO_FIT = (duckdb.DataError, duckdb.InvalidInputException, duckdb.OperationalError)  # bad lines, torn packing

COUNT_ROWS = "SELECT file_id, count(*) FROM record GROUP BY file_id"

LineCounts = Callable[["Source"], int]
"""How many lines a JSON lines file has, or its tail."""

Project = Callable[[str, dict[str, object]], None]
"""Takes SQL that selects records (file_id, line, path and a reader's columns), and its parameters."""

Reject = tuple[int, int | None, str, str]
"""file_id, line, reason, the beginning of the raw line."""


@dataclass(frozen=True)
class Source:
    """A file under its number, with its format. Of one with a `tail`, the lines before are in the store already.

    `content` is what a packed file holds, as far as it can be unpacked; `fault` says why not to its end.
    """

    file_id: int
    file: LogFile
    format: Format
    tail: Tail | None = None
    content: Path | None = None
    fault: str | None = None

    @property
    def whole(self) -> str:
        """The path of all its content."""
        return str(self.content or self.file.path)


@dataclass(frozen=True)
class Read:
    """What reading left beside the entries: the lines that are none, and the files that were read as a whole though
    they had a tail."""

    rejects: list[Reject]
    whole: set[int]


def read_entries(
    connection: DuckDBPyConnection, sources: Sequence[Source], spool: Path, project: Project, lines: LineCounts
) -> Read:
    """Hand the entries of files of one format to `project`, or of their tails where these are all that is needed.

    Raises UsageLogError where a file cannot be read at all.
    """
    format = sources[0].format
    careful = sources
    rejects = [reject for source in sources for reject in _broken_off(source)]
    if format.layout == "ndjson" and not format.reader.ordered:
        careful = _fast(connection, sources, project, lines)
    if not careful:
        return Read(rejects, set())
    connection.execute("DROP TABLE IF EXISTS record")
    _empty_record(connection, format.reader)
    rejects += [reject for source in careful for reject in _read_carefully(connection, source, spool)]
    project("FROM temp.record", {})
    return Read(rejects, {source.file_id for source in careful})


def _broken_off(source: Source) -> list[Reject]:
    if not source.fault:
        return []
    return [(source.file_id, None, f"the file cannot be read from here on: {source.fault}", "")]


def _fast(
    connection: DuckDBPyConnection, sources: Sequence[Source], project: Project, lines: LineCounts
) -> list[Source]:
    """Project what fits the columns; returns the files that need care, for the lines of what is wrong in them.

    Places are not known here, so a file with an entry that is refused (no time, a negative count) is one of them; so is
    one with a tail whose entries are told apart by their place in the file, having no id.
    """
    fits = _streamed(connection, sources, project, lines)
    torn = [] if fits else _unfit(connection, list(sources), project, lines)
    tails = [source.file_id for source in sources if source.tail]
    refused = {row[0] for row in connection.execute(REFUSED, [tails]).fetchall()}
    if refused:
        connection.execute(FORGET, [list(refused)])
    return [source for source in sources if source in torn or source.file_id in refused]


def _streamed(connection: DuckDBPyConnection, sources: Sequence[Source], project: Project, lines: LineCounts) -> bool:
    """Project all files in one go, keeping nothing between; whether every line fitted. If not, nothing is projected."""
    sql, parameters = _line_scan(connection, sources)
    connection.execute("PRAGMA enable_profiling = 'no_output'")
    connection.execute("SET preserve_insertion_order = false")  # the order of lines says nothing here
    try:
        project(sql, parameters)
        scanned = _scanned_rows(json.loads(connection.get_profiling_information()))
    except NO_FIT:
        scanned = -1
    finally:
        connection.execute("RESET preserve_insertion_order")
        connection.execute("PRAGMA disable_profiling")
    fits = scanned == sum(lines(source) for source in sources)
    if not fits:
        connection.execute(FORGET, [[source.file_id for source in sources]])
    return fits


def _scanned_rows(operator: dict[str, Any]) -> int:
    """The rows that a profiled statement's scan of JSON lines yielded."""
    below = operator.get("operator", operator.get("children", []))
    own = operator["intermediate_rows"] if operator.get("extra_info", {}).get("Function") == "READ_NDJSON" else 0
    return int(own) + sum(_scanned_rows(child) for child in below)


def _unfit(
    connection: DuckDBPyConnection, sources: Sequence[Source], project: Project, lines: LineCounts
) -> list[Source]:
    """The files with a line that does not fit, found by halving; the others are projected.

    DuckDB 2.0 may hide an error in one of several files behind rows that are missing, so rows are compared with lines.
    """
    if _read_lines(connection, sources):
        rows = dict(connection.execute(COUNT_ROWS).fetchall())
        short = [source for source in sources if rows.get(source.file_id, 0) != lines(source)]
        if short:
            connection.execute("DELETE FROM record WHERE file_id IN (SELECT unnest($1))", [[s.file_id for s in short]])
        project("FROM temp.record", {})
        return short if len(sources) == 1 else [left for s in short for left in _unfit(connection, [s], project, lines)]
    if len(sources) == 1:
        return list(sources)
    half = len(sources) // 2
    return [left for part in (sources[:half], sources[half:]) for left in _unfit(connection, part, project, lines)]


def _read_carefully(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:
    """One file; what DuckDB cannot take at all is an error if it was named, else a reject of the whole file."""
    layouts = {"ndjson": _careful_lines, "json": _careful_document, "csv": _csv, "parquet": _parquet}
    try:
        return layouts[source.format.layout](connection, source, spool)
    except duckdb.Error as error:
        reason = " ".join(str(error).splitlines()[0].split())
        if source.file.named:
            raise UsageLogError(f"the file cannot be read: {reason}", file=source.file.label) from None
        return [(source.file_id, None, reason, "")]


def _struct(columns: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in columns.items()) + "}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _empty_record(connection: DuckDBPyConnection, reader: Reader) -> None:
    columns = ", ".join(f"{identifier(name)} {kind}" for name, kind in reader.columns.items())
    connection.execute(f"CREATE TEMP TABLE record (file_id BIGINT, line BIGINT, path VARCHAR, {columns})")


def _read_lines(connection: DuckDBPyConnection, sources: Sequence[Source]) -> bool:
    """Fill `record`; whether every line seemed to fit the columns."""
    sql, parameters = _line_scan(connection, sources)
    connection.execute("DROP TABLE IF EXISTS record")
    connection.execute("SET preserve_insertion_order = false")  # the order of lines says nothing here
    try:
        connection.execute(f"CREATE TEMP TABLE record AS {sql}", parameters)
    except NO_FIT:
        return False
    finally:
        connection.execute("RESET preserve_insertion_order")
    return True


def _line_scan(connection: DuckDBPyConnection, sources: Sequence[Source]) -> tuple[str, dict[str, object]]:
    """SQL for the records of JSON lines files, and its parameters; `batch` says which file has which place there."""
    paths = [source.file.path for source in sources]
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE batch AS SELECT unnest($1) AS place, unnest($2) AS path, unnest($3) AS file_id",
        [list(range(len(sources))), paths, [source.file_id for source in sources]],
    )
    sql = f"""
        SELECT batch.file_id, NULL::BIGINT AS line, batch.path, entry.*
        FROM read_ndjson($files, columns = {_struct(sources[0].format.reader.columns)}, compression = 'none') AS entry
        JOIN batch ON batch.place = entry.file_index
        """  # noqa: S608 (columns are the reader's)
    read = [str(source.tail.path) if source.tail else source.whole for source in sources]
    return sql, {"files": [escaped(path) for path in read]}


def _careful_lines(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:
    """Every line by itself: what is no entry is rejected, the rest is written out with its line number."""
    kinds = {name: duckdb.dtype(kind) for name, kind in source.format.reader.columns.items()}
    clean = spool / f"{source.file_id}.ndjson"
    rejects: list[Reject] = []
    with Path(source.whole).open("rb") as lines, clean.open("w", encoding="utf-8", errors="replace") as out:
        for number, raw in enumerate(lines, 1):
            text = raw.decode("utf-8", "replace").strip().lstrip("\ufeff")
            if not text:
                continue
            why, record = _checked(text, kinds)
            if why:
                rejects.append((source.file_id, number, why, text[:RAW_CHARACTERS]))
            elif record is not None:
                out.write(json.dumps({**record, "line": number}, ensure_ascii=False) + "\n")
    _append(connection, source, clean)
    return rejects


def _checked(text: str, kinds: Mapping[str, Any]) -> tuple[str | None, dict[str, Any] | None]:
    """Why a line is no entry, or the columns of it that a reader takes."""
    try:
        entry = json.loads(text)
    except (ValueError, RecursionError):
        return "not JSON", None
    if not isinstance(entry, dict):
        return "not a JSON object", None
    for name, kind in kinds.items():
        why = _misfit(entry.get(name), kind, name)
        if why:
            return why, None
    return None, {name: _pruned(entry[name], kind) for name, kind in kinds.items() if name in entry}


def _pruned(value: Any, kind: Any) -> Any:
    """What a reader takes of a value: a text where an object is expected is another kind of entry, so nothing."""
    if kind.id == "struct":
        if not isinstance(value, dict):
            return None
        return {child: _pruned(value[child], of) for child, of in kind.children if child in value}
    if kind.id == "list" and isinstance(value, list):
        return [_pruned(item, kind.children[0][1]) for item in value]
    return value


def _misfit(value: Any, kind: Any, path: str) -> str | None:
    """Where a value does not fit the column's type: a list is expected, or a whole number."""
    if value is None:
        return None
    if kind.id == "struct":
        if not isinstance(value, dict):
            return None
        parts = ((child, of) for child, of in kind.children if child in value)
        return next((why for child, of in parts if (why := _misfit(value[child], of, f"{path}.{child}"))), None)
    if kind.id == "list":
        if not isinstance(value, list):
            return f"{path} is not a list"
        of = kind.children[0][1]
        return next((why for item in value if (why := _misfit(item, of, path))), None)
    return None if kind.id not in NUMBERS or _is_number(value, NUMBERS[kind.id]) else f"{path} is not a whole number"


def _is_number(value: Any, largest: int) -> bool:
    """A number that fits; a fraction is rounded by DuckDB, on the fast way too."""
    if isinstance(value, str):  # int() takes more than a database does: 0012, 1_000, digits of other scripts
        return bool(WHOLE.fullmatch(value)) and abs(int(value)) <= largest
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= largest


def _careful_document(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:
    """A JSON document: the object itself, or the items of an array."""
    raw = Path(source.whole).read_bytes().decode("utf-8-sig", "replace")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return [(source.file_id, None, "not JSON", raw[:RAW_CHARACTERS])]
    kinds = {name: duckdb.dtype(kind) for name, kind in source.format.reader.columns.items()}
    clean = spool / f"{source.file_id}.ndjson"
    rejects: list[Reject] = []
    with clean.open("w", encoding="utf-8", errors="replace") as out:
        for number, item in enumerate(data if isinstance(data, list) else [data], 1):
            why, record = _checked(json.dumps(item), kinds)
            if why:
                rejects.append((source.file_id, number, why, json.dumps(item)[:RAW_CHARACTERS]))
            elif record is not None:
                out.write(json.dumps({**record, "line": number}, ensure_ascii=False) + "\n")
    _append(connection, source, clean)
    return rejects


def _append(connection: DuckDBPyConnection, source: Source, clean: Path) -> None:
    columns = {**source.format.reader.columns, "line": "BIGINT"}
    connection.execute(
        f"""
        INSERT INTO record BY NAME
        SELECT $file_id::BIGINT AS file_id, $path AS path, entry.*
        FROM read_ndjson($clean, columns = {_struct(columns)}, maximum_object_size = {MAX_LINE_BYTES}) AS entry
        """,  # noqa: S608 (columns are the reader's)
        {"file_id": source.file_id, "path": source.file.path, "clean": str(clean)},
    )
    clean.unlink()


def _csv(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:  # noqa: ARG001 (one shape for all)
    """Cells by place, c0 and so on: names of a header may differ in their case only, or in nothing."""
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    columns = {f"c{place}": "VARCHAR" for place in range(len(source.format.columns))}
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE cells AS
        SELECT row_number() OVER () AS "costsim row", *
        FROM read_csv($path, columns = {_struct(columns)}, header = true, delim = $delimiter, quote = '"', escape = '"',
            auto_detect = false, compression = 'none', store_rejects = true, null_padding = false)
        """,  # noqa: S608 (places)
        {"path": escaped(source.whole), "delimiter": source.format.delimiter},
    )
    bad = connection.execute(CSV_ERRORS).fetchall()
    rejects: list[Reject] = [
        (source.file_id, int(line), " ".join(why.split())[:200], (raw or "")[:RAW_CHARACTERS]) for line, why, raw in bad
    ]
    connection.execute(REFUSED_LINES)
    places = {name: f"c{place}" for place, name in reversed(list(enumerate(source.format.columns)))}
    return rejects + _cast_cells(connection, source, places, dict.fromkeys(columns, "VARCHAR"), CSV_LINES)


def _parquet(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:  # noqa: ARG001 (one shape for all)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE cells AS "
        'SELECT row_number() OVER () AS "costsim row", * FROM read_parquet($path)',
        {"path": escaped(source.whole)},
    )
    kinds = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE cells)").fetchall())
    return _cast_cells(connection, source, {name: name for name in kinds}, kinds, PARQUET_LINES)


def _cast_cells(
    connection: DuckDBPyConnection,
    source: Source,
    places: Mapping[str, str],
    kinds: Mapping[str, str],
    lines: str,
) -> list[Reject]:
    """Cells as the reader's types; a row with a cell that is no such number or object is rejected.

    `places` are the columns of `cells` that hold the file's columns, `kinds` their types; `lines` is SQL for the
    cells with the line of each.
    """
    cells = {name: _cell(places[name], kinds[places[name]]) for name in source.format.reader.columns if name in places}
    cast = ", ".join(
        (f"TRY_CAST({cells[name]} AS {kind})" if name in cells else f"NULL::{kind}") + f" AS {identifier(name)}"
        for name, kind in source.format.reader.columns.items()
    )
    checks = [
        f"CASE WHEN {cells[name]} IS NOT NULL AND TRY_CAST({cells[name]} AS {kind}) IS NULL THEN {_text(name)} END"
        for name, kind in source.format.reader.columns.items()
        if name in cells and kind != "VARCHAR"
    ]
    misfit = f"coalesce({', '.join(checks)}, NULL)" if checks else "NULL::VARCHAR"
    rows = f"SELECT line, {misfit} AS misfit {lines}"
    bad = connection.execute(f"SELECT line, misfit FROM ({rows}) WHERE misfit IS NOT NULL").fetchall()  # noqa: S608
    connection.execute(
        f"""
        INSERT INTO record BY NAME
        SELECT $file_id::BIGINT AS file_id, $path AS path, line, {cast}
        {lines} WHERE ({misfit}) IS NULL
        """,
        {"file_id": source.file_id, "path": source.file.path},
    )
    return [(source.file_id, int(line), f"{name} does not fit its type", "") for line, name in bad]


def _cell(name: str, kind: str) -> str:
    """A cell as text: an empty one of a CSV is no value, a nested one of Parquet is JSON."""
    nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP"))
    return f"to_json({identifier(name)})::VARCHAR" if nested else f"nullif({identifier(name)}::VARCHAR, '')"
