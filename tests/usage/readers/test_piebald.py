"""Piebald's database: each message once, in the classes that its model's maker means."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from costsim.usage.load import load
from emptied import open_store

Row = dict[str, Any]


def message(id: int, model: str | None, input: int, output: int, **more: Any) -> Row:
    return {"id": id, "parent_chat_id": 1, "model": model, "created_at": f"2026-10-05T10:00:{id:02}.000000001+00:00",
            "updated_at": f"2026-10-05T10:01:{id:02}.5+00:00", "input_tokens": input, "output_tokens": output,
            "reasoning_tokens": None, "cache_read_tokens": None, "cache_write_tokens": None, "config_id": None,
            **more}  # fmt: skip


def found(folder: Path, columns: str, *messages: Row, tiers: bool = True) -> list[tuple[Any, ...]]:
    names = list(messages[0])
    folder.mkdir(exist_ok=True)
    with sqlite3.connect(folder / "app.db") as database:
        database.execute("CREATE TABLE message_parts (id)")
        if tiers:
            database.execute("CREATE TABLE override_gen_cfg_data_openai_responses (gen_cfg_id, service_tier)")
            database.execute("INSERT INTO override_gen_cfg_data_openai_responses VALUES (7, 'flex'), (8, NULL)")
            database.execute("CREATE TABLE projects (id, directory)")
            database.execute("INSERT INTO projects VALUES (3, '/srv/app')")
        database.execute("CREATE TABLE chats (id, model, project_id)")
        database.execute("INSERT INTO chats VALUES (1, 'claude-opus-4-6', 3)")
        database.execute(f"CREATE TABLE messages ({', '.join(names)})")
        values = [tuple(one[name] for name in names) for one in messages]
        database.executemany(f"INSERT INTO messages VALUES ({', '.join('?' * len(names))})", values)
    database.close()
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder / "app.db"], strict=True)
        load(store, [folder / "app.db"], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


def test_openais_input_includes_what_was_cached_and_its_output_no_reasoning(tmp_path: Path) -> None:
    """1,000 - the greater of 600 read and 200 written = 400; 20 + 5 = 25. Anthropic's are as they are stated."""
    figures = {"reasoning_tokens": 5, "cache_read_tokens": 600, "cache_write_tokens": 200}
    models = ("claude-opus-4-6", "gpt-5.5", "openai/o3", "google/gemini-3-pro")
    rows = [message(n, model, 1_000, 20, **figures) for n, model in enumerate(models)]
    assert found(tmp_path, "model, input, cache_read, cache_write_5m, output", *rows) == [
        ("claude-opus-4-6", 1_000, 600, 200, 20),
        ("google/gemini-3-pro", 1_000, 600, 200, 20),
        ("gpt-5.5", 400, 600, 200, 25),
        ("openai/o3", 400, 600, 200, 25),
    ]


def test_a_message_has_its_own_model_or_its_chats_and_ends_when_it_was_last_written(tmp_path: Path) -> None:
    rows = [message(1, None, 7, 1), message(2, "m", 8, 1)]
    assert found(tmp_path, "input, model, session, project, ts::VARCHAR", *rows) == [
        (7, "claude-opus-4-6", "1", "app", "2026-10-05 10:01:01.5"),
        (8, "m", "1", "app", "2026-10-05 10:01:02.5"),
    ]


def test_a_service_tier_is_the_one_of_the_messages_settings(tmp_path: Path) -> None:
    rows = [message(1, "gpt-5.5", 7, 1, config_id=7), message(2, "gpt-5.5", 8, 1, config_id=8)]
    assert found(tmp_path, "input, processing", *rows) == [(7, "flex"), (8, "standard")]


def test_a_version_without_projects_and_tiers_is_read(tmp_path: Path) -> None:
    assert found(tmp_path, "input, project", message(1, "m", 7, 1), message(2, "m", 0, 0), tiers=False) == [(7, None)]
