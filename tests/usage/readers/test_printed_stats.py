"""What Gemini CLI and Qwen Code print at a run's end: sums by model, once, and not beside the session's own log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from counted_by import counted_sources
from emptied import open_store

Record = dict[str, Any]
PRO, PLUS = "gemini-2.5-pro", "qwen3-coder-plus"
AT = "2026-10-05T10:00:00Z"
COUNTS = "model, request, input, cache_read, output"


def tokens(prompt: int, candidates: int, total: int, **more: int) -> Record:
    return {"prompt": prompt, "candidates": candidates, "total": total, "cached": 0, "thoughts": 0, "tool": 0, **more}


def stats(**models: Record) -> Record:
    return {"models": {name: {"api": {"totalRequests": 2, "totalErrors": 0, "totalLatencyMs": 70}, "tokens": counts}
                       for name, counts in models.items()}, "tools": {}, "files": {}}  # fmt: skip


def gemini(session: str, **models: Record) -> Record:
    return {"session_id": session, "response": "", "stats": stats(**models)}


def qwen(session: str, *results: Record) -> list[Record]:
    """A run: its first message, one of the model, and its results."""
    first = {"type": "system", "subtype": "init", "session_id": session, "model": "m", "qwen_code_version": "0.24.7"}
    usage = {"input_tokens": 100, "output_tokens": 10, "cache_read_input_tokens": 60}
    message = {"type": "assistant", "session_id": session, "parent_tool_use_id": None, "uuid": "u",
               "message": {"id": "u", "model": PLUS, "usage": usage}}  # fmt: skip
    return [first, message, *({"type": "result", "session_id": session, **result} for result in results)]


def usage(input: int, cached: int, output: int) -> Record:
    return {"usage": {"input_tokens": input, "cache_read_input_tokens": cached, "output_tokens": output}}


def found(folder: Path, **files: Record | list[Record]) -> list[tuple[Any, ...]]:
    """The calls of files, each loaded twice: a document, or lines."""
    for name, records in files.items():
        text = json.dumps(records, indent=1) if isinstance(records, dict) else "\n".join(map(json.dumps, records))
        (folder / f"{name}.json").write_text(text + "\n")
    with open_store(folder / "costsim.duckdb") as store:
        for name in (*files, *files):
            load(store, [folder / f"{name}.json"])
        assert store.execute("SELECT count(*) FROM reject").fetchone() == (0,)
        return store.execute(f"SELECT {COUNTS} FROM usage_event ORDER BY input, output").fetchall()


def test_tokens_of_tool_results_are_input_beside_the_prompt(tmp_path: Path) -> None:
    counts = tokens(100, 10, 100 + 10 + 5 + 7, thoughts=5, tool=7, cached=40)
    assert found(tmp_path, run=gemini("a", **{PRO: counts})) == [(PRO, 2, 100 - 40 + 7, 40, 10 + 5)]


def test_tokens_of_tool_results_that_the_total_leaves_out_are_within_the_prompt(tmp_path: Path) -> None:
    counts = tokens(100, 10, 100 + 10 + 5, thoughts=5, tool=7)
    assert found(tmp_path, run=gemini("a", **{PRO: counts})) == [(PRO, 2, 100, 0, 15)]


def test_runs_of_a_resumed_session_of_gemini_are_runs_of_their_own(tmp_path: Path) -> None:
    first, second = gemini("a", **{PRO: tokens(100, 10, 110)}), gemini("a", **{PRO: tokens(300, 20, 320)})
    assert [row[2] for row in found(tmp_path, one=first, two=second, copy=second)] == [100, 300]


def test_a_run_of_an_older_version_has_no_session(tmp_path: Path) -> None:
    run = gemini("", **{PRO: tokens(100, 10, 110)})
    del run["session_id"]
    assert found(tmp_path, run=run, copy=run) == [(PRO, 2, 100, 0, 10)]


def test_a_run_that_asked_nobody_has_no_call(tmp_path: Path) -> None:
    assert found(tmp_path, run=gemini("a")) == []


def test_a_stream_without_models_is_the_one_that_was_asked(tmp_path: Path) -> None:
    summed = {"total_tokens": 130, "input_tokens": 100, "output_tokens": 10, "cached": 40, "duration_ms": 9}
    stream: list[Record] = [{"type": "init", "timestamp": AT, "session_id": "a", "model": PRO},
              {"type": "result", "timestamp": AT, "status": "error", "stats": summed}]  # fmt: skip
    assert found(tmp_path, run=stream) == [(PRO, 0, 60, 40, 10 + 20)]


def test_a_resumed_sessions_sums_of_qwen_go_on(tmp_path: Path) -> None:
    runs = {"one": qwen("a", usage(100, 60, 10)), "two": qwen("a", usage(300, 160, 30), usage(500, 260, 40))}
    assert found(tmp_path, **runs) == [(PLUS, 0, 500 - 260, 260, 40)]


def test_results_of_qwen_that_fall_began_anew(tmp_path: Path) -> None:
    run = qwen("a", usage(300, 0, 30), usage(100, 0, 10))
    assert found(tmp_path, run=run) == [(PLUS, 0, 100, 0, 10), (PLUS, 0, 300, 0, 30)]


def test_qwens_list_of_messages_has_sums_by_model(tmp_path: Path) -> None:
    both = stats(
        **{PLUS: tokens(100, 10, 110, cached=60, thoughts=4), "qwen3-coder-flash": tokens(20, 3, 30, thoughts=7)}
    )
    file = tmp_path / "run.json"
    file.write_text(json.dumps(qwen("a", {**usage(120, 60, 13), "stats": both})))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        rows = store.execute(f"SELECT {COUNTS} FROM usage_event ORDER BY input").fetchall()
    # thoughts are within 10, since 110 = 100 + 10, and beside 3, since 30 = 20 + 3 + 7
    assert rows == [("qwen3-coder-flash", 2, 20, 0, 10), (PLUS, 2, 40, 60, 10)]


GEMINI_LOG: Record = {"id": "m", "timestamp": AT, "type": "gemini", "model": PRO, "sessionId": "a", "projectHash": "h",
                      "startTime": AT, "tokens": {"input": 90, "output": 9, "cached": 0, "total": 99}}  # fmt: skip
QWEN_LOG: Record = {"uuid": "m", "timestamp": AT, "type": "assistant", "model": PLUS, "sessionId": "a",
                    "usageMetadata": {"promptTokenCount": 90, "candidatesTokenCount": 9}}  # fmt: skip


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize(
    ("source", "entry", "run"),
    [
        ("gemini-cli", GEMINI_LOG, [gemini("a", **{PRO: tokens(90, 9, 99)})]),
        ("qwen-code", QWEN_LOG, qwen("a", usage(90, 0, 9))),
    ],
    ids=["gemini", "qwen"],
)
def test_a_run_whose_session_has_a_log_counts_by_the_log(
    tmp_path: Path, first: int, source: str, entry: Record, run: list[Record]
) -> None:
    files = [tmp_path / "log.jsonl", tmp_path / "run.jsonl"]
    for file, records in zip(files, ([entry], run), strict=True):
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert counted_sources([files[first], files[1 - first]]) == [(source,)]
