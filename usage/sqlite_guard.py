"""SQLite believes what stands in a file: what keeps one that others wrote from being read for ever, or run.

Its pages may lead back to one another, so that a few of them hold more rows than anyone can read; its schema may have
expressions that are computed as a column is read. Both are refused (https://www.sqlite.org/security.html).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from ..interrupts import before_errors
from ..shown import MAX_NAME, one_line, shortened_line
from .limits import FREE_BYTES

ROW_BYTES = 6  # the least that a row takes of a page: two of its place, four of its cell
FREE_ROWS = 1_000
STEPS_OF_A_ROW = 64  # of SQLite's machine, beside those of its columns: twice what our longest statement takes
STEPS_OF_A_COLUMN = 4
STEPS_AT_ONCE = 10_000  # a fraction of a millisecond: so soon is a signal seen
SCHEMA_COLUMNS = 5
FREE_LENGTH = 2**20
SHORT = 64  # bytes of a text that is not counted: rows are, and have no more than so many columns
MAX_CONTENT = 64  # times the size of a database: of sound ones, only defaults of columns make it more than one
FUNCTIONS = frozenset(("coalesce", "count", "instr", "json_group_object", "length"))  # of our own statements

VIRTUAL = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 2"
VIEWS = "SELECT lower(name) FROM sqlite_master WHERE type = 'view'"
TOO_MANY = "its pages lead to more rows than a file of its size can hold"
TOO_LONG = f"its texts are over {MAX_CONTENT} times its size"
NOT_RUN = "costsim runs nothing that a log brings along: load a copy that has it stored"

Action = tuple[int, str | None, str | None, str | None, str | None]


class RefusedError(sqlite3.DatabaseError):
    """A database that would run what whoever wrote it chose, or has no end."""


class EndlessError(RefusedError):
    """A database that has more in it than its size can hold; says why."""


class Guard:
    """A database of so many bytes (its log too), and what a statement may read of it."""

    def __init__(self, database: sqlite3.Connection, size: int) -> None:
        self.database = database
        self._rows = size // ROW_BYTES + FREE_ROWS
        self._content = max(FREE_BYTES, MAX_CONTENT * size)
        self._over = False
        self._allow(SCHEMA_COLUMNS)
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, min(2 * size + FREE_LENGTH, 10**9))
        database.text_factory = self._as_text
        database.set_progress_handler(self._step, STEPS_AT_ONCE)
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA cell_size_check = ON")

    @contextmanager
    def watching(self) -> Iterator[Guard]:
        """A block that reads. Raises EndlessError where there is too much in it, KeyboardInterrupt where a signal ended
        a statement: SQLite says of both that it was interrupted."""
        with before_errors():
            try:
                yield self
            except sqlite3.Error as error:
                if self._over:
                    raise EndlessError(TOO_MANY) from None
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
                    raise KeyboardInterrupt from None
                raise

    def execute(self, sql: str) -> sqlite3.Cursor:
        """The rows of one of our statements. Raises RefusedError where that would run more than itself."""
        read = self._looked_at(sql)
        self._allow(len(read))
        return self.database.execute(sql)

    def counted(self, cursor: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
        """The rows; bytes in them count as texts do. Raises EndlessError."""
        for row in islice(cursor, self._rows):
            if bytes in map(type, row):
                self._count(sum(len(value) for value in row if type(value) is bytes))
            yield row
        if next(cursor, None):
            raise EndlessError(TOO_MANY)

    def _looked_at(self, sql: str) -> set[tuple[str, str]]:
        """The columns that a statement reads, each with its table. Raises RefusedError where it would run more."""
        views = {name for (name,) in self.database.execute(VIEWS)}
        actions, operations = self._prepared(sql)
        read = {(table or "", column or "") for kind, table, column, *_ in actions if kind == sqlite3.SQLITE_READ}
        for kind, first, second, _, source in actions:
            if view := next((name for name in (first, source) if (name or "").lower() in views), None):
                raise RefusedError(f"{_named(view)} is a view; {NOT_RUN}")
            if kind == sqlite3.SQLITE_RECURSIVE or (kind == sqlite3.SQLITE_FUNCTION and second not in FUNCTIONS):
                raise RefusedError(f"a table of it is a statement, not rows; {NOT_RUN}")
        if "VOpen" in operations:
            raise RefusedError(f"a table of it is a virtual one; {NOT_RUN}")
        for table in sorted({table for table, _ in read}):
            for (column,) in self.database.execute(VIRTUAL, (table,)).fetchall():
                if (table, column) in read:
                    raise RefusedError(f"the column {_named(column)} of {_named(table)} is computed as it is read "
                                       f"(a generated column); {NOT_RUN}")  # fmt: skip
        return read

    def _prepared(self, sql: str) -> tuple[list[Action], set[str]]:
        """What SQLite asks to be allowed as it prepares a statement, and its operations; none is run."""
        actions: list[Action] = []

        def noted(*action: Any) -> int:
            actions.append(action)
            return sqlite3.SQLITE_OK

        self.database.set_authorizer(noted)
        try:
            return actions, {row[1] for row in self.database.execute(f"EXPLAIN {sql}")}
        finally:
            self.database.set_authorizer(None)

    def _allow(self, columns: int) -> None:
        """So many steps are left for a statement: what all rows that fit into the file take."""
        self._steps = self._rows * (STEPS_OF_A_ROW + STEPS_OF_A_COLUMN * columns)

    def _step(self) -> bool:
        self._steps -= STEPS_AT_ONCE
        self._over = self._steps < 0
        return self._over

    def _as_text(self, value: bytes) -> str:
        if len(value) > SHORT:
            self._count(len(value))
        return value.decode("utf-8", "replace")

    def _count(self, length: int) -> None:
        self._content -= length
        if self._content < 0:
            raise EndlessError(TOO_LONG)


def damaged(why: str) -> str:
    """What to say of a database that cannot be read."""
    return f"this database is damaged or cut short ({why}): copy it again while its tool is not running"


def _named(name: str | None) -> str:
    """A name that whoever wrote the file chose, in a line."""
    return shortened_line(one_line(name or ""), MAX_NAME)
