"""What Gemini CLI prints of a run: `gemini -o json`, a document, or `-o stream-json`, events.

https://github.com/google-gemini/gemini-cli (packages/core/src/output, packages/cli/src/nonInteractiveCli.ts): `stats`
has the sums of the run by model, of all its calls (subagents, compressions, routing); a resumed session's begin at 0.
The stream names no thoughts: its total is beyond prompt and output by them (and by tokens of tool results, which
nothing tells apart). In older versions it names no models: the one that was asked stands for all. The document has no
time, in older versions no session either: a run is of its file's date. The session's own log counts where it is loaded.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .printed_stats import COUNTED, INPUT, LEFT_OUT, by_model

COLUMNS = {
    **dict.fromkeys(("type", "timestamp", "session_id", "model", "status"), "VARCHAR"),
    "error": "JSON",
    "stats": "JSON",
}

SQL = f"""
WITH ended AS (
    SELECT *, last_value(nullif(session_id, '') IGNORE NULLS) OVER so_far AS session,
        last_value(nullif(model, '') IGNORE NULLS) OVER so_far AS asked
    FROM record WINDOW so_far AS (PARTITION BY file_id ORDER BY line)
),{by_model("ended")}
SELECT file_id, line,
    'gemini-print:' || concat_ws(':', session, used, coalesce("timestamp", latency), prompt, candidates, total)
        AS event_id,
    coalesce(utc("timestamp"), modified) AS ts,
    session,
    'google' AS provider,
    used AS model,
    CASE WHEN status = 'error' OR json_type(error) = 'OBJECT' THEN 'error' ELSE 'ok' END AS status,
    TRUE AS aggregated,
    CASE WHEN streamed THEN 0 ELSE answered END AS request,
    {INPUT} AS input,
    cached AS cache_read,
    CASE WHEN least(candidates, thoughts, rest) < 0 THEN -1 ELSE candidates + thoughts + rest END AS output,
    nullif(total, 0) AS stated_total
FROM counted JOIN file_time USING (file_id)
WHERE prompt <> 0 OR candidates <> 0 OR cached <> 0 OR total <> 0
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """A run's sums, or the first event of one."""
    if sample.layout not in ("json", "ndjson"):
        return False
    kinds = list(sample.values("type"))
    if "init" in kinds and sample.has("session_id", "model", "timestamp", "type"):
        return True
    sums = [stats for stats in sample.values("stats") if isinstance(stats, dict)]
    streamed = any("total_tokens" in stats and "duration_ms" in stats for stats in sums)
    summed = any(isinstance(stats.get("models"), dict) and "tools" in stats and "files" in stats for stats in sums)
    return streamed or (summed and not sample.has("usage"))


READER = Reader(
    name="gemini-print",
    origin="agent",
    doc="https://geminicli.com/docs/cli/headless/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    whole=True,
    counted=COUNTED,
    left_out={**LEFT_OUT, "stats.tool_calls": "calls of tools"},
    unique_by="the session, the model, when or how long, and the figures",
    kept_at="the output of gemini -o json or -o stream-json",
    undercounts="runs that were cut before they printed their sums",
    no_call="a run that asked no model, or printed no sums",
    sample="made: after the code that prints it",
)
