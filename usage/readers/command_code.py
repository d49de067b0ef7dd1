"""Command Code: a session's tree of entries (`SESSION.jsonl`), each answer with its usage.

https://www.npmjs.com/package/command-code (dist of 1.64.0, session format 3; read for facts): the usage of a request
stands beside its answer, as the AI SDK sums it: input includes what was read from the cache and written to it, output
includes reasoning, `cacheWriteTokens1h` is a part of the writes. `costUsd` is Command Code's own estimate, absent where
it knows no price. A rewind leaves the answers of the branch that it leaves, which were billed; a fork or a session
branched off copies entries under their ids and times. Entries do not say their session: its head does. Before format 3
a session had no usage.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from ..tags import project_of

TOKENS = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "cacheWriteTokens1h")
INPUT, OUTPUT, READ, WRITTEN, HOUR = (f"coalesce(usage.{name}, 0)" for name in TOKENS)
COLUMNS = {
    **dict.fromkeys(("type", "id", "timestamp", "cwd", "model"), "VARCHAR"),
    "message": "STRUCT(role VARCHAR)",
    "usage": f"STRUCT({', '.join(f'{name} HUGEINT' for name in TOKENS)}, costUsd VARCHAR)",
}

SQL = f"""
WITH told AS (
    SELECT *,
        last_value(CASE WHEN "type" = 'session' THEN id END IGNORE NULLS) OVER so_far AS session,
        last_value(cwd IGNORE NULLS) OVER so_far AS folder,
        last_value(CASE WHEN "type" = 'model_change' THEN model END IGNORE NULLS) OVER so_far AS chosen
    FROM record WINDOW so_far AS (PARTITION BY file_id ORDER BY line)
)
SELECT file_id, line,
    concat_ws(':', 'command-code', nullif(id, ''), "timestamp", {", ".join((INPUT, OUTPUT))}) AS event_id,
    utc("timestamp") AS ts,
    coalesce(session, parse_filename(path, true)) AS session,
    coalesce(model, chosen) AS model,
    CASE WHEN least({INPUT}, {READ}, {WRITTEN}) < 0 THEN -1 WHEN {READ} + {WRITTEN} > {INPUT} THEN {INPUT}
        ELSE {INPUT} - {READ} - {WRITTEN} END AS input,
    {READ} AS cache_read,
    CASE WHEN least({WRITTEN}, {HOUR}) < 0 THEN -1 ELSE greatest({WRITTEN} - {HOUR}, 0) END AS cache_write_5m,
    {HOUR} AS cache_write_1h,
    {OUTPUT} AS output,
    usage.costUsd AS recorded_usd,
    {project_of("folder")} AS project,
    json_object('cwd', folder) AS tags
FROM told WHERE "type" = 'message' AND usage IS NOT NULL
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Entries with usage of its names, or with what it keeps in its messages; pi's are like them but for these."""
    return sample.layout in ("ndjson", "json") and (
        sample.has("type", "timestamp", "message.role", "usage.cacheReadTokens")
        or sample.has("type", "timestamp", "message.meta.messageId")
        or "effort_change" in sample.values("type")
        or sample.has("sessionId", "role", "gitBranch", "metadata.version")
    )


READER = Reader(
    name="command-code",
    origin="agent",
    doc="https://commandcode.ai/docs",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    whole=True,
    counted=(*(f"usage.{name}" for name in TOKENS), "usage.costUsd"),
    left_out={"tokensBefore": "the size of the context before a compaction, not a call"},
    unique_by="the entry's id, time and figures",
    kept_at="~/.commandcode/projects/FOLDER/SESSION.jsonl",
    undercounts="calls that are no answer in the session: summaries of compactions, titles, subagents",
    no_call="a session whose answers state no usage (before format 3 none did)",
    sample="made: after the code that writes it",
)
