"""A store that lacks a table, a column or its schema (a copy cut short, a hand in it) is damaged: no fault of costsim."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest
from costsim.errors import StoreError
from costsim.usage.load import load
from costsim.usage.store import check_database, open_store
from costsim.usage.upkeep import repair, verify

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

LOSSES = {
    "a table of notes": "DROP TABLE unread",
    "the sums": "DROP TABLE usage_daily",
    "a column": "ALTER TABLE usage_event DROP COLUMN output",
    "a column's name": "ALTER TABLE reject RENAME COLUMN raw TO other",
    "the sequence": "DROP SEQUENCE file_number",
}
TOTALS = "SELECT count(*), sum(input), sum(output) FROM usage_event"


@pytest.fixture
def lossy(request: pytest.FixtureRequest, store_of_sessions: Path, tmp_path: Path) -> Path:
    path = tmp_path / "costsim.duckdb"
    shutil.copy(store_of_sessions, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(request.param)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("lossy", LOSSES.values(), ids=LOSSES, indirect=True)
def test_what_is_missing_is_named_and_repaired_and_read_anew(lossy: Path, store_of_sessions: Path) -> None:
    health = verify(lossy)
    assert not health.sound
    assert "lacks the" in health.faults()[0]
    repair(lossy)
    with open_store(lossy) as store:
        load(store, [path for (path,) in store.execute("SELECT path FROM load").fetchall()])
        again = store.execute(TOTALS).fetchall()
    assert verify(lossy).sound
    with open_store(store_of_sessions, read_only=True) as store:
        assert again == store.execute(TOTALS).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("lossy", [LOSSES["a column"], LOSSES["the sums"]], indirect=True)
@pytest.mark.parametrize("words", [["spend"], ["store", "verify"], ["spend", "--by", "hour"]])
def test_a_command_that_needs_what_is_missing_says_so_in_one_line(costsim: Run, lossy: Path, words: list[str]) -> None:
    outcome = costsim(*words, "--db", lossy)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "lacks the column" in outcome.err


def test_a_store_without_its_schema_is_not_made_again(store_of_sessions: Path, tmp_path: Path) -> None:
    path = tmp_path / "costsim.duckdb"
    shutil.copy(store_of_sessions, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("DELETE FROM schema_version")
    for read_only in (True, False):
        with pytest.raises(StoreError, match="does not state its schema"), open_store(path, read_only=read_only):
            pass


@pytest.mark.parametrize("command", ["verify", "repair"])
@pytest.mark.parametrize("kept", [12_288, 20_000])
def test_what_cannot_be_opened_is_not_sent_back_to_repair(
    costsim: Run, store_of_sessions: Path, tmp_path: Path, command: str, kept: int
) -> None:
    path = tmp_path / "costsim.duckdb"
    path.write_bytes(store_of_sessions.read_bytes()[:kept])
    outcome = costsim("store", command, "--db", path)
    assert outcome.code == 2
    assert "move it away, and load the logs again" in outcome.err
    assert "store repair" not in outcome.err


def test_where_a_projection_cannot_be_kept_is_said_before_it_is_made(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("this is no database, but a text of a few words\n" * 500)
    for name in ("text", ".", "no/folder/x.duckdb"):
        outcome = costsim("run", "--days", "1000", "--trials", "12000", "--db", name)  # minutes, were it simulated
        assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    check_database(tmp_path / "new.duckdb")
    assert not (tmp_path / "new.duckdb").exists()
