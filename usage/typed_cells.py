"""Cells of Parquet as a CSV of the same table has them: a table is read alike, whichever of both it was kept as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .cell_sql import EXACT
from .files import escaped
from .parquet_columns import PARQUET
from .reader import identifier

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def as_written(connection: DuckDBPyConnection, path: str, columns: Mapping[int, tuple[str, str]]) -> str:
    """SQL for columns of a Parquet file, by their places with their names and types, as c0, c1 and so on; those of a
    type that is written in another way in a CSV as texts.

    A whole number that is kept as a DOUBLE or with decimals has none in the text; days that are kept as moments are
    days where all of a column's are; bytes are UTF-8, as writers that know no texts mean them.
    """
    days = _days(connection, path, dict(columns.values()))
    return "".join(
        f", {_text(identifier(name), kind, name in days) or identifier(name)} AS c{place}"
        for place, (name, kind) in columns.items()
    )


def _days(connection: DuckDBPyConnection, path: str, kinds: Mapping[str, str]) -> set[str]:
    """The columns of moments that are all at the start of a day, in UTC."""
    moments = [name for name, kind in kinds.items() if kind.startswith("TIMESTAMP")]
    if not moments:
        return set()
    texts = [_moment(identifier(name)) for name in moments]
    checks = ", ".join(f"bool_and({text} = date_trunc('day', {text}))" for text in texts)
    sql = f"SELECT {checks} FROM {PARQUET}"  # noqa: S608 (quoted)
    found = connection.execute(sql, {"path": escaped(path)}).fetchone()
    return {name for name, is_day in zip(moments, found or (), strict=True) if is_day}


def _moment(cell: str) -> str:
    return f"{cell}::TIMESTAMP"


def _text(cell: str, kind: str, is_day: bool) -> str | None:
    """SQL for a cell of a type as text; None where the type's own text is that of a CSV."""
    if kind in ("DOUBLE", "FLOAT"):
        whole = f"{cell} = trunc({cell}) AND abs({cell}) < {EXACT}"
        return f"CASE WHEN {whole} THEN {cell}::BIGINT::VARCHAR ELSE {cell}::VARCHAR END"
    if kind.startswith("DECIMAL") and not kind.endswith(",0)"):
        return f"rtrim(rtrim({cell}::VARCHAR, '0'), '.')"
    if kind == "VARIANT":  # JSON, but for texts
        return f"{cell}::JSON ->> '$'"
    if kind == "BLOB":
        return f"coalesce(TRY(decode({cell})), {cell}::VARCHAR)"
    return f"{_moment(cell)}::DATE::VARCHAR" if is_day else None
