"""ATIF's trajectories: each step that was made in them, in disjoint classes, or their sums."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
AT = "2026-10-05T10:00:{:02}Z"


def step(id: int, prompt: int | None = None, output: int = 1, read: int | None = None, **more: Any) -> Record:
    extra = more.pop("extra", None)
    metrics = {"prompt_tokens": prompt, "completion_tokens": output, "cached_tokens": read, "extra": extra}
    stated = {} if prompt is None else {"metrics": {key: value for key, value in metrics.items() if value is not None}}
    return {"step_id": id, "timestamp": AT.format(id), "source": "agent", "message": "", **stated, **more}


def run(*steps: Record, agent: str = "a", **more: Any) -> Record:
    of = {"name": agent, "version": "1", "model_name": "m"}
    return {"schema_version": "ATIF-v1.7", "session_id": "s", "agent": of, "steps": list(steps), **more}


def found(folder: Path, columns: str, *runs: Record) -> list[tuple[Any, ...]]:
    for number, one in enumerate(runs):
        file = folder / "jobs" / str(number) / "trajectory.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(one))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "jobs"], strict=True)
        load(store, [folder / "jobs"], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


@pytest.mark.parametrize(
    ("agent", "extra", "expected"),
    [
        # 1,000 - 600 read = 400
        ("a", {}, (400, 600, 0, 0, 10)),
        # 1,000 - 600 - 300 written = 100, of the 300 for an hour 200
        ("claude-code", {"cache_creation_input_tokens": 300, "cache_read_input_tokens": 600,
                         "cache_creation": {"ephemeral_1h_input_tokens": 200}}, (100, 600, 100, 200, 10)),
        ("codex", {"cache_write_input_tokens": 300, "reasoning_output_tokens": 4}, (100, 600, 300, 0, 10)),
        # OpenCode's writes and reasoning stand beside the prompt and the output
        ("opencode", {"cache_write_tokens": 300, "reasoning_tokens": 4}, (400, 600, 300, 0, 14)),
    ],
)  # fmt: skip
def test_classes_come_apart_as_each_agent_states_them(
    tmp_path: Path, agent: str, extra: Record, expected: tuple[int, ...]
) -> None:
    columns = "input, cache_read, cache_write_5m, cache_write_1h, output"
    assert found(tmp_path, columns, run(step(1, 1_000, 10, 600, extra=extra), agent=agent)) == [expected]


def test_a_step_has_its_own_model_or_the_runs_and_what_it_cost(tmp_path: Path) -> None:
    steps = [step(1, 7), step(2, 8, model_name="n")]
    steps[1]["metrics"]["cost_usd"] = 0.02
    columns = "input, model, recorded_usd, session, agent, ts::VARCHAR"
    assert found(tmp_path, columns, run(*steps)) == [
        (7, "m", None, "s", "a", "2026-10-05 10:00:01"),
        (8, "n", Decimal("0.02"), "s", "a", "2026-10-05 10:00:02"),
    ]


def test_steps_copied_for_context_count_where_they_were_made(tmp_path: Path) -> None:
    goes_on = run(step(1, 7, is_copied_context=True), step(2, 8), trajectory_id="2")
    assert found(tmp_path, "input", run(step(1, 7)), goes_on) == [(7,), (8,)]


def test_a_step_of_several_calls_is_a_sum_and_one_of_none_no_call(tmp_path: Path) -> None:
    steps = [step(1, 7, llm_call_count=3), step(2, 8, llm_call_count=1), step(3, llm_call_count=0)]
    assert found(tmp_path, "input, request, aggregated", run(*steps)) == [(7, 3, True), (8, 1, False)]


def test_the_sums_count_only_where_no_step_states_metrics(tmp_path: Path) -> None:
    """The subagent's trajectory has its sums alone: 700 - 100 cached."""
    sums = {"total_prompt_tokens": 700, "total_completion_tokens": 5, "total_cached_tokens": 100, "total_steps": 1}
    within = {**run(step(1), agent="b", final_metrics=sums), "trajectory_id": "t"}
    within.pop("session_id")
    outer = run(step(1, 7), final_metrics={"total_prompt_tokens": 7}, subagent_trajectories=[within])
    assert found(tmp_path, "input, cache_read, agent, session, aggregated, request", outer) == [
        (7, 0, "a", "s", False, 1), (600, 100, "b", "s", True, 0),
    ]  # fmt: skip


def test_sums_that_grew_are_the_same_run_and_its_steps_take_their_place(tmp_path: Path) -> None:
    for total in (5, 9):
        summed = run(step(1), final_metrics={"total_prompt_tokens": total, "total_completion_tokens": 1})
        assert found(tmp_path, "input", summed) == [(total,)]
    assert found(tmp_path, "input", run(step(1, 9, 1))) == [(9,)]


def test_runs_without_a_name_are_told_apart_by_their_files(tmp_path: Path) -> None:
    nameless = {**run(step(1, 7)), "session_id": None}
    assert found(tmp_path, "input", nameless, nameless) == [(7,), (7,)]


def test_what_devins_older_transcripts_state_is_named_as_unread(tmp_path: Path) -> None:
    old = {"step_id": 1, "source": "agent", "message": "", "metadata": {"metrics": {"input_tokens": 900}}}
    file = tmp_path / "s.json"
    file.write_text(json.dumps({**run(old), "final_metrics": {"total_steps": 1}}))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file])
        assert store.execute("SELECT field FROM unread").fetchall() == [("metadata.metrics.input_tokens",)]
