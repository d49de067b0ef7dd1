"""LiteLLM proxy: rows of its table `LiteLLM_SpendLogs`, as CSV, JSON lines, a JSON array or Parquet.

https://docs.litellm.ai/docs/proxy/cost_tracking. `prompt_tokens` includes cached tokens, whose counts stand in
`metadata` (JSON, often as text). For Anthropic's models older proxies left cache writes out of it
(https://github.com/BerriAI/litellm/issues/15056), and pass-through endpoints all cached tokens. The row's arithmetic
decides: what `total_tokens` has beyond prompt and completion stands beside the prompt, and so does what exceeds it.
`call_type` marks batches, the usage, the response or the request a service tier.
Its callbacks (S3, GCS, a file) write the same, a JSON object a request, with `id`, `response_cost` and times since
1970: https://docs.litellm.ai/docs/proxy/logging_spec. Pages of its API list rows under `data`.
A hit of the proxy's own cache asked no provider: it keeps its row, with no tokens, no request and cost 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..aliases import API_MEDIA
from ..media import PARTS
from ..processing import processing
from ..reader import Reader, Sample
from .api_usage import MEDIA_NAMES
from .counts import count_in_text
from .nested import JsonTexts, labels, media_counts, media_parts, priced, tags_of

COLUMNS = {
    "request_id": "VARCHAR",
    "id": "VARCHAR",
    "trace_id": "VARCHAR",
    "response_cost": "VARCHAR",
    "model_parameters": "JSON",
    "startTime": "VARCHAR",
    "call_type": "VARCHAR",
    "model": "VARCHAR",
    "model_group": "VARCHAR",
    "custom_llm_provider": "VARCHAR",
    "prompt_tokens": "HUGEINT",
    "completion_tokens": "HUGEINT",
    "total_tokens": "HUGEINT",
    "spend": "VARCHAR",
    "cache_hit": "VARCHAR",
    "status": "VARCHAR",
    "agent_id": "VARCHAR",
    "team_id": "VARCHAR",
    "user": "VARCHAR",
    "end_user": "VARCHAR",
    "session_id": "VARCHAR",
    "request_tags": "JSON",
    "metadata": "JSON",
    "response": "JSON",
    "proxy_server_request": "JSON",
}


ROW_TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens")
OUTPUT_PARTS = tuple(
    f"{side}_tokens_details.{kind}_tokens"
    for side in ("completion", "output")
    for kind in ("reasoning", "text", "accepted_prediction", "rejected_prediction")
)
INPUT_PARTS = tuple(
    f"{side}_tokens_details.{kind}_tokens" for side in ("prompt", "input") for kind in ("text", "video")
)
OTHER_TABLES = {
    "team_id": "LiteLLM_DailyTeamSpend",
    "tag": "LiteLLM_DailyTagSpend",
    "organization_id": "LiteLLM_DailyOrganizationSpend",
    "end_user_id": "LiteLLM_DailyEndUserSpend",
    "agent_id": "LiteLLM_DailyAgentSpend",
}
"""The other daily tables by the column that only they have: each request is added to all of them."""

HOLDERS = ("additional_usage_values", "usage_object")
"""What the row's metadata calls the usage."""

READS_AS_ANTHROPIC = ("cache_read_input_tokens",)
READS_AS_OPENAI = ("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens")
WRITES = (
    *("cache_creation_input_tokens", "prompt_tokens_details.cache_creation_tokens"),
    *("prompt_tokens_details.cache_write_tokens", "input_tokens_details.cache_write_tokens"),
)
"""Anthropic's writes and, since gpt-5.6, OpenAI's (https://github.com/BerriAI/litellm/issues/33772)."""
WRITES_1H = (
    "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
)
WRITES_5M = (
    "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_5m_input_tokens",
)
SEARCHES = ("server_tool_use.web_search_requests", "prompt_tokens_details.web_search_requests")


COUNTS = (*READS_AS_ANTHROPIC, *READS_AS_OPENAI, *WRITES, *WRITES_1H, *WRITES_5M, *SEARCHES)
LEVELS = ("service_tier", "speed", "inference_geo")
OF_KEYS = ("status", "user_api_key_user_id", "user_api_key_team_alias", "user_api_key_alias")

# The texts that are read of the row's metadata, of its response and of its request.
META = JsonTexts("said", (*(f"{at}.{name}" for at in HOLDERS for name in (*COUNTS, *LEVELS)), *LEVELS, *OF_KEYS))
ANSWER = JsonTexts("answered", (*(f"usage.{name}" for name in (*COUNTS, *LEVELS)), *LEVELS))
ASKED = JsonTexts("requested", tuple(f"{at}{name}" for at in ("", "body.") for name in LEVELS))


def _usage(paths: tuple[str, ...]) -> str:
    """The first of these counts that the usage in the row's metadata holds, under either name; else in its response."""
    found = [META.at(f"{holder}.{path}") for path in paths for holder in HOLDERS]
    found += [ANSWER.at(f"usage.{path}") for path in paths]
    return count_in_text(f"coalesce({', '.join(found)})")


def _held(holders: Sequence[str]) -> dict[str, list[str]]:
    """The names of audio and images, below each of these."""
    return {part: [f"{holder}.{path}" for path in paths for holder in holders] for part, paths in API_MEDIA.items()}


def _parsed(name: str) -> str:
    """A JSON column; some exports hold it as text."""
    return f"CASE WHEN starts_with({name}::VARCHAR, '\"') THEN TRY_CAST({name} ->> '$' AS JSON) ELSE {name} END"


def _stated(name: str) -> str:
    """What the answer states of how it was processed, else what was asked for."""
    found = [META.at(f"{holder}.{name}") for holder in HOLDERS]
    found += [ANSWER.at(f"usage.{name}"), ANSWER.at(name), META.at(name), ASKED.at(name), ASKED.at(f"body.{name}")]
    return f"coalesce({', '.join(found)})"


PROCESSING = processing(_stated("service_tier"), _stated("speed"), _stated("inference_geo"))

SQL = f"""
WITH entry AS (
    SELECT
        *,
        {_parsed("metadata")} AS meta,
        {_parsed("request_tags")} AS labels,
        {_parsed("response")} AS answer,
        coalesce({_parsed("proxy_server_request")}, {_parsed("model_parameters")}) AS asked,
        coalesce(nullif(request_id, ''), nullif(id, '')) AS call_id,
        coalesce(utc("startTime"), utc_epoch("startTime")) AS started,
        lower(cache_hit) IN ('true', 't', '1') AS hit
    FROM record
),
listed AS (
    SELECT *, {META.listed("meta")}, {ANSWER.listed("answer")}, {ASKED.listed("asked")} FROM entry
),
counted AS (
    SELECT
        *,
        {_usage(READS_AS_ANTHROPIC)} AS read_as_anthropic,
        {_usage(READS_AS_OPENAI)} AS read_as_openai,
        {_usage(WRITES)} AS written_in_all,
        {_usage(WRITES_1H)} AS written_1h,
        {_usage(WRITES_5M)} AS written_5m,
        {_usage(SEARCHES)} AS searches,
        CASE WHEN NOT coalesce(hit, FALSE) THEN coalesce({media_counts("meta", _held(HOLDERS))},
            {media_counts("answer", _held(("usage", "usage")))}) END AS stated_media,
        {media_parts(_held(HOLDERS), "stated_media")},
        CASE WHEN least(written_in_all, written_1h, written_5m) < 0 THEN -1
             ELSE greatest(written_in_all, written_1h + written_5m) END AS written,
        -- the same count under two names; -1, unreadable, stays
        CASE WHEN least(read_as_anthropic, read_as_openai) < 0 THEN -1
             ELSE greatest(read_as_anthropic, read_as_openai) END AS cached,
        total_tokens - prompt_tokens - completion_tokens AS beyond
    FROM listed
),
placed AS (
    SELECT *,
        cached >= 0 AND written >= 0 AND (cached > prompt_tokens OR beyond = cached + written) AS all_beside,
        cached >= 0 AND written > 0
            AND (all_beside OR cached + written > prompt_tokens OR beyond = written) AS writes_beside,
        prompt_tokens - CASE WHEN all_beside THEN 0 ELSE cached END - CASE WHEN writes_beside THEN 0 ELSE written END
            AS uncached,
        uncached + cached + written + completion_tokens AS parts
    FROM counted
)
SELECT file_id, line,
    -- the key of its table; some servers behind it give all of their answers one id, so the start is a part
    'litellm:' || call_id || coalesce(':' || epoch_ms(started), '') AS event_id,
    call_id AS response_id,
    started AS ts,
    nullif(agent_id, '') AS agent,
    coalesce(session_id, nullif(trace_id, '')) AS session,
    nullif(custom_llm_provider, '') AS provider,
    coalesce(nullif(model, ''), model_group) AS model,
    CASE WHEN coalesce(status, {META.at("status")}) = 'failure' THEN 'error' ELSE 'ok' END AS status,
    CASE WHEN lower(call_type) LIKE '%batch%' THEN 'batch' ELSE {PROCESSING} END AS processing,
    CASE WHEN hit THEN 0 WHEN least(cached, written, prompt_tokens) < 0 THEN -1 ELSE uncached END AS input,
    CASE WHEN hit THEN 0 ELSE cached END AS cache_read,
    CASE WHEN hit THEN 0 WHEN written < 0 THEN -1 ELSE written - written_1h END AS cache_write_5m,
    CASE WHEN hit THEN 0 ELSE written_1h END AS cache_write_1h,
    CASE WHEN hit THEN 0 ELSE completion_tokens END AS output,
    {", ".join(PARTS)},
    CASE WHEN hit THEN 0 ELSE searches END AS web_search,
    CASE WHEN hit THEN 0 ELSE 1 END AS request,
    CASE WHEN NOT hit AND beyond <> 0 AND total_tokens NOT IN (0, parts) THEN total_tokens END AS stated_total,
    CASE WHEN hit THEN '0' ELSE {priced("coalesce(spend, response_cost)", "parts")} END AS recorded_usd,
    coalesce(nullif("user", ''), nullif({META.at("user_api_key_user_id")}, ''), nullif(end_user, '')) AS "user",
    coalesce(nullif({META.at("user_api_key_team_alias")}, ''), nullif(team_id, '')) AS team,
    json_merge_patch({tags_of(labels("labels"))}, json_object('team_id', team_id, 'user', "user", 'end_user', end_user,
        'key_alias', {META.at("user_api_key_alias")}, 'model_group', model_group, 'call_type', call_type,
        'request_tags', labels, 'cache_hit', CASE WHEN hit THEN 'true' END)) AS tags
FROM placed
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Rows of the table by its own column names, what its callbacks write, and pages of either."""
    return any(
        sample.has(f"{top}{own}", f"{top}call_type", f"{top}{cost}", f"{top}prompt_tokens", f"{top}startTime")
        for top in ("", "data.")
        for own, cost in (("request_id", "spend"), ("id", "response_cost"))
    )


_PLACES = (*(f"metadata.{holder}" for holder in HOLDERS), "response.usage")
_USAGE = tuple(f"{place}.{path}" for place in _PLACES for path in (*COUNTS, *MEDIA_NAMES))

_LIMITS = ("spend", "max_budget", "user_spend", "user_max_budget", "team_spend", "team_max_budget")

READER = Reader(
    name="litellm",
    origin="gateway",
    doc="https://docs.litellm.ai/docs/proxy/cost_tracking",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    counted=("prompt_tokens", "completion_tokens", "spend", "response_cost", *_USAGE),
    pages=("data",),
    texts=("metadata", "response"),
    left_out={
        "total_tokens": "prompt_tokens and completion_tokens together",
        **{f"{place}.{total}": "stated by the row itself" for place in _PLACES for total in ROW_TOTALS},
        **{f"{place}.{part}": "a part of the output" for place in _PLACES for part in OUTPUT_PARTS},
        **{f"{place}.{part}": "a part of the input" for place in _PLACES for part in INPUT_PARTS},
        "metadata.model_map_information.*": "the proxy's price list",
        "metadata.cost_breakdown.*": "parts of spend",
        "model_map_information.*": "the proxy's price list",
        "cost_breakdown.*": "parts of response_cost",
        "hidden_params.*": "what the row states, again",
        "saved_cache_cost": "what the proxy's cache saved",
        "model_parameters.*": "what was asked for: limits",
        **{f"metadata.user_api_key_{name}": "what a key has spent so far, or may" for name in _LIMITS},
    },
    kept_at="LiteLLM's table LiteLLM_SpendLogs, exported; or its callback's JSON lines",
    no_call="no request",
    unique_by="the request's id",
    sample="made: rows in the shape of the table, as CSV and JSON lines",
)

DAILY_COLUMNS = {
    "id": "VARCHAR",
    "user_id": "VARCHAR",
    "date": "VARCHAR",
    "model": "VARCHAR",
    "model_group": "VARCHAR",
    "custom_llm_provider": "VARCHAR",
    "endpoint": "VARCHAR",
    "prompt_tokens": "HUGEINT",
    "completion_tokens": "HUGEINT",
    "cache_read_input_tokens": "HUGEINT",
    "cache_creation_input_tokens": "HUGEINT",
    "spend": "VARCHAR",
    "api_requests": "BIGINT",
    **dict.fromkeys(OTHER_TABLES, "VARCHAR"),
}

DAILY_SQL = f"""
SELECT file_id, line,
    'litellm-daily:' || nullif(id, '') AS event_id,
    utc("date") AS ts,
    nullif(custom_llm_provider, '') AS provider,
    coalesce(nullif(model, ''), model_group) AS model,
    TRUE AS aggregated,
    -- what does not fit into the prompt stands beside it
    prompt_tokens - CASE WHEN coalesce(cache_read_input_tokens, 0) > prompt_tokens THEN 0
        WHEN coalesce(cache_read_input_tokens, 0) + coalesce(cache_creation_input_tokens, 0) > prompt_tokens
            THEN coalesce(cache_read_input_tokens, 0)
        ELSE coalesce(cache_read_input_tokens, 0) + coalesce(cache_creation_input_tokens, 0) END AS input,
    cache_read_input_tokens AS cache_read,
    cache_creation_input_tokens AS cache_write_5m,
    completion_tokens AS output,
    api_requests AS request,
    {priced("spend", "prompt_tokens + completion_tokens")} AS recorded_usd,
    json_object('user', user_id, 'model_group', model_group, 'endpoint', endpoint) AS tags,
    CASE WHEN user_id IS NULL AND coalesce({", ".join(OTHER_TABLES)}) IS NOT NULL
        THEN 'a row of a daily table that repeats LiteLLM_DailyUserSpend: load that table' END AS fault
FROM record
"""  # noqa: S608 (constants only)


def recognises_daily(sample: Sample) -> bool:
    """Rows of the daily table of users, by their column names."""
    return _daily(sample) and not other_daily(sample)


def _daily(sample: Sample) -> bool:
    return sample.has("date", "api_requests", "prompt_tokens", "completion_tokens", "custom_llm_provider", "spend")


def other_daily(sample: Sample) -> str | None:
    """The name of the daily table that a file holds, if it is another than the users'."""
    names = sample.columns or {name for record in sample.records for name in record}
    if not _daily(sample) or "user_id" in names:
        return None
    return next((table for column, table in OTHER_TABLES.items() if column in names), None)


DAILY = Reader(
    name="litellm-daily",
    origin="gateway's sums",
    doc="https://docs.litellm.ai/docs/proxy/cost_tracking",
    columns=DAILY_COLUMNS,
    sql=DAILY_SQL,
    recognises=recognises_daily,
    input_includes_cached=True,
    counted=(
        "prompt_tokens",
        "completion_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "spend",
        "api_requests",
    ),
    left_out={
        "compression_saved_tokens": "tokens that the proxy did not send",
        "prompt_caching_savings_spend": "what was not spent",
        "compression_savings_spend": "what was not spent",
        "gateway_injected_caching_savings_spend": "what was not spent",
        "autorouter_savings_spend": "what was not spent",
        "successful_requests": "a part of api_requests",
        "failed_requests": "a part of api_requests",
    },
    kept_at="LiteLLM's table LiteLLM_DailyUserSpend, exported",
    no_call="no row",
    unique_by="date, key, model, provider, tool and endpoint",
    sample="made: a row on the table's real columns",
)
