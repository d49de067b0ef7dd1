"""Claude Code sessions: JSON lines under ~/.claude/projects, subagents too.

https://docs.claude.com/en/docs/claude-code/data-usage; usage fields as in
https://docs.claude.com/en/api/messages (input_tokens excludes cached tokens).

One answer is written once per content block, its usage growing: the entry with the largest output counts. Anthropic's
message id names the call, in forked sessions, side questions and sidechain replays too, whatever the request id says.
An id of another maker may be the same for every call, so there the input tokens are part of the name: they stay the
same while an answer grows.

`usage.iterations` lists what a request sampled on the server: its own messages, whose sum the usage states (or, in
some versions, the first of them only), and calls that no other field shows (an advisor at its own model, a
compaction). Each of the latter is a call of its own; where the usage states the sum of all, it is not counted twice.
Where a model declined and another served (`fallback_message`), the usage states the serving attempt alone; the declined
one is billed at its own model, unless it declined before any output.
https://platform.claude.com/docs/en/build-with-claude/refusals-and-fallback, https://github.com/ccusage/ccusage/issues/1552
An answer without usage is a call without tokens, and named as such.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from ..tags import project_of

_COUNTS = """
    input_tokens BIGINT, output_tokens BIGINT, cache_creation_input_tokens BIGINT, cache_read_input_tokens BIGINT,
    cache_creation STRUCT(ephemeral_5m_input_tokens BIGINT, ephemeral_1h_input_tokens BIGINT)"""
_USAGE = f"""STRUCT({_COUNTS},
    server_tool_use STRUCT(web_search_requests BIGINT), service_tier VARCHAR, speed VARCHAR, inference_geo VARCHAR,
    iterations STRUCT("type" VARCHAR, model VARCHAR, {_COUNTS})[])"""

COUNTED = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
)

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
    "message": f"STRUCT(id VARCHAR, model VARCHAR, stop_reason VARCHAR, usage {_USAGE})",
}

# USAGE is a struct of counts; writes that are not distinguished are five-minute ones.
_CLASSES = {
    "input": "USAGE.input_tokens",
    "cache_read": "USAGE.cache_read_input_tokens",
    "cache_write_5m": """CASE WHEN USAGE.cache_creation.ephemeral_5m_input_tokens < 0 THEN -1
        ELSE greatest(USAGE.cache_creation.ephemeral_5m_input_tokens, USAGE.cache_creation_input_tokens
            - coalesce(USAGE.cache_creation.ephemeral_1h_input_tokens, 0)) END""",
    "cache_write_1h": "USAGE.cache_creation.ephemeral_1h_input_tokens",
    "output": "USAGE.output_tokens",
}


def _of(usage: str) -> str:
    """The classes of a struct of counts, as a struct."""
    classes = (f"{name}: coalesce({sql}, 0)" for name, sql in _CLASSES.items())
    return f"{{{', '.join(classes)}}}".replace("USAGE", usage)


def _sums(listed: str, where: str = "TRUE") -> str:
    """The sums of a list of such structs, as a struct."""
    sums = (f"{name}: coalesce(list_sum([x.{name} for x in {listed} if {where}]), 0)::BIGINT" for name in _CLASSES)
    return f"{{{', '.join(sums)}}}"


_LARGER = ", ".join(f"{name}: greatest(stated.{name}, own.{name})" for name in _CLASSES)
_OWN = "x.kind IN ('message', 'fallback_message') AND x.model IS NULL"

# a sample at another model has that model's usual speed
PROCESSING = processing(
    "message.usage.service_tier",
    "CASE WHEN call.model IS NULL THEN message.usage.speed END",
    "message.usage.inference_geo",
)

SQL = f"""
WITH entry AS (
    SELECT *, {_of("message.usage")} AS stated,
        coalesce(starts_with(message.id, 'msg_') AND length(message.id) >= 20, FALSE) AS by_anthropic,
        -- one message alone says what the usage says
        coalesce(len(message.usage.iterations) > 1 OR message.usage.iterations[1]."type" <> 'message', FALSE)
            AS several,
        [x for x in message.usage.iterations if x."type" = 'fallback_message'][-1] AS fallback,
        coalesce(nullif(struct_extract(fallback, 'model'), ''), message.model) AS served_by
    FROM record
    WHERE coalesce(message.model, '') <> '<synthetic>' AND CASE WHEN message.usage IS NULL
        THEN "type" = 'assistant' AND message.model <> '' ELSE coalesce("type", 'assistant') = 'assistant' END
),
iterated AS (
    SELECT *, CASE WHEN several THEN [
        struct_insert({_of("x")}, place := i, kind := coalesce(x."type", 'message'),
            model := nullif(nullif(x.model, ''), served_by)) for x, i in message.usage.iterations
            -- declined before any output: free
            if NOT (x."type" = 'message' AND coalesce(x.output_tokens, 0) = 0 AND fallback IS NOT NULL)] END AS sampled
    FROM entry
),
summed AS (
    SELECT *, CASE WHEN several THEN {_sums("sampled")} END AS everything,
        CASE WHEN several THEN {_sums("sampled", _OWN)} END AS own
    FROM iterated
),
billed AS (
    SELECT *, unnest(CASE WHEN several
        THEN list_concat(
            [struct_insert(CASE WHEN stated = everything THEN own ELSE {{{_LARGER}}} END,
                place := 0::BIGINT, kind := 'message', model := NULL::VARCHAR)],
            [x for x in sampled if NOT ({_OWN})])
        ELSE [struct_insert(stated, place := 0::BIGINT, kind := 'message', model := NULL::VARCHAR)] END) AS call
    FROM summed
)
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
         ELSE 'anthropic' END AS provider,
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
        "message.usage.server_tool_use.web_fetch_requests": "fetching a page costs only its tokens",
        "message.usage.iterations.server_tool_use": "as in the usage of the whole answer",
        "message.usage.output_tokens_details": "parts of the output",
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
