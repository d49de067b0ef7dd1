"""Logs of clouds and gateways: each class once, failures without usage, a retried delivery is no second call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.errors import UsageLogError
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


def test_azure_replies_through_the_gateway_plain_and_streamed(store: duckdb.DuckDBPyConnection) -> None:
    load(store, [DATA / "azure-apim"])
    assert rows(store, "model, status, input, cache_read, output") == [
        ("gpt-4o-2024-08-06", "ok", 388, 512, 12),
        ("gpt-4o-2024-08-06", "ok", 20, 0, 7),
        ("desk-4o", "error", 0, 0, 0),
    ]


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
