"""What Claude Code prints of a run (`claude -p --output-format json` or `stream-json`), and messages kept of its SDK.

https://code.claude.com/docs/en/agent-sdk/cost-tracking: a run ends with a `result`, whose `modelUsage` has the sums of
all its calls by model, subagents included, at `costUSD`; input excludes cached tokens. The messages before it state the
same calls as they began, so they count only where no result follows (a run that was cut), or give the model of a result
that names none. Results of one session are runs of their own, but where the messages between two show that the second
runs on. One-hour writes, and how a model's calls were processed, are known of the messages, else of the last result's
`usage`. Nothing has a time: a run is of the file's own date. Amp prints the same (`--stream-json`), without a model.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import STATED_BY_OTHERS, Reader, Sample
from .claude_model import provider_of
from .claude_usage import BILLED, COUNTED, ENTRY, PROCESSING, USAGE
from .nested import JsonTexts, members, priced
from .qwen_print import recognises as of_qwen

COLUMNS = {
    **dict.fromkeys(("type", "subtype", "session_id", "uuid", "model", "total_cost_usd", "is_error", "cwd"), "VARCHAR"),
    "usage": USAGE,
    "modelUsage": "JSON",
    "message": f"STRUCT(id VARCHAR, model VARCHAR, usage {USAGE})",
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


OF_RUN = processing("usage.service_tier", "usage.speed", "usage.inference_geo")

SQL = f"""
WITH named AS (
    SELECT *, coalesce(session_id, '') AS session FROM record
),
entry AS (  -- a message is printed once for each of its parts
    SELECT DISTINCT ON (file_id, session, message.id) *, {ENTRY}
    FROM named WHERE "type" = 'assistant' AND message.usage IS NOT NULL AND coalesce(message.model, '') <> '<synthetic>'
    ORDER BY message.usage.output_tokens DESC
),
{BILLED},
said AS (
    SELECT file_id, line, session, message.id || CASE WHEN call.place = 0 THEN '' ELSE ':' || call.place END AS id,
        CASE WHEN call.place = 0 THEN message.id END AS response_id, coalesce(call.model, served_by) AS model,
        {PROCESSING} AS processing, call.input::HUGEINT AS input, call.cache_read::HUGEINT AS cache_read,
        call.output::HUGEINT AS output, call.cache_write_5m::HUGEINT + call.cache_write_1h AS written,
        call.cache_write_1h AS written_1h,
        CASE WHEN call.place = 0 THEN message.usage.server_tool_use.web_search_requests END AS web_search
    FROM billed
),
ended AS (
    SELECT *, lag(line) OVER runs AS line_before, row_number() OVER runs AS run FROM named WHERE "type" = 'result'
    WINDOW runs AS (PARTITION BY file_id, session ORDER BY line)
),
heard AS (  -- of each result, what the messages since the one before asked, by model
    SELECT ended.file_id, ended.line, said.model, sum(said.input + said.cache_read + said.written) AS asked,
        sum(said.written_1h) AS written_1h, min(said.processing) AS processing,
        min(said.processing) < max(said.processing) AS mixed
    FROM ended JOIN said ON said.file_id = ended.file_id AND said.session = ended.session
        AND said.line < ended.line AND said.line > coalesce(line_before, -1)
    GROUP BY ALL
),
listed AS (
    SELECT * EXCLUDE (modelUsage), unnest({members("modelUsage")}) AS of_model FROM ended
    WHERE len(json_keys(modelUsage)) > 0
),
by_model AS (
    SELECT *, of_model[1] AS used, {OF_MODEL.listed("of_model[2]")} FROM listed
),
by_run AS (
    SELECT file_id, line, session, uuid, run, is_error, cwd, used AS model,
        {", ".join(f"{OF_MODEL.count(name)} AS {kind}" for kind, name in CLASSES.items())},
        {OF_MODEL.text("costUSD")} AS cost, usage.cache_creation.ephemeral_1h_input_tokens AS hour_of_run,
        {OF_RUN} AS of_run
    FROM by_model
    UNION ALL BY NAME
    SELECT file_id, line, session, uuid, run, is_error, cwd,
        (SELECT arg_max(heard.model, heard.asked) FROM heard
            WHERE heard.file_id = ended.file_id AND heard.line = ended.line) AS model,
        {_of("usage")}, total_cost_usd AS cost, usage.cache_creation.ephemeral_1h_input_tokens AS hour_of_run, {
    OF_RUN
} AS of_run
    FROM ended WHERE modelUsage IS NULL OR len(json_keys(modelUsage)) = 0
),
followed AS (
    SELECT by_run.*, heard.written_1h, heard.asked, heard.processing AS heard_processing, heard.mixed,
        by_run.input + by_run.cache_read + by_run.written AS prompt,
        max(by_run.input + by_run.cache_read + by_run.written) OVER models AS prompt_before,
        {", ".join(f"lag(by_run.{kind}) OVER models AS {kind}_before" for kind in CLASSES)},
        lag(cost) OVER models AS cost_before,
        row_number() OVER (PARTITION BY by_run.file_id, by_run.line ORDER BY TRY_CAST(cost AS DOUBLE) DESC) AS rank
    FROM by_run LEFT JOIN heard ON heard.file_id = by_run.file_id AND heard.line = by_run.line
        AND heard.model = by_run.model
    WINDOW models AS (PARTITION BY by_run.file_id, by_run.session, by_run.model ORDER BY by_run.line
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
    {provider_of("model")} AS provider,
    model,
    CASE WHEN is_error = 'true' THEN 'error' ELSE 'ok' END AS status,
    coalesce(CASE WHEN NOT mixed THEN nullif(heard_processing, 'standard') END,
        CASE WHEN rank = 1 AND NOT coalesce(mixed, FALSE) THEN of_run END, 'standard') AS processing,
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
SELECT said.file_id, said.line, 'claude-print:' || said.id AS event_id,
    CASE WHEN EXISTS (SELECT 1 FROM ended WHERE ended.file_id = said.file_id AND ended.session = said.session
        AND ended.line > said.line) THEN '{STATED_BY_OTHERS}' END AS fault, said.response_id,
    modified AS ts, nullif(said.session, '') AS session,
    {provider_of("model")} AS provider,
    model, 'ok' AS status, processing, FALSE AS aggregated, 1 AS request, input, cache_read, output,
    written - least(written, written_1h) AS cache_write_5m, least(written, written_1h) AS cache_write_1h, web_search,
    NULL AS recorded_usd, NULL AS tags
FROM said JOIN file_time USING (file_id)
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """A result with its sums, or messages with the session's id as the SDK writes it; Qwen Code's are alike."""
    return sample.layout in ("ndjson", "json") and _of_sdk(sample) and not of_qwen(sample)


def _of_sdk(sample: Sample) -> bool:
    return (
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
        *(f"usage.{name}" for name in _OF_USAGE.values()),
        "usage.cache_creation.ephemeral_1h_input_tokens",
        *(f"{usage}.{name}" for usage in ("message.usage", "message.usage.iterations") for name in COUNTED),
        "message.usage.server_tool_use.web_search_requests",
        "total_cost_usd",
    ),
    left_out={
        "usage.cache_creation.ephemeral_5m_input_tokens": "the rest of the writes",
        **{f"{usage}.server_tool_use.web_fetch_requests": "fetching a page costs only its tokens" for usage in _USAGE},
        "usage.iterations": "within the sums of the models",
        "message.usage.iterations.server_tool_use": "as in the usage of the whole answer",
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
