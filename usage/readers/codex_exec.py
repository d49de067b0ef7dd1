"""What Codex prints of a run (`codex exec --json`): events, of which a completed turn states its thread's usage.

https://github.com/openai/codex (codex-rs/exec, exec_events.rs and event_processor_with_jsonl_output.rs): the usage of
`turn.completed` is the running total of the thread, and goes on where the thread is resumed, in another file too. So a
thread is one sum, the last: of several files the one with the largest output. Where a total falls, a count began anew.
Input includes cached tokens and those written to the cache, output includes reasoning. No event has a time or a model:
a run is of its file's date, and has no price. The thread's own log (`~/.codex/sessions`) has both, and its calls count.
"""

from __future__ import annotations

from ..reader import Reader, Sample

FIGURES = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")
COLUMNS = {
    "type": "VARCHAR",
    "thread_id": "VARCHAR",
    "usage": f"STRUCT({', '.join(f'{name} HUGEINT' for name in FIGURES)})",
}

SQL = f"""
WITH named AS (
    SELECT *, last_value(nullif(thread_id, '') IGNORE NULLS) OVER (PARTITION BY file_id ORDER BY line) AS thread
    FROM record
),
stated AS (
    SELECT file_id, line, thread, {", ".join(f"coalesce(usage.{name}, 0) AS {name}" for name in FIGURES)}
    FROM named WHERE "type" = 'turn.completed' AND usage IS NOT NULL
),
compared AS (
    SELECT *, coalesce(input_tokens < lag(input_tokens) OVER turns
        OR output_tokens < lag(output_tokens) OVER turns, FALSE) AS anew
    FROM stated WINDOW turns AS (PARTITION BY file_id, thread ORDER BY line)
),
numbered AS (
    SELECT *, cached_input_tokens + cache_write_input_tokens AS cached,
        sum(anew::INTEGER) OVER (PARTITION BY file_id, thread ORDER BY line) AS nth
    FROM compared
)
SELECT file_id, line,
    'codex-exec:' || concat_ws(':', coalesce(thread, concat_ws('/', {", ".join(FIGURES)})),
        'again ' || nullif(nth, 0)) AS event_id,
    modified AS ts,
    thread AS session,
    TRUE AS aggregated,
    0 AS request,
    input_tokens - CASE WHEN cached > input_tokens THEN 0 ELSE cached END AS input,
    cached_input_tokens AS cache_read,
    cache_write_input_tokens AS cache_write_5m,
    output_tokens AS output
FROM numbered JOIN file_time USING (file_id)
WHERE input_tokens <> 0 OR output_tokens <> 0
QUALIFY row_number() OVER (PARTITION BY file_id, thread, nth ORDER BY line DESC) = 1
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """The beginning of a thread, or a completed turn with its usage."""
    if sample.layout not in ("ndjson", "json"):
        return False
    kinds = list(sample.values("type"))
    return ("thread.started" in kinds and sample.has("type", "thread_id")) or (
        "turn.completed" in kinds and sample.has("usage.input_tokens", "usage.cached_input_tokens")
    )


READER = Reader(
    name="codex-exec",
    origin="agent",
    doc="https://github.com/openai/codex/blob/main/docs/exec.md",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    whole=True,
    counted=tuple(f"usage.{name}" for name in FIGURES),
    left_out={"usage.reasoning_output_tokens": "part of the output"},
    unique_by="the thread, whose last total counts",
    kept_at="the output of codex exec --json",
    undercounts="no model, so no price; failed turns, threads that a run spawned, and earlier runs of a thread whose "
    "count began anew when it was resumed (versions of 2025)",
    no_call="a run with no completed turn",
    sample="made: after the code that prints it",
)
