"""Spans and log records in every envelope that OpenTelemetry data comes in, as one relation `item`.

OTLP JSON (resourceSpans, resourceLogs), and rows: what the console and file exporters of the SDKs write, and tables
whose columns are attributes. Attributes may have dotted names, be nested, or stand in columns `attributes.<name>`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..reader import Reader, Sample
from .otel_fields import FIELDS
from .otel_names import (
    COMMON,
    MEASURES,
    NAMES,
    OTHERS,
    READ,
    USUAL,
    field_of,
    list_of_any,
    place_of,
    place_of_first,
    places_of,
)
from .otel_tags import constants, kept_places, tags_at

_IN_COLUMNS = tuple(name for name in NAMES if "." in name)  # a plain name may mean anything in a table

_ATTRIBUTE = "STRUCT(key VARCHAR, value STRUCT(stringValue VARCHAR, intValue VARCHAR, doubleValue VARCHAR))[]"
_RESOURCE = f"resource STRUCT(attributes {_ATTRIBUTE})"
_SPAN = f"""STRUCT(traceId VARCHAR, spanId VARCHAR, parentSpanId VARCHAR, name VARCHAR, kind VARCHAR,
    startTimeUnixNano VARCHAR, endTimeUnixNano VARCHAR, attributes {_ATTRIBUTE}, status STRUCT(code VARCHAR))"""
_LOG = f"""STRUCT(traceId VARCHAR, spanId VARCHAR, eventName VARCHAR, body STRUCT(stringValue VARCHAR),
    timeUnixNano VARCHAR, observedTimeUnixNano VARCHAR, attributes {_ATTRIBUTE})"""
_POINT = f"""STRUCT(attributes {_ATTRIBUTE}, startTimeUnixNano VARCHAR, timeUnixNano VARCHAR, asInt VARCHAR,
    asDouble VARCHAR)"""
_METRIC = f"""STRUCT(name VARCHAR, sum STRUCT(aggregationTemporality VARCHAR, dataPoints {_POINT}[]),
    histogram STRUCT(dataPoints STRUCT(sum VARCHAR)[]))"""

COLUMNS = {
    "resourceSpans": f"STRUCT({_RESOURCE}, scopeSpans STRUCT(scope STRUCT(name VARCHAR), spans {_SPAN}[])[])[]",
    "resourceLogs": f"STRUCT({_RESOURCE}, scopeLogs STRUCT(scope STRUCT(name VARCHAR), logRecords {_LOG}[])[])[]",
    "resourceMetrics": f"STRUCT({_RESOURCE}, scopeMetrics STRUCT(metrics {_METRIC}[])[])[]",
    **dict.fromkeys(("traceId", "trace_id", "spanId", "span_id", "context.trace_id", "context.span_id"), "VARCHAR"),
    **dict.fromkeys(("parentId", "parent_id", "parentSpanId", "parent_span_id"), "VARCHAR"),
    **dict.fromkeys(("context", "spanContext", "parentSpanContext", "resource", "instrumentationScope"), "JSON"),
    **dict.fromkeys(("type", "name", "kind", "span_kind", "body", "_body", "hrTime", "hrTimeObserved"), "VARCHAR"),
    **dict.fromkeys(("startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time", "timestamp"), "VARCHAR"),
    **dict.fromkeys(("endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time"), "VARCHAR"),
    **dict.fromkeys(("start_timestamp", "end_timestamp", "otel_status_code"), "VARCHAR"),  # of Logfire's table
    **dict.fromkeys(("status", "status_code", "status.code"), "VARCHAR"),
    "attributes": "JSON",
    **dict.fromkeys(_IN_COLUMNS, "VARCHAR"),
    **dict.fromkeys((f"attributes.{name}" for name in _IN_COLUMNS), "VARCHAR"),
}


def _path(name: str) -> str:
    return f"$.{name}"


def _columns(prefix: str) -> str:
    """The list of what the columns of the names hold."""
    listed = (f'"{prefix}{name}"' if name in _IN_COLUMNS else "NULL" for name in NAMES)
    return f"[{', '.join(listed)}]"


# Columns of a table that are attributes: put together, for most records have none of them, and there are hundreds.
_COLUMN_NAMES = ", ".join(f'"{prefix}{name}"' for prefix in ("", "attributes.") for name in _IN_COLUMNS)
_IN_COLUMN = f"""CASE WHEN coalesce({_COLUMN_NAMES}) IS NOT NULL THEN list_transform(
    list_zip({_columns("")}, {_columns("attributes.")}),
    lambda place: coalesce(nullif(place[1], ''), nullif(place[2], ''))) END"""
# The attributes of READ of a row some of which are nested, or stand in columns.
_RESOLVED = """list_transform(
    list_zip({read}, nested[:{many}], in_columns[:{many}]),
    lambda place: coalesce(own_texts[nullif(list_position(own_keys, place[1]), 0)], place[2], place[3]))"""


def _first(*names: str) -> str:
    """SQL for the first of these times, as written."""
    return f"nullif(coalesce({', '.join(names)}), '0')"


def _instant(text: str) -> str:
    """SQL for a time: text, Unix time, or [seconds, nanoseconds] as JavaScript's SDK has them."""
    seconds = f"TRY_CAST({text} AS JSON) ->> '$[0]' || '.' || lpad(TRY_CAST({text} AS JSON) ->> '$[1]', 9, '0')"
    return f"""CASE WHEN contains({text}, ':') THEN utc({text}) WHEN {text} LIKE '[%' THEN utc_epoch({seconds})
        ELSE coalesce(utc_epoch({text}), utc({text})) END"""


_TEXTS = (
    "list_transform({0}, lambda item: coalesce(item.value.stringValue, item.value.intValue, item.value.doubleValue))"
)
_KEYS = "list_transform({0}, lambda item: item.key)"


_MORE = f"""CASE WHEN len(tag_places) > 0 OR len(resource_tag_places) > 0 THEN json_merge_patch(
            {tags_at("resource_tag_places", "keyed.resource_keys", "resource_texts")},
            {tags_at("tag_places", "keyed.keys", "texts")}) ELSE '{{}}'::JSON END"""


def _unnested(resources: str, scopes: str, items: str) -> str:
    """CTEs that yield `{items}_listed`: the spans or log records of an OTLP export, with their attributes."""
    return f"""
{items}_resource AS (
    SELECT file_id, line, unnest({resources}, max_depth := 2) FROM entry WHERE {resources} IS NOT NULL
),
{items}_scope AS (
    SELECT file_id, line, resource.attributes AS resource_attributes, unnest({scopes}, max_depth := 2)
    FROM {items}_resource
),
{items}_item AS (
    SELECT file_id, line, resource_attributes, scope.name AS scope, unnest({items}, max_depth := 2)
    FROM {items}_scope
),
{items}_listed AS (
    SELECT *, {_KEYS.format("attributes")} AS keys, {_TEXTS.format("attributes")} AS texts,
        {_KEYS.format("resource_attributes")} AS resource_keys, {_TEXTS.format("resource_attributes")} AS resource_texts
    FROM {items}_item
)"""  # noqa: S608 (names)


_WIDE = f"* EXCLUDE ({_COLUMN_NAMES}), {_IN_COLUMN} AS in_columns"
_NARROW = "*, NULL::VARCHAR[] AS in_columns"
STARTS = ("startTimeUnixNano", "start_time_unix_nano", "startTime", "start_time", "start_timestamp", "hrTime",
          '"timestamp"')  # fmt: skip
_NESTS = " OR ".join(
    f"json_exists(attributes, '$.{path}')" for path in ("gen_ai.usage", "llm.token_count", "openinference.span")
)

_EVENT = f"texts[{place_of('event.name')}]"
_FIELDS_READ = tuple(short for short in FIELDS if short != "service")
_SEVERAL = " OR ".join(f"len({m}_places) > {int(m in USUAL)}" for m in MEASURES)
_SERVICE = NAMES.index("service.name") + 1

_EXPORTED = f"""
{_unnested("resourceSpans", "scopeSpans", "spans")},
{_unnested("resourceLogs", "scopeLogs", "logRecords")},"""
_OF_EXPORTS = """
    SELECT file_id, line, FALSE AS is_log, traceId AS trace, spanId AS span, parentSpanId AS parent, name,
        scope, kind, NULL::VARCHAR AS span_kind, utc_epoch(startTimeUnixNano) AS began, NULL::VARCHAR AS observed,
        utc_epoch(endTimeUnixNano) AS ended, status.code AS code, NULL::VARCHAR AS body,
        keys, texts, resource_keys, resource_texts, FALSE AS may_own, NULL::VARCHAR AS service_of_row
    FROM spans_listed
    UNION ALL
    SELECT file_id, line, TRUE, traceId, spanId, NULL, eventName, scope, NULL, NULL,
        utc_epoch(nullif(timeUnixNano, '0')), observedTimeUnixNano, NULL, NULL, body.stringValue,
        keys, texts, resource_keys, resource_texts, FALSE, NULL
    FROM logRecords_listed
    UNION ALL"""
_NO_EXPORT = "WHERE resourceSpans IS NULL AND resourceLogs IS NULL AND resourceMetrics IS NULL"

ITEMS = f"""
entry AS MATERIALIZED (
    SELECT {_WIDE} FROM record
),{_EXPORTED}
row_own AS (
    SELECT *, json_keys(attributes) AS own_keys, json_extract_string(attributes, '$.*') AS own_texts,
        json_keys(resource, '$.attributes') AS resource_keys,
        json_extract_string(resource, '$.attributes.*') AS resource_texts,
        CASE WHEN list_has_any(own_keys, ['gen_ai', 'llm', 'openinference']) THEN CASE WHEN {_NESTS}
            THEN json_extract_string(attributes, {constants([_path(name) for name in NAMES])}) END END AS nested,
        nested IS NOT NULL OR in_columns IS NOT NULL AS elsewhere
    FROM entry {_NO_EXPORT}
),
row_read AS (
    SELECT *,
        CASE WHEN elsewhere THEN list_concat({constants(READ)}, coalesce(own_keys, [])) ELSE own_keys END AS keys,
        CASE WHEN elsewhere THEN list_concat({_RESOLVED.format(read=constants(READ), many=len(READ))},
            coalesce(own_texts, [])) ELSE own_texts END AS texts,
        CASE WHEN elsewhere THEN coalesce(nested[{_SERVICE}], in_columns[{_SERVICE}]) END AS own_service,
        CASE WHEN elsewhere OR resource_keys IS NULL
            THEN coalesce(resource ->> '$.attributes."service.name"', resource ->> '$."service.name"')
            END AS resource_service,
        {_first(*STARTS)} AS began, {_first("hrTimeObserved")} AS observed,
        {_first("endTimeUnixNano", "end_time_unix_nano", "endTime", "end_time", "end_timestamp")} AS finished
    FROM row_own
),
listed AS ({_OF_EXPORTS}
    SELECT file_id, line,
        coalesce("type" = 'log' OR hrTime IS NOT NULL OR "_body" IS NOT NULL OR body IS NOT NULL, FALSE)
            AS is_log,
        coalesce(traceId, trace_id, "context.trace_id", context ->> '$.trace_id', context ->> '$.traceId',
            spanContext ->> '$.traceId') AS trace,
        coalesce(spanId, span_id, "context.span_id", context ->> '$.span_id', context ->> '$.spanId',
            spanContext ->> '$.spanId') AS span,
        coalesce(parentId, parent_id, parentSpanId, parent_span_id, parentSpanContext ->> '$.spanId') AS parent,
        name, instrumentationScope ->> '$.name' AS scope, kind, span_kind,
        {_instant("began")} AS began, observed, {_instant("finished")} AS ended,
        coalesce("status.code", status_code, otel_status_code,
            CASE WHEN json_valid(status) AND json_type(status) = 'OBJECT'
                THEN coalesce(status ->> '$.code', status ->> '$.status_code') ELSE status END)
            AS code,
        coalesce(body, "_body") AS body, keys, texts, resource_keys, resource_texts, TRUE AS may_own,
        coalesce(CASE WHEN elsewhere THEN own_texts[{place_of("service.name", "own_keys")}] END, own_service,
            resource_service) AS service_of_row
    FROM row_read
),
keyed AS MATERIALIZED (
    SELECT *,
        -- a plain name means usage only in these emitters' own records
        CASE WHEN CASE WHEN is_log THEN coalesce({_EVENT}, body, name) IN ('api_request', 'claude_code.api_request')
                 ELSE name LIKE 'claude_code.%' OR scope LIKE 'com.anthropic.claude_code%' END THEN 'claude-code'
             WHEN is_log AND {_EVENT} LIKE 'codex.%' THEN 'codex'
             WHEN is_log AND {_EVENT} LIKE '%.api_response' THEN 'gemini-cli' END AS emitter
    FROM listed
),
-- few lists of names are different: where each attribute stands is looked for once for each of them
kind AS (
    SELECT *, {", ".join(f"{place_of_first(FIELDS[short])} AS at_{short}" for short in COMMON)},
        {list_of_any([place_of_first(FIELDS[short]) for short in OTHERS])} AS at_others,
        {", ".join(f"{measure}_places[1] AS at_{measure}" for measure in USUAL)},
        CASE WHEN {_SEVERAL} THEN [{", ".join(f"{measure}_places" for measure in MEASURES)}] END AS several_places,
        {place_of("service.name")} AS at_service, {place_of("service.name", "resource_keys")} AS at_resource_service,
        {kept_places("keys", READ)} AS tag_places, {kept_places("resource_keys", READ)} AS resource_tag_places
    FROM (SELECT *, {", ".join(f"{places_of(measure)} AS {measure}_places" for measure in MEASURES)}
        FROM (SELECT DISTINCT keys, resource_keys, emitter FROM keyed))
),
item AS (
    SELECT file_id, line, is_log, trace, span, parent, name, scope, keyed.kind, span_kind, code, body, keyed.emitter,
        coalesce(began, utc({field_of("event_time")}), {_instant("observed")}) AS started, ended, texts,
        {", ".join(f"{field_of(short)} AS {short}" for short in _FIELDS_READ)},
        coalesce(CASE WHEN may_own THEN texts[at_service] END, resource_texts[at_resource_service], service_of_row)
            AS service,
        {", ".join(f"at_{measure}" for measure in USUAL)}, several_places, {_MORE} AS more
    FROM keyed JOIN kind ON kind.keys IS NOT DISTINCT FROM keyed.keys
        AND kind.resource_keys IS NOT DISTINCT FROM keyed.resource_keys
        AND kind.emitter IS NOT DISTINCT FROM keyed.emitter
)
"""  # noqa: S608 (constants only)
"""CTEs that yield `item`: FIELDS by their short names, and the place in `texts` of what states each of USUAL; where one
of MEASURES has several places, or one that is not usual has any, the places of each."""
ITEMS_OF_ROWS = (
    ITEMS.replace("entry AS MATERIALIZED", "entry AS")
    .replace(_EXPORTED, "")
    .replace(_OF_EXPORTS, "")
    .replace(_NO_EXPORT, "")
)
"""The same where no line is an OTLP export."""


NODE = """
exported AS MATERIALIZED (
    SELECT file_id, trace, span AS id, parent, CASE WHEN used THEN inputs ELSE 0 END AS inputs,
        CASE WHEN used THEN outputs ELSE 0 END AS outputs, coalesce(rollup, FALSE) AS rollup,
        coalesce(is_call, FALSE) AS is_call, used
    FROM call WHERE NOT is_log AND span <> ''
),
twice AS MATERIALIZED (
    SELECT trace, id FROM exported GROUP BY trace, id HAVING count(*) > 1
),
node AS MATERIALIZED (
    SELECT * EXCLUDE (used, file_id) FROM exported ANTI JOIN twice USING (trace, id)
    UNION ALL
    SELECT * EXCLUDE (used, file_id) FROM (
        SELECT DISTINCT ON (trace, id) * FROM exported SEMI JOIN twice USING (trace, id)
        ORDER BY used DESC, outputs DESC, inputs DESC, parent DESC, rollup DESC, is_call DESC)
)
"""
"""CTEs that yield `node`, what `wrappers` reads of `call`; of a span exported twice, the one with most usage."""

_TABLE_NAMES = {*_IN_COLUMNS, *(f"attributes.{name}" for name in _IN_COLUMNS)}
_EXPORT_NAMES = {"resourceSpans", "resourceLogs", "resourceMetrics"}
_ATTRIBUTE_KEYS = (b'"attributes.',)
_EXPORT_KEYS = tuple(f'"{name}"'.encode() for name in sorted(_EXPORT_NAMES))
PIECE_BYTES = 1024 * 1024


def narrowed(reader: Reader, sample: Sample, of_rows: str) -> Reader:
    """The reader without the hundreds of columns of a table whose columns are attributes, for JSON that is none; for
    lines of which none is an OTLP export, with the SQL `of_rows`.

    To look for them takes as long as to read a line. Usage under such a name in a line far below is named as unread.
    """
    of_table = any(key in _TABLE_NAMES for record in sample.records for key in record)
    if sample.layout not in ("ndjson", "json") or not sample.records or of_table:
        return reader
    has_attributes, has_exports = _found_keys(sample.path, (_ATTRIBUTE_KEYS, _EXPORT_KEYS))
    if has_attributes:
        return reader
    gone, sql = (_TABLE_NAMES, reader.sql) if has_exports else (_TABLE_NAMES | _EXPORT_NAMES, of_rows)
    return replace(
        reader,
        columns={name: kind for name, kind in reader.columns.items() if name not in gone},
        sql=sql.replace(_WIDE, _NARROW),
        counted=tuple(
            path for path in reader.counted if path not in _IN_COLUMNS and path.partition(".")[0] not in gone
        ),
    )


def _found_keys(path: str, groups: Sequence[tuple[bytes, ...]]) -> list[bool]:
    """Whether one of each group of keys stands in a file: so none would be missed where its path is another's."""
    last, longest = b"", max(len(key) for keys in groups for key in keys)
    found = [False] * len(groups)
    with Path(path).open("rb") as stream:
        while not all(found) and (piece := stream.read(PIECE_BYTES)):
            begin = last + piece[:longest]
            found = [
                has or any(key in piece or key in begin for key in keys)
                for has, keys in zip(found, groups, strict=True)
            ]
            last = piece[1 - longest :]
    return found
