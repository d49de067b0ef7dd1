"""SQLite databases that their program has open: what only its write-ahead log holds counts, once, at every load."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from costsim.errors import ChangingError
from costsim.reports.loaded import lines as lines_of
from costsim.usage import read, sqlite_log
from costsim.usage.load import load

pytestmark = pytest.mark.slow

GOOSE = Path(__file__).parent.parent / "data" / "usage" / "goose" / "sessions.db"
COUNT = "SELECT count(*) FROM usage_event"
ANOTHER = """
INSERT INTO sessions SELECT ?, working_dir, created_at, updated_at, total_tokens, input_tokens, output_tokens,
    accumulated_total_tokens, accumulated_input_tokens, accumulated_output_tokens, accumulated_cost, provider_name,
    model_config_json FROM sessions WHERE id = '20260612_1'
"""


def add(live: sqlite3.Connection, name: str) -> None:
    live.execute(ANOTHER, [name])
    live.commit()
    time.sleep(0.01)  # a file's time has steps of some milliseconds


@pytest.fixture
def live(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    shutil.copy(GOOSE, tmp_path / "live.db")
    with closing(sqlite3.connect(tmp_path / "live.db")) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        yield connection


def count(store: duckdb.DuckDBPyConnection) -> int:
    found = store.execute(COUNT).fetchone()
    return int(found[0]) if found else 0


@pytest.mark.slow
def test_rows_that_are_in_the_log_only_count_at_the_next_load(
    store: duckdb.DuckDBPyConnection, live: sqlite3.Connection, tmp_path: Path
) -> None:
    """Two sessions; one more in the log, the database's own file unchanged; then moved into it."""
    load(store, [tmp_path / "live.db"])
    assert count(store) == 2
    before = (tmp_path / "live.db").read_bytes()
    for number in (3, 4):
        add(live, f"s{number}")
        assert (tmp_path / "live.db").read_bytes() == before
        load(store, [tmp_path / "live.db"])
        assert count(store) == number
    assert load(store, [tmp_path / "live.db"]).files[0].unchanged
    live.execute("PRAGMA wal_checkpoint(truncate)")
    load(store, [tmp_path / "live.db"])
    assert count(store) == 4


def test_a_database_that_is_written_to_while_it_is_read_loses_nothing(
    store: duckdb.DuckDBPyConnection, live: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read, "changed", lambda _: True)  # so it is read again, from a copy: with its log
    add(live, "s3")
    load(store, [tmp_path / "live.db"])
    assert count(store) == 3


def test_a_database_that_is_locked_is_read_as_it_was(
    store: duckdb.DuckDBPyConnection, live: sqlite3.Connection, tmp_path: Path
) -> None:
    live.execute("PRAGMA locking_mode = exclusive")
    live.execute("BEGIN EXCLUSIVE")
    live.execute(ANOTHER, ["not committed"])
    load(store, [tmp_path / "live.db"])
    assert count(store) == 2


@pytest.mark.parametrize("log", ["garbage", "of another", "cut short", "gone"])
def test_a_log_that_is_not_the_databases_own_adds_nothing(
    store: duckdb.DuckDBPyConnection, live: sqlite3.Connection, tmp_path: Path, log: str
) -> None:
    add(live, "s3")
    database, frames = (tmp_path / "live.db").read_bytes(), (tmp_path / "live.db-wal").read_bytes()
    (tmp_path / "copy.db").write_bytes(database)
    wrong = {"garbage": os.urandom(10_000), "of another": frames[:24] + os.urandom(8) + frames[32:],
             "cut short": frames[:-2000], "gone": b""}  # fmt: skip
    (tmp_path / "copy.db-wal").write_bytes(wrong[log])
    load(store, [tmp_path / "copy.db"])
    assert count(store) == 2
    assert {file.name for file in tmp_path.iterdir() if file.name.startswith("copy")} == {"copy.db", "copy.db-wal"}


def test_rows_of_a_transaction_that_is_not_completed_do_not_count(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """SQLite's default: rows go to the database itself, and what they replace to its journal, which takes them back."""
    shutil.copy(GOOSE, tmp_path / "live.db")
    with closing(sqlite3.connect(tmp_path / "live.db", isolation_level=None)) as live:
        live.execute("PRAGMA journal_mode = delete")
        live.execute("PRAGMA cache_size = 2")
        live.execute("BEGIN")
        for number in range(400):
            live.execute(ANOTHER, [f"s{number}"])
        assert (tmp_path / "live.db-journal").stat().st_size
        load(store, [tmp_path / "live.db"])
        assert count(store) == 2
        live.execute("ROLLBACK")
    load(store, [tmp_path / "live.db"])
    assert count(store) == 2


def test_rows_in_the_log_of_a_database_that_lies_in_the_future_count_at_every_load(
    store: duckdb.DuckDBPyConnection, live: sqlite3.Connection, tmp_path: Path
) -> None:
    """As after a clock was set back: the log is then never the newer of the two."""
    ahead = time.time() + 3600
    os.utime(tmp_path / "live.db", (ahead, ahead))
    for number in (3, 4):
        add(live, f"s{number}")
        load(store, [tmp_path / "live.db"])
        assert count(store) == number


def begun(live: sqlite3.Connection) -> None:
    """A transaction of 400 rows, more than its program keeps in memory: they are in the database's own file."""
    live.execute("BEGIN")
    for number in range(400):
        live.execute(ANOTHER, [f"s{number}"])


def rolled_back(live: sqlite3.Connection) -> None:
    begun(live)
    live.execute("ROLLBACK")


def committed(live: sqlite3.Connection) -> None:
    begun(live)
    live.execute("COMMIT")


def copying(monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[str], None]) -> None:
    """Files are copied in two halves; what happens `meanwhile` happens between them. All is read from copies."""

    def in_halves(source: str | Path, target: str | Path) -> None:
        with Path(source).open("rb") as stream, Path(target).open("wb") as out:
            out.write(stream.read(os.stat(source).st_size // 8192 * 4096))
            meanwhile(str(source))
            out.write(stream.read())

    monkeypatch.setattr(shutil, "copyfile", in_halves)
    monkeypatch.setattr(sqlite_log, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(read, "changed", lambda _: True)


@pytest.mark.parametrize("mode", ["delete", "truncate", "persist"])
@pytest.mark.parametrize(("does", "calls"), [(begun, 2), (rolled_back, 2), (committed, 402)])
def test_a_transaction_that_comes_while_a_database_is_copied_counts_as_a_whole_or_not(
    store: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    does: Callable[[sqlite3.Connection], None],
    calls: int,
) -> None:
    """There was no journal when the database was looked at; 400 rows and the two that were there."""
    shutil.copy(GOOSE, tmp_path / "live.db")
    with closing(sqlite3.connect(tmp_path / "live.db", isolation_level=None)) as live:
        live.execute(f"PRAGMA journal_mode = {mode}")
        live.execute("PRAGMA cache_size = 2")
        once = iter([live])

        def meanwhile(source: str) -> None:
            for program in once if source.endswith(".db") else ():
                does(program)

        copying(monkeypatch, meanwhile)
        load(store, [tmp_path / "live.db"])
        assert count(store) == calls
        assert store.execute("SELECT count(*) FROM reject").fetchone() == (0,)
        if live.in_transaction:
            live.execute("ROLLBACK")
    monkeypatch.undo()
    load(store, [tmp_path / "live.db"])
    assert count(store) == calls


def test_a_log_that_begins_anew_while_it_is_copied_is_copied_again(
    store: duckdb.DuckDBPyConnection, live: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of it would be of rows that are in the database by then: pages as they were before."""

    def anew(source: str) -> None:
        for program in once if source.endswith("-wal") else ():
            program.execute("PRAGMA wal_checkpoint(truncate)")
            add(program, "s100")

    for number in range(50):
        add(live, f"s{number}")
    once = iter([live])
    copying(monkeypatch, anew)
    load(store, [tmp_path / "live.db"])
    assert count(store) == 53


def test_rows_that_come_into_the_log_while_it_is_copied_keep_no_copy_from_being_made(
    store: duckdb.DuckDBPyConnection, live: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(live, "s0")
    names = map("s{}".format, range(1, 1000))

    def one_more(source: str) -> None:
        if source.endswith("-wal"):
            add(live, next(names))

    copying(monkeypatch, one_more)
    load(store, [tmp_path / "live.db"])
    monkeypatch.undo()
    assert count(store) >= 3
    load(store, [tmp_path / "live.db"])
    assert count(store) == 2 + int(next(names).removeprefix("s"))


def test_a_database_that_changes_without_a_pause_is_left_to_the_next_load(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two databases of two sessions; one gets 400 in each of ten attempts."""
    for name in ("live.db", "still.db"):
        shutil.copy(GOOSE, tmp_path / name)
    with closing(sqlite3.connect(tmp_path / "live.db", isolation_level=None)) as live:

        def more(source: str) -> None:
            if source.endswith("live.db"):
                live.execute("DELETE FROM sessions WHERE id LIKE 's%'")
                committed(live)

        copying(monkeypatch, more)
        with pytest.raises(ChangingError, match=r"live\.db: its program changed the file at each of 10 attempts"):
            load(store, [tmp_path / "live.db"])
        report = load(store, [tmp_path])
        assert [Path(file.path).name for file in report.files] == ["still.db"]
        assert any("live.db: its program changed the file" in line for line in lines_of(report))
        assert count(store) == 2
    monkeypatch.undo()
    load(store, [tmp_path])
    assert count(store) == 402
