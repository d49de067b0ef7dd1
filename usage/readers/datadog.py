"""Datadog LLM Observability: spans as its SDK sends them, as a list, one a line, or a page of the export API.

https://docs.datadoghq.com/llm_observability/setup/api/: only spans of kind llm and embedding are calls.
`metrics.input_tokens` includes cache reads and writes, for Anthropic too; five-minute and one-hour writes stand apart.
Output includes reasoning. Of https://docs.datadoghq.com/llm_observability/monitoring/cost: a `total_cost` that the user
sets is in dollars, Datadog's own `estimated_total_cost` in nanodollars. A span above others of its kind repeats theirs.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from .nested import (
    IS_ABOVE,
    above,
    count,
    has,
    items,
    outside,
    parsed,
    tags_of,
    text,
    uncached,
    with_above,
    with_outside,
    written_5m,
)

TEXTS = ["trace_id", "span_id", "parent_id", "session_id", "name", "start_ns", "start_timestamp", "status", "ml_app"]
TEXTS += ["span_kind", "model_name", "model_provider", "start_ms"]  # of the export API, whose spans have no `meta`
OBJECTS = ("meta", "metrics", "tags", "attributes")
COLUMNS = {
    **dict.fromkeys(("spans", "data"), "JSON"),
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys(OBJECTS, "JSON"),
}
LINE = ", ".join(f"'{name}', {name}" for name in TEXTS) + ", " + ", ".join(f"'{n}', {parsed(n)}" for n in OBJECTS)
NANO = "TRY_CAST(metrics ->> '$.estimated_total_cost' AS DECIMAL(28, 3))"

SQL = f"""
WITH RECURSIVE top AS (
    SELECT file_id, line, unnest({items("spans")}) AS span FROM record
    UNION ALL SELECT file_id, line, unnest({items("data")}) FROM record
    UNION ALL SELECT file_id, line, unnest({items("(data -> '$.attributes.spans')")}) FROM record
    UNION ALL SELECT file_id, line, json_object({LINE}) FROM record WHERE span_id IS NOT NULL OR attributes IS NOT NULL
),
inner_span AS (
    SELECT file_id, line, unnest({items("(span -> '$.spans')")}) AS span FROM top
    UNION ALL
    SELECT file_id, line, CASE WHEN {
    has("span", "attributes.span_id")
} THEN (span -> '$.attributes') ELSE span END FROM top
    WHERE (span -> '$.spans') IS NULL
),
known AS (
    SELECT *, coalesce({text("span", "trace_id")}, '') AS trace_id, {text("span", "span_id")} AS span_id,
        nullif({text("span", "parent_id")}, 'undefined') AS parent,
        span -> '$.meta' AS meta, span -> '$.metrics' AS metrics,
        {text("span", "meta.span.kind", "meta.kind", "span_kind")} AS kind,
        coalesce(kind, '') IN ('llm', 'embedding') AS has_usage
    FROM inner_span
),
{above("known", "trace_id", "span_id", "parent")},
{outside("known", "span_id", "parent", "trace_id")},
counted AS (
    SELECT *,
        {count("metrics", "input_tokens", "prompt_tokens")} AS inputs,
        {count("metrics", "output_tokens", "completion_tokens")} AS outputs,
        {count("metrics", "cache_read_input_tokens")} AS reads,
        {
    written_5m(
        count("metrics", "cache_write_input_tokens"),
        count("metrics", "ephemeral_5m_input_tokens"),
        count("metrics", "ephemeral_1h_input_tokens"),
    )
} AS writes_5m,
        {count("metrics", "ephemeral_1h_input_tokens")} AS writes_1h,
        {count("metrics", "total_tokens")} AS total,
        list_transform({items("(span -> '$.tags')")}, lambda tag: tag ->> '$') AS labels
    FROM {with_outside(with_above("known", "trace_id", "span_id"), "span_id", "trace_id")}
    WHERE has_usage OR (kind IS NULL AND {has("metrics", "input_tokens", "prompt_tokens", "output_tokens")})
)
SELECT file_id, line,
    'datadog:' || trace_id || ':' || span_id AS event_id,
    'datadog:' || trace_id || ':' || outside AS above,
    coalesce(utc_epoch({text("span", "start_ns", "start_ms")}), utc({text("span", "start_timestamp", "timestamp")}),
        utc_epoch({text("span", "start_timestamp")})) AS ts,
    coalesce({text("span", "session_id")}, nullif(trace_id, '')) AS session,
    {text("span", "name")} AS task,
    coalesce({text("meta", "model_provider")}, {text("span", "model_provider")},
        {text("meta", "metadata.model_provider")}) AS provider,
    coalesce({text("meta", "model_name")}, {text("span", "model_name")}, {text("meta", "metadata.model_name")})
        AS model,
    {processing(*(text("meta", f"metadata.{n}") for n in ("service_tier", "speed", "inference_geo")))} AS processing,
    CASE WHEN {text("span", "status")} = 'error' THEN 'error' ELSE 'ok' END AS status,
    CASE {IS_ABOVE}
         WHEN NOT has_usage THEN 'a span with tokens that states no kind'
         WHEN inputs + outputs = 0 AND total > 0 THEN 'a total of tokens that does not say what they were' END AS fault,
    {uncached("inputs", "outputs", "total", "reads", "writes_5m", "writes_1h")} AS input,
    reads AS cache_read, writes_5m AS cache_write_5m, writes_1h AS cache_write_1h, outputs AS output,
    nullif(total, 0) AS stated_total,
    CASE WHEN {has("metrics", "total_cost")} THEN {text("metrics", "total_cost")}
         WHEN {NANO} <> 0 THEN ({NANO} * 0.000000001::DECIMAL(10, 9))::VARCHAR
         WHEN {NANO} IS NULL THEN {text("metrics", "estimated_total_cost")} END AS recorded_usd,
    json_merge_patch({tags_of("labels")}, json_object('project', coalesce({text("span", "ml_app")},
            list_filter(labels, lambda label: label LIKE 'ml_app:%')[1][8:]),
        'user', list_filter(labels, lambda label: label LIKE 'user_id:%')[1][9:], 'tags', labels)) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Spans whose kind stands in `meta`."""
    tops = ("", "attributes.", "spans.", "data.attributes.", "data.attributes.spans.", "spans.spans.")
    return any(
        sample.has(f"{top}span_id", f"{top}{kind}", f"{top}{clue}")
        for top in tops
        for kind, clue in (("meta.span.kind", "trace_id"), ("meta.kind", "start_ns"), ("span_kind", "ml_app"))
    )


_WHERE = ("", "attributes.", "spans.", "data.attributes.", "data.attributes.spans.", "spans.spans.")
_COUNTED = [
    "input_tokens",
    "output_tokens",
    "prompt_tokens",
    "completion_tokens",
    "cache_read_input_tokens",
    "cache_write_input_tokens",
    "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens",
    "estimated_total_cost",
]
_PARTS = ["input", "output", "cache_read_input", "cache_write_input", "non_cached_input", "reasoning_output"]

READER = Reader(
    name="datadog",
    origin="tracer",
    doc="https://docs.datadoghq.com/llm_observability/setup/api/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,  # a span and those below it stand in several lines
    counted=tuple(f"{top}metrics.{name}" for top in _WHERE for name in _COUNTED),
    listed=("spans", "data", "data.attributes.spans", "spans.spans"),
    texts=OBJECTS,
    left_out={
        **{f"{top}metrics.total_tokens": "a sum of what is counted" for top in _WHERE},
        **{f"{top}metrics.reasoning_output_tokens": "within the output" for top in _WHERE},
        **{f"{top}metrics.non_cached_input_tokens": "the input without what is counted beside it" for top in _WHERE},
        **{f"{top}metrics.estimated_{n}_cost": "a part of estimated_total_cost" for top in _WHERE for n in _PARTS},
    },
    unique_by="the trace's id and the span's",
    kept_at="Datadog LLM Observability: an export of spans",
    no_call="no span of a model",
    sample="real: counts of recorded API replies; ids and times invented",
)
