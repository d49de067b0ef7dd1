"""Claude Code sessions: JSON lines under ~/.claude/projects, subagents too.

https://docs.claude.com/en/docs/claude-code/data-usage; usage fields as in
https://docs.claude.com/en/api/messages (input_tokens excludes cached tokens).

One answer is written once per content block, its usage growing: the entry with the largest output counts. Anthropic's
message id names the call, in forked sessions, side questions and sidechain replays too, whatever the request id says.
An id of another maker may be the same for every call, so there the input tokens are part of the name: they stay the
same while an answer grows.

Calls that an answer bills beside itself stand in `usage.iterations`: see `claude_usage`.
An answer without usage is a call without tokens, and named as such.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from ..tags import project_of
from .claude_model import provider_of
from .claude_usage import BILLED, COUNTED, ENTRY, LEFT_OUT, PROCESSING, USAGE

COLUMNS = {
    "type": "VARCHAR",
    "timestamp": "VARCHAR",
    "sessionId": "VARCHAR",
    "requestId": "VARCHAR",
    "uuid": "VARCHAR",
    "isSidechain": "VARCHAR",
    "agentId": "VARCHAR",
    "cwd": "VARCHAR",
    "gitBranch": "VARCHAR",
    "costUSD": "VARCHAR",
    "message": f"STRUCT(id VARCHAR, model VARCHAR, stop_reason VARCHAR, usage {USAGE})",
}

SQL = f"""
WITH entry AS (
    SELECT *, {ENTRY},
        coalesce(starts_with(message.id, 'msg_') AND length(message.id) >= 20, FALSE) AS by_anthropic
    FROM record
    WHERE coalesce(message.model, '') <> '<synthetic>' AND CASE WHEN message.usage IS NULL
        THEN "type" = 'assistant' AND message.model <> '' ELSE coalesce("type", 'assistant') = 'assistant' END
),
{BILLED}
SELECT file_id, line,
    'claude-code:' || CASE WHEN by_anthropic THEN message.id ELSE coalesce(
        nullif(message.id, '') || ':' || concat_ws(':', stated.input, stated.cache_read,
            stated.cache_write_5m + stated.cache_write_1h),
        nullif(requestId, ''), nullif(uuid, '')) END
        || CASE WHEN call.place = 0 THEN '' ELSE ':' || call.place END AS event_id,
    CASE WHEN call.place = 0 THEN nullif(message.id, '') END AS response_id,
    CASE WHEN call.place = 0 THEN nullif(requestId, '') END AS request_id,
    utc("timestamp") AS ts,
    sessionId AS session,
    CASE WHEN isSidechain = 'true' THEN 'subagent' ELSE 'main' END AS agent,
    -- a name with a prefix says whose it is; Bedrock and Vertex are known by the model's or the message's id
    CASE WHEN coalesce(call.model, served_by) LIKE '%anthropic.claude%'
            OR coalesce(call.model, served_by) LIKE 'arn:aws%' THEN 'aws'
         WHEN contains(coalesce(call.model, served_by), '/') THEN NULL
         WHEN starts_with(message.id, 'msg_bdrk') THEN 'aws'
         WHEN starts_with(message.id, 'msg_vrtx') OR contains(coalesce(call.model, served_by), '@') THEN 'google'
         ELSE {provider_of("coalesce(call.model, served_by)")} END AS provider,
    coalesce(call.model, served_by) AS model,
    {PROCESSING} AS processing,
    call.input AS input,
    call.cache_read AS cache_read,
    call.cache_write_5m AS cache_write_5m,
    call.cache_write_1h AS cache_write_1h,
    call.output AS output,
    CASE WHEN call.place = 0 AND by_anthropic THEN message.stop_reason IS NULL END AS unfinished,
    CASE WHEN call.place = 0 THEN message.usage.server_tool_use.web_search_requests END AS web_search,
    CASE WHEN call.place = 0 THEN costUSD END AS recorded_usd,
    {project_of("cwd")} AS project,
    nullif(gitBranch, '') AS branch,
    json_object('cwd', cwd, 'agentId', agentId) AS tags
FROM billed
"""  # noqa: S608 (fixed text)


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
    origin="agent",
    doc="https://docs.claude.com/en/docs/claude-code/data-usage",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(
        *(f"{usage}.{name}" for usage in ("message.usage", "message.usage.iterations") for name in COUNTED),
        "message.usage.server_tool_use.web_search_requests",
        "costUSD",
    ),
    left_out={
        **{f"message.usage.{name}": why for name, why in LEFT_OUT.items()},
        "toolUseResult": "what a tool gave back; a subagent's usage stands in its own log",
        "data": "progress of a tool or a subagent, whose calls stand in its own log",
        "compactMetadata": "the size of the context before a compaction, not a call",
    },
    usage_key="usage",
    answers=('"role":"assistant"', '"role": "assistant"'),
    unique_by="message id, else entry id",
    kept_at="~/.claude/projects (CLAUDE_CONFIG_DIR)",
    no_call="a session with no assistant message",
    sample="real: sessions of Claude Code 2.1 with their subagents, 2026-02",
    undercounts="its log lacks calls that its telemetry has, such as titles and checks; they are few and small",
)
