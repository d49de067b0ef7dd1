"""LiteLLM's own table in Postgres: `costsim load postgresql://USER@HOST/DATABASE` reads the rows that are new.

Rows that began up to LATE before the newest one that was loaded are read again, as the proxy writes rows some time
after their calls began; each is one call, whichever load had it. The connection is read-only. The password comes from
PGPASSWORD or ~/.pgpass, as with all of Postgres' programs. Only the columns that the reader needs are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from ..errors import UsageLogError
from .files import LogFile
from .readers.litellm import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PREFIXES = ("postgresql://", "postgres://")
TABLE = "LiteLLM_SpendLogs"
LATE = timedelta(days=2)
SETTINGS = "-c default_transaction_read_only=on -c TimeZone=UTC"
NEWEST = """
SELECT max(ts) FROM usage_event JOIN load USING (file_id) WHERE source = 'litellm' AND starts_with(load.path, ?)
"""


def is_address(path: str | Path) -> bool:
    """Whether a path is a database of Postgres."""
    return str(path).startswith(PREFIXES)


def without_secret(address: str) -> str:
    """The server and database, with neither user nor password."""
    parts = urlsplit(address)
    host = parts.hostname or ",".join(parse_qs(parts.query).get("host", ["localhost"]))
    return f"postgresql://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def connected(address: str) -> Any:
    """A read-only connection. Raises UsageLogError where the client is missing or the server does not answer."""
    try:
        import psycopg
    except ImportError:
        raise UsageLogError("a database of Postgres needs its client: pip install 'costsim[postgres]'") from None
    try:
        return psycopg.connect(address, options=SETTINGS, connect_timeout=10)
    except psycopg.Error as error:
        said = " ".join(str(error).split())
        raise UsageLogError(f"the database cannot be read: {said}", file=without_secret(address)) from None


def new_rows(store: DuckDBPyConnection, address: str, spool: Path) -> LogFile:
    """The rows of the database that the store lacks, as JSON lines in a file of `spool`. Raises UsageLogError."""
    import psycopg

    origin = f"{without_secret(address)} {TABLE}"
    newest = store.execute(NEWEST, [f"{origin} "]).fetchall()[0][0]
    since = newest - LATE if newest else None
    file = spool / f"{len(list(spool.iterdir()))}.postgres.jsonl"
    with connected(address) as connection:
        try:
            digest = _write(connection, since, file)
        except psycopg.Error as error:
            said = str(error).splitlines()[0]
            raise UsageLogError(f"the table {TABLE} cannot be read: {said}", file=without_secret(address)) from None
    looked = file.stat()
    label = f"{origin} since {since or 'its beginning'} ({digest[:12]})"
    return LogFile(str(file), True, looked.st_size, looked.st_mtime_ns, label)


def _write(connection: Any, since: datetime | None, file: Path) -> str:
    """Write the rows, in the order of their ids; returns the hash of them."""
    from psycopg import sql

    table = sql.Identifier(TABLE)
    there = connection.execute(sql.SQL("SELECT * FROM {} LIMIT 0").format(table)).description
    columns = [column.name for column in there if column.name in COLUMNS]
    digest = hashlib.sha256()
    with file.open("wb") as stream, connection.cursor(name="costsim") as rows:
        rows.execute(_new(columns, table), {"since": since or datetime(1970, 1, 1)})
        for (row,) in rows:
            line = row.replace("\n", " ").encode() + b"\n"  # between its parts: within a text they are escaped
            digest.update(line)
            stream.write(line)
    return digest.hexdigest()


def _new(columns: Sequence[str], table: Any) -> Any:
    from psycopg import sql

    selected = sql.SQL(", ").join(map(sql.Identifier, columns))
    calls = sql.SQL('SELECT {} FROM {} WHERE "startTime" >= %(since)s ORDER BY request_id').format(selected, table)
    return sql.SQL("SELECT row_to_json(call)::text FROM ({}) AS call").format(calls)
