"""A store that lacks a table, a column or its schema (a copy cut short, a hand in it) is damaged: no fault of costsim."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import duckdb
import pytest
from costsim.errors import StoreError
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from costsim.usage.shape import ON_DEMAND, SCHEMA, TYPES, VERSION_TABLE, should_be, statement
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
CHANGES = {
    "tokens as text": (
        "ALTER TABLE usage_event ALTER input TYPE VARCHAR",
        "the column input of usage_event is VARCHAR, not BIGINT",
    ),
    "money as a float": (
        "ALTER TABLE usage_event ALTER recorded_usd TYPE DOUBLE",
        "the column recorded_usd of usage_event is DOUBLE, not DECIMAL(38,18)",
    ),
    "less exact money": (
        "ALTER TABLE usage_event ALTER recorded_usd TYPE DECIMAL(18, 3)",
        "the column recorded_usd of usage_event is DECIMAL(18,3), not DECIMAL(38,18)",
    ),
    "an instant as text": (
        "ALTER TABLE usage_event ALTER ts TYPE VARCHAR",
        "the column ts of usage_event is VARCHAR, not TIMESTAMP",
    ),
    "the sums": (
        "ALTER TABLE usage_daily ALTER output TYPE DOUBLE",
        "the column output of usage_daily is DOUBLE, not BIGINT",
    ),
    "sums left out": (
        "ALTER TABLE covered_daily ALTER calls TYPE INTEGER",
        "the column calls of covered_daily is INTEGER, not BIGINT",
    ),
    "a table of notes": (
        "ALTER TABLE unread ALTER total TYPE DOUBLE",
        "the column total of unread is DOUBLE, not DECIMAL(38,9)",
    ),
}
COPIED = "CREATE TABLE other AS FROM load; DROP TABLE load; ALTER TABLE other RENAME TO load"
"""What a tool does that writes tables anew: the rows are there, the keys are not."""
TOTALS = "SELECT count(*), sum(input), sum(output) FROM usage_event"


@pytest.fixture
def lossy(request: pytest.FixtureRequest, store_of_sessions: Path, tmp_path: Path) -> Path:
    path = tmp_path / "costsim.duckdb"
    shutil.copy(store_of_sessions, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(request.param)
    return path


def check_repair(lossy: Path, whole: Path) -> None:
    """After a repair and a load of the same logs, the store is sound and its totals are those of one that lost nothing."""
    repair(lossy)
    with open_store(lossy) as store:
        load(store, [path for (path,) in store.execute("SELECT path FROM load").fetchall()])
        again = store.execute(TOTALS).fetchall()
    assert verify(lossy).sound
    with open_store(whole, read_only=True) as store:
        assert again == store.execute(TOTALS).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("lossy", LOSSES.values(), ids=LOSSES, indirect=True)
def test_what_is_missing_is_named_and_repaired_and_read_anew(lossy: Path, store_of_sessions: Path) -> None:
    health = verify(lossy)
    assert not health.sound
    assert "lacks the" in health.faults()[0]
    check_repair(lossy, store_of_sessions)


@pytest.mark.slow
@pytest.mark.parametrize("lossy", ["DROP TABLE load"], indirect=True)
def test_a_repair_says_how_many_calls_count_no_more(costsim: Run, lossy: Path, store_of_sessions: Path) -> None:
    """Without the table of files no call has its file: all wait for their logs."""
    with open_store(store_of_sessions, read_only=True) as store:
        [(calls,)] = store.execute("SELECT count(*) FROM usage_event").fetchall()
    done = costsim("store", "repair", "--db", lossy)
    assert done.code == 0
    assert f"usage_event: 0 of {calls:,} rows saved" in done.out + done.err
    assert (
        f"{calls:,} calls of the damaged store count no more until their logs are loaded again" in done.out + done.err
    )


def test_the_types_that_are_compared_are_those_of_the_schema() -> None:
    with duckdb.connect() as whole:
        whole.execute(VERSION_TABLE)
        whole.execute(SCHEMA.read_text("utf-8"))
        for name in ON_DEMAND:
            whole.execute(statement(name))
        made: dict[str, dict[str, str]] = {}
        for table, name, kind in whole.execute(TYPES).fetchall():
            made.setdefault(table, {})[name] = kind
    assert should_be() == made


@pytest.mark.slow
@pytest.mark.parametrize("lossy", [sql for sql, _ in CHANGES.values()], ids=CHANGES, indirect=True)
def test_a_column_of_another_type_is_named_with_the_way_out(
    costsim: Run, lossy: Path, request: pytest.FixtureRequest
) -> None:
    """Not a fault of costsim; and nothing is computed from it, for sums of floats are no exact money."""
    said = CHANGES[request.node.callspec.id][1]
    for words in (
        ["spend"],
        ["load", "--db", str(lossy), str(lossy.parent)],
        ["report"],
        ["run", "--from-usage", "--db", str(lossy)],
    ):
        done = costsim(*words)
        assert (done.code, done.err.count("\n")) == (2, 1), done.err
        assert done.err.endswith(f"{said}; run costsim store repair, then load the logs again\n")


@pytest.mark.slow
@pytest.mark.parametrize("lossy", [CHANGES["money as a float"][0], COPIED], ids=["a type", "a key"], indirect=True)
def test_what_another_program_changed_is_repaired(lossy: Path, store_of_sessions: Path) -> None:
    assert len(verify(lossy).faults()) == 1
    check_repair(lossy, store_of_sessions)


@pytest.mark.slow
@pytest.mark.parametrize("lossy", [COPIED], indirect=True)
def test_a_table_without_its_key_is_named(lossy: Path, tmp_path: Path) -> None:
    log, mapping = tmp_path / "log.jsonl", parse_mapping("ts=ts,input=i")
    with open_store(lossy) as store:
        log.write_text('{"ts": "2026-10-01T00:00:00Z", "i": 1}\n')
        load(store, [log], mapping=mapping)  # a new file asks for no key
    log.write_text('{"ts": "2026-10-01T00:00:00Z", "i": 3}\n')
    with pytest.raises(StoreError, match="it lacks the key file_id of load"), open_store(lossy) as store:
        load(store, [log], mapping=mapping)


@pytest.mark.slow
@pytest.mark.parametrize("change", ["ALTER usd TYPE DOUBLE", "DROP escalated", "ALTER success TYPE VARCHAR"])
def test_a_changed_table_of_outcomes_is_named(costsim: Run, tmp_path: Path, change: str) -> None:
    (tmp_path / "o.csv").write_text("ts,task,model,success\n2026-10-01T08:00:00Z,t,gpt-4o,true\n")
    assert costsim("outcomes", "o.csv").code == 0
    with duckdb.connect("costsim.duckdb") as connection:
        connection.execute(f"ALTER TABLE outcome {change}")
    for words in (["outcomes"], ["outcomes", "o.csv"]):
        done = costsim(*words)
        assert (done.code, done.err.count("\n"), "of outcome" in done.err) == (2, 1, True), done.err


@pytest.mark.slow
@pytest.mark.parametrize("change", ["ALTER expected_usd TYPE DOUBLE", "DROP plan"])
def test_a_changed_table_of_projections_is_named(costsim: Run, tmp_path: Path, change: str) -> None:
    (tmp_path / "a.yaml").write_text(
        "components: [{name: a, model: gpt-4o, runs_per_day: 5, tokens: {input: 5, output: 1}}]\n"
    )
    words = ["run", "a.yaml", "--trials", "10", "--db", "x.duckdb"]
    assert costsim(*words).code == 0
    with duckdb.connect("x.duckdb") as connection:
        connection.execute(f"ALTER TABLE projection {change}")
    done = costsim(*words)
    assert (done.code, "of projection" in done.err) == (2, True), done.err


@pytest.mark.slow
@pytest.mark.parametrize("lossy", [LOSSES["a column"], LOSSES["the sums"]], indirect=True)
@pytest.mark.parametrize("words", [["spend"], ["store", "verify"], ["spend", "--by", "hour"]])
def test_a_command_that_needs_what_is_missing_says_so_in_one_line(costsim: Run, lossy: Path, words: list[str]) -> None:
    outcome = costsim(*words, "--db", lossy)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert "lacks the " in outcome.err


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
