"""Junie (JetBrains): the events of a session (~/.junie/sessions/SESSION/events.jsonl), each answer with its usage.

https://www.jetbrains.com/help/junie/: its source is not public. Lines that tools published as they were captured in
2026 show it: `modelUsage` of an `LlmResponseMetadataEvent` has a call, its classes are disjoint, and `cost` is in USD,
for it is the list price of these classes, of writes that of five minutes (18,631 written, 120 of output and 1 of input
of a model at $12.50, $50 and $10 a million: 0.2388975). A cost of 0 is none: a model of one's own key, or a free one.
An event has no id: its task, time, place and figures name a call.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import priced

TOKENS = ("inputTokens", "outputTokens", "cacheInputTokens", "cacheCreateTokens")
INPUT, OUTPUT, READ, WRITTEN = (f"coalesce(used.{name}, 0)" for name in TOKENS)
_USED = f"STRUCT(model VARCHAR, cost VARCHAR, {', '.join(f'{name} HUGEINT' for name in TOKENS)})"
COLUMNS = {
    **dict.fromkeys(("timestampMs", "taskId"), "VARCHAR"),
    "event": f"STRUCT(agentEvent STRUCT(kind VARCHAR, agent STRUCT(name VARCHAR), modelUsage {_USED}[]))",
}

SQL = f"""
WITH entry AS (
    SELECT file_id, line, parse_path(path)[-2] AS session, "taskId" AS task_id, "timestampMs" AS moment,
        event.agentEvent.agent.name AS agent,
        unnest(event.agentEvent.modelUsage) AS used,
        unnest(range(len(event.agentEvent.modelUsage))) AS place
    FROM record WHERE event.agentEvent.kind = 'LlmResponseMetadataEvent'
)
SELECT file_id, line,
    concat_ws(':', 'junie', coalesce(task_id, session), moment, place, used.model, {INPUT}, {OUTPUT}, {READ}, {WRITTEN})
        AS event_id,
    utc_epoch(moment) AS ts,
    agent,
    session,
    nullif(used.model, '') AS model,
    {INPUT} AS input,
    {READ} AS cache_read,
    {WRITTEN} AS cache_write_5m,
    {OUTPUT} AS output,
    {priced("used.cost")} AS recorded_usd
FROM entry
WHERE {INPUT} <> 0 OR {OUTPUT} <> 0 OR {READ} <> 0 OR {WRITTEN} <> 0 OR TRY_CAST(used.cost AS DOUBLE) IS DISTINCT FROM 0
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Events of an agent within events of a session."""
    return sample.layout in ("ndjson", "json") and sample.has("kind", "timestampMs", "event.agentEvent.kind")


_AT = "event.agentEvent.modelUsage"

READER = Reader(
    name="junie",
    origin="agent",
    doc="https://www.jetbrains.com/help/junie/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(*(f"{_AT}.{name}" for name in TOKENS), f"{_AT}.cost"),
    usage_key="modelUsage",
    unique_by="the event's task and time, and the call's place and figures",
    kept_at="~/.junie/sessions/SESSION/events.jsonl",
    no_call="a session with no answer that states usage",
    sample="made: on the shape of published lines",
)
