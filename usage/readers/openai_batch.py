"""The output file of a batch of OpenAI, or of Azure OpenAI: JSON lines, one per request, with its whole response.

https://platform.openai.com/docs/guides/batch: `response.body` is what the request would have got by itself, of Chat
Completions, Responses or Embeddings; its usage includes cached tokens, and it costs the price of batches. A request
that failed has an `error`, or a status of 400 and more, and no usage. A body states when it was made, in seconds; that
of an embedding or a moderation does not, so that it counts at the file's date.
"""

from __future__ import annotations

from ..media import PARTS
from ..reader import Reader, Sample
from .api_usage import CLASSES, COUNTED, INPUTS, LEFT_OUT, counts
from .nested import has, text

SQL = f"""
WITH replied AS (
    SELECT *, coalesce((response -> '$.body'), '{{}}') AS body, coalesce((body -> '$.usage'), '{{}}') AS usage,
        TRY_CAST({text("response", "status_code")} AS BIGINT) >= 400 OR coalesce(json_type(error), 'NULL') <> 'NULL'
            AS failed
    FROM record
),
counted AS (
    SELECT *, {counts("usage")} FROM replied
    WHERE response IS NOT NULL AND NOT (failed AND NOT {has("usage", *INPUTS)})  -- a failed request is not billed
)
SELECT counted.file_id, line,
    'openai-batch:' || coalesce(id, {text("response", "request_id")}) AS event_id,
    {text("body", "id")} AS response_id,
    {text("response", "request_id")} AS request_id,
    coalesce(utc_epoch({text("body", "created", "created_at")}), modified) AS ts,
    CASE WHEN {has("body", "prompt_filter_results", "content_filters")} THEN 'azure' ELSE 'openai' END AS provider,
    {text("body", "model")} AS model,
    'batch' AS processing,
    CASE WHEN failed THEN 'error' ELSE 'ok' END AS status,
    nullif(total, 0) AS stated_total,
    CASE WHEN NOT {has("usage", *INPUTS)} THEN 'a reply without usage' END AS fault,
    {CLASSES}, {", ".join(PARTS)},
    json_object('custom_id', custom_id, 'endpoint', {text("body", "object")},
        'time_from', CASE WHEN NOT {has("body", "created", "created_at")} THEN 'the file' END) AS tags
FROM counted JOIN file_time USING (file_id)
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Lines that have the request's own name beside its response."""
    return sample.has("custom_id", "response.status_code", "response.body")


READER = Reader(
    name="openai-batch",
    origin="provider",
    doc="https://platform.openai.com/docs/guides/batch",
    columns={"id": "VARCHAR", "custom_id": "VARCHAR", "response": "JSON", "error": "JSON"},
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    counted=tuple(f"response.body.usage.{name}" for name in COUNTED),
    left_out={f"response.body.usage.{name}": why for name, why in LEFT_OUT.items()},
    unique_by="the batch request's id",
    kept_at="GET /v1/files/OUTPUT_FILE_ID/content of a batch",
    no_call="no request that was answered",
    sample="made: in the documented shape",
)
