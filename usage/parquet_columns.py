"""The columns of one Parquet file, by the names that it gives them itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

PARQUET = "read_parquet($path, hive_partitioning = false)"
"""The rows of one file. A folder such as `model=x` above it says nothing of them, as of a CSV's."""
PARQUET_KINDS = f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {PARQUET})"  # noqa: S608 (ours)
PARQUET_SCHEMA = "SELECT name, coalesce(num_children, 0) FROM parquet_schema($path)"


def top_level(schema: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The columns in their order, from the file's tree of names, each with how many are right below it.

    DuckDB would name anew those that differ in their case only.
    """
    return tuple(name for name, _, is_top, _ in _placed(schema) if is_top)


def columns_of_leaves(schema: Sequence[tuple[str, int]]) -> tuple[int, ...]:
    """Of each series of values that a file keeps, in their order, the place of the column that it is a part of."""
    return tuple(place for _, place, _, is_leaf in _placed(schema) if is_leaf)


def _placed(schema: Sequence[tuple[str, int]]) -> Iterator[tuple[str, int, bool, bool]]:
    """Each name below the root: the place of its column, whether it is that column, and whether nothing is below it."""
    place, within = -1, 0  # so many names are still to come below the last column
    for name, children in schema[1:]:
        is_top = not within
        place, within = (place + 1, children) if is_top else (place, within + children - 1)
        yield name, place, is_top, not children
