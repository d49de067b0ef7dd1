"""The store: one DuckDB file that any SQL tool can open. Its tables are in schema.sql, versioned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ..errors import StoreError
from . import DEFAULT_STORE

SCHEMA = Path(__file__).with_name("schema.sql")
SCHEMA_VERSION = 7  # one more with every change of schema.sql

# No extension is fetched or loaded behind the user's back: what a log needs is built in.
CONFIG = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}

SESSION = """
SET TimeZone = 'UTC';
-- A text as an instant in UTC: only a text with an offset needs the slow, zone-aware cast.
CREATE OR REPLACE TEMP MACRO utc(text) AS
    CASE WHEN suffix(text, 'Z') THEN TRY_CAST(text AS TIMESTAMP)
         ELSE TRY_CAST(text AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END;
-- Unix time in seconds, milli-, micro- or nanoseconds, told apart by size (good until the year 5138).
CREATE OR REPLACE TEMP MACRO utc_epoch(number) AS
    TRY(make_timestamp((TRY_CAST(number AS DECIMAL(38, 9)) * CASE
        WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000 THEN 1000000
        WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000000 THEN 1000
        WHEN TRY_CAST(number AS DECIMAL(38, 9)) < 100000000000000000 THEN 1
        ELSE 0.001 END)::BIGINT));
"""
CREATE_VERSION_TABLE = "CREATE TABLE schema_version (version INTEGER NOT NULL)"
READ_VERSION = "SELECT coalesce(max(version), 0) FROM schema_version"
WRITE_VERSION = "INSERT INTO schema_version VALUES (?)"


@contextmanager
def open_store(path: Path = DEFAULT_STORE, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store at `path`; made new where there is none, unless `read_only`.

    Raises StoreError in one line: another process is writing, the file is no DuckDB database, it has
    another costsim's schema, or the disk fails while it is in use.
    """
    connection = _connect(Path(path), read_only)
    try:
        _prepare(connection, Path(path), read_only)
        connection.execute(SESSION)
        yield connection
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise StoreError(f"{path}: {_first_line(error)}") from None
    finally:
        connection.close()


def _connect(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    if read_only and not path.exists():
        raise StoreError(f"{path}: there is no store here; `costsim load` makes one")
    try:
        return duckdb.connect(str(path), read_only=read_only, config=dict(CONFIG))
    except duckdb.Error as error:
        raise StoreError(f"{path}: {_why_not(path, str(error))}") from None


def _why_not(path: Path, message: str) -> str:
    if path.is_dir():
        return "this is a folder; name a file for the store"
    if "lock on file" in message:
        return "another process has the store open for writing; wait until it is done, or name another store"
    if "not a valid DuckDB" in message:
        return "this is no DuckDB database; name another file for the store"
    return " ".join(message.splitlines()[0].split())


def _prepare(connection: duckdb.DuckDBPyConnection, path: Path, read_only: bool) -> None:
    """Make the tables of a new store; raises StoreError for one of another schema."""
    version = _version(connection)
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


def _version(connection: duckdb.DuckDBPyConnection) -> int:
    try:
        return scalar(connection, READ_VERSION)
    except duckdb.CatalogException:  # a new file has no tables
        return 0


def scalar(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | None = None) -> int:
    """The one whole number that a query yields."""
    row = connection.execute(sql, parameters or []).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def _first_line(error: Exception) -> str:
    return " ".join(str(error).splitlines()[0].split())
