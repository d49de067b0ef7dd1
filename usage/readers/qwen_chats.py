"""Qwen Code chats: JSON lines, an entry each, with the usage of the model's response.

https://github.com/QwenLM/qwen-code (packages/core/src/services/chatRecordingService.ts): fragments of one response
repeat `uuid`, the last counts. `promptTokenCount` includes cached tokens. `candidatesTokenCount` includes thoughts,
unless the total is the sum with them beside. Lines of subtype `ui_telemetry` repeat a response.
Lists say how many tokens are audio or images.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import by_modality

COLUMNS = {
    "uuid": "VARCHAR",
    "sessionId": "VARCHAR",
    "timestamp": "VARCHAR",
    "type": "VARCHAR",
    "model": "VARCHAR",
    "cwd": "VARCHAR",
    "gitBranch": "VARCHAR",
    "usageMetadata": """STRUCT(promptTokenCount HUGEINT, candidatesTokenCount HUGEINT, totalTokenCount HUGEINT,
        cachedContentTokenCount HUGEINT, thoughtsTokenCount HUGEINT, promptTokensDetails JSON, cacheTokensDetails JSON,
        candidatesTokensDetails JSON)""",
}

SQL = f"""
WITH entry AS (
    SELECT *, usageMetadata.promptTokenCount AS prompt,
        coalesce(usageMetadata.candidatesTokenCount, 0) AS candidates,
        coalesce(usageMetadata.thoughtsTokenCount, 0) AS thoughts,
        coalesce(usageMetadata.cachedContentTokenCount, 0) AS cached,
        to_json(usageMetadata) AS lists
    FROM record WHERE "type" = 'assistant' AND (usageMetadata IS NOT NULL OR model <> '')
)
SELECT file_id, line,
    'qwen-code:' || nullif(uuid, '') AS event_id,
    utc("timestamp") AS ts,
    sessionId AS session,
    model,
    prompt - cached AS input,
    cached AS cache_read,
    {by_modality("lists")},
    candidates + CASE WHEN usageMetadata.totalTokenCount = prompt + candidates + thoughts THEN thoughts ELSE 0 END
        AS output,
    nullif(usageMetadata.totalTokenCount, 0) AS stated_total,
    json_object('cwd', cwd, 'gitBranch', gitBranch) AS tags
FROM entry
QUALIFY row_number() OVER (PARTITION BY file_id, coalesce(uuid, line::VARCHAR)
    ORDER BY usageMetadata IS NOT NULL DESC, line DESC) = 1
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Entries with the ids of a chat, and usage as Gemini's API names it."""
    return sample.has("uuid", "sessionId", "usageMetadata.promptTokenCount")


READER = Reader(
    name="qwen-code",
    origin="agent",
    doc="https://github.com/QwenLM/qwen-code",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    counted=tuple(
        f"usageMetadata.{name}"
        for name in (
            *("promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount", "thoughtsTokenCount"),
            *(f"{side}TokensDetails[].tokenCount" for side in ("prompt", "cache", "candidates")),
        )
    ),
    left_out={"usageMetadata.totalTokenCount": "the sum", "systemPayload": "repeats a response"},
    unique_by="the entry's uuid; the last of them counts",
    kept_at="~/.qwen/projects/PROJECT/chats",
    no_call="a session with no answer of the model",
    sample="made: on the shape of v0.24.7",
)
