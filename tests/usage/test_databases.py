"""Databases that others wrote: their tables are read, their views are not."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from costsim.usage.unfold import rows, tables

ENDLESS = "CREATE VIEW Endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "sessions.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE calls (tokens)")
        connection.execute("INSERT INTO calls VALUES (7)")
        connection.execute(ENDLESS)
        connection.commit()
    return file


@pytest.mark.parametrize("sql", ["SELECT i FROM endless", "SELECT count(*) FROM calls, ENDLESS"])
def test_an_endless_view_is_refused(database: Path, sql: str) -> None:
    with pytest.raises(sqlite3.DatabaseError, match=r"prohibited|not authorized"):
        next(rows(database, sql))


def test_tables_beside_a_view_are_read(database: Path) -> None:
    assert tables(database) == ("calls",)
    assert list(rows(database, "WITH c AS (SELECT tokens FROM calls) SELECT tokens FROM c")) == [{"tokens": 7}]
