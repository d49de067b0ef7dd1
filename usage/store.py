"""The store: one DuckDB file that any SQL tool can open. Its tables are in schema.sql, versioned."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from ..errors import StoreError
from . import DEFAULT_STORE
from .reader import identifier

SCHEMA = Path(__file__).with_name("schema.sql")
SCHEMA_VERSION = 11  # one more with every change of schema.sql

# No extension is fetched or loaded behind the user's back: what a log needs is built in.
CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}

SESSION = """
SET TimeZone = 'UTC';
-- A text as an instant in UTC: only a text with an offset needs the slow, zone-aware cast. No place on Earth is more
-- than 14 hours away from UTC.
CREATE OR REPLACE TEMP MACRO utc(text) AS
    CASE WHEN suffix(text, 'Z') THEN TRY_CAST(text AS TIMESTAMP)
         WHEN regexp_matches(text, ':[0-9.,]+ *[+-](1[5-9]|[2-9][0-9]|14:?(0[1-9]|[1-5][0-9]))') THEN NULL
         ELSE TRY_CAST(text AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END;
-- Unix time in seconds, milli-, micro- or nanoseconds, distinguished by size (good until the year 5138).
CREATE OR REPLACE TEMP MACRO utc_epoch(number) AS
    TRY(make_timestamp((TRY_CAST(number AS DECIMAL(38, 9)) * CASE
        WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000 THEN 1000000
        WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000000 THEN 1000
        WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000000000 THEN 1
        ELSE 0.001 END)::BIGINT));
"""
LOCKED = "lock on file"
WAIT_SECONDS = 3.0  # for another process
MAKING_SECONDS = 1.0  # longer than another process takes to begin a file
HEADER_BYTES = 3 * 4096
MANY_BYTES = 256 * 1024
FAULTS = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
)
DAMAGED = ("orrupt", "checksum", "Could not read enough bytes", "database has been invalidated", "INTERNAL Error")
FULL = ("No space left", "Disk quota", "failed to offload", "Out of Memory", "out of memory", "max_temp_directory_size")
FAILED = ("Failed to commit", "Could not write", "Could not sync", "Input/output error", "Read-only file system")
TABLES = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary AND database_name = current_database() ORDER BY 1"
READ_ONLY = "SELECT readonly::INTEGER FROM duckdb_databases() WHERE database_name = current_database()"
MADE_AS = """
SELECT table_name, sql, database_name FROM duckdb_tables()
WHERE NOT temporary AND database_name = current_database() AND table_name IN (SELECT unnest(?))
"""
WITHOUT_SCHEMA = ("projection", "outcome", "outcome_new")  # tables that may be there before any log is loaded
CREATE_VERSION_TABLE = "CREATE TABLE schema_version (version INTEGER NOT NULL)"
READ_VERSION = "SELECT coalesce(max(version), 0) FROM schema_version"
WRITE_VERSION = "INSERT INTO schema_version VALUES (?)"


@contextmanager
def open_store(
    path: Path = DEFAULT_STORE, read_only: bool = False, wait_seconds: float = WAIT_SECONDS
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store at `path`; made new where there is none or an empty file, unless `read_only`.

    Waits up to `wait_seconds` while another process has it open. Raises StoreError in one line: another process is
    writing, the file is no DuckDB database or that of another program, it has another costsim's schema, a block of it
    is damaged, or the disk fails while it is in use.
    """
    connection = _connect(Path(path), read_only, wait_seconds)
    try:
        _prepare(connection, Path(path), read_only)
        connection.execute(SESSION)
        yield connection
    except duckdb.Error as error:
        if not is_fault(error):
            raise
        raise StoreError(f"{path}: {_said(error)}") from None
    finally:
        with suppress(duckdb.Error):
            connection.close()


def _connect(path: Path, read_only: bool, wait_seconds: float) -> duckdb.DuckDBPyConnection:
    if str(path) != str(path).encode("utf-8", "replace").decode():
        raise StoreError(f"{path}: the name is not UTF-8 text; name another file for the store")
    if path.exists() and not path.is_file() and not path.is_dir():
        raise StoreError(f"{path}: this is no regular file; name a file for the store")  # a pipe would wait for ever
    new = str(path) == ":memory:" or not path.exists() or _never_begun(path)
    if read_only and new:
        raise StoreError(f"{path}: there is no store here; `costsim load` makes one")
    if new and path.exists():
        _make_room(path)
    config: dict[str, str | bool | int | float | list[str]] = {**CONFIG}
    if read_only:
        config["temp_directory"] = str(Path(tempfile.gettempdir()) / "costsim.tmp")
    last = time.monotonic() + wait_seconds
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.Error as error:
            if LOCKED not in str(error) or time.monotonic() > last:
                raise StoreError(f"{path}: {_why_not(path, error)}") from None
            time.sleep(0.1)


def _never_begun(path: Path) -> bool:
    """Whether a file holds less than a database's headers: its making was cut short, so nothing was ever in it."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEADER_BYTES)
    except OSError:
        return False
    return path.is_file() and len(head) < HEADER_BYTES and (head[8:12] == b"DUCK" or not head.strip(b"\0"))


def _make_room(path: Path) -> None:
    """Take away a file that was never begun, unless another process is just making it."""
    while _never_begun(path) and time.time() - path.stat().st_mtime < MAKING_SECONDS:
        time.sleep(0.1)
    if _never_begun(path):
        path.unlink()


def is_fault(error: duckdb.Error) -> bool:
    """Whether a disk, a damaged file or a lack of memory is behind an error, and not what was asked for."""
    failed = any(word in str(error) for word in (*FULL, *FAILED))
    return failed or isinstance(error, FAULTS) or type(error) is duckdb.Error


def is_grave(error: duckdb.Error) -> bool:
    """Whether no reading can go on after an error, whatever is read: no space, no memory, a broken store."""
    full = any(word in str(error) for word in FULL)
    return full or isinstance(error, duckdb.OutOfMemoryException | duckdb.FatalException | duckdb.InternalException)


def _said(error: duckdb.Error) -> str:
    """A fault in words, with what to do."""
    message = " ".join(str(error).split())
    if any(word in message for word in FULL):
        return f"no space is left, on the store's disk or in memory and the folder for temporary files: {message}"
    if any(word in message for word in DAMAGED):
        return f"the store is damaged ({_first_line(error)}); see costsim store verify and costsim store repair"
    return _first_line(error)


def _why_not(path: Path, error: duckdb.Error) -> str:
    message = str(error)
    if path.is_dir():
        return "this is a folder; name a file for the store"
    if LOCKED in message:
        return "another process has the store open for writing; wait until it is done, or name another store"
    if "not a valid DuckDB" in message:
        return "this is no DuckDB database; name another file for the store"
    return _said(error)


def _prepare(connection: duckdb.DuckDBPyConnection, path: Path, read_only: bool) -> None:
    """Make the tables of a new store; raises StoreError for one of another schema."""
    tables = [name for (name,) in connection.execute(TABLES).fetchall()]
    version = _version(connection, path, tables)
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
    connection.execute(CREATE_VERSION_TABLE)
    connection.execute(SCHEMA.read_text("utf-8"))
    connection.execute(WRITE_VERSION, [SCHEMA_VERSION])
    connection.execute("COMMIT")


def _version(connection: duckdb.DuckDBPyConnection, path: Path, tables: Sequence[str]) -> int:
    """The schema of a store; 0 of a new one. Raises StoreError for a database of something else."""
    ours = ("schema_version", *WITHOUT_SCHEMA)
    if "schema_version" in tables:
        with suppress(duckdb.BinderException, duckdb.ConversionException):
            return scalar(connection, READ_VERSION)
    elif set(tables) <= {*ours}:
        return 0
    named = ", ".join([*tables[:3], *["…"] * (len(tables) > 3)])
    raise StoreError(
        f"{path}: this is a DuckDB database of another program (its tables: {named}); name another file for the store"
    )


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


@contextmanager
def any_order(connection: duckdb.DuckDBPyConnection, size: int) -> Iterator[None]:
    """Let rows come in any order where files of `size` bytes are read: it is quicker for many, and says nothing."""
    if size < MANY_BYTES:
        yield
        return
    connection.execute("SET preserve_insertion_order = false")
    try:
        yield
    finally:
        with suppress(duckdb.Error):
            connection.execute("RESET preserve_insertion_order")


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


def _first_line(error: Exception) -> str:
    return " ".join(str(error).splitlines()[0].split())
