"""LiteLLM's own table in Postgres: `costsim load postgresql://USER@HOST/DATABASE` reads the rows that are new.

Rows that began up to LATE before the newest one that was loaded are read again, as the proxy writes rows some time
after their calls began; each is one call, whichever load had it. A row that lay in the future when it was loaded (its
clock was wrong) says nothing of what had been written by then. Rows without a time, or with one that no call has, are
a file of their own, read every time: they are rejected, as those of a CSV are.

The connection is read-only. The password comes from PGPASSWORD or ~/.pgpass, as with all of Postgres' programs. Only
the columns that the reader needs are read.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageLogError
from .database_address import database_address
from .files import LogFile
from .readers.litellm import COLUMNS, READER
from .store_faults import first_line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PREFIXES = ("postgresql://", "postgres://")
TABLE = "LiteLLM_SpendLogs"
LATE = timedelta(days=2)
EARLIEST, AFTER = datetime(2000, 1, 1), datetime(2200, 1, 1)  # of calls (usage/project.py)
ROWS = """
SELECT convert_to(row_to_json(call)::text, CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)
FROM (SELECT {columns} FROM {table} WHERE {rows_of} ORDER BY request_id) AS call
"""  # a database in SQL_ASCII does not say what its bytes are: they are read as those of a file
NEW = '"startTime" >= %(since)s AND "startTime" < %(after)s'
TIMELESS = '"startTime" < %(earliest)s OR "startTime" >= %(after)s OR "startTime" IS NULL'
NEWEST = """
SELECT max(ts) FROM usage_event JOIN load USING (file_id)
WHERE source = 'litellm' AND ts <= loaded_at AND starts_with(load.path, ?)
"""


def is_address(path: str | Path) -> bool:
    """Whether a path is a database of Postgres."""
    return str(path).startswith(PREFIXES)


def origin_of(address: str, connection: Any = None) -> str:
    """The server and database, with neither user nor password; what the address leaves open is the connection's."""
    parts = database_address(address)
    info = connection.info if connection is not None else None
    hosts = parts.hosts or parts.query.get("host") or (info.host if info else "localhost")
    port = parts.query.get("port") or (str(info.port) if info and not parts.hosts else "")
    base = parts.path.strip("/") or parts.query.get("dbname") or (info.dbname if info else "")
    return f"postgresql://{hosts}{f':{port}' if port not in ('', '5432') else ''}/{base}"


def connected(address: str) -> Any:
    """A connection within one transaction that only reads, in UTC: a pooler between hands out no other.

    Raises UsageLogError where the client is missing or the server does not answer.
    """
    try:
        import psycopg
    except ImportError:
        raise UsageLogError("a database of Postgres needs its client: pip install 'costsim[postgres]'") from None
    logging.getLogger("psycopg").addHandler(logging.NullHandler())  # its warnings are in its errors
    origin = origin_of(address)
    try:
        connection = psycopg.connect(address, connect_timeout=10, client_encoding="UTF8")
        connection.read_only = True
        connection.execute("SET LOCAL TimeZone = 'UTC'")
    except psycopg.Error as error:
        raise UsageLogError(f"the database cannot be read: {said(address, error)}", file=origin) from None
    return connection


def said(address: str, error: Exception) -> str:
    """What the client or server said first, without a password."""
    return database_address(address).without_secrets(first_line(error), ["PGPASSWORD"])


def new_rows(store: DuckDBPyConnection, paths: Sequence[str | Path], spool: Path) -> list[LogFile]:
    """The rows of the databases among the paths that the store lacks, as JSON lines in files of `spool`.

    Where a database has rows without a time of a call, they are in another file. Raises UsageLogError.
    """
    addresses = dict.fromkeys(str(path) for path in paths if is_address(path))
    return [file for address in addresses for file in _new_rows_of(store, address, spool)]


def _new_rows_of(store: DuckDBPyConnection, address: str, spool: Path) -> list[LogFile]:
    connection = connected(address)  # names the client where it is missing
    import psycopg

    try:
        with connection:
            origin = f"{origin_of(address, connection)} {TABLE}"
            newest = store.execute(NEWEST, [f"{origin} "]).fetchall()[0][0]
            since = newest - LATE if newest else EARLIEST
            file, digest = _written(connection, NEW, since, spool)
            timeless, _ = _written(connection, TIMELESS, since, spool)
    except psycopg.Error as error:
        raise UsageLogError(
            f"the table {TABLE} cannot be read: {said(address, error)}", file=origin_of(address)
        ) from None
    new = _log_file(file, f"{origin} since {since if newest else 'its beginning'} ({digest[:12]})")
    never = _log_file(timeless, f"{origin} without a time of a call")
    return [new, never] if never.size else [new]


def _log_file(file: Path, label: str) -> LogFile:
    looked = file.stat()
    return LogFile(str(file), True, looked.st_size, looked.st_mtime_ns, label, reader=READER.name)


def _written(connection: Any, rows_of: str, since: datetime, spool: Path) -> tuple[Path, str]:
    """A file of the rows, in the order of their ids, and the hash of them."""
    from psycopg import sql

    file = spool / f"{len(list(spool.iterdir()))}.postgres.jsonl"
    table = sql.Identifier(TABLE)
    there = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(table)).description
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in there if column.name in COLUMNS)
    digest = hashlib.sha256()
    with file.open("wb") as stream, connection.cursor(name="costsim", binary=True) as rows:
        selected = sql.SQL(ROWS).format(columns=columns, table=table, rows_of=sql.SQL(rows_of))
        rows.execute(selected, {"since": since, "earliest": EARLIEST, "after": AFTER})
        for (row,) in rows:
            line = row.replace(b"\n", b" ") + b"\n"  # between its parts: within a text they are escaped
            digest.update(line)
            stream.write(line)
    return file, digest.hexdigest()
