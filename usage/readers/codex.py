"""Codex CLI rollouts: JSON lines whose token counts are running totals of the session.

https://github.com/openai/codex (codex-rs/protocol, TokenCountEvent). Input includes cached tokens, output
includes reasoning. A call is a change of the total: a total that is told again, by a refresh or by a resumed or
forked session that replays its past, is the same call. The total names it, within the session that the others were
forked from: the last one that the file has named by then (a fork of a fork that does not replay the names of both
cannot be told from here).
"""

from __future__ import annotations

from ..reader import Reader, Sample

_TOKENS = """STRUCT(input_tokens HUGEINT, cached_input_tokens HUGEINT, cache_write_input_tokens HUGEINT,
    output_tokens HUGEINT, total_tokens HUGEINT)"""

COLUMNS = {
    "timestamp": "VARCHAR",
    "type": "VARCHAR",
    "payload": f"""STRUCT(
        "type" VARCHAR, id VARCHAR, forked_from_id VARCHAR, model VARCHAR, cwd VARCHAR,
        info STRUCT(model VARCHAR, total_token_usage {_TOKENS}, last_token_usage {_TOKENS}))""",
}

SQL = """
WITH entry AS (
    SELECT
        *,
        last_value(CASE WHEN "type" = 'turn_context' THEN payload.model END IGNORE NULLS) OVER told AS turn_model,
        first_value(CASE WHEN "type" = 'session_meta' THEN nullif(payload.id, '') END IGNORE NULLS) OVER whole
            AS session_id,
        last_value(
            CASE WHEN "type" = 'session_meta'
                THEN coalesce(nullif(payload.forked_from_id, ''), nullif(payload.id, '')) END IGNORE NULLS
        ) OVER told AS root_id,
        last_value(CASE WHEN "type" = 'session_meta' THEN payload.cwd END IGNORE NULLS) OVER told AS cwd,
        payload.info.total_token_usage AS total,
        payload.info.last_token_usage AS last
    FROM record
    WINDOW
        told AS (PARTITION BY file_id ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
        whole AS (PARTITION BY file_id ORDER BY line ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
),
counted AS (
    SELECT
        *,
        coalesce(lag(total.input_tokens) OVER before,
            total.input_tokens - coalesce(last.input_tokens, total.input_tokens)) AS input_before,
        coalesce(lag(coalesce(total.cached_input_tokens, 0)) OVER before,
            coalesce(total.cached_input_tokens, 0)
                - coalesce(last.cached_input_tokens, total.cached_input_tokens, 0)) AS cached_before,
        coalesce(lag(coalesce(total.cache_write_input_tokens, 0)) OVER before,
            coalesce(total.cache_write_input_tokens, 0)
                - coalesce(last.cache_write_input_tokens, total.cache_write_input_tokens, 0)) AS written_before,
        coalesce(lag(total.output_tokens) OVER before,
            total.output_tokens - coalesce(last.output_tokens, total.output_tokens)) AS output_before
    FROM entry
    WHERE payload."type" = 'token_count' AND total IS NOT NULL
    WINDOW before AS (PARTITION BY file_id ORDER BY line)
),
changed AS (
    SELECT
        *,
        -- a total below the one before is a new count (after a compaction): all of it is the change
        total.input_tokens < input_before OR total.output_tokens < output_before AS anew
    FROM counted
    WHERE (total.input_tokens, coalesce(total.cached_input_tokens, 0), coalesce(total.cache_write_input_tokens, 0),
        total.output_tokens) IS DISTINCT FROM (input_before, cached_before, written_before, output_before)
),
call AS (
    SELECT
        *,
        total.input_tokens - CASE WHEN anew THEN 0 ELSE input_before END AS inputs,
        coalesce(total.cached_input_tokens, 0) - CASE WHEN anew THEN 0 ELSE cached_before END AS cached,
        coalesce(total.cache_write_input_tokens, 0) - CASE WHEN anew THEN 0 ELSE written_before END AS written,
        total.output_tokens - CASE WHEN anew THEN 0 ELSE output_before END AS outputs
    FROM changed
)
SELECT file_id, line,
    -- a fork replays its parent's totals, some with new times: within a session only totals name a call
    'codex:' || concat_ws(':', coalesce(root_id, "timestamp"), total.input_tokens, total.cached_input_tokens,
        total.output_tokens) AS event_id,
    utc("timestamp") AS ts,
    session_id AS session,
    'openai' AS provider,
    coalesce(payload.info.model, turn_model) AS model,
    inputs - cached - written AS input,
    cached AS cache_read,
    written AS cache_write_5m,
    outputs AS output,
    json_object('cwd', cwd) AS tags
FROM call
"""


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
    doc="https://github.com/openai/codex",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
)
