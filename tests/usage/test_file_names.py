"""Files whose names DuckDB does not take, packed ones and pipes: the same bytes are the same calls, with all beside."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest
from costsim.analysis.spend.rollup_file import Wanted, make_rollup
from costsim.pricing.book import open_book
from costsim.usage.engines.named import engine_of
from costsim.usage.files import Format, LogFile
from costsim.usage.load import load
from costsim.usage.readers.droid import READER as DROID
from costsim.usage.source import Source
from costsim.usage.unread import Watch

DATA = Path(__file__).parents[1] / "data" / "usage"
SETTINGS = json.loads((DATA / "droid" / "session-1.settings.json").read_text())


def droid(input: int) -> str:
    return json.dumps(SETTINGS | {"tokenUsage": {"inputTokens": input, "outputTokens": 1, "thinkingTokens": 0}})


def stored(store: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return store.execute("SELECT event_id, session, ts::VARCHAR, input FROM usage_event ORDER BY ALL").fetchall()


def with_a_log(file: Path) -> None:
    """Hermes' database with a thousand tokens more in each row, which are in its write-ahead log only."""
    work = file.parent / "work.db"
    shutil.copy(DATA / "hermes" / "state.db", work)
    with closing(sqlite3.connect(work)) as live:
        live.execute("PRAGMA journal_mode = wal")
        live.execute("PRAGMA wal_autocheckpoint = 0")
        live.execute("UPDATE session_model_usage SET input_tokens = input_tokens + 1000")
        live.commit()
        for ending in ("", "-wal"):
            shutil.copy(f"{work}{ending}", f"{file}{ending}")
    work.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("name", [b"caf\xe9", rb"a\[b"])
def test_what_stands_beside_a_file_is_seen_whatever_its_folder_is_called(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, name: bytes
) -> None:
    found = []
    for folder in (tmp_path / "plain", tmp_path / os.fsdecode(name)):
        (folder / "17650").mkdir(parents=True)
        shutil.copy(DATA / "cline" / "ui_messages.json", folder / "17650")
        (folder / "s.settings.json").write_text(droid(7))
        (folder / "s.jsonl").write_text('{"timestamp": "2026-10-05T10:00:00Z", "cwd": "/work"}\n')
        with_a_log(folder / "state.db")
        load(store, [folder])
        found.append(stored(store))
        store.execute("DELETE FROM usage_event; DELETE FROM load")
    assert found[0] == found[1]
    assert ("droid:s", "s", "2026-10-05 10:00:00", 7) in found[1]
    assert {session for id, session, *_ in found[1] if str(id).startswith("cline")} == {"17650"}
    assert sum(int(str(row[3])) for row in found[1] if str(row[0]).startswith("hermes")) == 5_200 + 3_000


def test_sessions_whose_names_differ_in_a_byte_that_is_no_utf8_are_two(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for byte, input in ((b"\xe8", 3), (b"\xe9", 5)):
        (tmp_path / os.fsdecode(byte + b".settings.json")).write_text(droid(input))
    load(store, [tmp_path])
    assert [(session, input) for _, session, _, input in stored(store)] == [(r"\xe8", 3), (r"\xe9", 5)]


def test_a_packed_session_is_the_one_that_it_was(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """With the last time in its messages, which stand beside it as they were."""
    file = tmp_path / "s.settings.json"
    file.write_text(droid(7))
    (tmp_path / "s.jsonl").write_text('{"timestamp": "2026-10-05T10:00:00Z"}\n')
    load(store, [file])
    packed = tmp_path / "s.settings.json.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    load(store, [packed])
    assert stored(store) == [("droid:s", "s", "2026-10-05 10:00:00", 7)]


def test_a_session_through_a_pipe_is_known_by_when_it_began(
    store: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for input in (3, 5):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(droid(input).encode())))
        load(store, ["-"])
    assert stored(store) == [("droid:locked 2024-12-26T12:00:00Z", None, "2024-12-26 12:00:00", 5)]


def test_a_file_of_an_object_store_has_its_own_name_and_not_that_of_its_copy() -> None:
    file = LogFile("/spool/0.fetched", True, 1, 0, "s3://logs/sessions/s.settings.json.gz")
    assert Source(1, file, Format(DROID, "json", "gzip"), Watch(DROID)).place.name == "s.settings.json"


PARTITIONS = ("prompt_tokens=5", "startTime=2026-01-01", "model=gpt-4o", "spend=9", "metadata=1", "x=1")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
def test_a_folder_such_as_a_lake_has_it_says_nothing_of_the_rows_in_it(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str
) -> None:
    log = tmp_path / f"log.{kind}"
    rows = f"FROM read_csv('{DATA / 'litellm' / 'spend_logs.csv'}', all_varchar = true)"
    form = "format json" if kind == "jsonl" else f"format {kind}"
    duckdb.execute(f"COPY ({rows}) TO '{log}' ({form})")
    load(store, [log])
    calls = stored(store)
    for folder in (*(tmp_path / name for name in PARTITIONS), tmp_path.joinpath(*PARTITIONS)):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(log, folder)
        store.execute("DELETE FROM usage_event; DELETE FROM load")
        assert load(store, [folder]).calls == len(calls)
        assert stored(store) == calls


@pytest.mark.slow
def test_a_folder_says_nothing_of_the_sums_of_a_rollup_in_it(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    calls, folder = tmp_path / "calls=7" / "fault=no", tmp_path / "output=7" / "calls=9"
    for place in (calls, folder):
        place.mkdir(parents=True)
    one = "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, 10 AS input, 400 AS output"
    duckdb.execute(f"COPY ({one}) TO '{calls / 'calls.parquet'}' (format parquet)")
    made = make_rollup(engine_of("local", str(calls)), open_book(), folder / "r.parquet", Wanted())
    assert (made.calls, made.faults) == (1, ())
    load(store, [made.file])
    assert store.execute("SELECT input, output FROM usage_event").fetchall() == [(10, 400)]
