"""LiteLLM's activity endpoints: pages of days with sums by model.

https://docs.litellm.ai/docs/proxy/cost_tracking#daily-spend-breakdown-api: `breakdown` has the day's sums by model, and
again by provider, key and others: the models' count. Older versions state a model's sums themselves, newer ones in its
`metrics`. `prompt_tokens` includes cached ones, `spend` is in USD. The same requests as LiteLLM's other tables.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .nested import count, members, priced, text

SUMS = ("spend", "prompt_tokens", "completion_tokens", "cache_read_input_tokens", "cache_creation_input_tokens",
    "api_requests")  # fmt: skip

SQL = f"""
WITH day AS (
    SELECT file_id, line, "date", metrics, coalesce(breakdown -> '$.models', '{{}}'::JSON) AS models FROM record
),
summed AS (
    SELECT file_id, line, "date", of_model[1] AS name, coalesce(of_model[2] -> '$.metrics', of_model[2]) AS sums
    FROM (SELECT file_id, line, "date", unnest({members("models")}) AS of_model FROM day)
    UNION ALL
    SELECT file_id, line, "date", NULL, metrics FROM day WHERE coalesce(len(json_keys(models)), 0) = 0
),
counted AS (
    SELECT *,
        {count("sums", "prompt_tokens")} AS prompt, {count("sums", "completion_tokens")} AS outputs,
        {count("sums", "cache_read_input_tokens")} AS reads,
        {count("sums", "cache_creation_input_tokens")} AS writes,
        {count("sums", "api_requests")} AS calls, least(prompt, outputs, reads, writes, calls) < 0 AS bad
    FROM summed
)
SELECT file_id, line,
    'litellm-activity:' || concat_ws(':', "date", coalesce(name, '')) AS event_id,
    utc("date") AS ts,
    TRY(ts + INTERVAL 1 DAY) AS period_end,
    nullif(name, '') AS model,
    TRUE AS aggregated,
    -- what does not fit into the prompt stands beside it
    CASE WHEN bad THEN -1 WHEN reads + writes > prompt THEN prompt ELSE prompt - reads - writes END AS input,
    reads AS cache_read,
    writes AS cache_write_5m,
    outputs AS output,
    calls AS request,
    {priced(text("sums", "spend"), "prompt + outputs")} AS recorded_usd
FROM counted
WHERE bad OR prompt + outputs + reads + writes + calls > 0
    OR coalesce(TRY_CAST({text("sums", "spend")} AS DOUBLE), 1) <> 0
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Days with their sums and breakdown, or their page."""
    return any(
        sample.has(f"{top}date", f"{top}breakdown", f"{top}metrics.spend", f"{top}metrics.prompt_tokens")
        for top in ("results.", "")
    )


_BY_OTHERS = ("model_groups", "providers", "api_keys", "mcp_servers", "entities", "endpoints", "tags")

READER = Reader(
    name="litellm-activity",
    origin="gateway's sums",
    doc="https://docs.litellm.ai/docs/proxy/cost_tracking",
    columns={"date": "VARCHAR", "metrics": "JSON", "breakdown": "JSON"},
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    pages=("results",),
    counted=tuple(f"breakdown.models.*{within}.{name}" for within in ("", ".metrics") for name in SUMS),
    left_out={
        "metrics": "the sum of the day's models",
        **{f"breakdown.{name}": "the same sums in other parts" for name in _BY_OTHERS},
        "breakdown.models.*.api_key_breakdown": "a model's sums by key",
        **{
            f"breakdown.models.*{within}.{name}": "a part of what is counted, or its sum"
            for within in ("", ".metrics")
            for name in ("total_tokens", "successful_requests", "failed_requests")
        },
    },
    unique_by="day and model",
    kept_at="GET /user/daily/activity of the proxy (of a team, a tag or an organization: load one of them)",
    no_call="no day with requests",
    sample="made: in the documented shape",
)
