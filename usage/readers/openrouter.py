"""OpenRouter's activity export: CSV, one generation a row, with what OpenRouter charged.

https://openrouter.ai/docs/guides/guides/activity-export: reasoning is included in completion tokens;
https://openrouter.ai/docs/use-cases/usage-accounting: prompt tokens include cached ones, and cache writes are left out.
`cost_total` is in USD and includes web search, whose fee is in no computed cost and therefore named. Of calls with
one's own provider key it is not the provider's part.
"""

from __future__ import annotations

from ..reader import Reader, Sample

COLUMNS = {
    "generation_id": "VARCHAR",
    "created_at": "VARCHAR",
    "cost_total": "VARCHAR",
    "byok_usage_inference": "VARCHAR",
    "tokens_prompt": "HUGEINT",
    "tokens_completion": "HUGEINT",
    "tokens_cached": "HUGEINT",
    "model_permaslug": "VARCHAR",
    "provider_name": "VARCHAR",
    "variant": "VARCHAR",
    "cancelled": "VARCHAR",
    "user": "VARCHAR",
    "finish_reason_normalized": "VARCHAR",
    "api_key_name": "VARCHAR",
    "app_name": "VARCHAR",
}

SQL = """
SELECT file_id, line,
    'openrouter:' || nullif(generation_id, '') AS event_id,
    nullif(generation_id, '') AS response_id,
    utc(created_at) AS ts,
    'openrouter' AS provider,
    -- a variant may have a price of its own, or search; these only choose among providers
    CASE WHEN contains(model_permaslug, ':') THEN regexp_replace(model_permaslug, ':(nitro|floor|exacto)$', '')
         WHEN variant IN ('free', 'online', 'thinking', 'extended', 'beta') THEN model_permaslug || ':' || variant
         ELSE model_permaslug END AS model,
    CASE WHEN lower(cancelled) = 'true' THEN 'cancelled' WHEN finish_reason_normalized = 'error' THEN 'error'
         ELSE 'ok' END AS status,
    tokens_prompt - coalesce(tokens_cached, 0) AS input,
    tokens_cached AS cache_read,
    tokens_completion AS output,
    cost_total AS recorded_usd,
    "user",
    json_object('app_name', app_name, 'api_key_name', api_key_name, 'user', "user", 'variant', variant,
        'provider_name', provider_name,
        'byok', CASE WHEN TRY_CAST(byok_usage_inference AS DOUBLE) > 0 THEN 'true' END) AS tags
FROM record
"""


def recognises(sample: Sample) -> bool:
    """Rows by the export's own column names."""
    return sample.has("generation_id", "created_at", "cost_total", "tokens_prompt", "model_permaslug")


READER = Reader(
    name="openrouter",
    origin="gateway",
    doc="https://openrouter.ai/docs/guides/guides/activity-export",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    counted=("tokens_prompt", "tokens_completion", "tokens_cached", "cost_total"),
    left_out={
        "tokens_reasoning": "part of the completion",
        "cost_cache": "part of cost_total",
        "cost_file_processing": "part of cost_total",
        "byok_usage_inference": "charged by the provider to a key of the user's own, not by OpenRouter",
    },
    unique_by="generation id",
    kept_at="openrouter.ai, Activity, Export CSV",
    no_call="no row",
    sample="made: rows on the export's real header",
)

ACTIVITY_COLUMNS = {
    **dict.fromkeys(("date", "model", "model_permaslug", "endpoint_id", "provider_name", "usage"), "VARCHAR"),
    **dict.fromkeys(("prompt_tokens", "completion_tokens", "requests"), "BIGINT"),
}

ACTIVITY_SQL = """
SELECT file_id, line,
    'openrouter-days:' || concat_ws(':', "date", coalesce(model_permaslug, model), endpoint_id, provider_name)
        AS event_id,
    utc("date") AS ts,
    'openrouter' AS provider,
    coalesce(nullif(model, ''), model_permaslug) AS model,
    TRUE AS aggregated,
    prompt_tokens AS input,
    completion_tokens AS output,
    requests AS request,
    usage AS recorded_usd,
    json_object('provider_name', provider_name) AS tags
FROM record
"""


def recognises_days(sample: Sample) -> bool:
    """Rows of the activity endpoint, or its page of them."""
    return any(
        sample.has(f"{top}endpoint_id", f"{top}usage", f"{top}requests", f"{top}prompt_tokens") for top in ("", "data.")
    )


DAYS = Reader(
    name="openrouter-days",
    origin="gateway's sums",
    doc="https://openrouter.ai/docs/api-reference/analytics/get-user-activity",
    columns=ACTIVITY_COLUMNS,
    sql=ACTIVITY_SQL,
    recognises=recognises_days,
    input_includes_cached=True,
    pages=("data",),
    counted=("prompt_tokens", "completion_tokens", "requests", "usage"),
    left_out={
        "reasoning_tokens": "part of the completion",
        "byok_usage_inference": "charged by the provider to a key of the user's own, not by OpenRouter",
    },
    unique_by="day, model, endpoint and provider",
    kept_at="GET https://openrouter.ai/api/v1/activity",
    undercounts="cached tokens, which are within the prompt: its own cost has them",
    no_call="no row",
    sample="made: a page in the documented shape",
)
"""OpenRouter's activity endpoint: sums of a day, a model and an endpoint, without cached tokens; `usage` is in USD."""
