"""Cursor's usage export: CSV, one request a row, of all header versions.

https://cursor.com/docs/account/usage: "Input (w/ Cache Write)" is what was written to cache, "(w/o Cache Write)" the
uncached input; the total is the sum of the four classes. `Cost` is USD, or a word such as `Included` or nothing, which
are no amount. There is no id of a request.
"""

from __future__ import annotations

from ..reader import Reader, Sample

WRITTEN, UNCACHED = "Input (w/ Cache Write)", "Input (w/o Cache Write)"
NAMES = ("Date", "Model", "Kind", "Max Mode", "User", "Cloud Agent ID", "Automation ID", "Cost", "Cost to you")
COLUMNS = {
    **dict.fromkeys(NAMES, "VARCHAR"),
    **dict.fromkeys((WRITTEN, UNCACHED, "Cache Read", "Output Tokens"), "BIGINT"),
}

SQL = f"""
WITH entry AS (
    SELECT *, ltrim(replace(trim(coalesce("Cost", '')), ',', ''), '$') AS cost FROM record
)
SELECT file_id, line,
    utc("Date") AS ts,
    nullif("Cloud Agent ID", '') AS session,
    "Model" AS model,
    CASE WHEN lower("Kind") LIKE '%error%' THEN 'error' ELSE 'ok' END AS status,
    "{UNCACHED}" AS input,
    "Cache Read" AS cache_read,
    "{WRITTEN}" AS cache_write_5m,
    "Output Tokens" AS output,
    CASE WHEN regexp_full_match(cost, '-?[0-9.]+([eE][-+]?[0-9]+)?') THEN cost END AS recorded_usd,
    json_object('user', nullif("User", ''), 'kind', nullif("Kind", ''), 'max_mode', nullif("Max Mode", ''),
        'automation', nullif("Automation ID", '')) AS tags
FROM entry
"""  # noqa: S608 (constants only)


def recognises(sample: Sample) -> bool:
    """Rows by the export's own column names."""
    return sample.layout == "csv" and sample.has("Date", "Model", WRITTEN, UNCACHED, "Cache Read", "Output Tokens")


READER = Reader(
    name="cursor",
    doc="https://cursor.com/docs/account/usage",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    counted=(WRITTEN, UNCACHED, "Cache Read", "Output Tokens", "Cost"),
    left_out={"Total Tokens": "the sum", "Cost to you": "a part of Cost"},
    unique_by="time and figures",
    kept_at="cursor.com, Dashboard, Usage, Export CSV",
    no_call="no row",
    sample="real: v2, 2025-12",
)
