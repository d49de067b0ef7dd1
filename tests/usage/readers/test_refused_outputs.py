"""What agents print or keep without usage to count: named, it is an error that says why, and what to load."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
MESSAGE: Record = {"id": "m", "role": "assistant", "created": 1791194400, "content": [{"type": "text", "text": ""}]}

OUTPUTS: dict[str, tuple[list[Record], str]] = {
    "goose run": ([{"messages": [MESSAGE], "metadata": {"total_tokens": 900, "status": "completed"}}], "one total"),
    "goose run, streamed": (
        [{"type": "message", "message": MESSAGE}, {"type": "complete", "total_tokens": 900}],
        "one total",
    ),
}

KIRO: dict[str, list[Record]] = {
    "its CLI's lines": [
        {"version": "1", "kind": "Prompt", "data": {"message_id": "m", "content": []}},
        {"version": "1", "kind": "AssistantMessage", "data": {"message_id": "n", "content": []}},
    ],
    "what its CLI was metered": [
        {
            "session_id": "s",
            "session_state": {
                "conversation_metadata": {
                    "user_turn_metadatas": [{"metering_usage": [{"value": 0.05, "unit": "credit"}]}]
                }
            },
        }
    ],
    "its IDE's events": [
        {"id": "a", "timestamp": "2026-07-14T13:39:00.000Z", "payload": {"type": "session_start", "agentType": "vibe"}},
        {
            "id": "b",
            "timestamp": "2026-07-14T13:40:00.000Z",
            "payload": {
                "type": "usage_summary",
                "executionId": "e",
                "promptTurnSummaries": [{"unit": "credit", "usage": 1.5}],
            },
        },
    ],
    "its IDE's runs": [{"executionId": "e", "usageSummary": [{"unit": "credit", "usage": 0.5}], "status": "succeed"}],
}


@pytest.mark.parametrize("store", KIRO)
def test_kiro_has_credits_and_no_tokens(tmp_path: Path, store: str) -> None:
    file = tmp_path / "kiro.json"
    file.write_text("".join(json.dumps(record) + "\n" for record in KIRO[store]))
    with open_store(tmp_path / "costsim.duckdb") as connection, pytest.raises(UsageLogError, match="load AWS's bill"):
        load(connection, [file])


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        (("agent_conversations", "ai_queries", "blocks"), "one sum of tokens"),
        (("conversations_v2", "history"), "Kiro"),
        (("gen_metadata", "steps", "trajectory_meta"), "not published"),
    ],
)
def test_a_database_without_tokens_by_class_is_refused(tmp_path: Path, tables: tuple[str, ...], why: str) -> None:
    with sqlite3.connect(tmp_path / "data.sqlite3") as database:
        for table in tables:
            database.execute(f"CREATE TABLE {table} (id TEXT)")
    database.close()
    with open_store(tmp_path / "costsim.duckdb") as store, pytest.raises(UsageLogError, match=why):
        load(store, [tmp_path / "data.sqlite3"])


def test_the_state_of_a_chat_of_codebuff_is_refused_with_where_its_messages_are(tmp_path: Path) -> None:
    file = tmp_path / "run-state.json"
    file.write_text(json.dumps({"sessionState": {"mainAgentState": {"creditsUsed": 9}, "fileContext": {}}}))
    with open_store(tmp_path / "costsim.duckdb") as store, pytest.raises(UsageLogError, match="in chat-messages"):
        load(store, [file])


def test_the_sums_of_a_workspace_of_mux_are_refused_with_where_its_calls_are(tmp_path: Path) -> None:
    file = tmp_path / "session-usage.json"
    file.write_text(json.dumps({"byModel": {"anthropic:claude-sonnet-4-6": {"input": {"tokens": 9}}}, "version": 1}))
    with open_store(tmp_path / "costsim.duckdb") as store, pytest.raises(UsageLogError, match="its calls are in chat"):
        load(store, [file])


@pytest.mark.parametrize("output", OUTPUTS)
def test_an_output_without_usage_to_count_is_refused_with_the_reason(tmp_path: Path, output: str) -> None:
    records, why = OUTPUTS[output]
    file = tmp_path / "run.json"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    with open_store(tmp_path / "costsim.duckdb") as store, pytest.raises(UsageLogError, match=why):
        load(store, [file])
