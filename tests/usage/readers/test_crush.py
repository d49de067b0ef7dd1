"""Crush's database: what each session cost, once, though it states no tokens of its calls."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Row = tuple[Any, ...]
AT = 1_791_194_400  # 5 October 2026, 10:00 UTC, in seconds: the comments of its schema say milliseconds


def database(folder: Path, sessions: Sequence[Row], messages: Sequence[Row] = ()) -> Path:
    """Sessions (id, parent, cost) and assistant messages (session, provider, model) of a project."""
    file = folder / "app" / ".crush" / "crush.db"
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as made:
        for table in ("files", "goose_db_version"):
            made.execute(f"CREATE TABLE {table} (id)")
        made.execute("CREATE TABLE messages (session_id, provider, model, role DEFAULT 'assistant')")
        made.execute(
            "CREATE TABLE sessions (id, parent_session_id, cost, prompt_tokens DEFAULT 900, completion_tokens DEFAULT 30,"
            f" updated_at DEFAULT {AT}, created_at DEFAULT {AT})"
        )
        made.executemany("INSERT INTO sessions (id, parent_session_id, cost) VALUES (?, ?, ?)", sessions)
        made.executemany("INSERT INTO messages (session_id, provider, model) VALUES (?, ?, ?)", messages)
    made.close()
    return file


def found(file: Path, columns: str) -> list[Row]:
    with open_store(file.with_name("costsim.duckdb")) as store:
        load(store, [file])
        load(store, [file])
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY session").fetchall()


def test_a_sessions_cost_holds_that_of_its_subagents(tmp_path: Path) -> None:
    file = database(tmp_path, [("a", None, 0.75), ("m$$t", "a", 0.25), ("b", None, 0.5)])
    assert found(file, "session, recorded_usd, input + output, aggregated, project, ts::VARCHAR") == [
        (name, Decimal(usd), 0, True, "app", "2026-10-05 10:00:00") for name, usd in (("a", "0.75"), ("b", "0.5"))
    ]


def test_subagents_sessions_whose_parent_was_deleted_count_as_it(tmp_path: Path) -> None:
    file = database(tmp_path, [("m$$t", "gone", 0.25), ("m$$u", "gone", 0.5)])
    assert found(file, "session, recorded_usd") == [("gone", Decimal("0.75"))]


def test_a_session_that_is_deleted_after_it_was_loaded_counts_once_with_its_subagents(tmp_path: Path) -> None:
    """1 USD, 0.25 of them a subagent's, which Crush keeps."""
    file = database(tmp_path, [("a", None, 1), ("m$$t", "a", 0.25)])
    with open_store(tmp_path / "costsim.duckdb") as store:
        for change in (
            "UPDATE sessions SET updated_at = updated_at + 60 WHERE id = 'a'",
            "DELETE FROM sessions WHERE id = 'a'",
        ):
            with closing(sqlite3.connect(file)) as made:
                made.execute(change)
                made.commit()
            load(store, [file])
        assert store.execute("SELECT session, recorded_usd FROM usage_event").fetchall() == [("a", 1)]


def test_a_session_has_a_model_where_it_asked_no_other(tmp_path: Path) -> None:
    file = database(
        tmp_path,
        [("a", None, 1), ("m$$t", "a", 0.5), ("b", None, 1)],
        [
            ("a", "anthropic", "claude-sonnet-4-6"),
            ("m$$t", "anthropic", "claude-haiku-4-5"),
            ("b", "openai", "gpt-5.5"),
        ],
    )
    assert found(file, "provider, model, tags ->> 'models'") == [
        (None, None, "anthropic/claude-haiku-4-5, anthropic/claude-sonnet-4-6"),
        ("openai", "gpt-5.5", None),
    ]


def test_a_session_of_a_flat_rate_is_rejected_with_the_reason(tmp_path: Path) -> None:
    file = database(tmp_path, [("a", None, 0), ("b", None, 0.5)])
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [file])
        [(reason,)] = store.execute("SELECT reason FROM reject").fetchall()
    assert report.total("rejected") == 1
    assert reason.startswith("a session whose cost was not known (a flat rate, or no price)")


@pytest.mark.parametrize("parents", [{"a": "a"}, {"a": "b", "b": "a"}])
def test_sessions_that_are_one_anothers_parents_count_once(tmp_path: Path, parents: dict[str, str]) -> None:
    file = database(tmp_path, [(name, parent, 1) for name, parent in parents.items()])
    assert found(file, "session, recorded_usd") == [("a", 1)]
