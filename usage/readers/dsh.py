"""DeepSeek Harness (dsh): the events of a session (session.jsonl, as a rule packed: session.jsonl.zstd).

https://www.npmjs.com/package/@deepseek-ai/dsh-session: each answer (`assistant/message`) and each summary of a
compaction has the usage of its call; the classes are disjoint, output includes reasoning. What is streamed before
(`assistant/chunk`) repeats it, and counts only for a step that has no answer with usage: one that was interrupted. A
fork begins with a copy of its parent's events: the time and number of the step's first names its call. The model is the
answer's own, else the last that was asked.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from ..tags import project_of

TOKENS = ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens")
_USAGE = f"STRUCT({', '.join(f'{name} BIGINT' for name in TOKENS)})"
_MODEL = "model VARCHAR, provider VARCHAR"
COLUMNS = {
    **dict.fromkeys(("type", "time", "seq", "id", "cwd"), "VARCHAR"),
    "data": f"""STRUCT(turn VARCHAR, step VARCHAR, {_MODEL}, usage {_USAGE}, chunk STRUCT(usage {_USAGE}),
        message STRUCT(source STRUCT({_MODEL})), header STRUCT(config STRUCT({_MODEL})))""",
}
_ASKED = """CASE WHEN "type" IN ('request/header', 'request/context')
            THEN coalesce(data.header.config.{0}, data.{0}) END"""


SQL = f"""
WITH told AS (
    SELECT *,
        last_value(CASE WHEN "type" = 'session' THEN id END IGNORE NULLS) OVER so_far AS session,
        last_value(cwd IGNORE NULLS) OVER so_far AS folder,
        concat_ws(':', "time", seq) AS place,
        CASE WHEN "type" = 'compaction/summary' THEN place
            ELSE first_value(place) OVER (PARTITION BY file_id, data.turn, data.step ORDER BY line) END AS begun,
        last_value({_ASKED.format("model")} IGNORE NULLS) OVER so_far AS asked,
        last_value({_ASKED.format("provider")} IGNORE NULLS) OVER so_far AS asked_of
    FROM record WINDOW so_far AS (PARTITION BY file_id ORDER BY line)
),
entry AS (
    SELECT *, "type" = 'assistant/chunk' AS streamed,
        CASE WHEN streamed THEN data.chunk.usage ELSE data.usage END AS used
    FROM told WHERE "type" IN ('assistant/message', 'assistant/chunk', 'compaction/summary') AND used IS NOT NULL
),
call AS (
    SELECT * FROM entry
    WINDOW of_step AS (PARTITION BY file_id, begun)
    QUALIFY NOT streamed OR (bool_and(streamed) OVER of_step AND line = max(line) OVER of_step)
)
SELECT file_id, line,
    concat_ws(':', 'dsh', begun, row_number() OVER (PARTITION BY file_id, begun ORDER BY line)) AS event_id,
    utc_epoch("time") AS ts,
    CASE WHEN "type" = 'compaction/summary' THEN 'compaction' END AS task,
    session,
    regexp_replace(coalesce(nullif(data.message.source.provider, ''), data.provider, asked_of), '-official$', '')
        AS provider,
    coalesce(nullif(data.message.source.model, ''), nullif(data.model, ''), asked) AS model,
    used.inputTokens AS input,
    used.cacheReadTokens AS cache_read,
    used.cacheWriteTokens AS cache_write_5m,
    used.outputTokens AS output,
    {project_of("folder")} AS project,
    json_object('cwd', folder) AS tags
FROM call
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """A session's head, or events that are numbered."""
    return sample.layout in ("ndjson", "json") and (
        sample.has("type", "id", "createdAt", "delegationDepth")
        or any(sample.has("type", "seq", "time", f"data.{at}usage.inputTokens") for at in ("", "chunk."))
    )


_AT = ("data.usage", "data.chunk.usage")

READER = Reader(
    name="dsh",
    origin="agent",
    doc="https://www.npmjs.com/package/@deepseek-ai/dsh-session",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    ordered=True,
    whole=True,
    counted=tuple(f"{at}.{name}" for at in _AT for name in TOKENS),
    left_out={
        **{f"{at}.reasoningTokens": "part of the output" for at in _AT},
        "data.contextWindow": "the size of a model's context",
        "data.shadowedTokenCount": "the size of the context before a compaction, not a call",
        "data.header": "what a request asked for",
        "data.maxTokens": "what a request asked for",
        "data.meta": "what a tool gave back",
    },
    unique_by="the time and number of its step's first event",
    kept_at="~/.dsh/sessions/FOLDER/SESSION/session.jsonl.zstd (DSH_HOME)",
    no_call="a session with no answer of the model",
    sample="made: on the shape of two public logs",
)
