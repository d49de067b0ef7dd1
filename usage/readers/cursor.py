"""Cursor's usage export: CSV, one request a row, of all header versions.

https://cursor.com/docs/account/usage: "Input (w/ Cache Write)" is what was written to cache, "(w/o Cache Write)" the
uncached input; the total is the sum of the four classes, but where it shows that the first contains the second. `Cost`
is USD, or a word such as `Included` or nothing, which are no amount; exports of plans by request have `Requests` in its
place. There is no id of a request: its time, to a millisecond, and its figures name it, in exports of every version and
in the events of the API (`cursor_events`). A team's export has `User` too.
"""

from __future__ import annotations

from ..reader import Reader, Sample
from .restated import same

WRITTEN, UNCACHED = "Input (w/ Cache Write)", "Input (w/o Cache Write)"
NAMES = (
    "Date",
    "Model",
    "Kind",
    "Max Mode",
    "User",
    "Cloud Agent ID",
    "Automation ID",
    "Cost",
    "Cost to you",
    "Requests",
)
COLUMNS = {
    **dict.fromkeys(NAMES, "VARCHAR"),
    **dict.fromkeys((WRITTEN, UNCACHED, "Cache Read", "Output Tokens", "Total Tokens"), "BIGINT"),
}

THOUSANDS = r"-?\$ ?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]+)?|-?[1-9][0-9]{0,2}(,[0-9]{3})+\.[0-9]+"


SAME_REQUEST = same("now", "before", ("ts", "model", "user"))
"""A request that is listed before its figures are known has others in the next export: its time, to a millisecond, is
the same."""


def named(*figures: str) -> str:
    """SQL for the id of a request by its time, model and figures, as the first of equal ones in its file."""
    texts = ", ':', ".join(f"({figure})::VARCHAR" for figure in figures)
    return f"concat('cursor:', {texts}, ':1')"  # in which NULL is nothing


BESIDE = f"""("{WRITTEN}" - CASE WHEN contained THEN "{UNCACHED}" ELSE 0 END)"""

SQL = f"""
WITH entry AS (
    -- $1,234.50 has thousands; in 0,16 or $1.234,50 the comma is none of them, and the row is rejected
    SELECT * REPLACE (CASE WHEN contains("Cost", ',') AND regexp_full_match("Cost", '{THOUSANDS}')
        THEN replace("Cost", ',', '') ELSE "Cost" END AS "Cost")
    FROM (SELECT * REPLACE (coalesce("Cost", "Cost to you") AS "Cost") FROM record)
),
read AS (
    SELECT *, CASE WHEN "Cost" ^@ '$' THEN ltrim("Cost", '$') ELSE "Cost" END AS usd,
        "{WRITTEN}" > 0 AND "{WRITTEN}" >= "{UNCACHED}" AND "{UNCACHED}" > 0
            AND "Total Tokens" = "{WRITTEN}" + "Cache Read" + "Output Tokens" AS contained
    FROM entry
)
SELECT file_id, line,
    {named('utc("Date")', 'lower("Model")', f'"{UNCACHED}"', '"Cache Read"', BESIDE, '"Output Tokens"')} AS event_id,
    TRUE AS numbered,
    utc("Date") AS ts,
    "Cloud Agent ID" AS session,
    "User" AS "user",
    "Model" AS model,
    CASE WHEN "Kind" IN ('Included', 'On-Demand') THEN 'ok' WHEN lower("Kind") LIKE '%error%' THEN 'error'
        WHEN lower("Kind") LIKE '%abort%' THEN 'cancelled' ELSE 'ok' END AS status,
    "{UNCACHED}" AS input,
    "Cache Read" AS cache_read,
    {BESIDE} AS cache_write_5m,
    "Output Tokens" AS output,
    nullif("Total Tokens", 0) AS stated_total,
    -- words are no amount; what has digits and is no number is rejected
    CASE WHEN usd BETWEEN '0' AND ':' OR (usd <> 'Included' AND regexp_matches(usd, '[0-9]')) THEN usd END
        AS recorded_usd,
    json_object('user', "User", 'kind', "Kind", 'max_mode', "Max Mode", 'automation', "Automation ID",
        'requests', "Requests") AS tags
FROM read
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Rows by the export's own column names."""
    return sample.layout in ("csv", "parquet") and sample.has(
        "Date", "Model", WRITTEN, UNCACHED, "Cache Read", "Output Tokens"
    )


READER = Reader(
    name="cursor",
    origin="agent",
    doc="https://cursor.com/docs/account/usage",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(WRITTEN, UNCACHED, "Cache Read", "Output Tokens", "Cost"),
    left_out={
        "Total Tokens": "the sum",
        "Cost to you": "a part of Cost; counts where there is no Cost",
        "Requests": "requests of the plan, not USD; kept as a tag",
    },
    replaced=(SAME_REQUEST,),
    unique_by="time, model and figures, in its exports and events alike",
    kept_at="cursor.com, Dashboard, Usage, Export CSV",
    no_call="no row",
    sample="real: v2, 2025-12",
    undercounts="the cost of included requests",
)
