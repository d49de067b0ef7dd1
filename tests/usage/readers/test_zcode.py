"""ZCode's database: each request, in disjoint classes, whatever became of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from costsim.usage.load import load
from emptied import open_store

AT = 1_791_194_400_000
Row = dict[str, Any]


def request(id: str, input: int, output: int, **more: Any) -> Row:
    return {"id": id, "session_id": "s", "model_id": "GLM-5.2", "status": "completed", "started_at": AT,
            "input_tokens": input, "output_tokens": output, **more}  # fmt: skip


def found(folder: Path, columns: str, *rows: Row, sessions: bool = True) -> list[tuple[Any, ...]]:
    names = sorted({name for row in rows for name in row})
    with sqlite3.connect(folder / "db.sqlite") as database:
        database.execute(f"CREATE TABLE session (id TEXT{', directory TEXT' if sessions else ''})")
        if sessions:
            database.execute("INSERT INTO session VALUES ('s', '/srv/app')")
        database.execute(f"CREATE TABLE model_usage ({', '.join(names)})")
        for row in rows:
            values = [row.get(name) for name in names]
            database.execute(f"INSERT INTO model_usage VALUES ({', '.join('?' * len(names))})", values)
    database.close()
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "db.sqlite"], strict=True)
        load(store, [folder / "db.sqlite"], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


def test_what_was_cached_is_within_the_input(tmp_path: Path) -> None:
    """9,125 - 8,064 read - 61 written = 1,000."""
    cached = request(
        "a", 9_125, 27, cache_read_input_tokens=8_064, cache_creation_input_tokens=61, completed_at=AT + 5_000
    )
    columns = "input, cache_read, cache_write_5m, output, model, session, project, ts::VARCHAR"
    assert found(tmp_path, columns, cached) == [(1_000, 8_064, 61, 27, "GLM-5.2", "s", "app", "2026-10-05 10:00:05")]


def test_reasoning_is_within_the_output_unless_the_providers_total_says_otherwise(tmp_path: Path) -> None:
    """100 + 20 = 120: within it. 100 + 20 + 5 = 125: beside it."""
    within = request("a", 100, 20, reasoning_tokens=5, provider_total_tokens=120)
    beside = request("b", 100, 20, reasoning_tokens=5, provider_total_tokens=125)
    assert found(tmp_path, "output", within, beside) == [(20,), (25,)]


def test_every_attempt_counts_that_has_tokens(tmp_path: Path) -> None:
    attempts = [request("a", 0, 0, status="error"), request("b", 7, 0, status="error"),
                request("c", 8, 1, status="cancelled"), request("d", 9, 1)]  # fmt: skip
    assert found(tmp_path, "input, status", *attempts) == [(7, "error"), (8, "cancelled"), (9, "ok")]


def test_what_asked_is_the_agent_and_what_for_the_task(tmp_path: Path) -> None:
    titled = request("a", 7, 1, agent="zcode-agent", query_source="title", provider_id="builtin:plan")
    assert found(tmp_path, "agent, task, provider, tags->>'provider'", titled) == [
        ("zcode-agent", "title", None, "builtin:plan")
    ]


def test_sessions_need_no_folder(tmp_path: Path) -> None:
    assert found(tmp_path, "input, project", request("a", 7, 1), sessions=False) == [(7, None)]
