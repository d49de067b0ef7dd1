"""Langfuse observations: from the API and the UI (camelCase) or the blob storage export (snake_case).

https://langfuse.com/docs/model-usage-and-cost: the keys of `usageDetails` are disjoint: `input` excludes cached tokens,
reasoning stands beside `output`; `input_*` and `output_*` that are no cache are input and output. `total` is their sum.
https://langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .counts import count_in_text

COLUMNS = {
    "id": "VARCHAR",
    "type": "VARCHAR",
    "name": "VARCHAR",
    "model": "VARCHAR",
    "providedModelName": "VARCHAR",
    "provided_model_name": "VARCHAR",
    "startTime": "VARCHAR",
    "start_time": "VARCHAR",
    "traceId": "VARCHAR",
    "trace_id": "VARCHAR",
    "sessionId": "VARCHAR",
    "session_id": "VARCHAR",
    "userId": "VARCHAR",
    "user_id": "VARCHAR",
    "traceName": "VARCHAR",
    "trace_name": "VARCHAR",
    "level": "VARCHAR",
    "environment": "VARCHAR",
    "usageDetails": "JSON",
    "usage_details": "JSON",
    "usage": "JSON",
    "costDetails": "JSON",
    "cost_details": "JSON",
    "totalCost": "VARCHAR",
    "total_cost": "VARCHAR",
    "calculatedTotalCost": "VARCHAR",
    "metadata": "JSON",
}

READS = ("input_cached_tokens", "cache_read_input_tokens", "input_cache_read")
WRITES = ("cache_creation_input_tokens", "input_cache_creation", "input_cache_write")
WRITES_5M = ("input_cache_creation_5m",)
WRITES_1H = ("input_cache_creation_1h",)
TOTALS = ("total", "total_tokens", "totalTokens")


def _first(names: tuple[str, ...]) -> str:
    """The count under the first of these names that is there."""
    return count_in_text(f"coalesce({', '.join(f'counts ->> {name!r}' for name in names)})")


def _list(start: str, other: str) -> str:
    """The counts of `input`, `input_audio_tokens` and so on, but for cached ones; else those of OpenAI's name."""
    told = "list_filter(json_keys(counts), lambda k: counts ->> k IS NOT NULL)"
    keys = f"list_filter({told}, lambda k: regexp_full_match(k, '{start}(_\\w+)?') AND k NOT LIKE '%cache%')"
    other_keys = f"list_filter({told}, lambda k: k IN ('{other}_tokens', '{other}Tokens', '{other}'))"
    found = f"CASE WHEN len({keys}) > 0 THEN {keys} ELSE {other_keys} END"
    return f"list_transform({found}, lambda k: {count_in_text('(counts ->> k)')})"


def _sum(counts: str) -> str:
    """The sum of a list of counts; one that is none or negative must not vanish in it."""
    return f"CASE WHEN list_min({counts}) < 0 THEN -1 ELSE coalesce(list_sum({counts}), 0) END"


def _parsed(*names: str) -> str:
    """A JSON column under either name; some exports hold it as text."""
    value = f"coalesce({', '.join(names)})"
    return f"CASE json_type({value}) WHEN 'VARCHAR' THEN TRY_CAST({value} ->> '$' AS JSON) ELSE {value} END"


SQL = f"""
WITH entry AS (
    SELECT * REPLACE (coalesce({_parsed("metadata")}, '{{}}') AS metadata),
        {_parsed('"usageDetails"', "usage_details")} AS details,
        {_parsed("usage")} AS older,
        {_parsed('"costDetails"', "cost_details")} AS costs,
        coalesce("totalCost", total_cost, "calculatedTotalCost") AS cost
    FROM record
    WHERE upper(coalesce("type", 'GENERATION')) IN ('GENERATION', 'EMBEDDING')
),
detailed AS (
    SELECT *,
        -- before usageDetails there was usage, whose unit need not be tokens
        CASE WHEN len(json_keys(details)) > 0 THEN details
             WHEN coalesce(older ->> '$.unit', 'TOKENS') = 'TOKENS' THEN older END AS counts
    FROM entry
),
counted AS (
    SELECT *,
        [{_first(WRITES)}, {_first(WRITES_5M)}] AS writes,
        {_list("input", "prompt")} AS inputs,
        {_list("output", "completion")} AS outputs
    FROM detailed
)
SELECT file_id, line,
    'langfuse:' || nullif(id, '') AS event_id,
    utc(coalesce("startTime", start_time)) AS ts,
    coalesce(nullif(coalesce("sessionId", session_id), ''), "traceId", trace_id) AS session,
    name AS task,
    metadata ->> '$.ls_provider' AS provider,
    coalesce(model, "providedModelName", provided_model_name) AS model,
    CASE WHEN upper(level) = 'ERROR' THEN 'error' ELSE 'ok' END AS status,
    {_sum("inputs")} AS input,
    {_first(READS)} AS cache_read,
    {_sum("writes")} AS cache_write_5m,
    {_first(WRITES_1H)} AS cache_write_1h,
    {_sum("outputs")} AS output,
    CASE WHEN {_first(TOTALS)} <> 0 AND {_sum("list_concat(inputs, outputs, writes)")} = 0
        AND {_first(READS)} = 0 AND {_first(WRITES_1H)} = 0
        THEN 'a total of tokens that does not say what they were' END AS fault,
    -- a model that Langfuse has no price for gets cost 0 and no details: that is no amount
    CASE WHEN TRY_CAST(cost AS DOUBLE) = 0 AND json_keys(costs) = [] THEN NULL
         ELSE coalesce(cost, costs ->> '$.total') END AS recorded_usd,
    -- metadata's own keys, without what the OpenTelemetry SDK adds for every call
    json_merge_patch(metadata, '{{"attributes": null, "resourceAttributes": null, "scope": null}}',
        json_object('environment', environment, 'user', coalesce("userId", user_id),
            'trace', coalesce("traceName", trace_name))) AS tags
FROM counted
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Observations by their own ids, their trace's, and usage by its kinds."""
    return (
        sample.has("id", "traceId", "type", "startTime", "usageDetails")
        or sample.has("id", "trace_id", "type", "start_time", "usage_details")
        or sample.has("id", "traceId", "type", "startTime", "usage", "level")
    )


READER = Reader(
    name="langfuse",
    doc="https://langfuse.com/docs/api-and-data-platform",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
)
