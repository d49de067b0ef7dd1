"""Mistral Vibe's sessions: sums that run on after a compaction count once, and a model goes by its name, not its alias."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
A, B, C = (f"{letter * 8}-0000-4000-8000-0000000000ff" for letter in "abc")


def session(
    id: str, prompt: int, output: int, began: str, ended: str, parent: str | None = None, **more: Any
) -> Record:
    """A session of one day, from and to an hour of it; a step is a call of 100 tokens out."""
    stats = {"session_prompt_tokens": prompt, "session_completion_tokens": output, "steps": output // 100}
    return {"session_id": id, "parent_session_id": parent, "start_time": f"2026-10-05T{began}:00+00:00",
            "end_time": f"2026-10-05T{ended}:00+00:00", "stats": {**stats, **more},
            "config": {"active_model": "medium", "models": [
                {"name": "mistral-medium-3-5", "alias": "medium", "provider": "mistral"}]}}  # fmt: skip


def found(folder: Path, *sessions: Record, columns: str = "session, input, output") -> list[tuple[Any, ...]]:
    logs = folder / "logs"
    for one in sessions:
        file = logs / f"session_20261005_100000_{one['session_id'][:8]}" / "meta.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(one, indent=2))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [logs], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY session").fetchall()


def test_a_chain_of_compactions_counts_each_token_once(tmp_path: Path) -> None:
    chain = (session(A, 1_000, 100, "10:00", "11:00"), session(B, 1_700, 300, "11:00", "12:00", A),
             session(C, 2_000, 400, "12:00", "13:00", B))  # fmt: skip
    assert found(tmp_path, *chain) == [(A, 1_000, 100), (B, 700, 200), (C, 300, 100)]


def test_a_session_whose_parent_is_gone_has_all_of_its_sums(tmp_path: Path) -> None:
    assert found(tmp_path, session(B, 1_700, 300, "11:00", "12:00", A)) == [(B, 1_700, 300)]


def test_what_a_parent_used_after_it_was_resumed_is_not_in_its_childs_sums(tmp_path: Path) -> None:
    resumed, child = session(A, 400, 100, "10:00", "15:00"), session(B, 1_700, 300, "11:00", "12:00", A)
    assert found(tmp_path, resumed, child) == [(A, 400, 100), (B, 1_700, 300)]


def test_a_fork_that_counts_from_nothing_has_all_of_its_sums(tmp_path: Path) -> None:
    parent, fork = session(A, 1_000, 100, "10:00", "11:00"), session(B, 1_200, 0, "11:00", "12:00", A)
    assert found(tmp_path, parent, fork) == [(A, 1_000, 100), (B, 1_200, 0)]


def test_the_cost_of_what_was_before_is_taken_off_too(tmp_path: Path) -> None:
    chain = (session(A, 1_000, 100, "10:00", "11:00", session_cost=0.25),
             session(B, 1_700, 300, "11:00", "12:00", A, session_cost=0.75))  # fmt: skip
    assert found(tmp_path, *chain, columns="recorded_usd") == [(0.25,), (0.5,)]


def test_a_model_goes_by_its_name_and_a_price_of_0_is_none(tmp_path: Path) -> None:
    columns = "model, provider, recorded_usd, ts::VARCHAR"
    assert found(tmp_path, session(A, 10, 100, "10:00", "11:00", session_cost=0.0), columns=columns) == [
        ("mistral-medium-3-5", "mistral", None, "2026-10-05 11:00:00")
    ]


def test_vibe_1_kept_a_session_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "session_20260101_100000_aaaaaaaa.json"
    file.write_text(json.dumps({"metadata": session(A, 10, 100, "10:00", "11:00"), "messages": []}))
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [file], strict=True)
    assert (report.files[0].reader, report.total("entries")) == ("vibe", 1)


def test_its_messages_are_refused_with_where_the_usage_is(tmp_path: Path) -> None:
    file = tmp_path / "messages.jsonl"
    file.write_text(json.dumps({"role": "user", "content": "", "message_id": "m"}) + "\n")
    with (
        open_store(tmp_path / "costsim.duckdb") as store,
        pytest.raises(UsageLogError, match="its usage is in meta"),
    ):
        load(store, [file])
