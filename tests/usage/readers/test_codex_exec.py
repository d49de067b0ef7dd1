"""Runs of `codex exec --json`: a thread's running total counts once, and not beside the thread's own log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from counted_by import counted_sources
from emptied import open_store

Record = dict[str, Any]
COUNTS = "input, cache_read, cache_write_5m, output"


def run(thread: str, *totals: tuple[int, int, int]) -> list[Record]:
    """A run of a thread: its total of input, of which cached, and output, after each turn."""
    turns = [
        {"type": "turn.completed", "usage": {"input_tokens": i, "cached_input_tokens": c, "output_tokens": o}}
        for i, c, o in totals
    ]
    return [{"type": "thread.started", "thread_id": thread}, {"type": "turn.started"}, *turns]


def found(folder: Path, *runs: list[Record]) -> list[tuple[Any, ...]]:
    for number, records in enumerate(runs):
        (folder / f"{number}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    with open_store(folder / "costsim.duckdb") as store:
        for number in range(len(runs)):
            load(store, [folder / f"{number}.jsonl"], strict=True)
        return store.execute(f"SELECT {COUNTS} FROM usage_event ORDER BY ALL").fetchall()


def test_a_resumed_threads_total_includes_what_it_was_before(tmp_path: Path) -> None:
    first, second = run("t", (18_080, 0, 20)), run("t", (36_197, 17_000, 40), (54_341, 34_000, 45))
    assert found(tmp_path, first, second) == [(54_341 - 34_000, 34_000, 0, 45)]


def test_the_order_of_a_threads_files_does_not_matter(tmp_path: Path) -> None:
    assert found(tmp_path, run("t", (300, 90, 40)), run("t", (100, 0, 20))) == [(210, 90, 0, 40)]


def test_a_total_that_falls_within_a_file_is_a_new_count(tmp_path: Path) -> None:
    assert found(tmp_path, run("t", (300, 0, 40), (100, 0, 20), (150, 0, 30))) == [(150, 0, 0, 30), (300, 0, 0, 40)]


def test_cached_tokens_that_do_not_fit_into_the_input_stand_beside_it(tmp_path: Path) -> None:
    assert found(tmp_path, run("t", (100, 400, 40))) == [(100, 400, 0, 40)]


def test_a_run_whose_turn_failed_states_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, [*run("t"), {"type": "turn.failed", "error": {"message": "x"}}]) == []


@pytest.mark.parametrize("first", [0, 1])
def test_a_run_whose_thread_has_a_log_counts_by_the_log(tmp_path: Path, first: int) -> None:
    usage = {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 10, "total_tokens": 110}
    entries = [("session_meta", {"id": "t"}), ("turn_context", {"model": "gpt-5.5"}),
               ("event_msg", {"type": "token_count", "info": {"total_token_usage": usage}})]  # fmt: skip
    log = [{"timestamp": "2026-10-05T10:00:00Z", "type": kind, "payload": payload} for kind, payload in entries]
    files = [tmp_path / "rollout.jsonl", tmp_path / "run.jsonl"]
    for file, records in zip(files, (log, run("t", (100, 40, 10))), strict=True):
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert counted_sources([files[first], files[1 - first]]) == [("codex",)]
