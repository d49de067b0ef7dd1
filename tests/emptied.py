"""One store in memory for the tests of a process, emptied between them: to make one takes as long as to load a log.

For tests that load and ask. What is asked of a store's file (commands, a second process, what is left after a fault)
needs `open_store` of costsim itself.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path

import duckdb
from costsim.usage.store import open_store as open_own
from costsim.usage.store_file import IN_MEMORY

FILLED = """
SELECT table_name FROM duckdb_tables()
WHERE NOT temporary AND database_name = current_database() AND estimated_size > 0 AND table_name <> 'schema_version'
"""
MADE = "SELECT table_name, sql FROM duckdb_tables() WHERE NOT temporary AND database_name = current_database()"
_holds: list[Path] = []
"""The path whose calls the store has, and while a test has it open, that path again."""


@contextmanager
def open_store(path: Path = IN_MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """As costsim's own `open_store` of a new file: what was loaded at a path is there until another path is opened."""
    if len(_holds) > 1:  # two at once
        with open_own(IN_MEMORY) as another:
            yield another
        return
    connection = _connection()
    with suppress(duckdb.TransactionException):
        connection.execute("ROLLBACK")
    if path == IN_MEMORY or _holds != [path]:
        _empty(connection)
    _holds[:] = [path, path]
    try:
        yield connection
    finally:
        del _holds[1:]


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    with ExitStack() as stack:
        connection = stack.enter_context(open_own(IN_MEMORY))
        atexit.register(stack.pop_all().close)
    return connection


@cache
def _made() -> dict[str, str]:
    """The statement that makes each table of a new store."""
    with open_own(IN_MEMORY) as new:
        return dict(new.execute(MADE).fetchall())


def _empty(connection: duckdb.DuckDBPyConnection) -> None:
    """Make each table anew that something was put into: one whose rows were deleted is slower to read."""
    for (name,) in connection.execute(FILLED).fetchall():
        connection.execute(f"DROP TABLE {name}")
        if name in _made():
            connection.execute(_made()[name])
