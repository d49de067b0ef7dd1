"""The output of a batch inference job of Amazon Bedrock: JSON lines (.jsonl.out), one per record, with its reply.

https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html: `modelOutput` is the reply as
InvokeModel or Converse would have given it, at the price of batches; each family of models counts in its own words,
Claude's, Nova's and Converse's beside cached tokens, others' (as OpenAI's API) with them. A record with an `error` is
not billed. No line states a time, so that a call counts at the file's date, and some families name no model: their
calls are counted and have no price. The manifest beside has the sums of the job: never both.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import count, has, less, parsed, text

INPUTS = ("usage.input_tokens", "usage.inputTokens", "prompt_token_count", "inputTextTokenCount",
    "meta.billed_units.input_tokens")  # fmt: skip
OUTPUTS = ("usage.output_tokens", "usage.outputTokens", "usage.completion_tokens", "generation_token_count",
    "meta.billed_units.output_tokens")  # fmt: skip
READS = ("usage.cache_read_input_tokens", "usage.cacheReadInputTokens", "usage.cacheReadInputTokenCount")
WRITES = ("usage.cache_creation_input_tokens", "usage.cacheWriteInputTokens", "usage.cacheWriteInputTokenCount")
WRITES_1H = "usage.cache_creation.ephemeral_1h_input_tokens"
OPEN_INPUT, OPEN_READS = "usage.prompt_tokens", "usage.prompt_tokens_details.cached_tokens"  # these within the input
TITAN = "results[0].tokenCount"
TOTALS = ("usage.total_tokens", "usage.totalTokens")

SQL = f"""
WITH replied AS (
    SELECT * EXCLUDE ("modelOutput"), {parsed('"modelOutput"')} AS reply FROM record
),
counted AS (
    SELECT *,
        {count("reply", *INPUTS)} AS inputs,
        {count("reply", OPEN_INPUT)} AS prompt, {count("reply", OPEN_READS)} AS cached,
        {count("reply", *OUTPUTS)} AS outputs, {count("reply", TITAN)} AS answered,
        {count("reply", *READS)} AS reads,
        {count("reply", *WRITES)} AS writes, {count("reply", WRITES_1H)} AS writes_1h,
        {count("reply", *TOTALS)} AS total
    FROM replied WHERE reply IS NOT NULL AND json_type(reply) <> 'NULL'
)
SELECT counted.file_id, line,
    'bedrock-batch:' || coalesce({text("reply", "id")}, concat_ws(':', "recordId", md5(json(reply)))) AS event_id,
    {text("reply", "id")} AS response_id,
    modified AS ts,
    'aws' AS provider,
    {text("reply", "model")} AS model,
    'batch' AS processing,
    CASE WHEN least(inputs, prompt, cached) < 0 THEN -1 ELSE inputs + {less("prompt", "cached")} END AS input,
    CASE WHEN least(reads, cached) < 0 THEN -1 ELSE reads + cached END AS cache_read,
    {less("writes", "least(writes, writes_1h)")} AS cache_write_5m,
    least(writes, writes_1h) AS cache_write_1h,
    CASE WHEN least(outputs, answered) < 0 THEN -1 ELSE outputs + answered END AS output,
    nullif(total, 0) AS stated_total,
    CASE WHEN NOT {has("reply", *INPUTS, OPEN_INPUT, *OUTPUTS, TITAN)}
        THEN 'a reply without usage: the sums of its job are in the manifest' END AS fault,
    json_object('record', "recordId", 'time_from', 'the file') AS tags
FROM counted JOIN file_time USING (file_id)
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Records with their input, and an output or an error."""
    return sample.layout in ("ndjson", "json") and (
        sample.has("recordId", "modelOutput") or sample.has("recordId", "modelInput", "error")
    )


READER = Reader(
    name="bedrock-batch",
    origin="provider",
    doc="https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html",
    columns={"recordId": "VARCHAR", "modelOutput": "JSON", "error": "JSON"},
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    counted=tuple(
        f"modelOutput.{path}"
        for path in (*INPUTS, OPEN_INPUT, *OUTPUTS, *READS, OPEN_READS, *WRITES, WRITES_1H, "results[].tokenCount")
    ),
    texts=("modelOutput",),
    left_out={
        **dict.fromkeys((f"modelOutput.{path}" for path in TOTALS), "the sum"),
        "modelOutput.usage.cache_creation.ephemeral_5m_input_tokens": "the rest of the writes",
        **dict.fromkeys(
            (
                "modelOutput.usage.completion_tokens_details.reasoning_tokens",
                "modelOutput.usage.output_tokens_details.thinking_tokens",
            ),
            "part of the output",
        ),
        **dict.fromkeys(
            (f"modelOutput.meta.tokens.{side}_tokens" for side in ("input", "output")), "what is billed stands beside"
        ),
    },
    unique_by="the reply's id, else the record's with its reply",
    kept_at="the S3 location of the job's output: JOB/FILE.jsonl.out",
    undercounts="the model, where a family's reply does not name it",
    no_call="no record that was answered",
    sample="made: in the documented shape, of five families",
)
