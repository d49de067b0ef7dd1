"""Codex rollouts: which service tier a call had, which calls a spawned session copied, and what repeats a record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.usage.load import load
from costsim.usage.store import open_store

Record = dict[str, Any]
FIRST, BOTH = (100_000, 0, 1_000), (200_000, 0, 2_000)


def record(kind: str, payload: Record, minute: int = 0, ordinal: int | None = None) -> Record:
    line = {"timestamp": f"2026-10-05T10:{minute:02}:00Z", "type": kind, "payload": payload}
    return line if ordinal is None else line | {"ordinal": ordinal}


def meta(id: str, **more: Any) -> Record:
    return record("session_meta", {"id": id, "model_provider": "openai", **more}, ordinal=0)


def turn(**more: Any) -> Record:
    return record("turn_context", {"model": "gpt-5.5", **more})


def settings(**settings: Any) -> Record:
    return record("event_msg", {"type": "thread_settings_applied", "thread_settings": settings})


def tokens(counts: tuple[int, int, int]) -> Record:
    return dict(zip(("input_tokens", "cached_input_tokens", "output_tokens"), counts, strict=True))


def count(total: tuple[int, int, int], minute: int = 1, ordinal: int | None = None, **more: Any) -> Record:
    info = {"total_token_usage": tokens(total), "last_token_usage": tokens(FIRST), **more.pop("info", {})}
    return record("event_msg", {"type": "token_count", "info": info, **more}, minute, ordinal)


USED = {"response_id": "resp_1", "usage": tokens(FIRST)}
SPAWNED = {"parent_thread_id": "P", "subagent_history_start_ordinal": 4}
ROLLOUTS: dict[str, list[Record]] = {
    "of-the-count": [turn(), count(FIRST, service_tier="priority")],
    "of-its-info": [turn(), count(FIRST, info={"service_tier": "priority"})],
    "of-the-record": [turn(), record("token_usage_record", {**USED, "service_tier": "flex"})],
    "of-the-turn": [settings(service_tier="priority"), turn(service_tier="flex"), count(FIRST)],
    "of-the-settings": [settings(service_tier="priority"), turn(), count(FIRST)],
    "set-back": [settings(service_tier="priority"), turn(), count(FIRST), settings(), turn(), count(BOTH, 2)],
    "model-of-the-settings": [settings(model="gpt-5.6-sol"), count(FIRST)],
    "repeated": [turn(), count(FIRST), record("token_usage_record", USED), record("compacted", {
        "message": "short", "latest_token_usage_record": USED})],
}  # fmt: skip
COPIED = [count(FIRST, ordinal=2), count(BOTH, 2, ordinal=3)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("rollouts")
    files = {name: [meta(name), *records] for name, records in ROLLOUTS.items()}
    files["P"] = [meta("P"), turn(), *COPIED]
    files["C1"] = [meta("C1", **SPAWNED), turn(), *COPIED, count(FIRST, 5, ordinal=5)]
    files["C2"] = [meta("C2", **SPAWNED), turn(), *COPIED, count(FIRST, 6, ordinal=5)]
    for name, records in files.items():
        (folder / f"rollout-{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    with open_store(Path(":memory:")) as connection:
        report = load(connection, [folder], strict=True)
        assert not report.unread
        yield connection


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ("of-the-count", ["priority"]),
        ("of-its-info", ["priority"]),
        ("of-the-record", ["flex"]),
        ("of-the-turn", ["flex"]),
        ("of-the-settings", ["priority"]),
        ("set-back", ["priority", "standard"]),
        ("model-of-the-settings", ["standard"]),
    ],
)
def test_the_nearest_service_tier_counts(store: duckdb.DuckDBPyConnection, session: str, expected: list[str]) -> None:
    found = store.execute("SELECT processing FROM usage_event WHERE session = ? ORDER BY ts", [session]).fetchall()
    assert [processing for (processing,) in found] == expected


def test_the_model_is_that_of_the_settings_where_no_turn_has_one(store: duckdb.DuckDBPyConnection) -> None:
    rows = store.execute("SELECT model FROM usage_event WHERE session = 'model-of-the-settings'").fetchall()
    assert rows == [("gpt-5.6-sol",)]


def test_a_record_that_a_compaction_repeats_counts_once(store: duckdb.DuckDBPyConnection) -> None:
    rows = store.execute("SELECT input, output FROM usage_event WHERE session = 'repeated'").fetchall()
    assert rows == [(100_000, 1_000)]


def test_spawned_sessions_with_equal_totals_keep_their_own_calls(store: duckdb.DuckDBPyConnection) -> None:
    # the parent's two calls, which both copied, and one of each: 4 of 100,000
    rows = store.execute("""
        SELECT count(*), sum(input)::BIGINT FROM usage_event WHERE session IN ('P', 'C1', 'C2')""").fetchall()
    assert rows == [(4, 400_000)]
