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
FIRST = {
    "databricks": "SET TIME ZONE 'UTC';\nSET ANSI_MODE = true",
    "duckdb": "SET TimeZone = 'UTC'",
    "postgres": "SET TIME ZONE 'UTC'",
    "redshift": "SET timezone TO 'UTC'",
    "snowflake": "ALTER SESSION SET TIMEZONE = 'UTC'",
    "spark": "SET TIME ZONE 'UTC';\nSET spark.sql.ansi.enabled = true",
    "trino": "SET TIME ZONE 'UTC'",
}
"""How a session of the engine takes times with a zone as UTC (the others do, or are given it by costsim), and how one
says that a sum is too large, which Spark does not by itself."""
TIME_IN_UTC = {
    "athena": "CAST(CAST(t AS TIMESTAMP(6) WITH TIME ZONE) AT TIME ZONE 'UTC' AS TIMESTAMP(6))",
    "snowflake": "CAST(CONVERT_TIMEZONE('UTC', t) AS TIMESTAMP_NTZ(9))",
    "trino": "CAST(CAST(t AS TIMESTAMP(6) WITH TIME ZONE) AT TIME ZONE 'UTC' AS TIMESTAMP(6))",
}
"""A time in UTC, to the microsecond: a plain cast there takes the clock of a time's own zone, and Trino's rounds to the
millisecond, into the next day."""
TYPES = {
    "bigquery": {"DECIMAL": "BIGDECIMAL"},  # its NUMERIC ends at 9 decimals
    "clickhouse": {
        "TIMESTAMPNTZ": "Nullable(DateTime64(6, 'UTC'))",
        "DATE": "Nullable(Date32)",
    },  # its DateTime ends in 2106, its Date in 2149
}

ALIAS = "calls"


def written(statement: RollupStatement, table: str, dialect: str) -> str:
    """The statement for a person to run: as `transpiled`, over several lines, with what to do first."""
    _check_dialect(dialect)
    first = f"{FIRST[dialect]};\n" if dialect in FIRST else ""
    return f"{first}{transpiled(statement.sql, table, dialect, pretty=True)};\n"


def transpiled(sql: str, table: str, dialect: str, pretty: bool = False) -> str:
    """A statement over `costsim_source` in a dialect, over a table of that name. Raises CostsimError."""
    import sqlglot
    from sqlglot import exp

    _check_dialect(dialect)
    tree = sqlglot.parse_one(sql, read="duckdb")
    _own_names(tree, dialect)
    _own_types(tree, dialect)
    named = exp.alias_(_table(table, dialect), ALIAS, table=True, quoted=True)
    for place in list(tree.find_all(exp.Table)):
        if place.name == SOURCE:
            place.replace(named.copy())
    made = tree.sql(dialect, pretty=pretty, unsupported_level=sqlglot.ErrorLevel.RAISE)
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


def _own_names(tree: exp.Expr, dialect: str) -> None:
    """Names that mean one thing in every engine: all quoted, and each column by its table.

    Else a sum that is named as its column would stand for it in the tier's own CASE, in some engines. Snowflake takes a
    name without quotes for one in capitals; so do the columns of the table here, unless they have capitals already.
    """
    from sqlglot import exp

    for name in tree.find_all(exp.Identifier):
        name.set("quoted", True)
    for column in tree.find_all(exp.Column):
        below = column.find_ancestor(exp.Select).args["from_"].this  # type: ignore[union-attr]
        given = below.name == SOURCE
        if not column.table:
            column.set("table", exp.to_identifier(ALIAS if given else below.alias_or_name, quoted=True))
        if dialect == "snowflake" and given and column.name.islower():
            column.this.set("this", column.name.upper())


def _own_types(tree: exp.Expr, dialect: str) -> None:
    """What sqlglot leaves as it is: the range of types, and times with a zone, which some engines only strip of it."""
    import sqlglot
    from sqlglot import exp

    for cast in list(tree.find_all(exp.Cast)):
        if dialect in TIME_IN_UTC and cast.to.is_type("TIMESTAMPNTZ") and isinstance(cast.this, exp.Column):
            moment = sqlglot.parse_one(TIME_IN_UTC[dialect], read=dialect)
            for place in list(moment.find_all(exp.Column)):
                place.replace(cast.this.copy())
            cast.replace(moment)
    for kind in list(tree.find_all(exp.DataType)):
        if own := TYPES.get(dialect, {}).get(kind.this.value):
            kind.replace(exp.DataType.build(own, dialect=dialect))


def _check_dialect(dialect: str) -> None:
    if dialect not in DIALECTS:
        raise CostsimError(f"there is no dialect {dialect!r}{nearest(dialect, DIALECTS)}: {', '.join(DIALECTS)}")
