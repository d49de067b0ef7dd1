"""The output of a batch of Vertex AI (of Gemini's models and others) or of the Gemini API: JSON lines.

https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-from-cloud-storage and
https://ai.google.dev/gemini-api/docs/batch-api: `response` is what the request would have got by itself (see `vertex`
for what its counts include), at the price of batches. A request that failed has its `status` or `error` and no usage.
Vertex AI says when it processed a line; one that states no time counts at the file's date.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import has, parsed, text
from .vertex import COUNTED, LEFT_OUT, calls

NAMES = ("key", "custom_id", "status", "processed_time", "model")

ENTRY = f"""SELECT *, NULL::VARCHAR AS endpoint, NULL::VARCHAR AS request_id,
        concat_ws(':', key, custom_id, md5(json(replies))) AS named,
        coalesce(nullif(processed_time, ''), {text("replies", "createTime", "create_time")}) AS logging_time
    FROM (SELECT file_id, line, modified, key, custom_id, processed_time, model, {parsed("response")} AS replies,
            {parsed("request")} AS request
        FROM record JOIN file_time USING (file_id))
    WHERE {has("replies", "usageMetadata", "usage_metadata", "usage", "candidates", "choices", "content")}"""  # noqa: S608 (constants only)

SQL = f"""
SELECT * EXCLUDE (named, modified, key) REPLACE (
    'gemini-batch:' || coalesce(response_id, named) AS event_id,
    'batch' AS processing,
    coalesce(ts, modified) AS ts,
    json_merge_patch(tags, json_object('key', key, 'time_from', CASE WHEN ts IS NULL THEN 'the file' END)) AS tags)
FROM ({calls(ENTRY, ", named, modified, coalesce(key, custom_id) AS key")})
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Lines with a reply of Gemini's API, or of another model that Vertex AI processed."""
    return sample.layout != "sqlite" and (
        any(sample.has(name, "response.usageMetadata") for name in ("key", "request", "status"))
        or (sample.has("request", "response") and any("status" in one for one in sample.records))
        or sample.has("processed_time", "response", "request")
    )


READER = Reader(
    name="gemini-batch",
    origin="provider",
    doc="https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/batch-prediction-from-cloud-storage",
    columns={**dict.fromkeys(NAMES, "VARCHAR"), "request": "JSON", "response": "JSON"},
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    counted=tuple(f"response.{name}" for name in COUNTED),
    texts=("response",),
    left_out={f"response.{name}": why for name, why in LEFT_OUT.items()},
    unique_by="the response's id",
    kept_at="Vertex AI: predictions.jsonl in Cloud Storage, or the output table; Gemini API: the batch's output file",
    no_call="no request that was answered",
    sample="made: in the documented shapes",
)
