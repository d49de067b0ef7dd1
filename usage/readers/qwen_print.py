"""What Qwen Code prints of a run: `qwen -o json`, a list of messages, or `-o stream-json`, a message a line.

https://github.com/QwenLM/qwen-code (packages/cli/src/nonInteractive, packages/cli/src/utils/nonInteractiveHelpers.ts):
a `result` ends a turn; `stats` (of `json`) has the sums by model, else `usage` the sum of all, which counts as of the
one that the messages ask most of. They are running totals of the session, which goes on from them where it is resumed,
in another file too: so they count once, the last; of several files those with the largest output. Where a total falls,
a count began anew. Candidates include thoughts, unless the total is the sum with them beside. Messages repeat their
response's usage. Nothing has a time: a run is of its file's date. The session's own log counts where it is loaded.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import count
from .printed_stats import COUNTED, INPUT, LEFT_OUT, by_model

USAGE = {"prompt": "input_tokens", "candidates": "output_tokens", "cached": "cache_read_input_tokens",
         "total": "total_tokens"}  # fmt: skip
_USAGE = f"STRUCT({', '.join(f'{name} HUGEINT' for name in USAGE.values())})"

COLUMNS = {
    **dict.fromkeys(("type", "subtype", "session_id", "model", "cwd", "is_error"), "VARCHAR"),
    "message": "STRUCT(model VARCHAR, usage JSON)",
    "usage": _USAGE,
    "stats": "JSON",
}

SQL = f"""
WITH named AS (
    SELECT *, coalesce(session_id, '') AS session,
        last_value(CASE WHEN "type" = 'system' THEN nullif(model, '') END IGNORE NULLS) OVER so_far AS set_model,
        last_value(cwd IGNORE NULLS) OVER so_far AS folder
    FROM record WINDOW so_far AS (PARTITION BY file_id ORDER BY line)
),
heard AS (
    SELECT file_id, session, arg_max(model, asked) AS model
    FROM (SELECT file_id, session, message.model AS model, sum({count("message.usage", "input_tokens")}) AS asked
        FROM named WHERE "type" = 'assistant' AND message.model <> '' GROUP BY ALL)
    GROUP BY ALL
),
ended AS (
    SELECT named.*, coalesce(heard.model, set_model) AS asked
    FROM named LEFT JOIN heard USING (file_id, session) WHERE "type" = 'result'
),{by_model("ended")},
stated AS (
    SELECT file_id, line, session, used, folder, is_error, prompt, candidates, cached, thoughts, tool, total, answered
    FROM counted
    UNION ALL BY NAME
    SELECT file_id, line, session, asked AS used, folder, is_error, 0 AS thoughts, 0 AS tool, 0 AS answered,
        {", ".join(f"coalesce(usage.{path}, 0) AS {name}" for name, path in USAGE.items())}
    FROM ended WHERE json_type(stats) IS DISTINCT FROM 'OBJECT' AND usage IS NOT NULL
),
compared AS (
    SELECT *, coalesce(prompt < lag(prompt) OVER turns OR candidates < lag(candidates) OVER turns, FALSE) AS anew
    FROM stated WHERE prompt <> 0 OR candidates <> 0 OR cached <> 0
    WINDOW turns AS (PARTITION BY file_id, session, used ORDER BY line)
),
numbered AS (
    SELECT *, sum(anew::INTEGER) OVER (PARTITION BY file_id, session, used ORDER BY line) AS nth FROM compared
)
SELECT file_id, line,
    'qwen-print:' || concat_ws(':', coalesce(nullif(session, ''), concat_ws('/', prompt, candidates)), used,
        'again ' || nullif(nth, 0)) AS event_id,
    modified AS ts,
    nullif(session, '') AS session,
    used AS model,
    CASE WHEN is_error = 'true' THEN 'error' ELSE 'ok' END AS status,
    TRUE AS aggregated,
    answered AS request,
    {INPUT} AS input,
    cached AS cache_read,
    CASE WHEN least(candidates, thoughts) < 0 THEN -1
        WHEN total = prompt + candidates + thoughts THEN candidates + thoughts ELSE candidates END AS output,
    nullif(total, 0) AS stated_total,
    json_object('cwd', folder) AS tags
FROM numbered JOIN file_time USING (file_id)
QUALIFY row_number() OVER (PARTITION BY file_id, session, used, nth ORDER BY line DESC) = 1
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """The first message with its version, a message whose usage has a total, or a result with sums by model."""
    return sample.layout in ("json", "ndjson") and (
        sample.has("type", "session_id", "qwen_code_version")
        or sample.has("type", "session_id", "message.usage.input_tokens", "message.usage.total_tokens")
        or sample.has("type", "session_id", "usage.input_tokens", "stats.models")
    )


READER = Reader(
    name="qwen-print",
    origin="agent",
    doc="https://qwenlm.github.io/qwen-code-docs/en/users/features/headless/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    whole=True,
    counted=(*COUNTED, *(f"usage.{name}" for name in USAGE.values() if name != "total_tokens")),
    left_out={
        **LEFT_OUT,
        "usage.total_tokens": "the sum",
        **{f"message.usage.{name}": "of one response; the result has the sums of all" for name in USAGE.values()},
        "event": "a part of a message as it is streamed",
    },
    unique_by="the session and the model, whose last sum counts",
    kept_at="the output of qwen -o json or -o stream-json",
    undercounts="runs that were cut before their result; a stream does not say which of its models used what",
    no_call="a run that printed no result, or asked no model",
    sample="made: after the code that prints it",
)
