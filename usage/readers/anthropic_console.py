"""CSV exports of Anthropic's console: usage by day, model and key, and its cost by class of tokens. Two bills.

https://platform.claude.com/docs/en/manage-claude/cost-and-usage: the columns of tokens are disjoint and their input
excludes cached ones; `context_window` says whether each request was over 200,000 tokens. Requests are not counted. A
cost is in USD, after discounts; `list_price_usd` is before them. Keys and workspaces have their names here, ids in the
Admin API's pages: an export is compared with these, and never added to them.
"""

from __future__ import annotations

from ..processing import processing
from ..reader import Reader, Sample
from .buckets import named
from .counts import count_in_text

DOC = "https://platform.claude.com/docs/en/manage-claude/cost-and-usage"
OWNERS = ("workspace", "api_key", "usage_type", "context_window", "inference_geo", "speed")
COUNTS = {
    "inputs": "usage_input_tokens_no_cache",
    "reads": "usage_input_tokens_cache_read",
    "writes": "usage_input_tokens_cache_write",  # as older exports have it
    "writes_5m": "usage_input_tokens_cache_write_5m",
    "writes_1h": "usage_input_tokens_cache_write_1h",
    "outputs": "usage_output_tokens",
    "searches": "web_search_count",
}
USAGE_KEY = ("usage_date_utc", "model_version", *OWNERS)
USAGE_COLUMNS = (*USAGE_KEY, *COUNTS.values())
COST_COLUMNS = ("usage_date_utc", "model", *OWNERS, "token_type", "cost_type", "cost_usd")

# "message" is what a cost is for, and no level
PROCESSING = processing("CASE WHEN lower(usage_type) <> 'message' THEN usage_type END", "speed", "inference_geo")
CONTEXT_TIER = "CASE WHEN context_window IS NULL THEN NULL WHEN contains(context_window, '>') THEN 200001 ELSE 0 END"


def _id(reader: str, key: tuple[str, ...], largest: str) -> str:
    """SQL for a row's id, by what it is grouped by; of one file's alike ones, numbered, the largest first."""
    name, place = named(reader, ("file_id",), key, largest)
    return f"{name} || '|' || {place}"


def _tags(*names: str) -> str:
    pairs = ", ".join(f"'{name}', nullif({name}, '')" for name in names)
    return f"json_object({pairs})"


_ROW = f"""
    coalesce(utc(usage_date_utc), utc(usage_date_utc || 'Z')) AS ts,
    TRY(ts + CASE WHEN length(trim(usage_date_utc)) > 10 THEN INTERVAL 1 HOUR ELSE INTERVAL 1 DAY END) AS period_end,
    'anthropic' AS provider,
    {PROCESSING} AS processing,
    TRUE AS aggregated,
    {CONTEXT_TIER} AS context_tier,
    0 AS request"""

USAGE_SQL = f"""
WITH counted AS (
    SELECT *, {", ".join(f"{count_in_text(column)} AS {name}" for name, column in COUNTS.items())} FROM record
)
SELECT file_id, line,
    {_id("anthropic-console-usage", USAGE_KEY, "(outputs, inputs, reads)")} AS event_id,
    {_ROW},
    nullif(model_version, '') AS model,
    inputs AS input, reads AS cache_read,
    CASE WHEN least(writes, writes_5m) < 0 THEN -1 ELSE writes + writes_5m END AS cache_write_5m,
    writes_1h AS cache_write_1h,
    outputs AS output, searches AS web_search,
    {_tags("workspace", "api_key", "inference_geo")} AS tags
FROM counted
"""  # noqa: S608 (constants only)

COSTS_SQL = f"""
SELECT file_id, line,
    {_id("anthropic-console-costs", COST_COLUMNS[:-1], "TRY_CAST(cost_usd AS DOUBLE)")} AS event_id,
    {_ROW},
    nullif(model, '') AS model,
    coalesce(nullif(cost_usd, ''), 'nothing') AS recorded_usd,
    {_tags("workspace", "api_key", "token_type", "cost_type", "inference_geo")} AS tags
FROM record
"""  # noqa: S608 (constants only)


def recognises_usage(sample: Sample) -> bool:
    """Rows by the console's own column names."""
    return sample.layout in ("csv", "parquet") and sample.has(
        "usage_date_utc", "model_version", "usage_input_tokens_no_cache"
    )


def recognises_costs(sample: Sample) -> bool:
    """Rows with a cost by class of tokens."""
    return sample.layout in ("csv", "parquet") and sample.has("usage_date_utc", "model", "token_type", "cost_usd")


USAGE = Reader(
    name="anthropic-console-usage",
    origin="provider",
    doc=DOC,
    columns=dict.fromkeys(USAGE_COLUMNS, "VARCHAR"),
    sql=USAGE_SQL,
    recognises=recognises_usage,
    input_includes_cached=False,
    counted=tuple(COUNTS.values()),
    role="bill",
    unique_by="the day and what it is grouped by",
    sample="made: the export's columns",
    kept_at="exported: Claude Console, Usage, Export",
    no_call="no day with usage",
)

COSTS = Reader(
    name="anthropic-console-costs",
    origin="provider",
    doc=DOC,
    columns=dict.fromkeys(COST_COLUMNS, "VARCHAR"),
    sql=COSTS_SQL,
    recognises=recognises_costs,
    input_includes_cached=False,
    counted=("cost_usd",),
    left_out={"list_price_usd": "the cost before discounts"},
    role="bill",
    unique_by="the day and what it is grouped by",
    sample="made: the export's columns",
    kept_at="exported: Claude Console, Cost, Export",
    no_call="no day with a cost",
)
