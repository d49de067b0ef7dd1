"""W&B Weave calls: lines of `/calls/stream_query`, a list of them, or its CSV and Parquet exports.

https://docs.wandb.ai/weave/guides/tracking/costs: `summary.usage` has one entry for each model, named as the provider
names its counts, and in newer versions `prompt_tokens` with cache reads and writes inside. A call's summary is the sum
of its children's, so calls with usage and without children count. `summary.weave.costs` is there if asked for; its
`*_total_cost` are in USD after `prompt_token_cost_unit`. Counts under Anthropic's names, `input_tokens` without any
`prompt_tokens`, exclude cached tokens.
"""

from __future__ import annotations

from ..aliases import API_MEDIA_TEXT
from ..media import PARTS
from ..processing import processing
from ..reader import Reader, Sample
from .api_usage import MEDIA_NAMES, WRITES
from .nested import (
    IS_ABOVE,
    above,
    count,
    has,
    items,
    less,
    media,
    outside,
    parsed,
    priced,
    text,
    with_above,
    with_outside,
)

TEXTS = [
    "id",
    "project_id",
    "op_name",
    "trace_id",
    "parent_id",
    "thread_id",
    "started_at",
    "exception",
    "wb_user_id",
    "wb_run_id",
]
COLUMNS = {
    "calls": "JSON",
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys(("summary", "attributes", "output"), "JSON"),
}
LINE = ", ".join(f"'{name}', {name}" for name in TEXTS) + ", 'summary', {}, 'attributes', attributes, 'output', output"
COSTS = ("prompt_tokens", "completion_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
USD = " + ".join(
    f"coalesce(TRY_CAST(cost ->> '$.{n}_total_cost' AS DECIMAL(38, 18)), "
    f"TRY_CAST(TRY_CAST(cost ->> '$.{n}_total_cost' AS DOUBLE) AS DECIMAL(38, 18)), 0)"
    for n in COSTS
)
MOST_MODELS = 1000  # of one call: each is a row with the whole call

SQL = f"""
WITH RECURSIVE listed AS (
    SELECT file_id, line, unnest({items("calls")}) AS call FROM record
    UNION ALL
    SELECT file_id, line, json_object({LINE.format(parsed("summary"))}) FROM record WHERE op_name IS NOT NULL
),
known AS MATERIALIZED (
    SELECT *, {text("call", "id")} AS call_id, {text("call", "parent_id")} AS parent,
        {parsed("call -> '$.summary.usage'")} AS usages,
        coalesce(len(json_keys(usages)), 0) > 0 AS has_usage, len(json_keys(usages)) > {MOST_MODELS} AS too_many
    FROM listed
),
{above("known", "file_id", "call_id", "parent")},
{outside("known", "call_id", "parent")},
used AS (
    SELECT *, replace(replace(model, '~', '~0'), '/', '~1') AS place
    FROM (SELECT *, unnest(CASE WHEN too_many THEN [''] ELSE json_keys(usages) END) AS model
        FROM {with_outside(with_above("known", "file_id", "call_id"), "call_id")}
        WHERE has_usage)
),
detailed AS MATERIALIZED (
    SELECT *, usages -> ('/' || place) AS usage, call -> ('/summary/weave/costs/' || place) AS cost FROM used
),
counted AS (
    SELECT *,
        {count("usage", "prompt_tokens", "input_tokens", "prompt_token_count", "inputTokens")} AS inputs,
        {count("usage", "completion_tokens", "output_tokens", "candidates_token_count", "outputTokens")} AS outputs,
        {count("usage", "thoughts_token_count")} AS thoughts,
        {
    count(
        "usage",
        "cache_read_input_tokens",
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "cached_content_token_count",
        "cacheReadInputTokens",
    )
} AS reads,
        {count("usage", *WRITES, "cacheWriteInputTokens")} AS writes,
        {count("usage", "cache_creation.ephemeral_1h_input_tokens")} AS writes_1h,
        {media("usage")},
        {has("usage", "inputTokens")} OR {has("usage", "input_tokens")} AND NOT {has("usage", "prompt_tokens")} AND
            NOT {has("usage", "input_tokens_details.cached_tokens")} AS beside
    FROM detailed
)
SELECT file_id, line, CASE {IS_ABOVE} WHEN too_many THEN 'over {MOST_MODELS:,} models in one call' END AS fault,
    -- some servers give all of their answers one id: a call's figures are a part of its name
    'weave:' || coalesce({text("call", "output.id")} || ':' || concat_ws(':', inputs, reads, outputs), call_id)
        || ':' || model AS event_id,
    'weave:' || call_id AS span, 'weave:' || outside AS above,
    {text("call", "output.id")} AS response_id,
    utc({text("call", "started_at")}) AS ts,
    coalesce({text("call", "thread_id")}, {text("call", "trace_id")}) AS session,
    regexp_extract({text("call", "op_name")}, '([^/]*?)(:[^:/]*)?$', 1) AS task,
    {text("cost", "provider_id")} AS logged_provider,
    CASE WHEN logged_provider = 'default' THEN NULL ELSE logged_provider END AS provider,
    model,
    {processing(*(text("usage", n) for n in ("service_tier", "speed", "inference_geo")))} AS processing,
    CASE WHEN {has("call", "exception")} THEN 'error' ELSE 'ok' END AS status,
    CASE WHEN beside THEN inputs ELSE {less("inputs", "reads", "writes")} END AS input,
    reads AS cache_read,
    {less("writes", "writes_1h")} AS cache_write_5m,
    writes_1h AS cache_write_1h,
    {", ".join(PARTS)},
    CASE WHEN least(outputs, thoughts) < 0 THEN -1 ELSE outputs + thoughts END AS output,
    CASE WHEN {has("usage", "requests")} THEN {count("usage", "requests")} ELSE 1 END AS request,
    request > 1 AS aggregated,
    CASE WHEN {count("usage", "total_tokens")} NOT IN (0, inputs + outputs)
        THEN {count("usage", "total_tokens")} END AS stated_total,
    CASE WHEN cost IS NULL THEN NULL
         WHEN coalesce({text("cost", "prompt_token_cost_unit")}, 'USD') <> 'USD'
         THEN ({USD})::VARCHAR || ' ' || {text("cost", "prompt_token_cost_unit")}
         ELSE {priced(f"({USD})::VARCHAR")} END AS recorded_usd,
    json_object('project', {text("call", "project_id")}, 'user', {text("call", "wb_user_id")},
        'run', {text("call", "wb_run_id")}, 'trace', {text("call", "trace_id")}) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Calls of an op within a project's trace."""
    if sample.layout in ("csv", "parquet"):  # not a table whose columns are parts of the summary
        return sample.has("op_name", "trace_id", "project_id", "summary")
    return sample.has("op_name", "trace_id", "project_id") or sample.has("calls.op_name", "calls.trace_id")


_WHERE = ("summary", "calls.summary")
_COUNTED = [
    "prompt_tokens",
    "input_tokens",
    "prompt_token_count",
    "completion_tokens",
    "output_tokens",
    "candidates_token_count",
    "thoughts_token_count",
    "cache_read_input_tokens",
    "cached_content_token_count",
    "requests",
    *("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens"),  # of Bedrock's Converse
    "prompt_tokens_details.cached_tokens",
    "input_tokens_details.cached_tokens",
    *WRITES,
    *MEDIA_NAMES,
    "cache_creation.ephemeral_1h_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
]
_INSIDE = (
    *("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens"),
    *API_MEDIA_TEXT,
)

_TOTALS = ("total_tokens", "total_token_count", "totalTokens")

READER = Reader(
    name="weave",
    origin="tracer",
    doc="https://docs.wandb.ai/weave/guides/tracking/costs",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    ordered=True,  # children and parents stand in several lines
    counted=tuple(
        f"{top}.{path}"
        for top in _WHERE
        for path in (*(f"usage.*.{n}" for n in _COUNTED), *(f"weave.costs.*.{n}_total_cost" for n in COSTS))
    ),
    listed=("calls",),
    texts=("summary", *(f"{top}.usage" for top in _WHERE)),
    left_out={
        **{f"{top}.usage.*.{name}": "a sum of what is counted" for top in _WHERE for name in _TOTALS},
        **{f"{top}.usage.*.{path}": "within the input or output" for top in _WHERE for path in _INSIDE},
        **{
            f"{top}.weave.costs.*.{name}": "repeats the usage"
            for top in _WHERE
            for name in (*COSTS, "requests", "total_tokens")
        },
        **{
            f"{top}.weave.costs.*.{name}": "a price of one token"
            for top in _WHERE
            for name in (
                "prompt_token_cost",
                "completion_token_cost",
                "cache_read_input_token_cost",
                "cache_creation_input_token_cost",
            )
        },
    },
    unique_by="the provider's response id, else the call's id; and the model",
    kept_at="Weave: calls/stream_query, or an export",
    no_call="no call with usage",
    sample="made: two calls and their parent",
)
