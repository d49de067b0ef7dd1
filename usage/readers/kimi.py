"""Kimi CLI and Kimi Code: wire.jsonl of a session.

https://github.com/MoonshotAI/kimi-cli (src/kimi_cli/soul/kimisoul.py): a StatusUpdate has the usage of one step, or
none; classes are disjoint, and no model is named. A SubagentEvent wraps
what a subagent reports, which newer versions write to a file of its own too: the message's id names the step in both.
Kimi Code's `usage.record` is one call; its model may be an alias, that the last `llm.request` of this alias resolves. A
fork of a session copies its lines: time and figures name the call, within the agent. The end of a step repeats the
record of its call; one that has no record of its figures counts.
"""

from __future__ import annotations

from ..reader import Reader, Sample

_STEP = """message_id VARCHAR, token_usage STRUCT(input_other BIGINT, "output" BIGINT, input_cache_read BIGINT,
    input_cache_creation BIGINT)"""
_INNERMOST = f'event STRUCT("type" VARCHAR, payload STRUCT({_STEP}))'

COLUMNS = {
    "timestamp": "VARCHAR",
    "message": f"""STRUCT("type" VARCHAR, payload STRUCT({_STEP},
        event STRUCT("type" VARCHAR, payload STRUCT({_STEP}, {_INNERMOST}))))""",
}
_USAGE = 'STRUCT(inputOther BIGINT, "output" BIGINT, inputCacheRead BIGINT, inputCacheCreation BIGINT)'
CODE_COLUMNS = {
    "type": "VARCHAR",
    "model": "VARCHAR",
    "modelAlias": "VARCHAR",
    "provider": "VARCHAR",
    "time": "VARCHAR",
    "usage": _USAGE,
    "event": f'STRUCT("type" VARCHAR, usage {_USAGE})',
}

SQL = """
WITH step AS (
    SELECT *, message."type" = 'SubagentEvent' AS spawned,
        CASE WHEN NOT spawned THEN {message_id: message.payload.message_id, token_usage: message.payload.token_usage}
             WHEN message.payload.event."type" = 'SubagentEvent'
             THEN {message_id: message.payload.event.payload.event.payload.message_id,
                token_usage: message.payload.event.payload.event.payload.token_usage}
             ELSE {message_id: message.payload.event.payload.message_id,
                token_usage: message.payload.event.payload.token_usage} END AS update
    FROM record WHERE message."type" IN ('StatusUpdate', 'SubagentEvent')
)
SELECT file_id, line,
    -- some servers give all of their answers one id: a step's figures are a part of its name
    'kimi-cli:' || nullif(update.message_id, '') || ':' || concat_ws(':',
        update.token_usage.input_other, update.token_usage.input_cache_read,
        update.token_usage."output") AS event_id,
    utc_epoch("timestamp") AS ts,
    CASE WHEN spawned THEN 'subagent' END AS agent,
    parse_path(path)[-2] AS session,
    update.token_usage.input_other AS input,
    update.token_usage.input_cache_read AS cache_read,
    update.token_usage.input_cache_creation AS cache_write_5m,
    update.token_usage."output" AS output
FROM step
WHERE update.token_usage IS NOT NULL
"""
CODE_SQL = """
WITH request AS (  -- what an alias stands for, from this line on
    SELECT file_id, line, coalesce(modelAlias, model) AS alias, model AS meant
    FROM record WHERE "type" = 'llm.request' AND model IS NOT NULL
),
entry AS (
    SELECT * EXCLUDE (usage), last_value(CASE WHEN "type" = 'llm.request' THEN model END IGNORE NULLS) OVER so_far
            AS requested,
        CASE WHEN "type" = 'usage.record' THEN usage WHEN event."type" = 'step.end' THEN event.usage END AS said,
        CASE WHEN "type" = 'usage.record' OR NOT bool_or("type" = 'usage.record') OVER (PARTITION BY file_id, said)
            THEN said END AS usage
    FROM record
    WINDOW so_far AS (PARTITION BY file_id ORDER BY line)
)
SELECT entry.file_id, entry.line,
    concat_ws(':', 'kimi-code', parse_path(path)[-2], "time", usage.inputOther, usage.inputCacheRead,
        usage.inputCacheCreation, usage."output", row_number() OVER (PARTITION BY entry.file_id, "time", usage
            ORDER BY entry.line)) AS event_id,
    utc_epoch("time") AS ts,
    parse_path(path)[-2] AS agent,
    parse_path(path)[-4] AS session,
    coalesce(meant, entry.model, requested) AS model,
    usage.inputOther AS input,
    usage.inputCacheRead AS cache_read,
    usage.inputCacheCreation AS cache_write_5m,
    usage."output" AS output
FROM entry ASOF LEFT JOIN request
    ON request.file_id = entry.file_id AND request.alias = entry.model AND request.line <= entry.line
WHERE usage IS NOT NULL
"""


def _cli(sample: Sample) -> bool:
    return sample.layout == "ndjson" and sample.has("message.type", "message.payload", "timestamp")


def _code(sample: Sample) -> bool:
    return sample.layout == "ndjson" and (
        sample.has("usage.inputOther", "time")
        or sample.has("event.usage.inputOther", "time")
        or sample.has("modelAlias", "time", "type")
    )


_WITHIN = ("", "event.payload.", "event.payload.event.payload.")

CLI = Reader(
    name="kimi-cli",
    origin="agent",
    doc="https://github.com/MoonshotAI/kimi-cli",
    columns=COLUMNS,
    sql=SQL,
    recognises=_cli,
    input_includes_cached=False,
    counted=tuple(
        f"message.payload.{within}token_usage.{name}"
        for within in _WITHIN
        for name in ("input_other", "output", "input_cache_read", "input_cache_creation")
    ),
    left_out=dict.fromkeys(
        (
            f"message.payload.{within}{name}"
            for within in _WITHIN
            for name in ("context_usage", "context_tokens", "max_context_tokens")
        ),
        "the size of the context",
    ),
    unique_by="the message's id and figures",
    sample="made: of two public tests",
    undercounts="no model is named",
    kept_at="~/.kimi/sessions",
    no_call="no step with usage",
)
CODE = Reader(
    name="kimi-code",
    origin="agent",
    doc="https://www.kimi.com/code/docs/",
    columns=CODE_COLUMNS,
    sql=CODE_SQL,
    recognises=_code,
    input_includes_cached=False,
    ordered=True,
    whole=True,
    counted=tuple(
        f"{at}usage.{name}"
        for at in ("", "event.")
        for name in ("inputOther", "output", "inputCacheRead", "inputCacheCreation")
    ),
    unique_by="agent, time and figures",
    sample="made: a public test",
    kept_at="~/.kimi-code/sessions",
    no_call="no usage.record",
)
