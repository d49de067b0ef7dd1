"""Forge's conversations: what their messages used, summed by model, each call once."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Record = dict[str, Any]
SONNET, HAIKU = "claude-sonnet-4-6", "claude-haiku-4-5"


def entry(prompt: Any, completion: int, model: str | None = SONNET, cached: int = 0, **more: Any) -> Record:
    """A message and the usage of its call; one of no model is the summary of a compaction."""
    counts = {"prompt_tokens": prompt, "completion_tokens": completion, "cached_tokens": cached}
    usage = {name: count if isinstance(count, dict) else {"actual": count} for name, count in counts.items()}
    return {"message": {"text": {"role": "Assistant", "content": "", "model": model}}, "usage": {**usage, **more}}


def write(file: Path, contexts: list[Any]) -> Path:
    file.unlink(missing_ok=True)
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE __diesel_schema_migrations (version)")
        database.execute("CREATE TABLE conversations (conversation_id, context, created_at, updated_at)")
        for number, context in enumerate(contexts):
            text = context if isinstance(context, str) else json.dumps({"messages": context})
            row = (f"c{number}", text, "2026-10-05 10:00:00", "2026-10-05 10:30:00")
            database.execute("INSERT INTO conversations VALUES (?, ?, ?, ?)", row)
    database.close()
    return file


def found(folder: Path, *loads: list[Any], columns: str = "session, model, input, cache_read, output") -> list[Any]:
    folder.mkdir(exist_ok=True)
    with open_store(folder / "costsim.duckdb") as store:
        for contexts in loads:
            load(store, [write(folder / ".forge.db", contexts)])
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY session, model").fetchall()


def test_a_conversation_is_summed_by_model(tmp_path: Path) -> None:
    messages = [{"message": {"text": {"role": "User"}}}, entry(100, 10, cached=60), entry(50, 5, HAIKU), entry(200, 20)]
    assert found(tmp_path, [messages], columns="model, input, cache_read, output, request, ts::VARCHAR") == [
        (HAIKU, 50, 0, 5, 1, "2026-10-05 10:30:00"),
        (SONNET, 40 + 200, 60, 30, 2, "2026-10-05 10:30:00"),
    ]


def test_a_conversation_that_was_compacted_since_counts_as_much(tmp_path: Path) -> None:
    before = [entry(100, 10), entry(300, 30)]
    after = [entry(400, 40, None), entry(80, 8)]
    assert found(tmp_path, [before], [after]) == [("c0", SONNET, 480, 0, 48)]


def test_of_several_models_the_compacted_one_that_counts_all_is_counted_once(tmp_path: Path) -> None:
    """300 + 200 of two models; all of it is one usage of no model then, and 80 + 48 are new: Haiku is asked most."""
    before = [entry(300, 30), entry(200, 20, HAIKU)]
    after = [entry(500, 50, None), entry(80, 8, HAIKU), entry(48, 4)]
    counted = [("c0", HAIKU, 580, 0, 58), ("c0", SONNET, 48, 0, 4)]
    assert found(tmp_path, [after]) == counted
    assert found(tmp_path / "again", [before], [after]) == counted


def test_a_count_that_forge_estimated_counts_and_one_that_is_none_is_rejected(tmp_path: Path) -> None:
    rows = [[entry({"approx": 70}, 7)], [entry({"actual": True}, 7)], [entry({"Actual": 9}, 1)]]
    assert found(tmp_path, rows) == [("c0", SONNET, 70, 0, 7), ("c2", SONNET, 9, 0, 1)]


@pytest.mark.parametrize(("costs", "usd"), [((0.25, 0.5), "0.75"), ((0.25, None), None)])
def test_a_sum_has_a_cost_where_each_of_its_calls_has_one(
    tmp_path: Path, costs: tuple[float | None, ...], usd: str | None
) -> None:
    stated: list[Record] = [{} if cost is None else {"cost": cost} for cost in costs]
    calls = [entry(10, 1, **more) for more in stated]
    [(recorded,)] = found(tmp_path, [calls], columns="recorded_usd")
    assert recorded == (None if usd is None else Decimal(usd))


def test_what_no_conversation_can_be_costs_no_other(tmp_path: Path) -> None:
    assert found(tmp_path, ["not JSON", [entry(10, 1)], [{"usage": [1]}]]) == [("c1", SONNET, 10, 0, 1)]
