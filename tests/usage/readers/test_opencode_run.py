"""Runs of `opencode run --format json`: a call a step, and not beside the session's own log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from counted_by import counted_sources
from emptied import open_store

Record = dict[str, Any]
MS = 1_791_194_400_000


def event(kind: str, id: str, **part: Any) -> Record:
    whole = {"id": id, "messageID": "m", "sessionID": "ses_1", "type": kind.replace("_", "-"), **part}
    return {"type": kind, "timestamp": MS, "sessionID": "ses_1", "part": whole}


def step(id: str, cost: float = 0.5, **tokens: Any) -> Record:
    return event("step_finish", id, cost=cost, tokens={"input": 10, "output": 5, "reasoning": 0, **tokens})


def write(file: Path, *records: Record) -> Path:
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def test_other_parts_are_no_calls_whatever_a_tool_states(tmp_path: Path) -> None:
    tool = event("tool_use", "t", state={"metadata": {"tokens": {"input": 7_000}}, "time": {"start": MS}})
    file = write(
        tmp_path / "run.jsonl", event("step_start", "s"), tool, step("a", cache={"read": 3}), event("text", "w")
    )
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        load(store, [file], strict=True)
        rows = store.execute("SELECT input, cache_read, output, recorded_usd, model FROM usage_event").fetchall()
    assert rows == [(10, 3, 5, 0.5, None)]


def test_a_run_without_a_finished_step_has_no_call(tmp_path: Path) -> None:
    file = write(tmp_path / "run.jsonl", event("step_start", "s"))
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [file])
    assert (report.files[0].reader, report.total("entries")) == ("opencode-run", 0)


@pytest.mark.parametrize("first", [0, 1])
def test_a_run_whose_session_has_a_log_counts_by_the_log(tmp_path: Path, first: int) -> None:
    message = {"id": "msg_1", "sessionID": "ses_1", "role": "assistant", "modelID": "claude-sonnet-4-6",
               "providerID": "anthropic", "tokens": {"input": 10, "output": 5, "reasoning": 0},
               "time": {"created": MS}}  # fmt: skip
    files = [write(tmp_path / "msg_1.json", message), write(tmp_path / "run.jsonl", step("a"))]
    assert counted_sources([files[first], files[1 - first]]) == [("opencode",)]
