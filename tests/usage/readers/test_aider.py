"""aider's analytics log: a message is a call at the cost that aider states, where it knows one."""

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


def event(name: str, **properties: Any) -> Record:
    return {"event": name, "properties": properties, "user_id": "u-1", "time": 1_791_194_400}


def message(model: str, sent: Any, received: int, cost: float, before: float = 0.0) -> Record:
    sums = {"total_tokens": 0, "total_cost": before + cost}
    return event("message_send", main_model=model, prompt_tokens=sent, completion_tokens=received, cost=cost, **sums)


def found(folder: Path, columns: str, *records: Record) -> list[tuple[Any, ...]]:
    file = folder / "analytics.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in (event("launched"), *records)))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        load(store, [file], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY input").fetchall()


def test_a_message_is_a_call_with_the_cost_that_aider_states(tmp_path: Path) -> None:
    twice = message("gemini/gemini-2.5-pro", 12_000, 80, 0.0158), message("gemini/gemini-2.5-pro", 12_000, 80, 0.02, 1)
    columns = 'model, input, output, request, recorded_usd, "user", ts::VARCHAR'
    at = "2026-10-05 10:00:00"
    assert sorted(found(tmp_path, columns, *twice)) == [
        ("gemini/gemini-2.5-pro", 12_000, 80, 1, Decimal("0.0158"), "u-1", at),
        ("gemini/gemini-2.5-pro", 12_000, 80, 1, Decimal("0.02"), "u-1", at),
    ]


def test_a_cost_of_0_is_no_price_and_a_redacted_model_is_none(tmp_path: Path) -> None:
    calls = message("openai/REDACTED", 900, 40, 0.0), message("None", 1_000, 5, 0.0)
    assert found(tmp_path, "model, input, recorded_usd", *calls) == [(None, 900, None), (None, 1_000, None)]


def test_what_is_no_count_is_rejected(tmp_path: Path) -> None:
    file = tmp_path / "analytics.jsonl"
    file.write_text(json.dumps(message("gpt-5.5", "many", 1, 0.1)) + "\n")
    with open_store() as store:
        load(store, [file])
        assert store.execute("SELECT count(*) FROM reject").fetchone() == (1,)


def test_its_chat_history_is_named_with_what_to_load_instead(tmp_path: Path) -> None:
    file = tmp_path / ".aider.chat.history.md"
    file.write_text("\n# aider chat started at 2026-10-05 10:00:00\n\n> Tokens: 2.3k sent, 80 received.\n")
    with open_store() as store, pytest.raises(UsageLogError, match=r"rounded.*--analytics-log"):
        load(store, [file])
