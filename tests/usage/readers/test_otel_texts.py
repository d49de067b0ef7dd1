"""Usage that spans of tracers and gateways hold as JSON in a text, and names of their own."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

COLUMNS = "model, input, cache_read, cache_write_5m, output, recorded_usd"


def counted(folder: Path, *spans: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The calls of an export of spans with these attributes, each the child of the one before."""
    items = [
        {
            **{"traceId": "a" * 32, "spanId": f"{number:016x}", "startTimeUnixNano": f"{1791194400 + number}000000000"},
            "parentSpanId": f"{number - 1:016x}" if number > 1 else "",
            "attributes": [{"key": key, "value": _value(value)} for key, value in attributes.items()],
        }
        for number, attributes in enumerate(spans, 1)
    ]
    file = folder / "spans.json"
    file.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": items}]}]}))
    with open_store(folder / "costsim.duckdb") as store:
        load(store, [file])
        assert store.execute("SELECT field FROM unread").fetchall() == []
        return store.execute(f"SELECT {COLUMNS} FROM usage_event ORDER BY ts").fetchall()


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"stringValue": json.dumps(value)}
    return {"stringValue": value} if isinstance(value, str) else {"doubleValue" if value % 1 else "intValue": value}


def langfuse(kind: str, usage: dict[str, Any], **more: Any) -> dict[str, Any]:
    model = {"langfuse.observation.type": kind, "langfuse.observation.model.name": "gpt-4o"}
    return {**model, "langfuse.observation.usage_details": usage, **more}


def test_langfuses_own_keys_stand_beside_input_and_output(tmp_path: Path) -> None:
    own = {"input": 600, "input_cached_tokens": 400, "output": 100, "output_reasoning_tokens": 50}
    cost = {"langfuse.observation.cost_details": {"input": 0.002, "output": 0.0015, "total": 0.0035}}
    # the agent's sum is none of its own; 100 + 50 of output
    assert counted(tmp_path, langfuse("agent", own), langfuse("generation", own, **cost)) == [
        ("gpt-4o", 600, 400, 0, 150, Decimal("0.0035"))
    ]


def test_a_providers_usage_that_langfuse_hands_on_is_read_as_the_provider_has_it(tmp_path: Path) -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 150, "total_tokens": 1150,
             "prompt_tokens_details": {"cached_tokens": 400},
             "completion_tokens_details": {"reasoning_tokens": 50}}  # fmt: skip
    # 1000 - 400 cached
    assert counted(tmp_path, langfuse("generation", usage)) == [("gpt-4o", 600, 400, 0, 150, None)]


def test_mlflows_spans_in_an_opentelemetry_export_count_and_their_values_are_json(tmp_path: Path) -> None:
    usage = {"input_tokens": 1000, "output_tokens": 150, "total_tokens": 1150, "cache_read_input_tokens": 400}
    chat = {"mlflow.spanType": '"CHAT_MODEL"', "mlflow.chat.tokenUsage": usage, "mlflow.llm.model": '"gpt-4o"',
            "mlflow.llm.cost": {"input_cost": 0.002, "output_cost": 0.0015, "total_cost": 0.0035}}  # fmt: skip
    agent = {"mlflow.spanType": '"AGENT"', "mlflow.chat.tokenUsage": usage}
    assert counted(tmp_path, agent, chat) == [("gpt-4o", 600, 400, 0, 150, Decimal("0.0035"))]


def test_braintrusts_spans_in_an_opentelemetry_export_count(tmp_path: Path) -> None:
    metrics = {"start": 1791194400.5, "prompt_tokens": 1000, "completion_tokens": 150, "tokens": 1150,
               "prompt_cached_tokens": 400, "prompt_cache_creation_tokens": 100}  # fmt: skip
    span = {"braintrust.span_attributes": {"type": "llm"}, "braintrust.metrics": metrics,
            "braintrust.metadata": {"model": "gpt-4o", "provider": "openai"}}  # fmt: skip
    # 1000 - 400 - 100
    assert counted(tmp_path, span) == [("gpt-4o", 500, 400, 100, 150, None)]


def test_semantic_kernels_counts_and_litellms_cost_have_names_of_their_own(tmp_path: Path) -> None:
    kernel = {"gen_ai.operation.name": "chat.completions", "gen_ai.request.model": "gpt-4o",
              "gen_ai.response.prompt_tokens": 1000, "gen_ai.response.completion_tokens": 150}  # fmt: skip
    assert counted(tmp_path, kernel) == [("gpt-4o", 1000, 0, 0, 150, None)]
    proxy = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000,
             "gen_ai.usage.output_tokens": 150, "gen_ai.cost.input_cost": 0.0025, "gen_ai.cost.output_cost": 0.0015,
             "gen_ai.cost.total_cost": 0.004}  # fmt: skip
    assert counted(tmp_path, proxy) == [("gpt-4o", 1000, 0, 0, 150, Decimal("0.004"))]


def test_rows_of_logfires_table_have_their_times_under_names_of_their_own(tmp_path: Path) -> None:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000,
                  "gen_ai.usage.details.cached_tokens": 400, "gen_ai.usage.output_tokens": 150}  # fmt: skip
    row = {"trace_id": "a" * 32, "span_id": "b" * 16, "parent_span_id": None, "kind": "span",
           "start_timestamp": "2026-10-05T10:00:00Z", "end_timestamp": "2026-10-05T10:00:02Z",
           "otel_status_code": "ERROR", "attributes": attributes}  # fmt: skip
    # the row of a span that has begun, beneath it, is no call of its own
    begun = {**row, "span_id": "c" * 16, "parent_span_id": "b" * 16, "kind": "pending_span", "otel_status_code": None,
             "attributes": {name: value for name, value in attributes.items() if "usage" not in name}}  # fmt: skip
    file = tmp_path / "records.jsonl"
    file.write_text(f"{json.dumps(begun)}\n{json.dumps(row)}\n")
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file])
        assert store.execute("SELECT ts::VARCHAR, status, input, cache_read, output FROM usage_event").fetchall() == [
            ("2026-10-05 10:00:00", "error", 600, 400, 150)
        ]
