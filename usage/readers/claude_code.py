"""Claude Code sessions: JSON lines under ~/.claude/projects, subagents too.

https://docs.claude.com/en/docs/claude-code/data-usage; usage fields as in
https://docs.claude.com/en/api/messages (input_tokens excludes cached tokens).

One answer is written once per content block, its usage growing: message id and request id name the call, in
forked sessions and sidechain replays too, and the entry with the largest output counts.
"""

from __future__ import annotations

from ..reader import Reader, Sample

_USAGE = """STRUCT(
    input_tokens BIGINT, output_tokens BIGINT, cache_creation_input_tokens BIGINT, cache_read_input_tokens BIGINT,
    cache_creation STRUCT(ephemeral_5m_input_tokens BIGINT, ephemeral_1h_input_tokens BIGINT),
    server_tool_use STRUCT(web_search_requests BIGINT), service_tier VARCHAR, speed VARCHAR)"""

COLUMNS = {
    "type": "VARCHAR",
    "timestamp": "VARCHAR",
    "sessionId": "VARCHAR",
    "requestId": "VARCHAR",
    "uuid": "VARCHAR",
    "isSidechain": "VARCHAR",
    "agentId": "VARCHAR",
    "cwd": "VARCHAR",
    "costUSD": "VARCHAR",
    "message": f"STRUCT(id VARCHAR, model VARCHAR, usage {_USAGE})",
}

SQL = """
SELECT file_id, line,
    'claude-code:' || coalesce(nullif(message.id, '') || ':' || nullif(requestId, ''), nullif(message.id, ''),
        nullif(uuid, '')) AS event_id,
    utc("timestamp") AS ts,
    sessionId AS session,
    CASE WHEN isSidechain = 'true' THEN 'subagent' ELSE 'main' END AS agent,
    'anthropic' AS provider,
    message.model AS model,
    CASE WHEN message.usage.speed = 'fast' THEN 'fast'
         WHEN message.usage.service_tier IN ('batch', 'priority', 'flex') THEN message.usage.service_tier
         ELSE 'standard' END AS processing,
    message.usage.input_tokens AS input,
    message.usage.cache_read_input_tokens AS cache_read,
    -- writes that are not told apart are five-minute ones
    CASE WHEN message.usage.cache_creation.ephemeral_5m_input_tokens < 0 THEN -1
         ELSE greatest(message.usage.cache_creation.ephemeral_5m_input_tokens, message.usage.cache_creation_input_tokens
             - coalesce(message.usage.cache_creation.ephemeral_1h_input_tokens, 0)) END AS cache_write_5m,
    message.usage.cache_creation.ephemeral_1h_input_tokens AS cache_write_1h,
    message.usage.output_tokens AS output,
    message.usage.server_tool_use.web_search_requests AS web_search,
    costUSD AS recorded_usd,
    json_object('cwd', cwd, 'agentId', agentId) AS tags
FROM record
WHERE message.usage IS NOT NULL AND coalesce(message.model, '') <> '<synthetic>'
    AND coalesce("type", 'assistant') = 'assistant'
"""


def recognises(sample: Sample) -> bool:
    """Entries with a session and a message as Anthropic's API gives it; a file may begin with a summary."""
    if sample.layout not in ("ndjson", "json"):
        return False
    return (
        sample.has("sessionId", "message.usage.input_tokens")
        or sample.has("sessionId", "uuid", "parentUuid")
        or sample.has("type", "summary", "leafUuid")
        or "file-history-snapshot" in sample.values("type")
    )


READER = Reader(
    name="claude-code",
    doc="https://docs.claude.com/en/docs/claude-code/data-usage",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
)
