"""Mux's chats: turns, calls of their tools, and calls that no message has, each once and in its class."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
MS = 1_791_194_400_000
SONNET = "anthropic:claude-sonnet-4-6"


def usage(input: Any, output: Any, **more: Any) -> Record:
    return {"inputTokens": input, "outputTokens": output, **more}


def answer(used: Record | None, id: str = "assistant-1", model: str = SONNET, **metadata: Any) -> Record:
    stated = {"historySequence": 1, "timestamp": MS, "model": model, **metadata}
    return {"id": id, "role": "assistant", "parts": [], "metadata": {**stated, **({"usage": used} if used else {})}}


def found(folder: Path, columns: str, *records: Record, name: str = "chat.jsonl") -> list[tuple[Any, ...]]:
    file = folder / name
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        load(store, [file], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


@pytest.mark.parametrize(
    ("used", "written", "classes"),
    [
        (usage(100, 20, cachedInputTokens=60, totalTokens=120), 30, (10, 60, 30, 20)),
        (usage(10, 20, cachedInputTokens=60, totalTokens=30), 30, (10, 60, 30, 20)),  # older: they do not fit into it
        (usage(90, 20, cachedInputTokens=60, totalTokens=170), 0, (90, 60, 0, 20)),  # 170 = 90 + 20 + 60
        (usage(100, 20, reasoningTokens=5), 0, (100, 0, 0, 20)),
        (usage(100, 5, reasoningTokens=20), 0, (100, 0, 0, 25)),  # of some gateways: reasoning stands beside
    ],
)
def test_cached_tokens_are_within_the_input_where_they_fit(
    tmp_path: Path, used: Record, written: int, classes: tuple[int, ...]
) -> None:
    metadata: Record = {"providerMetadata": {"anthropic": {"cacheCreationInputTokens": written}}}
    columns = "input, cache_read, cache_write_5m, output"
    assert found(tmp_path, columns, answer(used, **metadata)) == [classes]


def test_a_turn_is_a_sum_of_calls_and_a_tools_call_is_one(tmp_path: Path) -> None:
    tool = {"toolName": "advisor", "model": "openai:gpt-5.5", "timestamp": MS + 9_000, "usage": usage(7, 3)}
    turn = answer(usage(100, 20), toolModelUsages=[tool, {**tool, "usage": usage(8, 4)}], contextUsage=usage(60, 9))
    columns = "provider, model, task, aggregated, request, input, ts::VARCHAR"
    assert found(tmp_path, columns, turn) == [
        ("anthropic", "claude-sonnet-4-6", None, True, 0, 100, "2026-10-05 10:00:00"),
        ("openai", "gpt-5.5", "tool", False, 1, 7, "2026-10-05 10:00:09"),
        ("openai", "gpt-5.5", "tool", False, 1, 8, "2026-10-05 10:00:09"),
    ]


def test_what_no_message_has_is_a_call_of_its_own(tmp_path: Path) -> None:
    line = {"timestamp": MS, "source": "title", "model": SONNET, "metadataModel": SONNET, "usage": usage(7, 3)}
    rows = found(tmp_path, "task, request, input, output", line, line, name="headless-usage.jsonl")
    assert rows == [("title", 1, 7, 3), ("title", 1, 7, 3)]


def test_what_xai_charged_is_in_ticks(tmp_path: Path) -> None:
    turn = answer(usage(7, 3), model="xai:grok-4", providerMetadata={"xai": {"costInUsdTicks": 123_456_789}})
    assert found(tmp_path, "recorded_usd", turn) == [(Decimal("0.0123456789"),)]


def test_a_gateways_model_keeps_its_makers_name(tmp_path: Path) -> None:
    turn = answer(usage(7, 3), model="openrouter:anthropic/claude-sonnet-4.6")
    assert found(tmp_path, "provider, model", turn) == [("openrouter", "anthropic/claude-sonnet-4.6")]


def test_messages_without_usage_are_no_calls(tmp_path: Path) -> None:
    question = {"id": "user-1", "role": "user", "parts": [], "metadata": {"historySequence": 0, "timestamp": MS}}
    assert found(tmp_path, "input", question, answer(None), answer(usage(7, 3), id="assistant-2")) == [(7,)]
