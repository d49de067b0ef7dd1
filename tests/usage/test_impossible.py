"""Values that no log holds, put into a store by a hand or another program: named in one line, and repaired."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import duckdb
import pytest
from conftest import SESSIONS
from costsim.errors import StoreError
from costsim.store import open_store as open_priced_store
from costsim.usage import upkeep
from costsim.usage.impossible import every_impossible_value, impossible, impossible_values
from costsim.usage.shape import ON_DEMAND, columns_of, should_be
from costsim.usage.store import open_store
from costsim.usage.upkeep import repair, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Run
    from duckdb import DuckDBPyConnection

CALLS = {
    "a count whose sum overflows": ("UPDATE usage_event SET input = 9223372036854775807 WHERE rowid = 3", "the row 3 has input 9223372036854775807"),
    "a negative count": ("UPDATE usage_event SET output = -5 WHERE rowid = 3", "the row 3 has output -5, a negative count"),
    "a role that there is not": ("UPDATE usage_event SET role = 'boss' WHERE rowid = 5", "the row 5 has role boss"),
    "a time without end": ("UPDATE usage_event SET ts = 'infinity' WHERE rowid = 9", "the row 9 has ts infinity"),
    "the year 9999": ("UPDATE usage_event SET ts = '9999-12-31' WHERE rowid = 9", "the row 9 has ts 9999-12-31"),
    "a cost of a world": ("UPDATE usage_event SET recorded_usd = 1000000000000000 WHERE rowid = 2", "the row 2 has recorded_usd 1000000000000000"),
}  # fmt: skip
SUMS = {
    "calls that are none": ("UPDATE usage_daily SET calls = 0", "the row 0 has calls 0"),
    "more than its calls can have": ("UPDATE usage_daily SET input = 9223372036854775807 WHERE rowid = 0", "the row 0 has input 9223372036854775807"),
    "a day without end": ("UPDATE usage_daily SET day = 'infinity' WHERE rowid = 0", "the row 0 has day infinity"),
    "a day to be summed that is none": ("INSERT INTO touched_day VALUES ('infinity')", "has day infinity"),
    "a broken state": ("UPDATE rollup_state SET parameters = '[[12'", "in rollup_state the row 0 has parameters [[12"),
    "another state": ("""UPDATE rollup_state SET parameters = '{"a": 1}'""", "the row 0 has parameters"),
    "two states": ("INSERT INTO rollup_state FROM rollup_state", "may have one row only"),
}  # fmt: skip
NO_VALUE = {
    "no value": (
        "ALTER TABLE usage_event ALTER output DROP NOT NULL; UPDATE usage_event SET output = NULL WHERE rowid = 7",
        "the row 7 has output NULL, which must not be empty",
    ),
}
SINGLE = {
    "broken rules": ("INSERT INTO attribution VALUES ('{')", "has rules {, which costsim did not write"),
    "a file's role": ("UPDATE load SET role = 'boss'", "the row 0 has role boss, and a role is calls or bill (and 1 more)"),
    "a source's role": ("INSERT INTO source_role VALUES ('claude-code', 'boss')", "has role boss"),
    "a schema twice": ("INSERT INTO schema_version FROM schema_version", "in schema_version"),
    "no schema": ("DELETE FROM schema_version", "does not state its schema"),
}  # fmt: skip
CHANGES = CALLS | SUMS | NO_VALUE | SINGLE
ALL = pytest.mark.parametrize(("sql", "said"), CHANGES.values(), ids=CHANGES)
TOTALS = "SELECT count(*), sum(input), sum(output) FROM usage_event"


@pytest.fixture
def changed(store_of_sessions: Path, tmp_path: Path) -> Callable[[str], Path]:
    """A store into which somebody has put something."""

    def change(sql: str) -> Path:
        path = tmp_path / "costsim.duckdb"
        shutil.copy(store_of_sessions, path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(sql)
        return path

    return change


def test_what_cannot_be_is_found(store_of_sessions: Path, tmp_path: Path) -> None:
    """Every change by itself, taken back after it; a sound store has none."""
    path = tmp_path / "costsim.duckdb"
    shutil.copy(store_of_sessions, path)
    with duckdb.connect(str(path)) as connection:
        there = columns_of(connection)
        for look in (impossible_values, every_impossible_value):
            assert look(connection, there) == []
            for sql, said in (CALLS | SUMS | SINGLE).values():
                connection.execute("BEGIN")
                connection.execute(sql)
                assert said in str(look(connection, there)[0])
                connection.execute("ROLLBACK")


@pytest.mark.slow
@ALL
def test_what_cannot_be_is_named_before_anything_is_computed(
    changed: Callable[[str], Path], sql: str, said: str
) -> None:
    path = changed(sql)
    for read_only in (True, False):
        with pytest.raises(StoreError) as error, open_store(path, read_only=read_only):
            pass
        assert said in str(error.value)
        assert str(error.value).endswith("; run costsim store repair, then load the logs again")
    assert any(said in fault for fault in verify(path).faults())


@pytest.mark.slow
@pytest.mark.parametrize("sql", [sql for sql, _ in CHANGES.values()], ids=CHANGES)
def test_what_cannot_be_is_repaired_and_read_anew(
    changed: Callable[[str], Path], store_of_sessions: Path, sql: str
) -> None:
    path = changed(sql)
    repair(path)
    with open_priced_store(path) as store:
        store.load(SESSIONS)
        again = store.connection.execute(TOTALS).fetchall()
    assert verify(path).sound
    with open_store(store_of_sessions, read_only=True) as connection:
        assert again == connection.execute(TOTALS).fetchall()


@pytest.mark.slow
def test_sums_are_made_again_without_a_log(changed: Callable[[str], Path]) -> None:
    path = changed("UPDATE usage_daily SET output = -5")
    repair(path)
    with open_store(path, read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM load WHERE content_hash = ''").fetchone() == (0,)
    assert verify(path).sound


@pytest.mark.parametrize(
    "words", [["spend"], ["export", "--out", "focus.csv"], ["recommend"], ["profile"], ["load", "."], ["reconcile"]]
)
def test_commands_say_it_in_one_line(costsim: Run, changed: Callable[[str], Path], words: list[str]) -> None:
    changed("UPDATE usage_event SET input = 9223372036854775807 WHERE rowid = 3")
    done = costsim(*words)
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "in usage_event the row 3 has input 9223372036854775807, over 10^12" in done.err


def test_broken_tags_are_named_by_who_reads_them_and_by_verify(costsim: Run, changed: Callable[[str], Path]) -> None:
    path = changed("UPDATE usage_event SET tags = '{x' WHERE rowid = 5")
    done = costsim("spend", "--by", "tags.x")
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert "the row 5 has tags {x, which is no JSON" in done.err
    assert verify(path).faults() == ["in usage_event the row 5 has tags {x, which is no JSON"]


def test_a_table_that_is_missing_is_named(changed: Callable[[str], Path]) -> None:
    """And not taken for the database of another program, whichever it is."""
    path = changed("CHECKPOINT")
    for name in should_be().keys() - {*ON_DEMAND}:
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"ALTER TABLE {name} RENAME TO away")
        lacks = f"changed it: it lacks the table {name}; run costsim store repair"
        with pytest.raises(StoreError, match=lacks), open_store(path, read_only=True):
            pass
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"ALTER TABLE away RENAME TO {name}")


@pytest.mark.slow
def test_half_of_the_tables_missing_is_named_and_repaired(changed: Callable[[str], Path]) -> None:
    gone = ("load", "reject", "unread", "overlap", "sign", "touched_day", "schema_version", "rollup_state")
    path = changed("; ".join(f"DROP TABLE {name}" for name in gone))
    health = verify(path)
    assert [name for name in gone if not any(f"lacks the table {name}" in fault for fault in health.faults())] == []
    repair(path)
    assert verify(path).sound


def test_a_sum_that_another_hand_changed_is_found(changed: Callable[[str], Path]) -> None:
    """Any class, not only input and output."""
    for column in ("cache_read", "request", "recorded_calls"):
        path = changed(f"UPDATE usage_daily SET {column} = 1 WHERE rowid = 0")
        assert verify(path).faults() == ["1 days whose sums are not those of their calls"]


def test_what_cannot_be_is_stated_of_every_column_that_counts() -> None:
    looked_at = {(table, what.column) for table, kinds in impossible().items() for what in kinds}
    counted = {
        (table, name) for table, kinds in should_be().items() for name, kind in kinds.items() if kind == "BIGINT"
    }
    assert counted - looked_at == set()


@pytest.mark.slow
def test_a_repair_beside_a_writer_loses_nothing(
    changed: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written after the repair had read it would be in the store that is put aside only: so it stays."""
    path = changed("UPDATE usage_daily SET output = -5")
    settle = upkeep._settle

    def beside(store: DuckDBPyConnection, lost: bool) -> None:
        settle(store, lost)
        with duckdb.connect(str(path)) as writer:
            writer.execute("INSERT INTO acknowledged VALUES ('meanwhile')")

    monkeypatch.setattr(upkeep, "_settle", beside)
    with pytest.raises(
        StoreError, match="another process wrote to the store meanwhile; run costsim store repair again"
    ):
        repair(path)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    monkeypatch.setattr(upkeep, "_settle", settle)
    repair(path)
    with open_store(path, read_only=True) as store:
        assert store.execute("SELECT field FROM acknowledged").fetchall() == [("meanwhile",)]


@pytest.mark.slow
def test_of_two_repairs_at_once_one_finds_a_sound_store(changed: Callable[[str], Path]) -> None:
    path = changed("UPDATE usage_daily SET output = -5")
    with ThreadPoolExecutor(2) as both:
        kept = [repaired.result()[2] for repaired in (both.submit(repair, path), both.submit(repair, path))]
    assert sorted(one is None for one in kept) == [False, True]
    assert verify(path).sound
