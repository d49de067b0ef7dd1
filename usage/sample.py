"""Calls and sessions as a log has them: what `from_usage` draws its runs from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..documents import did_you_mean, plain_names
from ..errors import UsageLogError
from ..shown import MAX_NAME, shortened
from ..tokens import CACHE_CLASSES, CALL_CLASSES, TEXT_CLASSES

if TYPE_CHECKING:
    from datetime import date

    import duckdb
    import numpy as np
    from numpy.typing import NDArray

    Opened = Callable[[Path], duckdb.DuckDBPyConnection]

MAX_CALLS = 20_000_000
MAX_TOKENS = 1_000_000_000
WHOLE_KINDS = {
    f"{sign}{size}" for sign in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
}
IS_MISFIT = "value IS NOT NULL AND coalesce(TRY_CAST(value AS DECIMAL(38, 9)) % 1 <> 0, TRUE)"


@dataclass(frozen=True)
class LoggedCalls:
    """Calls of a log: `rows` (calls, classes). `session` (calls,) numbers their sessions from 0 up, rows in its order.

    A call without a session is one of its own. None where no call has a session.
    """

    classes: tuple[str, ...]
    rows: NDArray[np.int64] = field(repr=False)
    session: NDArray[np.int64] | None = field(default=None, repr=False)


def file_calls(file: Path, columns: dict[str, str], input_includes_cached: bool = False) -> LoggedCalls:
    """The token classes that `columns` maps, and the calls of a CSV, JSONL or Parquet file.

    `columns` maps costsim's names to the file's: token classes, `session`, and `ts`, which orders a session's calls.
    `input` comes out without cached tokens. Raises UsageLogError where a column is missing or a count is not a
    whole number from 0 to 10^9.
    """
    import duckdb
    import numpy as np

    classes = tuple(name for name in CALL_CLASSES if name in columns)
    if not classes:
        raise UsageLogError(
            f"columns map no token class; give at least input, of: {', '.join(CALL_CLASSES)}", file=file
        )
    with duckdb.connect() as connection, TemporaryDirectory() as spool:
        try:
            table = _relation(connection, file, Path(spool))
            _check_columns(table, columns, file)
            _check_cells(table, {name: columns[name] for name in classes}, file)
            found = _numbered(table, columns, classes).limit(MAX_CALLS + 1).fetchnumpy()
        except duckdb.Error as error:
            raise UsageLogError(f"the log cannot be read: {str(error).splitlines()[0]}", file=file) from None
    place = found.get("place", np.arange(1, len(found[classes[0]]) + 1))
    arrays = [_counts(found[name], columns[name], file, place) for name in classes]
    if not len(arrays[0]):
        raise UsageLogError("the log holds no call", file=file)
    if len(arrays[0]) > MAX_CALLS:
        raise UsageLogError(f"the log holds more than {MAX_CALLS:,} calls; give a sample of it", file=file)
    rows = np.column_stack(arrays)
    session = _sessions(found) if "session" in columns else None
    return LoggedCalls(classes, _uncached(rows, classes, file) if input_includes_cached else rows, session)


def _numbered(
    table: duckdb.DuckDBPyRelation, columns: dict[str, str], classes: tuple[str, ...]
) -> duckdb.DuckDBPyRelation:
    """The counts of each call, with the number of its session where the file has sessions."""
    import duckdb

    numbers = [duckdb.ColumnExpression(columns[name]).cast("BIGINT").alias(name) for name in classes]
    if "session" not in columns:
        return table.select(*numbers)
    named = duckdb.ColumnExpression(columns["session"]).cast("VARCHAR")
    own = duckdb.FunctionExpression("nullif", named, duckdb.ConstantExpression("")).alias("session")
    at = duckdb.ColumnExpression(columns["ts"]) if "ts" in columns else duckdb.ConstantExpression(0)
    place = duckdb.SQLExpression("row_number() OVER ()").alias("place")
    counted = table.select(*numbers, own, at.alias("instant"), place)
    run, known = duckdb.SQLExpression(FILE_RUN).alias("run"), duckdb.SQLExpression("session IS NOT NULL")
    return counted.select(duckdb.StarExpression(), run, known.alias("has_session")).order("run, instant, place")


FILE_RUN = "dense_rank() OVER (ORDER BY session, CASE WHEN session IS NULL THEN place END) - 1"
STORE_ROWS = f"""
SELECT {", ".join(CALL_CLASSES)},
    dense_rank() OVER (ORDER BY session, CASE WHEN session IS NULL THEN event_id END) - 1 AS run,
    session IS NOT NULL AS has_session
FROM usage_event
WHERE covered_by IS NULL AND NOT aggregated AND request = 1
    AND ($component IS NULL OR component = $component)
    AND ($agent IS NULL OR coalesce(agent, '') = $agent)
    AND ($task IS NULL OR coalesce(task, '') = $task)
    AND ($provider IS NULL OR coalesce(provider, '') = $provider)
    AND ($model IS NULL OR coalesce(model, '') = $model)
    AND ($source IS NULL OR source = $source)
    AND ($since IS NULL OR ts >= $since::DATE) AND ($until IS NULL OR ts < $until::DATE + 1)
ORDER BY run, ts, event_id
LIMIT $limit
"""  # noqa: S608 (token classes)


@contextmanager
def opened_once() -> Iterator[Opened]:
    """What opens a store to be read: each once while the block lasts, for an opening looks at all that is in it."""
    with ExitStack() as stack:

        @cache
        def opened(store: Path) -> duckdb.DuckDBPyConnection:
            from .store import open_store  # loads DuckDB: not for a fleet without logs

            return stack.enter_context(open_store(store, read_only=True))

        yield opened


def store_calls(
    opened: Opened, store: Path, where: dict[str, str], since: date | None = None, until: date | None = None
) -> LoggedCalls:
    """The single calls of a store whose fields are these, from day to day, session by session: all classes but those of
    audio and images that none has.

    Sums that a source had already made are left out: they are no calls. Raises StoreError, UsageLogError.
    """
    import numpy as np

    names = ("component", "agent", "task", "provider", "model", "source")
    values = {**{name: where.get(name) for name in names}, "since": since, "until": until, "limit": MAX_CALLS}
    found = opened(store).execute(STORE_ROWS, values).fetchnumpy()
    classes = tuple(name for name in CALL_CLASSES if name in TEXT_CLASSES or np.any(found[name]))
    rows = np.column_stack([np.asarray(found[name], dtype=np.int64) for name in classes])
    if not len(rows):
        said = ", ".join(f"{name} {value!r}" for name, value in where.items()) or "anything"
        raise UsageLogError(f"the store holds no single call of {said}", file=store)
    return LoggedCalls(classes, rows, _sessions(found))


def _sessions(found: dict[str, Any]) -> NDArray[np.int64] | None:
    """The number of each call's session; None where no call has one."""
    import numpy as np

    return np.asarray(found["run"], dtype=np.int64) if np.asarray(found["has_session"]).any() else None


def _relation(connection: duckdb.DuckDBPyConnection, file: Path, spool: Path) -> duckdb.DuckDBPyRelation:
    """The rows of this one file, whatever its name and its folders' names mean to DuckDB."""
    if not file.is_file():
        raise UsageLogError("there is no such file", file=file)
    from .files import escaped
    from .listing import linked  # loads the readers: not for a fleet without logs

    path = escaped(linked(os.path.abspath(file), spool))
    match file.suffix.lower():
        case ".parquet":
            return connection.read_parquet(path, hive_partitioning=False)
        case ".jsonl" | ".ndjson" | ".json":
            return connection.read_json(path, hive_partitioning=False)
        case _:
            return connection.read_csv(path, hive_partitioning=False)


def _check_columns(table: duckdb.DuckDBPyRelation, columns: dict[str, str], file: Path) -> None:
    for name, column in columns.items():
        if column not in table.columns:
            raise UsageLogError(
                f"there is no column {column!r} for {name}{did_you_mean(column, plain_names(table.columns))}", file=file
            )


def _check_cells(table: duckdb.DuckDBPyRelation, columns: dict[str, str], file: Path) -> None:
    """Raises UsageLogError for the first cell of these columns that is no whole number: a cast would round it, take
    `true` for 1, or say neither where it stands nor what to do."""
    import duckdb

    kinds = dict(zip(table.columns, map(str, table.types), strict=True))
    for column in columns.values():
        if kinds[column] in WHOLE_KINDS:
            continue
        value = duckdb.ColumnExpression(column).cast("VARCHAR").alias("value")
        place = duckdb.SQLExpression("row_number() OVER ()").alias("place")
        misfits = table.select(value, place).filter(duckdb.SQLExpression(IS_MISFIT))
        for cell, row in misfits.order("place").limit(1).fetchall():
            raise UsageLogError(
                f"column {column!r} holds {shortened(cell, MAX_NAME)!r} in row {row:,}, which is no whole number; "
                "write the count of tokens there, such as 1200, or leave out the row",
                file=file,
            )


def _counts(values: NDArray[np.int64], column: str, file: Path, place: NDArray[np.int64]) -> NDArray[np.int64]:
    """The counts of a column; `place` are the numbers of their rows in the file."""
    import numpy as np

    missing = np.ma.getmaskarray(values)
    if missing.any():
        raise UsageLogError(f"column {column!r} is empty in row {int(place[missing.argmax()])}", file=file)
    plain = np.asarray(values, dtype=np.int64)
    wrong = (plain < 0) | (plain > MAX_TOKENS)
    if wrong.any():
        row = int(wrong.argmax())
        raise UsageLogError(
            f"column {column!r} holds {plain[row]} in row {int(place[row])}; no call has that", file=file
        )
    return plain


def _uncached(rows: NDArray[np.int64], classes: tuple[str, ...], file: Path) -> NDArray[np.int64]:
    if "input" not in classes:
        raise UsageLogError("input_includes_cached needs a column for input", file=file)
    plain, place = rows.copy(), classes.index("input")
    for name in CACHE_CLASSES:
        if name in classes:
            plain[:, place] -= rows[:, classes.index(name)]
    if (plain[:, place] < 0).any():
        row = int((plain[:, place] < 0).argmax())
        raise UsageLogError(f"row {row + 1} has more cached tokens than input tokens", file=file)
    return plain
