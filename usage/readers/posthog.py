"""PostHog's LLM events: `$ai_generation` and `$ai_embedding`, as lines, an API's page, a CSV or a Parquet export.

https://posthog.com/docs/llm-analytics/manual-capture: whether `$ai_input_tokens` includes cached tokens is stated by
`$ai_cache_reporting_exclusive`; else it excludes them for Anthropic and for Claude models, and for others includes
them. Vercel's gateway includes them. Reasoning stands beside the output of Gemini 2.5 and 3, and within it elsewhere.
`$ai_total_cost_usd` is in USD; 0 for tokens means that PostHog knows no price. Traces repeat the sums of their events.
Recorded fixtures have no time of day: their events count from the file's own date.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from .nested import count, items, less, media, parsed, priced, text, written_5m

COLUMNS = {
    **dict.fromkeys(("events", "results", "batch"), "JSON"),
    **dict.fromkeys(("uuid", "event", "timestamp", "distinct_id", "offset_ms"), "VARCHAR"),
    "properties": "JSON",
}
LINE = "'uuid', uuid, 'event', event, 'timestamp', \"timestamp\", 'distinct_id', distinct_id, 'offset_ms', offset_ms"
CREATED = "$ai_cache_creation_input_tokens"
CREATED_5M = ("$ai_cache_creation_5m_input_tokens", "$ai_cache_creation_ephemeral_5m_input_tokens")
CREATED_1H = ("$ai_cache_creation_1h_input_tokens", "$ai_cache_creation_ephemeral_1h_input_tokens")

MEDIA = {  # within the input and the output
    "audio_in": ("$ai_audio_input_tokens", "$ai_input_tokens_audio"),
    "image_in": ("$ai_image_input_tokens",),
    "audio_out": ("$ai_audio_output_tokens",),
    "image_out": ("$ai_image_output_tokens",),
}

SQL = f"""
WITH listed AS (
    SELECT file_id, line, unnest({items("events")}) AS event FROM record
    UNION ALL SELECT file_id, line, unnest({items("results")}) FROM record
    UNION ALL SELECT file_id, line, unnest({items("batch")}) FROM record
    UNION ALL SELECT file_id, line, json_object({LINE}, 'properties', {parsed("properties")})
    FROM record WHERE event IS NOT NULL
),
entry AS (
    SELECT file_id, line, event, {parsed("event -> '$.properties'")} AS ai
    FROM listed WHERE event ->> '$.event' IN ('$ai_generation', '$ai_embedding')
),
counted AS (
    SELECT *,
        {count("ai", "$ai_input_tokens")} AS inputs,
        {count("ai", "$ai_cache_read_input_tokens", "$ai_input_tokens_cached")} AS reads,
        {written_5m(count("ai", CREATED), count("ai", *CREATED_5M), count("ai", *CREATED_1H))} AS writes_5m,
        {count("ai", *CREATED_1H)} AS writes_1h,
        {count("ai", "$ai_output_tokens")} AS outputs, {media("ai", MEDIA)},
        {count("ai", "$ai_reasoning_tokens", "$ai_output_tokens_reasoning")} AS reasoned,
        lower(coalesce({text("ai", "$ai_provider")}, '')) AS vendor,
        lower(coalesce({text("ai", "$ai_model")}, '')) AS name,
        lower({text("ai", "$ai_cache_reporting_exclusive")}) AS flag
    FROM entry
),
judged AS (
    SELECT *, CASE WHEN flag IN ('true', 'false') THEN flag = 'true'
        WHEN vendor = 'gateway' AND lower({
    text("ai", "$ai_framework")
}) = 'vercel' THEN inputs < reads + writes_5m + writes_1h
        ELSE vendor LIKE '%anthropic%' OR name LIKE '%anthropic%' OR name LIKE 'claude%' END AS beside
    FROM counted
)
SELECT file_id, line,
    'posthog:' || coalesce({text("ai", "$ai_trace_id")} || ':' || coalesce({
    text("ai", "$ai_span_id", "$ai_generation_id")
}, event ->> '$.uuid'), event ->> '$.uuid') AS event_id,
    coalesce(utc(event ->> '$.timestamp'),
        CASE WHEN event ->> '$.offset_ms' IS NOT NULL
            THEN (SELECT modified FROM file_time WHERE file_time.file_id = judged.file_id)
                + to_milliseconds(TRY_CAST(event ->> '$.offset_ms' AS BIGINT)) END) AS ts,
    coalesce({text("ai", "$ai_session_id", "$session_id")}, {text("ai", "$ai_trace_id")}) AS session,
    {text("ai", "$ai_span_name", "$ai_generation_name")} AS task,
    CASE WHEN {text("ai", "openrouter_source")} IS NOT NULL THEN 'openrouter' ELSE nullif(vendor, '') END AS provider,
    {text("ai", "$ai_model")} AS model,
    {
    processing(f'''coalesce({text("ai", "$ai_service_tier")}, ai ->> '$."$ai_model_parameters".service_tier')''')
} AS processing,
    CASE WHEN lower({text("ai", "$ai_is_error")}) = 'true' OR TRY_CAST({text("ai", "$ai_http_status")} AS BIGINT) >= 400
         THEN 'error' ELSE 'ok' END AS status,
    CASE WHEN beside THEN inputs ELSE {less("inputs", "reads", "writes_5m", "writes_1h")} END AS input,
    {", ".join(MEDIA)},
    reads AS cache_read, writes_5m AS cache_write_5m, writes_1h AS cache_write_1h,
    CASE WHEN least(outputs, reasoned) < 0 THEN -1
         WHEN regexp_matches(name, '^gemini-(2\\.5|3(\\.\\d+)?)-') THEN outputs + reasoned ELSE outputs END AS output,
    {count("ai", "$ai_web_search_count")} AS web_search,
    CASE WHEN {count("ai", "$ai_total_tokens")} NOT IN (0, inputs + outputs) THEN {count("ai", "$ai_total_tokens")} END
        AS stated_total,
    {priced(text("ai", "$ai_total_cost_usd"))} AS recorded_usd,
    json_object('user', event ->> '$.distinct_id', 'project', {text("ai", "$ai_project_name")},
        'branch', {text("ai", "$ai_git_branch")}, 'framework', {text("ai", "$ai_framework")},
        'trace', {text("ai", "$ai_trace_id")}, 'served_by', {text("ai", "$ai_provider")},
        'time_from', CASE WHEN event ->> '$.timestamp' IS NULL THEN 'the file' END) AS tags
FROM judged
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Events of PostHog's AI observability; in a table, its columns."""
    if sample.layout in ("csv", "parquet"):
        return sample.has("event", "properties", "distinct_id", "timestamp")
    paths = ("event", "events.event", "results.event", "batch.event")
    return any(str(name).startswith("$ai_") for path in paths for name in sample.values(path))


_WHERE = ("", "events.", "results.", "batch.")
_COUNTS = (
    "$ai_input_tokens", "$ai_output_tokens", "$ai_cache_read_input_tokens", "$ai_input_tokens_cached", CREATED,
    *CREATED_5M, *CREATED_1H, "$ai_reasoning_tokens", "$ai_output_tokens_reasoning", "$ai_web_search_count",
    "$ai_total_cost_usd", *(name for names in MEDIA.values() for name in names),
)  # fmt: skip
_SUMS = ("$ai_total_tokens", "$ai_total_input_tokens", "$ai_total_output_tokens")
_PARTS = ("$ai_input_cost_usd", "$ai_output_cost_usd", "$ai_request_cost_usd", "$ai_web_search_cost_usd")
_VIDEO = ("$ai_video_input_tokens", "$ai_video_output_tokens")

READER = Reader(
    name="posthog",
    origin="tracer",
    doc="https://posthog.com/docs/llm-analytics/manual-capture",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    kept_at="PostHog: an export of events",
    no_call="no $ai_generation event",
    counted=tuple(f"{top}properties.{name}" for top in _WHERE for name in _COUNTS),
    listed=("events", "results", "batch"),
    texts=tuple(f"{top}properties" for top in _WHERE),
    left_out={
        f"{top}properties.{name}": why
        for top in _WHERE
        for names, why in (
            (_SUMS, "a sum of what is counted"),
            (_PARTS, "a part of $ai_total_cost_usd"),
            (_VIDEO, "within the input or output"),
        )
        for name in names
    },
    unique_by="the trace's id and the span's",
    sample="real: the structure of production events, their contents replaced",
)
