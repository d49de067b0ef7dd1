"""Codex CLI rollouts: JSON lines whose token counts are running totals of the session.

https://github.com/openai/codex (codex-rs/protocol, TokenCountEvent). Input includes cached tokens, unless
`total_tokens` is the sum with them beside; output includes reasoning.

A call is a change of the total: a total that is repeated, by a refresh or by a resumed, forked or spawned session
that replays its past, is the same call. The total names it, within the session that the others came from: the last one
that the file has named by then (a fork of a fork that does not replay the names of both cannot be seen from here; nor
can two spawned sessions of one parent whose totals are the same to the last token, unless their lines are numbered).
A count that begins anew within a file, with no session named between, makes new calls, though its totals be those of
before. Where the totals of several counters take turns in one file (a total falls back to where an earlier one left
off), each says its last call.

A spawned session that says where its own history begins (`subagent_history_start_ordinal`) names its own calls. The
service tier is the record's own, the turn's, or the last that `thread_settings_applied` has.

A `token_usage_record` is one response. Those that no change of the total shows (compactions) are calls too.
The provider is the session's `model_provider`: a server of one's own has no price of OpenAI's.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from ..tags import project_of, repository_of

_TOKENS = """STRUCT(input_tokens HUGEINT, cached_input_tokens HUGEINT, cache_write_input_tokens HUGEINT,
    output_tokens HUGEINT, reasoning_output_tokens HUGEINT, total_tokens HUGEINT)"""

COLUMNS = {
    "timestamp": "VARCHAR",
    "type": "VARCHAR",
    "ordinal": "BIGINT",
    "payload": f"""STRUCT(
        "type" VARCHAR, id VARCHAR, session_id VARCHAR, subagent_history_start_ordinal BIGINT,
        thread_settings STRUCT(model VARCHAR, service_tier VARCHAR),
        forked_from_id VARCHAR, parent_thread_id VARCHAR, source JSON, model VARCHAR,
        model_provider VARCHAR, service_tier VARCHAR, cwd VARCHAR,
        git STRUCT(branch VARCHAR, repository_url VARCHAR), response_id VARCHAR, usage {_TOKENS},
        info STRUCT(model VARCHAR, service_tier VARCHAR, total_token_usage {_TOKENS}, last_token_usage {_TOKENS}))""",
}

_FIGURES = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")


def _plain(usage: str) -> str:
    """A struct of counts as OpenAI gives them: input with cached tokens.

    Another server's input may be without: its total shows it, or more cached tokens than input.
    """
    i, c, w, o = (f"coalesce({usage}.{name}, 0)" for name in _FIGURES)
    r, total = f"coalesce({usage}.reasoning_output_tokens, 0)", f"{usage}.total_tokens"
    beside = f"{c} + {w} > {i} OR {total} = {i} + {c} + {w} + {o} AND {total} NOT IN ({i} + {o}, {i} + {o} + {r})"
    # Reasoning beside the output: the total proves it, but of OpenAI's own, whose output always includes it.
    apart = f"coalesce(provider, 'openai') <> 'openai' AND {r} > 0 AND {total} = {i} + {o} + {r}"
    whole = f"{i} + CASE WHEN {i} >= 0 AND ({beside}) THEN {c} + {w} ELSE 0 END"
    named = ", ".join(
        f"{name}: ({sql})::HUGEINT"
        for name, sql in zip(_FIGURES, (whole, c, w, f"{o} + CASE WHEN {apart} THEN {r} ELSE 0 END"), strict=True)
    )
    return f"CASE WHEN {usage} IS NOT NULL THEN {{{named}}} END"


def _less(usage: str, before: str) -> str:
    return f"{{{', '.join(f'{name}: {usage}.{name} - {before}.{name}' for name in _FIGURES)}}}"


def _negative(usage: str) -> str:
    return f"least({', '.join(f'coalesce({usage}.{name}, 0)' for name in _FIGURES)}) < 0"


_NAMES = """("type" IN ('turn_context', 'session_meta') OR payload.model_provider <> ''
        OR payload."type" = 'thread_settings_applied')"""

# Only lines with counts are sorted, and of these only what their calls depend on: most lines have none. What few lines
# state is looked up by their line: a window that looks for the last text goes back through all lines without any.
SQL = f"""
WITH meta AS MATERIALIZED (  -- the sessions that a file names
    SELECT file_id, line,
        coalesce(nullif(payload.id, ''), payload.session_id) AS session_id,
        last_value(coalesce(nullif(payload.forked_from_id, ''), nullif(payload.parent_thread_id, ''),
            nullif(payload.source ->> '$.subagent.thread_spawn.parent_thread_id', ''), nullif(payload.id, ''))
            IGNORE NULLS) OVER so_far AS root_id,
        last_value(payload.cwd IGNORE NULLS) OVER so_far AS cwd,
        last_value(payload.git IGNORE NULLS) OVER so_far AS git,
        row_number() OVER so_far AS sessions_named
    FROM record WHERE "type" = 'session_meta'
    WINDOW so_far AS (PARTITION BY file_id ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
session_of AS (SELECT file_id, arg_min(session_id, line) AS session_id FROM meta GROUP BY file_id),
copied AS (  -- what a spawned session copied of its parent ends there
    SELECT file_id, arg_min(payload.subagent_history_start_ordinal, line) AS copied_until
    FROM record WHERE payload.subagent_history_start_ordinal IS NOT NULL AND {_NAMES} GROUP BY file_id
),
settings AS (
    SELECT file_id, line,
        last_value(payload.thread_settings.model IGNORE NULLS) OVER so_far AS settings_model,
        last_value(CASE WHEN payload."type" = 'thread_settings_applied'
            THEN coalesce(payload.thread_settings.service_tier, 'default') END IGNORE NULLS) OVER so_far
            AS settings_tier
    FROM record
    WHERE payload."type" = 'thread_settings_applied' OR payload.thread_settings.model IS NOT NULL AND {_NAMES}
    WINDOW so_far AS (PARTITION BY file_id ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
provider AS (SELECT file_id, line, payload.model_provider AS provider FROM record WHERE payload.model_provider <> ''),
naming AS (  -- lines that name the session, its model or provider: it holds until the next
    SELECT file_id, line,
        max(CASE WHEN "type" = 'session_meta' THEN line END) OVER so_far AS meta_line,
        max(CASE WHEN payload."type" = 'thread_settings_applied' OR payload.thread_settings.model IS NOT NULL
            THEN line END) OVER so_far AS settings_line,
        max(CASE WHEN payload.model_provider <> '' THEN line END) OVER so_far AS provider_line,
        last_value(CASE WHEN "type" = 'turn_context' THEN nullif(payload.model, '') END IGNORE NULLS) OVER so_far
            AS turn_model,
        last_value(CASE WHEN "type" IN ('turn_context', 'session_meta')
            THEN coalesce(payload.service_tier, '') END IGNORE NULLS) OVER so_far AS turn_tier
    FROM record WHERE {_NAMES}
    WINDOW so_far AS (PARTITION BY file_id ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
named AS MATERIALIZED (
    SELECT naming.file_id, naming.line, turn_model, turn_tier, settings_model, settings_tier, provider, root_id, cwd,
        git, coalesce(sessions_named, 0) AS sessions_named, session_of.session_id, copied_until
    FROM naming
        LEFT JOIN meta ON meta.file_id = naming.file_id AND meta.line = meta_line
        LEFT JOIN settings ON settings.file_id = naming.file_id AND settings.line = settings_line
        LEFT JOIN provider ON provider.file_id = naming.file_id AND provider.line = provider_line
        LEFT JOIN session_of ON session_of.file_id = naming.file_id
        LEFT JOIN copied ON copied.file_id = naming.file_id
),
placed AS (  -- as few columns as can be are sorted
    SELECT stated.file_id, stated.line, named.line AS named_line, copied_until, session_id, root_id, provider,
        sessions_named
    FROM (SELECT file_id, line FROM record WHERE payload."type" = 'token_count' OR "type" = 'token_usage_record')
        AS stated ASOF LEFT JOIN named ON named.file_id = stated.file_id AND named.line <= stated.line
),
entry AS (
    SELECT file_id, line, named_line, "timestamp", payload.info.model AS own_model,
        nullif(payload.response_id, '') AS response_id,
        coalesce(payload.service_tier, payload.info.service_tier) AS own_tier,
        CASE WHEN ordinal >= copied_until THEN session_id ELSE root_id END AS root_id,
        coalesce(sessions_named, 0) AS sessions_named,
        payload."type" = 'token_count' AS counts, "type" = 'token_usage_record' AS is_response,
        {_plain("payload.info.total_token_usage")} AS total,
        {_plain("payload.info.last_token_usage")} AS last,
        {_plain("payload.usage")} AS response
    FROM record JOIN placed USING (file_id, line)
),
counted AS MATERIALIZED (
    SELECT
        * EXCLUDE (response, counts, is_response),
        coalesce(lag(total) OVER before, {_less("total", "coalesce(last, total)")}) AS total_before,
        {_less("total", "last")} AS left_off,
        lag(sessions_named) OVER before AS sessions_before
    FROM entry
    WHERE counts AND total IS NOT NULL AND NOT ({_negative("total")})
    WINDOW before AS (PARTITION BY file_id ORDER BY line)
),
interleaved AS (  -- files of several counters: a total falls, and goes on from an earlier one
    SELECT DISTINCT file_id FROM counted AS fallen
    WHERE total.input_tokens < total_before.input_tokens AND left_off.input_tokens > 0
        AND EXISTS (FROM counted AS earlier WHERE earlier.file_id = fallen.file_id AND earlier.line < fallen.line
            AND earlier.total = fallen.left_off)
),
stated_first AS (
    SELECT file_id, min(line) AS line FROM counted SEMI JOIN interleaved USING (file_id) GROUP BY file_id, total
),
changed AS (
    SELECT
        *,
        file_id IN (FROM interleaved) AND last.input_tokens BETWEEN 0 AND total.input_tokens AS by_last,
        total.input_tokens < total_before.input_tokens AND coalesce(left_off.input_tokens, 0) = 0
            AND sessions_named = sessions_before AS restarted,
        -- a total below the one before is a new count (after a compaction): all of it is the change
        total.input_tokens < total_before.input_tokens OR total.output_tokens < total_before.output_tokens AS anew
    FROM counted
    WHERE CASE WHEN file_id IN (FROM interleaved) THEN (file_id, line) IN (FROM stated_first)
        ELSE total IS DISTINCT FROM total_before END
),
shown AS (
    SELECT
        file_id, line, named_line, "timestamp", own_model, own_tier, response_id, root_id, total,
        -- (a sum, since DuckDB takes ten times as long to count with a FILTER over a window)
        sum(coalesce(restarted, FALSE)::INTEGER) OVER (PARTITION BY file_id ORDER BY line ROWS UNBOUNDED PRECEDING)
            AS restarts,
        CASE WHEN by_last THEN last WHEN anew THEN total ELSE {_less("total", "total_before")} END AS call
    FROM changed
),
response_call AS (  -- one response each: a record, or a count that says no total
    SELECT * EXCLUDE (response), coalesce(response, last) AS call
    FROM entry
    WHERE coalesce(response, last) IS NOT NULL AND (is_response OR counts AND total IS NULL)
),
call AS (
    SELECT file_id, line, named_line, "timestamp", own_model, own_tier, response_id, call,
        -- a fork replays its parent's totals, some with new times: within a session only totals name a call
        concat_ws(':', coalesce(root_id, "timestamp"), total.input_tokens,
            total.cached_input_tokens, total.output_tokens,
            'again ' || nullif(dense_rank() OVER (PARTITION BY file_id, root_id, total ORDER BY restarts), 1)) AS name
    FROM shown
    UNION ALL BY NAME
    SELECT file_id, line, named_line, "timestamp", own_model, own_tier, response_id, call,
        concat_ws(':', coalesce(response_id, root_id || ':' || "timestamp", "timestamp"),
            call.input_tokens, call.cached_input_tokens, call.output_tokens) AS name
    FROM response_call ANTI JOIN shown USING (file_id, call)
)
SELECT call.file_id, call.line,
    'codex:' || name AS event_id,
    response_id,
    utc("timestamp") AS ts,
    session_of.session_id AS session,
    coalesce(provider, 'openai') AS provider,
    coalesce(own_model, turn_model, settings_model) AS model,
    {processing("coalesce(own_tier, nullif(turn_tier, ''), settings_tier)")} AS processing,
    call.input_tokens - call.cached_input_tokens - call.cache_write_input_tokens AS input,
    call.cached_input_tokens AS cache_read,
    call.cache_write_input_tokens AS cache_write_5m,
    call.output_tokens AS output,
    {project_of("cwd")} AS project,
    {repository_of("git.repository_url")} AS repository,
    nullif(git.branch, '') AS branch,
    json_object('cwd', cwd) AS tags
FROM call LEFT JOIN named ON named.file_id = call.file_id AND named.line = named_line
    LEFT JOIN session_of ON session_of.file_id = call.file_id
UNION ALL BY NAME
SELECT file_id, line, 'a negative running total' AS fault
FROM record WHERE payload."type" = 'token_count' AND {_negative("payload.info.total_token_usage")}
"""  # noqa: S608 (fixed text)


def recognises(sample: Sample) -> bool:
    """Token counts, or the first lines of a rollout."""
    if sample.layout not in ("ndjson", "json"):
        return False
    kinds = set(map(str, sample.values("type")))
    return sample.has("payload.info.total_token_usage") or (
        sample.has("timestamp", "type", "payload") and bool(kinds & {"session_meta", "turn_context"})
    )


READER = Reader(
    name="codex",
    origin="agent",
    doc="https://github.com/openai/codex",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    counted=tuple(
        f"payload.{usage}.{count}"
        for usage in ("info.total_token_usage", "info.last_token_usage", "usage")
        for count in (*_FIGURES, "reasoning_output_tokens", "total_tokens")
    ),
    left_out={
        "payload.info.model_context_window": "the size of a model's context",
        "payload.rate_limits": "what is left of a subscription",
        "payload.latest_token_usage_record": "repeats a record",
    },
    unique_by="session, counter and running total, or response id",
    kept_at="~/.codex/sessions and archived_sessions (CODEX_HOME)",
    no_call="a session with no count of tokens",
    sample="made: three entries from ccusage's fixtures",
)
