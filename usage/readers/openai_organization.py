"""OpenAI's organization usage and costs: pages of the Admin API, and the dashboard's CSV exports of the same fields.

https://platform.openai.com/docs/api-reference/usage: `input_tokens` includes cached and cache-write tokens, and audio
and image tokens too: of these, `input_audio_tokens` is uncached and `input_cached_audio_tokens` cached. Results are
sums over a bucket: no request's own size is known. A bucket's start and what it is grouped by name a result; loaded
again, the larger counts. So load one width of buckets and one grouping: an hour's sums beside a day's are counted
twice. Costs are what is billed, with no tokens; https://platform.openai.com/docs/api-reference/usage/costs.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from .buckets import RESULTS, key_tags, pages, result_id, texts
from .counts import count_in_text

GROUPS = ("project_id", "user_id", "api_key_id", "api_source")
USAGE_GROUPS = ("model", *GROUPS, "batch", "service_tier")
COST_GROUPS = ("line_item", *GROUPS)
COUNTS = {
    "inputs": "input_tokens",
    "cached": "input_cached_tokens",
    "written": "input_cache_write_tokens",
    "outputs": "output_tokens",
    "requests": "num_model_requests",
    **{f"{medium}_fresh": f"input_{medium}_tokens" for medium in ("audio", "image")},
    **{f"{medium}_read": f"input_cached_{medium}_tokens" for medium in ("audio", "image")},
    **{f"{medium}_out": f"output_{medium}_tokens" for medium in ("audio", "image")},
}

SEARCHES = "organization.usage.web_search_calls.result"
UNITS = {
    "images": "images",
    "characters": "characters spoken",
    "seconds": "seconds transcribed",
    "usage_bytes": "bytes stored",
    "num_sessions": "code interpreter sessions",
    "num_requests": "searches of files",
}
"""What a result counts that is no tokens, in words."""

ITEM = "^(?:(\\w+) \\| )?([^\\s,]+)(?: (?:text|audio|image|batch))?(?:, .*)?$"
"""A line item that names a model: its level of processing, if any, and the model."""

_USAGE = ("object", *USAGE_GROUPS, *COUNTS.values(), *UNITS)
_COUNTED = ", ".join(f"{count_in_text(field)} AS {name}" for name, field in COUNTS.items())


_UNITS = ", ".join(
    f"CASE WHEN TRY_CAST({name} AS DOUBLE) <> 0 THEN '{words}: ' || {name} END" for name, words in UNITS.items()
)


def _all_in(medium: str) -> str:
    """A medium's tokens in the input, cached ones too."""
    stated = f"{medium}_fresh, {medium}_read"
    return f"CASE WHEN least({stated}) < 0 THEN -1 ELSE {medium}_fresh + {medium}_read END AS {medium}_in"


USAGE_SQL = f"""
WITH {RESULTS},
found AS (
    SELECT * FROM result
    UNION ALL BY NAME
    SELECT file_id, line, {", ".join(("start_time", "end_time", *_USAGE))} FROM record WHERE data IS NULL
),
counted AS (
    SELECT
        * REPLACE (
            lower(batch) AS batch,
            -- embeddings and moderations are sums beside the completions of a bucket; the dashboard names no kind
            nullif(object, 'organization.usage.completions.result') AS object
        ),
        {_COUNTED},
        CASE WHEN object = '{SEARCHES}' THEN {count_in_text("num_requests")} ELSE 0 END AS searches
    FROM found
    -- a bucket without usage is a row without counts in the dashboard's export
    WHERE coalesce(input_tokens, output_tokens) IS NOT NULL OR object = '{SEARCHES}'
),
other AS (
    SELECT file_id, line, model, nullif(concat_ws(' and ', {_UNITS}), '') AS units
    FROM found WHERE coalesce(input_tokens, output_tokens) IS NULL AND object IS DISTINCT FROM '{SEARCHES}'
)
SELECT file_id, line,
    {result_id("openai-usage", ("start_time", *USAGE_GROUPS, "object"), "(outputs, inputs)")} AS event_id,
    utc_epoch(start_time) AS ts,
    utc_epoch(end_time) AS period_end,
    'openai' AS provider,
    model,
    CASE WHEN batch = 'true' THEN 'batch' ELSE {processing("service_tier")} END AS processing,
    TRUE AS aggregated,
    inputs - cached - written AS input,
    cached AS cache_read,
    written AS cache_write_5m,
    outputs AS output,
    {", ".join(_all_in(medium) for medium in ("audio", "image"))},
    audio_read, image_read, audio_out, image_out,
    searches AS web_search,
    CASE WHEN object = '{SEARCHES}' THEN 0 ELSE requests END AS request,  -- whose tokens are in the completions
    {key_tags((*GROUPS, "service_tier"))} AS tags
FROM counted
UNION ALL BY NAME
SELECT file_id, line, model,
    units || coalesce(' (' || model || ')', '')
        || ', not counted: only tokens have a price here; load the costs (/v1/organization/costs)' AS fault
FROM other WHERE units IS NOT NULL
"""  # noqa: S608 (constants only)

COSTS_SQL = f"""
WITH {RESULTS},
found AS (
    SELECT * EXCLUDE (amount), amount.value AS amount_value, amount.currency AS amount_currency FROM result
    UNION ALL BY NAME
    SELECT file_id, line, start_time, end_time, {", ".join(COST_GROUPS)}, amount_value, amount_currency
    FROM record
    WHERE data IS NULL AND amount_value IS NOT NULL
)
SELECT file_id, line,
    {result_id("openai-costs", ("start_time", *COST_GROUPS), "TRY_CAST(amount_value AS DOUBLE)")} AS event_id,
    utc_epoch(start_time) AS ts,
    utc_epoch(end_time) AS period_end,
    'openai' AS provider,
    -- "gpt-4o-2024-08-06, input", "flex | gpt-5-mini, output", "gpt-image-1 text, input"; others are sentences
    nullif(regexp_extract(line_item, '{ITEM}', 2), '') AS model,
    CASE WHEN regexp_matches(line_item, '(?i)\\bbatch\\b') THEN 'batch'
         ELSE {processing(f"nullif(regexp_extract(line_item, '{ITEM}', 1), '')")} END AS processing,
    CASE WHEN lower(amount_currency) = 'usd' AND amount_value IS NOT NULL THEN amount_value
         ELSE concat_ws(' ', coalesce(amount_value, 'nothing'), amount_currency) END AS recorded_usd,
    TRUE AS aggregated,
    0 AS request,
    {key_tags(COST_GROUPS)} AS tags
FROM found
"""  # noqa: S608 (constants only)


_OF_TOKENS = ("input_uncached_tokens", "input_text_tokens", "output_text_tokens", "input_cached_text_tokens")
_OTHERS = {name: words for name, words in UNITS.items() if name != "num_requests"}


def recognises_usage(sample: Sample) -> bool:
    """Results that count requests and tokens; a page whose buckets are all empty is read as no usage."""
    if sample.layout in ("csv", "parquet"):
        return sample.has("start_time", "num_model_requests", "input_tokens")
    if not sample.has("data.start_time"):
        return False
    return any(sample.has("data.start_time", f"data.results.{count}") for count in ("input_tokens", *UNITS)) or (
        sample.has("data.start_time", "data.end_time")
        and not any(map(sample.has, ("data.results", "data.attributes", "data.id")))  # spans have such times too
    )


def recognises_costs(sample: Sample) -> bool:
    """Results with an amount and its currency."""
    if sample.layout in ("csv", "parquet"):
        return sample.has("start_time", "amount_value", "amount_currency", "line_item")
    return sample.has("data.start_time", "data.results.amount.currency")


USAGE = Reader(
    name="openai-usage",
    origin="provider",
    doc="https://platform.openai.com/docs/api-reference/usage",
    columns={
        "data": pages("start_time VARCHAR, end_time VARCHAR", texts(_USAGE)),
        **dict.fromkeys(("start_time", "end_time"), "VARCHAR"),
        **dict.fromkeys(_USAGE, "VARCHAR"),
    },
    sql=USAGE_SQL,
    recognises=recognises_usage,
    input_includes_cached=True,
    counted=tuple(
        f"{bucket}{count}" for bucket in ("data.results.", "") for count in (*COUNTS.values(), "num_requests")
    ),
    left_out={
        f"{bucket}{name}": why
        for bucket in ("data.results.", "")
        for name, why in {
            **dict.fromkeys(_OF_TOKENS, "part of input_tokens or output_tokens"),
            **{name: f"no tokens: each result is named, with its {words}" for name, words in _OTHERS.items()},
        }.items()
    },
    role="bill",
    unique_by="bucket and what it is grouped by",
    sample="made: the vendor's documented example",
    kept_at="GET /v1/organization/usage/completions (an admin key)",
    no_call="no result",
)

COSTS = Reader(
    name="openai-costs",
    origin="provider",
    doc="https://platform.openai.com/docs/api-reference/usage/costs",
    columns={
        "data": pages(
            "start_time VARCHAR, end_time VARCHAR",
            f"{texts(COST_GROUPS)}, amount STRUCT({texts(('value', 'currency'))})",
        ),
        **dict.fromkeys(("start_time", "end_time", *COST_GROUPS, "amount_value", "amount_currency"), "VARCHAR"),
    },
    sql=COSTS_SQL,
    recognises=recognises_costs,
    input_includes_cached=False,
    counted=("data.results.amount.value", "amount_value"),
    role="bill",
    unique_by="bucket and what it is grouped by",
    sample="made: the vendor's documented example",
    kept_at="GET /v1/organization/costs (an admin key)",
    no_call="no result",
)
