"""Anthropic's usage and cost reports, field by field: input without cached tokens, amounts in cents."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import open_book
from costsim.usage.load import LoadReport, load

DATA = Path(__file__).parents[2] / "data" / "usage"
USAGE = json.loads((DATA / "anthropic-usage" / "usage_report_messages_example.json").read_text())
COSTS = json.loads((DATA / "anthropic-costs" / "cost_report_example.json").read_text())
TOKENS = "input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request"
BOOK = open_book()


def page(example: dict[str, Any], *results: dict[str, Any]) -> dict[str, Any]:
    """The example page with these results, each the example's but for some fields."""
    whole = copy.deepcopy(example)
    [bucket] = whole["data"]
    bucket["results"] = [bucket["results"][0] | changed for changed in results]
    return whole


def loaded(store: duckdb.DuckDBPyConnection, folder: Path, *pages: Any) -> LoadReport:
    files = [folder / f"{number}.json" for number, _ in enumerate(pages)]
    for file, content in zip(files, pages, strict=True):
        file.write_text(json.dumps(content))
    return load(store, files)


def values(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts, output, recorded_usd, event_id").fetchall()


def computed_usd(store: duckdb.DuckDBPyConnection) -> Decimal:
    bring_up_to_date(store, BOOK)
    return spend(store, BOOK, Query(())).total.computed_usd


def test_the_documented_usage_report_field_by_field(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = loaded(store, tmp_path, USAGE)
    # the report counts no requests
    assert values(store, TOKENS) == [(1500, 200, 500, 1000, 500, 10, 0)]
    who = (datetime(2025, 8, 1), "anthropic", "claude-opus-5", "standard")
    assert values(store, "ts, provider, model, processing") == [who]
    assert values(store, "aggregated, context_tier, recorded_usd") == [(True, 0, None)]
    assert (report.files[0].reader, report.total("rejected")) == ("anthropic-usage", 0)
    [(tags,)] = values(store, "tags")
    assert {
        "api_key_id": "apikey_01Rj2N8SVvo6BePZj99NhmiT",
        "workspace_id": "wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ",
        "inference_geo": "global",
    }.items() <= json.loads(tags).items()


def test_the_documented_cost_report_field_by_field(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = loaded(store, tmp_path, COSTS)
    # 123.78912 cents
    assert values(store, "recorded_usd") == [(Decimal("1.2378912"),)]
    assert values(store, TOKENS) == [(0, 0, 0, 0, 0, 0, 0)]
    assert values(store, "ts, provider, model, aggregated") == [
        (datetime(2025, 8, 1), "anthropic", "claude-sonnet-4-5", True)
    ]
    [(tags,)] = values(store, "tags")
    assert json.loads(tags)["description"] == "Claude Sonnet 4.5 Usage - Input Tokens"
    assert (report.files[0].reader, report.total("rejected")) == ("anthropic-costs", 0)


@pytest.mark.slow
def test_the_context_window_decides_the_price_of_a_sum(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    # the sum of many short requests is large and still of the lower tier; a long request pays double for input
    counts = {"uncached_input_tokens": 1_000_000, "cache_read_input_tokens": 0, "output_tokens": 0}
    nothing: dict[str, Any] = {"cache_creation": None, "server_tool_use": None}
    sonnet = counts | nothing | {"model": "claude-sonnet-4-5"}
    at = datetime(2025, 8, 1, tzinfo=UTC)
    key = BOOK.resolve("claude-sonnet-4-5", "anthropic")
    assert key
    expected = Decimal(0)
    for window, tokens in (("0-200k", 0), ("200k-1M", 200_001)):
        loaded(store, tmp_path, page(USAGE, sonnet | {"context_window": window}))
        price = BOOK.price(key, "input", at=at, input_tokens=tokens)
        assert price
        expected += price.usd * 1_000_000 / price.per
        assert computed_usd(store) == expected, window
    assert expected == Decimal(3) + Decimal(6)
    assert sorted(values(store, "context_tier")) == [(0,), (200_001,)]


@pytest.mark.parametrize(
    ("fields", "processing"),
    [
        ({"service_tier": "standard"}, "standard"),
        ({"service_tier": "batch"}, "batch"),
        ({"service_tier": "priority"}, "priority"),
        ({"service_tier": "priority_on_demand"}, "priority"),
        ({"service_tier": "flex"}, "flex"),
        ({"service_tier": "flex_discount"}, "flex"),
        ({"service_tier": None}, "standard"),
        ({"service_tier": "standard", "speed": "fast"}, "fast"),
    ],
)
def test_the_service_tier_tells_the_processing(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, fields: dict[str, Any], processing: str
) -> None:
    loaded(store, tmp_path, page(USAGE, fields))
    assert values(store, "processing") == [(processing,)]


@pytest.mark.parametrize(
    "name",
    [
        "model",
        "workspace_id",
        "api_key_id",
        "account_id",
        "service_account_id",
        "service_tier",
        "context_window",
        "inference_geo",
        "speed",
    ],
)
def test_each_group_of_a_bucket_is_a_sum_of_its_own(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    report = loaded(store, tmp_path, page(USAGE, {}, {name: "other"}), page(USAGE, {name: "other"}))
    assert (report.total("entries"), report.total("added")) == (3, 2)


@pytest.mark.slow
def test_a_page_fetched_again_counts_once_and_a_grown_bucket_replaces_it(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    grown = page(USAGE, {"output_tokens": 800, "uncached_input_tokens": 2_000})
    loaded(store, tmp_path, USAGE)
    loaded(store, tmp_path, grown)
    loaded(store, tmp_path, grown, USAGE)  # an older page in another file is no correction
    assert values(store, "input, output") == [(2_000, 800)]


def test_a_report_not_grouped_by_anything_is_read(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    [example] = USAGE["data"][0]["results"]
    counts = {name: value for name, value in example.items() if not isinstance(value, str)}
    empty = copy.deepcopy(USAGE)
    empty["data"][0]["results"] = [counts]
    loaded(store, tmp_path, empty)
    assert values(store, f"model, {TOKENS}") == [(None, 1500, 200, 500, 1000, 500, 10, 0)]


@pytest.mark.slow
def test_a_pretty_page_and_pages_one_a_line_are_the_same(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    lines, pretty = tmp_path / "pages.jsonl", tmp_path / "page.json"
    lines.write_text(json.dumps(USAGE) + "\n" + json.dumps(page(USAGE, {"model": "claude-haiku-4-5"})) + "\n")
    pretty.write_text(json.dumps(USAGE, indent=4))
    report = load(store, [lines, pretty])
    assert (report.total("entries"), report.total("added")) == (3, 2)


def test_a_report_without_usage_is_read_as_none(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    report = loaded(store, tmp_path, page(USAGE))
    assert (report.total("entries"), report.total("rejected")) == (0, 0)


def test_one_bad_count_costs_its_own_result_only(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    bad: list[dict[str, Any]] = [{"model": "a", "output_tokens": -1}, {"model": "b", "uncached_input_tokens": "many"}]
    report = loaded(store, tmp_path, page(USAGE, {}, *bad))
    assert (report.total("added"), report.total("rejected")) == (1, 2)


@pytest.mark.parametrize("amount", ["100", "0.1", "0.000000000001", "12345678.123456789"])
def test_cents_are_exact_hundredths(store: duckdb.DuckDBPyConnection, tmp_path: Path, amount: str) -> None:
    loaded(store, tmp_path, page(COSTS, {"amount": amount}))
    assert values(store, "recorded_usd") == [(Decimal(amount) * Decimal("0.01"),)]


@pytest.mark.parametrize("fields", [{"amount": "1,5"}, {"amount": ""}, {"amount": None}, {"currency": "EUR"}])
def test_an_amount_that_is_no_cents_is_rejected(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, fields: dict[str, Any]
) -> None:
    report = loaded(store, tmp_path, page(COSTS, {"token_type": "output_tokens"}, fields))
    assert (report.total("added"), report.total("rejected")) == (1, 1)


@pytest.mark.parametrize("name", ["workspace_id", "description", "token_type", "model", "service_tier", "cost_type"])
def test_each_kind_of_cost_counts_by_itself(store: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    loaded(store, tmp_path, page(COSTS, {}, {name: "other", "amount": "1"}), COSTS)
    assert values(store, "recorded_usd") == [(Decimal("0.01"),), (Decimal("1.2378912"),)]


@pytest.mark.slow
def test_costs_stand_beside_computed_usage(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    loaded(store, tmp_path, USAGE, COSTS)
    # Opus 5 per million: 1,500 at $5, 200 read at $0.50, 500 at $6.25, 1,000 at $10, 500 at $25; 10 searches at $0.01
    by_class = ("0.0075", "0.0001", "0.003125", "0.01", "0.0125", "0.1")
    assert computed_usd(store) == sum(map(Decimal, by_class))
    # what the cost report states is a bill of the same days: named, not added
    [bill] = spend(store, BOOK, Query(())).sources.not_counted
    assert (bill.source, bill.covered_by, bill.usd) == ("anthropic-costs", "anthropic-usage", Decimal("1.2378912"))


CONSOLE = Path(__file__).parents[2] / "data" / "usage"


def test_the_consoles_usage_export_has_its_classes_levels_and_regions(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [CONSOLE / "anthropic-console-usage"])
    columns = "model, processing, input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request"
    assert store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts, output").fetchall() == [
        ("claude-sonnet-4-5-20250929", "standard", 4000, 20_000, 300, 100, 700, 2, 0),
        ("claude-sonnet-4-5-20250929", "batch", 9000, 0, 0, 0, 1000, 0, 0),
        ("claude-opus-4-6", "fast/us", 1000, 0, 0, 0, 50, 0, 0),
    ]


def test_the_consoles_two_exports_and_the_apis_page_are_one_spend(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """One million tokens of Sonnet 4.5 at $3, stated three times."""
    (tmp_path / "u.csv").write_text(
        "usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens\n"
        "2026-03-05,claude-sonnet-4-5-20250929,1000000,0\n"
    )
    (tmp_path / "c.csv").write_text(
        "usage_date_utc,model,usage_type,token_type,cost_usd\n2026-03-05,Claude Sonnet 4.5,message,input_no_cache,3\n"
    )
    result = {"model": "claude-sonnet-4-5-20250929", "uncached_input_tokens": 1_000_000, "output_tokens": 0}
    day = {"starting_at": "2026-03-05T00:00:00Z", "ending_at": "2026-03-06T00:00:00Z", "results": [result]}
    (tmp_path / "p.json").write_text(json.dumps({"data": [day], "has_more": False, "next_page": None}))
    load(store, [tmp_path])
    assert spend(store, open_book(), Query(("model",))).total.computed_usd == 3
