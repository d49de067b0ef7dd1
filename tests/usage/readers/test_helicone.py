"""Helicone's export: disjoint kinds of tokens, reasoning beside the completion, and its own cache costs nothing."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import open_book
from costsim.usage.load import LoadReport, load

DATA = Path(__file__).parents[2] / "data" / "usage" / "helicone"
SHAPES = ["requests.jsonl", "requests.json"]
ROWS = [json.loads(line) for line in (DATA / "requests.jsonl").read_text().splitlines()]
TOKENS = "input, cache_read, cache_write_5m, output, request, recorded_usd"


def values(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts").fetchall()


def changed(store: duckdb.DuckDBPyConnection, folder: Path, **fields: Any) -> LoadReport:
    """Load the requests with other fields in the second."""
    file = folder / "changed.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [ROWS[0], {**ROWS[1], **fields}, *ROWS[2:]]))
    return load(store, [file])


@pytest.mark.parametrize("shape", SHAPES)
def test_prompts_leave_out_cached_tokens_and_reasoning_is_output(store: duckdb.DuckDBPyConnection, shape: str) -> None:
    report = load(store, [DATA / shape])
    assert (report.files[0].reader, report.total("rejected")) == ("helicone", 0)
    assert values(store, f"ts, {TOKENS}") == [
        (datetime(2026, 10, 5, 10, 0), 44, 1000, 1051, 503, 1, Decimal("0.01191825")),
        (datetime(2026, 10, 5, 10, 1), 86, 1920, 0, 300, 1, Decimal("0.0006695")),  # 108 + 192 of reasoning
        (datetime(2026, 10, 5, 10, 2), 0, 0, 0, 0, 0, Decimal(0)),  # from Helicone's own cache
        (datetime(2026, 10, 5, 10, 3), 0, 0, 0, 0, 1, None),  # refused
    ]


@pytest.mark.slow
def test_what_it_recorded_is_what_the_list_prices_say(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "requests.jsonl"])
    book = open_book()
    bring_up_to_date(store, book)
    # 44 * 3 + 1,000 * 0.30 + 1,051 * 3.75 + 503 * 15, and 86 * 0.25 + 1,920 * 0.025 + 300 * 2 USD per million
    total = spend(store, book, Query()).total
    assert total.computed_usd == total.recorded_usd == Decimal("0.01191825") + Decimal("0.0006695")


def test_who_called_what(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "requests.jsonl"])
    assert values(store, "event_id, session, agent, task, provider, model, status")[:2] == [
        (
            "helicone:2f1b8f1e-3a0b-4d0a-9f62-5e6b0b9d4c01",
            "s-42",
            "cio",
            "/briefing/draft",
            "anthropic",
            "claude-sonnet-4-5",
            "ok",
        ),
        (
            "helicone:2f1b8f1e-3a0b-4d0a-9f62-5e6b0b9d4c02",
            None,
            None,
            None,
            "openai",
            "gpt-5-mini-2025-08-07",
            "ok",
        ),
    ]
    assert [status for (status,) in values(store, "status")] == ["ok", "ok", "ok", "error"]


@pytest.mark.slow
def test_custom_properties_are_tags(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "requests.jsonl"])
    tags = [json.loads(text) for (text,) in values(store, "tags")]
    assert (tags[0]["Environment"], tags[0]["user"]) == ("production", "u-17")
    assert tags[2] == {"cache_hit": "true"}


def test_the_csv_has_fewer_columns_and_doubled_quotes(store: duckdb.DuckDBPyConnection) -> None:
    report = load(store, [DATA / "requests.csv"])
    assert (report.files[0].reader, report.total("rejected")) == ("helicone", 0)
    assert values(store, "event_id, session, model, input, output, recorded_usd") == [
        (
            "helicone:response:7b0d7a0e-6a0e-4b58-8f8e-0c6a6cf6d1a1",
            "s-42",
            "claude-sonnet-4-5",
            44,
            503,
            Decimal("0.01191825"),
        ),
        (
            "helicone:response:7b0d7a0e-6a0e-4b58-8f8e-0c6a6cf6d1a2",
            None,
            "gpt-5-mini-2025-08-07",
            86,
            108,
            Decimal("0.0006695"),
        ),
    ]


@pytest.mark.slow
def test_a_request_in_two_exports_is_one_call(store: duckdb.DuckDBPyConnection) -> None:
    report = load(store, [DATA / shape for shape in SHAPES])
    assert (report.total("entries"), report.total("added")) == (8, 4)


@pytest.mark.slow
@pytest.mark.parametrize("properties", [None, "", "text", [1, 2], 5, {"a": {"b": 1}}])
def test_properties_of_any_shape_lose_no_call(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, properties: object
) -> None:
    report = changed(store, tmp_path, request_properties=properties, request_user_id="u-1")
    assert (report.total("added"), report.total("rejected")) == (4, 0)
    assert json.loads(values(store, "tags")[1][0])["user"] == "u-1"


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [
        {"prompt_tokens": "many"},
        {"prompt_tokens": -1},
        {"prompt_cache_read_tokens": float("nan")},
        {"completion_tokens": -1, "reasoning_tokens": 9},
        {"reasoning_tokens": -1},
        {"completion_tokens": 10**13},
        {"cost": "free"},
        {"cost": -1},
        {"request_created_at": None},
    ],
)
def test_a_request_that_cannot_be_is_one_reject_and_the_others_count(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, fields: dict[str, Any]
) -> None:
    report = changed(store, tmp_path, **fields)
    assert (report.total("added"), report.total("rejected")) == (3, 1)


def test_a_page_of_helicones_api_holds_requests(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    request = {"request_created_at": "2026-09-01T10:00:00Z", "response_status": 200, "provider": "OPENAI",
               "model": "gpt-4o", "prompt_tokens": 600, "prompt_cache_read_tokens": 400, "completion_tokens": 150,
               "cost": 0.0035}  # fmt: skip
    ids = [f"{number:08}-0000-4000-8000-000000000000" for number in range(2)]
    page = {"data": [{**request, "request_id": one} for one in ids], "error": None}
    file = tmp_path / "page.json"
    file.write_text(json.dumps(page))
    report = load(store, [file])
    assert (report.files[0].reader, report.total("added"), report.total("rejected")) == ("helicone", 2, 0)
    # of each 600 uncached and 400 cached
    assert store.execute("SELECT sum(input), sum(cache_read), sum(recorded_usd) FROM usage_event").fetchall() == [
        (1200, 800, Decimal("0.007"))
    ]
