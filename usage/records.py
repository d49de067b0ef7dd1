"""From files to the relation `record`: a reader's columns, with the file and line of every entry.

The fast way hands whole batches of JSON lines to DuckDB with typed columns. A file that does not fit (a line that
is no JSON, a count that is no number), or whose reader needs line numbers, goes the careful way: its lines are
looked at one by one, bad ones become rejects with their line, and DuckDB reads what is left.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb

from ..errors import UsageLogError
from .files import Format, LogFile, escaped
from .reader import Reader

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

RAW_CHARACTERS = 500
NUMBERS = {"bigint": 2**63 - 1, "hugeint": 2**126, "integer": 2**31 - 1}
MAX_LINE_BYTES = 256 * 1024 * 1024

CSV_ERRORS = "SELECT line, any_value(error_message), any_value(csv_line) FROM reject_errors GROUP BY line"

Reject = tuple[int, int | None, str, str]
"""file_id, line, reason, the beginning of the raw line."""


@dataclass(frozen=True)
class Source:
    """A file under its number, with its format."""

    file_id: int
    file: LogFile
    format: Format


def fill_record(connection: DuckDBPyConnection, sources: Sequence[Source], spool: Path) -> list[Reject]:
    """Make the temporary view or table `record` of files of one format; returns the lines that are no entries.

    Raises UsageLogError where a file cannot be read at all.
    """
    connection.execute("DROP TABLE IF EXISTS record")
    layout, reader = sources[0].format.layout, sources[0].format.reader
    if layout == "ndjson" and not reader.ordered:
        connection.execute("SET preserve_insertion_order = false")  # no reader of this way asks for lines
        try:
            _read_lines(connection, reader, {escaped(s.file.path): s for s in sources}, sources[0].format.compression)
        except duckdb.Error:
            connection.execute("DROP TABLE IF EXISTS record")
        else:
            return []
        finally:
            connection.execute("SET preserve_insertion_order = true")
    _empty_record(connection, reader)
    return [reject for source in sources for reject in _read_carefully(connection, source, spool)]


def read_again(connection: DuckDBPyConnection, sources: Sequence[Source], spool: Path) -> list[Reject]:
    """Read JSON lines files the careful way after all, in place of what `record` holds of them."""
    connection.execute("DELETE FROM record WHERE file_id IN (SELECT unnest(?))", [[s.file_id for s in sources]])
    return [reject for source in sources for reject in _read_carefully(connection, source, spool)]


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


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _empty_record(connection: DuckDBPyConnection, reader: Reader) -> None:
    columns = ", ".join(f"{_name(name)} {kind}" for name, kind in reader.columns.items())
    connection.execute(f"CREATE TEMP TABLE record (file_id BIGINT, line BIGINT, path VARCHAR, {columns})")


def _read_lines(connection: DuckDBPyConnection, reader: Reader, files: Mapping[str, Source], compression: str) -> None:
    """The fast way: any bad line is an error. File numbers come from the paths."""
    connection.execute("CREATE OR REPLACE TEMP TABLE batch (path VARCHAR, file_id BIGINT)")
    ids = [[source.file.path, source.file_id] for source in files.values()]
    connection.execute("INSERT INTO batch SELECT unnest($paths), unnest($ids)", {
        "paths": [path for path, _ in ids], "ids": [number for _, number in ids],
    })  # fmt: skip
    kept = _filtered(reader)
    connection.execute(
        f"""
        CREATE TEMP TABLE record AS
        SELECT batch.file_id, NULL::BIGINT AS line, entry.filename AS path, entry.* EXCLUDE (filename)
        FROM read_ndjson($files, columns = {_struct(reader.columns)}, filename = true, compression = $compression)
            AS entry
        JOIN batch ON batch.path = entry.filename
        {kept}
        """,  # noqa: S608 (columns are the reader's)
        {"files": list(files), "compression": _duckdb_compression(compression)},
    )


def _filtered(reader: Reader) -> str:
    """Entries that are no calls are left behind early, where the reader says which."""
    return f"WHERE {reader.keeps}" if reader.keeps else ""


def _duckdb_compression(compression: str) -> str:
    return {"none": "none", "gzip": "gzip", "zstd": "zstd"}[compression]


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    match source.format.compression:
        case "gzip":
            with gzip.open(source.file.path, "rb") as stream:
                yield stream  # type: ignore[misc]
        case _:
            with Path(source.file.path).open("rb") as stream:
                yield stream


def _careful_lines(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:
    """Every line by itself: what is no entry is rejected, the rest is written out with its line number."""
    kinds = {name: duckdb.dtype(kind) for name, kind in source.format.reader.columns.items()}
    clean = spool / f"{source.file_id}.ndjson"
    rejects: list[Reject] = []
    try:
        with _lines(connection, source) as lines, clean.open("w", encoding="utf-8", errors="replace") as out:
            for number, raw in enumerate(lines, 1):
                text = raw.strip().lstrip("\ufeff")
                if not text:
                    continue
                why, record = _checked(text, kinds)
                if why:
                    rejects.append((source.file_id, number, why, text[:RAW_CHARACTERS]))
                elif record is not None:
                    out.write(json.dumps({**record, "line": number}, ensure_ascii=False) + "\n")
    except (OSError, EOFError) as error:
        raise UsageLogError(f"the file cannot be read: {error}", file=source.file.label) from None
    _append(connection, source, clean)
    return rejects


@contextmanager
def _lines(connection: DuckDBPyConnection, source: Source) -> Iterator[Iterator[str]]:
    if source.format.compression == "zstd":
        rows = connection.execute(
            "SELECT content FROM read_csv($path, columns = {'content': 'VARCHAR'}, compression = 'zstd', "
            "header = false, auto_detect = false, delim = '\x01', quote = '', escape = '', strict_mode = false, "
            "parallel = false)",
            {"path": escaped(source.file.path)},
        )
        yield ((row[0] or "") for row in iter(rows.fetchone, None))
        return
    with _opened(source) as stream:
        yield (line.decode("utf-8", "replace") for line in stream)


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
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            return False
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= largest


def _careful_document(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:
    """A JSON document: the object itself, or the items of an array."""
    with _opened(source) as stream:
        raw = stream.read().decode("utf-8-sig", "replace")
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
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE cells AS
        SELECT row_number() OVER () + 1 AS line, *
        FROM read_csv($path, all_varchar = true, header = true, delim = $delimiter, quote = '"', escape = '"',
            compression = $compression, store_rejects = true, null_padding = false)
        """,
        {
            "path": escaped(source.file.path),
            "delimiter": source.format.delimiter,
            "compression": _duckdb_compression(source.format.compression),
        },
    )
    bad = connection.execute(CSV_ERRORS).fetchall()
    rejects: list[Reject] = [
        (source.file_id, int(line), " ".join(why.split())[:200], (raw or "")[:RAW_CHARACTERS]) for line, why, raw in bad
    ]
    return rejects + _cast_cells(connection, source)


def _parquet(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:  # noqa: ARG001 (one shape for all)
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE cells AS SELECT row_number() OVER () AS line, * FROM read_parquet($path)",
        {"path": escaped(source.file.path)},
    )
    return _cast_cells(connection, source)


def _cast_cells(connection: DuckDBPyConnection, source: Source) -> list[Reject]:
    """Cells as the reader's types; a row with a cell that is no such number or object is rejected."""
    there = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE cells)").fetchall())
    wanted = source.format.reader.columns
    cast = ", ".join(
        (f"TRY_CAST({_cell(name, there[name])} AS {kind})" if name in there else f"NULL::{kind}") + f" AS {_name(name)}"
        for name, kind in wanted.items()
    )
    checks = [
        f"CASE WHEN {_cell(name, there[name])} IS NOT NULL"
        f" AND TRY_CAST({_cell(name, there[name])} AS {kind}) IS NULL THEN {_text(name)} END"
        for name, kind in wanted.items()
        if name in there and kind != "VARCHAR"
    ]
    misfit = f"coalesce({', '.join(checks)}, NULL)" if checks else "NULL::VARCHAR"
    rows = f"SELECT line, {misfit} AS misfit, {cast} FROM cells"  # noqa: S608 (names are quoted)
    bad = connection.execute(f"SELECT line, misfit FROM ({rows}) WHERE misfit IS NOT NULL").fetchall()  # noqa: S608
    connection.execute(
        f"""
        INSERT INTO record BY NAME
        SELECT $file_id::BIGINT AS file_id, $path AS path, * EXCLUDE (misfit) FROM ({rows}) WHERE misfit IS NULL
        """,  # noqa: S608 (names are quoted, types are the reader's)
        {"file_id": source.file_id, "path": source.file.path},
    )
    return [(source.file_id, int(line), f"{name} does not fit its type", "") for line, name in bad]


def _cell(name: str, kind: str) -> str:
    """A cell as text: an empty one of a CSV is no value, a nested one of Parquet is JSON."""
    nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP"))
    return f"to_json({_name(name)})::VARCHAR" if nested else f"nullif({_name(name)}::VARCHAR, '')"
