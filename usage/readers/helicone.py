"""Helicone's request export: JSON lines, a JSON array or CSV, with the cost that Helicone computed.

https://docs.helicone.ai/tools/export; fields as in https://docs.helicone.ai/rest/request/post-v1requestquery-clickhouse.
`prompt_tokens` excludes cached tokens and audio, and `reasoning_tokens` and audio, where they are stated, stand beside
`completion_tokens` (https://github.com/Helicone/helicone, packages/cost/usage/openAIUsageProcessor.ts).
Cache writes are stated as one count: five-minute ones, unless the reply says how many are kept for an hour. A hit of
Helicone's own cache asked no provider: it keeps its row, with no tokens, no request and cost 0. The CSV has no
`request_id`, no provider and no cached tokens: its rows go by `response_id`, so load a period from one kind of file
only; JSON lines say more.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from .api_usage import WRITES_1H
from .nested import count, less, parsed, priced, text

COLUMNS = {
    "request_id": "VARCHAR",
    "response_id": "VARCHAR",
    "request_created_at": "VARCHAR",
    "response_status": "VARCHAR",
    "provider": "VARCHAR",
    "model": "VARCHAR",
    "response_model": "VARCHAR",
    "request_model": "VARCHAR",
    "prompt_tokens": "BIGINT",
    "prompt_cache_read_tokens": "BIGINT",
    "prompt_cache_write_tokens": "BIGINT",
    "prompt_audio_tokens": "BIGINT",
    "completion_audio_tokens": "BIGINT",
    "completion_tokens": "HUGEINT",
    "reasoning_tokens": "HUGEINT",
    "total_tokens": "HUGEINT",
    "cost": "VARCHAR",
    "cost_usd": "VARCHAR",
    "costUSD": "VARCHAR",
    "cache_reference_id": "VARCHAR",
    "request_user_id": "VARCHAR",
    "request_properties": "VARCHAR",
    "request_body": "JSON",
    "response_body": "JSON",
}


def _stated(name: str) -> str:
    """What the answer states of how it was processed, else what was asked for."""
    return f"coalesce({text('answer', name, f'usage.{name}')}, {text('asked', name)})"


PROCESSING = processing(*map(_stated, ("service_tier", "speed", "inference_geo")))
NO_CACHE = "00000000-0000-0000-0000-000000000000"

SQL = f"""
WITH entry AS (
    SELECT *,
        cache_reference_id <> '{NO_CACHE}' AS hit,
        -- the export tool doubles the quotes of JSON in a CSV cell once too often
        coalesce(
            TRY_CAST(request_properties AS JSON),
            TRY_CAST(replace(request_properties, '""', '"') AS JSON),
            '{{}}') AS properties,
        {parsed("response_body")} AS answer,
        {parsed("request_body")} AS asked
    FROM record
),
counted AS (
    SELECT *, CASE WHEN prompt_cache_write_tokens > 0
        THEN least(prompt_cache_write_tokens, {count("answer -> '$.usage'", *WRITES_1H)}) ELSE 0 END AS written_1h
    FROM entry
)
SELECT file_id, line,
    'helicone:' || coalesce(nullif(request_id, ''), 'response:' || nullif(response_id, '')) AS event_id,
    nullif(response_id, '') AS response_id,
    utc(request_created_at) AS ts,
    properties ->> '$."Helicone-Session-Id"' AS session,
    properties ->> '$."Helicone-Session-Name"' AS agent,
    properties ->> '$."Helicone-Session-Path"' AS task,
    CASE lower(provider) WHEN 'x' THEN 'x-ai' WHEN 'custom' THEN NULL ELSE nullif(lower(provider), '') END AS provider,
    coalesce(nullif(model, ''), response_model, request_model) AS model,
    {PROCESSING} AS processing,
    CASE WHEN TRY_CAST(response_status AS DOUBLE) BETWEEN 200 AND 299 OR response_status IS NULL THEN 'ok'
         ELSE 'error' END AS status,
    CASE WHEN hit THEN 0 ELSE prompt_tokens END AS input,
    CASE WHEN hit THEN 0 ELSE prompt_cache_read_tokens END AS cache_read,
    CASE WHEN hit THEN 0 ELSE {less("coalesce(prompt_cache_write_tokens, 0)", "written_1h")} END AS cache_write_5m,
    CASE WHEN hit THEN 0 ELSE written_1h END AS cache_write_1h,
    CASE WHEN hit THEN 0 ELSE prompt_audio_tokens END AS input_audio,
    CASE WHEN hit THEN 0 ELSE completion_audio_tokens END AS output_audio,
    CASE WHEN hit THEN 0
         WHEN least(completion_tokens, reasoning_tokens) < 0 THEN -1
         -- the total proves that reasoning stands inside
         WHEN total_tokens = coalesce(prompt_tokens, 0) + coalesce(prompt_cache_read_tokens, 0)
             + coalesce(prompt_cache_write_tokens, 0) + coalesce(prompt_audio_tokens, 0)
             + coalesce(completion_audio_tokens, 0) + completion_tokens THEN completion_tokens
         ELSE coalesce(completion_tokens, 0) + coalesce(reasoning_tokens, 0) END AS output,
    CASE WHEN NOT hit AND total_tokens NOT IN (0, coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0))
        THEN total_tokens END AS stated_total,
    CASE WHEN hit THEN 0 ELSE 1 END AS request,
    CASE WHEN hit THEN '0' ELSE {
    priced('coalesce(cost, cost_usd, "costUSD")', "coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)")
} END AS recorded_usd,
    json_merge_patch(properties, '{{"Helicone-Session-Id": null}}',
        json_object('user', request_user_id, 'cache_hit', CASE WHEN hit THEN 'true' END)) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Requests by Helicone's own names for them."""
    return any(
        sample.has(f"{top}request_created_at", f"{top}response_status", f"{top}{clue}")
        for top in ("", "data.")
        for clue in ("prompt_tokens", "request_path")
    )


READER = Reader(
    name="helicone",
    origin="gateway",
    doc="https://docs.helicone.ai/tools/export",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(
        "prompt_tokens",
        "completion_tokens",
        "reasoning_tokens",
        "prompt_cache_read_tokens",
        "prompt_cache_write_tokens",
        "prompt_audio_tokens",
        "completion_audio_tokens",
        "cost",
        "cost_usd",
        "costUSD",
    ),
    left_out={
        "total_tokens": "the sum of the others",
        "request_properties": "labels of the user",
        "request_body": "what was said",
        "response_body": "what was said; its usage is in the row",
    },
    unique_by="request id, else response id",
    kept_at="Helicone: Requests, Export; or its API",
    pages=("data",),
    no_call="no request",
    sample="made: rows on the export's documented fields",
)
