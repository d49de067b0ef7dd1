"""Bills of clouds: sums with their cost, tokens where a unit states them, credits with their sign."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load

DATA = Path(__file__).parents[2] / "data" / "usage"


def rows(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts, event_id").fetchall()


BILLED = "provider, model, processing, input, cache_read, cache_write_5m, output, request, recorded_usd, aggregated"


def test_aws_reads_the_unit_and_keeps_the_credit(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "aws-cur"])
    assert rows(store, BILLED) == [
        ("aws", "Nova2.0Pro", "standard", 1_200_500, 0, 0, 0, 0, Decimal("0.96"), True),  # 1,200.5 thousands
        ("aws", "Nova2.0Pro", "standard", 0, 3_000_000, 0, 0, 0, Decimal("0.6"), True),
        ("aws", "Nova2.0Pro", "batch", 0, 0, 0, 250_000, 0, Decimal("0.4"), True),  # a quarter of a million
        ("aws", "Nova2.0Pro", "standard", 0, 0, 0, 0, 0, Decimal("-0.5"), True),
    ]


def test_a_marketplace_unit_is_what_its_description_says_or_none(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = tmp_path / "cur.csv"
    file.write_text(
        "line_item_product_code,line_item_usage_type,line_item_usage_start_date,line_item_usage_amount,"
        "line_item_unblended_cost,pricing_unit,line_item_line_item_description,product_product_name\n"
        "x1,USE1-MP:USE1_InputTokenCount-Units,2026-03-05 00:00:00,2,6,Units,Million Input Tokens,"
        "Claude Sonnet 4.5 (Amazon Bedrock Edition)\n"
        "x1,USE1-MP:USE1_OutputTokenCount-Units,2026-03-05 01:00:00,3,45,Units,Output Tokens,"
        "Claude Sonnet 4.5 (Amazon Bedrock Edition)\n"
        "x1,USE1-MP:USE1_CacheWrite1hInputTokenCount-Units,2026-03-05 02:00:00,1,6,Units,Million tokens,"
        "Claude Sonnet 4.5 (Amazon Bedrock Edition)\n"
    )
    load(store, [file])
    assert rows(store, "model, input, cache_write_5m, cache_write_1h, output, recorded_usd") == [
        ("Claude Sonnet 4.5", 2_000_000, 0, 0, 0, Decimal(6)),
        ("Claude Sonnet 4.5", 0, 0, 0, 0, Decimal(45)),
        ("Claude Sonnet 4.5", 0, 0, 1_000_000, 0, Decimal(6)),
    ]


CUR_2 = {
    "identity_line_item_id": "a", "line_item_usage_start_date": "2026-03-05 00:00:00", "line_item_product_code": "x1",
    "line_item_usage_type": "USE1-MP:USE1_InputTokenCount-Units", "line_item_usage_amount": "2",
    "line_item_unblended_cost": "6.6", "line_item_line_item_description": "Million Input Tokens Regional",
    "pricing_unit": "Units",
    "product": '{"group":"x","product_name":"Claude Sonnet 4.5 (Amazon Bedrock Edition)","region":"us-east-1"}',
}  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_cur_2_has_the_name_of_a_marketplace_product_in_a_map(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, ending: str
) -> None:
    """2 million tokens at $3.30: of Claude, and so not taken for what another model's calls of the day cost."""
    file = tmp_path / f"cur.{ending}"
    product = "json_transform(product, '\"MAP(VARCHAR, VARCHAR)\"') AS product"
    pick = f"* REPLACE ({product})" if ending == "parquet" else "*"
    values = duckdb.connect().sql("SELECT unnest($1, recursive := true)", params=[CUR_2])
    values.project(pick).to_parquet(str(file)) if ending == "parquet" else values.to_csv(str(file))
    load(store, [file])
    assert rows(store, "model, input, recorded_usd, tags ->> '$.region'") == [
        ("Claude Sonnet 4.5", 2_000_000, Decimal("6.6"), "us-east-1")
    ]


FOCUS = {
    "BilledCost": "1", "BillingCurrency": "USD", "ChargeCategory": "Usage", "ChargePeriodStart": "2026-03-05T00:00:00Z",
    "ServiceCategory": "AI and Machine Learning",
}  # fmt: skip


@pytest.mark.parametrize(("labels", "team"), [('{"team": "research"}', "research"), ("x", None)])
def test_a_row_that_counts_tokens_has_the_tags_of_its_meter_beside_its_own(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, labels: str, team: str | None
) -> None:
    file = tmp_path / "focus.json"
    used = {"ConsumedQuantity": "2", "ConsumedUnit": "1K Tokens", "SkuMeter": "Input Tokens", "RegionId": "eu-west-1"}
    file.write_text(json.dumps([FOCUS | used | {"Tags": labels}]))
    load(store, [file])
    assert rows(store, "input, tags ->> '$.meter', tags ->> '$.region', tags ->> '$.team', team") == [
        (2000, "Input Tokens", "eu-west-1", team, team)
    ]


@pytest.mark.parametrize(
    ("row", "counted"),
    [
        (  # half a million tokens at $16.50
            {"ProviderName": "AWS", "ServiceName": "Claude Sonnet 4.5 (Amazon Bedrock Edition)", "BilledCost": "8.25",
             "x_UsageType": "USE1-MP:USE1_OutputTokenCount-Units", "ConsumedQuantity": "0.5", "ConsumedUnit": "Units",
             "ChargeDescription": "AWS Marketplace software usage|us-east-1|Million Response Tokens"},
            ("Claude Sonnet 4.5", 500_000, Decimal("8.25")),
        ),
        (
            {"ProviderName": "Google Cloud", "ServiceName": "Gemini API", "ConsumedQuantity": "40", "ConsumedUnit": "count",
             "ChargeDescription": "Generate content output token count gemini 2.5 flash text"},
            ("gemini 2.5 flash", 40, Decimal(1)),  # the service is no model
        ),
        (
            {"ProviderName": "Microsoft", "ServiceName": "Azure OpenAI", "x_SkuMeterName": "gpt 5 outpt glbl Tokens",
             "ConsumedQuantity": "2", "ConsumedUnit": "1K", "BillingCurrency": "EUR", "x_BilledCostInUsd": "1.1"},
            ("gpt 5", 2000, Decimal("1.1")),  # as Azure converts it
        ),
    ],
)  # fmt: skip
def test_focus_names_the_model_the_tokens_and_the_cost_as_each_cloud_writes_them(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, row: dict[str, str], counted: tuple[Any, ...]
) -> None:
    (tmp_path / "focus.json").write_text(json.dumps([FOCUS | row]))
    load(store, [tmp_path / "focus.json"])
    assert rows(store, "model, output, recorded_usd") == [counted]


def test_azures_newer_exports_spell_their_columns_otherwise_and_have_the_cost_in_dollars(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """1,500 thousands of input; 3.45 EUR are $3.75 by the export's own rate."""
    (tmp_path / "a.csv").write_text(
        "date,meterName,meterCategory,quantity,unitOfMeasure,billingCurrency,costInBillingCurrency,costInUsd\n"
        "03/05/2026,gpt-4o-0806-Inp-glbl Tokens,Cognitive Services,1500,1K,EUR,3.45,3.75\n"
    )
    report = load(store, [tmp_path / "a.csv"])
    assert rows(store, "model, input, recorded_usd") == [("gpt-4o-0806", 1_500_000, Decimal("3.75"))]
    assert report.unread == []


@pytest.mark.slow
def test_focus_counts_tokens_in_units_it_knows_and_no_other_service(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "focus" / "tokens.csv"])
    assert store.execute(
        "SELECT count(*), sum(input), sum(cache_read), sum(cache_write_5m), sum(output), sum(recorded_usd) FROM usage_event"
    ).fetchone() == (5, 2_000_000, 3_000_000, 1_000_000, 0, Decimal("10.15"))  # 6 + 0.9 + 3.75 + 1.5 - 2


def test_a_bill_in_euros_is_not_taken_for_dollars(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "focus.csv"
    file.write_text((DATA / "focus" / "tokens.csv").read_text().replace("USD", "EUR"))
    report = load(store, [file])
    assert (report.total("rejected"), rows(store, "event_id")) == (5, [])


def test_azures_meters_tell_model_direction_and_a_quantity(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "azure-cost"])
    assert sorted(rows(store, "provider, model, input, cache_read, output, recorded_usd")) == [
        ("azure", "gpt-4o-0806", 0, 0, 200_000, Decimal(2)),
        ("azure", "gpt-4o-0806", 0, 400_000, 0, Decimal("0.5")),
        ("azure", "gpt-4o-0806", 500_000, 0, 0, Decimal("1.25")),
    ]


@pytest.mark.slow
def test_what_a_copilot_plan_includes_is_said_beside_the_list_price(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # 100 requests x 0.04 = 4, of which 75 are included: 1 is charged; 1,000 credits x 0.01 = 10, all included
    (tmp_path / "bill.csv").write_text(
        "date,username,sku,model,quantity,unit_type,gross_amount,discount_amount,net_amount,aic_quantity,aic_gross_amount\n"
        "2026-05-31,u,copilot_premium_request,GPT-5.5,100,requests,4.00,3.00,1.00,500,5.00\n"
        "2026-06-01,u,copilot_ai_credit,GPT-5.5,1000,ai-credits,10.00,10.00,0.00,,\n"
    )
    load(store, [tmp_path / "bill.csv"])
    book = open_book()
    bring_up_to_date(store, book)
    found = spend(store, book, Query(by=("model",)))
    assert found.total.recorded_usd == 14
    assert (
        "copilot-bill counts at list price, $14.00: discounts and what plans include take $13.00 off, "
        "$1.00 is charged beyond the plans"
    ) in found.notes


def test_googles_meters_count_tokens_in_units_of_count_and_requests(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Storage by the hour, characters and images are no tokens: their rows have their cost alone."""
    meters = [
        ("Gemini 2.5 Flash GA Text Input - Predictions", "1065040", "requests"),
        ("Gemini 2.5 Flash GA Thinking Text Output - Predictions", "2000", "count"),
        ("Gemini 2.5 Flash GA Input Text Caching (Long)", "3000", "count"),
        ("Gemini 2.5 Flash GA Input Text Caching Storage", "40", "h"),
        ("Gemini 2.5 Pro Text Output - Batch Predictions", "500", "count"),
        ("Generate content cached input token count gemini 2.5 flash text", "600", "count"),
        ("Generate content output token count gemini 2.5 flash short output text non-thinking", "700", "count"),
        ("Gemini 1.5 Pro Text Input - Predictions", "8", "k{char}"),
        ("Generate_content image output token count for Gemini 2.5 Flash Native Image Generation", "900", "count"),
        ("Gemini 2.5 Flash GA Audio Input - Predictions", "50", "count"),
    ]
    head = "BilledCost,BillingCurrency,ChargePeriodStart,ChargeCategory,ServiceCategory,ServiceName,ProviderName"
    (tmp_path / "gcp.csv").write_text(
        f"{head},ChargeDescription,ConsumedQuantity,ConsumedUnit\n"
        + "".join(
            f"1,USD,2026-03-{n:02}T00:00:00Z,Usage,AI and Machine Learning,Vertex AI,Google Cloud,{name},{many},{unit}\n"
            for n, (name, many, unit) in enumerate(meters, 1)
        )
    )
    load(store, [tmp_path / "gcp.csv"])
    assert store.execute("SELECT sum(input_audio) FROM usage_event").fetchone() == (50,)
    assert rows(store, "model, processing, input, cache_read, output, recorded_usd") == [
        ("Gemini 2.5 Flash", "standard", 1_065_040, 0, 0, 1),
        ("Gemini 2.5 Flash", "standard", 0, 0, 2_000, 1),
        ("Gemini 2.5 Flash", "standard", 0, 3_000, 0, 1),
        ("Gemini 2.5 Flash", "standard", 0, 0, 0, 1),
        ("Gemini 2.5 Pro", "batch", 0, 0, 500, 1),
        ("gemini 2.5 flash", "standard", 0, 600, 0, 1),
        ("gemini 2.5 flash", "standard", 0, 0, 700, 1),
        ("Gemini 1.5 Pro", "standard", 0, 0, 0, 1),
        ("Gemini 2.5 Flash", "standard", 0, 0, 0, 1),
        ("Gemini 2.5 Flash", "standard", 0, 0, 0, 1),
    ]


def test_openais_line_items_state_model_and_level(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    items = [
        "gpt-5-mini-2025-08-07, cached input", "flex | gpt-5-mini, output", "priority | gpt-5, output, long context",
        "batch | gpt-5, input", "gpt-5, batch input", "gpt-image-1 text, input", "web search tool calls",
    ]  # fmt: skip
    results = [{"line_item": item, "amount": {"value": 1.0, "currency": "usd"}} for item in items]
    page = {"object": "page", "data": [{"start_time": 1772323200, "end_time": 1772409600, "results": results}]}
    (tmp_path / "costs.json").write_text(json.dumps(page))
    load(store, [tmp_path / "costs.json"])
    found = store.execute("SELECT tags ->> '$.line_item', model, processing FROM usage_event").fetchall()
    assert {item: (model, how) for item, model, how in found} == {
        items[0]: ("gpt-5-mini-2025-08-07", "standard"), items[1]: ("gpt-5-mini", "flex"),
        items[2]: ("gpt-5", "priority"), items[3]: ("gpt-5", "batch"), items[4]: ("gpt-5", "batch"),
        items[5]: ("gpt-image-1", "standard"), items[6]: (None, "standard"),
    }  # fmt: skip


def table(row: dict[str, str]) -> str:
    return f"{','.join(row)}\n{','.join(row.values())}\n"


def test_a_table_of_few_columns_has_the_calls_of_a_document_of_the_same_rows(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """A document may have any column in any row, of a table the header is read: ids and all else are the same."""
    more = {"ConsumedQuantity": "2", "ConsumedUnit": "1K Tokens", "SkuMeter": "Input Tokens", "BilledCost": "0.1"}
    (tmp_path / "focus.json").write_text(json.dumps([FOCUS, FOCUS | more]))
    (tmp_path / "few.csv").write_text(table(FOCUS))
    (tmp_path / "more.csv").write_text(table(FOCUS | more))
    load(store, [tmp_path / "few.csv", tmp_path / "more.csv"])
    assert rows(store, "input, recorded_usd") == [(0, Decimal(1)), (2000, Decimal("0.1"))]
    before = rows(store, "* EXCLUDE (file_id)")
    assert load(store, [tmp_path / "focus.json"]).total("added") == 0
    assert rows(store, "* EXCLUDE (file_id)") == before


@pytest.mark.parametrize(
    ("billed", "usd"),
    [("0.25", "0.250000000000000000"), ("-2", "-2.000000000000000000"), ("0.1234567890123", "0.123456789012300000")],
)
def test_a_row_of_a_bill_is_named_by_all_that_it_says(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, billed: str, usd: str
) -> None:
    """The id stays what it is from one costsim to the next: else the same file would be another bill."""
    file = tmp_path / "focus.csv"
    row = FOCUS | {"BilledCost": billed, "SkuMeter": "Input Tokens", "ConsumedQuantity": "3", "ConsumedUnit": "Tokens"}
    file.write_text(table(row))
    load(store, [file])
    [(tags,)] = rows(store, "tags")
    content = f"2026-03-05 00:00:00|:::::8:standard3|{'0|' * 12}{usd}|:::::{len(tags)}:{tags}"
    assert rows(store, "event_id") == [(f"focus:{md5(content.encode()).hexdigest()}:1",)]
