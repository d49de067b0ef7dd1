"""Files that are no list of records: their reader's `unfold` tells the records, written out here as JSON lines."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .reader import Unfold

SQLITE = b"SQLite format 3\0"
FETCHED_ROWS = 1000
TABLES = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"


def unfolded(unfold: Unfold, content: Path, file: Path, out: Path) -> str | None:
    """Write the records of a file to `out`, a line each; returns why they could not be read to the end, if so."""
    with out.open("w", encoding="utf-8", errors="replace") as lines:
        try:
            for record in unfold(content, file):
                lines.write(json.dumps(record, ensure_ascii=False, default=_as_text) + "\n")
        except sqlite3.Error as error:
            return str(error)
        except (ValueError, RecursionError):
            return "not JSON"
    return None


def tables(path: Path) -> tuple[str, ...]:
    """The tables and views of an SQLite database; none where it is broken."""
    try:
        with _database(path) as database:
            return tuple(name for (name,) in database.execute(TABLES))
    except sqlite3.Error:
        return ()


def rows(path: Path, sql: str) -> Iterator[dict[str, Any]]:
    """The rows that SQL selects from an SQLite database, by column; some at a time. Raises sqlite3.Error."""
    with _database(path) as database:
        cursor = database.execute(sql)
        names = [column[0] for column in cursor.description]
        while some := cursor.fetchmany(FETCHED_ROWS):
            yield from (dict(zip(names, row, strict=True)) for row in some)


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """A database opened without a trace beside it. What its write-ahead log holds counts too, so both are copied."""
    log = path.with_name(path.name + "-wal")
    if not (log.exists() and log.stat().st_size):
        with closing(_opened(path, "mode=ro&immutable=1")) as database:
            yield database
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.db"
        shutil.copyfile(path, copy)
        shutil.copyfile(log, copy.with_name("copy.db-wal"))
        with closing(_opened(copy, "mode=rw")) as database:
            yield database


def _opened(path: Path, how: str) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)
    database.text_factory = _as_text
    return database


def _as_text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
