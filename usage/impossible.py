"""Values that no row of a store can have: a hand or another program put them there, and sums of them would be wrong.

What readers take of a log is bounded (REASON of project.py: times from 2000 to 2199, counts up to 10^12), so what lies
beyond was never loaded. To look for it takes a millisecond: DuckDB knows the bounds of each column.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from itertools import chain
from typing import NamedTuple

import duckdb

from ..tokens import TOKEN_CLASSES
from .reader import identifier
from .shape import required, should_be

MOST = 10**12
"""Of a count of one call, and of the calls of one sum."""
MOST_USD, MOST_OUTCOME_USD = 10**8, 10**13
"""Of one call (project.py), and of a run's outcome (analysis/outcomes/store.py)."""
WHEN = "{0} < TIMESTAMP '2000-01-01' OR {0} >= TIMESTAMP '2200-01-01'"
NEVER = "{0} < TIMESTAMP '0001-01-01' OR {0} >= TIMESTAMP '10000-01-01'"
NO_ROLE = "role NOT IN ('calls', 'bill')"
EMPTY = "which must not be empty"
MAY_BE_EMPTY = """
SELECT table_name, column_name FROM duckdb_columns()
WHERE is_nullable AND NOT internal AND database_name = current_database() AND schema_name = 'main'
"""
"""Columns without NOT NULL: the others need no look."""
FACTS = ("calls", "recorded_calls", "slot", "tier", "context_tier", "bytes", "entries", "added", "rejected",
    "occurrences", "compared", "line", *TOKEN_CLASSES)  # fmt: skip
"""Columns that count or number something, wherever they are."""
SLOTS = 48
NUMBERS = ("BIGINT", "SMALLINT")
SINGLE = {"schema_version": "version", "rollup_state": "parameters", "attribution": "rules"}
"""Tables of one row at most, and its column."""
ONE_ROW = "and may have one row only"
NO_VERSION = "it does not state its schema"


class Impossible(NamedTuple):
    """What a row has that it cannot have: `condition` is SQL over the table `table`; `column` is what holds it."""

    table: str
    column: str
    condition: str
    words: str


class Found(NamedTuple):
    """A value that cannot be, `rows` times; the first in the row `rowid`, as text (None: NULL)."""

    what: Impossible
    rows: int
    rowid: int
    value: str | None

    def __str__(self) -> str:
        value = "NULL" if self.value is None else self.value if len(self.value) < 60 else f"{self.value[:57]}..."
        more = f" (and {self.rows - 1:,} more)" if self.rows > 1 else ""
        what = self.what
        return f"in {what.table} the row {self.rowid} has {what.column} {value}, {what.words}{more}"


@cache
def impossible() -> Mapping[str, tuple[Impossible, ...]]:
    """What cannot be, by table."""
    return {table: tuple(_of_table(table, kinds)) for table, kinds in should_be().items()}


def _of_table(table: str, kinds: Mapping[str, str]) -> Iterator[Impossible]:
    for name in required().get(table, []):
        yield Impossible(table, name, f"{identifier(name)} IS NULL", EMPTY)
    for name, kind in kinds.items():
        if kind in NUMBERS and name in FACTS:
            least = -1 if name == "slot" else 0
            yield Impossible(table, name, f"{name} < {least}", "a negative count")
        if kind in ("TIMESTAMP", "DATE"):
            yield Impossible(table, name, _no_time(table, name), "no time of a log")
        if name == "role":
            yield Impossible(table, name, NO_ROLE, "and a role is calls or bill")
        if name in ("recorded_usd", "usd"):
            yield Impossible(table, name, _too_much(table, name), "more than a call can have cost")
    yield from _of_sums(table, kinds)


def _no_time(table: str, name: str) -> str:
    if table in ("outcome", "projection") or name in ("period_end", "loaded_at"):
        return NEVER.format(name)
    return WHEN.format(name)


def _too_much(table: str, name: str) -> str:
    if table == "outcome":
        return f"{name} < 0 OR {name} >= {MOST_OUTCOME_USD}"
    most = f"{MOST_USD}::HUGEINT * calls" if table in ("usage_daily", "covered_daily") else MOST_USD
    return f"{name} > {most} OR {name} < -{most}"


def _of_sums(table: str, kinds: Mapping[str, str]) -> Iterator[Impossible]:
    """Counts of one call, or of the calls of a sum."""
    summed = "calls" in kinds and "tier" in kinds
    most = f"{MOST}::HUGEINT * calls" if summed else str(MOST)
    if summed:
        yield Impossible(table, "calls", f"calls > {MOST} OR calls = 0", "no number of calls")
    for name in TOKEN_CLASSES if "input" in kinds else ():
        yield Impossible(table, name, f"{name} > {most}", "more than its calls can have" if summed else "over 10^12")
    if summed:
        yield Impossible(table, "recorded_calls", "recorded_calls > calls", "more than it has calls")
        yield Impossible(table, "slot", f"slot >= {SLOTS}", "no half hour of a day")


TAGS = Impossible("usage_event", "tags", "NOT json_valid(tags)", "which is no JSON")


def impossible_values(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, object]) -> list[object]:
    """What cannot be and is, in those of a store's `tables` that are as they should be: the first thing of a table."""
    may_be_empty = {*connection.execute(MAY_BE_EMPTY).fetchall()}
    kinds = {
        table: [what for what in kinds if what.words != EMPTY or (table, what.column) in may_be_empty]
        for table, kinds in impossible().items()
        if table in tables
    }
    found = (next(of_table, None) for of_table in _found(connection, kinds))
    return [*filter(None, found), *_single(connection, tables)]


def every_impossible_value(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, object]) -> list[object]:
    """All of it, each with its rows counted; broken tags too, which takes a look at every call."""
    kinds = {
        table: [*kinds, *[TAGS] * (table == TAGS.table)] for table, kinds in impossible().items() if table in tables
    }
    return [*chain.from_iterable(_found(connection, kinds)), *_single(connection, tables, deep=True)]


def possible(table: str) -> str:
    """SQL for the rows of a table of which nothing is missing that must be there: the others cannot be copied."""
    return " AND ".join(f"{identifier(name)} IS NOT NULL" for name in required().get(table, [])) or "TRUE"


def remove_impossible(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Delete the rows of a table that cannot be; how many there were."""
    kinds = [*impossible().get(table, ()), *([TAGS] if table == TAGS.table else [])]
    where = " OR ".join(f"coalesce({what.condition}, FALSE)" for what in kinds) or "FALSE"
    if _single(connection, {table: None}, deep=True):
        where = "TRUE"
    rows = connection.execute(f"DELETE FROM {identifier(table)} WHERE {where}").fetchone()  # noqa: S608 (ours)
    return int(rows[0]) if rows else 0


def _any(table: str, kinds: Iterable[Impossible]) -> str:
    """SQL for the table's name, where one of these is in it: roles apart, for DuckDB skips what has none but one."""
    roles = [what.condition for what in kinds if what.condition == NO_ROLE]
    others = [what.condition for what in kinds if what.condition != NO_ROLE]
    wheres = [*roles, *([" OR ".join(f"({condition})" for condition in others)] if others else [])]
    return " UNION ALL ".join(
        f"(SELECT '{table}' FROM {identifier(table)} WHERE {where} LIMIT 1)"  # noqa: S608 (ours)
        for where in wheres
    )


def _found(
    connection: duckdb.DuckDBPyConnection, kinds: Mapping[str, Iterable[Impossible]]
) -> Iterator[Iterator[Found]]:
    """What there is of these kinds, by table; first it is asked which tables have any."""
    sql = " UNION ALL ".join(_any(table, of_table) for table, of_table in kinds.items() if of_table)
    for table in dict.fromkeys(table for (table,) in connection.execute(sql).fetchall()) if sql else ():
        yield filter(None, (_looked_for(connection, what) for what in kinds[table]))


def _looked_for(connection: duckdb.DuckDBPyConnection, what: Impossible) -> Found | None:
    name = identifier(what.column)
    sql = f"""
        SELECT count(*), min(rowid), arg_min(CASE WHEN {name} IS NULL THEN [] ELSE [{name}::VARCHAR] END, rowid)
        FROM {identifier(what.table)} WHERE {what.condition}
        """  # noqa: S608 (ours)
    rows, rowid, value = connection.execute(sql).fetchone() or (0, None, None)
    return Found(what, rows, rowid, value[0] if value else None) if rows else None


def _single(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, object], deep: bool = False) -> list[object]:
    """What is wrong in the tables of one row: that they have several, or that costsim did not write what is in it."""
    found: list[object] = []
    for table in SINGLE.keys() & tables.keys():
        what = Impossible(table, SINGLE[table], "", "which costsim did not write")
        rows = connection.execute(f"SELECT rowid, {what.column} FROM {table} ORDER BY rowid LIMIT 2").fetchall()  # noqa: S608
        if table == "schema_version" and not rows:
            found.append(NO_VERSION)
        if len(rows) > 1:
            found.append(Found(what._replace(words=ONE_ROW), 1, rows[1][0], str(rows[1][1])))
        for rowid, written in rows[:1]:
            if written is not None and not _is_written(table, written, deep):
                found.append(Found(what, 1, rowid, str(written)))
    return found


def _is_written(table: str, written: object, deep: bool) -> bool:
    """Whether it is what costsim writes there: a schema; tier starts and models; rules."""
    if not isinstance(written, str):
        return isinstance(written, int) and written > 0
    with suppress(ValueError, RecursionError):
        read = json.loads(written)
        if table == "attribution":
            return _are_rules(written) if deep else isinstance(read, dict) and "attribution" in read
        starts, models = read if isinstance(read, list) and len(read) == 2 else (None, None)
        return _all_are(int, starts) and _all_are(str, models) and all(0 <= start <= MOST for start in starts or ())
    return False


def _are_rules(written: str) -> bool:
    from .attribution import Attribution  # loads pydantic

    Attribution.model_validate_json(written)  # an error of it is a ValueError
    return True


def _all_are(kind: type, values: object) -> bool:
    return isinstance(values, list) and all(type(value) is kind for value in values)
