"""Grok Build's sessions: each turn's last sum once, by model, with xAI's own figure of its cost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
MS = 1_791_194_400_000
GROK = "grok-4.5-build"


def update(kind: str, at: int, **more: Any) -> Record:
    meta = {"totalTokens": 9_000, "agentTimestampMs": MS + at}
    return {"timestamp": MS // 1000, "method": "_x.ai/session/update",
            "params": {"sessionId": "s-1", "update": {"sessionUpdate": kind, **more}, "_meta": meta}}  # fmt: skip


def usage(input: int, output: int, read: int = 0, **more: Any) -> Record:
    return {"inputTokens": input, "outputTokens": output, "cachedReadTokens": read, "reasoningTokens": 1, **more}


def turn(at: int, prompt: str, sums: Record, **models: Record) -> Record:
    named = {name.replace("_", "-").replace("4-5", "4.5"): of for name, of in models.items()}
    return update("turn_completed", at, prompt_id=prompt, usage={**sums, "numTurns": 1, "modelUsage": named})


def found(folder: Path, columns: str, *records: Record) -> list[tuple[Any, ...]]:
    file = folder / "updates.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        load(store, [file], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts, model").fetchall()


def test_input_has_cached_tokens_within_and_a_cost_in_ticks(tmp_path: Path) -> None:
    # 510 at $2, 131,456 at $0.30 and 326 at $6 a million: 0.00102 + 0.0394368 + 0.001956 = 0.0424128 = 424,128,000 / 1e10
    sums = usage(131_966, 326, 131_456, modelCalls=1, costUsdTicks=424_128_000)
    columns = "provider, model, input, cache_read, output, request, recorded_usd, ts::VARCHAR"
    assert found(tmp_path, columns, update("tool_call", 1), turn(2_000, "p", sums, grok_4_5_build=sums)) == [
        ("x-ai", GROK, 510, 131_456, 326, 1, Decimal("0.0424128"), "2026-10-05 10:00:02"),
    ]


def test_a_turn_is_its_last_sum_by_model(tmp_path: Path) -> None:
    first, last, other = usage(1_100, 10, 1_000), usage(1_200, 15, 1_000), usage(50, 5)
    log = [turn(1, "p", first, grok_4_5=first), turn(2, "p", last, grok_4_5=last),
           turn(3, "q", usage(57, 6), grok_4_5=usage(7, 1), grok_4_5_build=other)]  # fmt: skip
    assert found(tmp_path, "model, input, cache_read, output", *log) == [
        ("grok-4.5", 200, 1_000, 15),
        ("grok-4.5", 7, 0, 1),
        (GROK, 50, 0, 5),
    ]


def test_a_turn_without_models_has_its_sum_and_a_subscription_no_cost(tmp_path: Path) -> None:
    assert found(tmp_path, "model, input, recorded_usd", turn(1, "p", usage(12, 4, costUsdTicks=0))) == [
        (None, 12, None),
    ]


def test_the_signals_beside_it_are_named_with_what_to_load_instead(tmp_path: Path) -> None:
    file = tmp_path / "signals.json"
    file.write_text(json.dumps({"contextTokensUsed": 12_345, "contextWindowTokens": 200_000, "primaryModelId": GROK}))
    with open_store() as store, pytest.raises(UsageLogError, match=r"updates\.jsonl"):
        load(store, [file])
