"""MLflow traces: JSON of its UI and `Trace.to_json()`, one a line or in the list of a search, and a search's table.

https://mlflow.org/docs/latest/genai/tracing/token-usage-cost/: spans carry `mlflow.chat.tokenUsage`, the trace's
`mlflow.trace.tokenUsage` their sum. Values of attributes are JSON as text. `input_tokens` includes cached tokens
(`cache_read_input_tokens`, `cache_creation_input_tokens`), but for Anthropic's API, whose own counts exclude them:
there the total decides. Of Gemini's API the total alone has the thinking, which is output. A span above others with
usage repeats theirs. `mlflow.llm.cost` is in USD.
"""

from __future__ import annotations

from dataclasses import replace

from ..media import PARTS
from ..processing import processing
from ..reader import Reader, Sample
from .api_usage import WRITES, WRITES_1H
from .nested import IS_ABOVE, above, count, has, items, less, media, parsed, priced, text, with_above

COLUMNS = {**dict.fromkeys(("info", "data", "traces", "spans", "trace"), "JSON"), "trace_id": "VARCHAR"}


def _attribute(*names: str) -> str:
    """An attribute of a span, which is JSON as text or JSON itself."""
    found = ", ".join(parsed(f"""attributes -> '$."{name}"'""") for name in names)
    return f"coalesce({found})"


SQL = f"""
WITH RECURSIVE trace AS (
    SELECT file_id, line, coalesce(info, whole -> '$.info') AS info,
        coalesce(data -> '$.spans', whole -> '$.data.spans', spans) AS spans
    FROM (SELECT *, {parsed("trace")} AS whole FROM record)
    WHERE data IS NOT NULL OR (whole -> '$.data.spans') IS NOT NULL OR spans IS NOT NULL
    UNION ALL
    SELECT file_id, line, trace -> '$.info', coalesce(trace -> '$.data.spans', trace -> '$.spans')
    FROM (SELECT file_id, line, unnest({items("traces")}) AS trace FROM record)
),
numbered AS (SELECT *, row_number() OVER () AS trace FROM trace),
span AS (
    SELECT * EXCLUDE (spans), span -> '$.attributes' AS attributes,
        coalesce({text("span", "span_id", "context.span_id")}) AS span_id,
        {text("span", "parent_span_id", "parent_id")} AS parent
    FROM (SELECT *, unnest({items("spans")}) AS span FROM numbered)
),
detailed AS (
    SELECT *, {_attribute("mlflow.chat.tokenUsage")} AS usage, {_attribute("mlflow.spanOutputs")} AS reply,
        {_attribute("mlflow.llm.cost")} AS cost,
        usage IS NOT NULL AS has_usage,
        usage IS NULL AND {_attribute("mlflow.spanType")} ->> '$' IN ('LLM', 'CHAT_MODEL', 'EMBEDDING') AS is_model
    FROM span
),
{above("detailed", "trace", "span_id", "parent")},
leaf AS (SELECT * FROM {with_above("detailed", "trace", "span_id")} WHERE has_usage OR is_model),
counted AS (
    SELECT *,
        {count("usage", "input_tokens", "prompt_tokens")} AS inputs,
        {count("usage", "output_tokens", "completion_tokens")} AS outputs,
        {count("usage", "total_tokens")} AS total,
        greatest({count("usage", "cache_read_input_tokens", "cached_tokens")},
            {count("reply", "usage.prompt_tokens_details.cached_tokens", "usage.input_tokens_details.cached_tokens")})
            AS reads,
        greatest({count("usage", "cache_creation_input_tokens")}, {count("reply -> '$.usage'", *WRITES)}) AS writes,
        {count("reply -> '$.usage'", *WRITES_1H)} AS writes_1h, {media("(reply -> '$.usage')")},
        -- Anthropic's own figures: cached tokens are in neither input nor total
        {_attribute("mlflow.message.format")} ->> '$' = 'anthropic' AS as_anthropic,
        coalesce({text("info", "trace_id", "request_id")}, {text("span", "trace_id", "context.trace_id")}) AS trace_id
    FROM leaf
)
SELECT file_id, line, CASE {IS_ABOVE} END AS fault,
    'mlflow:' || coalesce(CASE WHEN reply ->> '$.id' SIMILAR TO '[\\w-]{{8,}}' THEN reply ->> '$.id' END,
        CASE WHEN span_id SIMILAR TO '[\\w=+/-]+' THEN trace_id || ':' || span_id END) AS event_id,
    reply ->> '$.id' AS response_id,
    coalesce(utc_epoch({text("span", "start_time_unix_nano", "start_time_ns", "start_time")}),
        utc({text("span", "start_time")}), utc({text("info", "request_time")})) AS ts,
    coalesce({text("info", 'trace_metadata."mlflow.trace.session"')}, trace_id) AS session,
    {text("span", "name")} AS task,
    coalesce({_attribute("mlflow.llm.provider")} ->> '$',
        CASE {_attribute("mlflow.message.format")} ->> '$' WHEN 'anthropic' THEN 'anthropic' END) AS provider,
    coalesce({_attribute("mlflow.llm.model")} ->> '$', reply ->> '$.model',
        nullif({_attribute("model", "mlflow.chat.model")} ->> '$', '<redacted>'),
        {_attribute("mlflow.spanInputs")} ->> '$.model') AS model,
    {processing(*(text("reply", n, f"usage.{n}") for n in ("service_tier", "speed", "inference_geo")))} AS processing,
    CASE WHEN coalesce({text("span", "status.code", "status_code")}, '') IN ('STATUS_CODE_ERROR', 'ERROR', '2')
         THEN 'error' ELSE 'ok' END AS status,
    -- where the total is input and output and cached tokens, these stand beside the input
    CASE WHEN as_anthropic OR reads + writes > 0
             AND (total = inputs + outputs + reads + writes OR inputs < reads + writes) THEN inputs
         ELSE {less("inputs", "reads", "writes")} END AS input,
    reads AS cache_read, {less("writes", "least(writes, writes_1h)")} AS cache_write_5m,
    least(writes, writes_1h) AS cache_write_1h,
    outputs + CASE WHEN total > inputs + outputs AND inputs + outputs > 0 AND lower(model) LIKE '%gemini%'
        THEN total - inputs - outputs ELSE 0 END AS output, {", ".join(PARTS)},
    CASE WHEN total > 0 AND NOT coalesce(as_anthropic AND total = inputs + outputs, FALSE) THEN total END
        AS stated_total,
    {priced(text("cost", "total_cost"))} AS recorded_usd,
    json_object('user', {text("info", 'trace_metadata."mlflow.trace.user"')},
        'project', {text("info", "trace_location.mlflow_experiment.experiment_id", "experiment_id")},
        'trace', trace_id) AS tags
FROM counted
WHERE is_model OR {has("usage", "input_tokens", "prompt_tokens", "output_tokens", "completion_tokens")}
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """A trace's info and its spans, or the columns of a search's table."""
    return (sample.has("trace_id", "trace_metadata") and (sample.has("trace") or sample.has("spans"))) or any(
        sample.has(f"{top}info.{key}", f"{top}data.spans")
        for top in ("", "traces.")
        for key in ("trace_metadata", "request_metadata", "trace_location", "experiment_id")
    )


def _without_spans(reader: Reader, sample: Sample) -> Reader:
    """Of a search's table in a CSV: its column of spans is Python, no JSON, and each trace has them."""
    unread = replace(reader, keys={"spans": "no column"})
    return unread if sample.layout == "csv" and sample.has("trace") else reader


_COUNTED = (
    *(
        f"mlflow.chat.tokenUsage.{side}_tokens"
        for side in ("input", "prompt", "output", "completion", "total", "cached")
    ),
    "mlflow.chat.tokenUsage.cache_read_input_tokens",
    "mlflow.chat.tokenUsage.cache_creation_input_tokens",
    "mlflow.llm.cost.total_cost",
)

_SPANS = ("data.spans", "traces.data.spans", "trace.data.spans", "spans")
_TEXTS = ("mlflow.chat.tokenUsage", "mlflow.llm.cost", "mlflow.spanOutputs")

READER = Reader(
    name="mlflow",
    origin="tracer",
    doc="https://mlflow.org/docs/latest/genai/tracing/token-usage-cost/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    kept_at="MLflow: a trace's JSON, or search_traces",
    no_call="no span with usage",
    dotted_keys=True,
    narrow=_without_spans,
    counted=tuple(f"{spans}.attributes.{name}" for spans in _SPANS for name in _COUNTED),
    listed=("traces", *_SPANS),
    texts=("trace", *(f"{spans}.attributes.{name}" for spans in _SPANS for name in _TEXTS)),
    left_out={
        **{
            f"{top}trace_metadata.{name}": "the sum of the spans"
            for top in ("", "info.", "traces.info.", "trace.info.")
            for name in ("mlflow.trace.tokenUsage", "mlflow.trace.cost")
        },
        **{
            f"{spans}.attributes.mlflow.llm.cost.{side}_cost": "a part of the cost"
            for spans in _SPANS
            for side in ("input", "output")
        },
    },
    unique_by="the provider's response id, else the trace's id and the span's",
    sample="made: in the shape of an export",
)
