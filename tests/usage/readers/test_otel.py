"""OpenTelemetry GenAI spans: whatever shape they come in, a span is one call."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import LoadReport, load
from costsim.usage.reader import Sample
from costsim.usage.readers import READERS
from emptied import open_store

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[2] / "data" / "usage" / "otel"
SHAPES = ["trace.json", "exports.jsonl", "console.jsonl", "spans.csv"]
TRACE = json.loads((DATA / "trace.json").read_text())
TOKENS = "input, cache_read, cache_write_5m, output, request"


def loaded(folder: Path, *files: Path, sql: str) -> tuple[LoadReport, list[tuple[Any, ...]]]:
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, files)
        return report, store.execute(sql).fetchall()


def attributes(document: dict[str, Any], span: int) -> dict[str, dict[str, Any]]:
    """The values of a span's attributes, to change."""
    spans = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return {item["key"]: item["value"] for item in spans[span]["attributes"]}


@pytest.mark.parametrize("shape", SHAPES)
def test_cached_tokens_come_out_of_the_input(tmp_path: Path, shape: str) -> None:
    report, rows = loaded(tmp_path, DATA / shape, sql=f"SELECT ts, {TOKENS} FROM usage_event ORDER BY ts")
    assert report.files[0].reader == "otel"
    assert report.total("rejected") == 0
    assert rows == [
        (datetime(2026, 10, 5, 10, 0), 86, 1920, 0, 300, 1),  # 2006 - 1920
        (datetime(2026, 10, 5, 10, 1), 44, 1000, 1051, 503, 1),  # 2095 - 1000 - 1051
        (datetime(2026, 10, 5, 10, 2), 20, 0, 0, 0, 1),  # older names
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_who_called_what(tmp_path: Path, shape: str) -> None:
    sql = "SELECT agent, session, provider, model, status FROM usage_event ORDER BY ts"
    _, rows = loaded(tmp_path, DATA / shape, sql=sql)
    assert rows == [
        ("cio", "conv_5j66UpCpwteGg4YSxUnt7lPY", "openai", "gpt-4o-2024-08-06", "ok"),  # the model that answered
        ("cio", None, "anthropic", "claude-sonnet-4-5", "ok"),
        (None, None, "openai", "gpt-4o", "error"),
    ]


def test_a_span_in_four_shapes_is_one_call(tmp_path: Path) -> None:
    report, rows = loaded(tmp_path, *(DATA / shape for shape in SHAPES), sql="SELECT count(*) FROM usage_event")
    assert (report.total("entries"), report.total("added")) == (12, 3)
    assert rows == [(3,)]


@pytest.mark.parametrize("kind", [1, 3])
def test_an_agents_sum_is_left_out_whatever_its_kind(tmp_path: Path, kind: int) -> None:
    document = copy.deepcopy(TRACE)
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][4]["kind"] = kind
    file = tmp_path / "agent.json"
    file.write_text(json.dumps(document))
    _, rows = loaded(tmp_path, file, sql="SELECT count(*), max(input) FROM usage_event")
    assert rows == [(3, 86)]


def test_the_service_is_a_tag(tmp_path: Path) -> None:
    _, rows = loaded(tmp_path, DATA / "trace.json", sql="SELECT tags FROM usage_event ORDER BY ts")
    tags = [json.loads(row[0]) for row in rows]
    assert (tags[0]["service"], tags[0]["operation"], tags[0].get("error")) == ("research-desk", "chat", None)
    assert tags[2]["error"] == "timeout"


def test_integers_may_be_numbers_and_doubles(tmp_path: Path) -> None:
    document = copy.deepcopy(TRACE)
    attributes(document, 0)["gen_ai.usage.input_tokens"] |= {"intValue": 2006}
    value = attributes(document, 0)["gen_ai.usage.output_tokens"]
    del value["intValue"]
    value["doubleValue"] = 300.0
    file = tmp_path / "numbers.json"
    file.write_text(json.dumps(document))
    _, rows = loaded(tmp_path, file, sql=f"SELECT {TOKENS} FROM usage_event ORDER BY ts LIMIT 1")
    assert rows == [(86, 1920, 0, 300, 1)]


@pytest.mark.parametrize("wrong", ["many", "-5", "20.5", "9" * 40])
def test_one_bad_count_in_a_document_loses_no_other_span(tmp_path: Path, wrong: str) -> None:
    document = copy.deepcopy(TRACE)
    attributes(document, 0)["gen_ai.usage.input_tokens"]["intValue"] = wrong
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(document))
    report, rows = loaded(tmp_path, file, sql="SELECT count(*), sum(input) FROM usage_event")
    assert report.total("rejected") == 1
    assert rows == [(2, 64)]


@pytest.mark.parametrize("shape", ["console.jsonl", "exports.jsonl"])
def test_a_mangled_line_is_a_reject(tmp_path: Path, shape: str) -> None:
    lines = (DATA / shape).read_text().splitlines()
    file = tmp_path / shape
    file.write_text("\n".join([lines[0], lines[1][:-9], lines[2]]))
    report, rows = loaded(tmp_path, file, sql="SELECT count(*) FROM usage_event")
    assert report.total("rejected") == 1
    assert rows == [(2,)]


def test_no_other_reader_takes_it() -> None:
    for shape in ("exports.jsonl", "console.jsonl"):
        records = tuple(json.loads(line) for line in (DATA / shape).read_text().splitlines())
        sample = Sample("x", "ndjson", records)
        assert [reader.name for reader in READERS if reader.recognises(sample)] == ["otel"]


def test_a_row_of_a_table_far_below_spans_is_counted_or_named(tmp_path: Path) -> None:
    spans = (DATA / "console.jsonl").read_text().strip().splitlines() * 30  # more than are looked at for the format
    ids = {"trace_id": "a" * 32, "span_id": "b" * 16, "start_time": "2026-10-06T10:00:00Z"}
    under_attributes = {**ids, "attributes.gen_ai.usage.input_tokens": 70, "attributes.gen_ai.request.model": "gpt-4o"}
    plain = {**ids, "span_id": "c" * 16, "gen_ai.usage.input_tokens": 80, "gen_ai.request.model": "gpt-4o"}
    counted, named = tmp_path / "counted.jsonl", tmp_path / "named.jsonl"
    counted.write_text("\n".join([*spans, json.dumps(under_attributes)]) + "\n")
    named.write_text("\n".join([*spans, json.dumps(plain)]) + "\n")
    _, rows = loaded(tmp_path, counted, sql="SELECT input FROM usage_event WHERE ts::DATE = DATE '2026-10-06'")
    assert rows == [(70,)]
    report, _ = loaded(tmp_path, named, sql="SELECT 1")
    assert [(kind.field, kind.total) for kind in report.unread if "input_tokens" in kind.field] == [
        ("gen_ai.usage.input_tokens", 80)
    ]


@pytest.mark.parametrize("named", ["resourceSpans", "resourceLogs"])
def test_an_export_far_below_rows_is_counted(tmp_path: Path, named: str) -> None:
    rows = (DATA / "console.jsonl").read_text().strip().splitlines() * 30  # more than are looked at for the format
    values = {"gen_ai.usage.input_tokens": {"intValue": 70}, "gen_ai.request.model": {"stringValue": "gpt-4o"}}
    call = {
        **{"traceId": "a" * 32, "spanId": "b" * 16},
        "attributes": [{"key": key, "value": value} for key, value in values.items()],
    }
    time = "1791280800000000000"  # 2026-10-06 10:00 UTC
    exports = {
        "resourceSpans": [{"scopeSpans": [{"spans": [{**call, "startTimeUnixNano": time}]}]}],
        "resourceLogs": [{"scopeLogs": [{"logRecords": [{**call, "timeUnixNano": time}]}]}],
    }
    file = tmp_path / "both.jsonl"
    file.write_text("\n".join([*rows, json.dumps({named: exports[named]})]) + "\n")
    _, found = loaded(tmp_path, file, sql="SELECT ts, input FROM usage_event WHERE ts::DATE = DATE '2026-10-06'")
    assert found == [(datetime(2026, 10, 6, 10), 70)]
