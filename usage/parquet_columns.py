"""The columns of one Parquet file, by the names that it gives them itself."""

from __future__ import annotations

from collections.abc import Sequence

PARQUET = "read_parquet($path, hive_partitioning = false)"
"""The rows of one file. A folder such as `model=x` above it says nothing of them, as of a CSV's."""
PARQUET_SCHEMA = "SELECT name, coalesce(num_children, 0) FROM parquet_schema($path)"


def top_level(schema: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """The columns in their order, from the file's tree of names, each with how many are right below it.

    DuckDB would name anew those that differ in their case only.
    """
    names: list[str] = []
    within = 0  # so many names are still to come below the last column
    for name, children in schema[1:]:  # the first is the root
        if within:
            within += children - 1
        else:
            names.append(name)
            within = children
    return tuple(names)
