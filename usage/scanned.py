"""How many rows a statement took from files: what DuckDB could not read it may hide behind rows that are missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


AS_DECLARED = "auto_detect = false, records = true, hive_partitioning = false"
"""Else 20,480 lines are parsed to guess what is said already, and a folder `model=x` overrides what its files say."""


@contextmanager
def profiled(connection: DuckDBPyConnection) -> Iterator[None]:
    """Let `scanned_rows` be asked of the statements within."""
    connection.execute("PRAGMA enable_profiling = 'no_output'")
    try:
        yield
    finally:
        connection.execute("PRAGMA disable_profiling")


def scanned_rows(connection: DuckDBPyConnection, function: str) -> int:
    """The rows that this function (`READ_CSV`) took from files in the last statement."""
    return _rows(json.loads(connection.get_profiling_information()), function)


def _rows(operator: dict[str, Any], function: str) -> int:
    below = operator.get("operator", operator.get("children", []))
    own = operator["intermediate_rows"] if operator.get("extra_info", {}).get("Function") == function else 0
    return int(own) + sum(_rows(child, function) for child in below)
