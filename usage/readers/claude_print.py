"""What Claude Code prints of a run (`claude -p --output-format json` or `stream-json`), and messages kept of its SDK.

https://code.claude.com/docs/en/agent-sdk/cost-tracking: a run ends with a `result`, whose `modelUsage` has the sums of
all its calls by model, subagents included, at `costUSD`; input excludes cached tokens. The messages before it state the
same calls as they began, so they count only where no result follows (a run that was cut), or give the model of a result
that names none. Results of one session are runs of their own, but where the messages between two show that the second
runs on. One-hour writes are known of the messages, else of the last result's `usage`. Nothing has a time: a run is of
the file's own date.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import JsonTexts, priced

_COUNTS = """input_tokens BIGINT, output_tokens BIGINT, cache_read_input_tokens BIGINT,
    cache_creation_input_tokens BIGINT, cache_creation STRUCT(ephemeral_1h_input_tokens BIGINT),
    server_tool_use STRUCT(web_search_requests BIGINT)"""

COLUMNS = {
    **dict.fromkeys(("type", "subtype", "session_id", "uuid", "model", "total_cost_usd", "is_error", "cwd"), "VARCHAR"),
    "usage": f"STRUCT({_COUNTS})",
    "modelUsage": "JSON",
    "message": f"STRUCT(id VARCHAR, model VARCHAR, usage STRUCT({_COUNTS}))",
}
NAMES = ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "webSearchRequests")
OF_MODEL = JsonTexts("stated", (*NAMES, "costUSD"))
CLASSES = dict(zip(("input", "output", "cache_read", "written", "web_search"), NAMES, strict=True))
_OF_USAGE = {
    "input": "input_tokens", "output": "output_tokens", "cache_read": "cache_read_input_tokens",
    "written": "cache_creation_input_tokens", "web_search": "server_tool_use.web_search_requests",
}  # fmt: skip


def _of(usage: str) -> str:
    return ", ".join(f"coalesce({usage}.{name}, 0)::HUGEINT AS {kind}" for kind, name in _OF_USAGE.items())


SQL = f"""
WITH named AS (
    SELECT *, coalesce(session_id, '') AS session FROM record
),
said AS (  -- a message is printed once for each of its parts
    SELECT DISTINCT ON (file_id, session, message.id) file_id, line, session, message.id AS id, message.model AS model,
        {_of("message.usage")}, coalesce(message.usage.cache_creation.ephemeral_1h_input_tokens, 0) AS written_1h
    FROM named WHERE "type" = 'assistant' AND message.usage IS NOT NULL AND coalesce(message.model, '') <> '<synthetic>'
    ORDER BY message.usage.output_tokens DESC
),
ended AS (
    SELECT *, lag(line) OVER runs AS line_before, row_number() OVER runs AS run FROM named WHERE "type" = 'result'
    WINDOW runs AS (PARTITION BY file_id, session ORDER BY line)
),
heard AS (  -- of each result, what the messages since the one before asked, by model
    SELECT ended.file_id, ended.line, said.model, sum(said.input + said.cache_read + said.written) AS asked,
        sum(said.written_1h) AS written_1h
    FROM ended JOIN said ON said.file_id = ended.file_id AND said.session = ended.session
        AND said.line < ended.line AND said.line > coalesce(line_before, -1)
    GROUP BY ALL
),
listed AS (
    SELECT *, unnest(json_keys(modelUsage)) AS used FROM ended WHERE len(json_keys(modelUsage)) > 0
),
by_model AS (
    SELECT *, {OF_MODEL.listed("(modelUsage -> ('/' || replace(replace(used, '~', '~0'), '/', '~1')))")} FROM listed
),
summed AS (
    SELECT file_id, line, session, uuid, run, is_error, cwd, used AS model,
        {", ".join(f"{OF_MODEL.count(name)} AS {kind}" for kind, name in CLASSES.items())},
        {OF_MODEL.text("costUSD")} AS cost, usage.cache_creation.ephemeral_1h_input_tokens AS hour_of_run
    FROM by_model
    UNION ALL BY NAME
    SELECT file_id, line, session, uuid, run, is_error, cwd,
        (SELECT arg_max(heard.model, heard.asked) FROM heard
            WHERE heard.file_id = ended.file_id AND heard.line = ended.line) AS model,
        {_of("usage")}, total_cost_usd AS cost, usage.cache_creation.ephemeral_1h_input_tokens AS hour_of_run
    FROM ended WHERE modelUsage IS NULL OR len(json_keys(modelUsage)) = 0
),
followed AS (
    SELECT summed.*, heard.written_1h, heard.asked,
        summed.input + summed.cache_read + summed.written AS prompt,
        max(summed.input + summed.cache_read + summed.written) OVER models AS prompt_before,
        {", ".join(f"lag(summed.{kind}) OVER models AS {kind}_before" for kind in CLASSES)},
        lag(cost) OVER models AS cost_before,
        row_number() OVER (PARTITION BY summed.file_id, summed.line ORDER BY TRY_CAST(cost AS DOUBLE) DESC) AS rank
    FROM summed LEFT JOIN heard ON heard.file_id = summed.file_id AND heard.line = summed.line
        AND heard.model = summed.model
    WINDOW models AS (PARTITION BY summed.file_id, summed.session, summed.model ORDER BY summed.line
        ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)
),
run AS (
    SELECT *,
        coalesce(asked > 0 AND abs(prompt - prompt_before - asked) < abs(prompt - asked)
            AND input >= input_before AND output >= output_before, FALSE) AS runs_on,
        least(written, coalesce(written_1h, CASE WHEN rank = 1 THEN hour_of_run END, 0)) AS kept
    FROM followed
)
SELECT run.file_id, run.line,
    'claude-print:' || coalesce(nullif(uuid, ''), session || ':' || run) || ':' || model AS event_id,
    modified AS ts, nullif(session, '') AS session,
    CASE WHEN contains(model, '/') OR model LIKE '%anthropic.%' OR model LIKE '%@%' THEN NULL ELSE 'anthropic' END
        AS provider,
    regexp_replace(model, '\\[1m\\]$', '') AS model,
    CASE WHEN is_error = 'true' THEN 'error' ELSE 'ok' END AS status,
    TRUE AS aggregated, 0 AS request,
    {
    ", ".join(
        f"{kind} - CASE WHEN runs_on THEN {kind}_before ELSE 0 END AS {kind}"
        for kind in ("input", "cache_read", "output")
    )
},
    written - CASE WHEN runs_on THEN written_before ELSE 0 END - kept AS cache_write_5m,
    kept AS cache_write_1h,
    web_search - CASE WHEN runs_on THEN web_search_before ELSE 0 END AS web_search,
    {
    priced(
        '''CASE WHEN runs_on
        THEN (TRY_CAST(cost AS DECIMAL(38, 18)) - TRY_CAST(cost_before AS DECIMAL(38, 18)))::VARCHAR ELSE cost END''',
        "input + output + cache_read + written",
    )
} AS recorded_usd,
    json_object('cwd', cwd) AS tags
FROM run JOIN file_time USING (file_id)
UNION ALL BY NAME
SELECT said.file_id, said.line, 'claude-print:' || said.id AS event_id, said.id AS response_id,
    modified AS ts, nullif(said.session, '') AS session,
    CASE WHEN contains(model, '/') OR model LIKE '%anthropic.%' OR model LIKE '%@%' THEN NULL ELSE 'anthropic' END
        AS provider,
    model, 'ok' AS status, FALSE AS aggregated, 1 AS request, input, cache_read, output,
    written - least(written, written_1h) AS cache_write_5m, least(written, written_1h) AS cache_write_1h, web_search,
    NULL AS recorded_usd, NULL AS tags
FROM said JOIN file_time USING (file_id)
WHERE NOT EXISTS (SELECT 1 FROM ended WHERE ended.file_id = said.file_id AND ended.session = said.session
    AND ended.line > said.line)
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """A result with its sums, or messages with the session's id as the SDK writes it."""
    return sample.layout in ("ndjson", "json") and (
        sample.has("type", "session_id", "total_cost_usd", "usage.input_tokens")
        or (
            sample.has("session_id", "message.usage.input_tokens")
            and any("parent_tool_use_id" in record for record in sample.records)  # null, but of a subagent's
        )
        or (sample.has("type", "subtype", "session_id", "permissionMode") and "init" in sample.values("subtype"))
    )


_USAGE = ("usage", "message.usage")

READER = Reader(
    name="claude-print",
    doc="https://code.claude.com/docs/en/agent-sdk/cost-tracking",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    ordered=True,
    whole=True,
    counted=(
        *(f"modelUsage.*.{name}" for name in (*NAMES, "costUSD")),
        *(f"{usage}.{name}" for usage in _USAGE for name in _OF_USAGE.values()),
        *(f"{usage}.cache_creation.ephemeral_1h_input_tokens" for usage in _USAGE),
        "total_cost_usd",
    ),
    left_out={
        **{f"{usage}.cache_creation.ephemeral_5m_input_tokens": "the rest of the writes" for usage in _USAGE},
        **{f"{usage}.server_tool_use.web_fetch_requests": "fetching a page costs only its tokens" for usage in _USAGE},
        **{f"{usage}.iterations": "within the sums of the models" for usage in _USAGE},
        **{f"{usage}.output_tokens_details": "parts of the output" for usage in _USAGE},
        "modelUsage.*.contextWindow": "the size of a model's context",
        "modelUsage.*.maxOutputTokens": "a limit",
        "tool_use_result": "what a tool gave back; its calls are in the sums",
        "event": "a part of a message as it is streamed",
        "compact_metadata": "the size of the context before a compaction",
    },
    origin="agent",
    unique_by="the result's id and the model; of a run that was cut, the message's id",
    kept_at="the output of claude -p --output-format json or stream-json, or of its GitHub action",
    no_call="a run that printed neither a result nor a message of the model",
    sample="made: in the documented shape",
)
