"""One span in the envelopes that tracing backends hand it out in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
NANO = 1_791_194_400_000_000_000  # 2026-10-05 10:00 UTC
USED: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.cache_read.input_tokens": 400,
    "gen_ai.usage.output_tokens": 150,
}
LISTED = [
    {"key": key, "value": {"stringValue": value} if isinstance(value, str) else {"intValue": str(value)}}
    for key, value in USED.items()
]
OTLP = {"traceId": TRACE, "spanId": SPAN, "name": "chat", "startTimeUnixNano": str(NANO), "attributes": LISTED}
RESOURCE = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
GROUP = {"resource": RESOURCE, "scopeSpans": [{"scope": {"name": "x"}, "spans": [OTLP]}]}
IN_SNAKE = {
    **{"trace_id": "S/kvNXezTaajzpKdDg5HNg==", "span_id": "APBnqgupArc=", "start_time_unix_nano": str(NANO)},
    "attributes": [
        {"key": key, "value": {"string_value": value} if isinstance(value, str) else {"int_value": value}}
        for key, value in USED.items()
    ],
}
ROW = {"trace_id": TRACE, "span_id": SPAN, "start_timestamp": "2026-10-05T10:00:00Z", "attributes": USED}
JAEGER = {
    **{"traceID": TRACE, "spanID": SPAN, "operationName": "chat", "startTime": NANO // 1000},
    "tags": [{"key": key, "value": value} for key, value in USED.items()],
}
CLICKHOUSE = {
    **{"Timestamp": "2026-10-05 10:00:00.000000000", "TraceId": TRACE, "SpanId": SPAN, "ServiceName": "shop"},
    "SpanAttributes": {key: str(value) for key, value in USED.items()},
}

ENVELOPES: dict[str, Any] = {
    "OTLP": {"resourceSpans": [GROUP]},
    "OTLP in snake case, ids in base64": {"resource_spans": [{"scope_spans": [{"spans": [IN_SNAKE]}]}]},
    "older OTLP": {"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [OTLP]}]}]},
    "Tempo": {"batches": [GROUP]},
    "Tempo, version 2": {"trace": {"resourceSpans": [GROUP]}},
    "Jaeger": {"data": [{"traceID": TRACE, "spans": [JAEGER], "processes": {}}]},
    "Phoenix": {"data": [{**ROW, "context": {"trace_id": TRACE, "span_id": SPAN}, "start_time": "2026-10-05T10:00Z"}]},
    "Phoenix's OTLP": {"data": [OTLP], "next_cursor": None},
    "Logfire's rows": {"columns": [{"name": name} for name in ROW], "rows": [ROW]},
    "Logfire's columns": {"columns": [{"name": name, "values": [value]} for name, value in ROW.items()]},
    "ClickHouse": CLICKHOUSE,
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_span_counts_in_the_envelope_of_each_backend_and_once_beside_otlp(tmp_path: Path, name: str) -> None:
    exported, file = tmp_path / "otlp.json", tmp_path / "export.json"
    exported.write_text(json.dumps(ENVELOPES["OTLP"]))
    file.write_text(json.dumps(ENVELOPES[name]))
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [file])
        assert report.total("rejected") == 0
        load(store, [exported])
        columns = "ts::VARCHAR, provider, model, input, cache_read, output"
        # 1000 - 400 cached
        assert store.execute(f"SELECT {columns} FROM usage_event").fetchall() == [
            ("2026-10-05 10:00:00", "openai", "gpt-4o", 600, 400, 150)
        ]


def test_attributes_that_are_lists_of_keys_are_dotted_names(tmp_path: Path) -> None:
    counts = [{"key": "input_tokens", "value": {"intValue": 7}}, {"key": "output_tokens", "value": {"intValue": 3}}]
    nested = {"key": "gen_ai.usage", "value": {"kvlistValue": {"values": counts}}}
    file = tmp_path / "tempo.json"
    file.write_text(json.dumps({"batches": [{"scopeSpans": [{"spans": [{**OTLP, "attributes": [nested]}]}]}]}))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file])
        assert store.execute("SELECT input, output FROM usage_event").fetchall() == [(7, 3)]


@pytest.mark.parametrize(
    "tags",
    [
        [{"name": key, "value": value} for key, value in USED.items()],
        [{"tag": {"key": key, "value": value}} for key, value in USED.items()],
    ],
    ids=["name and value", "in an object"],
)
def test_tags_of_jaegers_in_another_form_are_named(tmp_path: Path, tags: list[Any]) -> None:
    file = tmp_path / "trace.json"
    file.write_text(json.dumps({"data": [{"traceID": TRACE, "spans": [{**JAEGER, "tags": tags}], "processes": {}}]}))
    with open_store(tmp_path / "costsim.duckdb") as store:
        report = load(store, [file])
        named = {kind.field.rpartition("gen_ai.usage.")[2]: int(kind.total) for kind in report.unread}
    assert named == {"input_tokens": 1000, "cache_read.input_tokens": 400, "output_tokens": 150}


def test_tags_of_jaegers_in_an_object_count(tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    file.write_text(json.dumps({"data": [{"traceID": TRACE, "spans": [{**JAEGER, "tags": USED}], "processes": {}}]}))
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, [file])
        assert store.execute("SELECT input, cache_read, output FROM usage_event").fetchall() == [(600, 400, 150)]
