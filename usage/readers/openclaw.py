"""OpenClaw and pi sessions: JSON lines, one message each, with the cost that the tool recorded.

https://github.com/badlogic/pi-mono (packages/coding-agent, session format). Input excludes cached tokens;
`cacheWrite` is the five-minute cache. A record's id names the call where there is one (branched sessions repeat
earlier records); else its time and figures do. The agent is the folder: of `agents/main/sessions/x.jsonl`, `main`.
"""

from __future__ import annotations

from ..reader import Reader, Sample

COLUMNS = {
    "type": "VARCHAR",
    "id": "VARCHAR",
    "timestamp": "VARCHAR",
    "message": """STRUCT(
        role VARCHAR, provider VARCHAR, model VARCHAR, stopReason VARCHAR, "timestamp" VARCHAR,
        usage STRUCT(input BIGINT, "output" BIGINT, cacheRead BIGINT, cacheWrite BIGINT,
            cost STRUCT(total VARCHAR)))""",
}

SQL = """
SELECT file_id, line,
    'openclaw:' || coalesce(nullif(id, '') || ':' || coalesce(message."timestamp", "timestamp"), md5(concat_ws('|',
        "timestamp", message."timestamp", message.model, message.usage.input, message.usage."output",
        message.usage.cacheRead, message.usage.cacheWrite, message.usage.cost.total))) AS event_id,
    coalesce(utc("timestamp"), utc_epoch(message."timestamp")) AS ts,
    CASE WHEN parse_path(path)[-2] = 'sessions' THEN parse_path(path)[-3] ELSE parse_path(path)[-2] END AS agent,
    message.provider AS provider,
    message.model AS model,
    CASE WHEN message.stopReason = 'error' THEN 'error' ELSE 'ok' END AS status,
    message.usage.input AS input,
    message.usage.cacheRead AS cache_read,
    message.usage.cacheWrite AS cache_write_5m,
    message.usage."output" AS output,
    message.usage.cost.total AS recorded_usd,
    json_object('stopReason', message.stopReason) AS tags
FROM record
WHERE message.usage IS NOT NULL
"""


def recognises(sample: Sample) -> bool:
    """Messages whose usage has `cacheRead`, or the session's first line."""
    if sample.layout not in ("ndjson", "json"):
        return False
    return sample.has("type", "message.usage.cacheRead") or (
        sample.has("type", "id", "cwd", "thinkingLevel") and "session" in sample.values("type")
    )


READER = Reader(
    name="openclaw",
    doc="https://github.com/badlogic/pi-mono",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
)
