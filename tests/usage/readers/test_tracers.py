"""Tracers: the leaves of a tree, the parts of one span, the unit of a recorded cost."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load

pytestmark = pytest.mark.slow

COLUMNS = "model, status, input, cache_read, cache_write_5m, cache_write_1h, output, recorded_usd"


def loaded(
    store: duckdb.DuckDBPyConnection, folder: Path, reader: str, *lines: dict[str, Any]
) -> list[tuple[Any, ...]]:
    file = folder / "spans.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    report = load(store, [file])
    assert (report.files[0].reader, report.total("rejected")) == (reader, 0)
    return store.execute(f"SELECT {COLUMNS} FROM usage_event ORDER BY ts, event_id").fetchall()


def call(number: int, parent: int | None, usage: dict[str, Any], **fields: Any) -> dict[str, Any]:
    ids = {"id": f"c{number}", "parent_id": parent and f"c{parent}", "trace_id": "t", "project_id": "e/p"}
    times = {"started_at": f"2026-09-01T10:00:{number:02}Z", "op_name": "weave:///e/p/op/chat:v1"}
    return {**ids, **times, "summary": {"usage": usage, **fields}}


def test_a_weave_parent_is_a_sum_and_providers_name_their_counts(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    openai = {"prompt_tokens": 1000, "completion_tokens": 50, "requests": 1, "cache_read_input_tokens": 400}
    claude = {"input_tokens": 30, "output_tokens": 5, "cache_read_input_tokens": 900, "requests": 1}
    costs = {"gpt-5": {"prompt_tokens_total_cost": 0.25, "completion_tokens_total_cost": 0.5,
                       "cache_read_input_tokens_total_cost": 0.125, "prompt_token_cost_unit": "USD"}}  # fmt: skip
    lines = (
        call(1, None, {"gpt-5": openai, "claude-sonnet-4-5": claude}),
        call(2, 1, {}),
        call(3, 2, {"gpt-5": openai}, weave={"costs": costs}),
        call(4, 1, {"claude-sonnet-4-5": claude}),
    )
    assert loaded(store, tmp_path, "weave", *lines) == [
        ("gpt-5", "ok", 600, 400, 0, 0, 50, Decimal("0.875")),  # cached tokens within the prompt
        ("claude-sonnet-4-5", "ok", 30, 900, 0, 0, 5, None),  # and beside it
    ]


def test_parts_of_a_braintrust_span_are_one_call(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    common = {"id": "row-1", "span_id": "s1", "root_span_id": "r", "span_attributes": {"type": "llm", "name": "chat"}}
    begun = {**common, "metrics": {"start": 1788256800.5}, "metadata": {"model": "claude-sonnet-4-5"}}
    counts = {"prompt_tokens": 1000, "completion_tokens": 40, "tokens": 1040, "prompt_cached_tokens": 600,
              "prompt_cache_creation_5m_tokens": 100, "prompt_cache_creation_1h_tokens": 200}  # fmt: skip
    ended = {"id": "row-1", "span_id": "s1", "root_span_id": "r", "_is_merge": True, "metrics": counts}
    task = {**common, "span_id": "s0", "span_attributes": {"type": "task"}, "metrics": counts}
    failed = {**begun, "span_id": "s2", "error": "overloaded", "metrics": {"start": 1788256900}}
    assert loaded(store, tmp_path, "braintrust", task, begun, ended, failed) == [
        ("claude-sonnet-4-5", "ok", 100, 600, 100, 200, 40, None),
        ("claude-sonnet-4-5", "error", 0, 0, 0, 0, 0, None),
    ]


def test_datadog_estimates_in_nanodollars_and_inner_spans_count(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    def span(number: int, kind: str, **metrics: Any) -> dict[str, Any]:
        meta = {"span": {"kind": kind}, "model_name": "gpt-5", "model_provider": "openai"}
        ids = {"trace_id": "t", "span_id": f"s{number}", "parent_id": f"s{number - 1}" if number > 1 else "undefined"}
        return {
            **ids,
            "name": "chat",
            "start_ns": 1788256800000000000 + number,
            "status": "ok",
            "meta": meta,
            "metrics": metrics,
        }

    counts = {"input_tokens": 500, "output_tokens": 20, "total_tokens": 520, "cache_read_input_tokens": 128}
    lines = (
        span(1, "agent", **counts),
        span(2, "llm", **counts),
        span(3, "llm", estimated_total_cost=1500000, **counts),
    )
    # 1,500,000 nanodollars
    assert loaded(store, tmp_path, "datadog", *lines) == [("gpt-5", "ok", 372, 128, 0, 0, 20, Decimal("0.0015"))]


def test_a_datadog_span_of_the_export_api_names_its_model_beside_its_kind(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    attributes = {
        **{"trace_id": "t", "span_id": "s1", "name": "chat", "start_ms": 1788256800000, "span_kind": "llm"},
        **{"ml_app": "shop", "model_name": "gpt-4o", "model_provider": "openai", "status": "ok"},
        "metrics": {"input_tokens": 900, "cache_read_input_tokens": 300, "output_tokens": 70},
    }
    # 900 - 300 cached
    want = ("gpt-4o", "ok", 600, 300, 0, 0, 70, None)
    page = {"data": [{"id": "AQ", "type": "span", "attributes": attributes}]}
    assert loaded(store, tmp_path, "datadog", page) == [want]
    line = {**attributes, "span_id": "s2", "start_ms": 1788256801000}
    assert loaded(store, tmp_path, "datadog", line)[-1] == want
    assert store.execute("SELECT DISTINCT provider FROM usage_event").fetchall() == [("openai",)]


def test_what_braintrusts_proxy_answers_from_its_cache_costs_nothing(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    metrics = {"start": 1788256800, "prompt_tokens": 800, "completion_tokens": 90, "tokens": 890}
    span = {"id": "r1", "span_id": "s1", "root_span_id": "r", "span_attributes": {"type": "llm"}}
    asked = {**span, "metadata": {"model": "gpt-4o"}, "metrics": {**metrics, "cached": 0}}
    hit = {**asked, "id": "r2", "span_id": "s2", "metrics": {**metrics, "start": 1788256801, "cached": 1}}
    assert loaded(store, tmp_path, "braintrust", asked, hit) == [
        ("gpt-4o", "ok", 800, 0, 0, 0, 90, None),
        ("gpt-4o", "ok", 0, 0, 0, 0, 0, Decimal(0)),
    ]
    assert store.execute("SELECT sum(request) FROM usage_event").fetchall() == [(1,)]
    assert store.execute("SELECT count(*) FROM unread").fetchall() == [(0,)]


def test_a_langsmith_embedding_counts_and_a_cost_beside_its_usage_is_kept(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    run = {"trace_id": "t", "start_time": "2026-09-01T10:00:00", "end_time": "2026-09-01T10:00:01", "status": "success"}
    usage = {"input_tokens": 500, "output_tokens": 20, "total_tokens": 520, "input_cost": 0.001, "output_cost": 0.0002,
             "total_cost": 0.0012}  # fmt: skip
    chat = {**run, "id": "a", "name": "chat", "run_type": "llm", "outputs": {"usage_metadata": usage},
            "extra": {"metadata": {"ls_model_name": "gpt-4o", "ls_provider": "openai"}}}  # fmt: skip
    embedding = {**run, "id": "b", "name": "embed", "run_type": "embedding", "prompt_tokens": 300,
                 "extra": {"metadata": {"ls_model_name": "text-embedding-3-small"}}}  # fmt: skip
    unused = {**run, "id": "c", "name": "embed", "run_type": "embedding"}
    assert loaded(store, tmp_path, "langsmith", chat, embedding, unused) == [
        ("gpt-4o", "ok", 500, 0, 0, 0, 20, Decimal("0.0012")),
        ("text-embedding-3-small", "ok", 300, 0, 0, 0, 0, None),
    ]
    assert store.execute("SELECT count(*) FROM unread").fetchall() == [(0,)]


def test_every_kind_of_hit_of_portkeys_cache_costs_nothing(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    row = {"created_at": "2026-09-01T10:00:00Z", "ai_org": "openai", "ai_model": "gpt-4o", "req_units": 70,
           "res_units": 8, "response_status_code": 200}  # fmt: skip
    kinds = ("HIT", "Cache Hit", "CACHE_SEMANTIC_HIT", "SEMANTIC MISS")
    rows = [{**row, "id": f"p{number}", "cache_status": kind} for number, kind in enumerate(kinds)]
    # the last alone asked the provider
    assert [found[2] for found in loaded(store, tmp_path, "portkey", *rows)] == [0, 0, 0, 70]


def test_cached_tokens_that_do_not_fit_into_the_input_stand_beside_it(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    # older versions handed on what Anthropic states: 1,000 read and 200 written beside an input of 100
    want = ("claude-sonnet-4-5", "ok", 100, 1000, 200, 0, 50, None)
    run = {"id": "a", "trace_id": "t", "name": "chat", "run_type": "llm", "start_time": "2026-09-01T10:00:00",
           "end_time": "2026-09-01T10:00:01", "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
           "prompt_token_details": {"cache_read": 1000, "cache_creation": 200},
           "extra": {"metadata": {"ls_model_name": "claude-sonnet-4-5", "ls_provider": "anthropic"}}}  # fmt: skip
    assert loaded(store, tmp_path, "langsmith", run) == [want]
    meta = {"span": {"kind": "llm"}, "metadata": {"model_name": "claude-sonnet-4-5", "model_provider": "anthropic"}}
    cached = {"cache_read_input_tokens": 1000, "cache_write_input_tokens": 200}
    metrics = {"input_tokens": 100, "output_tokens": 50, **cached}
    span = {"trace_id": "t", "span_id": "s", "name": "chat", "start_ns": 1788256800000000000, "meta": meta}
    assert loaded(store, tmp_path, "datadog", {**span, "metrics": metrics}) == [want, want]
    # or the total of all is the sum with them: 1,300 + 50 + 1,000 + 200
    total = {"start": 1788256800, "prompt_tokens": 1300, "completion_tokens": 50, "tokens": 2550,
             "prompt_cached_tokens": 1000, "prompt_cache_creation_tokens": 200}  # fmt: skip
    traced = {"id": "r", "span_id": "s", "root_span_id": "r", "span_attributes": {"type": "llm"}, "metrics": total}
    model = {"metadata": {"model": "claude-sonnet-4-5"}}
    assert [row[2] for row in loaded(store, tmp_path, "braintrust", traced | model)].count(1300) == 1


def test_weave_has_bedrocks_counts_under_bedrocks_names(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    counts = {"inputTokens": 100, "outputTokens": 50, "cacheReadInputTokens": 80, "totalTokens": 230, "requests": 1}
    assert loaded(store, tmp_path, "weave", call(1, None, {"nova-pro": counts})) == [
        ("nova-pro", "ok", 100, 80, 0, 0, 50, None)
    ]
    assert store.execute("SELECT count(*) FROM unread").fetchall() == [(0,)]


def test_of_geminis_thinking_mlflow_has_the_total_alone(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 50, "total_tokens": 1150}
    attributes = {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.chat.tokenUsage": json.dumps(usage),
                  "mlflow.llm.model": '"gemini-2.5-flash"'}  # fmt: skip
    span = {"trace_id": "t", "span_id": "s", "name": "chat", "start_time_unix_nano": 1788256800000000000,
            "attributes": attributes}  # fmt: skip
    trace = {"info": {"trace_id": "tr-1", "trace_metadata": {}}, "data": {"spans": [span]}}
    # 1,150 - 1,000 is all output: 50 of text, 100 of thinking
    assert loaded(store, tmp_path, "mlflow", trace) == [("gemini-2.5-flash", "ok", 1000, 0, 0, 0, 150, None)]


def test_langchains_callback_names_a_service_tiers_tokens_after_it_in_langfuse(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    details = {"input": 0, "input_flex": 600, "input_flex_cache_read": 400, "output": 0, "output_flex": 50,
               "output_flex_reasoning": 100, "total": 1150}  # fmt: skip
    row = {"id": "o", "traceId": "t", "type": "GENERATION", "startTime": "2026-09-01T10:00:00Z", "model": "gpt-5-mini",
           "usageDetails": details}  # fmt: skip
    assert loaded(store, tmp_path, "langfuse", row) == [("gpt-5-mini", "ok", 600, 400, 0, 0, 150, None)]
    assert store.execute("SELECT processing FROM usage_event").fetchall() == [("flex",)]
    assert store.execute("SELECT count(*) FROM unread").fetchall() == [(0,)]


def test_a_table_of_weaves_calls_without_their_summary_is_refused_and_not_read_as_nothing(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = tmp_path / "calls.csv"
    names = "id,project_id,op_name,trace_id,started_at,summary.usage.gpt-4o.prompt_tokens"
    file.write_text(f"{names}\nc1,e/p,chat,t,2026-09-01T10:00:00Z,1000\n")
    with pytest.raises(UsageLogError, match="no log that costsim knows"):
        load(store, [file])
