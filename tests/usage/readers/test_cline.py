"""Cline's messages: a task of known fields counts as one whose fields are looked at one by one, and hides no usage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.usage.load import load
from costsim.usage.readers.cline_messages import plain_messages
from emptied import open_store

SAMPLE = Path(__file__).parents[2] / "data" / "usage" / "cline" / "ui_messages.json"
MESSAGES: list[dict[str, Any]] = json.loads(SAMPLE.read_text())
MODEL = {"providerId": "anthropic", "modelId": "claude-sonnet-4-5", "mode": "act"}
CALLS = (
    "event_id, ts, model, status, aggregated, input, cache_read, cache_write_5m, output, request, recorded_usd, tags"
)


def calls(store: duckdb.DuckDBPyConnection, folder: Path, messages: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a task of these messages counts."""
    file = folder / "ui_messages.json"
    file.write_text(json.dumps(messages))
    load(store, [file])
    return store.execute(f"SELECT {CALLS} FROM usage_event ORDER BY ts").fetchall()


def is_plain(messages: Sequence[Any]) -> bool:
    return plain_messages(json.dumps(messages).encode()) is not None


def unread(store: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    return store.execute("SELECT field, line, total::DOUBLE FROM unread ORDER BY ALL").fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(MESSAGES)))
def test_a_task_counts_the_same_with_an_unknown_field_in_a_message(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, number: int
) -> None:
    other = [*MESSAGES[:number], {**MESSAGES[number], "mood": "calm"}, *MESSAGES[number + 1 :]]
    assert is_plain(MESSAGES)
    assert not is_plain(other)
    known = calls(store, tmp_path, MESSAGES)
    with open_store() as empty:
        assert calls(empty, tmp_path, other) == known
    assert len(known) == 5


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"tool": "x", "tokensIn": 7}', [("uncounted.tokensIn", 8, 7)]),
        ('{"tool": "x", "usage": {"output_tokens": 7}}', [("text.usage.output_tokens", 8, 7)]),
        (' {"tool": "x", "outputTokens": 7}', [("text.outputTokens", 8, 7)]),
        ('data: {"usage": {"output_tokens": 7}}', [("text.usage.output_tokens", 8, 7)]),
        ("words of 7 tokens", []),
    ],
)
def test_usage_in_the_text_of_another_kind_of_message_is_named(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, text: str, named: list[tuple[Any, ...]]
) -> None:
    messages = [*MESSAGES, {"ts": 1765000020000, "type": "say", "say": "tool", "text": text}]
    assert is_plain(messages)
    assert len(calls(store, tmp_path, messages)) == 5
    assert unread(store) == named


def test_an_unknown_count_of_a_request_is_named(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    usage = {"tokensIn": 5, "tokensOut": 6, "cost": 0.001, "reasoningTokens": 7}
    request = {"ts": 1765000020000, "type": "say", "say": "api_req_started", "text": json.dumps(usage)}
    assert is_plain([request])
    assert [call[5:9] for call in calls(store, tmp_path, [*MESSAGES, request])][-1] == (5, 0, 0, 6)
    assert unread(store) == [("text.reasoningTokens", 8, 7)]


def test_a_negative_count_is_rejected_by_its_message(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    usage = {"tokensIn": -5, "tokensOut": 6, "cost": 0.001}
    request = {"ts": 1765000020000, "type": "say", "say": "api_req_started", "text": json.dumps(usage)}
    assert len(calls(store, tmp_path, [*MESSAGES, request])) == 5
    assert store.execute("SELECT line, reason FROM reject").fetchall() == [(8, "a negative count")]


def test_an_older_version_counts_a_request_where_it_finished(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    begun = {
        "ts": 1765000020000,
        "type": "say",
        "say": "api_req_started",
        "text": '{"request": "x"}',
        "modelInfo": MODEL,
    }
    ended = {"ts": 1765000021000, "type": "say", "say": "api_req_finished", "text": '{"tokensIn": 5, "tokensOut": 6}'}
    assert is_plain([begun, ended])
    [call] = calls(store, tmp_path, [begun, ended])
    assert (*call[5:10], call[0]) == (5, 0, 0, 6, 1, "cline:1765000020000:1765000020000:api_req_started")
