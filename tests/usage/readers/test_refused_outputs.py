"""What agents print or keep without usage to count: named, it is an error that says why, and what to load."""

from __future__ import annotations

import json
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
