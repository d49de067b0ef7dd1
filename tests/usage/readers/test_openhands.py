"""OpenHands's conversations: each call once, in its class, at the cost and time that belong to it."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
AT = 1_791_194_400
SONNET = "anthropic/claude-sonnet-4-6"


def used(prompt: int, output: int, id: str = "", read: int = 0, written: int = 0) -> Record:
    return {"model": SONNET, "prompt_tokens": prompt, "completion_tokens": output, "cache_read_tokens": read,
            "cache_write_tokens": written, "reasoning_tokens": 1, "context_window": 200_000,
            "per_turn_token": prompt + output, "response_id": id}  # fmt: skip


def metrics(*calls: Record, costs: tuple[float, ...] = (), **more: Any) -> Record:
    stated = [{"model": SONNET, "cost": usd, "timestamp": AT + 60.0 * n} for n, usd in enumerate(costs)]
    return {"model_name": SONNET, "costs": stated, "token_usages": list(calls), **more}


def found(folder: Path, columns: str, **conversations: dict[str, Record]) -> list[tuple[Any, ...]]:
    for id, uses in conversations.items():
        file = folder / "conversations" / id / "base_state.json"
        file.parent.mkdir(parents=True)
        state = {"id": id, "workspace": {"working_dir": "/srv/app"}, "stats": {"usage_to_metrics": uses}}
        file.write_text(json.dumps(state))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "conversations"], strict=True)
        load(store, [folder / "conversations"], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


def test_a_call_has_its_classes_its_cost_and_its_time(tmp_path: Path) -> None:
    agent = metrics(used(5_100, 200, "r-1", written=4_000), used(5_100, 100, "r-2", read=5_000), costs=(0.018, 0.0075))
    columns = "input, cache_read, cache_write_5m, output, recorded_usd, ts::VARCHAR, model, task, project"
    assert found(tmp_path, columns, c={"agent": agent}) == [
        (100, 5_000, 0, 100, Decimal("0.0075"), "2026-10-05 10:01:00", SONNET, "agent", "app"),
        (1_100, 0, 4_000, 200, Decimal("0.018"), "2026-10-05 10:00:00", SONNET, "agent", "app"),
    ]


def test_cached_tokens_that_do_not_fit_into_the_prompt_stand_beside_it(tmp_path: Path) -> None:
    assert found(tmp_path, "input, cache_read", c={"acp": metrics(used(10, 5, "r", read=900))}) == [(10, 900)]


def test_a_subagents_call_that_its_parent_states_too_counts_once(tmp_path: Path) -> None:
    own, spawned = used(100, 10, "r-1"), used(7, 1, "r-2")
    uses = {"parent": {"agent": metrics(own), "task:1": metrics(spawned)}, "child": {"agent": metrics(spawned)}}
    assert found(tmp_path, "input, output", **uses) == [(7, 1), (100, 10)]


def test_where_a_call_has_no_cost_nothing_says_whose_the_others_are(tmp_path: Path) -> None:
    agent = metrics(used(100, 10, "r-1"), used(7, 1, "r-2"), costs=(0.02,))
    assert found(tmp_path, "input, recorded_usd, ts::VARCHAR", c={"agent": agent}) == [
        (7, None, "2026-10-05 10:00:00"),
        (100, None, "2026-10-05 10:00:00"),
    ]


def test_a_state_without_its_calls_has_their_sums(tmp_path: Path) -> None:
    sums = {"model_name": SONNET, "accumulated_cost": 0.5, "accumulated_token_usage": used(900, 30, read=800)}
    columns = "input, cache_read, output, request, aggregated, recorded_usd"
    assert found(tmp_path, columns, c={"agent": sums}) == [(100, 800, 30, 0, True, Decimal("0.5"))]
