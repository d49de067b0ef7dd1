"""Langfuse's metrics: pages of the daily metrics API, and rows of a query of the metrics API. Sums by day and model.

https://api.reference.langfuse.com (GET /api/public/metrics/daily, /api/public/metrics and /api/public/v2/metrics):
older versions give as `inputUsage` the key `input` alone, which excludes cached tokens, newer ones all keys of the
input; cached tokens stand nowhere by themselves, and what the total has beyond input and output has no class.
`totalCost` is in USD and has them all. A query's rows are named as it asks: by `providedModelName`, with a time
dimension, and sums of `inputTokens`, `outputTokens` and `totalCost`. The same calls as its observations, so never added
to these.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .buckets import key_tags, named
from .counts import count_in_text
from .nested import priced

MODEL = ("model", "inputUsage", "outputUsage", "totalUsage", "totalCost", "countObservations", "countTraces")
DIMENSIONS = ("userId", "environment", "name", "traceName", "sessionId")
SUMS = ("sum_inputTokens", "sum_outputTokens", "sum_totalTokens", "sum_totalCost", "count_count")
COLUMNS = {
    **dict.fromkeys(("date", "time_dimension", "providedModelName", *DIMENSIONS, *SUMS), "VARCHAR"),
    "usage": f"STRUCT({', '.join(f'{name} VARCHAR' for name in MODEL)})[]",
}
NAME, PLACE = named("langfuse-days", ("file_id",), ("began", "model", *DIMENSIONS), "(outputs, inputs)")

SQL = f"""
WITH row AS (
    SELECT file_id, line, "date" AS began, INTERVAL 1 DAY AS lasts, unnest(usage, max_depth := 2) FROM record
    WHERE usage IS NOT NULL
    UNION ALL BY NAME
    SELECT file_id, line, coalesce(time_dimension, "date") AS began, {", ".join(DIMENSIONS)},
        providedModelName AS model, sum_inputTokens AS inputUsage, sum_outputTokens AS outputUsage,
        sum_totalTokens AS totalUsage, sum_totalCost AS totalCost, count_count AS countObservations
    FROM record WHERE usage IS NULL AND coalesce({", ".join(SUMS)}) IS NOT NULL
),
counted AS (
    SELECT *, {count_in_text("inputUsage")} AS inputs, {count_in_text("outputUsage")} AS outputs,
        {count_in_text("totalUsage")} AS total, {count_in_text("countObservations")} AS calls
    FROM row
)
SELECT file_id, line,
    {NAME} || CASE {PLACE} WHEN 1 THEN '' ELSE '|' || {PLACE} END AS event_id,
    coalesce(utc(began), utc(began || 'Z')) AS ts,
    TRY(ts + lasts) AS period_end,
    nullif(model, '') AS model,
    TRUE AS aggregated,
    inputs AS input,
    outputs AS output,
    calls AS request,
    nullif(total, 0) AS stated_total,
    {priced("totalCost", "inputs + outputs + total")} AS recorded_usd,
    CASE WHEN began IS NULL THEN 'sums without a time: ask for a timeDimension of days' END AS fault,
    nullif(userId, '') AS "user",
    {key_tags(("environment", "name", "traceName", "sessionId"))} AS tags
FROM counted
-- spans and events have no model and no usage
WHERE nullif(model, '') IS NOT NULL OR inputs <> 0 OR outputs <> 0 OR total <> 0
    OR coalesce(TRY_CAST(totalCost AS DOUBLE), 1) <> 0
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Days with usage by model, or a query's sums by model; alone, or on their page."""
    return any(
        sample.has(f"{top}date", f"{top}countObservations", f"{top}usage")
        or (
            sample.has(f"{top}providedModelName")
            and any(sample.has(f"{top}providedModelName", f"{top}{name}") for name in SUMS)
        )
        for top in ("data.", "")
    )


READER = Reader(
    name="langfuse-days",
    origin="tracer",
    doc="https://langfuse.com/docs/metrics/features/metrics-api",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    pages=("data",),
    counted=(
        *(f"usage.{name}" for name in ("inputUsage", "outputUsage", "totalCost", "countObservations")),
        *("sum_inputTokens", "sum_outputTokens", "sum_totalCost", "count_count"),
    ),
    left_out={
        "totalCost": "the sum of a day's models",
        "usage.totalUsage": "the sum; what it has beyond input and output is named",
        "sum_totalTokens": "the sum; what it has beyond input and output is named",
        "usage.countTraces": "how many traces",
        **dict.fromkeys(("sum_inputCost", "sum_outputCost"), "a part of the cost"),
    },
    unique_by="day or time, model, and what a query is grouped by",
    kept_at="GET /api/public/metrics/daily, or /api/public/v2/metrics with a query by model and day",
    undercounts="cached tokens, which are not told from the input or stand in its total only: its own cost has them",
    no_call="no day with a model",
    sample="made: pages in the documented shape",
)
