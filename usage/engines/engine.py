"""What an engine is: it says which columns a table of calls has, and writes the result of a statement to Parquet."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import duckdb

from ...tokens import TOKEN_CLASSES
from ...writing import replacing
from ..files import escaped
from ..output_files import failing_as_output
from ..parquet_columns import PARQUET
from ..reader import struct, text
from .statement import RollupStatement

RESULT = {
    "day": "DATE",
    "slot": "SMALLINT",
    "recorded": "BOOLEAN",
    "period_end": "TIMESTAMP",
    "recorded_usd": "DECIMAL(38, 18)",
    **dict.fromkeys(("tier", "calls", "recorded_calls", *TOKEN_CLASSES), "BIGINT"),
}
"""The types of a rollup's columns; the others are texts."""


class Engine(Protocol):
    """Where calls are, and what sums them there. Errors of the engine are raised as CostsimError, in one line."""

    @property
    def origin(self) -> str:
        """The table, as the rollup and messages name it; no secret is in it."""

    @property
    def unique(self) -> bool:
        """Whether the source holds every call once already."""

    def columns(self) -> Mapping[str, str]:
        """The columns of the table, name to type, as the engine calls it."""

    def models(self, model: str, provider: str) -> list[tuple[str | None, str]]:
        """The providers and models of all calls, by SQL (DuckDB's) over the table's columns."""

    def run(self, statement: RollupStatement, out: Path) -> None:
        """Write what the statement yields to a Parquet file."""


def write_rows(rows: Iterable[Sequence[Any]], names: Sequence[str], out: Path) -> None:
    """Write rows that an engine handed out as Parquet: numbers as exact texts between, so that no digit is lost."""
    kinds = {name: RESULT.get(name, "VARCHAR") for name in names}
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "rows.jsonl"
        with lines.open("w", encoding="utf-8") as stream:
            for row in rows:
                stream.write(json.dumps(dict(zip(names, map(_as_text, row), strict=True))) + "\n")
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            source = f"read_json($lines, format = 'newline_delimited', columns = {struct(kinds)})"
            _copy(connection, f"FROM {source}", {"lines": escaped(str(lines))}, out)


def write_parquet(made: bytes, names: Sequence[str], out: Path) -> None:
    """Write a result that an engine handed out as Parquet in costsim's own types."""
    kinds = {name: RESULT.get(name, "VARCHAR") for name in names}
    cast = ", ".join(f'"{name}"::{kind} AS "{name}"' for name, kind in kinds.items())
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        file = Path(folder) / "made.parquet"
        file.write_bytes(made)
        _copy(connection, f"SELECT {cast} FROM {PARQUET}", {"path": escaped(str(file))}, out)  # noqa: S608 (names are ours)


def _copy(connection: duckdb.DuckDBPyConnection, sql: str, values: dict[str, object], out: Path) -> None:
    connection.execute(f"CREATE TABLE made AS {sql}", values)
    copy_to(connection, "made", out)


def copy_to(connection: duckdb.DuckDBPyConnection, relation: str, out: Path) -> None:
    """Write a table of ours to a Parquet file, whole or not at all. Raises OutputError."""
    with replacing(out) as part, failing_as_output(out):
        connection.execute(f"COPY (FROM {relation} ORDER BY ALL) TO {text(str(part))} (FORMAT parquet)")


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)
