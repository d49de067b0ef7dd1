"""New API's and One API's logs: what was charged, by class, from the database and from exports."""

from __future__ import annotations

import csv
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

AT = 1_791_194_400
COLUMNS = ("id", "created_at", "type", "username", "token_name", "model_name", "quota", "prompt_tokens",
           "completion_tokens", "other")  # fmt: skip
Row = tuple[Any, ...]


def row(id: int, prompt: Any, output: int, model: str = "gpt-5.5", kind: int = 2, **other: Any) -> Row:
    return (id, AT + id, kind, "ann", "app", model, 5_000, prompt, output, json.dumps(other) if other else "")


def as_database(folder: Path, *logs: Row) -> None:
    with closing(sqlite3.connect(folder / "one-api.db")) as database, database:
        for table in ("channels", "abilities", "tokens", "options"):
            database.execute(f"CREATE TABLE {table} (a)")
        database.execute(f"CREATE TABLE logs ({', '.join(COLUMNS)}, content)")
        database.executemany(f"INSERT INTO logs VALUES ({'?, ' * len(COLUMNS)}'said')", logs)


def as_csv(folder: Path, *logs: Row) -> None:
    with (folder / "logs.csv").open("w", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *logs])


def as_lines(folder: Path, *logs: Row) -> None:
    lines = (json.dumps(dict(zip(COLUMNS, one, strict=True))) + "\n" for one in logs)
    (folder / "logs.jsonl").write_text("".join(lines))


def found(folder: Path, columns: str) -> list[Row]:
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [folder], strict=True)
        load(store, [folder], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts").fetchall()


@pytest.mark.parametrize("write", [as_database, as_csv, as_lines])
def test_cached_tokens_are_within_the_prompt_but_beside_anthropics(tmp_path: Path, write: Any) -> None:
    claude: dict[str, Any] = {"claude": True, "cache_tokens": 4_000, "cache_creation_tokens": 1_500,
              "cache_creation_tokens_5m": 1_000, "cache_creation_tokens_1h": 500}  # fmt: skip
    write(tmp_path, row(1, 1_200, 300, cache_tokens=1_000, model_ratio=1.25), row(2, 12, 90, "claude-opus-4-6", **claude),
          row(3, 70, 1, cache_creation_tokens=50), row(4, 5, 1))  # fmt: skip
    assert found(tmp_path, "input, cache_read, cache_write_5m, cache_write_1h, output") == [
        (200, 1_000, 0, 0, 300),
        (12, 4_000, 1_000, 500, 90),
        (20, 0, 50, 0, 1),
        (5, 0, 0, 0, 1),
    ]


def test_only_requests_that_were_charged_count_and_by_the_model_that_served_them(tmp_path: Path) -> None:
    mapped: dict[str, Any] = {
        "is_model_mapped": True,
        "upstream_model_name": "gpt-5.5-2026-04-23",
        "web_search_call_count": 2,
    }
    as_database(tmp_path, row(1, 0, 0, kind=1), row(2, 100, 10, "best", **mapped), row(3, 50, 0, kind=5))
    assert found(tmp_path, 'model, input, web_search, recorded_usd, "user", ts::VARCHAR') == [
        ("gpt-5.5-2026-04-23", 100, 2, None, "ann", "2026-10-05 10:00:02"),
    ]


def test_audio_is_a_class_of_its_own(tmp_path: Path) -> None:
    as_csv(tmp_path, row(1, 100, 30, "gpt-realtime", audio=True, audio_input=60, audio_output=20, text_input=40))
    assert found(tmp_path, "input, input_audio, output, output_audio") == [(40, 60, 10, 20)]


def test_an_id_that_comes_again_is_another_request(tmp_path: Path) -> None:
    (id, at, *rest) = row(7, 100, 10)
    as_lines(tmp_path, (id, at, *rest), (id, at + 60, *rest), (id, at + 60, *rest))
    assert found(tmp_path, "input") == [(100,), (100,)]


def test_what_is_no_count_is_rejected(tmp_path: Path) -> None:
    as_lines(tmp_path, row(1, 100, 10, cache_tokens="many"), row(2, 7, 1))
    with open_store() as store:
        load(store, [tmp_path])
        assert store.execute("SELECT input FROM usage_event").fetchall() == [(7,)]
        assert store.execute("SELECT count(*) FROM reject").fetchone() == (1,)
