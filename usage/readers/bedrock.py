"""Amazon Bedrock's model invocation log: JSON lines from S3, CloudWatch Logs' envelopes of them, an Insights export.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html: `input.inputTokenCount` excludes
cache reads and writes. `requestId` names the call and is repeated by retried deliveries. A failed call has an
`errorCode` and no counts; one stopped by a guardrail is billed for what it has counts of. `modelId` may be an ARN that
ends in the id of a model or of a regional profile; an application's own profile and a prompt router name no model, but
the reply may. Replies repeat the counts, each family of models in its own words; the log's own are what is billed.
One-hour cache writes are stated by the reply alone, and cached tokens in older entries. Bodies over 100 KB stand
elsewhere in S3 and are not looked up.
"""

from __future__ import annotations

from ..processing import level
from ..reader import Reader, Sample
from .counts import count_in_text
from .nested import JsonTexts, items, less, parsed

TEXTS = (
    "timestamp",
    "accountId",
    "region",
    "requestId",
    "operation",
    "modelId",
    "errorCode",
    "status",
    "inferenceRegion",
)
OBJECTS = ("identity", "input", "output", "requestMetadata")
ENVELOPES = ("events", "logEvents", "results", "Records")
COLUMNS = {
    **dict.fromkeys(ENVELOPES, "JSON"),
    **dict.fromkeys(("@message", "message"), "VARCHAR"),
    **dict.fromkeys(TEXTS, "VARCHAR"),
    **dict.fromkeys(OBJECTS, "JSON"),
}
LINE = ", ".join(f"'{name}', \"{name}\"" for name in (*TEXTS, *OBJECTS))
# an Insights result is a list of fields and their values
FIELD = "list_filter({}, lambda field: field ->> '$.field' = '@message')[1] ->> '$.value'"

LOGGED = JsonTexts("logged", (*TEXTS, "identity.arn", "input.inputTokenCount", "input.cacheReadInputTokenCount",
    "input.cacheWriteInputTokenCount", "output.outputTokenCount"))  # fmt: skip
STATED = JsonTexts("stated", ("cache_creation.ephemeral_1h_input_tokens", "cacheReadInputTokens",
    "cacheWriteInputTokens", "cache_read_input_tokens", "cache_creation_input_tokens",
    *(f"cacheDetails[{place}].{name}" for place in (0, 1) for name in ("ttl", "inputTokens"))))  # fmt: skip
REPLIED = JsonTexts("replied", ("model", "[0].message.model", "trace.promptRouter.invokedModelId", "serviceTier.type",
    "service_tier", "usage.service_tier", "performanceConfig.latency"))  # fmt: skip
# of a stream, the chunk that has what the whole cost: Claude's first, Nova's and Converse's last
CHUNK = """list_filter({}, lambda part: coalesce((part -> '$.message.usage'), (part -> '$.metadata.usage'),
    (part -> '$.usage')) IS NOT NULL)[1]"""
USAGE = """coalesce((body -> '$.usage'), (chunk -> '$.message.usage'), (chunk -> '$.metadata.usage'),
    (chunk -> '$.usage'))"""


def _cached(logged: str, *replied: str) -> str:
    """SQL for a count of cached tokens; entries before the log had them say it in the reply alone."""
    return count_in_text(f"coalesce({LOGGED.text(logged)}, {STATED.text(*replied)})")


SQL = f"""
WITH enveloped AS (
    {
    " UNION ALL ".join(
        f"SELECT file_id, line, unnest({items(name, quoted=True)}) AS event FROM record" for name in ENVELOPES
    )
}
),
entry AS (
    SELECT file_id, line, json_object({LINE}) AS log FROM record
    WHERE coalesce("modelId", input::VARCHAR, output::VARCHAR) IS NOT NULL
    UNION ALL
    SELECT file_id, line, TRY_CAST(coalesce("@message", message) AS JSON) FROM record
    WHERE coalesce("@message", message) IS NOT NULL
    UNION ALL
    SELECT file_id, line, CASE json_type(event)
        WHEN 'ARRAY' THEN TRY_CAST(({FIELD.format(items("event"))}) AS JSON)
        ELSE coalesce({parsed("(event -> '$.message')")}, event) END
    FROM enveloped
),
parted AS (
    SELECT file_id, line, (log -> '$.requestMetadata') AS metadata, {LOGGED.listed("log")}, {
    parsed("(log -> '$.output.outputBodyJson')")
} AS body
    FROM entry
),
replied AS (
    SELECT *, {CHUNK.format(items("body"))} AS chunk, {STATED.listed(USAGE)},
        {REPLIED.listed("body")}, {LOGGED.text("modelId")} AS model_id
    FROM parted WHERE {LOGGED.text("modelId")} IS NOT NULL OR {LOGGED.count("input.inputTokenCount")} > 0
        OR {LOGGED.count("output.outputTokenCount")} > 0  -- a call of no known model
),
counted AS (
    SELECT *,
        {LOGGED.count("input.inputTokenCount")} AS inputs,
        {_cached("input.cacheReadInputTokenCount", "cacheReadInputTokens", "cache_read_input_tokens")} AS reads,
        {_cached("input.cacheWriteInputTokenCount", "cacheWriteInputTokens", "cache_creation_input_tokens")} AS writes,
        greatest({STATED.count("cache_creation.ephemeral_1h_input_tokens")},
            CASE WHEN {STATED.text("cacheDetails[0].ttl")} = '1h' THEN {STATED.count("cacheDetails[0].inputTokens")}
                 WHEN {STATED.text("cacheDetails[1].ttl")} = '1h' THEN {STATED.count("cacheDetails[1].inputTokens")}
                 ELSE 0 END) AS writes_1h,
        {LOGGED.count("output.outputTokenCount")} AS outputs
    FROM replied
)
SELECT file_id, line,
    'bedrock:' || {LOGGED.text("requestId")} AS event_id,
    {LOGGED.text("requestId")} AS request_id,
    utc({LOGGED.text("timestamp")}) AS ts,
    'aws' AS provider,
    CASE WHEN regexp_matches(model_id, '^arn:.*:(application-inference-profile|prompt|(default-)?prompt-router)/')
         THEN coalesce(regexp_extract({REPLIED.text("trace.promptRouter.invokedModelId")}, '[^/]*$'),
            {REPLIED.text("model", "[0].message.model")}, model_id)
         ELSE regexp_extract(model_id, '[^/]*$') END AS model,
    coalesce({level(REPLIED.text("serviceTier.type", "service_tier", "usage.service_tier"))},
        CASE WHEN {LOGGED.text("operation")} = 'CreateModelInvocationJob' THEN 'batch'
             WHEN {REPLIED.text("performanceConfig.latency")} = 'optimized' THEN 'latency-optimized' END) AS processing,
    CASE WHEN {LOGGED.text("errorCode")} IS NOT NULL THEN 'error' ELSE 'ok' END AS status,
    inputs AS input, reads AS cache_read,
    {less("writes", "least(writes, writes_1h)")} AS cache_write_5m,
    least(writes, writes_1h) AS cache_write_1h,
    outputs AS output,
    json_merge_patch(coalesce(metadata, '{{}}'::JSON), json_object('user', {LOGGED.text("identity.arn")}, 'account', {
    LOGGED.text("accountId")
},
        'region', coalesce({LOGGED.text("inferenceRegion")}, {LOGGED.text("region")}),
        'operation', {LOGGED.text("operation")}, 'profile', CASE WHEN model_id LIKE 'arn:%' THEN model_id END,
        'error', {LOGGED.text("errorCode")}, 'metadata', metadata)) AS tags
FROM counted
UNION ALL BY NAME
SELECT file_id, line, 'an event without the message that was logged' AS fault
FROM enveloped
WHERE CASE json_type(event) WHEN 'ARRAY' THEN {FIELD.format(items("event"))} IS NULL
    ELSE coalesce(event -> '$.message', event -> '$.modelId', event -> '$.input', event -> '$.output') IS NULL END
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Entries of the log's schema, alone, in an envelope, or as the text of a CloudWatch event."""
    if sample.has("modelId", "requestId", "timestamp"):
        return True
    if sample.layout == "csv":  # an Insights export
        return sample.has("@message") and "ModelInvocationLog" in sample.head
    paths = ("events.message", "logEvents.message", "@message", "message", "results.value", "events", "Records")
    texts = (text for path in paths for text in sample.values(path))
    return any(isinstance(text, str) and '"ModelInvocationLog"' in text for text in texts) or sample.has(
        "Records.modelId", "Records.requestId"
    )


_WHERE = (
    "",
    "message.",
    "@message.",
    "results[][].value.",
    *(f"{envelope}.{place}" for envelope in ENVELOPES for place in ("", "message.")),
)
_BODY = "output.outputBodyJson"
_CHUNKS = ("usage", "message.usage", "metadata.usage")  # where a reply, or a chunk of it, has its usage
_COUNTED = (
    "input.inputTokenCount",
    "input.cacheReadInputTokenCount",
    "input.cacheWriteInputTokenCount",
    "output.outputTokenCount",
    *(f"{_BODY}.{usage}.cache_creation.ephemeral_1h_input_tokens" for usage in _CHUNKS),
    *(f"{_BODY}.{usage}.cacheDetails[].inputTokens" for usage in _CHUNKS),
)
# As the families of models state them: Claude, Converse, Nova, then OpenAI, Mistral, DeepSeek and Qwen.
_USAGE = (
    *("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"),
    *("cache_creation.ephemeral_5m_input_tokens", "inputTokens", "outputTokens", "totalTokens"),
    *("cacheReadInputTokens", "cacheWriteInputTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"),
    *("prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details.cached_tokens"),
    *("completion_tokens_details.reasoning_tokens", "output_tokens_details.thinking_tokens"),
)
_METRICS = ("inputTokenCount", "outputTokenCount", "cacheReadInputTokenCount", "cacheWriteInputTokenCount")
_REPEATED = (
    *(f"{usage}.{name}" for usage in _CHUNKS for name in _USAGE),
    *(f"amazon-bedrock-invocationMetrics.{name}" for name in _METRICS),
    *("prompt_token_count", "generation_token_count"),  # Llama
    *("inputTextTokenCount", "totalOutputTextTokenCount", "results.tokenCount"),  # Titan
    *(f"{top}meta.{of}.{side}_tokens" for top in ("", "response.") for of in ("billed_units", "tokens")
      for side in ("input", "output")),  # Cohere
)  # fmt: skip
_VECTORS = ("embedding", "embeddings", "embeddingsByType")

READER = Reader(
    name="bedrock",
    origin="provider",
    doc="https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=tuple(f"{top}{path}" for top in _WHERE for path in _COUNTED),
    texts=(
        *(f"{top}{_BODY}" for top in _WHERE),
        *(f"{envelope}.message" for envelope in ENVELOPES),
        "results.value",
    ),
    listed=(*ENVELOPES, *(f"{top}{_BODY}" for top in _WHERE)),  # the chunks of a stream
    left_out={
        **{f"{top}{_BODY}.{path}": "the reply repeats the log's own counts" for top in _WHERE for path in _REPEATED},
        **{f"{top}{_BODY}.{path}": "a vector" for top in _WHERE for path in _VECTORS},
    },
    unique_by="the request's id",
    kept_at="the S3 bucket or CloudWatch log group of Bedrock's model invocation logging",
    no_call="no invocation with usage",
    sample="made: in the shape of real log lines",
)
