"""CC Switch's proxy: each request once, with what its input has, and as the agent's own log knows it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from counted_by import counted_sources
from emptied import open_store

AT = 1_791_194_400
NAMES = ("request_id", "app_type", "model", "input_tokens", "output_tokens", "cache_read_tokens",
         "cache_creation_tokens", "input_token_semantics", "total_cost_usd", "status_code", "created_at", "data_source")  # fmt: skip
Row = tuple[Any, ...]


def row(id: str, app: str, input: int, read: int = 0, written: int = 0, meaning: int = 1, **more: Any) -> Row:
    known = {"cost": "0", "status": 200, "source": "proxy", **more}
    return (id, app, "claude-opus-4-6" if app == "claude" else "gpt-5.5", input, 9, read, written, meaning,
            known["cost"], known["status"], AT, known["source"])  # fmt: skip


def database(folder: Path, *rows: Row) -> Path:
    file = folder / "cc-switch.db"
    with closing(sqlite3.connect(file)) as written, written:
        written.execute("CREATE TABLE providers (id)")
        written.execute(f"CREATE TABLE proxy_request_logs ({', '.join(NAMES)})")
        written.executemany(f"INSERT INTO proxy_request_logs VALUES ({', '.join('?' * len(NAMES))})", rows)
    return file


def found(folder: Path, columns: str, *rows: Row) -> list[Row]:
    file = database(folder, *rows)
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        load(store, [file], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY event_id").fetchall()


@pytest.mark.parametrize(
    ("app", "meaning", "classes"),
    [
        ("codex", 1, (100 - 60 - 5, 60, 5)),
        ("codex", 0, (100 - 60, 60, 5)),  # older rows: reads are within it, writes were not known
        ("codex", 2, (100, 60, 5)),
        ("claude", 1, (100, 60, 5)),  # Anthropic's input has none
        ("claude", 0, (100, 60, 5)),
    ],
)
def test_what_the_input_has_is_said_by_the_row(tmp_path: Path, app: str, meaning: int, classes: Row) -> None:
    columns = "input, cache_read, cache_write_5m"
    assert found(tmp_path, columns, row("r", app, 100, 60, 5, meaning)) == [classes]


def test_a_request_has_its_cost_where_one_is_known_and_its_status(tmp_path: Path) -> None:
    rows = (
        row("a", "codex", 100, cost="0.0123"),
        row("b", "codex", 7, status=500),
        row("c", "claude", 5, source="session_log"),
    )
    assert found(tmp_path, "input, recorded_usd, status, agent", *rows) == [
        (100, Decimal("0.0123"), "ok", "codex"),
        (7, None, "error", "codex"),
    ]


@pytest.mark.parametrize(
    ("id", "response"), [("session:msg_01A", "msg_01A"), ("session:codex:p1:resp_0b", "resp_0b"), ("7e1c-uuid", None)]
)
def test_an_id_ends_in_that_of_the_response(tmp_path: Path, id: str, response: str | None) -> None:
    assert found(tmp_path, "response_id", row(id, "claude", 5)) == [(response,)]


@pytest.mark.slow
def test_a_request_that_claude_code_logged_too_is_one_call(tmp_path: Path) -> None:
    usage = {"input_tokens": 100, "output_tokens": 9}
    entry = {"type": "assistant", "sessionId": "s", "uuid": "u", "timestamp": "2026-10-05T10:00:01Z", "requestId": "q",
             "message": {"id": "msg_01A", "model": "claude-opus-4-6", "usage": usage}}  # fmt: skip
    log = tmp_path / "session.jsonl"
    log.write_text(json.dumps(entry) + "\n")
    assert counted_sources([database(tmp_path, row("session:msg_01A", "claude", 100)), log]) == [("claude-code",)]
