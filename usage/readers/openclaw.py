"""OpenClaw and pi sessions: JSON lines, one message each, with the cost that the tool recorded.

https://github.com/badlogic/pi-mono (packages/coding-agent, session format). Input excludes cached tokens. Usage stands
in a message, or in the entry itself: compactions, summaries of branches, results of tools that called a model (in
`details.results` what agents used that a tool ran in processes of their own). What names no model (or `auto`, and not
which one answered) is the session's, as of its last message or change of model before, by their times.

`cacheWrite1h` is a part of `cacheWrite`, the rest of which is the five-minute cache, and reasoning a part of the
output, unless `totalTokens` is the sum with them beside. A record's id names the call where there is one (branched
sessions repeat earlier records); else its time and figures do. Extensions that ask for a service tier write it, or
`speed`, into the message. The agent is the folder: of
`agents/main/sessions/x.jsonl`, `main`.

Its fork oh-my-pi (https://github.com/can1357/oh-my-pi, packages/ai/src/types.ts) states one-hour writes in
`usage.cttl`, searches in `usage.server`, what a provider's orchestration used in `usage.orchestration` (beside the
rest), and in `usage.discarded` the attempts that were billed and thrown away: their cost is a part of `cost.total`.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from .command_code import recognises as of_command_code
from .nested import priced

_USAGE = """STRUCT(input BIGINT, "output" BIGINT, cacheRead BIGINT, cacheWrite BIGINT, cacheWrite1h BIGINT,
    reasoning BIGINT, reasoningTokens BIGINT, totalTokens BIGINT, cost JSON, serviceTier VARCHAR, speed VARCHAR,
    cttl STRUCT(ephemeral1h BIGINT), server STRUCT(webSearch BIGINT),
    orchestration STRUCT(input BIGINT, cacheRead BIGINT, "output" BIGINT),
    discarded STRUCT(attempts BIGINT, input BIGINT, "output" BIGINT, cacheRead BIGINT, cacheWrite BIGINT,
        cost VARCHAR))"""

COLUMNS = {
    "type": "VARCHAR",
    "id": "VARCHAR",
    "timestamp": "VARCHAR",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "modelId": "VARCHAR",
    "usage": _USAGE,
    "message": f"""STRUCT(
        role VARCHAR, provider VARCHAR, model VARCHAR, responseModel VARCHAR, responseId VARCHAR,
        stopReason VARCHAR, "timestamp" VARCHAR, usage {_USAGE},
        serviceTier VARCHAR, requestedServiceTier VARCHAR, speed VARCHAR,
        details STRUCT(results STRUCT(model VARCHAR, usage {_USAGE})[]))""",
}

USAGES = ("message.usage", "usage", "message.details.results.usage")

# what the answer states of how it was processed, else what was asked for
PROCESSING = processing(
    "coalesce(used.serviceTier, message.serviceTier, message.requestedServiceTier)",
    "coalesce(used.speed, message.speed)",
)
COST = """CASE WHEN place <> -1 AND used.discarded.cost IS NOT NULL
        THEN (TRY_CAST(used.cost ->> 'total' AS DECIMAL(38, 18))
            - TRY_CAST(used.discarded.cost AS DECIMAL(38, 18)))::VARCHAR
    WHEN json_type(used.cost) = 'OBJECT' THEN used.cost ->> 'total'
    WHEN json_type(used.cost) <> 'NULL' THEN used.cost ->> '$' END"""
OWN_MODELS = "'delivery-mirror', 'gateway-injected'"  # what OpenClaw puts into a session by itself


def _with_more(count: str, more: str) -> str:
    """SQL for a count and what stands beside it; a negative one must not vanish in the sum."""
    return f"CASE WHEN least({count}, {more}) < 0 THEN -1 ELSE {count}::HUGEINT + {more} END"


SQL = f"""
WITH entry AS (
    SELECT *,
        coalesce(utc("timestamp"), utc_epoch(message."timestamp")) AS ts,
        coalesce(message.usage, usage) AS used,
        coalesce(CASE WHEN message.model LIKE '%auto' THEN nullif(message.responseModel, '') END,
            nullif(message.model, ''), nullif(model, ''), nullif(modelId, '')) AS named,
        CASE WHEN named IS NOT NULL THEN coalesce(message.provider, provider, '') END AS named_by
    FROM record
),
known AS (
    SELECT *,
        last_value(named IGNORE NULLS) OVER before AS used_model,
        nullif(last_value(named_by IGNORE NULLS) OVER before, '') AS used_provider
    FROM entry
    WINDOW before AS (PARTITION BY file_id ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
-- what agents used that a tool ran in processes of their own, without a log, unless the result's own usage has it
ran AS (
    SELECT * EXCLUDE (result) REPLACE (
        result.usage AS used, coalesce(nullif(result.model, ''), used_model) AS used_model,
        CASE WHEN nullif(result.model, '') IS NULL THEN used_provider END AS used_provider)
    FROM (
        SELECT *, unnest(message.details.results) AS result,
            generate_subscripts(message.details.results, 1) AS place
        FROM known WHERE used IS NULL AND message.role = 'toolResult'
    )
    WHERE result.usage IS NOT NULL
),
-- attempts that were billed and thrown away
discarded AS (
    SELECT * REPLACE (struct_update(used, input := used.discarded.input, "output" := used.discarded."output",
        cacheRead := used.discarded.cacheRead, cacheWrite := used.discarded.cacheWrite,
        cost := to_json(used.discarded.cost), cttl := NULL, "server" := NULL, orchestration := NULL,
        cacheWrite1h := NULL, totalTokens := NULL, reasoning := NULL, reasoningTokens := NULL) AS used),
        -1 AS place
    FROM known WHERE used.discarded.attempts > 0
),
counted AS (
    SELECT *,
        coalesce(used.orchestration.input, 0)::HUGEINT AS more_input,
        coalesce(used.orchestration.cacheRead, 0)::HUGEINT AS more_read,
        coalesce(used.orchestration."output", 0)::HUGEINT AS more_output,
        coalesce(used.input, 0)::HUGEINT + coalesce(used."output", 0) + coalesce(used.cacheRead, 0)
            + coalesce(used.cacheWrite, 0) + more_input + more_read + more_output AS parts,
        coalesce(used.cacheWrite1h, used.cttl.ephemeral1h, 0) AS written_1h,
        written_1h > 0 AND used.totalTokens = parts + written_1h AS hour_beside,
        coalesce(used.reasoning, used.reasoningTokens, 0) AS thinking,
        thinking > 0 AND used.totalTokens = parts + thinking AS reasoning_beside
    FROM (SELECT *, 0 AS place FROM known WHERE used IS NOT NULL OR message.role = 'assistant'
        UNION ALL BY NAME FROM ran UNION ALL BY NAME FROM discarded)
    WHERE NOT (coalesce(message.model, '') IN ({OWN_MODELS}) AND coalesce(used.totalTokens, 0) = 0)
)
SELECT file_id, line,
    'openclaw:' || coalesce(nullif(id, '') || ':' || coalesce(message."timestamp", "timestamp"), md5(concat_ws('|',
        "timestamp", message."timestamp", used_model, used.input, used."output",
        used.cacheRead, used.cacheWrite, used.cost))) || CASE WHEN place = 0 THEN '' ELSE ':' || place END AS event_id,
    CASE WHEN place = 0 THEN nullif(message.responseId, '') END AS response_id,
    ts,
    CASE WHEN parse_path(path)[-2] = 'sessions' THEN parse_path(path)[-3] ELSE parse_path(path)[-2] END AS agent,
    used_provider AS provider,
    used_model AS model,
    CASE message.stopReason WHEN 'error' THEN 'error' WHEN 'aborted' THEN 'cancelled' ELSE 'ok' END AS status,
    {PROCESSING} AS processing,
    {_with_more("used.input", "more_input")} AS input,
    {_with_more("used.cacheRead", "more_read")} AS cache_read,
    CASE WHEN hour_beside OR used.cacheWrite < 0 THEN used.cacheWrite
         ELSE greatest(used.cacheWrite - written_1h, 0) END AS cache_write_5m,
    written_1h AS cache_write_1h,
    {_with_more('used."output"', "more_output")} + CASE WHEN reasoning_beside THEN thinking ELSE 0 END AS output,
    used."server".webSearch AS web_search,
    nullif(used.totalTokens, 0) AS stated_total,
    {priced(COST, "parts")} AS recorded_usd,
    json_object('stopReason', message.stopReason, 'entry', "type") AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Messages whose usage is of its names (`cacheRead` may be missing), or the session's first line."""
    if sample.layout not in ("ndjson", "json"):
        return False
    return (
        sample.has("type", "message.usage.cacheRead")
        or sample.has("type", "message.provider", "message.usage.input", "message.usage.output")
        or (
            any(sample.has("type", "id", "cwd", *own) for own in (["thinkingLevel"], ["timestamp", "version"]))
            and "session" in sample.values("type")
            and not of_command_code(sample)
        )
    )


_OWN_OF_OMP = (
    "cttl.ephemeral1h",
    "server.webSearch",
    *(f"orchestration.{name}" for name in ("input", "output", "cacheRead")),
    *(f"discarded.{name}" for name in ("input", "output", "cacheRead", "cacheWrite", "cost")),
)

READER = Reader(
    name="openclaw",
    origin="agent",
    doc="https://github.com/badlogic/pi-mono",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    own_tags=True,
    whole=True,
    counted=tuple(
        f"{usage}.{name}"
        for usage in USAGES
        for name in ("input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "cost", "cost.total", *_OWN_OF_OMP)
    ),
    left_out={
        **{f"{usage}.totalTokens": "the sum of the others" for usage in USAGES},
        **{f"{usage}.{name}": "part of the output" for usage in USAGES for name in ("reasoning", "reasoningTokens")},
        **{
            f"{usage}.cost.{part}": "a part of the cost; the total counts"
            for usage in USAGES
            for part in ("input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "reasoning")
        },
        **{
            f"{usage}.{name}": why
            for usage in USAGES
            for name, why in {
                "cttl.ephemeral5m": "the rest of the writes",
                "server.webFetch": "fetching a page costs only its tokens",
                "discarded.attempts": "how many attempts were thrown away",
                "premiumRequests": "requests of a subscription, not USD",
            }.items()
        },
        "message.details.results.usage.contextTokens": "the size of the context",
        "message.details.results.usage.turns": "how many turns it had",
        "message.details.results.messages": "the agent's messages, whose usage is summed beside them",
        "details": "what an extension keeps",
        "tokensBefore": "the size of the context before a compaction",
    },
    unique_by="entry id and message time",
    kept_at="~/.pi/agent/sessions; ~/.omp/agent/sessions; ~/.openclaw/agents/NAME/sessions",
    no_call="a session with no message of a model",
    sample="real: a pi session up to its compaction",
)
