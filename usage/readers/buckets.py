"""Pages of the vendors' usage and cost APIs: time buckets, each with a list of results, already summed."""

from __future__ import annotations

from collections.abc import Sequence

# Every result of every bucket of every page, the bucket's own fields beside its.
RESULTS = """
bucket AS (
    SELECT *, row_number() OVER () AS bucket
    FROM (SELECT file_id, line, unnest(data, max_depth := 2) FROM record)
),
result AS (
    SELECT * EXCLUDE (results), unnest(results, max_depth := 2) FROM bucket
)
"""


def pages(bucket: str, result: str) -> str:
    """The type of a page's `data`, from the fields of a bucket and those of a result."""
    return f"STRUCT({bucket}, results STRUCT({result})[])[]"


def texts(names: Sequence[str]) -> str:
    """STRUCT fields that are text; counts too, so that one bad count rejects its result and not the whole page."""
    return ", ".join(f"{name} VARCHAR" for name in names)


def result_id(reader: str, key: Sequence[str], largest: str) -> str:
    """SQL for a result's id: its bucket and what it is grouped by.

    Where one bucket holds the same key twice (it was grouped by something unknown here), the results are
    numbered, by the SQL expression `largest` first, then by their lines: one that is refused is the same in every load.
    """
    name, place = named(reader, ("file_id", "bucket"), key, largest)
    return f"{name} || CASE {place} WHEN 1 THEN '' ELSE '|' || {place} END"


def named(reader: str, within: Sequence[str], key: Sequence[str], largest: str) -> tuple[str, str]:
    """SQL for a text of what a row is grouped by, and for its number among alike ones `within` these columns."""
    parts = ", ".join(f"coalesce({name}, '')" for name in key)
    place = f"row_number() OVER (PARTITION BY {', '.join(within)}, {parts} ORDER BY {largest} DESC, line)"
    return f"'{reader}:' || concat_ws('|', {parts})", place


def key_tags(names: Sequence[str]) -> str:
    """SQL for the tags: what results are grouped by, for attribution."""
    pairs = ", ".join(f"'{name}', {name}" for name in names)
    return f"json_object({pairs})"
