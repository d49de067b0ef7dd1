"""Spans as tracing backends hand them out: Phoenix, Jaeger, Zipkin, Grafana Tempo, Logfire and ClickHouse.

https://www.jaegertracing.io/docs/latest/architecture/apis/, https://grafana.com/docs/tempo/latest/api_docs/,
https://zipkin.io/zipkin-api/, https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/,
https://arize.com/docs/phoenix/sdk-api-reference/rest-api, https://logfire.pydantic.dev/docs/how-to-guides/query-api/,
https://github.com/open-telemetry/opentelemetry-collector-contrib (exporter/clickhouseexporter). They are taken apart to
OpenTelemetry's spans and read as these; also OTLP in snake case, of older versions, and with ids in base64. A span has
the same ids in each, so it counts once.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from ..fast_json import parsed_or_none
from ..items import items
from ..reader import Sample
from . import otel

SPANS = ("resourceSpans", "resource_spans", "batches")
SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans")
# ... but for OTLP as it is
ENVELOPES = [f"{top}{name}.{scope}" for top in ("", "trace.") for name in SPANS for scope in SCOPES][1:]
VALUES = (
    "stringValue",
    "string_value",
    "intValue",
    "int_value",
    "doubleValue",
    "double_value",
    "boolValue",
    "bool_value",
)
HEX = re.compile(r"(0x)?[0-9a-fA-F]{1,32}")

Record = dict[str, Any]


def unfold(content: Path, file: Path) -> Iterator[Record | str]:
    """The spans of each document, as OpenTelemetry's rows; what is none as it stands, to be rejected."""
    for document in items(content, file):
        if isinstance(document, dict):
            yield from _spans(document)
        elif spans := _objects(parsed_or_none(document)):  # Zipkin's API lists the spans of each trace
            yield from chain.from_iterable(map(_spans, spans))
        else:
            yield document


def _spans(document: Record) -> Iterator[Record]:
    if groups := _groups(document):
        for group in groups:
            yield from _of_group(group)
    elif "SpanAttributes" in document:
        yield _of_clickhouse(document)
    elif isinstance(document.get("spans"), list):  # a trace of Phoenix's command line
        yield from map(_row, _objects(document["spans"]))
    elif "localEndpoint" in document:
        yield _of_zipkin(document)
    elif isinstance(document.get("columns"), list):
        yield from _of_logfire(document)
    else:
        for one in _objects(document.get("data")):
            yield from _of_jaeger(one) if "spans" in one else [_row(one)]


def _groups(document: Record) -> list[Record]:
    """The spans by resource of OTLP, in a trace or by themselves."""
    for holder in (document, document.get("trace")):
        for name in SPANS:
            if isinstance(holder, dict) and (found := _objects(holder.get(name))):
                return found
    return []


def _of_group(group: Record) -> Iterator[Record]:
    resource = {"attributes": _attributes(_object(group.get("resource")).get("attributes"))}
    for scope in (one for name in SCOPES for one in _objects(group.get(name))):
        names = ("scope", "instrumentationLibrary", "instrumentation_library")
        named = _object(next((scope[name] for name in names if scope.get(name)), None))
        for span in _objects(scope.get("spans")):
            yield {**_row(span), "resource": resource, "instrumentationScope": {"name": named.get("name")}}


def _row(span: Record) -> Record:
    """A span of OTLP or of Phoenix's page, its ids in hexadecimal and its attributes by name."""
    context = _object(span.get("context"))
    return {
        "trace_id": _id(span.get("traceId") or span.get("trace_id") or context.get("trace_id")),
        "span_id": _id(span.get("spanId") or span.get("span_id") or context.get("span_id")),
        "parent_id": _id(span.get("parentSpanId") or span.get("parent_span_id") or span.get("parent_id")),
        "name": span.get("name"),
        "span_kind": span.get("span_kind"),
        "start_time_unix_nano": span.get("startTimeUnixNano") or span.get("start_time_unix_nano"),
        "start_time": span.get("start_time"),
        "end_time_unix_nano": span.get("endTimeUnixNano") or span.get("end_time_unix_nano"),
        "end_time": span.get("end_time"),
        "status_code": span.get("status_code") or _object(span.get("status")).get("code"),
        "attributes": _attributes(span.get("attributes")),
    }


def _of_jaeger(trace: Record) -> Iterator[Record]:
    processes = _object(trace.get("processes"))
    for span in _objects(trace.get("spans")):
        tags = _tags(span.get("tags"))
        above = [one for one in _objects(span.get("references")) if one.get("refType", "CHILD_OF") == "CHILD_OF"]
        process = _object(processes.get(str(span.get("processID"))) or span.get("process"))
        start = span.get("startTime")
        yield {
            **{"trace_id": span.get("traceID"), "span_id": span.get("spanID"), "name": span.get("operationName")},
            "parent_id": above[0].get("spanID") if above else None,
            "start_time_unix_nano": start * 1000 if isinstance(start, int) else start,
            "status_code": tags.get("otel.status_code"),
            "attributes": _flat(tags),
            "resource": {"attributes": {"service.name": process.get("serviceName")}},
            "instrumentationScope": {"name": tags.get("otel.scope.name") or tags.get("otel.library.name")},
        }


def _tags(given: Any) -> Record:
    """Jaeger's tags by their keys; those in another form are not counted, and named."""
    if isinstance(given, dict):
        return given
    listed = given if isinstance(given, list) else []
    strays = [one for one in listed if not isinstance(one, dict) or "key" not in one]
    named = {str(one["key"]): one.get("value") for one in _objects(listed) if "key" in one}
    return {**named, "attributes": strays} if strays else named


def _of_zipkin(span: Record) -> Record:
    """A span of its second version, whose tags are texts and whose times are in microseconds."""
    tags, start, service = span.get("tags"), span.get("timestamp"), span.get("localEndpoint")
    tags = tags if isinstance(tags, dict) else {"attributes": tags}
    return {
        **{"trace_id": span.get("traceId"), "span_id": span.get("id"), "parent_id": span.get("parentId")},
        "name": span.get("name"),
        "start_time_unix_nano": start * 1000 if isinstance(start, int) else start,
        "status_code": tags.get("otel.status_code") or ("ERROR" if tags.get("error") else None),
        "attributes": _flat(tags),
        "resource": {"attributes": {"service.name": _object(service).get("serviceName")}},
        "instrumentationScope": {"name": tags.get("otel.scope.name") or tags.get("otel.library.name")},
    }


def _of_clickhouse(row: Record) -> Record:
    return {
        **{"trace_id": row.get("TraceId"), "span_id": row.get("SpanId"), "parent_id": row.get("ParentSpanId")},
        **{"name": row.get("SpanName"), "start_time": row.get("Timestamp"), "status_code": row.get("StatusCode")},
        "attributes": _attributes(row.get("SpanAttributes")),
        "resource": {"attributes": {"service.name": row.get("ServiceName")}},
        "instrumentationScope": {"name": row.get("ScopeName")},
    }


def _of_logfire(page: Record) -> Iterator[Record]:
    """Rows, or the values of each column."""
    if rows := _objects(page.get("rows")):
        yield from rows
        return
    columns = {
        str(one.get("name")): one["values"] for one in _objects(page["columns"]) if isinstance(one.get("values"), list)
    }
    for number in range(max(map(len, columns.values()), default=0)):
        yield {name: values[number] for name, values in columns.items() if number < len(values)}


def _attributes(given: Any) -> Record:
    """Attributes by name, of OTLP's list or as they are; nested ones under dotted names."""
    if isinstance(given, list):
        strays = [one for one in given if not isinstance(one, dict) or "key" not in one]  # not counted: to be named
        named = {str(one["key"]): _value(one.get("value")) for one in _objects(given) if "key" in one}
        given = {**named, "attributes": strays} if strays else named
    return _flat(given) if isinstance(given, dict) else {}


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if isinstance(nested := value.get("kvlistValue") or value.get("kvlist_value"), dict):
        return {str(one.get("key")): _value(one.get("value")) for one in _objects(nested.get("values"))}
    return next((value[name] for name in VALUES if value.get(name) is not None), None)


def _flat(given: Record, above: str = "") -> Record:
    found: Record = {}
    for name, value in given.items():
        found |= _flat(value, f"{above}{name}.") if isinstance(value, dict) else {f"{above}{name}": value}
    return found


def _object(value: Any) -> Record:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Record]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _id(text: Any) -> Any:
    """An id in hexadecimal: protobuf's JSON has it in base64."""
    if not isinstance(text, str) or HEX.fullmatch(text):
        return text
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return text


def recognises(sample: Sample) -> bool:
    """Each backend's envelope, or its names."""
    if sample.layout not in ("ndjson", "json"):
        return False
    ids = ("data.context.trace_id", "data.trace_id", "data.traceId")
    return (
        any(sample.has(path) for path in ENVELOPES)
        or any(sample.has(one, "data.attributes") and not sample.has("data.attributes.span_id") for one in ids)
        or sample.has("data.spans.traceID", "data.spans.spanID")
        or sample.has("SpanAttributes", "TraceId", "SpanId")
        or sample.has("localEndpoint", "traceId", "id")
        or sample.has("spans.context.trace_id", "spans.attributes")
        or any(_is_logfire(record) for record in sample.records)
    )


def _is_logfire(record: Record) -> bool:
    columns = {str(one.get("name")) for one in _objects(record.get("columns"))}
    columns |= {name for row in _objects(record.get("rows"))[:1] for name in row}
    return {"trace_id", "span_id", "attributes"} <= columns


READER = replace(
    otel.READER,
    name="otel-export",
    sql=otel.SQL + otel.WRAPPERS_TOO,
    doc="https://www.jaegertracing.io/docs/latest/architecture/apis/",
    recognises=recognises,
    unfold=unfold,
    narrow=None,
    unique_by="the trace's id and the span's",
    sample="made: spans in the envelopes of their backends",
    kept_at="Phoenix: /v1/projects/NAME/spans, px trace list; Jaeger: /api/traces; Zipkin: /api/v2/traces; "
    "Tempo: /api/traces/ID; Logfire: /v1/query; ClickHouse: otel_traces as JSONEachRow",
    no_call="no span with usage",
)
