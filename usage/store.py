"""The store: one DuckDB file that any SQL tool can open. Its tables are in schema.sql, versioned."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from pathlib import Path

import duckdb

from ..errors import CostsimError, StoreError
from . import DEFAULT_STORE
from .impossible import every_impossible_value, impossible_values
from .reader import identifier
from .shape import SCHEMA, VERSION_TABLE, columns_of, differing, faults, is_ours, whole
from .store_faults import is_fault, said
from .store_file import LOCKED, connect, is_new, kept_open, log_of, never_begun, refusal, remove_made

SCHEMA_VERSION = 15  # one more with every change of schema.sql

SESSION = r"""
SET TimeZone = 'UTC';
-- A text as an instant in UTC: only a text with an offset needs the slow, zone-aware cast. No place on Earth is more
-- than 14 hours away from UTC.
CREATE OR REPLACE TEMP MACRO utc(text) AS
    CASE WHEN suffix(text, 'Z') OR regexp_full_match(text, '\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?')
            THEN TRY_CAST(text AS TIMESTAMP)
         WHEN regexp_matches(text, ':[0-9.,]+ *[+-](1[5-9]|[2-9][0-9]|14:?(0[1-9]|[1-5][0-9]))') THEN NULL
         ELSE TRY_CAST(text AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END;
-- Unix time in seconds, milli-, micro- or nanoseconds, distinguished by size (good until the year 5138). Nearly all are
-- whole numbers, of which decimals would take seven times as long; casts that fail take longest.
CREATE OR REPLACE TEMP MACRO utc_epoch(number) AS
    CASE WHEN TRY_CAST(number AS BIGINT) >= 0 AND TRY_CAST(number AS BIGINT)::VARCHAR = number::VARCHAR
        THEN make_timestamp(CASE
            WHEN TRY_CAST(number AS BIGINT) < 100000000000 THEN TRY_CAST(number AS BIGINT) * 1000000
            WHEN TRY_CAST(number AS BIGINT) < 100000000000000 THEN TRY_CAST(number AS BIGINT) * 1000
            WHEN TRY_CAST(number AS BIGINT) < 100000000000000000 THEN TRY_CAST(number AS BIGINT)
            ELSE TRY_CAST(number AS BIGINT) // 1000 + (TRY_CAST(number AS BIGINT) % 1000 >= 500)::BIGINT END)
        WHEN TRY_CAST(number AS DOUBLE) IS NULL THEN NULL
        ELSE TRY(make_timestamp((TRY_CAST(number AS DECIMAL(38, 9)) * CASE
            WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000 THEN 1000000
            WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000000 THEN 1000
            WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000000000 THEN 1
            ELSE 0.001 END)::BIGINT)) END;
"""
WAIT_SECONDS = 3.0  # for another process
MANY_BYTES, FEW_BYTES = 256 * 1024, 64 * 1024
LOCKED_NOW = "another process has the store open for writing; wait until it is done, or name another store"
TO_BE_READ_AGAIN = -1
"""The time of a file that the next load is to read again, though it may be what it was."""
LET_READ_AGAIN = f"UPDATE load SET mtime_ns = {TO_BE_READ_AGAIN}"  # noqa: S608 (ours)
TABLES = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary AND database_name = current_database() ORDER BY 1"
READ_ONLY = "SELECT readonly::INTEGER FROM duckdb_databases() WHERE database_name = current_database()"
MADE_AS = """
SELECT table_name, sql, database_name FROM duckdb_tables()
WHERE NOT temporary AND database_name = current_database() AND table_name IN (SELECT unnest(?))
"""
OBJECTS = """
SELECT name FROM (
    SELECT 1 AS place, 'the schema ' || schema_name AS name, schema_name, database_name, internal FROM duckdb_schemas()
    WHERE schema_name <> 'main'
    UNION ALL SELECT 2, table_name, schema_name, database_name, internal FROM duckdb_tables()
    UNION ALL SELECT 3, view_name, schema_name, database_name, internal FROM duckdb_views()
    UNION ALL SELECT 4, function_name, schema_name, database_name, internal FROM duckdb_functions()
    UNION ALL SELECT 5, type_name, schema_name, database_name, internal FROM duckdb_types()
    UNION ALL SELECT 6, sequence_name, schema_name, database_name, FALSE FROM duckdb_sequences()
) WHERE NOT internal AND database_name = current_database() ORDER BY place, name
"""
CORE = {"schema_version", "load", "usage_event", "reject"}  # of every store, whatever its schema
WITHOUT_SCHEMA = {"projection": "run", "outcome": "escalated", "outcome_new": "escalated"}
"""Tables that may be there before any log is loaded (see shape.py), each with a column by which it is costsim's."""
MAKE_ANEW = "; run costsim store repair, then load the logs again"

READ_VERSION = "SELECT greatest(max(version), 0) FROM schema_version"
WRITE_VERSION = "INSERT INTO schema_version VALUES (?)"


@contextmanager
def open_store(
    path: Path = DEFAULT_STORE, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store at `path`; made new where there is none or an empty file, unless `read_only`.

    Waits up to `wait_seconds` while another process has it open. Raises StoreError in one line: another process is
    writing, the file is no DuckDB database or that of another program, it has another costsim's schema, another program
    changed its tables, a block of it is damaged, or the disk fails while it is in use. A store that was made here and
    has nothing in it goes where the block fails.
    """
    new = is_new(Path(path))
    with open_as_it_is(path, read_only, wait_seconds) as connection, explained(connection, path, new):
        yield connection


@contextmanager
def explained(connection: duckdb.DuckDBPyConnection, path: Path, new: bool = False) -> Iterator[None]:
    """Raises StoreError where the store lacks something, has a column of another type or a value that cannot be; at an
    error of whatever kind, for what takes longer to find. The tables of a `new` store were just made, and are sound.
    """
    there = {} if new else columns_of(connection)
    if not new:
        _raise_first(path, differing(there).values())
        _raise_first(path, impossible_values(connection, whole(there)))
    try:
        yield
    except Exception as error:
        if not (isinstance(error, CostsimError | OSError | MemoryError) or _is_fault(error)):
            _raise_first(path, faults(connection).values())
            _raise_first(path, every_impossible_value(connection, whole(there)))
        raise


def _is_fault(error: Exception) -> bool:
    return isinstance(error, duckdb.Error) and is_fault(error)


def _raise_first(path: Path, wrong: Iterable[object]) -> None:
    """Raises StoreError for the first thing that is wrong with a store, if there is one."""
    for what in wrong:
        raise StoreError(f"{path}: the store is damaged, or another program changed it: {what}{MAKE_ANEW}")


@contextmanager
def open_as_it_is(
    path: Path, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store at `path` as `open_store` has it, whatever is wrong with its tables."""
    new = is_new(Path(path))
    with open_database(path, read_only, wait_seconds) as connection:
        _prepare(connection, Path(path), read_only, new)
        connection.execute(SESSION)
        yield connection


@contextmanager
def open_database(
    path: Path, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database of costsim's at `path`, with such tables as it has: a store, or the file of a projection, or new.

    One of another program is refused before anything is written to it, its log of changes included. Raises StoreError.
    """
    path = Path(path)
    new = is_new(path)
    cleaning = nullcontext() if read_only or path.exists() else _removed_if_empty(path)
    with cleaning, _database(path, new, read_only, wait_seconds) as connection:
        yield connection


@contextmanager
def _removed_if_empty(path: Path) -> Iterator[None]:
    """Where the block fails, remove the store that was made in it unless something was put into it.

    Nobody writes to it meanwhile: it is open, so that writers wait, and those find that it is gone.
    """
    try:
        yield
    except BaseException:
        with suppress(StoreError, duckdb.Error, OSError):
            if never_begun(path):
                remove_made(path)
            with _connected(path, True, 0) as connection:
                if not _has_rows(connection):
                    remove_made(path)
        raise


def _has_rows(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether anything was put into a store, or into another database."""
    names = [name for (name,) in connection.execute(TABLES).fetchall() if name != "schema_version"]
    return any(connection.execute(f"SELECT 1 FROM {identifier(name)} LIMIT 1").fetchone() for name in names)  # noqa: S608


@contextmanager
def _database(path: Path, new: bool, read_only: bool, wait_seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
    if not read_only and log_of(path).exists() and not new:  # opening for writing would take it in
        _refuse_another_programs(path, wait_seconds)
    with _connected(path, read_only, wait_seconds) as connection:
        version_of(connection, path, new)
        yield connection


def _refuse_another_programs(path: Path, wait_seconds: float) -> None:
    """Raises StoreError for a database of another program; what cannot be opened, or is gone, the opening names."""
    try:
        connection = connect(path, True, wait_seconds)
    except (duckdb.Error, StoreError):
        return
    with suppress(duckdb.Error), closing(connection):
        version_of(connection, path)


@contextmanager
def _connected(path: Path, read_only: bool, wait_seconds: float) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = connect(path, read_only, wait_seconds)
    except duckdb.Error as error:
        raise StoreError(f"{path}: {_why_not(error, path)}") from None
    try:
        with kept_open(path), failing_as_store(path):
            yield connection
    finally:
        with suppress(duckdb.Error):
            connection.close()


@contextmanager
def failing_as_store(path: Path) -> Iterator[None]:
    """Raises StoreError for a fault of the disk, the memory or the store's file."""
    try:
        yield
    except duckdb.Error as error:
        if not is_fault(error):
            raise
        raise StoreError(f"{path}: {_why_not(error, path)}") from None


def _why_not(error: duckdb.Error, path: Path) -> str:
    if LOCKED in str(error):
        return LOCKED_NOW
    return refusal(error, path) or said(error)


def _prepare(connection: duckdb.DuckDBPyConnection, path: Path, read_only: bool, new: bool) -> None:
    """Make the tables of a new store; raises StoreError for one of another schema."""
    version = version_of(connection, path, new)
    if version == SCHEMA_VERSION:
        return
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path}: the store has schema {version}, this costsim knows {SCHEMA_VERSION}; upgrade costsim"
        )
    if read_only and not version:
        raise StoreError(f"{path}: there are no tables here yet; `costsim load` makes them")
    if version:
        raise StoreError(
            f"{path}: the store has schema {version}, older than this costsim's {SCHEMA_VERSION}; "
            "load the logs again into a new store (--db FILE)"
        )
    connection.execute("BEGIN")
    connection.execute(VERSION_TABLE)
    connection.execute(SCHEMA.read_text("utf-8"))
    connection.execute(WRITE_VERSION, [SCHEMA_VERSION])
    connection.execute("COMMIT")


def version_of(connection: duckdb.DuckDBPyConnection, path: Path, new: bool = False) -> int:
    """The schema of a store; 0 of a new one. Raises StoreError for a database of something else.

    `new` says that there was no file: another process may have made the store since, but nobody anything else.
    """
    tables = columns_of(connection)
    if is_ours(tables) or tables.keys() >= CORE:
        with suppress(duckdb.Error):  # where it is not stated, the rest of the tables say which schema it is
            return scalar(connection, READ_VERSION) or SCHEMA_VERSION
        if is_ours(tables):
            return SCHEMA_VERSION
    names = [name for (name,) in connection.execute(OBJECTS).fetchall()]
    if new and not names:
        return 0
    if all(name in WITHOUT_SCHEMA and WITHOUT_SCHEMA[name] in tables.get(name, ()) for name in names):
        return 0
    named = ", ".join([*names[:3], *["…"] * (len(names) > 3)])
    raise StoreError(
        f"{path}: this is a DuckDB database of another program (it has {named}); name another file for the store"
    )


def check_database(path: Path) -> None:
    """Raises StoreError where nothing could be written to a database at `path` later; makes and changes nothing."""
    if not is_new(path):
        with open_database(path, read_only=True):
            pass
    at = path if path.exists() else Path(os.path.realpath(path)).parent
    if not at.exists():
        raise StoreError(f"{path}: there is no folder {at}; make it, or name another file")
    if not os.access(at, os.W_OK):
        raise StoreError(f"{path}: cannot be written to; name another file")


def is_read_only(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the open store cannot be written to."""
    return bool(scalar(connection, READ_ONLY))


def insert_rows(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows, all with the same columns, to a table at once: a statement for each row takes milliseconds."""
    names = [name for name in (rows[0] if rows else ()) if any(row[name] is not None for row in rows)]
    if names:
        columns, lists = ", ".join(map(identifier, names)), ", ".join("unnest(?)" for _ in names)
        sql = f"INSERT INTO {identifier(table)} ({columns}) SELECT {lists}"
        connection.execute(sql, [[row[name] for row in rows] for name in names])


def any_order(connection: duckdb.DuckDBPyConnection, size: int) -> AbstractContextManager[None]:
    """Let rows come in any order where files of `size` bytes are read: it is quicker for many, and says nothing."""
    many = size >= MANY_BYTES
    return _within(connection, "SET preserve_insertion_order = false", "RESET preserve_insertion_order", wanted=many)


def as_written(connection: duckdb.DuckDBPyConnection, size: int | None) -> AbstractContextManager[None]:
    """Run statements as they are written where files of `size` bytes are few lines: DuckDB takes far longer to look
    for a better order of hundreds of columns than to read these. What they say is the same."""
    few = size is not None and size < FEW_BYTES
    return _within(connection, "PRAGMA disable_optimizer", "PRAGMA enable_optimizer", wanted=few)


@contextmanager
def _within(connection: duckdb.DuckDBPyConnection, begin: str, end: str, *, wanted: bool) -> Iterator[None]:
    """Change a setting while it lasts, where that is wanted."""
    if not wanted:
        yield
        return
    connection.execute(begin)
    try:
        yield
    finally:
        with suppress(duckdb.Error):
            connection.execute(end)


def in_memory(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> None:
    """Replace these tables of a store by copies in memory, which can be written to where the store cannot."""
    for name, sql, database in connection.execute(MADE_AS, [list(tables)]).fetchall():
        connection.execute(sql.replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
        source = f"{identifier(database)}.main.{identifier(name)}"
        connection.execute(f"INSERT INTO temp.main.{identifier(name)} FROM {source}")


def scalar(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | None = None) -> int:
    """The one whole number that a query yields."""
    row = connection.execute(sql, parameters or []).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
