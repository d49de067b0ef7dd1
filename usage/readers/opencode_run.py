"""What OpenCode prints of a run (`opencode run --format json`; Kilo's CLI alike): events, of which a finished step has
its usage.

https://github.com/anomalyco/opencode (packages/opencode/src/cli/cmd/run.ts, session/processor.ts): a step is one call
of the model, its part stands again in the session's own log, which names the model; no event does
(https://github.com/anomalyco/opencode/issues/40544). Events of subagents' sessions are not printed. `tokens.input`
excludes cache, `tokens.output` reasoning, unless `total` says that reasoning is within. Cost 0 means that no price is
known. The session's own log counts where it is loaded.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import JsonTexts, priced

COLUMNS = {**dict.fromkeys(("type", "timestamp", "sessionID"), "VARCHAR"), "part": "JSON"}
NAMES = ("input", "output", "reasoning", "cache.read", "cache.write", "total")
PART = JsonTexts("stated", (*(f"tokens.{name}" for name in NAMES), "id", "cost"))

SQL = f"""
WITH step AS (
    SELECT * EXCLUDE (part, stated), {PART.text("id")} AS id, {PART.text("cost")} AS cost,
        {", ".join(f'{PART.count(f"tokens.{name}")} AS "{name}"' for name in NAMES)}
    FROM (SELECT *, {PART.listed("part")} FROM record WHERE "type" = 'step_finish' AND (part -> '$.tokens') IS NOT NULL)
)
SELECT file_id, line,
    'opencode-run:' || id AS event_id,
    utc_epoch("timestamp") AS ts,
    sessionID AS session,
    "input" AS input,
    "cache.read" AS cache_read,
    "cache.write" AS cache_write_5m,
    CASE WHEN least("output", reasoning) < 0 THEN -1
         WHEN reasoning > 0 AND total = "input" + "cache.read" + "cache.write" + "output" THEN "output"
         ELSE "output" + reasoning END AS output,
    nullif(total, 0) AS stated_total,
    {priced("cost")} AS recorded_usd
FROM step
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Events of a session with a part of it: a step of the model, what it wrote, or a tool."""
    return sample.layout in ("ndjson", "json") and sample.has(
        "type", "timestamp", "sessionID", "part.id", "part.messageID", "part.type"
    )


READER = Reader(
    name="opencode-run",
    origin="agent",
    doc="https://opencode.ai/docs/cli/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=("part.cost", *(f"part.tokens.{name}" for name in NAMES)),
    left_out={"part.state": "what a tool was asked and gave back", "part.time": "when a text was written"},
    unique_by="the step's id",
    kept_at="the output of opencode run --format json",
    undercounts="no model, so no price; calls of subagents",
    no_call="a run with no finished step",
    sample="made: after the code that prints it",
)
