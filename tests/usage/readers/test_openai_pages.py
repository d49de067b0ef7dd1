"""OpenAI's organization pages, field by field: sums over a bucket, cached tokens inside the input."""

from __future__ import annotations

import copy
import csv
import json
import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import open_book
from costsim.tokens import MEDIA_CLASSES
from costsim.usage.load import LoadReport, load

DATA = Path(__file__).parents[2] / "data" / "usage"
USAGE = json.loads((DATA / "openai-usage" / "usage_completions_page_example.json").read_text())
COSTS = json.loads((DATA / "openai-costs" / "costs_page_example.json").read_text())
START = 1730419200  # 2024-11-01 00:00 UTC


def page(example: dict[str, Any], *results: dict[str, Any], start: int = START) -> dict[str, Any]:
    """The example page with one bucket of these results, each the example's but for some fields."""
    whole = copy.deepcopy(example)
    [bucket] = whole["data"]
    bucket["start_time"], bucket["end_time"] = start, start + 86_400
    bucket["results"] = [bucket["results"][0] | changed for changed in results]
    return whole


def loaded(store: duckdb.DuckDBPyConnection, folder: Path, *pages: Any) -> LoadReport:
    files = [folder / f"{number}.json" for number, _ in enumerate(pages)]
    for file, content in zip(files, pages, strict=True):
        file.write_text(json.dumps(content))
    return load(store, files)


def values(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts, output, input, recorded_usd").fetchall()


def test_the_documented_usage_page_field_by_field(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = loaded(store, tmp_path, USAGE)
    [result] = USAGE["data"][0]["results"]
    # input_tokens 1000 = 500 uncached + 400 cached + 100 written, of which audio and images are 50 each, and of the output
    tokens = "input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request"
    assert values(store, tokens) == [
        (result["input_text_tokens"], result["input_cached_text_tokens"], 100, 0, result["output_text_tokens"], 0, 5)
    ]
    assert values(store, ", ".join(MEDIA_CLASSES)) == [(50, 50, 50, 50, 50, 50)]
    assert values(store, "ts, provider, model, processing") == [(datetime(2024, 11, 1), "openai", None, "standard")]
    assert values(store, "aggregated, context_tier, recorded_usd") == [(True, None, None)]
    assert (report.files[0].reader, report.total("rejected")) == ("openai-usage", 0)


def test_the_documented_costs_page_field_by_field(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = loaded(store, tmp_path, COSTS)
    assert values(store, "ts, provider, model, recorded_usd") == [
        (datetime(2024, 11, 1), "openai", None, Decimal("0.06"))
    ]
    assert values(store, "aggregated, request, input + cache_read + cache_write_5m + output") == [(True, 0, 0)]
    assert (report.files[0].reader, report.total("rejected")) == ("openai-costs", 0)


@pytest.mark.slow
def test_usage_without_a_model_is_unpriced_and_not_free(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    book = open_book()
    loaded(store, tmp_path, page(USAGE, {}, {"model": "gpt-4o-2024-08-06"}))
    bring_up_to_date(store, book)
    found = spend(store, book, Query(("model",)))
    # gpt-4o: 500 + 100 written at $2.50, 400 cached at $1.25 and 500 output at $10 a million = $0.007
    assert found.total.computed_usd == Decimal("0.007")
    assert found.total.unpriced_tokens == 1_500
    assert len(found.unpriced_models) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "processing"),
    [
        ({"batch": True}, "batch"),
        ({"batch": False}, "standard"),
        ({"batch": True, "service_tier": "default"}, "batch"),
        ({"service_tier": "flex"}, "flex"),
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "default"}, "standard"),
        ({"batch": None, "service_tier": None}, "standard"),
    ],
)
def test_batch_and_service_tier_tell_the_processing(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, fields: dict[str, Any], processing: str
) -> None:
    loaded(store, tmp_path, page(USAGE, fields))
    assert values(store, "processing") == [(processing,)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "fields",
    [
        {"model": "gpt-5-mini"},
        {"project_id": "proj_a"},
        {"user_id": "proj_a"},
        {"api_key_id": "proj_a"},
        {"batch": True},
        {"batch": False},
        {"service_tier": "flex"},
    ],
)
def test_each_group_of_a_bucket_is_a_sum_of_its_own(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, fields: dict[str, Any]
) -> None:
    others = [{}, {"model": "gpt-4o"}, {"project_id": "p"}, {"user_id": "p"}, {"api_key_id": "p"}]
    report = loaded(store, tmp_path, page(USAGE, fields, *others), page(USAGE, *others))
    assert report.total("added") == 6


@pytest.mark.slow
def test_a_page_fetched_again_counts_nothing_and_a_grown_bucket_only_its_growth(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    loaded(store, tmp_path, page(USAGE, {"model": "gpt-4o"}))
    assert loaded(store, tmp_path / "..", page(USAGE, {"model": "gpt-4o"})).total("added") == 0
    grown = {"model": "gpt-4o", "output_tokens": 700, "num_model_requests": 7}
    loaded(store, tmp_path, page(USAGE, grown), page(USAGE, {"model": "gpt-4o"}, start=START + 86_400))
    assert values(store, "output, request") == [(600, 7), (400, 5)]  # text


@pytest.mark.slow
def test_pages_one_a_line_are_the_same_as_files(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    pages = [page(USAGE, {"model": "gpt-4o"}, start=START + day * 86_400) for day in range(3)]
    lines = tmp_path / "pages.jsonl"
    lines.write_text("".join(json.dumps(each) + "\n" for each in pages))
    assert load(store, [lines]).total("added") == 3
    assert loaded(store, tmp_path, *pages, pages).total("added") == 0


def test_a_page_without_usage_is_read_as_none(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = loaded(store, tmp_path, page(USAGE))
    assert (report.total("entries"), report.total("rejected")) == (0, 0)


def test_projects_users_and_keys_can_be_attributed(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    ids = {"project_id": "proj_1", "user_id": "user_2", "api_key_id": "key_3"}
    loaded(store, tmp_path, page(USAGE, ids))
    [(tags,)] = values(store, "tags")
    assert ids.items() <= json.loads(tags).items()


def test_more_cached_than_input_is_rejected(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = loaded(store, tmp_path, page(USAGE, {"input_cached_tokens": 950}, {"model": "gpt-4o"}))
    assert (report.total("added"), report.total("rejected")) == (1, 1)
    assert "negative" in report.first_rejects[0]


def test_line_items_and_projects_are_costs_of_their_own(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    items = [
        {"line_item": "gpt-4o-2024-08-06, input", "project_id": "proj_1", "amount": {"value": 1.25, "currency": "usd"}},
        {"line_item": "gpt-4o-2024-08-06, output", "project_id": "proj_1", "amount": {"value": 2.5, "currency": "usd"}},
        {"line_item": "gpt-4o-2024-08-06, output", "project_id": "proj_2", "amount": {"value": 4, "currency": "USD"}},
    ]
    loaded(store, tmp_path, page(COSTS, *items))
    assert values(store, "sum(recorded_usd) OVER ()")[0] == (Decimal("7.75"),)
    assert [json.loads(tags)["line_item"] for (tags,) in values(store, "tags")] == [item["line_item"] for item in items]


@pytest.mark.parametrize(
    "amount", [{"value": 5, "currency": "eur"}, {"value": "n/a", "currency": "usd"}, {"value": None, "currency": "usd"}]
)
def test_an_amount_that_is_no_dollars_is_rejected(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, amount: dict[str, Any]
) -> None:
    report = loaded(store, tmp_path, page(COSTS, {"amount": amount}))
    assert (report.total("added"), report.total("rejected")) == (0, 1)


@pytest.mark.slow
def test_a_cost_that_grew_since_the_last_fetch_replaces_it(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for value in (0.06, 0.09, 0.09):
        loaded(store, tmp_path, page(COSTS, {"amount": {"value": value, "currency": "usd"}}))
    assert values(store, "recorded_usd") == [(Decimal("0.09"),)]


def test_completions_and_embeddings_of_a_bucket_are_two_sums(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    embeddings = {"object": "organization.usage.embeddings.result", "input_tokens": 70, "num_model_requests": 2}
    other = page(USAGE, {})
    other["data"][0]["results"] = [embeddings | {"model": None, "project_id": None}]
    report = loaded(store, tmp_path, page(USAGE, {}), other)
    assert report.total("added") == 2
    assert values(store, "input, output") == [(70, 0), (400, 400)]


@pytest.mark.slow
def test_the_dashboards_exports_have_the_same_fields(store: duckdb.DuckDBPyConnection) -> None:
    exports = [DATA / "openai-usage" / "completions_export.csv", DATA / "openai-costs" / "costs_export.csv"]
    report = load(store, exports)
    assert {file.reader for file in report.files} == {"openai-usage", "openai-costs"}
    assert report.total("rejected") == 0
    usage, costs = (list(csv.DictReader(file.read_text().splitlines())) for file in exports)
    for name, column in (("output_tokens", "output"), ("num_model_requests", "request")):
        total = sum(Decimal(row[name] or 0) for row in usage)
        assert store.execute(f"SELECT sum({column}) FROM usage_event").fetchone() == (total,)
    billed = sum(Decimal(row["amount_value"] or 0) for row in costs)
    assert store.execute("SELECT sum(recorded_usd) FROM usage_event").fetchone() == (billed,)


@pytest.mark.slow
def test_a_page_and_the_dashboards_export_of_a_bucket_are_one_sum(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ids = {"model": "gpt-4o", "project_id": "p", "user_id": "u", "api_key_id": "k", "service_tier": "default"}
    loaded(store, tmp_path, page(USAGE, ids | {"batch": False}))
    row = {"start_time": START, **ids, "batch": "FALSE", "num_model_requests": "5.0"}
    row |= {"input_tokens": "1000.0", "input_cached_tokens": "400.0", "output_tokens": "500.0"}
    file = tmp_path / "export.csv"
    file.write_text(",".join(row) + "\n" + ",".join(map(str, row.values())) + "\n")
    assert (load(store, [file]).total("entries"), len(values(store, "1"))) == (1, 1)


def test_a_batchs_output_costs_half(store: duckdb.DuckDBPyConnection) -> None:
    """gpt-4o-mini's batches: 0.075 in, cached tokens as any, 0.30 out a million; the failed request costs nothing.

    (3,500 x 0.075 + 460 x 0.30) / 10^6 = 0.0004005
    """
    load(store, [Path(__file__).parents[2] / "data" / "usage" / "openai-batch"])
    total = spend(store, open_book(), Query(("model",))).total
    assert (total.calls, total.computed_usd) == (2, Decimal("0.0004005"))


def test_an_embedding_of_a_batch_counts_at_the_files_date(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Its body states no time. 1,000 tokens of text-embedding-3-small at half of 0.02 a million."""
    body = {
        "object": "list",
        "model": "text-embedding-3-small",
        "usage": {"prompt_tokens": 1_000, "total_tokens": 1_000},
    }
    line = {"id": "batch_req_1", "custom_id": "a", "response": {"status_code": 200, "body": body}, "error": None}
    file = tmp_path / "e.jsonl"
    file.write_text(json.dumps(line) + "\n")
    os.utime(file, (1_791_200_000, 1_791_200_000))
    load(store, [file])
    assert values(store, "ts::DATE::VARCHAR, input, processing") == [("2026-10-05", 1_000, "batch")]
