"""Rows of FOCUS as a file: CSV, or by its ending Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..usage.output_files import failing_as_output
from ..writing import replacing
from .escaping import inert_sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation


def _cell(name: str, kind: object) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"{inert_sql(quoted)} AS {quoted}" if str(kind) == "VARCHAR" else quoted


def write_focus(rows: DuckDBPyRelation, file: Path) -> int:
    """Write rows (see analysis/spend/focus.py); returns their number. Whole or not at all. Raises OutputError."""
    with replacing(file) as temporary, failing_as_output(file):
        if file.suffix.lower() == ".parquet":
            rows.write_parquet(str(temporary))
        else:
            rows = rows.project(", ".join(map(_cell, rows.columns, rows.types)))
            rows.write_csv(str(temporary))
    return len(rows)
