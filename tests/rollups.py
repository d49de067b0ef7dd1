"""Rollups of two engines, compared."""

from __future__ import annotations

from pathlib import Path

import duckdb


def rows_apart(one: Path, other: Path) -> int:
    """In how many rows two rollups differ, beside where they are from."""
    rows = "SELECT * EXCLUDE (origin, made_by) FROM '{}'"
    first, second = rows.format(one), rows.format(other)
    apart = f"(FROM ({first}) EXCEPT ALL FROM ({second})) UNION ALL (FROM ({second}) EXCEPT ALL FROM ({first}))"
    return int(duckdb.connect().execute(f"SELECT count(*) FROM ({apart})").fetchall()[0][0])
