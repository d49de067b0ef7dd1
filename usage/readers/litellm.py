"""LiteLLM proxy: rows of its table `LiteLLM_SpendLogs`, as CSV, JSON lines, a JSON array or Parquet.

https://docs.litellm.ai/docs/proxy/cost_tracking. `prompt_tokens` includes cached tokens, whose counts stand in
`metadata` (JSON, often as text). For Anthropic's models older proxies left cache writes out of it
(https://github.com/BerriAI/litellm/issues/15056): where reads and writes exceed `prompt_tokens`, writes are beside it.
A hit of the proxy's own cache asked no provider: it keeps its row, with no tokens, no request and cost 0.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .counts import count_in_text

COLUMNS = {
    "request_id": "VARCHAR",
    "startTime": "VARCHAR",
    "call_type": "VARCHAR",
    "model": "VARCHAR",
    "model_group": "VARCHAR",
    "custom_llm_provider": "VARCHAR",
    "prompt_tokens": "HUGEINT",
    "completion_tokens": "HUGEINT",
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
}


def _usage(*paths: str) -> str:
    """The first of these counts that the row's usage holds, under either name that its metadata has for usage."""
    holders = ("additional_usage_values", "usage_object")
    found = ", ".join(f"meta ->> '$.{holder}.{path}'" for path in paths for holder in holders)
    return count_in_text(f"coalesce({found})")


SQL = f"""
WITH entry AS (
    SELECT
        *,
        -- JSON columns come as objects or as text that holds JSON
        CASE json_type(metadata) WHEN 'VARCHAR' THEN TRY_CAST(metadata ->> '$' AS JSON) ELSE metadata END AS meta,
        CASE json_type(request_tags)
            WHEN 'VARCHAR' THEN TRY_CAST(request_tags ->> '$' AS JSON) ELSE request_tags END AS labels,
        lower(cache_hit) IN ('true', 't', '1') AS hit
    FROM record
),
counted AS (
    SELECT
        *,
        {_usage("cache_read_input_tokens")} AS read_as_anthropic,
        {_usage("prompt_tokens_details.cached_tokens")} AS read_as_openai,
        {_usage("cache_creation_input_tokens", "prompt_tokens_details.cache_creation_tokens")} AS written,
        {_usage("prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens")} AS written_1h,
        {_usage("server_tool_use.web_search_requests", "prompt_tokens_details.web_search_requests")} AS searches,
        -- the same count under two names; -1, unreadable, stays
        CASE WHEN least(read_as_anthropic, read_as_openai) < 0 THEN -1
             ELSE greatest(read_as_anthropic, read_as_openai) END AS cached
    FROM entry
)
SELECT file_id, line,
    'litellm:' || nullif(request_id, '') AS event_id,
    utc("startTime") AS ts,
    nullif(agent_id, '') AS agent,
    session_id AS session,
    nullif(custom_llm_provider, '') AS provider,
    coalesce(nullif(model, ''), model_group) AS model,
    CASE WHEN coalesce(status, meta ->> '$.status') = 'failure' THEN 'error' ELSE 'ok' END AS status,
    CASE WHEN hit THEN 0
         WHEN prompt_tokens BETWEEN cached AND cached + written - 1 THEN prompt_tokens - cached
         ELSE prompt_tokens - cached - written END AS input,
    CASE WHEN hit THEN 0 ELSE cached END AS cache_read,
    CASE WHEN hit THEN 0 WHEN written < 0 THEN -1 ELSE written - written_1h END AS cache_write_5m,
    CASE WHEN hit THEN 0 ELSE written_1h END AS cache_write_1h,
    CASE WHEN hit THEN 0 ELSE completion_tokens END AS output,
    CASE WHEN hit THEN 0 ELSE searches END AS web_search,
    CASE WHEN hit THEN 0 ELSE 1 END AS request,
    CASE WHEN hit THEN '0' ELSE spend END AS recorded_usd,
    json_object('team_id', team_id, 'user', "user", 'end_user', end_user, 'model_group', model_group,
        'call_type', call_type, 'request_tags', labels, 'cache_hit', CASE WHEN hit THEN 'true' END) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Rows of the table by its own column names."""
    return sample.has("request_id", "call_type", "spend", "prompt_tokens", "startTime")


READER = Reader(
    name="litellm",
    doc="https://docs.litellm.ai/docs/proxy/cost_tracking",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
)
