"""Command Code's sessions: each answer once, in disjoint classes, whatever branches and forks repeat."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
HEAD: Record = {"type": "session", "version": 3, "id": "s", "timestamp": "2026-10-05T10:00:00.000Z", "cwd": "/srv/app"}


def entry(kind: str, id: str, parent: str | None = None, second: int = 1, **more: Any) -> Record:
    return {"type": kind, "id": id, "parentId": parent, "timestamp": f"2026-10-05T10:00:{second:02}.250Z", **more}


def answer(id: str, input: int, output: int, parent: str | None = None, model: str | None = "m", **used: Any) -> Record:
    usage = {"inputTokens": input, "outputTokens": output, "cacheReadTokens": 0, "cacheWriteTokens": 0, **used}
    said = entry("message", id, parent, message={"role": "assistant", "content": []}, usage=usage)
    return {**said, "model": model} if model else said


def found(folder: Path, columns: str, **sessions: list[Record]) -> list[tuple[Any, ...]]:
    for name, entries in sessions.items():
        file = folder / "projects" / "srv-app" / f"{name}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(json.dumps(one) + "\n" for one in entries))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "projects"], strict=True)
        load(store, [folder / "projects"], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


def test_what_was_cached_is_within_the_input_and_an_hours_writes_within_the_writes(tmp_path: Path) -> None:
    """1,000 - 600 read - 300 written = 100; of the 300, 200 for an hour."""
    used: Record = {"cacheReadTokens": 600, "cacheWriteTokens": 300, "cacheWriteTokens1h": 200, "costUsd": 0.0125}
    columns = "input, cache_read, cache_write_5m, cache_write_1h, output, recorded_usd, session, project, ts::VARCHAR"
    assert found(tmp_path, columns, one=[HEAD, answer("a", 1_000, 40, **used)]) == [
        (100, 600, 100, 200, 40, Decimal("0.0125"), "s", "app", "2026-10-05 10:00:01.25")
    ]


def test_a_branch_that_a_rewind_left_was_billed(tmp_path: Path) -> None:
    tree = [entry("message", "q", message={"role": "user"}), answer("a", 7, 1, "q"), answer("b", 8, 1, "q")]
    assert found(tmp_path, "input", one=[HEAD, *tree]) == [(7,), (8,)]


def test_a_fork_repeats_its_sessions_answers(tmp_path: Path) -> None:
    """A session branched off has the copies under other parents, and a file of another head."""
    fork = [{**HEAD, "id": "t", "parentSession": "s"}, answer("a", 7, 1, "z"), answer("b", 8, 1, "a")]
    assert found(tmp_path, "input", one=[HEAD, answer("a", 7, 1, "q")], two=fork) == [(7,), (8,)]


def test_an_answer_without_a_model_has_the_one_that_was_chosen(tmp_path: Path) -> None:
    told = [HEAD, entry("model_change", "c", model="n"), answer("a", 7, 1, model=None), answer("b", 8, 1)]
    assert found(tmp_path, "input, model", one=told) == [(7, "n"), (8, "m")]


def test_a_compaction_states_the_size_of_the_context_and_no_call(tmp_path: Path) -> None:
    compaction = entry("compaction", "c", summary="", firstKeptEntryId="a", tokensBefore=9_000)
    assert found(tmp_path, "input", one=[HEAD, answer("a", 7, 1), compaction]) == [(7,)]


def test_a_session_is_known_before_its_first_answer_and_is_no_session_of_pi(tmp_path: Path) -> None:
    question = entry("message", "q", message={"role": "user", "content": [], "meta": {"messageId": "u"}})
    file = tmp_path / "s.jsonl"
    file.write_text(json.dumps(HEAD) + "\n" + json.dumps(question) + "\n")
    with open_store(tmp_path / "costsim.duckdb") as store:
        [read] = load(store, [file]).files
        assert (read.reader, read.entries) == ("command-code", 0)
        file.write_text(file.read_text() + json.dumps(answer("a", 7, 1, "q")) + "\n")
        [read] = load(store, [file]).files
        assert (read.entries, store.execute("SELECT session FROM usage_event").fetchall()) == (1, [("s",)])


def test_a_session_before_format_3_has_no_usage(tmp_path: Path) -> None:
    file = tmp_path / "s.jsonl"
    old: Record = {"id": "a", "timestamp": "2026-02-05T10:00:00Z", "sessionId": "s", "parentId": None, "role": "assistant",
           "content": [], "gitBranch": "-", "metadata": {"version": 2}}  # fmt: skip
    file.write_text(json.dumps(old) + "\n")
    with open_store(tmp_path / "costsim.duckdb") as store:
        [read] = load(store, [file]).files
        assert (read.reader, read.entries, read.no_call) == (
            "command-code", 0, "a session whose answers state no usage (before format 3 none did)",
        )  # fmt: skip
