"""LLM's database: each call once, whichever of its tables has it, in the classes of its provider."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

COLUMNS = "id, model, resolved_model, input_tokens, output_tokens, token_details, datetime_utc"
Row = tuple[Any, ...]


def row(id: str, model: str, input: int | None, output: int | None, **details: Any) -> Row:
    return (id, model, None, input, output, json.dumps(details) if details else None, "2026-10-05T10:00:00.5+00:00")


def found(folder: Path, columns: str, responses: list[Row], turns: list[Row] | None = None) -> list[Row]:
    file = folder / "logs.db"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE _llm_migrations (name, applied_at)")
        database.execute("CREATE TABLE conversations (id)")
        database.execute(f"CREATE TABLE responses ({COLUMNS}, conversation_id, response)")
        database.executemany("INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, 'c-1', 'said')", responses)
        if turns is not None:
            database.execute(f"CREATE TABLE turns ({COLUMNS}, thread_id, response_json)")
            database.executemany("INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, ?, 't-1', '{}')", turns)
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file], strict=True)
        load(store, [file], strict=True)
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


@pytest.mark.parametrize(
    ("details", "classes"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 9}},
         (40, 60, 0, 0, 20)),
        ({"input_tokens_details": {"cached_tokens": 60}, "output_tokens_details": {"reasoning_tokens": 9}},
         (40, 60, 0, 0, 20)),
        ({"cachedContentTokenCount": 60, "candidatesTokenCount": 15, "thoughtsTokenCount": 5}, (40, 60, 0, 0, 20)),
        ({"thoughtsTokenCount": 5}, (100, 0, 0, 0, 25)),  # an older plugin: 20 + 5
        ({"cache_read_input_tokens": 900, "cache_creation_input_tokens": 70,
          "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 20}},
         (100, 900, 50, 20, 20)),
    ],
)  # fmt: skip
def test_cached_tokens_are_within_the_input_or_beside_it_by_their_names(
    tmp_path: Path, details: dict[str, Any], classes: Row
) -> None:
    columns = "input, cache_read, cache_write_5m, cache_write_1h, output"
    assert found(tmp_path, columns, [row("r", "m", 100, 20, **details)]) == [classes]


def test_a_call_that_both_tables_have_is_one(tmp_path: Path) -> None:
    old, new = row("r-1", "gpt-5.5", 100, 20), row("t-2", "gpt-5.5", 7, 3)
    assert found(tmp_path, "input, output, ts::VARCHAR", [old], [old, new]) == [
        (7, 3, "2026-10-05 10:00:00.5"),
        (100, 20, "2026-10-05 10:00:00.5"),
    ]


def test_a_call_of_openrouter_has_its_cost_and_a_tier_its_price(tmp_path: Path) -> None:
    rows = [row("a", "openrouter/openai/gpt-5.5", 100, 20, cost=0.0015, cost_details={"upstream_inference_cost": 1}),
            row("b", "gpt-5.5", 200, 20, service_tier="flex"), row("c", "claude-opus-4.6", 300, 20,
            server_tool_use={"web_search_requests": 2})]  # fmt: skip
    assert found(tmp_path, "input, recorded_usd, processing, web_search", rows) == [
        (100, Decimal("0.0015"), "standard", 0),
        (200, None, "flex", 0),
        (300, None, "standard", 2),
    ]


def test_a_call_without_usage_counts_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, "input", [row("r", "markov", None, None), row("s", "gpt-5.5", 5, 1)]) == [(5,)]
