"""Vertex AI's request-response log: rows of its BigQuery table as JSON lines, a JSON array or Parquet.

https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/request-response-logging: `full_response` holds the
reply (`usage_metadata`, camel case in some). `prompt_token_count` includes cached tokens, `candidates_token_count`
excludes thoughts; tokens of tools' prompts stand beside the prompt and are billed as input. A streamed reply is a list:
its last count is the whole. Lists say how many tokens are audio or images; video and documents count as text. Claude's
replies have Anthropic's own `usage`, which excludes cached tokens, those of other makers OpenAI's.
"""

from __future__ import annotations

from ..aliases import GEMINI_LISTS
from ..media import PARTS
from ..processing import processing
from ..reader import Reader, Sample
from .nested import by_modality, count, has, items, less, parsed, text

TEXTS = ("logging_time", "request_id", "endpoint", "deployed_model_id", "api_method", "model", "model_version")
COLUMNS = {
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys(("metadata", "full_request", "full_response"), "JSON"),
}


def _either(*names: str) -> tuple[str, ...]:
    """The names in snake case and in camel case."""
    camel = ("".join(part.title() if place else part for place, part in enumerate(n.split("_"))) for n in names)
    return (*names, *camel)


# The models of others (Llama, Mistral, DeepSeek) answer as OpenAI's API does, cached tokens within the prompt.
INPUTS, OUTPUTS = ("input_tokens", "prompt_tokens"), ("output_tokens", "completion_tokens")
OPEN_READS = "prompt_tokens_details.cached_tokens"
# Claude costs more in a region than at the global endpoint; the price list says which of its models.
REGIONAL = """coalesce(contains(concat_ws(' ', resource, model), 'claude')
    AND regexp_extract(resource, 'locations/([^/]+)', 1) NOT IN ('', 'global'), FALSE)"""

ENTRY = f"""SELECT * EXCLUDE (full_response, full_request), {parsed("full_response")} AS replies,
        {parsed("full_request")} AS request
    FROM record"""  # noqa: S608 (constants only)


def calls(entry: str, more: str = "") -> str:
    """SQL for the calls of `entry`, SQL for rows that have `replies` and `request` (JSON) beside the table's other
    columns. `more` are columns of these to hand on, each after a comma."""
    return f"""
WITH entry AS (
    {entry}
),
parted AS (
    SELECT *, {items("replies")} AS parts FROM entry
),
replied AS (
    SELECT *, list_filter(parts, lambda part: {has("part", "message.usage")})[1] AS begun,
        CASE WHEN parts IS NULL THEN replies ELSE coalesce(
            list_filter(parts, lambda part: {has("part", "usage_metadata", "usageMetadata", "usage")})[-1],
            (replies -> '$[#-1]')) END AS reply
    FROM parted
),
used AS (
    SELECT *, coalesce((reply -> '$.usage_metadata'), (reply -> '$.usageMetadata'), '{{}}') AS usage,
        -- of a stream of Claude's, what was read stands in its first event, what was written in its last
        json_merge_patch(coalesce((begun -> '$.message.usage'), '{{}}'::JSON), coalesce((reply -> '$.usage'), '{{}}'))
            AS claude
    FROM replied
),
counted AS (
    SELECT *,
        coalesce({text("request", "model")}, endpoint) AS resource,
        {count("usage", *_either("prompt_token_count"))} AS prompt,
        {count("usage", *_either("tool_use_prompt_token_count"))} AS tool,
        {count("usage", *_either("cached_content_token_count"))} AS cached,
        {count("usage", *_either("candidates_token_count"))} AS candidates,
        {count("usage", *_either("thoughts_token_count"))} AS thoughts,
        {count("usage", *_either("total_token_count"))} AS total,
        {by_modality("usage")},
        {count("claude", *INPUTS)} AS inputs,
        {count("claude", "cache_read_input_tokens")} AS reads,
        {count("claude", "cache_creation_input_tokens")} AS writes,
        {count("claude", "cache_creation.ephemeral_1h_input_tokens")} AS writes_1h,
        {count("claude", *OUTPUTS)} AS outputs,
        {count("claude", OPEN_READS)} AS open_reads, {count("claude", "total_tokens")} AS open_total
    FROM used
)
SELECT file_id, line,
    'vertex:' || nullif(request_id, '') AS event_id,
    coalesce({text("reply", *_either("response_id"), "id")}, {text("begun", "message.id")}) AS response_id,
    coalesce(utc(logging_time), utc_epoch(logging_time)) AS ts,
    'google' AS provider,
    coalesce({text("reply", *_either("model_version"))}, nullif(regexp_extract(model, '[^/]*$'), ''),
        {text("reply", "model")}, {text("begun", "message.model")}) AS model,
    CASE WHEN {text("usage", *_either("traffic_type"))} ILIKE '%batch%' THEN 'batch'
         WHEN {text("usage", *_either("traffic_type"))} ILIKE '%priority%' THEN 'priority'
         WHEN {text("usage", *_either("traffic_type"))} ILIKE '%flex%' THEN 'flex'
         ELSE {processing(text("claude", "service_tier"), text("claude", "speed"), text("claude", "inference_geo"))}
         END || CASE WHEN {REGIONAL} THEN '/regional' ELSE '' END AS processing,
    CASE WHEN {has("reply", "error", "code")} THEN 'error' ELSE 'ok' END AS status,
    CASE WHEN least(tool, inputs) < 0 THEN -1
         ELSE {less("prompt", "cached")} + tool + {less("inputs", "open_reads")} END AS input,
    CASE WHEN least(cached, reads, open_reads) < 0 THEN -1 ELSE cached + reads + open_reads END AS cache_read,
    {less("writes", "writes_1h")} AS cache_write_5m,
    writes_1h AS cache_write_1h,
    CASE WHEN least(candidates, thoughts, outputs) < 0 THEN -1 ELSE candidates + thoughts + outputs END AS output,
    {", ".join(PARTS)},
    nullif(greatest(total, open_total), 0) AS stated_total,
    json_merge_patch(coalesce(request -> '$.labels', '{{}}'::JSON),
        json_object('region', nullif(regexp_extract(resource, 'locations/([^/]+)', 1), ''),
        'project', nullif(regexp_extract(resource, 'projects/([^/]+)', 1), ''),
        'traffic', {text("usage", *_either("traffic_type"))}, 'labels', (request -> '$.labels'))) AS tags
    {more}
FROM counted
"""  # noqa: S608 (constants only)


SQL = calls(ENTRY)


def recognises(sample: Sample) -> bool:
    """Rows of the table by its own columns."""
    return sample.has("logging_time", "full_response", "request_id")


_COUNTED = (
    "prompt_token_count",
    "tool_use_prompt_token_count",
    "cached_content_token_count",
    "candidates_token_count",
    "thoughts_token_count",
)
_CLAUDE = (
    "input_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "output_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
)
_OPEN = ("prompt_tokens", "completion_tokens", "total_tokens", OPEN_READS)
_TOP = ("usage_metadata", "usageMetadata")
_DETAILS = tuple(name for lists in GEMINI_LISTS.values() for name in lists)
COUNTED = (
    *(f"{top}.{name}" for top in _TOP for name in _either(*_COUNTED)),
    *(f"usage.{name}" for name in (*_CLAUDE, *_OPEN)),
    *(f"message.usage.{name}" for name in _CLAUDE),
    *(f"{top}.{d}[].{n}" for top in _TOP for d in _DETAILS for n in _either("token_count")),
)
"""The fields of a reply that reach a token class."""
LEFT_OUT = {
    **{f"{top}.{n}": "a sum of what is counted" for top in _TOP for n in _either("total_token_count")},
    "usage.completion_tokens_details.reasoning_tokens": "part of the output",
    **{f"{top}.{n}": "characters" for top in _TOP for n in _either("billable_prompt_usage")},
}

READER = Reader(
    name="vertex",
    origin="provider",
    doc="https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/request-response-logging",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    counted=tuple(f"full_response.{name}" for name in COUNTED),
    texts=("full_response",),
    listed=("full_response",),  # the chunks of a stream
    left_out={f"full_response.{name}": why for name, why in LEFT_OUT.items()},
    unique_by="the request's id",
    kept_at="the BigQuery table of Vertex AI's request-response logging",
    no_call="no response with usage",
    sample="made: in the shape of a real row",
)
