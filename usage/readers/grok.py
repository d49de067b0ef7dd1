"""Grok Build (xAI's coding agent): what a session told its client (updates.jsonl), each turn with its usage.

https://docs.x.ai/build: `turn_completed` sums a turn's calls by model (newer versions only), and a later one of the
same prompt is the new sum. Input includes cached tokens, output includes reasoning. A cost is in ticks, 10^10 to the
dollar; 0 is a subscription's. What each update has in `_meta.totalTokens` is the size of the context.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import JsonTexts, members, priced

FIGURES = ("inputTokens", "outputTokens", "cachedReadTokens", "cacheCreationTokens", "costUsdTicks", "modelCalls")
COLUMNS = {
    **dict.fromkeys(("method", "timestamp"), "VARCHAR"),
    "params": """STRUCT(sessionId VARCHAR, _meta STRUCT(agentTimestampMs VARCHAR),
        update STRUCT(sessionUpdate VARCHAR, prompt_id VARCHAR, usage JSON))""",
}
USED = JsonTexts("stated", FIGURES)
INPUT, OUTPUT, READ, WRITTEN = (USED.count(name) for name in FIGURES[:4])
TICKS = USED.text("costUsdTicks")

SQL = f"""
WITH turn AS (
    SELECT file_id, line, coalesce(nullif(params.sessionId, ''), parse_path(path)[-2]) AS session,
        params.update.prompt_id AS prompt, params.update.usage AS usage, usage -> '$.modelUsage' AS by_model,
        coalesce(utc_epoch(params._meta.agentTimestampMs), utc_epoch("timestamp"), utc("timestamp")) AS moment
    FROM record WHERE params.update.sessionUpdate = 'turn_completed' AND json_type(params.update.usage) = 'OBJECT'
    QUALIFY prompt IS NULL OR line = max(line) OVER (PARTITION BY file_id, session, prompt)
),
used AS (
    SELECT * EXCLUDE (usage, by_model, of_model), of_model[1] AS model, of_model[2] AS figures
    FROM (SELECT *, unnest({members("by_model")}) AS of_model FROM turn)
    UNION ALL BY NAME
    SELECT * EXCLUDE (usage, by_model), NULL AS model, usage AS figures FROM turn
    WHERE len({members("by_model")}) = 0
),
counted AS (SELECT *, {USED.listed("figures")} FROM used),
summed AS (
    SELECT *, {INPUT} AS whole, {OUTPUT} AS output, {READ} AS read, {WRITTEN} AS written,
        {USED.count("modelCalls")} AS calls,
        coalesce((TRY_CAST({TICKS} AS DECIMAL(27, 0)) * '0.0000000001'::DECIMAL(11, 10))::VARCHAR, {TICKS}) AS usd
    FROM counted
)
SELECT file_id, line,
    concat_ws(':', 'grok', session, coalesce(prompt, moment::VARCHAR), model) AS event_id,
    moment AS ts,
    session,
    'x-ai' AS provider,
    model,
    TRUE AS aggregated,
    calls AS request,
    CASE WHEN least(whole, read, written) < 0 THEN -1 WHEN read + written > whole THEN whole
        ELSE whole - read - written END AS input,
    read AS cache_read,
    written AS cache_write_5m,
    output,
    {priced("usd", "whole + output")} AS recorded_usd
FROM summed WHERE whole <> 0 OR output <> 0 OR read <> 0
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Updates of a session with what is xAI's own; other agents' are written by the same protocol."""
    return (
        sample.layout in ("ndjson", "json")
        and sample.has("method", "params.update.sessionUpdate")
        and ("_x.ai/session/update" in sample.values("method") or sample.has("params._meta.agentTimestampMs"))
    )


_AT = ("params.update.usage", "params.update.usage.modelUsage.*")

READER = Reader(
    name="grok",
    origin="agent",
    doc="https://docs.x.ai/build",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    whole=True,
    counted=tuple(f"{at}.{name}" for at in _AT for name in FIGURES),
    left_out={
        **{f"{at}.totalTokens": "the sum" for at in _AT},
        **{f"{at}.reasoningTokens": "part of the output" for at in _AT},
        "params.update.usage.numTurns": "how many turns it had",
        "params._meta.totalTokens": "the size of the context",
        "params.update.rawOutput": "what a tool gave back",
        "params.update.rawInput": "what a tool was given",
    },
    unique_by="the session, the prompt and the model, the last of which counts",
    kept_at="~/.grok/sessions/FOLDER/SESSION/updates.jsonl (GROK_HOME)",
    undercounts="versions before it stated usage by turn, and turns that were cut",
    no_call="a session with no completed turn that states usage",
    sample="made: on the shape of public logs",
)
