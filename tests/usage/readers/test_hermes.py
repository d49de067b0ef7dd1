"""Hermes Agent's database: a session's sums and its rows by model and task state each call once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

Row = dict[str, Any]
AT = 1_791_194_400.25  # 5 October 2026, 10:00 UTC
COUNTS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
          "api_call_count", "estimated_cost_usd", "actual_cost_usd")  # fmt: skip
SESSION = ("id", "source", "model", "billing_provider", "billing_mode", "cwd", "started_at", "ended_at", *COUNTS)
USED = ("session_id", "model", "billing_provider", "billing_base_url", "billing_mode", "task", "last_seen", *COUNTS)


def found(
    folder: Path, sessions: Sequence[Row], used: Sequence[Row] | None, columns: str, twice: bool = True
) -> list[tuple[Any, ...]]:
    file = folder / "state.db"
    with sqlite3.connect(file) as database:
        for table in ("messages", "schema_version", "state_meta"):
            database.execute(f"CREATE TABLE {table} (a)")
        made = {"sessions": (SESSION, sessions)} | ({"session_model_usage": (USED, used)} if used is not None else {})
        for table, (names, rows) in made.items():
            database.execute(f"CREATE TABLE {table} ({', '.join(f'{name} DEFAULT 0' for name in names)})")
            for row in rows:
                places = ", ".join("?" * len(row))
                database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))
    database.close()
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, [file])
        load(store, [file])
        assert report.files[0].reader == "hermes"
        return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ALL").fetchall()


def session(input: int, output: int, **more: Any) -> Row:
    return {"id": "s", "source": "cli", "model": "gpt-5.5", "billing_provider": "openai", "started_at": AT,
            "input_tokens": input, "output_tokens": output, **more}  # fmt: skip


def used(input: int, output: int, model: str = "gpt-5.5", task: str = "", **more: Any) -> Row:
    return {"session_id": "s", "model": model, "billing_provider": "openai", "billing_base_url": "", "task": task,
            "last_seen": AT, "input_tokens": input, "output_tokens": output, **more}  # fmt: skip


def test_a_session_whose_rows_have_all_of_it_counts_by_them(tmp_path: Path) -> None:
    rows = [used(60, 6), used(40, 4, "gpt-5-mini"), used(5, 1, "gpt-5-mini", "compression")]
    assert found(tmp_path, [session(100, 10)], rows, "model, task, input, output") == [
        ("gpt-5-mini", "compression", 5, 1),
        ("gpt-5-mini", None, 40, 4),
        ("gpt-5.5", None, 60, 6),
    ]


def test_the_voice_chats_calls_are_in_the_sessions_sums_too(tmp_path: Path) -> None:
    rows = [used(60, 6), used(40, 4, "gpt-5-mini", "voice_chat")]
    assert found(tmp_path, [session(100, 10)], rows, "sum(input), sum(output), count(*)") == [(100, 10, 2)]


def test_what_a_session_has_beyond_its_rows_is_its_models(tmp_path: Path) -> None:
    rest = found(
        tmp_path, [session(100, 10, ended_at=AT + 60)], [used(60, 6, "gpt-5-mini")], "model, input, ts::VARCHAR"
    )
    assert rest == [("gpt-5-mini", 60, "2026-10-05 10:00:00.25"), ("gpt-5.5", 40, "2026-10-05 10:01:00.25")]


def test_a_database_from_before_the_table_counts_by_its_sessions(tmp_path: Path) -> None:
    columns = "input, output, request, recorded_usd, aggregated"
    one = session(100, 10, api_call_count=3, estimated_cost_usd=0.25)
    assert found(tmp_path, [one], None, columns) == [(100, 10, 3, Decimal("0.25"), True)]


@pytest.mark.parametrize(
    ("actual", "estimated", "recorded"), [(0.5, 0.25, "0.5"), (0, 0.25, "0.25"), (None, 0, None), (0, 0, None)]
)
def test_what_a_provider_charged_counts_before_an_estimate_and_0_is_no_cost(
    tmp_path: Path, actual: float | None, estimated: float, recorded: str | None
) -> None:
    row = used(10, 1, actual_cost_usd=actual, estimated_cost_usd=estimated)
    [(usd,)] = found(tmp_path, [session(10, 1)], [row], "recorded_usd")
    assert usd == (None if recorded is None else Decimal(recorded))


def test_a_sum_that_is_no_count_is_rejected(tmp_path: Path) -> None:
    assert found(tmp_path, [session(-5, 10)], [], "input") == []


def test_a_provider_that_names_none_is_none(tmp_path: Path) -> None:
    row = used(10, 1, "unknown", billing_provider="auto") | {"billing_provider": "auto"}
    assert found(tmp_path, [session(10, 1)], [row], "provider, model") == [(None, None)]
