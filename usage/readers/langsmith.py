"""LangSmith: batches that its SDKs send (`post` and `patch`), pages of `/runs/query`, and runs as lines or Parquet.

https://docs.langchain.com/langsmith/log-llm-trace, https://docs.langchain.com/langsmith/run-data-format: of a run, one
part begins it and another ends it; a part without an id has it at the end of `dotted_order`. `input_tokens` and
`prompt_tokens` include cache reads and writes, `output_tokens` and `completion_tokens` include reasoning. Chains repeat
the sums of their runs, so runs of type llm count, embeddings that state tokens, and of one in another the inner.
Costs are in USD; without a price for the model LangSmith states none or 0. Cached tokens that do not fit into the input
stand beside it, as older versions of LangChain's Anthropic have them.
"""

from __future__ import annotations

from ..media import PARTS
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
from .restated import same

TEXTS = [
    "id",
    "name",
    "run_type",
    "start_time",
    "end_time",
    "status",
    "error",
    "session_id",
    "session_name",
    "trace_id",
    "parent_run_id",
    "dotted_order",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "total_cost",
]
OBJECTS = ("extra", "outputs", "tags", "prompt_token_details", "completion_token_details")
COLUMNS = {
    **dict.fromkeys(("post", "patch", "runs"), "JSON"),
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys(OBJECTS, "JSON"),
}
LINE = ", ".join(f"'{name}', {name}" for name in TEXTS) + ", " + ", ".join(f"'{n}', {parsed(n)}" for n in OBJECTS)


_COUNTS_OF_A_RUN = ("prompt_tokens", "outputs.usage_metadata.input_tokens", "outputs.usage.prompt_tokens")


def _stated(name: str) -> str:
    """What the reply states of how it was processed, in any of the shapes of outputs; else what was asked for."""
    reply = "generations[0][0].message.kwargs.response_metadata"
    answered = text("outputs", name, f"usage.{name}", f"llm_output.{name}", f"{reply}.{name}", f"{reply}.usage.{name}")
    return f"coalesce({answered}, {text('run', f'extra.invocation_params.{name}')})"


# LangChain's names, and those of OpenAI that stand in the details as they came
MEDIA_IN = {
    **{f"{medium}_in": (medium, f"{medium}_tokens") for medium in ("audio", "image")},
    **{f"{medium}_read": (f"cached_tokens_details.{medium}_tokens",) for medium in ("audio", "image")},
}
MEDIA_OUT = {f"{medium}_out": (medium, f"{medium}_tokens") for medium in ("audio", "image")}
PROCESSING = processing(
    f"""CASE WHEN {has("details", "flex", "flex_cache_read")} THEN 'flex'
        WHEN {has("details", "priority", "priority_cache_read")} THEN 'priority' ELSE {_stated("service_tier")} END""",
    _stated("speed"),
    _stated("inference_geo"),
)

SQL = f"""
WITH RECURSIVE part AS (
    SELECT file_id, line, 0 AS stage, unnest({items("post")}) AS run FROM record
    UNION ALL SELECT file_id, line, 1, unnest({items("patch")}) FROM record
    UNION ALL SELECT file_id, line, 0, unnest({items("runs")}) FROM record
    UNION ALL SELECT file_id, line, 0, json_object({LINE}) FROM record WHERE run_type IS NOT NULL
),
named AS (SELECT *, coalesce({text("run", "id")}, right({text("run", "dotted_order")}, 36)) AS run_id FROM part),
run AS (
    SELECT file_id, min(line) AS line, run_id,
        list_reduce(list(json_merge_patch('{{}}', run) ORDER BY stage, named.line),
            lambda a, b: json_merge_patch(a, b)) AS run
    FROM named GROUP BY file_id, run_id
),
known AS (
    SELECT *, {text("run", "parent_run_id")} AS parent,
        coalesce({text("run", "run_type")}, CASE WHEN {
    has("run", "extra.metadata.ls_model_name")
} THEN 'llm' END) AS kind,
        kind = 'llm' OR (kind = 'embedding' AND {has("run", *_COUNTS_OF_A_RUN)}) AS has_usage
    FROM run
),
{above("known", "file_id", "run_id", "parent")},
{outside("known", "run_id", "parent")},
called AS (
    SELECT *, run -> '$.outputs' AS outputs, run -> '$.extra.metadata' AS meta
    FROM {with_outside(with_above("known", "file_id", "run_id"), "run_id")} WHERE has_usage
),
detailed AS (
    SELECT *,
        coalesce(outputs -> '$.usage_metadata', outputs -> '$.generations[0][0].message.kwargs.usage_metadata',
            outputs -> '$.generations[0].message.kwargs.usage_metadata', meta -> '$.usage_metadata',
            outputs -> '$.llm_output.token_usage', outputs -> '$.usage', '{{}}') AS usage
    FROM called
),
counted AS (
    SELECT *,
        greatest({count("run", "prompt_tokens")}, {count("usage", "input_tokens", "prompt_tokens")}) AS inputs,
        greatest({count("run", "completion_tokens")}, {count("usage", "output_tokens", "completion_tokens")}) AS outs,
        coalesce(nullif(run -> '$.prompt_token_details', '{{}}'), usage -> '$.input_token_details',
            usage -> '$.prompt_tokens_details', usage -> '$.input_tokens_details', '{{}}') AS details,
        coalesce(nullif(run -> '$.completion_token_details', '{{}}'), usage -> '$.output_token_details',
            usage -> '$.completion_tokens_details', usage -> '$.output_tokens_details', '{{}}') AS out_details
    FROM detailed
),
parted AS (
    SELECT *,
        {count("details", "cache_read", "priority_cache_read", "flex_cache_read", "cached_tokens")} AS reads,
        {count("details", "ephemeral_1h_input_tokens", "cache_creation_1h")} AS writes_1h,
        greatest({count("run", "total_tokens")}, {count("usage", "total_tokens")}) AS total,
        {media("details", MEDIA_IN)}, {media("out_details", MEDIA_OUT, "answered_media")},
        {
    written_5m(
        count("details", "cache_creation", "cache_write", "cache_write_tokens"),
        count("details", "ephemeral_5m_input_tokens", "cache_creation_5m"),
        count("details", "ephemeral_1h_input_tokens", "cache_creation_1h"),
    )
} AS writes_5m
    FROM counted
)
SELECT file_id, line,
    -- some servers give all of their answers one id: a run's figures are a part of its name
    'langsmith:' || coalesce({text("outputs", "id", "generations[0][0].message.kwargs.response_metadata.id")}
        || ':' || concat_ws(':', inputs, reads, outs), run_id) AS event_id,
    'langsmith:' || run_id AS span, 'langsmith:' || outside AS above,
    {text("outputs", "id", "generations[0][0].message.kwargs.response_metadata.id")} AS response_id,
    coalesce(utc_epoch({text("run", "start_time")}), utc({text("run", "start_time")}),
        TRY(strptime(split_part(split_part({text("run", "dotted_order")}, '.', -1), 'Z', 1), '%Y%m%dT%H%M%S%f'))) AS ts,
    coalesce({text("meta", "session_id", "thread_id", "conversation_id")}, {text("run", "trace_id")}) AS session,
    {text("run", "name")} AS task,
    CASE {text("meta", "ls_provider")} WHEN 'amazon_bedrock' THEN 'aws' WHEN 'google_genai' THEN 'google'
        WHEN 'google_vertexai' THEN 'google' WHEN 'azure_openai' THEN 'azure'
        ELSE {text("meta", "ls_provider")} END AS provider,
    coalesce({text("outputs", "model", "llm_output.model_name")}, {text("meta", "ls_model_name")},
        {text("run", "extra.invocation_params.model", "extra.invocation_params.model_name")}) AS model,
    {PROCESSING} AS processing,
    CASE WHEN {has("run", "error")} OR {text("run", "status")} = 'error' THEN 'error' ELSE 'ok' END AS status,
    CASE {IS_ABOVE}
         WHEN inputs + outs = 0 AND NOT {has("run", "end_time", "error")} THEN 'a run that has begun and not ended'
         WHEN inputs + outs = 0 AND {count("run", "total_tokens")} > 0
         THEN 'a total of tokens that does not say what they were' END AS fault,
    {uncached("inputs", "outs", "total", "reads", "writes_5m", "writes_1h")} AS input,
    reads AS cache_read, writes_5m AS cache_write_5m, writes_1h AS cache_write_1h, outs AS output,
    {", ".join(PARTS)},
    nullif(total, 0) AS stated_total,
    {priced(f"coalesce({text('run', 'total_cost')}, {text('usage', 'total_cost')})")} AS recorded_usd,
    json_merge_patch({tags_of(labels("(run -> '$.tags')"))}, json_object('project', coalesce({
    text("run", "session_name", "session_id")
}), 'user', {text("meta", "user_id")},
        'trace', {text("run", "trace_id")}, 'tags', run -> '$.tags')) AS tags
FROM parted
"""  # noqa: S608 (constants only)


REPLACED = f"""
{same("now", "before", ("ts", "session"))} AND now.task IS NOT DISTINCT FROM before.logged_task
    AND (before.response_id IS NULL OR now.response_id = before.response_id)
"""
"""A run whose figures are corrected, or whose reply is named later, is the one that began then in its trace."""


def recognises(sample: Sample) -> bool:
    """Runs by type and order in their trace, alone, in a batch or in a page."""
    return any(
        sample.has(f"{top}dotted_order", f"{top}trace_id") or sample.has(f"{top}run_type", f"{top}trace_id")
        for top in ("post.", "patch.", "runs.", "")
    )


_WHERE = ("", "runs[].", "post[].", "patch[].")
_USAGE = [
    "input_tokens",
    "output_tokens",
    "input_token_details.cache_read",
    *(f"input_token_details.{name}" for name in ("priority_cache_read", "flex_cache_read", "cache_write")),
    "input_token_details.cache_creation",
    "input_token_details.ephemeral_5m_input_tokens",
    "input_token_details.ephemeral_1h_input_tokens",
    *(f"{side}_token_details.{medium}" for side in ("input", "output") for medium in ("audio", "image")),
    "total_cost",
]
_RUN = [
    "prompt_tokens",
    "completion_tokens",
    "total_cost",
    "prompt_token_details.cache_read",
    *(f"prompt_token_details.{name}" for name in ("priority_cache_read", "flex_cache_read", "cache_write")),
    "prompt_token_details.cache_creation",
    "prompt_token_details.ephemeral_5m_input_tokens",
    "prompt_token_details.ephemeral_1h_input_tokens",
    *(f"{side}_token_details.{medium}" for side in ("prompt", "completion") for medium in ("audio", "image")),
]
_INSIDE = (
    *("output_token_details.reasoning", "input_token_details.over_200k", "input_token_details.cache_read_over_200k"),
    "output_token_details.over_200k",
    # LangChain says of what a service tier processed how much it was
    *(f"{side}_token_details.{tier}" for side in ("input", "output") for tier in ("priority", "flex")),
    *(f"output_token_details.{tier}_reasoning" for tier in ("priority", "flex")),
)

READER = Reader(
    name="langsmith",
    origin="tracer",
    doc="https://docs.langchain.com/langsmith/run-data-format",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    replaced=(REPLACED,),
    ordered=True,  # the parts of a run may stand in several lines
    kept_at="LangSmith: /runs/query, or an export of runs",
    no_call="no run of a model with usage",
    counted=tuple(
        top + path
        for top in _WHERE
        for path in (
            *_RUN,
            *(f"{at}.usage_metadata.{n}" for at in ("outputs", "extra.metadata") for n in _USAGE),
            *(
                f"outputs.{at}.{n}"
                for at in ("usage", "llm_output.token_usage")
                for n in ("prompt_tokens", "completion_tokens", "prompt_tokens_details.cached_tokens")
            ),
        )
    ),
    texts=OBJECTS,
    left_out={
        **{
            top + path: "a sum of what is counted"
            for top in _WHERE
            for path in (
                "total_tokens",
                "outputs.usage_metadata.total_tokens",
                *("outputs.usage.total_tokens", "outputs.llm_output.token_usage.total_tokens"),
                "extra.metadata.usage_metadata.total_tokens",
            )
        },
        **{
            f"{top}{at}.usage_metadata.{path}": "within the input or output"
            for top in _WHERE
            for at in ("outputs", "extra.metadata")
            for path in _INSIDE
        },
        **{
            f"{top}{at}.usage_metadata.{side}_cost": "a part of total_cost"
            for top in _WHERE
            for at in ("outputs", "extra.metadata")
            for side in ("input", "output")
        },
        **{f"{top}completion_token_details.reasoning": "within the output" for top in _WHERE},
        **{
            f"{top}{side}_token_details.{part}over_200k": "within the input or output"
            for top in _WHERE
            for side, part in (("prompt", ""), ("prompt", "cache_read_"), ("completion", ""))
        },
        **{
            f"{top}{side}_token_details.{tier}": "within the input or output"
            for top in _WHERE
            for side in ("prompt", "completion")
            for tier in ("priority", "flex", *(f"{tier}_reasoning" for tier in ("priority", "flex")))
        },
        **{
            f"{top}outputs.{at}.completion_tokens_details.{part}_tokens": "within the output"
            for top in _WHERE
            for at in ("usage", "llm_output.token_usage")
            for part in ("reasoning", "accepted_prediction", "rejected_prediction")
        },
        **{f"{top}{cost}": "a part of total_cost" for top in _WHERE for cost in ("prompt_cost", "completion_cost")},
    },
    unique_by="the provider's response id, else the run's id",
    sample="real: two batches that the SDKs sent, 2024-10",
)
