"""OpenRouter's activity export: CSV, one generation a row, with what OpenRouter charged.

https://openrouter.ai/docs/guides/guides/activity-export: reasoning is included in completion tokens;
https://openrouter.ai/docs/use-cases/usage-accounting: prompt tokens include cached ones, and cache writes are left out.
`cost_total` is in USD and includes web search, whose fee is in no computed cost and therefore named. Of calls with
one's own provider key it is not the provider's part.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .counts import count_in_text
from .nested import less

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

GENERATION_COUNTS = ("native_tokens_prompt", "native_tokens_completion", "native_tokens_cached",
    "native_tokens_completion_images")  # fmt: skip
GENERATION_TEXTS = ("id", "created_at", "model", "provider_name", "total_cost", "cancelled", "is_byok",
    "external_user", "session_id")  # fmt: skip
_FIELDS = ", ".join(f"{name} VARCHAR" for name in (*GENERATION_TEXTS, *GENERATION_COUNTS))

GENERATION_SQL = f"""
WITH generation AS (
    SELECT file_id, line, unnest(data) FROM record WHERE data IS NOT NULL
    UNION ALL
    SELECT file_id, line, {", ".join(f'"{name}"' for name in (*GENERATION_TEXTS, *GENERATION_COUNTS))} FROM record
    WHERE data IS NULL
),
counted AS (
    SELECT *, {", ".join(f"{count_in_text(name)} AS {name}_n" for name in GENERATION_COUNTS)} FROM generation
)
SELECT file_id, line,
    'openrouter-generation:' || nullif(id, '') AS event_id,
    nullif(id, '') AS response_id,
    utc(created_at) AS ts,
    nullif(session_id, '') AS session,
    'openrouter' AS provider,
    model,
    CASE WHEN lower(cancelled) = 'true' THEN 'cancelled' ELSE 'ok' END AS status,
    {less("native_tokens_prompt_n", "native_tokens_cached_n")} AS input,
    native_tokens_cached_n AS cache_read,
    native_tokens_completion_n AS output,
    native_tokens_completion_images_n AS image_out,
    total_cost AS recorded_usd,
    nullif(external_user, '') AS "user",
    json_object('provider_name', provider_name, 'byok', CASE WHEN lower(is_byok) = 'true' THEN 'true' END) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises_generation(sample: Sample) -> bool:
    """A generation as the endpoint gives it, alone or in its envelope."""
    return any(
        sample.has(f"{top}native_tokens_prompt", f"{top}total_cost", f"{top}id") for top in ("data.", "")
    ) and not any(isinstance(record.get("data"), list) for record in sample.records)


_NORMALIZED = dict.fromkeys(("tokens_prompt", "tokens_completion"), "counted by another tokenizer than what is billed")
_GENERATION_LEFT_OUT = {
    **_NORMALIZED,
    "native_tokens_reasoning": "part of the completion",
    "usage": "the total cost again",
    "upstream_inference_cost": "charged by the provider to a key of the user's own, not by OpenRouter",
    "cache_discount": "within the total cost",
}

GENERATION = Reader(
    name="openrouter-generation",
    origin="gateway",
    doc="https://openrouter.ai/docs/api-reference/get-a-generation",
    columns={
        **dict.fromkeys((*GENERATION_TEXTS, *GENERATION_COUNTS), "VARCHAR"),
        "data": f"STRUCT({_FIELDS})",
    },
    sql=GENERATION_SQL,
    recognises=recognises_generation,
    input_includes_cached=True,
    counted=tuple(f"{top}{name}" for top in ("data.", "") for name in (*GENERATION_COUNTS, "total_cost")),
    left_out={f"{top}{name}": why for top in ("data.", "") for name, why in _GENERATION_LEFT_OUT.items()},
    unique_by="generation id",
    kept_at="GET https://openrouter.ai/api/v1/generation?id=ID",
    no_call="no generation",
    sample="made: in the documented shape",
)
"""OpenRouter's endpoint of one generation: its native counts are what is billed, cached ones within the prompt."""
