"""What the columns of a Parquet file unpack to: a list may repeat one value, a dictionary one long text, at no cost.

How many values there are the file's own metadata says. Texts are measured only where they could be over the bound:
where as many as there are, each of all the bytes that its column takes, would be. Lists, and texts that share their
beginnings, are unpacked many at a time: these are measured apart from the store, in memory that is bounded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import duckdb
from duckdb.sqltypes import DuckDBPyType

from ..errors import UsageLogError
from ..shown import MAX_NAME, shortened
from .files import escaped
from .limits import FREE_BYTES, MAX_LINE, MAX_RATIO, MAX_UNPACKED, MAX_VALUES
from .parquet_columns import PARQUET, PARQUET_KINDS, PARQUET_SCHEMA, columns_of_leaves
from .reader import identifier
from .store_faults import first_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

VALUE_BYTES = 8  # of a value in memory, at least
ROOM = 2**30  # to measure texts in, at least
AT_ONCE = 2048  # at a time
FLAT = ("VARCHAR", "JSON", "BLOB")
TEXTS = ("varchar", "enum", "variant", "geometry")
LEAVES = """
SELECT column_id, sum(num_values)::BIGINT, sum(row_group_num_rows)::BIGINT, sum(CASE
    WHEN type NOT LIKE '%BYTE_ARRAY' THEN 0
    WHEN encodings LIKE '%DICTIONARY%' OR encodings LIKE '%DELTA_BYTE_ARRAY%'
        THEN num_values::DOUBLE * total_uncompressed_size
    ELSE total_uncompressed_size END), coalesce(bool_or(encodings LIKE '%DELTA_BYTE_ARRAY%'), false)
FROM parquet_metadata($path) GROUP BY column_id ORDER BY column_id
"""
DICTIONARIES = """
SELECT column_id, num_values, total_uncompressed_size, dictionary_page_offset
FROM parquet_metadata($path) WHERE type LIKE '%BYTE_ARRAY' AND encodings LIKE '%DICTIONARY%'
"""
SUSPECTS = """
SELECT file_name FROM parquet_metadata($files) GROUP BY file_name
HAVING sum(CASE WHEN type LIKE '%BYTE_ARRAY' AND list_contains($names, lower(path_in_schema))
        AND (encodings LIKE '%DICTIONARY%' OR encodings LIKE '%DELTA_BYTE_ARRAY%')
    THEN num_values::DOUBLE * total_uncompressed_size END) > greatest($free, $ratio * sum(total_compressed_size))
ORDER BY file_name
"""
DICTIONARY_PAGE = 2  # of the kinds of pages
PAGE_HEADER_BYTES = 16
NEXT_INT32 = 0x15  # a field after the last, of a whole number


@dataclass
class StatedColumn:
    """A column by its name and type for DuckDB, and what its file states of it: how many values it has, how many
    values more than one a row at most, how many bytes its texts take at most, and whether many are unpacked at once."""

    name: str
    kind: str
    values: int = 0
    more: int = 0
    texts: float = 0
    at_once: bool = False

    def add(self, values: int, rows: int, texts: float, at_once: bool) -> None:
        """Count what is stated of one series of its values."""
        self.values += values
        self.more = max(self.more, values - rows)
        self.texts += texts
        self.at_once |= at_once

    @property
    def is_flat(self) -> bool:
        return self.kind in FLAT

    @property
    def may_be_long(self) -> bool:
        return self.texts > 0 and self.length != "0"

    @property
    def length(self) -> str:
        """SQL for the bytes that a cell holds."""
        return _bytes_in(identifier(self.name), duckdb.sqltype(self.kind))


def check_content(
    connection: DuckDBPyConnection,
    path: str,
    named: Sequence[tuple[str, str]],
    wanted: Collection[int],
    summed: bool = False,
) -> None:
    """Look at the rows of a file, and at the columns whose places are wanted; `named` are the names and types of all.
    Where rows are `summed` as they come, their number is not bounded.

    Raises duckdb.InvalidInputException where they unpack to more than the content of a packed file of this size may be,
    or where a nested cell holds more than a line may.
    """
    content, file = _Content(Path(path).stat().st_size), {"path": escaped(path)}
    leaves = connection.execute(LEAVES, file).fetchall()
    if not summed:
        content.check_rows(leaves[0][2] if leaves else 0, len(named))
    columns = {place: StatedColumn(*named[place]) for place in wanted}
    of_leaf = [columns.get(place) for place in _places(connection, file, len(leaves), len(named))]
    for column, (_, *stated) in zip(of_leaf, leaves, strict=False):
        if column:
            column.add(*stated)
    for column in columns.values():
        content.add(column.name, 0 if summed else column.values * VALUE_BYTES)
    if over := content.may_be_over(columns.values()):
        _look_at_dictionaries(connection, file, path, of_leaf)
        over = content.may_be_over(columns.values())
    suspect = [column for column in columns.values() if (over and column.may_be_long) or column.more > MAX_VALUES.value]
    for column in suspect:
        if column.is_flat and not column.at_once:
            content.add(column.name, _bytes_of_texts(connection, file, column))
    if apart := [column for column in suspect if column.at_once or not column.is_flat]:
        _measure_apart(file, apart, content)


def check_summed(connection: DuckDBPyConnection, files: Sequence[str], names: Collection[str]) -> None:
    """Look at the texts of these columns (small letters) of files that are summed where they lie, as DuckDB takes them.

    Raises UsageLogError for a file here that unpacks to more than the content of a packed one of its size may be.
    """
    asked = {"files": list(files), "names": list(names), "free": FREE_BYTES, "ratio": MAX_RATIO.value}
    for (path,) in connection.execute(SUSPECTS, asked).fetchall():
        if "://" in path:
            continue
        named = connection.execute(PARQUET_KINDS, {"path": escaped(path)}).fetchall()
        wanted = [place for place, (name, kind) in enumerate(named) if name.lower() in names and kind in FLAT]
        try:
            check_content(connection, path, named, wanted, summed=True)
        except duckdb.InvalidInputException as error:
            raise UsageLogError(f"the file cannot be read: {first_line(error)}", file=path) from None


def _places(connection: DuckDBPyConnection, file: dict[str, str], leaves: int, width: int) -> Sequence[int]:
    """Of each series of values of a file, the place of its column."""
    if leaves == width:  # none is nested
        return range(width)
    return columns_of_leaves(connection.execute(PARQUET_SCHEMA, file).fetchall())


def _look_at_dictionaries(
    connection: DuckDBPyConnection, file: dict[str, str], path: str, of_leaf: Sequence[StatedColumn | None]
) -> None:
    """Let a text be as long as its whole dictionary at most, in place of all that is stored of its column."""
    with Path(path).open("rb") as stream:
        for leaf, values, stored, place in connection.execute(DICTIONARIES, file).fetchall():
            column = of_leaf[leaf] if leaf < len(of_leaf) else None
            if column and not column.at_once and (size := _dictionary_bytes(stream, place)) is not None:
                column.texts += values * float(size) + stored - values * float(stored)


def _dictionary_bytes(stream: IO[bytes], place: int | None) -> int | None:
    """The bytes of the dictionary whose page begins here; None where there is none.

    A page begins with its kind and its size unpacked, in Thrift's compact protocol:
    https://parquet.apache.org/docs/file-format/data-pages/
    """
    stream.seek(max(0, place or 0))
    head = iter(stream.read(PAGE_HEADER_BYTES))
    kind, size = _field(head), _field(head)
    return size if place and kind == DICTIONARY_PAGE else None


def _field(head: Iterator[int]) -> int | None:
    """The next field, where it is the one after the last and a whole number of 32 bits."""
    if next(head, None) != NEXT_INT32:
        return None
    number = shift = 0
    for byte in head:
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number >> 1 if not number & 1 else None  # zigzag: an odd one is negative
        shift += 7
    return None


class _Content:
    """The bytes that were found so far, and how many a file of this size may hold."""

    def __init__(self, size: int) -> None:
        self.bytes, self._of_size = 0, max(FREE_BYTES, MAX_RATIO.value * size)
        self.bound = min(MAX_UNPACKED.value, self._of_size)

    def check_rows(self, rows: int, width: int) -> None:
        """Raises duckdb.InvalidInputException where a small file states very many rows: one value, repeated."""
        if rows * width * VALUE_BYTES > MAX_UNPACKED.value:
            raise duckdb.InvalidInputException(f"its {rows:,} rows hold over {MAX_UNPACKED}")
        if rows * width * VALUE_BYTES > self._of_size:
            raise duckdb.InvalidInputException(f"its {rows:,} rows are over so many times its size: {MAX_RATIO}")

    def may_be_over(self, columns: Iterable[StatedColumn]) -> bool:
        return self.bytes + sum(column.texts for column in columns) > self.bound

    def add(self, name: str, found: int) -> None:
        """Raises duckdb.InvalidInputException where it is more by now."""
        self.bytes += found
        if self.bytes > MAX_UNPACKED.value:
            raise _over(name, f"holds over {MAX_UNPACKED}")
        if self.bytes > self._of_size:
            raise _over(name, f"unpacks to over so many times the file's size: {MAX_RATIO}")


def _over(name: str, why: str) -> duckdb.InvalidInputException:
    return duckdb.InvalidInputException(f"its column {shortened(name, MAX_NAME)!r} {why}")


def _bytes_of_texts(connection: DuckDBPyConnection, file: dict[str, str], column: StatedColumn) -> int:
    found = connection.execute(f"SELECT sum({column.length}) FROM {PARQUET}", file).fetchone()  # noqa: S608 (quoted)
    return int(found[0] or 0) if found else 0


def _measure_apart(file: dict[str, str], columns: Sequence[StatedColumn], content: _Content) -> None:
    """Add what these columns hold, row by row. What finds no room is more than it may be."""
    room = f"{max(ROOM, content.bound)}B"
    with duckdb.connect(config={"threads": "1", "memory_limit": room, "temp_directory": ""}) as apart:
        for column in columns:
            content.bytes -= 0 if column.is_flat else column.values * VALUE_BYTES  # they are measured
            try:
                for lengths in _lengths(apart, file, column):
                    content.add(column.name, sum(lengths))
                    if max(lengths) > MAX_LINE.value and not column.is_flat:
                        raise _over(column.name, f"has a cell of over {MAX_LINE}")
            except duckdb.OutOfMemoryException:
                raise _over(column.name, f"unpacks to over so many times the file's size: {MAX_RATIO}") from None


def _lengths(connection: DuckDBPyConnection, file: dict[str, str], column: StatedColumn) -> Iterator[list[int]]:
    rows = connection.execute(f"SELECT coalesce({column.length}, 0)::BIGINT FROM {PARQUET}", file)  # noqa: S608
    while some := rows.fetchmany(AT_ONCE):
        yield [length for (length,) in some]


def _bytes_in(cell: str, kind: DuckDBPyType, depth: int = 0) -> str:
    """SQL for the bytes of a cell's texts, which are not written anew for that; of lists, each item takes some too."""
    match kind.id:
        case "struct":
            return _sum(_bytes_in(f"{cell}.{identifier(name)}", part, depth) for name, part in _children(kind))
        case "map":
            lists = zip(("map_keys", "map_values"), _children(kind), strict=True)
            return _sum(_bytes_in(f"{part}({cell})", duckdb.list_type(of), depth) for part, (_, of) in lists)
        case "list" | "array":
            item = f"item_{depth}"
            each = _sum([str(VALUE_BYTES), _bytes_in(item, _children(kind)[0][1], depth + 1)])
            return f"list_sum(list_transform({cell}, lambda {item}: {each}))"
        case "blob":
            return f"octet_length({cell})"
    return f"strlen({cell}::VARCHAR)" if kind.id in TEXTS else "0"


def _children(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return [(name, part) for name, part in kind.children if isinstance(part, DuckDBPyType)]


def _sum(parts: Iterable[str]) -> str:
    return " + ".join(f"coalesce({part}, 0)" for part in parts)
