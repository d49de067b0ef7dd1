"""The CSV files that OpenAI's dashboard exports: the fields of its pages, one result a row."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.usage.load import load

DATA = Path(__file__).parents[2] / "data" / "usage"
USAGE = DATA / "openai-usage" / "completions_export.csv"
COSTS = DATA / "openai-costs" / "costs_export.csv"


def values(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts, output DESC, recorded_usd").fetchall()


def test_two_rows_of_one_key_are_two_sums_and_an_empty_bucket_is_none(store: duckdb.DuckDBPyConnection) -> None:
    report = load(store, [USAGE])
    assert (report.files[0].reader, report.total("rejected")) == ("openai-usage", 0)
    assert values(store, "ts, model, processing, request, input, cache_read, output") == [
        (datetime(2025, 10, 5), "gpt-4o-2024-08-06", "standard", 10, 53_440, 5_760, 10_646),
        (datetime(2025, 10, 6), "gpt-5-2025-08-07", "standard", 8, 38_072, 8_192, 60_000),
        (datetime(2025, 10, 6), "gpt-5-2025-08-07", "standard", 1, 5_783, 0, 16_000),
        (datetime(2025, 10, 7), "gpt-5-mini-2025-08-07", "batch", 21, 80_992, 0, 274_770),
    ]


def test_of_alike_rows_one_that_is_refused_is_always_the_same(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    header, row, *_ = USAGE.read_text().splitlines()
    cells = row.split(",")[:-1]
    file = tmp_path / "thrice.csv"
    file.write_text("\n".join([header, row, ",".join((*cells, "0.x")), row]) + "\n")
    assert load(store, [file]).total("rejected") == 1
    names = [event_id for (event_id,) in store.execute("SELECT event_id FROM usage_event ORDER BY ALL").fetchall()]
    assert names == [names[0], f"{names[0]}|3"]


@pytest.mark.slow
def test_an_export_in_another_order_is_the_same_calls(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    load(store, [USAGE])
    header, *rows = USAGE.read_text().splitlines()
    other = tmp_path / "other.csv"
    other.write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert load(store, [other]).total("added") == 0


@pytest.mark.slow
def test_a_page_and_an_export_of_one_bucket_are_the_same_sum(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    result = {
        "object": "organization.usage.completions.result",
        "input_tokens": 59_200,
        "input_cached_tokens": 5_760,
        "output_tokens": 10_646,
        "num_model_requests": 10,
        "project_id": "proj_desk",
        "user_id": "user-cio",
        "api_key_id": "key_desk",
        "model": "gpt-4o-2024-08-06",
        "batch": False,
        "service_tier": "default",
    }
    page = {"object": "page", "data": [{"start_time": 1759622400, "end_time": 1759708800, "results": [result]}]}
    file = tmp_path / "page.json"
    file.write_text(json.dumps(page))
    load(store, [USAGE])
    assert load(store, [file]).total("added") == 0


def test_costs_are_attributed_to_the_model_of_their_line_item(store: duckdb.DuckDBPyConnection) -> None:
    report = load(store, [COSTS])
    assert (report.files[0].reader, report.total("rejected")) == ("openai-costs", 0)
    assert values(store, "ts, model, recorded_usd, request") == [
        (datetime(2025, 10, 5), None, Decimal("0.03"), 0),  # web search
        (datetime(2025, 10, 5), "gpt-4o-2024-08-06", Decimal("0.2408"), 0),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "other"), [("10646.0", "10646.5"), ("10646.0", "-1"), ("59200.0", "NaN")])
def test_a_cell_that_is_no_count_is_one_reject(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, cell: str, other: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(USAGE.read_text().replace(cell, other, 1))
    report = load(store, [file])
    assert (report.total("added"), report.total("rejected")) == (3, 1)
    assert f"{file}:2:" in report.first_rejects[0]
