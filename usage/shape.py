"""The tables that a store should have, and how those that it has differ: another program can change them.

schema.sql has those of every store; outcome.sql and projection.sql those that are made when they are first needed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import duckdb

VERSION_TABLE = "CREATE TABLE schema_version (version INTEGER NOT NULL)"
SCHEMA = Path(__file__).with_name("schema.sql")
ON_DEMAND = ("outcome", "projection")
"""Tables that may be there before any log is loaded."""
MANY_COLUMNS = 8
COMMENT = re.compile(r"--.*")
TABLE = re.compile(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) \(((?:[^()]|\([^()]*\))*)\)")
COLUMN = re.compile(r'(?:^|,)\s*"?([a-z_0-9]+)"? +([A-Z]+(?:\(\d+, \d+\))?)')
REQUIRED = re.compile(r'(?:^|,)\s*"?([a-z_0-9]+)"? +[A-Z]+(?:\(\d+, \d+\))? (?:NOT NULL|PRIMARY KEY)')
LIKE = re.compile(r"CREATE TABLE (\w+) AS SELECT \*, NULL::(\w+) AS (\w+) FROM (\w+)")
TYPES = """
SELECT table_name, column_name, data_type
FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (table_oid, database_oid)
WHERE NOT internal AND database_name = current_database() AND schema_name = 'main'
"""
HAS = """
SELECT 'the column ' || column_name || ' of ' || table_name AS name, table_name
FROM duckdb_columns() SEMI JOIN duckdb_tables() USING (table_oid, database_oid)
WHERE NOT internal AND database_name = current_database() AND schema_name = 'main'
UNION ALL
SELECT 'the key ' || list_aggregate(constraint_column_names, 'string_agg', ', ') || ' of ' || table_name, table_name
FROM duckdb_constraints()
WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND database_name = current_database() AND schema_name = 'main'
UNION ALL SELECT 'the sequence ' || sequence_name, '' FROM duckdb_sequences() WHERE database_name = current_database()
"""


def statement(name: str) -> str:
    """The statement that makes a table of those that are made when they are first needed, unless it is there."""
    return SCHEMA.with_name(f"{name}.sql").read_text("utf-8")


@cache
def should_be() -> dict[str, dict[str, str]]:
    """The columns of each table with their types, as DuckDB names them."""
    found = {
        table: {name: kind.replace(" ", "") for name, kind in COLUMN.findall(body)}
        for table, body in TABLE.findall(_statements())
    }
    return found | {table: found[like] | {name: kind} for table, kind, name, like in LIKE.findall(_statements())}


@cache
def required() -> dict[str, list[str]]:
    """By table, the columns that hold a value in every row."""
    found = {table: REQUIRED.findall(body) for table, body in TABLE.findall(_statements())}
    return found | {table: found[like] for table, _, _, like in LIKE.findall(_statements())}


@cache
def _statements() -> str:
    whole = [VERSION_TABLE + ";", SCHEMA.read_text("utf-8"), *map(statement, ON_DEMAND)]
    return COMMENT.sub("", "\n".join(whole))


def columns_of(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    """The columns of each table with their types, as they are."""
    found: dict[str, dict[str, str]] = {}
    for table, name, kind in connection.execute(TYPES).fetchall():
        found.setdefault(table, {})[name] = kind
    return found


def is_ours(there: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether these tables are of a store: one of many columns has all the names of one of costsim's."""
    return any(
        len(columns) >= MANY_COLUMNS and columns.keys() == there.get(table, {}).keys()
        for table, columns in should_be().items()
        if table not in ON_DEMAND
    )


def differing(there: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """By table, what is missing, or the first column that has another type than it should: whatever is computed from
    it may be wrong."""
    found: dict[str, str] = {}
    store = there.keys() - {*ON_DEMAND}  # else it is the file of a projection
    for table, columns in should_be().items():
        if table not in there:
            if store and table not in ON_DEMAND:
                found[table] = f"it lacks the table {table}"
            continue
        for name, wanted in columns.items():
            kind = there[table].get(name)
            if kind is None and table not in ON_DEMAND:
                found.setdefault(table, f"it lacks the column {name} of {table}")
            elif kind not in (None, wanted):
                found.setdefault(table, f"the column {name} of {table} is {kind}, not {wanted}")
    return found


def whole(there: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Those tables that have all the columns that they should."""
    return {table: columns for table, columns in there.items() if should_be().get(table, {}).keys() <= columns.keys()}


def lacking(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What a store should have and this one has not, by table: its first column that is missing, a key, a sequence."""
    there = connection.execute(HAS).fetchall()
    names, tables = {name for name, _ in there}, {table for _, table in there}
    with duckdb.connect() as made:
        if tables - {*ON_DEMAND}:  # else it is the file of a projection
            made.execute(VERSION_TABLE)
            made.execute(SCHEMA.read_text("utf-8"))
        for name in tables.intersection(ON_DEMAND):
            made.execute(statement(name))
        return {
            table: f"it lacks {name}" for name, table in reversed(made.execute(HAS).fetchall()) if name not in names
        }


def faults(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """What is wrong with the tables of a store, by table; a transaction that failed is over."""
    with suppress(duckdb.Error):
        connection.execute("ROLLBACK")
    return lacking(connection) | differing(columns_of(connection))
