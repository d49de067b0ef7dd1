"""The results of a batch of Anthropic's Message Batches: JSON lines, one per request, with its whole message.

https://platform.claude.com/docs/en/build-with-claude/batch-processing: a `result` that succeeded has the message that
the request would have got by itself, at the price of batches; one that errored, was canceled or expired is not billed.
No line states a time, so that a call counts at the file's date. What a message bills beside itself: see `claude_usage`.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from .claude_usage import BILLED, COUNTED, ENTRY, LEFT_OUT, USAGE

SQL = f"""
WITH entry AS (
    SELECT file_id, line, custom_id, message, modified, {ENTRY}
    FROM (SELECT * EXCLUDE (result), result.message AS message FROM record) JOIN file_time USING (file_id)
    WHERE message IS NOT NULL
),
{BILLED}
SELECT file_id, line,
    'anthropic-batch:' || nullif(message.id, '') || CASE WHEN call.place = 0 THEN '' ELSE ':' || call.place END
        AS event_id,
    CASE WHEN call.place = 0 THEN nullif(message.id, '') END AS response_id,
    modified AS ts,
    'anthropic' AS provider,
    coalesce(call.model, served_by) AS model,
    {processing("'batch'", geo="message.usage.inference_geo")} AS processing,
    CASE WHEN message.usage IS NULL THEN 'a message without usage' END AS fault,
    call.input AS input,
    call.cache_read AS cache_read,
    call.cache_write_5m AS cache_write_5m,
    call.cache_write_1h AS cache_write_1h,
    call.output AS output,
    CASE WHEN call.place = 0 THEN message.usage.server_tool_use.web_search_requests END AS web_search,
    json_object('custom_id', custom_id, 'time_from', 'the file') AS tags
FROM billed
"""  # noqa: S608 (fixed text)


def recognises(sample: Sample) -> bool:
    """Lines that have the request's own name beside its result."""
    return sample.layout in ("ndjson", "json") and sample.has("custom_id", "result.type")


_USAGE = "result.message.usage"

READER = Reader(
    name="anthropic-batch",
    origin="provider",
    doc="https://platform.claude.com/docs/en/build-with-claude/batch-processing",
    columns={
        "custom_id": "VARCHAR",
        "result": f'STRUCT("type" VARCHAR, message STRUCT(id VARCHAR, model VARCHAR, usage {USAGE}))',
    },
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(
        *(f"{usage}.{name}" for usage in (_USAGE, f"{_USAGE}.iterations") for name in COUNTED),
        f"{_USAGE}.server_tool_use.web_search_requests",
    ),
    left_out={f"{_USAGE}.{name}": why for name, why in LEFT_OUT.items()},
    unique_by="message id",
    kept_at="GET /v1/messages/batches/ID/results, or the console's download",
    no_call="no request that succeeded",
    sample="made: in the documented shape",
)
