"""OpenTelemetry GenAI spans: OTLP JSON (one document, or one export a line) and flattened spans, one a row.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/: `gen_ai.usage.input_tokens` includes cached tokens,
output includes reasoning. Flattened spans have the attributes' dotted names as columns or in an object `attributes`,
as OpenTelemetry's console exporters and most backends write them. The usage of an agent's or a workflow's own span
is the sum of its calls, which have spans of their own: it is left out, but for a remote agent's (kind CLIENT).
"""

from __future__ import annotations

from collections.abc import Callable

from ..reader import Reader, Sample
from .counts import count_in_text

# What a call needs: the attribute's names, today's first, then those of older conventions.
ATTRIBUTES = {
    "inputs": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"),
    "outputs": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens"),
    "cached": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens"),
    "written": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
    ),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "model": ("gen_ai.response.model", "gen_ai.request.model"),
    "agent": ("gen_ai.agent.name",),
    "session": ("gen_ai.conversation.id",),
    "operation": ("gen_ai.operation.name",),
    "failure": ("error.type",),
    "service": ("service.name",),
}
COUNTS = ("inputs", "outputs", "cached", "written")

_ATTRIBUTE = "STRUCT(key VARCHAR, value STRUCT(stringValue VARCHAR, intValue VARCHAR, doubleValue VARCHAR))[]"
_SPAN = f"""STRUCT(traceId VARCHAR, spanId VARCHAR, kind VARCHAR, startTimeUnixNano VARCHAR, attributes {_ATTRIBUTE},
    status STRUCT(code VARCHAR))"""

COLUMNS = {
    "resourceSpans": f"STRUCT(resource STRUCT(attributes {_ATTRIBUTE}), scopeSpans STRUCT(spans {_SPAN}[])[])[]",
    "traceId": "VARCHAR",
    "trace_id": "VARCHAR",
    "spanId": "VARCHAR",
    "span_id": "VARCHAR",
    "context": "JSON",
    "kind": "VARCHAR",
    "startTimeUnixNano": "VARCHAR",
    "start_time_unix_nano": "VARCHAR",
    "startTime": "VARCHAR",
    "start_time": "VARCHAR",
    "timestamp": "VARCHAR",
    "status": "VARCHAR",
    "status_code": "VARCHAR",
    "status.code": "VARCHAR",
    "attributes": "JSON",
    **{name: "VARCHAR" for names in ATTRIBUTES.values() for name in names},
}


def _selected(value: Callable[[str], str]) -> str:
    """Every attribute under its short name; `value` is the SQL for one of its names."""
    first = {short: ", ".join(value(name) for name in names) for short, names in ATTRIBUTES.items()}
    return ",\n".join(f"coalesce({values}) AS {short}" for short, values in first.items())


def _in_list(name: str) -> str:
    """An attribute of an OTLP span, or of the resource that it belongs to."""
    owner = "resource_" if name == "service.name" else ""
    value = f"{owner}attributes[list_position({owner}keys, '{name}')].value"
    return f"{value}.stringValue, {value}.intValue, {value}.doubleValue"


def _in_row(name: str) -> str:
    return f"""nullif("{name}", ''), attributes ->> '$."{name}"'"""


SQL = f"""
WITH resource AS (
    SELECT file_id, line, unnest(resourceSpans, max_depth := 2) FROM record WHERE resourceSpans IS NOT NULL
),
scope AS (
    SELECT file_id, line, resource.attributes AS resource_attributes, unnest(scopeSpans, max_depth := 2) FROM resource
),
span AS (
    SELECT file_id, line, resource_attributes, unnest(spans, max_depth := 2) FROM scope
),
keyed AS (
    SELECT *, list_transform(attributes, lambda item: item.key) AS keys,
        list_transform(resource_attributes, lambda item: item.key) AS resource_keys
    FROM span
),
found AS (
    SELECT file_id, line, traceId AS trace, spanId AS span, kind, utc_epoch(startTimeUnixNano) AS ts,
        status.code AS code, {_selected(_in_list)}
    FROM keyed
    UNION ALL
    SELECT file_id, line,
        coalesce(traceId, trace_id, context ->> '$.trace_id', context ->> '$.traceId') AS trace,
        coalesce(spanId, span_id, context ->> '$.span_id', context ->> '$.spanId') AS span,
        kind,
        coalesce(
            utc_epoch(coalesce(startTimeUnixNano, start_time_unix_nano, startTime, start_time, "timestamp")),
            utc(coalesce(startTime, start_time, "timestamp"))) AS ts,
        coalesce("status.code", status_code,
            CASE WHEN json_valid(status) AND json_type(status) = 'OBJECT'
                THEN coalesce(status ->> '$.code', status ->> '$.status_code') ELSE status END) AS code,
        {_selected(_in_row)}
    FROM record WHERE resourceSpans IS NULL
),
counted AS (
    SELECT * REPLACE ({", ".join(f"{count_in_text(name)} AS {name}" for name in COUNTS)})
    FROM found
    WHERE (inputs IS NOT NULL OR outputs IS NOT NULL)
        AND (coalesce(operation, '') NOT IN ('invoke_agent', 'create_agent', 'invoke_workflow')
            OR upper(kind) IN ('3', 'CLIENT', 'SPAN_KIND_CLIENT', 'SPANKIND.CLIENT'))
)
SELECT file_id, line,
    'otel:' || nullif(ltrim(lower(trace), '0x'), '') || ':' || nullif(ltrim(lower(span), '0x'), '') AS event_id,
    ts, agent, session, provider, model,
    CASE WHEN upper(code) IN ('2', 'ERROR', 'STATUS_CODE_ERROR', 'STATUSCODE.ERROR') OR failure IS NOT NULL
        THEN 'error' ELSE 'ok' END AS status,
    CASE WHEN least(cached, written) < 0 THEN -1 ELSE inputs - cached - written END AS input,
    cached AS cache_read,
    written AS cache_write_5m,
    outputs AS output,
    json_object('service', service, 'operation', operation, 'error', failure) AS tags
FROM counted
"""  # noqa: S608 (constants only)

IDS = (("traceId", "spanId"), ("trace_id", "span_id"), ("context.trace_id", "context.span_id"))


def recognises(sample: Sample) -> bool:
    """OTLP's envelope; spans, by their two ids, with attributes; or rows with GenAI usage by its dotted names."""
    if sample.layout in ("csv", "parquet"):
        return any(name in sample.columns for short in COUNTS for name in ATTRIBUTES[short]) or (
            "attributes" in sample.columns and any(sample.has(*pair) for pair in IDS)
        )
    return (
        sample.has("resourceSpans.scopeSpans")
        or any(sample.has(*pair, "attributes") for pair in IDS)
        or any(key.startswith("gen_ai.usage.") for record in sample.records for key in record)
    )


READER = Reader(
    name="otel",
    doc="https://opentelemetry.io/docs/specs/semconv/gen-ai/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
)
