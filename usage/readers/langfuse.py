"""Langfuse observations: from the API, a trace downloaded in the UI, or the blob storage export (snake_case).

https://langfuse.com/docs/model-usage-and-cost: the keys of `usageDetails` are disjoint: `input` excludes cached tokens,
reasoning stands beside `output`; `input_*` and `output_*` that are no cache are input and output. `total` is their sum.
Keys that came in as an emitter's own (`cache_write.input_tokens`, `prompt_details.…`) stand inside `input` or `output`.
Where `total` says otherwise, it decides; Gemini's thinking may stand in the total only. Older rows have `usage`, or its
counts beside it, whose unit need not be tokens: characters, images and seconds are rejected, a stated cost is kept.
https://langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields
"""

from __future__ import annotations

from ..aliases import (
    LANGFUSE_CACHED_PARTS,
    LANGFUSE_INPUTS,
    LANGFUSE_OUTPUTS,
    LANGFUSE_REASONING,
    LANGFUSE_SEARCHES,
    LANGFUSE_THOUGHTS,
    LANGFUSE_TOOL_INPUTS,
    LANGFUSE_TOTALS,
)
from ..media import PARTS
from ..processing import processing
from ..reader import STATED_BY_OTHERS, Reader, Sample, identifier, text
from .langfuse_keys import COUNTED, FOUND, by_medium, first, largest, more, sum_of
from .langfuse_rows import COLUMNS, LISTED, OLDEST, PARTS_OF_COST, narrowed
from .nested import labels, outside, tags_of, with_outside
from .wrappers import MORE, WRAPPERS

_METADATA = (  # all at once, since each expression on it parses it anew
    '$."gen_ai.response.id"', '$.attributes."gen_ai.response.id"', "$.response_id", "$.ls_provider",
    '$.attributes."gen_ai.provider.name"', '$.attributes."gen_ai.system"', "$.service_tier", "$.speed",
    *(f'$.attributes."{maker}.response.service_tier"' for maker in ("gen_ai.openai", "openai")), "$.inference_geo",
)  # fmt: skip


def _said(*places: int) -> str:
    return ", ".join(f"said[{place}]" for place in places)


_SETTINGS = ("$.service_tier", "$.serviceTier", "$.speed", "$.inference_geo")
# LangChain's callback counts what a service tier processed under its name
_COUNTED_AS = "CASE WHEN uncommon THEN nullif(regexp_extract(counts::VARCHAR, 'put_(flex|priority)', 1), '') END"
_TIER = ", ".join((_COUNTED_AS, "set[1]", "set[2]", _said(7, 9, 10)))
_SPEED, _GEO = f"set[3], {_said(8)}", f"set[4], {_said(11)}"
_PROCESSING = f"""CASE WHEN uncommon OR said IS NOT NULL OR set IS NOT NULL
    THEN {processing(*(f"coalesce({texts})" for texts in (_TIER, _SPEED, _GEO)))} ELSE 'standard' END"""
_REASONING = ("output_reasoning*", "completion_details.reasoning*", "completion_tokens_details.reasoning*")


def _has_settings(value: str) -> str:
    """Whether a text may have one of the settings as a key; most have others, and are not parsed."""
    return " OR ".join(f"contains({value}, '{part}')" for part in ("tier", "Tier", "speed", "inference_geo", "\\u"))


def _parsed(*names: str) -> str:
    """A JSON column under either name; some exports hold it as text."""
    value = f"coalesce({', '.join(names)})"
    return f"""CASE WHEN starts_with({value}::VARCHAR, '{{') THEN {value}
        WHEN json_type({value}) = 'VARCHAR' THEN TRY_CAST({value} ->> '$' AS JSON) ELSE {value} END"""


def _used(counts: str) -> str:
    """Whether some number in this JSON object of counts is not 0."""
    return f"""coalesce(list_bool_or(list_transform(json_keys({counts}),
        lambda k: TRY_CAST({counts} ->> k AS DOUBLE) IS DISTINCT FROM 0 AND k <> 'unit'
            AND ({counts} ->> k) IS NOT NULL AND k NOT LIKE '%Cost')), FALSE)"""


def _has_keys(value: str) -> str:
    """Whether a JSON value is an object with a key: what begins as one and has a quote is."""
    return f"CASE WHEN {value}::VARCHAR LIKE '{{%\"%' THEN TRUE ELSE len(json_keys({value})) > 0 END"


def _amount(*names: str) -> str:
    return f"TRY_CAST(coalesce({', '.join(identifier(name) for name in names)}) AS DECIMAL(38, 18))"


_INPUT_COST, _OUTPUT_COST = _amount(*PARTS_OF_COST[:2]), _amount(*PARTS_OF_COST[2:])
_SUM_OF_COSTS = f"""CASE WHEN coalesce({_INPUT_COST}, {_OUTPUT_COST}) IS NOT NULL
    THEN (coalesce({_INPUT_COST}, 0) + coalesce({_OUTPUT_COST}, 0))::VARCHAR END"""

_OWN_TAGS = """json_object('attributes', NULL, 'resourceAttributes', NULL, 'scope', NULL, 'environment', environment,
    'user', trace_user, 'trace', trace_named)"""

# What is told of an observation in the end; all rows are held while wrappers are looked for.
_KEPT = ", ".join((
    "file_id", "line", "id", "trace", "parent", "kind", "name", "level", "environment", "metadata", "labels", "ts",
    *("session", "trace_user", "trace_named", "named_model", "response_id", "provider", "processing", "stated_cost"),
    *("recorded_usd", "no_tokens", "counted_in", "bad", "all_inside", "reasoning_inside", "inputs", "outputs", "parts"),
    *("searches", "total", *PARTS),
))  # fmt: skip

SQL = f"""
WITH RECURSIVE {LISTED}
entry AS (
    SELECT * REPLACE (coalesce({_parsed("metadata")}, '{{}}') AS metadata,
            coalesce("userId", user_id, trace_user) AS trace_user,
            coalesce("traceName", trace_name, trace_named) AS trace_named),
        upper(coalesce("type", 'GENERATION')) AS kind,
        {_parsed('"usageDetails"', "usage_details")} AS details,
        {_parsed("usage")} AS older,
        {_parsed('"costDetails"', "cost_details")} AS costs,
        {_parsed('"modelParameters"', "model_parameters")} AS settings,
        coalesce("totalCost", total_cost, "calculatedTotalCost") AS cost,
        coalesce(model, "providedModelName", provided_model_name) AS named_model,
        coalesce("traceId", trace_id, '') AS trace,
        coalesce("parentObservationId", parent_observation_id, '') AS parent,
        utc(coalesce("startTime", start_time)) AS ts,
        coalesce(nullif(coalesce("sessionId", session_id), ''), trace_session, nullif(trace, '')) AS session,
        coalesce(trace_tags, tags) AS labels
    FROM observation
),
detailed AS (
    SELECT *,
        upper(coalesce(nullif(older ->> '$.unit', ''), nullif(unit, ''), 'TOKENS')) AS counted_in,
        -- before usageDetails there was usage, and before that its counts alone
        CASE WHEN {_has_keys("details")} THEN details WHEN {_used("older")} THEN older
             WHEN coalesce({", ".join(map(identifier, OLDEST))}) IS NOT NULL THEN json_object(
                 'input', coalesce("inputUsage", "promptTokens"), 'output', coalesce("outputUsage", "completionTokens"),
                 'total', coalesce("totalUsage", "totalTokens"))
             END AS stated_counts,
        CASE WHEN counted_in <> 'TOKENS' THEN {_used("stated_counts")} ELSE FALSE END AS no_tokens,
        CASE WHEN NOT no_tokens THEN stated_counts END AS counts,
        coalesce(cost, costs ->> '$.total', {_SUM_OF_COSTS}) AS stated_cost
    FROM entry
),
listed AS (
    SELECT *, {FOUND},
        CASE WHEN metadata::VARCHAR <> '{{}}'
            THEN json_extract_string(metadata, [{", ".join(map(text, _METADATA))}]) END AS said,
        CASE WHEN {_has_settings("settings::VARCHAR")}
            THEN json_extract_string(settings, [{", ".join(map(text, _SETTINGS))}]) END AS set
    FROM detailed
),
measured AS (
    SELECT * EXCLUDE (stated, rare, media), {by_medium()},
        {first(LANGFUSE_INPUTS)} AS inputs, {more("input")} AS more_inputs,
        {first(LANGFUSE_OUTPUTS)} AS outputs, {more("output")} AS more_outputs,
        {largest("beside", "cached")} AS reads, {largest("inside", "cached")} AS reads_inside,
        {largest("beside", "written")} AS writes, {largest("inside", "written")} AS writes_inside,
        {largest("beside", "written_5m")} AS writes_5m,
        {largest("beside", "written_1h")} AS writes_1h, {largest("inside", "written_1h")} AS writes_1h_inside,
        {sum_of(LANGFUSE_CACHED_PARTS)} AS reads_by_medium, {first(LANGFUSE_THOUGHTS)} AS thoughts,
        {first(LANGFUSE_TOOL_INPUTS)} AS of_tools, {first(LANGFUSE_REASONING)} AS reasoning,
        {first(LANGFUSE_SEARCHES)} AS searches,
        {first(LANGFUSE_TOTALS)} AS total,
        -- a gateway that writes traces puts the response's id into the observation's
        coalesce(CASE WHEN id ^@ 'time-' THEN nullif(regexp_extract(id, '^time-[0-9-]+_(.+)$', 1), '') END,
            {_said(1, 2, 3)}) AS response_id,
        CASE WHEN named_model LIKE 'projects/%/publishers/%/models/%' THEN 'gcp.vertex_ai'
            ELSE coalesce({_said(4, 5, 6)}) END AS provider,
        {_PROCESSING} AS processing,
        -- a model that Langfuse has no price for gets cost 0 and no details: that is no amount
        CASE WHEN TRY_CAST(stated_cost AS DOUBLE) = 0 THEN CASE WHEN len(json_keys(costs)) > 0 THEN stated_cost END
             ELSE stated_cost END AS recorded_usd
    FROM listed
),
-- what emitters name in words of their own stands beside, unless it is the same count under two names
gathered AS (
    SELECT * REPLACE (
        CASE WHEN least(more_inputs, of_tools) < 0 THEN -1 ELSE more_inputs + of_tools END AS more_inputs,
        CASE WHEN least(more_outputs, thoughts) < 0 THEN -1 WHEN thoughts = more_outputs THEN thoughts
            ELSE more_outputs + thoughts END AS more_outputs,
        CASE WHEN least(reads, reads_by_medium, modal) < 0 THEN -1 ELSE greatest(reads, reads_by_medium, modal) END
            AS reads)
    FROM measured
),
-- the parts of writes may stand beside their sum or in it: the total decides, else that they add up to it
written AS (
    SELECT *,
        least(inputs, more_inputs, outputs, more_outputs, reads, reads_inside, writes, writes_inside, writes_5m,
            writes_1h, writes_1h_inside, reasoning, searches, total) < 0 AS bad,
        inputs + more_inputs + reads + writes + writes_5m + writes_1h + outputs + more_outputs AS everything,
        CASE WHEN writes >= writes_5m + writes_1h AND (total = everything - writes_5m - writes_1h
                OR (writes = writes_5m + writes_1h AND total <> everything))
            THEN writes ELSE writes + writes_5m + writes_1h END AS writes_beside
    FROM gathered
),
-- a key of the emitter's own repeats one of Langfuse's, or stands inside the input if it can
placed AS (
    SELECT *,
        CASE WHEN reads > 0 THEN 0 ELSE reads_inside END AS reads_within,
        CASE WHEN writes_beside > 0 THEN 0 ELSE greatest(writes_inside, writes_1h_inside) END AS writes_within,
        CASE WHEN reads_within + writes_within > inputs THEN 0 ELSE reads_within + writes_within END AS within,
        inputs - within + more_inputs + reads + reads_within + writes_beside + writes_within + outputs + more_outputs
            AS parts
    FROM written
),
-- a total that is less than the parts says which of them stand inside input or output, one that is more, that some
-- have no name of their own: of Gemini's models, that is the thinking
resolved AS (
    SELECT *,
        total <> parts AND total IN (inputs + outputs, inputs + outputs + more_outputs)
            AND reads + writes_beside + more_inputs BETWEEN 1 AND inputs AS all_inside,
        total <> parts AND more_outputs <= outputs AND total = CASE WHEN all_inside THEN inputs + outputs
            ELSE parts - more_outputs END AS reasoning_inside,
        CASE WHEN total > parts AND total = parts + reasoning THEN reasoning
            WHEN total > parts AND inputs + outputs > 0 AND lower(named_model) LIKE '%gemini%'
                -- on Vertex the rest may be the prompts of tools too: it has no class
                AND named_model NOT LIKE 'projects/%'
            THEN total - parts ELSE 0 END AS thinking
    FROM placed
),
counted AS MATERIALIZED (
    SELECT {_KEPT},
        inputs - within + CASE WHEN all_inside THEN - reads - writes_beside ELSE more_inputs END AS uncached,
        outputs + CASE WHEN reasoning_inside THEN 0 ELSE more_outputs END + thinking AS output_tokens,
        reads + reads_within AS cached,
        greatest(writes_1h, least(writes_1h_inside, writes_beside + writes_within)) AS written_1h,
        writes_beside + writes_within - written_1h AS written_5m
    FROM resolved
),
node AS MATERIALIZED (
    SELECT DISTINCT ON (trace, id) trace, id, parent,
        CASE WHEN bad THEN 0 ELSE uncached + cached + written_5m + written_1h END AS inputs,
        CASE WHEN bad THEN 0 ELSE output_tokens END AS outputs,
        kind NOT IN ('GENERATION', 'EMBEDDING') AS rollup, NOT rollup AS is_call
    FROM counted WHERE id IS NOT NULL
),
{WRAPPERS},
observed AS (SELECT file_id, trace, id, parent FROM counted WHERE id <> ''),
{outside("observed", "id", "parent", "trace")}
SELECT file_id, line,
    'langfuse:' || outside AS above, kind NOT IN ('GENERATION', 'EMBEDDING') AS is_sum,
    'langfuse:' || nullif(id, '') AS event_id,
    response_id,
    ts,
    session,
    name AS task,
    provider,
    CASE WHEN starts_with(named_model, 'projects/')
        THEN regexp_replace(named_model, '^projects/.*/publishers/[^/]+/models/', '') ELSE named_model END AS model,
    processing,
    CASE WHEN upper(level) = 'ERROR' THEN 'error' ELSE 'ok' END AS status,
    CASE WHEN bad THEN -1 ELSE uncached END AS input,
    cached AS cache_read,
    written_5m AS cache_write_5m,
    written_1h AS cache_write_1h,
    output_tokens AS output,
    {", ".join(PARTS)},
    searches AS web_search,
    CASE WHEN total > 0 AND NOT bad AND NOT coalesce(all_inside, FALSE) AND NOT coalesce(reasoning_inside, FALSE)
        AND total <> inputs + outputs THEN total END AS stated_total,
    CASE WHEN total <> 0 AND NOT bad AND parts = 0 THEN 'a total of tokens that does not say what they were' END
        AS fault,
    recorded_usd,
    -- metadata's own keys, without what the OpenTelemetry SDK adds for every call
    CASE WHEN labels IS NULL THEN json_merge_patch(metadata, {_OWN_TAGS})
        ELSE json_merge_patch({tags_of(labels("labels"))}, metadata, {_OWN_TAGS}) END AS tags
FROM {with_outside("counted", "id", "trace")}
WHERE (kind IN ('GENERATION', 'EMBEDDING') OR (NOT bad AND parts > 0))
    AND NOT (no_tokens AND stated_cost IS NULL)
    AND NOT EXISTS (SELECT 1 FROM wrapper WHERE wrapper.trace = counted.trace AND wrapper.id = counted.id)
UNION ALL BY NAME
SELECT file_id, line, 'langfuse:' || id AS event_id, named_model AS model,
    'usage in ' || counted_in || ', not in tokens: not counted'
        || CASE WHEN stated_cost IS NULL THEN '' ELSE ', its recorded cost is kept' END AS fault
FROM counted WHERE no_tokens AND kind IN ('GENERATION', 'EMBEDDING')
UNION ALL BY NAME
SELECT file_id, line, 'langfuse:' || id AS event_id, named_model AS model, {MORE} AS fault
FROM counted JOIN wrapper USING (trace, id)
WHERE beyond_inputs > 0 AND beyond_outputs >= 0
    AND trace NOT IN (SELECT trace FROM counted WHERE bad)  -- a call that is rejected is missing in the sum
UNION ALL BY NAME
SELECT file_id, line, 'langfuse:' || id AS event_id, '{STATED_BY_OTHERS}' AS fault
FROM counted JOIN wrapper USING (trace, id)
"""  # noqa: S608 (constants only)

_OF_A_TRACE = (("id", "traceId", "type", "startTime"), ("id", "trace_id", "type", "start_time"))
_WITH_USAGE = ("usageDetails", "usage_details", "usage", "totalUsage", "totalTokens", "totalCost", "total_cost")
_PLACES = ("", "observations.", "data.")
KINDS = ("GENERATION", "SPAN", "EVENT", "EMBEDDING", "AGENT", "TOOL", "CHAIN", "RETRIEVER", "EVALUATOR", "GUARDRAIL")
"""The types of observations."""


def recognises(sample: Sample) -> bool:
    """Observations by their own ids, their trace's, and usage by its kinds; or a trace with such a list."""
    if sample.layout in ("csv", "parquet"):
        return any(sample.has(*named) and any(map(sample.has, _WITH_USAGE)) for named in _OF_A_TRACE)
    return any(
        sample.has(*(f"{place}{name}" for name in named))
        and any(kind in KINDS for kind in sample.values(f"{place}type") if isinstance(kind, str))
        for place in _PLACES
        for named in _OF_A_TRACE
    )


_USAGE = tuple(f"{place}{holder}." for place in _PLACES for holder in ("usageDetails", "usage_details", "usage"))

_COSTS = tuple(f"{place}{holder}" for place in _PLACES for holder in ("costDetails", "cost_details"))

READER = Reader(
    name="langfuse",
    origin="tracer",
    doc="https://langfuse.com/docs/api-and-data-platform",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    narrow=narrowed,
    input_includes_cached=False,
    dotted_keys=True,
    counted=(
        *(f"{usage}{name}" for usage in _USAGE for name in COUNTED),
        *(f"{place}{name}" for place in _PLACES for name in ("totalCost", "total_cost", "calculatedTotalCost")),
        *(f"{place}{name}" for place in _PLACES for name in (*OLDEST, *PARTS_OF_COST)),
        *(f"{place}{name}.total" for place in _PLACES for name in ("costDetails", "cost_details")),
    ),
    listed=tuple(place.rstrip(".") for place in _PLACES if place),
    texts=tuple(usage.rstrip(".") for usage in (*_USAGE, *_COSTS)),
    left_out={
        **{f"{place}{costs}.*": "parts of the cost" for place in _PLACES for costs in ("costDetails", "cost_details")},
        **{f"{usage}{name}": "part of the output" for usage in _USAGE for name in _REASONING},
        **{
            f"{usage}{side}_video_tokens": "counted within the side it stands beside, as text"
            for usage in _USAGE
            for side in ("input", "output")
        },
        **{
            f"{usage}{side}_{kind}": "counted within the side it stands beside"
            for usage in _USAGE
            for side in ("input", "output")
            for kind in ("text", "text_tokens", "modality_*", "video")
        },
        "trace.observations": "the observations beside it, once more",
        **{f"{place}providedCostDetails": "what was sent; costDetails has it" for place in _PLACES},
        **{f"{place}modelParameters": "what a request asked for" for place in _PLACES},
    },
    unique_by="observation id",
    kept_at="Langfuse: a trace's download, or observations by export or API",
    no_call="no generation with usage",
    sample="real: trace downloads of the UI, 2025",
)
