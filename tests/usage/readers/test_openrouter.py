"""OpenRouter's activity export: what it charged per generation, cached tokens within the prompt."""

from __future__ import annotations

import csv
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

FILE = Path(__file__).parents[2] / "data" / "usage" / "openrouter" / "activity.csv"
HEADER, *ROWS = list(csv.reader(FILE.read_text().splitlines()))


def values(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts").fetchall()


def changed(store: duckdb.DuckDBPyConnection, folder: Path, **cells: str) -> LoadReport:
    """Load the export with other cells in its second row."""
    row = [cells.get(name, cell) for name, cell in zip(HEADER, ROWS[1], strict=True)]
    file = folder / "changed.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([HEADER, ROWS[0], row, *ROWS[2:]])
    return load(store, [file])


def test_cached_tokens_come_out_of_the_prompt_and_reasoning_stays_in_the_completion(
    store: duckdb.DuckDBPyConnection,
) -> None:
    report = load(store, [FILE])
    assert (report.files[0].reader, report.total("rejected")) == ("openrouter", 0)
    assert values(store, "ts, input, cache_read, output, request") == [
        (datetime(2026, 6, 28, 3, 46, 57, 713000), 10389, 0, 137, 1),
        (datetime(2026, 6, 28, 3, 46, 58, 20000), 1238, 768, 300, 1),  # 2006 - 768
        (datetime(2026, 6, 28, 3, 48, 20, 500000), 812, 0, 640, 1),  # 320 of the 640 are reasoning
        (datetime(2026, 6, 28, 3, 50, 0, 1000), 1000, 0, 500, 1),
    ]


def test_who_called_what_and_how_it_ended(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [FILE])
    assert values(store, "event_id, provider, model, status") == [
        ("openrouter:gen-1782618417-NEpXKqXYIDjS7TmNrT9j", "openrouter", "openai/gpt-4o-mini", "ok"),
        ("openrouter:gen-1782618418-2yTqNcVbTzqkWmSSyZ1a", "openrouter", "anthropic/claude-4.5-haiku-20251001", "ok"),
        ("openrouter:gen-1782618500-Qm3uJx0cXv8rQfGJj5aL", "openrouter", "openai/gpt-oss-120b:free", "cancelled"),
        ("openrouter:gen-1782618600-e0YbD4Vn6sTgH1kKp9Zw", "openrouter", "openai/gpt-4o-mini", "error"),
    ]


@pytest.mark.slow
def test_what_it_charged_is_what_the_list_price_says(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [FILE])
    book = open_book()
    bring_up_to_date(store, book)
    rows = {row.keys[0]: row for row in spend(store, book, Query(("model",))).rows}
    # 1,238 * 1 + 768 * 0.10 + 300 * 5 USD per million
    haiku = rows["openrouter/anthropic/claude-haiku-4.5"]
    assert haiku.computed_usd == haiku.recorded_usd == Decimal("0.0028148")


def test_the_app_the_key_and_the_provider_behind_are_tags(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [FILE])
    tags = [json.loads(text) for (text,) in values(store, "tags")]
    assert tags[1] == {
        "app_name": "Research desk",
        "api_key_name": "Primary",
        "user": "cio",
        "variant": "standard",
        "provider_name": "Anthropic",
        "byok": None,
    }
    assert tags[3]["byok"] == "true"  # the provider's own part is on another bill


def test_a_call_with_ones_own_key_records_what_openrouter_took(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [FILE])
    assert values(store, "recorded_usd")[3] == (Decimal("0.0000225"),)  # 5 % of 0.00045


@pytest.mark.slow
def test_the_export_again_adds_nothing(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(store, [FILE])
    assert changed(store, tmp_path, app_name="Renamed").total("added") == 0


@pytest.mark.parametrize(
    "cells",
    [
        {"tokens_prompt": "many"},
        {"tokens_prompt": "-1"},
        {"tokens_prompt": "NaN"},
        {"tokens_completion": "9" * 40},
        {"tokens_cached": "2007"},  # more than the prompt has
        {"tokens_cached": "-3"},
        {"cost_total": "free"},
        {"cost_total": "-0.1"},
        {"created_at": "yesterday"},
    ],
)
def test_a_row_that_cannot_be_is_one_reject_and_the_others_count(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, cells: dict[str, str]
) -> None:
    report = changed(store, tmp_path, **cells)
    assert (report.total("added"), report.total("rejected")) == (3, 1)
    assert "changed.csv:3:" in report.first_rejects[0]


@pytest.mark.parametrize("variant", ["nitro", "floor", "exacto"])
def test_a_variant_that_chooses_among_providers_is_the_same_model(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, variant: str
) -> None:
    changed(store, tmp_path, model_permaslug=f"anthropic/claude-4.5-haiku-20251001:{variant}", variant=variant)
    assert values(store, "model")[1] == ("anthropic/claude-4.5-haiku-20251001",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variant", "usd"),
    [
        ("standard", "0.0028148"),  # claude-haiku-4.5: 1,238 x 1 + 768 x 0.10 + 300 x 5 = 2,814.8 millionths
        ("thinking", "0.0028148"),
        ("online", "0.0028148"),
        ("free", "0"),  # stated as free, which is not unpriced
    ],
)
def test_a_variant_costs_what_its_model_does_but_for_the_free_one(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, variant: str, usd: str
) -> None:
    changed(store, tmp_path, variant=variant, tokens_prompt="2006", created_at="2026-06-30 00:00:00")
    book = open_book()
    bring_up_to_date(store, book)
    found = spend(store, book, Query(("day",)))
    last = next(row for row in found.rows if row.keys == ("2026-06-30",))
    assert (last.computed_usd, last.unpriced_tokens) == (Decimal(usd), 0)
    assert any("the fee of its searches" in note for note in found.notes) == (variant == "online")


def test_the_fee_of_a_web_search_is_named(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = changed(store, tmp_path, cost_web_search="0.02", cost_total="0.0228148")
    assert [(unread.field, unread.total) for unread in report.unread] == [("cost_web_search", Decimal("0.02"))]


def test_the_activity_endpoint_has_sums_of_days_and_its_own_cost(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    row = {"date": "2026-09-01", "model": "openai/gpt-4o", "model_permaslug": "openai/gpt-4o-2024-08-06",
           "endpoint_id": "e1", "provider_name": "OpenAI", "usage": 0.0035, "byok_usage_inference": 0, "requests": 3,
           "prompt_tokens": 1000, "completion_tokens": 150, "reasoning_tokens": 20}  # fmt: skip
    file = tmp_path / "activity.json"
    file.write_text(json.dumps({"data": [row, {**row, "endpoint_id": "e2", "provider_name": "Azure"}]}))
    for _ in range(2):
        report = load(store, [file])
    assert (report.files[0].reader, report.total("rejected")) == ("openrouter-days", 0)
    columns = "provider, model, input, output, request, recorded_usd, aggregated"
    sums = ("openrouter", "openai/gpt-4o", 1000, 150, 3, Decimal("0.0035"), True)
    assert values(store, columns) == [sums, sums]
    assert store.execute("SELECT count(*) FROM unread").fetchall() == [(0,)]
