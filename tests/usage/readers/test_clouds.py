"""Logs of clouds and gateways: each class once, failures without usage, a retried delivery is no second call."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import spend
from costsim.errors import UsageLogError
from costsim.pricing.book import open_book
from costsim.usage.load import load

DATA = Path(__file__).parents[2] / "data" / "usage"


def rows(store: duckdb.DuckDBPyConnection, columns: str) -> list[tuple[Any, ...]]:
    return store.execute(f"SELECT {columns} FROM usage_event ORDER BY ts, event_id").fetchall()


@pytest.mark.parametrize("file", ["invocations.jsonl", "cloudwatch.json"])
def test_bedrock_from_s3_and_from_cloudwatch(store: duckdb.DuckDBPyConnection, file: str) -> None:
    report = load(store, [DATA / "bedrock" / file])
    assert (report.files[0].reader, report.total("rejected")) == ("bedrock", 0)
    columns = "model, status, input, cache_read, cache_write_5m, cache_write_1h, output"
    assert rows(store, columns) == [
        # 300 of the 500 tokens written are to last an hour
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "ok", 40, 3000, 200, 300, 200),
        ("amazon.nova-pro-v1:0", "ok", 70, 0, 0, 0, 9),  # counted twice under one request id
        ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", "error", 0, 0, 0, 0, 0),
    ]


@pytest.mark.parametrize("model", ["", None])
def test_a_bedrock_call_of_no_model_is_unpriced_and_not_lost(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, model: str | None
) -> None:
    good, *_ = (DATA / "bedrock" / "invocations.jsonl").read_text().splitlines()
    counts = {"input": {"inputTokenCount": 70}, "output": {"outputTokenCount": 9}}
    entry = json.loads(good) | {"requestId": "req-9", "modelId": model} | counts
    (tmp_path / "a.jsonl").write_text(f"{good}\n{json.dumps(entry)}\n")
    load(store, [tmp_path / "a.jsonl"])
    assert (None, 70, 9) in rows(store, "model, input, output")


def bedrock(model: str, reply: object, **counts: int) -> str:
    """A line of Bedrock's log: 1,000 tokens in and 100 out, and the reply."""
    counts = {"inputTokenCount": 1000, "outputTokenCount": 100} | counts
    sides = {side: {name: n for name, n in counts.items() if (name[0] == "o") == (side == "output")}
             for side in ("input", "output")}  # fmt: skip
    entry = {"timestamp": "2026-03-05T10:00:00Z", "requestId": "r-1", "operation": "InvokeModel", "modelId": model}
    return json.dumps({**entry, **sides, "output": {**sides["output"], "outputBodyJson": reply}}) + "\n"


REPLIES = {  # of the families of models, each in its own words
    "meta.llama3-3-70b-instruct-v1:0": {"generation": "", "prompt_token_count": 1000, "generation_token_count": 100},
    "mistral.mistral-large-3-675b-instruct": {
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
    },
    "amazon.titan-text-express-v1": {"inputTextTokenCount": 1000, "results": [{"tokenCount": 100}]},
    "amazon.titan-embed-text-v2:0": {"embedding": [0.1, 0.2], "inputTextTokenCount": 1000},
    "cohere.command-r-plus-v1:0": {"meta": {"billed_units": {"input_tokens": 900}, "tokens": {"output_tokens": 100}}},
    "amazon.nova-lite-v1:0": [
        {"messageStart": {"role": "assistant"}},
        {"metadata": {"usage": {"inputTokens": 1000, "outputTokens": 100, "cacheReadInputTokenCount": 0}}},
    ],
}


@pytest.mark.parametrize("model", REPLIES)
def test_every_family_of_bedrocks_replies_repeats_the_log_and_is_no_unread_usage(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, model: str
) -> None:
    (tmp_path / "a.jsonl").write_text(bedrock(model, REPLIES[model]))
    report = load(store, [tmp_path / "a.jsonl"])
    assert (rows(store, "model, input, output"), report.unread) == ([(model, 1000, 100)], [])


def test_a_streamed_reply_says_how_long_its_writes_last(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """2,000 tokens written, 1,500 of them for an hour; the rest of the chunks repeats the log."""
    written = {"ephemeral_5m_input_tokens": 500, "ephemeral_1h_input_tokens": 1500}
    usage = {"input_tokens": 1000, "cache_creation_input_tokens": 2000, "cache_creation": written}
    chunks = [{"type": "ping"}, {"type": "message_start", "message": {"usage": usage}},
              {"type": "message_delta", "usage": {"output_tokens": 100}}]  # fmt: skip
    line = bedrock("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", chunks, cacheWriteInputTokenCount=2000)
    (tmp_path / "a.jsonl").write_text(line)
    report = load(store, [tmp_path / "a.jsonl"])
    assert rows(store, "input, cache_write_5m, cache_write_1h, output") == [(1000, 500, 1500, 100)]
    assert report.unread == []


def test_a_prompt_router_says_which_model_answered(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    arn = "arn:aws:bedrock:us-east-1:1:{}/{}"
    routed = {"promptRouter": {"invokedModelId": arn.format("inference-profile", "us.amazon.nova-lite-v1:0")}}
    line = bedrock(arn.format("default-prompt-router", "amazon.nova:1"), {"trace": routed})
    (tmp_path / "a.jsonl").write_text(line)
    load(store, [tmp_path / "a.jsonl"])
    assert rows(store, "model") == [("us.amazon.nova-lite-v1:0",)]


def test_a_reply_of_optimized_latency_is_not_said_to_be_standard(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    line = bedrock("us.amazon.nova-pro-v1:0", {"performanceConfig": {"latency": "optimized"}})
    (tmp_path / "a.jsonl").write_text(line)
    report = load(store, [tmp_path / "a.jsonl"])
    assert rows(store, "processing") == [("latency-optimized",)]
    assert len(report.signs) == 1  # priced at standard prices, and named


@pytest.mark.slow
def test_both_ways_of_a_bedrock_log_are_the_same_calls(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "bedrock"])
    assert len(rows(store, "event_id")) == 3


def test_vertex_prompts_include_the_cache_and_candidates_leave_out_thoughts(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "vertex"])
    assert rows(store, "provider, model, input, cache_read, output") == [
        ("google", "gemini-2.5-flash", 200, 1000, 430),
        ("google", "gemini-2.5-flash", 5, 0, 0),
    ]


def vertex(file: Path, reply: object, place: str = "global", maker: str = "anthropic/models/claude-sonnet-4-5") -> None:
    resource = f"projects/p/locations/{place}/publishers/{maker}"
    row = {"logging_time": "2026-03-05 10:00:00 UTC", "request_id": "1", "endpoint": resource, "full_response": reply}
    file.write_text(json.dumps({**row, "model": f"publishers/{maker}"}) + "\n")


USED = {"input_tokens": 1000, "cache_creation_input_tokens": 500, "cache_read_input_tokens": 300, "output_tokens": 100}


@pytest.mark.parametrize(
    ("place", "usd"),
    [
        # Sonnet 4.5: 3, 3.75, 0.30 and 15 per million; a tenth more in a region
        ("global", "0.006465"),  # (1000 x 3 + 500 x 3.75 + 300 x 0.30 + 100 x 15) / 10^6
        ("us-east5", "0.0071115"),  # 0.006465 x 1.1
    ],
)
def test_claude_on_vertex_costs_a_tenth_more_in_a_region(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, place: str, usd: str
) -> None:
    vertex(tmp_path / "v.jsonl", {"id": "msg_vrtx_1", "usage": USED}, place)
    load(store, [tmp_path / "v.jsonl"])
    assert spend(store, open_book(), Query(("model",))).total.computed_usd == Decimal(usd)


def test_a_stream_of_claude_on_vertex_has_its_input_first_and_its_output_last(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    begun = {"type": "message_start", "message": {"id": "msg_vrtx_2", "usage": USED | {"output_tokens": 1}}}
    vertex(tmp_path / "v.jsonl", [begun, {"type": "message_delta", "usage": {"output_tokens": 100}}, {"type": "end"}])
    report = load(store, [tmp_path / "v.jsonl"])
    columns = "response_id, input, cache_read, cache_write_5m, output"
    assert rows(store, columns) == [("msg_vrtx_2", 1000, 300, 500, 100)]
    assert report.unread == []


def test_other_makers_on_vertex_count_as_openai_does(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 200}}
    usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, **details}
    vertex(tmp_path / "v.jsonl", {"id": "x", "usage": usage}, maker="meta/models/llama-3.3-70b-instruct-maas")
    report = load(store, [tmp_path / "v.jsonl"])
    assert rows(store, "input, cache_read, output") == [(800, 200, 100)]
    assert report.unread == []


def test_azure_replies_through_the_gateway_plain_and_streamed(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "azure-apim"])
    assert rows(store, "model, status, input, cache_read, output") == [
        ("gpt-4o-2024-08-06", "ok", 388, 512, 12),
        ("gpt-4o-2024-08-06", "ok", 20, 0, 7),
        ("desk-4o", "error", 0, 0, 0),
    ]


def test_a_stream_of_claude_through_the_gateway_has_its_input_first(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    usage = {"input_tokens": 1000, "cache_read_input_tokens": 400, "output_tokens": 1}
    begun = {"type": "message_start", "message": {"id": "msg_1", "model": "claude-sonnet-4-5", "usage": usage}}
    events = (begun, {"type": "message_delta", "usage": {"output_tokens": 100}}, {"type": "message_stop"})
    body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
    said = {"backendUrl": "https://x/anthropic/v1/messages", "responseCode": 200, "backendResponseBody": body}
    line = {"category": "GatewayLogs", "correlationId": "c", "time": "2026-03-05T10:00:00Z", "properties": said}
    (tmp_path / "a.jsonl").write_text(json.dumps(line) + "\n")
    report = load(store, [tmp_path / "a.jsonl"])
    assert rows(store, "response_id, model, input, cache_read, output") == [
        ("msg_1", "claude-sonnet-4-5", 1000, 400, 100)
    ]
    assert report.unread == []


def test_an_insights_export_of_bedrocks_log_is_read(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    entry = {"schemaType": "ModelInvocationLog"} | json.loads(bedrock("us.amazon.nova-lite-v1:0", {}))
    quoted = json.dumps(entry).replace('"', '""')
    (tmp_path / "i.csv").write_text(f'@timestamp,@message\n2026-03-05 10:00:00.000,"{quoted}"\n')
    load(store, [tmp_path / "i.csv"])
    assert rows(store, "model, input, output") == [("us.amazon.nova-lite-v1:0", 1000, 100)]


def test_a_reply_that_the_gateway_cut_is_rejected_and_not_free(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    entry = json.loads((DATA / "azure-apim" / "gateway.jsonl").read_text().splitlines()[0])
    entry["properties"]["backendResponseBody"] = entry["properties"]["backendResponseBody"][:60]
    file = tmp_path / "cut.jsonl"
    file.write_text(json.dumps(entry))
    assert "cut before it" in load(store, [file]).first_rejects[0]
    assert rows(store, "input") == []


def test_azures_own_log_is_refused_by_name(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    file = tmp_path / "diagnostic.jsonl"
    file.write_text('{"category": "RequestResponse", "operationName": "x", "properties": {"requestLength": 5}}\n')
    with pytest.raises(UsageLogError, match="has no tokens"):
        load(store, [file])
    assert load(store, [tmp_path]).unreadable  # in a folder it is named, and the rest is read


def test_portkeys_own_cache_asks_no_provider_and_its_cost_has_no_unit(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "portkey"])
    assert rows(store, "model, status, input, cache_read, output, request, recorded_usd") == [
        ("gpt-5-2025-08-07", "ok", 260, 640, 40, 1, None),
        ("gpt-5", "ok", 0, 0, 0, 0, None),
        ("gpt-5", "error", 0, 0, 0, 1, None),
    ]
