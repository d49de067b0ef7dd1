"""Tables, CSV and Parquet: from their cells to the relation `record`, as the reader's types.

DuckDB reads a CSV at once. Where it cannot, or where a row spans several lines or none (a quoted cell over several, an
empty line), the rows are read one by one: an invalid row is rejected with its line, every other
has the line it begins on.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import duckdb

from .bounded import lines_of
from .cell_sql import EXACT, as_kind, checked_cell, plain_cell, why_misfit
from .files import escaped
from .fits import NUMBERS
from .known_cells import all_known
from .limits import MAX_COLUMNS, MAX_LINE, MAX_REJECTS, end_of_reading, object_size
from .parquet_bounds import check_content
from .parquet_columns import PARQUET, PARQUET_KINDS
from .reader import RAW_CHARACTERS, identifier, struct, text
from .scanned import profiled, scanned_rows
from .store import any_order, scalar
from .store_faults import is_grave
from .table_watch import is_nested, may_hold_usage, watch_cells
from .typed_cells import as_written

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .source import Reject, Source

# `cells` has the columns of the file, and the line of each row.
PARQUET_CELLS = f"""
CREATE OR REPLACE TEMP TABLE cells AS SELECT row_number() OVER () AS "costsim line"{{columns}} FROM {PARQUET}
"""  # noqa: S608 (ours)
LINE_COLUMN = "costsim line"
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
PIECE_BYTES = 1024 * 1024
HEADER_AGAIN = "the header again: load exports one by one, so that rows in two of them count once"
NEVER_CLOSED = "a quote opens here that nothing closes: the file cannot be read from here on"


Keep = Callable[[str, dict[str, object]], None]
"""Takes SQL that selects records, and its parameters; it fails, and keeps nothing, where a cell does not fit."""


def stream_csv(connection: DuckDBPyConnection, source: Source, lines: Callable[[Source], int], keep: Keep) -> bool:
    """Hand the rows of a CSV to `keep` with nothing between; whether each is a row of one line that fits, in a table
    where nothing unknown stands where usage is looked for. If not, what was kept is to be forgotten."""
    places, kinds, needed = _layout(source)
    known = all_known(source, places)
    if not known or _begins_empty(source) or _repeats_header(source):
        return False
    wanted, own, cells = _cells(source, places, kinds)
    checked = {name: checked_cell(cell, wanted[name], own[name]) for name, cell in cells.items()}
    try:
        with profiled(connection), any_order(connection, source.file.size):  # lines are numbered as they are read
            rows = f"FROM ({_scan(kinds, needed)}) WHERE {known}"
            keep(_rows(wanted, checked, rows), _about(source) | _of_scan(source))
            return scanned_rows(connection, "READ_CSV") + 1 == lines(source)
    except duckdb.Error as error:
        if is_grave(error):
            raise
        return False


def read_csv(connection: DuckDBPyConnection, source: Source, spool: Path, lines: int, keep: Keep) -> list[Reject]:
    """Hand the rows of a CSV of so many lines to `keep`; returns those that are none."""
    places, kinds, needed = _layout(source)
    texts = dict.fromkeys(kinds, "VARCHAR")
    for tried in (kinds, texts):
        if _a_row_a_line(connection, source, tried, needed, lines) and not _rounded(connection, tried, needed):
            rejects = _headers(connection, source, needed) if tried == texts else []
            return rejects + _keep_rows(connection, source, places, tried, keep)
    rejects = _row_by_row(connection, source, spool) + _headers(connection, source, needed)
    return rejects + _keep_rows(connection, source, places, texts, keep)


def _rounded(connection: DuckDBPyConnection, kinds: Mapping[str, str], needed: Iterable[str]) -> bool:
    """Whether a number that was read as a DOUBLE may not be the one that was written."""
    large = [f"count(*) FILTER (abs({place}) >= {EXACT})" for place in needed if kinds[place] == "DOUBLE"]
    return bool(large) and scalar(connection, f"SELECT {' + '.join(large)} FROM cells") > 0  # noqa: S608 (places)


def _headers(connection: DuckDBPyConnection, source: Source, needed: Sequence[str]) -> list[Reject]:
    """Take away the rows of `cells` that are the header again, where a file is several exports one after the other."""
    if not needed:
        return []
    names = {f"c{place}": name for place, name in enumerate(source.format.columns)}
    cells = [(f"trim({place})", text(names[place])) for place in needed]
    row, header = (", ".join(part) for part in zip(*cells, strict=True))
    # one cell rules out nearly all rows; the rest as lists: to plan thousands of comparisons takes a minute
    alike = f"{' = '.join(cells[0])} AND [{row}] = [{header}]"
    found = f'SELECT "costsim line", {text(HEADER_AGAIN)} FROM cells WHERE {alike}'  # noqa: S608 (quoted)
    rejects = _rejected(connection, source, found)
    if rejects:
        connection.execute(f"DELETE FROM cells WHERE {alike}")  # noqa: S608 (quoted)
    return rejects


def _layout(source: Source) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Where each of a CSV's columns stands, of which type a quick reading takes each to be, and which are needed."""
    names = source.format.columns  # they may differ in their case only
    places = {name: f"c{place}" for place, name in enumerate(names)}
    reader = source.format.reader
    wanted = {reader.key(column): kind for column, kind in reader.columns.items()}
    needed = [name for name in names if name in wanted or may_hold_usage(source, name)]
    counts = {name for name in needed if wanted.get(name, "").lower() in NUMBERS and not may_hold_usage(source, name)}
    if counts and _may_have_thousands(source):
        counts = set()
    kinds = {place: "DOUBLE" if name in counts else "VARCHAR" for name, place in places.items()}
    return places, kinds, [places[name] for name in needed]


def read_parquet(connection: DuckDBPyConnection, source: Source, keep: Keep) -> list[Reject]:
    """Hand the rows of a Parquet file to `keep`; returns those that do not fit."""
    path: dict[str, object] = {"path": escaped(source.whole)}
    named: list[tuple[str, str]] = connection.execute(PARQUET_KINDS, path).fetchall()
    check_width(len(named))
    counted = {source.format.reader.key(column) for column in source.format.reader.columns}
    places = {
        name: place
        for place, name in enumerate(source.format.columns)
        if name in counted or is_nested(named[place][1]) or may_hold_usage(source, name)
    }
    check_content(connection, source.whole, named, places.values())
    wanted = {place: named[place] for place in places.values()}
    connection.execute(PARQUET_CELLS.format(columns=as_written(connection, source.whole, wanted)), path)
    kinds = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE cells)").fetchall())
    return _keep_rows(connection, source, {name: f"c{place}" for name, place in places.items()}, kinds, keep)


def check_width(columns: int) -> None:
    """Raises duckdb.InvalidInputException where a table has too many columns."""
    if columns > MAX_COLUMNS.value:
        raise duckdb.InvalidInputException(f"its columns are over {MAX_COLUMNS}: {columns:,}")


def _a_row_a_line(
    connection: DuckDBPyConnection, source: Source, kinds: Mapping[str, str], needed: list[str], lines: int
) -> bool:
    """Fill `cells` with what is needed, columns as of these types; whether the first line is the header and every other
    a row."""
    if _begins_empty(source):
        return False
    try:
        connection.execute(f"CREATE OR REPLACE TEMP TABLE cells AS {_scan(kinds, needed)}", _of_scan(source))
    except duckdb.Error as error:
        if is_grave(error):
            raise
        return False
    return scalar(connection, "SELECT count(*) FROM cells") + 1 == lines


def _may_have_thousands(source: Source) -> bool:
    """Whether a cell may end in `.000`: a DOUBLE does not show whether these are thousands."""
    ending = re.compile(rb"\.000[\r\n\"%s]" % re.escape(source.format.delimiter.encode()))
    return _holds(source, lambda piece: bool(ending.search(piece)), 5)


def _repeats_header(source: Source) -> bool:
    with Path(source.whole).open("rb") as stream:
        header = stream.readline(PIECE_BYTES).lstrip(codecs.BOM_UTF8).rstrip()
    return _holds(source, lambda piece: b"\n" + header in piece, len(header) + 1)  # a regular expression is slower


def _holds(source: Source, wanted: Callable[[bytes], bool], longest: int) -> bool:
    """Whether a text of so many bytes at most stands in the file, its end taken for that of a line."""
    last = b""
    with Path(source.whole).open("rb") as stream:
        while read := stream.read(PIECE_BYTES):
            piece = last + read
            if wanted(piece):
                return True
            last = piece[1 - longest :]
    return wanted(last + b"\n")


def _begins_empty(source: Source) -> bool:
    with Path(source.whole).open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        return stream.read(1) in "\r\n"


def _scan(kinds: Mapping[str, str], needed: Sequence[str]) -> str:
    """SQL for the needed columns of a CSV whose columns are of these types, with the line of each row."""
    return f"""
        SELECT {", ".join([f'row_number() OVER () + 1 AS "{LINE_COLUMN}"', *needed])}
        FROM read_csv($path, columns = {struct(kinds)}, header = true, delim = $delimiter, quote = '"', escape = '"',
            auto_detect = false, hive_partitioning = false, compression = 'none', null_padding = false)
        """  # noqa: S608 (places)


def _of_scan(source: Source) -> dict[str, object]:
    return {"path": escaped(source.whole), "delimiter": source.format.delimiter}


def _row_by_row(connection: DuckDBPyConnection, source: Source, spool: Path) -> list[Reject]:
    """Fill `cells` with what is a row; returns what is none, up to so many."""
    clean, width = spool / f"{source.file_id}.cells", len(source.format.columns)
    rejects: list[Reject] = []
    with source.opened() as stream, clean.open("w", encoding="utf-8", errors="replace") as out:
        for line, row, fault in _rows_below_header(_texts(stream), source.format.delimiter):
            if why := fault or _misshapen(row, width):
                raw = source.format.delimiter.join(row)[:RAW_CHARACTERS]
                rejects.append((source.file_id, line, why, raw))
                if end := end_of_reading(len(rejects)):
                    rejects.append((source.file_id, line, end, ""))
                    break
            else:
                out.write(json.dumps({"line": line, "cells": row}, ensure_ascii=False) + "\n")
    selected = ", ".join(f"cells[{place + 1}] AS c{place}" for place in range(width))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE cells AS SELECT line AS "costsim line", {selected}
        FROM read_ndjson($clean, columns = {{'line': 'BIGINT', 'cells': 'VARCHAR[]'}},
            maximum_object_size = {object_size(clean)}, hive_partitioning = false)
        """,  # noqa: S608 (places)
        {"clean": escaped(str(clean))},
    )
    clean.unlink()
    return rejects


def _texts(stream: IO[bytes]) -> Iterator[str]:
    """The lines of a CSV; too long a one is cut, so that its row is none."""
    longest = MAX_LINE.value
    for number, line in enumerate(lines_of(stream, longest)):
        text = line.decode("utf-8-sig" if number == 0 else "utf-8", "replace")
        yield from LINE.findall(text) if "\r" in text else [text]
        if len(line) > longest:
            raise csv.Error(f"a line of over {MAX_LINE}: the file is not read from here on")


def _rows_below_header(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str], str | None]]:
    """Each row with the line it begins on, and why it is none."""
    csv.field_size_limit(MAX_LINE.value + 2)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header = True
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield line, [], NEVER_CLOSED if str(error) == "unexpected end of data" else f"not a row: {error}"
            continue
        if row is None:
            return
        if len(row) > 1 or "".join(row).strip():  # an empty line is no row
            if not header:
                yield line, row, None
            header = False


def _misshapen(row: list[str], width: int) -> str | None:
    """Why a row does not go with the header; empty cells at its end are left out."""
    while len(row) > width and not row[-1]:
        row.pop()
    return None if len(row) == width else f"the row has {len(row)} cells, the header {width}"


def _keep_rows(
    connection: DuckDBPyConnection, source: Source, places: Mapping[str, str], kinds: Mapping[str, str], keep: Keep
) -> list[Reject]:
    """Hand the rows of `cells` on as the reader's types; one with a cell that is no such number or object is rejected.

    `places` are the columns of `cells` that hold the file's columns, `kinds` their types. That all fit is tried first.
    """
    wanted, own, cells = _cells(source, places, kinds)
    watch_cells(connection, source, places, kinds)
    try:
        checked = {name: checked_cell(cell, wanted[name], own[name]) for name, cell in cells.items()}
        keep(_rows(wanted, checked), _about(source))
        return []
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        if is_grave(error):
            raise
    key = source.format.reader.key
    cast = {name: as_kind(cell, wanted[name], own[name]) for name, cell in cells.items()}
    checks = [
        f"CASE WHEN {cell} IS NOT NULL AND {cast[name]} IS NULL THEN {text(why_misfit(key(name), wanted[name]))} END"
        for name, cell in cells.items()
    ]
    misfit = f"coalesce({', '.join(checks)}, NULL)"
    found = f'SELECT * FROM (SELECT "costsim line", {misfit} AS misfit FROM cells) WHERE misfit IS NOT NULL'  # noqa: S608
    rejects = _rejected(connection, source, found)
    keep(_rows(wanted, cast, f"FROM cells WHERE ({misfit}) IS NULL"), _about(source))
    return rejects


def _rejected(connection: DuckDBPyConnection, source: Source, found: str) -> list[Reject]:
    """What SQL selects as a line and why it is no entry; of too many, the first, and `cells` end there."""
    bad = connection.execute(f"{found} ORDER BY 1 LIMIT {MAX_REJECTS.value + 1}").fetchall()
    rejects: list[Reject] = [(source.file_id, int(line), why, "") for line, why in bad]
    if end := end_of_reading(len(bad)):
        last = int(bad[-1][0])
        connection.execute('DELETE FROM cells WHERE "costsim line" > ?', [last])
        rejects.append((source.file_id, last, end, ""))
    return rejects


def _cells(
    source: Source, places: Mapping[str, str], kinds: Mapping[str, str]
) -> tuple[Mapping[str, str], dict[str, str], dict[str, str]]:
    """By a reader's columns: the types that it wants; of those that are there, their own types, and SQL for a cell."""
    reader, wanted = source.format.reader, source.format.reader.columns
    own = {name: kinds[places[reader.key(name)]] for name in wanted if reader.key(name) in places}
    cells = {name: plain_cell(places[reader.key(name)], kind, wanted[name]) for name, kind in own.items()}
    as_written = {name: places[reader.key(name)] for name in reader.as_written if own.get(name) == "VARCHAR"}
    return wanted, own, cells | as_written


def _about(source: Source) -> dict[str, object]:
    return {"file_of_cells": source.file_id, "path_of_cells": source.file.shown}


def _rows(wanted: Mapping[str, str], cells: Mapping[str, str], table: str = "FROM cells") -> str:
    """SQL for the rows of `table` (SQL) as records; what the file has no column for is NULL."""
    values = ", ".join(f"{cells.get(name, f'NULL::{kind}')} AS {identifier(name)}" for name, kind in wanted.items())
    return f"""
        SELECT $file_of_cells::BIGINT AS file_id, $path_of_cells AS path, "costsim line" AS line, {values}
        FROM ({table})
        """  # noqa: S608 (names are quoted)
