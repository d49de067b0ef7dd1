"""A count that stands behind a key of another form than its reader takes is named, though its path is spelt the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.usage.load import load
from costsim.usage.store import open_store

Json = dict[str, Any]


@pytest.fixture(scope="module")
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    """One store for all, emptied between."""
    with open_store(Path(":memory:")) as connection:
        yield connection


def unread(store: duckdb.DuckDBPyConnection, file: Path, *records: Any) -> dict[str, int]:
    """The fields of a log that are not counted, each with its sum."""
    for table in ("usage_event", "load", "unread", "reject", "sign", "touched_day"):
        store.execute(f"DELETE FROM {table}")
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    load(store, [file])
    return dict(store.execute("SELECT field, total::BIGINT FROM unread").fetchall())


def run(**of_model: object) -> Json:
    """What Claude Code prints at the end of a run."""
    return {"type": "result", "session_id": "s", "total_cost_usd": 0.01, "usage": {"input_tokens": 30},
            "modelUsage": {"claude-sonnet-4.6": {"outputTokens": 7, **of_model}}}  # fmt: skip


@pytest.mark.parametrize("level", ["2", "2.0", "2-beta"])
def test_a_level_like_a_version_is_no_part_of_the_models_name(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, level: str
) -> None:
    named = unread(store, tmp_path / "run.jsonl", run(**{level: {"inputTokens": 30}}))
    assert named == {f"modelUsage.claude-sonnet-4.6.{level}.inputTokens": 30}


def test_the_version_in_a_models_name_is_no_level(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert unread(store, tmp_path / "run.jsonl", run(inputTokens=30)) == {}
