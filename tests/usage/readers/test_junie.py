"""Junie's sessions: each call of an event, in its classes, at the cost that Junie states."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
AT = 1_791_194_400_000


def used(model: str, cost: float, input: int, output: int, read: int = 0, written: int = 0) -> Record:
    return {"model": model, "cost": cost, "inputTokens": input, "cacheInputTokens": read, "cacheCreateTokens": written,
            "outputTokens": output, "time": 0}  # fmt: skip


def event(*calls: Record, at: int = AT, task: str = "task-1", kind: str = "LlmResponseMetadataEvent") -> Record:
    agent = {"kind": "MainAgent", "id": "main", "name": "main"}
    stated = {"state": "IN_PROGRESS", "agentEvent": {"kind": kind, "agent": agent, "modelUsage": list(calls)}}
    return {"kind": "SessionA2uxEvent", "event": stated, "taskId": task, "timestampMs": at}


def found(folder: Path, columns: str, **sessions: list[Record]) -> list[tuple[Any, ...]]:
    for name, events in sessions.items():
        file = folder / "sessions" / name / "events.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("".join(json.dumps(one) + "\n" for one in events))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "sessions"], strict=True)
        load(store, [folder / "sessions"], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


def test_the_classes_are_disjoint_and_the_cost_is_their_list_price(tmp_path: Path) -> None:
    """2 x 10 + 266 x 50 + 18,631 x 1 + 4,826 x 12.5 = 92,276 millionths of a dollar."""
    columns = "input, output, cache_read, cache_write_5m, recorded_usd, agent, session, ts::VARCHAR"
    assert found(tmp_path, columns, s=[event(used("m", 0.092276, 2, 266, 18_631, 4_826))]) == [
        (2, 266, 18_631, 4_826, Decimal("0.092276"), "main", "s", "2026-10-05 10:00:00")
    ]


def test_an_event_can_have_several_calls(tmp_path: Path) -> None:
    calls = [used("m", 0.01, 7, 1), used("n", 9.36e-5, 186, 12), used("n", 9.36e-5, 186, 12)]
    assert found(tmp_path, "model, recorded_usd", s=[event(*calls)]) == [
        ("m", Decimal("0.01")), ("n", Decimal("0.0000936")), ("n", Decimal("0.0000936")),
    ]  # fmt: skip


def test_two_calls_of_the_same_figures_are_two_and_a_copied_session_repeats_them(tmp_path: Path) -> None:
    calls = [event(used("m", 0.01, 7, 1)), event(used("m", 0.01, 7, 1), at=AT + 1)]
    assert found(tmp_path, "input", s=calls, copy=calls) == [(7,), (7,)]


def test_a_cost_of_0_is_no_known_one_and_a_cost_alone_is_a_call(tmp_path: Path) -> None:
    calls = [
        event(used("m", 0.0, 7, 1)),
        event(used("n", 1.8e-4, 0, 0), at=AT + 1),
        event(used("", 0, 0, 0), at=AT + 2),
    ]
    assert found(tmp_path, "input, recorded_usd", s=calls) == [(0, Decimal("0.00018")), (7, None)]
