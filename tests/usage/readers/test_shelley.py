"""Shelley's database: each call of a message, and those beside it, once; Gemini's estimates are no tokens."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
END = "2026-10-05T10:00:05Z"


def used(input: int, output: int = 1, read: int = 0, written: int = 0, usd: float = 0, **more: Any) -> Record:
    return {"input_tokens": input, "cache_creation_input_tokens": written, "cache_read_input_tokens": read,
            "output_tokens": output, "cost_usd": usd, "model": "m", "end_time": END, **more}  # fmt: skip


def message(id: str, usage: Record | None, talk: str = "c", origin: str | None = None, beside: Any = None) -> Record:
    return {"message_id": id, "conversation_id": talk, "created_at": "2026-10-05 10:00:06", "model_name": "n",
            "usage_data": json.dumps(usage) if usage else None, "forked_from_message_id": origin,
            "other_usage_data": json.dumps(beside) if beside else None}  # fmt: skip


def found(folder: Path, columns: str, *messages: Record, strict: bool = True, without: str = "") -> list[Any]:
    names = [name for name in messages[0] if name != without]
    with sqlite3.connect(folder / "shelley.db") as database:
        database.execute("CREATE TABLE migrations (name)")
        database.execute("CREATE TABLE conversations (conversation_id, cwd, parent_conversation_id, model)")
        talks = [("c", "/srv/app", None, "o"), ("d", "/srv/app", "c", "o")]
        database.executemany("INSERT INTO conversations VALUES (?, ?, ?, ?)", talks)
        database.execute(f"CREATE TABLE messages ({', '.join(names)})")
        rows = [tuple(one[name] for name in names) for one in messages]
        database.executemany(f"INSERT INTO messages VALUES ({', '.join('?' * len(names))})", rows)
    database.close()
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "shelley.db"], strict=strict)
        load(store, [folder / "shelley.db"], strict=strict)
        rejects = [reason for (reason,) in store.execute("SELECT reason FROM reject").fetchall()]
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall() + rejects


def test_a_call_has_its_classes_and_what_the_gateway_says_it_cost(tmp_path: Path) -> None:
    columns = "input, cache_read, cache_write_5m, output, recorded_usd, model, session, project, ts::VARCHAR"
    assert found(tmp_path, columns, message("a", used(40, 9, 800, 60, 0.0073))) == [
        (40, 800, 60, 9, Decimal("0.0073"), "m", "c", "app", "2026-10-05 10:00:05")
    ]


def test_calls_beside_a_message_are_calls_of_their_purpose(tmp_path: Path) -> None:
    beside = [used(8, purpose="compaction"), used(9, purpose="slug", model="o")]
    assert found(tmp_path, "input, task, model", message("a", used(7), beside=beside)) == [
        (7, None, "m"), (8, "compaction", "m"), (9, "slug", "o"),
    ]  # fmt: skip


def test_a_fork_of_a_fork_repeats_its_first_messages(tmp_path: Path) -> None:
    beside = [used(8, purpose="compaction")]
    copies = [message("a", used(7), beside=beside), message("b", used(7), origin="a", beside=beside),
              message("c", used(7), origin="b", beside=beside), message("d", used(9))]  # fmt: skip
    assert found(tmp_path, "input", *copies) == [(7,), (8,), (9,)]


def test_a_conversation_with_a_parent_is_a_subagents(tmp_path: Path) -> None:
    assert found(tmp_path, "input, agent", message("a", used(7)), message("b", used(8), talk="d")) == [
        (7, None), (8, "subagent"),
    ]  # fmt: skip


def test_an_older_database_has_no_copies_and_no_calls_beside(tmp_path: Path) -> None:
    assert found(tmp_path, "input", message("a", used(7)), without="forked_from_message_id") == [(7,)]


def test_geminis_estimates_are_no_tokens_but_what_they_cost_is_known(tmp_path: Path) -> None:
    """By its own API tokens are estimates; by one of OpenAI's kind they are counted."""
    api = "https://generativelanguage.googleapis.com/v1beta"
    own = [message("a", used(7, usd=0.02, model="gemini-3-pro", url=api)), message("b", used(8, model="gemini-3-pro"))]
    other = message("c", used(9, model="google/gemini-3-pro", url="https://openrouter.ai/api/v1/chat/completions"))
    assert found(tmp_path, "input, recorded_usd", *own, other, strict=False) == [
        (0, Decimal("0.02")), (9, None), "Shelley's estimate of a call of Gemini by the length of its texts",
    ]  # fmt: skip


def test_usage_that_is_no_json_is_rejected(tmp_path: Path) -> None:
    torn = {**message("a", None), "usage_data": "{torn"}
    assert found(tmp_path, "input", torn, message("b", used(7)), strict=False)[0] == (7,)
