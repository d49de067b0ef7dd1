"""A rollup's statement in the SQL of other engines, written by sqlglot and parsed again to check it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...documents import nearest
from ...errors import CostsimError
from .statement import SOURCE, RollupStatement

if TYPE_CHECKING:
    from sqlglot import exp

DIALECTS = ("athena", "bigquery", "clickhouse", "databricks", "duckdb", "postgres", "redshift", "snowflake", "spark",
            "trino")  # fmt: skip
IN_UTC = {
    "databricks": "SET TIME ZONE 'UTC'",
    "duckdb": "SET TimeZone = 'UTC'",
    "postgres": "SET TIME ZONE 'UTC'",
    "redshift": "SET timezone TO 'UTC'",
    "snowflake": "ALTER SESSION SET TIMEZONE = 'UTC'",
    "spark": "SET TIME ZONE 'UTC'",
    "trino": "SET TIME ZONE 'UTC'",
}
"""How a session of the engine takes times with a zone as UTC; the others do, or are given it by costsim."""

# Without it the sum that is named `input` would stand for the column in the tier's own CASE.
CLICKHOUSE = "SETTINGS prefer_column_name_to_alias = 1, session_timezone = 'UTC', data_type_default_nullable = 1"


def written(statement: RollupStatement, table: str, dialect: str) -> str:
    """The statement for a person to run: as `transpiled`, over several lines, with what to do first."""
    _check_dialect(dialect)
    first = f"{IN_UTC[dialect]};\n" if dialect in IN_UTC else ""
    return f"{first}{transpiled(statement.sql, table, dialect, pretty=True)};\n"


def transpiled(sql: str, table: str, dialect: str, pretty: bool = False) -> str:
    """A statement over `costsim_source` in a dialect, over a table of that name. Raises CostsimError."""
    import sqlglot
    from sqlglot import exp

    _check_dialect(dialect)
    tree = sqlglot.parse_one(sql, read="duckdb")
    named = _table(table, dialect)
    for place in list(tree.find_all(exp.Table)):
        if place.name == SOURCE:
            place.replace(named.copy())
    _own_types(tree, dialect)
    made = tree.sql(dialect, pretty=pretty, unsupported_level=sqlglot.ErrorLevel.RAISE)
    if dialect == "clickhouse":
        made += ("\n" if pretty else " ") + CLICKHOUSE
    sqlglot.parse_one(made, read=dialect)  # what cannot be read back is not handed out
    return made


def table_in(table: str, dialect: str) -> str:
    """The name of a table as SQL of the dialect. Raises CostsimError for what is none."""
    return _table(table, dialect).sql(dialect)


def _table(table: str, dialect: str) -> exp.Table:
    from sqlglot import errors, exp

    try:
        named = exp.to_table(table, dialect=dialect)
    except errors.SqlglotError:
        named = None
    if not isinstance(named, exp.Table) or not named.name:
        raise CostsimError(f"{table!r} is no name of a table in {dialect}")
    return named


def _own_types(tree: exp.Expr, dialect: str) -> None:
    """What sqlglot leaves as it is: BigQuery's NUMERIC ends at 9 decimals."""
    from sqlglot import exp

    for kind in tree.find_all(exp.DataType):
        if dialect == "bigquery" and kind.this == exp.DataType.Type.DECIMAL:
            kind.replace(exp.DataType.build("BIGDECIMAL"))


def _check_dialect(dialect: str) -> None:
    if dialect not in DIALECTS:
        raise CostsimError(f"there is no dialect {dialect!r}{nearest(dialect, DIALECTS)}: {', '.join(DIALECTS)}")
