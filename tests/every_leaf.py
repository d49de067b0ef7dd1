"""Every place of a sample with another value in it: in documents, in JSON within their texts, in cells of tables."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

VALUES: list[Any] = [None, True, "", "x", -1, 1.5, 1e39, float("nan"), 10**30, 16 * 10**37, "\ud800", [], ["x", {"x": 1}],
                     {}, {"x": [1]}]  # fmt: skip
CELLS = ["", "x", "true", "-1", "-0", "1.5", "1e39", "-1e39", "1e400", "NaN", "-nan", "inf", "-Infinity", "9" * 31, "[]",
         "[1]", "{}", '{"x": 1}', "[[]]", "0001-01-01", "99999-12-31T00:00:00Z", "294247-01-10", "\x00", "\udc80"]  # fmt: skip
Steps = tuple[str | int, ...]


def places(value: Any) -> list[Steps]:
    """The ways to each value within a document, one of those that differ in the place within a list only."""
    seen: dict[tuple[str | None, ...], Steps] = {}
    for path in _places(value, ()):
        seen.setdefault(tuple(step if isinstance(step, str) else None for step in path), path)
    return [path for path in seen.values() if path]


def _places(value: Any, path: Steps) -> Iterator[Steps]:
    yield path
    inner = opened(value)
    steps = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
    for step, of in steps:
        yield from _places(of, (*path, step))


def opened(value: Any) -> Any:
    """A value, or what a text of JSON holds."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def replaced(value: Any, path: Steps, by: Any) -> Any:
    """A document with another value at one place."""
    if not path:
        return by
    inner = opened(value)
    step, *rest = path
    copy: Any = {**inner} if isinstance(inner, dict) else [*inner]
    copy[step] = replaced(inner[step], tuple(rest), by)
    return json.dumps(copy, default=repr) if isinstance(value, str) else copy  # bytes stand in no JSON


def records_with(records: list[Any], by: Any) -> list[Any]:
    """The records, each place of theirs once with this value in it."""
    seen, found = set(), []
    for record in records:
        for path in places(record):
            shape = tuple(step for step in path if isinstance(step, str))
            if shape not in seen:
                seen.add(shape)
                found.append(replaced(record, path, by))
    return found


def table_with(text: str, by: str) -> str:
    """A CSV with all its rows, and the first one once for each column, with this cell in it."""
    delimiter = max(",;\t", key=text.splitlines()[0].count)
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    out = io.StringIO(newline="")
    changed = [[*row[:place], by, *row[place + 1 :]] for row in rows[:3] for place in range(len(header))]
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows([header, *rows, *changed])
    return out.getvalue()


Change = Callable[[Any, Path], None]
"""Writes a database with a value at a place."""


def databases_with(content: bytes) -> Iterator[tuple[str, Change]]:
    """For each column of an SQLite database, and each place in JSON in its cells, its name and what changes it."""
    for table, column, cell, rowid in _cells(content):
        for path in [(), *places(cell)]:
            yield f"{table}-{column}", partial(_changed, content, (table, column, rowid), cell, path)


def _changed(content: bytes, where: tuple[str, str, int], cell: Any, path: Steps, by: Any, file: Path) -> None:
    """Write the database with another value in a cell; none where the table does not allow it."""
    table, column, rowid = where
    value = replaced(cell, path, by)
    if isinstance(value, dict | list) or (isinstance(value, int) and abs(value) >= 2**63):
        value = json.dumps(value)
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(content)
        database.execute("PRAGMA ignore_check_constraints = on")
        with suppress(sqlite3.IntegrityError):
            database.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', [value, rowid])
            database.commit()
            file.write_bytes(database.serialize())


def _cells(content: bytes) -> list[tuple[str, str, Any, int]]:
    """The table, column, cell and row of each cell in the first rows of each table."""
    found = []
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(content)
        database.text_factory = lambda text: text.decode("utf-8", "replace")
        made = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' AND sql NOT LIKE '%WITHOUT%'"
        for (table,) in database.execute(made).fetchall():
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
            for rowid, *row in database.execute(f'SELECT rowid, * FROM "{table}" LIMIT 2').fetchall():
                found += [(table, name, cell, rowid) for name, cell in zip(columns, row, strict=True)]
    return found
