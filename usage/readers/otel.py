"""OpenTelemetry: spans and log records of LLM calls, and Claude Code's metrics where there is nothing better.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/. The names of usage are in `aliases`; whether the
input includes cached tokens, and the output reasoning, is what the emitter does, unless the record's own arithmetic
proves the other. A span is one call, but for those that repeat others (see `wrappers`): an agent's sum, one call by
two libraries, a log record beside its span.
"""

from __future__ import annotations

from functools import partial

from .. import aliases
from ..aliases import ATTRIBUTES, ATTRIBUTES_LEFT_OUT
from ..processing import processing
from ..reader import STATED_BY_OTHERS, Reader, Sample
from .claude_model import provider_of
from .nested import outside, with_outside
from .otel_counts import count_of, counts_of, first, largest, may_be_listed, texts_of
from .otel_fields import FIELDS
from .otel_items import COLUMNS, ITEMS, ITEMS_OF_ROWS, NODE, narrowed
from .otel_json import (
    IN_JSON_COUNTED,
    IN_JSON_LEFT_OUT,
    LANGFUSE_BESIDE,
    LANGFUSE_REASONING_BESIDE,
)
from .otel_metrics import METRICS, OTHERS
from .otel_names import MEASURES, MEDIA, USUAL
from .wrappers import MORE, SILENT, WRAPPERS

CALLS = ("chat", "text_completion", "generate_content", "embeddings", "completion", "embedding", "rerank")
CALL_SORTS = ("LLM", "EMBEDDING", "RERANKER", "UNKNOWN", "GENERATION", "CHAT_MODEL")
ROLLUPS = ("invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "agent", "workflow", "chain", "tool")


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


_BESIDE = {measure: {alias.only for alias in ATTRIBUTES if alias.measure == measure and alias.beside}
           for measure in ("input", "reasoning")}  # fmt: skip
_COUNTED = tuple(measure for measure in MEASURES if measure != "cost")
_PROVIDER = (
    r"^(openai|anthropic|google|vertex|amazon-bedrock|bedrock|azure-openai|mistral|xai|groq|deepseek|cohere|"
    r"togetherai|fireworks|cerebras|perplexity|openrouter|moonshotai|gateway)\."
)
# frameworks that write their own name where the provider's belongs
_FRAMEWORKS = """gcp.vertex.agent adk langchain llamaindex litellm_proxy strands-agents strands crewai autogen agno
    microsoft.agent_framework haystack pydantic_ai openai_agents claude_agent_sdk smolagents dspy mastra _other"""
_PLAIN_PROVIDERS = _quoted(tuple(_FRAMEWORKS.split()))
# hands on what Bedrock states, cached tokens beside the input (https://github.com/traceloop/openllmetry/issues/4449)
_BESIDE_SCOPE = "scope LIKE '%instrumentation.bedrock%' OR scope LIKE '%instrumentation-bedrock%'"

PROCESSING = processing(
    "coalesce(tier, metadata ->> '$.openai.serviceTier', metadata ->> '$.anthropic.usage.service_tier')",
    "coalesce(speed_of_usage, CASE WHEN emitter = 'claude-code' THEN speed END, "
    "metadata ->> '$.anthropic.usage.speed')",
    "coalesce(geo, CASE WHEN emitter = 'claude-code' THEN plain_geo END, "
    "metadata ->> '$.anthropic.usage.inference_geo')",
)

_CALLS = f"""
known AS (
    SELECT * REPLACE (
            coalesce(model, trim(mlflow_model, '"'), TRY_CAST(braintrust_metadata AS JSON) ->> '$.model') AS model,
            coalesce(provider, trim(mlflow_provider, '"'), TRY_CAST(braintrust_metadata AS JSON) ->> '$.provider')
                AS provider,
            coalesce(sort, trim(mlflow_sort, '"'), TRY_CAST(braintrust_sort AS JSON) ->> '$.type') AS sort),
        TRY_CAST(langfuse_usage AS JSON) AS lf, TRY_CAST(mlflow_usage AS JSON) AS ml,
        TRY_CAST(braintrust_usage AS JSON) AS bt,
        TRY_CAST(vercel AS JSON) AS metadata
    FROM item
),
counted AS (
    SELECT * EXCLUDE (texts, several_places, {", ".join(f"at_{measure}" for measure in USUAL)}),
        {", ".join(f"{counts_of(measure)} AS {measure}" for measure in _COUNTED)},
        {", ".join(f"{count_of(measure)} AS {measure}_alone" for measure in _COUNTED)},
        CASE WHEN at_cost IS NOT NULL OR {may_be_listed("cost")} THEN list_filter({texts_of("cost")},
            lambda c: c IS NOT NULL AND TRY_CAST(c AS DOUBLE) IS DISTINCT FROM 0)[1] END AS cost
    FROM known
),
measured AS (
    SELECT * EXCLUDE ({", ".join(f"{measure}_alone" for measure in _COUNTED)})
        REPLACE ({first("input")} AS input, {first("output")} AS output,
        {", ".join(f"{largest(measure)} AS {measure}" for measure in _COUNTED[2:])})
    FROM counted
),
-- whether cached tokens stand in the input, by the emitter, or by what cannot be otherwise
placed AS (
    SELECT *,
        least(input, output, cached, written, written_1h, reasoning, tool, total) < 0 AS bad,
        greatest(written, written_1h) AS writes,
        cached + writes AS kept,
        kept > 0 AND (emitter IN ({_quoted(tuple(filter(None, _BESIDE["input"])))}) OR kept > input
            OR total = input + kept + output OR {_BESIDE_SCOPE} OR {LANGFUSE_BESIDE}
            OR metadata ->> '$.anthropic.usage.input_tokens' = input::VARCHAR
            OR (metadata ->> '$.anthropic.usage' IS NULL
                AND metadata ->> '$.anthropic.cacheReadInputTokens' IS NOT NULL))
            AS beside,
        input + tool + CASE WHEN beside THEN kept ELSE 0 END AS inputs,
        reasoning > 0 AND (emitter IN ({_quoted(tuple(filter(None, _BESIDE["reasoning"])))}) OR reasoning > output
            OR total = inputs + output + reasoning OR {LANGFUSE_REASONING_BESIDE}) AS reasoning_beside,
        output + CASE WHEN reasoning_beside THEN reasoning ELSE 0 END AS stated_output,
        -- Gemini's thinking may stand in the total only
        stated_output + CASE WHEN total > inputs + stated_output AND inputs + stated_output > 0
            AND lower(coalesce(model, plain_model)) LIKE '%gemini%' THEN total - inputs - stated_output ELSE 0 END
            AS outputs
    FROM measured
),
call AS MATERIALIZED (
    SELECT * EXCLUDE (trace, span, parent, session),
        coalesce(nullif(ltrim(lower(trace), '0x'), ''), '') AS trace,
        coalesce(nullif(ltrim(lower(span), '0x'), ''), '') AS span,
        coalesce(nullif(ltrim(lower(parent), '0x'), ''), '') AS parent,
        nullif(session, '') AS session,
        upper(coalesce(sort, CASE WHEN span_kind IN ('LLM', 'EMBEDDING', 'RERANKER', 'CHAIN', 'AGENT', 'TOOL')
            THEN span_kind END)) AS shown_as,
        operation IN ({_quoted(CALLS)}) OR shown_as IN ({_quoted(CALL_SORTS)}) OR operation LIKE 'ai.%.do%' AS is_call,
        NOT coalesce(is_call, FALSE) AND (operation IN ({_quoted(ROLLUPS)}) OR operation LIKE 'ai.%'
            OR shown_as NOT IN ({_quoted(CALL_SORTS)})) AS rollup,
        NOT bad AND inputs + outputs + total > 0 AS used
    FROM placed
),
{NODE},
{WRAPPERS},
{outside("exported", "id", "parent", "trace")},
reported AS MATERIALIZED (
    -- a call without ids is known by its content (rows come in any order), and stands behind those that have some
    SELECT *, coalesce(nullif(trace, '') || ':' || nullif(span, ''), request_id,
            '~' || hash(*COLUMNS(call.* EXCLUDE (file_id))) || ':' || row_number() OVER ()) AS place,
        CASE WHEN is_log THEN 2 WHEN rollup THEN 3 WHEN is_call THEN 0 ELSE 1 END AS rank,
        NOT regexp_full_match(trace || span, '[0-9a-f]*') AS torn  -- no exporter writes such an id
    FROM call ANTI JOIN wrapper ON wrapper.trace = call.trace AND wrapper.id = CASE WHEN NOT is_log THEN call.span END
    WHERE used OR bad OR input + output + cached + writes > 0
),
-- one response in a few spans and records that are near in time; an id that many have, or calls that differ in all,
-- is a gateway's constant
few AS (
    SELECT response FROM reported WHERE response <> '' GROUP BY response
    HAVING count(DISTINCT place) BETWEEN 2 AND 8
        AND least(count(DISTINCT inputs) FILTER (rank < 2), count(DISTINCT outputs) FILTER (rank < 2)) < 2
),
same AS (
    SELECT a.response, a.place
    FROM reported AS a SEMI JOIN few USING (response) JOIN reported AS b
        ON b.response = a.response AND b.place <> a.place
        AND (b.rank > 1, b.torn, b.rank, b.place) < (a.rank > 1, a.torn, a.rank, a.place)  -- a call's span before all
    WHERE (a.is_log <> b.is_log OR a.rollup OR (a.inputs = b.inputs AND a.outputs = b.outputs)
            OR (a.scope <> b.scope AND (a.inputs = b.inputs OR (a.outputs = b.outputs AND a.outputs > 0))))
        AND (a.started IS NULL OR b.started IS NULL
            OR (a.started <= TRY(coalesce(b.ended, b.started + INTERVAL 10 MINUTE) + INTERVAL 5 SECOND)
                AND b.started <= TRY(coalesce(a.ended, a.started + INTERVAL 10 MINUTE) + INTERVAL 5 SECOND)))
),
-- what is in none of these is left without a search in each row: most files have records or spans, not both
recorded_span AS (
    SELECT trace, id FROM node
        SEMI JOIN (FROM reported WHERE is_log AND emitter IS NULL) AS record
        ON record.trace = node.trace AND record.span = node.id
    WHERE inputs + outputs > 0
),
agent_record AS (
    SELECT inputs, outputs, started FROM call WHERE is_log AND emitter IN ('codex', 'claude-code')
),
outer_operation AS (
    SELECT DISTINCT outside.operation
    FROM (SELECT DISTINCT operation FROM reported WHERE operation LIKE 'ai.%') AS outside
        JOIN (SELECT DISTINCT operation FROM call WHERE operation LIKE 'ai.%.do%' AND is_call AND used) AS inside
        ON inside.operation LIKE outside.operation || '.do%'
),
kept_call AS (
    SELECT * FROM reported
        ANTI JOIN same ON same.response = reported.response AND same.place = reported.place
        -- a record beside its own span
        ANTI JOIN recorded_span AS own ON own.trace = reported.trace
            AND own.id = CASE WHEN is_log AND emitter IS NULL THEN reported.span END
        -- a span beside an agent's record of the same response
        ANTI JOIN agent_record AS log ON log.outputs = reported.outputs
            AND log.inputs = CASE WHEN NOT is_log AND request_id IS NULL THEN reported.inputs END
            AND abs(epoch(log.started) - epoch(reported.started)) < 600
        -- the Vercel AI SDK's outer span, whose inner ones may stand in other traces
        ANTI JOIN outer_operation AS outside
            ON outside.operation = CASE WHEN NOT coalesce(is_call, FALSE) THEN reported.operation END
    -- the conventions' record beside the agent's own
    WHERE NOT (is_log AND emitter IS NULL
        AND coalesce(session IN (SELECT own.session FROM call AS own WHERE own.emitter = 'gemini-cli'), FALSE))
),
{SILENT},
-- what stands beneath an agent's sum in its file, without usage: calls in other files may stand beneath that
under_sum AS (
    SELECT file_id, trace, id AS top, id FROM exported ANTI JOIN wrapper USING (trace, id) WHERE rollup AND used
    UNION
    SELECT one.file_id, one.trace, top, exported.id FROM under_sum AS one JOIN exported
        ON one.file_id = exported.file_id AND one.trace = exported.trace AND one.id = exported.parent
),
times AS (
    SELECT response, min(started) AS started FROM call WHERE response <> '' GROUP BY response
)
SELECT file_id, line,
    CASE WHEN emitter = 'claude-code' AND request_id <> '' THEN 'otel:request:' || request_id
         WHEN is_log AND emitter IS NOT NULL AND session IS NOT NULL THEN concat_ws(':', 'otel', emitter, session,
             prompt, coalesce(event_time, kept_call.started::VARCHAR), inputs, cached, outputs)
         WHEN trace <> '' AND span <> '' AND NOT (is_log AND emitter IS NOT NULL)
             THEN concat_ws(':', 'otel', trace, span)
         WHEN is_log AND kept_call.response <> ''
             THEN concat_ws(':', 'otel:response', kept_call.response, inputs, cached, outputs)
         END AS event_id,
    nullif(kept_call.response, '') AS response_id, nullif(request_id, '') AS request_id,
    coalesce(kept_call.started, times.started) AS ts,
    CASE WHEN NOT is_log AND outside IS NOT NULL THEN concat_ws(':', 'otel', trace, outside) END AS above,
    NOT is_log AND rollup AS is_sum,
    agent, session,
    CASE WHEN lower(provider) IN ({_PLAIN_PROVIDERS}) THEN NULL
         WHEN provider = 'github' THEN 'github-copilot'
         WHEN regexp_matches(provider, '{_PROVIDER}') THEN split_part(provider, '.', 1)
         WHEN provider IS NOT NULL THEN provider
         WHEN emitter = 'codex' THEN 'openai'
         WHEN emitter = 'gemini-cli' THEN 'gcp.gemini'
         WHEN emitter = 'claude-code' THEN {provider_of("plain_model")} END AS provider,
    coalesce(model, CASE WHEN emitter IS NOT NULL THEN plain_model END) AS model,
    {PROCESSING} AS processing,
    CASE WHEN upper(code) IN ('2', 'ERROR', 'STATUS_CODE_ERROR', 'STATUSCODE.ERROR') OR failure IS NOT NULL
        THEN 'error' ELSE 'ok' END AS status,
    FALSE AS aggregated,
    CASE WHEN bad THEN -1 ELSE inputs - kept END AS input,
    cached AS cache_read,
    writes - written_1h AS cache_write_5m,
    written_1h AS cache_write_1h,
    outputs AS output,
    {", ".join(MEDIA)},
    1 AS request,
    CASE WHEN NOT bad AND total NOT IN (0, input + output) THEN total END AS stated_total,
    cost AS recorded_usd,
    json_merge_patch(more, json_object('service', service, 'operation', operation, 'error', failure, 'user', user_id,
        'query_source', query_source)) AS tags,
    CASE WHEN NOT bad AND inputs + outputs = 0 AND total > 0 THEN 'a total of tokens that does not say what they were'
        END AS fault
FROM {with_outside("(FROM kept_call UNION ALL BY NAME FROM silent) AS kept_call", "span", "trace")}
    LEFT JOIN times USING (response)
UNION ALL BY NAME
SELECT call.file_id, call.line, concat_ws(':', 'otel', call.trace, call.span) AS event_id, model, {MORE} AS fault
FROM call JOIN wrapper ON wrapper.trace = call.trace AND wrapper.id = call.span
WHERE NOT is_log AND beyond_inputs > 0 AND beyond_outputs >= 0
    AND call.trace NOT IN (SELECT trace FROM call WHERE bad)  -- a call that is rejected is missing in the sum
UNION ALL BY NAME
SELECT file_id, NULL::BIGINT AS line, concat_ws(':', 'otel', trace, id) AS event_id,
    concat_ws(':', 'otel', trace, top) AS above, '{STATED_BY_OTHERS}' AS fault
FROM under_sum WHERE id <> top
"""  # noqa: S608 (constants only)
WRAPPERS_TOO = f"""
UNION ALL BY NAME
SELECT call.file_id, call.line, concat_ws(':', 'otel', call.trace, call.span) AS event_id,
    '{STATED_BY_OTHERS}' AS fault
FROM call JOIN wrapper ON wrapper.trace = call.trace AND wrapper.id = call.span WHERE NOT is_log
"""  # noqa: S608 (constants only)
"""SQL to follow the rest, for files that are written anew as they change: a wrapper counted until its calls came."""
SQL = f"WITH RECURSIVE {ITEMS}, {_CALLS} UNION ALL BY NAME {METRICS} UNION ALL BY NAME {OTHERS}"
SQL_OF_ROWS = f"WITH RECURSIVE {ITEMS_OF_ROWS}, {_CALLS}"


_USAGE_PREFIXES = ("gen_ai.", "llm.", "ai.", "openinference.", "claude_code.", "codex.", "gemini_cli.")
IDS = (
    ("traceId", "spanId"),
    ("trace_id", "span_id"),
    ("context.trace_id", "context.span_id"),
    ("spanContext.traceId", "spanContext.spanId"),
)


def recognises(sample: Sample) -> bool:
    """OTLP's envelopes; spans, by their two ids, with attributes; records and rows with GenAI's dotted names."""
    if sample.layout in ("csv", "parquet"):
        usage = {alias.name for alias in ATTRIBUTES if alias.only is None}
        return bool(usage & {name.removeprefix("attributes.") for name in sample.columns}) or (
            "attributes" in sample.columns and any(sample.has(*pair) for pair in IDS)
        )
    return (
        any(sample.has(path) for path in ("resourceSpans.scopeSpans", "resourceLogs.scopeLogs"))
        or sample.has("resourceMetrics.scopeMetrics")
        or any(sample.has(*pair, "attributes") for pair in IDS)
        or any(key.startswith("gen_ai.usage.") for record in sample.records for key in record)
        or any(_is_record(attributes) for attributes in sample.values("attributes"))
    )


def _is_record(attributes: object) -> bool:
    """Attributes of a log record as the SDKs' exporters write it: it names its event."""
    return isinstance(attributes, dict) and (
        any(str(key).startswith("gen_ai.usage.") for key in attributes)
        or str(attributes.get("event.name", "")).startswith(_USAGE_PREFIXES)
    )


_OTHER_NAMES = (
    "copilot_chat.copilot_usage_nano_aiu",
    *IN_JSON_COUNTED,
)
PLACES = (
    "attributes.",
    "resourceSpans.scopeSpans.spans.attributes.",
    "resourceLogs.scopeLogs.logRecords.attributes.",
    "",
)

OF_JSON = ("vercel", "genkit", "input_details", "output_details", "langfuse_usage", "langfuse_cost", "mlflow_usage",
           "mlflow_cost", "braintrust_usage")  # fmt: skip
IN_TEXTS = tuple(name for short in OF_JSON for name in FIELDS[short])

READER = Reader(
    name="otel",
    origin="telemetry",
    doc="https://opentelemetry.io/docs/specs/semconv/gen-ai/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    whole=True,
    narrow=partial(narrowed, of_rows=SQL_OF_ROWS),
    kept_at="the file of an OpenTelemetry exporter (OTLP as JSON), or a table of spans",
    no_call="no span, record or metric with usage",
    dotted_keys=True,
    counted=(
        *(f"{place}{name}" for place in PLACES for name in (*aliases.names(), *_OTHER_NAMES)),
        "resourceMetrics.scopeMetrics.metrics.sum.dataPoints.asInt",
        "resourceMetrics.scopeMetrics.metrics.sum.dataPoints.asDouble",
    ),
    texts=tuple(f"{place}{name}" for place in PLACES for name in IN_TEXTS),
    left_out={
        f"{place}{name}": why for place in PLACES for name, why in {**ATTRIBUTES_LEFT_OUT, **IN_JSON_LEFT_OUT}.items()
    },
    unique_by="the provider's request or response id, else the trace's id and the span's",
    sample="made: spans, records and exports in the shapes of their emitters",
)
