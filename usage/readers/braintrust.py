"""Braintrust spans: its export and API (`span_attributes.type`), and what its SDKs send (`type`), merged by id.

https://www.braintrust.dev/docs/guides/traces/customize: only spans of type llm are calls. `metrics.prompt_tokens`
includes `prompt_cached_tokens` and `prompt_cache_creation_tokens` (or `…_5m_tokens` and `…_1h_tokens`);
`completion_tokens` includes reasoning, unless the total is the sum with it beside. `metrics.estimated_cost` is
Braintrust's own figure in USD. Rows of one id are parts of one span. A span without any time counts from the file's
own date. What Braintrust's proxy answered from its cache (`metrics.cached`) asked no provider.
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
    labels,
    media,
    outside,
    parsed,
    priced,
    tags_of,
    text,
    uncached,
    with_above,
    with_outside,
    written_5m,
)
from .restated import WHAT, same

TEXTS = ["id", "span_id", "root_span_id", "project_id", "experiment_id", "created", "name", "type"]
OBJECTS = ["span_attributes", "span_parents", "metrics", "metadata", "error", "tags", "output"]
COLUMNS = {
    **dict.fromkeys(("rows", "events", "objects", "data"), "JSON"),
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys(OBJECTS, "JSON"),
}
LINE = ", ".join(f"'{name}', {name}" for name in TEXTS) + ", " + ", ".join(f"'{n}', {parsed(n)}" for n in OBJECTS)

MEDIA = {  # within the prompt and the completion
    "audio_in": ("prompt_audio_tokens",),
    "image_in": ("prompt_image_tokens",),
    "audio_out": ("completion_audio_tokens",),
    "image_out": ("completion_image_tokens",),
}

SQL = f"""
WITH RECURSIVE part AS (
    {
    " UNION ALL ".join(
        f"SELECT file_id, line, unnest({items(top)}) AS span FROM record"
        for top in ("rows", "events", "objects", "data")
    )
}
    UNION ALL SELECT file_id, line, json_object({LINE}) FROM record
    WHERE metrics IS NOT NULL OR span_attributes IS NOT NULL OR "type" IS NOT NULL
),
numbered AS (SELECT *, row_number() OVER () AS place FROM part),
span AS (
    SELECT file_id, min(line) AS line, coalesce({text("span", "span_id", "id")}, 'row ' || place) AS span_id,
        list_reduce(list(json_merge_patch('{{}}', span) ORDER BY place), lambda a, b: json_merge_patch(a, b)) AS span
    FROM numbered GROUP BY ALL
),
known AS (
    SELECT *, {text("span", "span_parents[0]")} AS parent, span -> '$.metrics' AS metrics, span -> '$.metadata' AS meta,
        {text("span", "span_attributes.type", "type")} = 'llm' AS has_usage
    FROM span
),
{above("known", "file_id", "span_id", "parent")},
{outside("known", "span_id", "parent")},
counted AS (
    SELECT *,
        {count("metrics", "prompt_tokens")} AS inputs,
        {count("metrics", "completion_tokens")} AS outputs,
        {count("metrics", "prompt_cached_tokens")} AS reads,
        {
    written_5m(
        count("metrics", "prompt_cache_creation_tokens"),
        count("metrics", "prompt_cache_creation_5m_tokens"),
        count("metrics", "prompt_cache_creation_1h_tokens"),
    )
} AS writes_5m,
        {count("metrics", "prompt_cache_creation_1h_tokens")} AS writes_1h,
        {count("metrics", "tokens", "total_tokens")} AS total,
        {count("metrics", "completion_reasoning_tokens")} AS reasoning, {media("metrics", MEDIA)},
        reasoning > 0 AND total = inputs + outputs + reasoning AS reasoning_beside,
        coalesce(TRY_CAST({text("metrics", "cached")} AS DOUBLE) > 0, lower({
    text("metrics", "cached")
}) = 'true', FALSE)
            AS hit,
        CASE WHEN {has("metrics", "start")} AND TRY_CAST({text("metrics", "start")} AS DOUBLE) > 0
             THEN utc_epoch({text("metrics", "start")}) END AS started
    FROM {with_outside(with_above("known", "file_id", "span_id"), "span_id")}
    WHERE has_usage
)
SELECT file_id, line,
    'braintrust:' || coalesce({text("span", "output.id")}, coalesce({
    text("span", "root_span_id")
}, '') || ':' || nullif(
        CASE WHEN span_id LIKE 'row %' THEN '' ELSE span_id END, '')) AS event_id,
    CASE WHEN span_id NOT LIKE 'row %' THEN 'braintrust:' || span_id END AS span, 'braintrust:' || outside AS above,
    {text("span", "output.id")} AS response_id,
    coalesce(started, utc({text("span", "created")}),
        (SELECT modified FROM file_time WHERE file_time.file_id = counted.file_id)) AS ts,
    {text("span", "root_span_id")} AS session,
    {text("span", "span_attributes.name", "name")} AS task,
    {text("meta", "provider")} AS provider,
    {text("meta", "model")} AS model,
    {processing(*(text("meta", n, f"usage.{n}") for n in ("service_tier", "speed", "inference_geo")))} AS processing,
    CASE WHEN {has("span", "error")} THEN 'error' ELSE 'ok' END AS status,
    CASE {IS_ABOVE}
         WHEN inputs + outputs = 0 AND total > 0 THEN 'a total of tokens that does not say what they were' END AS fault,
    CASE WHEN hit THEN 0 ELSE {uncached("inputs", "outputs", "total", "reads", "writes_5m", "writes_1h")} END AS input,
    CASE WHEN hit THEN 0 ELSE reads END AS cache_read, CASE WHEN hit THEN 0 ELSE writes_5m END AS cache_write_5m,
    CASE WHEN hit THEN 0 ELSE writes_1h END AS cache_write_1h,
    CASE WHEN hit THEN 0 ELSE outputs + CASE WHEN reasoning_beside THEN reasoning ELSE 0 END END AS output,
    {", ".join(f"CASE WHEN hit THEN 0 ELSE {part} END AS {part}" for part in MEDIA)},
    CASE WHEN hit THEN 0 ELSE 1 END AS request,
    CASE WHEN NOT hit THEN nullif(total, 0) END AS stated_total,
    CASE WHEN hit THEN '0' ELSE {priced(text("metrics", "estimated_cost"))} END AS recorded_usd,
    json_merge_patch({tags_of(labels("(span -> '$.tags')"))}, json_object('project', {
    text("span", "project_id")
}, 'experiment', {text("span", "experiment_id")},
        'user', {text("meta", "user_id", "user")}, 'tags', span -> '$.tags',
        'cache_hit', CASE WHEN hit THEN 'true' END,
        'time_from', CASE WHEN started IS NULL AND NOT {has("span", "created")} THEN 'the file' END)) AS tags
FROM counted
"""  # noqa: S608 (constants only)

REPLACED = f"""
{same("now", "before", [name for name in WHAT if name != "ts"])} AND now.input = before.input
    AND now.output = before.output AND before.tags ->> 'time_from' = 'the file'
"""
"""A call that has neither an id nor a time is known by its content, of which the file's date is no part."""


def recognises(sample: Sample) -> bool:
    """Spans with Braintrust's metrics, or those whose type stands in `span_attributes`."""
    return any(
        sample.has(f"{top}metrics.prompt_tokens", f"{top}metrics.completion_tokens", f"{top}metadata.model")
        or sample.has(f"{top}span_attributes", f"{top}root_span_id", f"{top}metrics")
        for top in ("", "rows.", "events.", "objects.", "data.")
    )


_WHERE = ("", "rows.", "events.", "objects.", "data.")
_COUNTED = [
    "prompt_tokens",
    "completion_tokens",
    "prompt_cached_tokens",
    "prompt_cache_creation_tokens",
    "prompt_cache_creation_5m_tokens",
    "prompt_cache_creation_1h_tokens",
    "estimated_cost",
    *(name for names in MEDIA.values() for name in names),
]

READER = Reader(
    name="braintrust",
    origin="tracer",
    doc="https://www.braintrust.dev/docs/guides/traces/customize",
    columns=COLUMNS,
    sql=SQL,
    replaced=(REPLACED,),
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,  # the parts of a span may stand in several lines
    counted=tuple(f"{top}metrics.{name}" for top in _WHERE for name in _COUNTED),
    listed=("rows", "events", "objects", "data"),
    texts=tuple(OBJECTS),
    left_out={
        **{f"{top}metrics.{name}": "a sum of what is counted" for top in _WHERE for name in ("tokens", "total_tokens")},
        **{
            f"{top}metrics.{name}": "a time"
            for top in _WHERE
            for name in ("start", "end", "duration", "time_to_first_token", "caller_*")
        },
        **{f"{top}metrics.completion_reasoning_tokens": "within the output" for top in _WHERE},
        **{f"{top}metrics.cached": "whether the proxy's cache answered" for top in _WHERE},
    },
    unique_by="the provider's response id, else the root span's id and the span's",
    kept_at="Braintrust: an export of a project's logs",
    no_call="no span of a model",
    sample="real: counts of recorded API replies, without ids and times",
)
