"""Calls as Parquet, summed where they lie: a file with columns of `usage_event` needs no loading.

Columns that the file does not have get the values that a call has by itself (one request, standard processing). What
the file's own statistics show is not read: a column that holds one value throughout is that value. As in a rollup
(`engines/statement.py`), letters of either case name the same column, rows with one `event_id` are one call, and calls
that cannot be are not counted but named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import duckdb

from ..documents import did_you_mean
from ..errors import UsageLogError
from ..tokens import TOKEN_CLASSES
from .column_names import column_named
from .engines.statement import BEST, FAULT, UNIQUE
from .files import escaped
from .lake_tables import refuse_remote_table, refuse_table_files
from .listing import find_files
from .object_stores import allow, is_remote, pattern_of, said
from .parquet_bounds import check_summed
from .processing import as_named
from .project import NAMES, unless_blank
from .reader import DEFAULTS, DIMENSIONS, identifier
from .rollup import COUNTS, KEPT, rolled_models, sums
from .rollup import NEEDED as PRICED_BY
from .store import open_store, scalar

if TYPE_CHECKING:
    from datetime import date

TYPES = {"aggregated": "BOOLEAN", "context_tier": "BIGINT", "recorded_usd": "DECIMAL(38, 18)"} | dict.fromkeys(
    TOKEN_CLASSES, "BIGINT"
)
MISSING = {**DEFAULTS, "source": "'parquet'", "role": "'calls'", "component": "'unattributed'", "covered_by": "NULL"}
READ = (*KEPT, *TOKEN_CLASSES, "aggregated", "context_tier", "recorded_usd", "session", *DIMENSIONS, "tags",
        "covered_by")  # fmt: skip
SUMMED = frozenset({*READ, UNIQUE})
WHOLE = {f"{sign}{kind}" for kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT") for sign in ("", "U")}
NEEDED = ("ts", "model")
STATISTICS = """
WITH part AS (FROM parquet_metadata($files) WHERE num_values > 0),
whole AS (SELECT sum(row_group_num_rows) AS rows FROM part WHERE column_id = 0)
SELECT lower(path_in_schema) AS name,
    CASE WHEN sum(stats_null_count) = 0 AND bool_and(min_is_exact AND max_is_exact)
        AND min(stats_min_value) = max(stats_max_value) AND sum(num_values) = any_value(rows)
        THEN min(stats_min_value) END,
    coalesce(sum(stats_null_count) = sum(num_values), false),
    coalesce(sum(stats_null_count) = 0 AND sum(num_values) = any_value(rows), false),
    CASE WHEN bool_and(stats_min_value IS NOT NULL) THEN min(TRY_CAST(stats_min_value AS HUGEINT)) END,
    bool_and(stats_null_count = num_values OR coalesce(CASE name
        WHEN 'ts' THEN TRY_CAST(stats_min_value AS TIMESTAMP) >= TIMESTAMP '2000-01-01'
            AND TRY_CAST(stats_max_value AS TIMESTAMP) < TIMESTAMP '2200-01-01'
        WHEN 'recorded_usd' THEN TRY_CAST(stats_min_value AS DOUBLE) >= 0 AND TRY_CAST(stats_max_value AS DOUBLE) <= 1e8
        ELSE TRY_CAST(stats_max_value AS HUGEINT) <= 1000000000000 END, false))
FROM part, whole GROUP BY ALL
"""
SPELLINGS = """
SELECT DISTINCT unnest(list(path_in_schema)) FROM parquet_metadata($files)
GROUP BY file_name, lower(path_in_schema) HAVING count(DISTINCT path_in_schema) > 1
"""
HASH = "CASE WHEN event_id IS NOT NULL THEN hash(event_id) END"
HASHES = f"SELECT {HASH} AS hash FROM usable WHERE hash % $parts::UBIGINT = $part::UBIGINT"  # noqa: S608 (ours)
HASHES_AT_ONCE = 50_000_000  # 8 bytes each
ONCE = f"""
CREATE TEMP TABLE repeated AS SELECT {HASH} AS hash FROM usable WHERE hash IS NOT NULL GROUP BY ALL HAVING count(*) > 1;
CREATE TEMP TABLE kept AS SELECT * EXCLUDE (place) FROM (
    SELECT usable.*, row_number() OVER (PARTITION BY event_id ORDER BY {BEST}) AS place
    FROM usable SEMI JOIN repeated ON {HASH} = repeated.hash
) WHERE place = 1;
CREATE VIEW usage_event AS FROM usable ANTI JOIN repeated ON {HASH} = repeated.hash UNION ALL FROM kept
"""  # noqa: S608 (ours)
EACH = "CREATE VIEW usage_event AS FROM usable"
FAULTS = f"""
SELECT fault, count(*) FROM (SELECT {FAULT} AS fault FROM call) WHERE fault IS NOT NULL GROUP BY fault ORDER BY fault
"""  # noqa: S608 (ours)
FIRST_ROWS = 20_000
FIRST_MODELS = f"""
SELECT DISTINCT provider, model FROM (SELECT provider, model FROM usage_event LIMIT {FIRST_ROWS})
WHERE model IS NOT NULL
"""  # noqa: S608 (a number)


@dataclass(frozen=True)
class Column:
    """What a file says of a column: its type, and from its statistics the one value it has, or the least one, and
    whether all are such as calls have."""

    kind: str
    only: str | None = None
    empty: bool = False
    full: bool = False
    least: int | None = None
    usable: bool = False


@dataclass(frozen=True)
class Calls:
    """A store in memory whose `usage_event` is the files; `constant` columns hold one value, given as SQL.

    `faults` are calls that are not in it, counted by what is wrong with them.
    """

    connection: duckdb.DuckDBPyConnection
    constant: Mapping[str, str]
    faults: tuple[tuple[str, int], ...] = ()

    def models(self) -> list[tuple[str | None, str]]:
        """The providers and models of the first rows."""
        return self.connection.execute(FIRST_MODELS).fetchall()

    def roll_up(
        self,
        keep: Sequence[str],
        tier_starts: Sequence[int],
        half_hour_models: Sequence[str],
        since: date | None,
        until: date | None,
    ) -> list[tuple[str | None, str]]:
        """Fill `usage_daily` anew with sums that keep apart what a price depends on, and `keep`; return its models.

        Other columns of `KEPT` are not distinguished.
        """
        dropped = {name: _missing(name) for name in KEPT if name not in (*keep, *PRICED_BY)}
        slot = {} if half_hour_models else {"slot": "(-1)::SMALLINT"}
        values: dict[str, object] = {"by_half_hour": list(half_hour_models)} if half_hour_models else {}
        where = [f"ts >= ${name}" for name in ("since",) if since] + ["ts < $until + 1"] * bool(until)
        values |= {name: day for name, day in (("since", since), ("until", until)) if day}
        summed = sums("usage_event", tier_starts, " AND ".join([COUNTS, *where]), {**self.constant, **dropped, **slot})
        self.connection.execute("DELETE FROM usage_daily")
        named = f"SELECT * REPLACE ({as_named('provider')} AS processing) FROM ({summed})"  # noqa: S608 (ours)
        self.connection.execute(f"INSERT INTO usage_daily BY NAME {named}", values)
        return rolled_models(self.connection)


@contextmanager
def open_calls(paths: Sequence[str | Path]) -> Iterator[Calls]:
    """Parquet files, folders or globs as a store to be summed. Raises UsageLogError, with the file and column."""
    with TemporaryDirectory() as spool:  # for links to names that DuckDB does not take
        yield from _opened(paths, Path(spool))


def _opened(paths: Sequence[str | Path], spool: Path) -> Iterator[Calls]:
    files = parquet_files([path for path in paths if not is_remote(path)], spool)
    with open_store(Path(":memory:")) as connection:
        for path in [str(path) for path in paths if is_remote(path)]:
            allow(connection, path)
            files.append(pattern_of(connection, path))
            refuse_remote_table(connection, files[-1])
        if not files:
            raise UsageLogError("there is no Parquet file here", file=Path(paths[0]))
        connection.execute("SET parquet_metadata_cache = true")
        try:
            yield _calls(connection, files)
        except duckdb.Error as error:
            meant = next((file for file in files if f"'{file}'" in str(error)), files[0])
            raise UsageLogError(f"the file cannot be read: {said(error)}", file=meant) from None


def parquet_files(paths: Sequence[str | Path], spool: Path) -> list[str]:
    """The Parquet files here that the paths name, as DuckDB takes them. Raises UsageLogError for those of a table."""
    files = [file.path for file in find_files(paths, spool) if file.path.endswith(".parquet")]
    refuse_table_files(files)
    return [escaped(file) for file in files]


def _calls(connection: duckdb.DuckDBPyConnection, files: list[str]) -> Calls:
    calls = connection.read_parquet(files, union_by_name=len(files) > 1, hive_partitioning=False)
    calls.create_view("calls")
    columns = _columns(connection, files)
    check_summed(connection, files, SUMMED)
    for name in NEEDED:
        if name not in columns:
            raise UsageLogError(f"there is no column {name!r}{did_you_mean(name, sorted(columns))}", file=files[0])
    for name in TOKEN_CLASSES:
        _check_count(connection, files, name, columns.get(name))
    constant = {name: sql for name in READ if (sql := _constant(name, columns.get(name)))}
    shown = {"ts": _time(files, columns["ts"])}
    shown |= {name: constant.get(name) or _value(name, columns[name]) for name in READ}
    selected = ", ".join(
        f"{sql} AS {identifier(name)}" for name, sql in {"ts": _time(files, columns["ts"]), **shown}.items()
    )
    selected += f", {_id(columns.get(UNIQUE))} AS {UNIQUE}"
    connection.execute(f"CREATE VIEW call AS SELECT {selected} FROM calls")  # noqa: S608 (names are ours)
    sound = all(columns[name].usable for name in ("ts", "recorded_usd", *TOKEN_CLASSES) if name in columns)
    faults = [] if sound else connection.execute(FAULTS).fetchall()
    connection.execute(f"CREATE VIEW usable AS FROM call {f'WHERE ({FAULT}) IS NULL' if faults else ''}")
    connection.execute("DROP TABLE usage_event")
    connection.execute(ONCE if UNIQUE in columns and _are_repeated(connection) else EACH)
    return Calls(connection, constant, tuple(faults))


def _columns(connection: duckdb.DuckDBPyConnection, files: list[str]) -> dict[str, Column]:
    """What the files say of their columns, by their names in small letters. Raises UsageLogError."""
    kinds = dict(connection.execute("SELECT column_name, column_type FROM (DESCRIBE calls)").fetchall())
    names = spellings(connection, files)
    for name in (*READ, "ts", UNIQUE):
        column_named(name, names, files[0])
    stated = {name: said for name, *said in connection.execute(STATISTICS, {"files": files}).fetchall()}
    return {name.lower(): Column(kind, *stated.get(name.lower(), ())) for name, kind in kinds.items()}


def spellings(connection: duckdb.DuckDBPyConnection, files: list[str]) -> list[str]:
    """The names of columns that a file has in several spellings: DuckDB gives the second another name."""
    return [name for (name,) in connection.execute(SPELLINGS, {"files": files}).fetchall()]


def _are_repeated(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether some calls may have one id: two hashes are the same. Sorted here, in half the time of SQL's DISTINCT."""
    import numpy as np  # not for a file without ids

    parts = 1 + scalar(connection, "SELECT count(*) FROM usable") // HASHES_AT_ONCE
    for part in range(parts):
        asked = connection.execute(HASHES, {"parts": parts, "part": part})
        hashes = np.sort(np.asarray(asked.fetchnumpy()["hash"]))
        if (hashes[1:] == hashes[:-1]).any():
            return True
    return False


def _check_count(connection: duckdb.DuckDBPyConnection, files: list[str], name: str, column: Column | None) -> None:
    if column is None or column.empty:
        return
    if column.kind not in WHOLE:
        raise UsageLogError(f"column {name!r} is {column.kind}, not a whole number", file=files[0])
    least = column.least
    if least is None:
        least = scalar(connection, f"SELECT min({identifier(name)}) FROM calls")  # noqa: S608 (a name of ours)
    if least < 0:
        raise UsageLogError(f"column {name!r} has a negative count: {least}", file=files[0])


def _constant(name: str, column: Column | None) -> str | None:
    """The SQL of the one value that a column holds."""
    if column is None or column.empty:
        return _missing(name)
    if column.only is None or (column.kind not in WHOLE and column.kind not in ("VARCHAR", "BOOLEAN")):
        return None
    if name in NAMES and not column.only.strip(" "):
        return _missing(name)
    return "'" + column.only.replace("'", "''") + f"'::{TYPES.get(name, 'VARCHAR')}"


def _value(name: str, column: Column) -> str:
    if name == "tags" and column.kind != "VARCHAR":
        return f"to_json({identifier(name)})::VARCHAR"  # a struct, a map or JSON
    cast = f"{identifier(name)}::{TYPES.get(name, 'VARCHAR')}"
    if name in NAMES:
        return f"coalesce({unless_blank(cast)}, {_missing(name)})"
    return cast if column.full else f"coalesce({cast}, {_missing(name)})"


def _id(column: Column | None) -> str:
    return "NULL::VARCHAR" if column is None else f"nullif({UNIQUE}::VARCHAR, '')"


def _missing(name: str) -> str:
    return f"{MISSING[name]}::{TYPES.get(name, 'VARCHAR')}"


def _time(files: list[str], column: Column) -> str:
    if not column.full:
        raise UsageLogError("column 'ts' has rows without a time", file=files[0])
    if column.kind == "TIMESTAMP WITH TIME ZONE":
        return "ts AT TIME ZONE 'UTC'"
    if not column.kind.startswith("TIMESTAMP"):
        raise UsageLogError(f"column 'ts' is {column.kind}, not a timestamp", file=files[0])
    return "ts::TIMESTAMP"
