"""How runs went: `outcome` rows from a CSV or JSON Lines file into DuckDB.

    ts,task,model,success[,escalated][,human_score][,usd][,request_id]

`success`: was the task solved. `escalated`: did another model have to finish it; then it is no success of
this model. `usd`: what the run cost, failed attempts and retries included. `request_id`: the
`event_id` of the logged call, where there is one. Times without an offset are UTC.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ...csv_reading import Row, bounded_lines, decimal_of, read_csv, whole_lines
from ...documents import check_regular, did_you_mean, plainly, shown_name, unique_keys
from ...errors import InputError, StoreError
from ...usage.shape import statement
from ...usage.store_faults import is_fault

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

REQUIRED = ("ts", "task", "model", "success")
COLUMNS = (*REQUIRED, "escalated", "human_score", "usd", "request_id")
JSON_LINES = (".jsonl", ".ndjson")
ROWS_AT_ONCE = 20_000
YEARS = range(2000, 2200)  # as of calls
MOST_USD = 10**13  # what DECIMAL(38, 24) holds, with room for a sum
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False, "": False}

STAGE = "CREATE OR REPLACE TEMP TABLE outcome_new AS FROM outcome LIMIT 0"
STAGE_ROWS = """
INSERT INTO outcome_new BY NAME
SELECT row.*, $source AS source
FROM (SELECT unnest(from_json($rows, '[{
    "ts": "TIMESTAMP", "request_id": "VARCHAR", "task": "VARCHAR", "model": "VARCHAR", "success": "BOOLEAN",
    "escalated": "BOOLEAN", "human_score": "DOUBLE", "usd": "DECIMAL(38,24)"
}]')) AS row)
"""
REPLACE = """
DELETE FROM outcome
WHERE source = $source OR request_id IN (SELECT request_id FROM outcome_new WHERE request_id IS NOT NULL)
"""
KEEP = "INSERT INTO outcome BY NAME FROM outcome_new"
UNSTAGE = "DROP TABLE outcome_new"


class Outcome(NamedTuple):
    """How one run of a task went on one model; `ts` is naive UTC, `usd` None where the file does not say."""

    ts: datetime
    task: str
    model: str
    success: bool
    escalated: bool
    human_score: Decimal | None
    usd: Decimal | None
    request_id: str | None


@dataclass(frozen=True)
class OutcomeCount:
    """The runs of a task on a model in a calendar month (its first day).

    `successes` are runs that the model solved by itself, `solved` those solved at all. `usd` sums the
    `priced` runs.
    """

    task: str
    model: str
    month: date
    trials: int
    successes: int
    solved: int
    escalated: int
    priced: int
    usd: Fraction
    human_scores: int
    human_score_sum: float


def read_outcomes(file: Path, growing: bool = False) -> Iterator[Outcome]:
    """The outcomes in a CSV file, or in JSON Lines (.jsonl, .ndjson), in file order; of a `growing` file, which a
    program may be writing to, the whole lines.

    Raises InputError while iterating: an unknown, missing or unreadable value, with file, line and column.
    """
    rows = (_json_rows if file.suffix.lower() in JSON_LINES else _csv_rows)(file, growing)
    seen: dict[str, int] = {}
    for line, row in rows:
        outcome = _outcome(row, file, line)
        if outcome.request_id is not None:
            first = seen.setdefault(outcome.request_id, line)
            if first != line:
                message = f"{outcome.request_id!r} stands in line {first} already; an outcome a request"
                raise InputError(message, file=file, line=line, key="request_id")
        yield outcome


def _csv_rows(file: Path, growing: bool) -> Iterator[tuple[int, Row]]:
    header, rows = read_csv(file, growing)
    _demand_columns(header, file, 1)
    return rows


def _json_rows(file: Path, growing: bool) -> Iterator[tuple[int, Row]]:
    try:
        check_regular(file)
        with file.open(encoding="utf-8-sig") as stream:
            lines = bounded_lines(stream, file)
            for line, text in enumerate(whole_lines(stream, lines) if growing else lines, start=1):
                if text.strip():
                    yield line, _json_row(text, file, line)
    except UnicodeDecodeError:
        raise InputError("this is not UTF-8 text; save the file as UTF-8", file=file) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", file=file) from None


def _json_row(text: str, file: Path, line: int) -> Row:
    """A JSON object as texts; numbers keep every digit, null is an empty text."""
    try:
        row = json.loads(text, parse_float=Decimal, parse_constant=str, object_pairs_hook=unique_keys)
    except (json.JSONDecodeError, RecursionError):
        raise InputError("this line is not JSON", file=file, line=line) from None
    except ValueError as error:
        raise InputError(f"this line is not usable JSON: {plainly(error)}", file=file, line=line) from None
    if not isinstance(row, dict):
        raise InputError("this line is not a JSON object", file=file, line=line)
    _demand_columns(list(row), file, line)
    for key, value in row.items():
        if isinstance(value, dict | list):
            raise InputError("this must be a single value", file=file, line=line, key=key)
        if isinstance(value, str) and value != value.encode("utf-8", "replace").decode():
            message = r"a \uD800 to \uDFFF without its other half is no text; remove it"
            raise InputError(message, file=file, line=line, key=key)
    return {key: "" if value is None else str(value).strip() for key, value in row.items()}


def _demand_columns(columns: list[str], file: Path, line: int) -> None:
    if not set(COLUMNS) & set(columns):  # another file than is meant: what it holds is not shown
        raise InputError(f"none of its columns is known here: {', '.join(COLUMNS)}", file=file, line=line)
    for name in columns:
        if name not in COLUMNS:
            raise InputError(f"unknown column {shown_name(name)}{did_you_mean(name, COLUMNS)}", file=file, line=line)
    for name in REQUIRED:
        if name not in columns:
            raise InputError(f"the column {name!r} is missing", file=file, line=line)


def _outcome(row: Row, file: Path, line: int) -> Outcome:
    def number(column: str) -> Decimal | None:
        text = row.get(column, "")
        return decimal_of(text, file, line, column) if text else None

    for name in REQUIRED:
        if not row[name]:
            raise InputError("this must not be empty", file=file, line=line, key=name)
    usd = number("usd")
    if usd is not None and not (0 <= usd < MOST_USD and (Fraction(usd) * 10**24).denominator == 1):
        raise InputError(f"{row['usd']!r} is not an amount in USD", file=file, line=line, key="usd")
    return Outcome(
        ts=_instant(row["ts"], file, line),
        task=row["task"],
        model=row["model"],
        success=_truth(row, "success", file, line),
        escalated=_truth(row, "escalated", file, line),
        human_score=number("human_score"),
        usd=usd,
        request_id=row.get("request_id") or None,
    )


def _instant(text: str, file: Path, line: int) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        instant = instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant
    except (ValueError, OverflowError):
        message = f"{text!r} is not a time; write it as 2026-03-01T08:00:00Z"
        raise InputError(message, file=file, line=line, key="ts") from None
    if instant.year not in YEARS:
        raise InputError(f"{text!r} is a time outside {YEARS[0]} to {YEARS[-1]}", file=file, line=line, key="ts")
    return instant


def _truth(row: Row, column: str, file: Path, line: int) -> bool:
    text = row.get(column, "")
    try:
        return _TRUTH[text.lower()]
    except KeyError:
        raise InputError(f"{text!r} is neither true nor false", file=file, line=line, key=column) from None


def load_outcomes(connection: DuckDBPyConnection, file: Path) -> int:
    """Load `file` into the table `outcome`, all or nothing; returns the number of rows.

    The same file again replaces its rows, and a request that was known already takes the new outcome. A last line
    without its line end counts only once nobody wrote to the file for ten seconds (`last_line_waits`).
    Raises InputError for the file, StoreError for the database.
    """
    source = os.path.realpath(file)  # of a link that leads round in a circle too: reading it says so

    def load() -> int:
        count = 0
        connection.execute(STAGE)
        outcomes = read_outcomes(file, growing=True)
        while batch := list(islice(outcomes, ROWS_AT_ONCE)):
            rows = json.dumps([row._asdict() for row in batch], default=str)
            connection.execute(STAGE_ROWS, {"source": source, "rows": rows})
            count += len(batch)
        connection.execute(REPLACE, {"source": source})
        connection.execute(KEEP)
        connection.execute(UNSTAGE)
        return count

    return _in_transaction(connection, load)


def _in_transaction(connection: DuckDBPyConnection, work: Callable[[], int]) -> int:
    import duckdb

    try:
        connection.execute("BEGIN")
        try:
            connection.execute(statement("outcome"))
            count = work()
            connection.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):  # a disk that fails has rolled back already: its own error is the news
                connection.execute("ROLLBACK")
            raise
    except duckdb.Error as error:
        if is_fault(error) or isinstance(error, duckdb.BinderException):  # who opened the store says what is wrong
            raise
        raise StoreError(f"outcomes cannot be stored: {str(error).splitlines()[0]}") from None
    return count


def count_outcomes(
    connection: DuckDBPyConnection, since: datetime | None = None, until: datetime | None = None
) -> list[OutcomeCount]:
    """The outcomes from `since` (inclusive) to `until` (exclusive), naive UTC, by task, model and month.

    Raises StoreError, also where no outcomes were ever loaded.
    """
    import duckdb

    try:
        result = connection.execute(_sql("outcome_counts"), {"since": since, "until": until})
        rows: list[tuple[Any, ...]] = result.fetchall()
    except duckdb.CatalogException:
        raise StoreError("there are no outcomes; load them first: costsim outcomes FILE") from None
    except duckdb.BinderException:
        raise
    except duckdb.Error as error:
        raise StoreError(f"outcomes cannot be read: {str(error).splitlines()[0]}") from None
    return [_count(*row) for row in rows]


def _count(*row: Any) -> OutcomeCount:
    """A row of outcome_counts.sql, whose columns are the fields in their order; money becomes exact."""
    count = OutcomeCount(*row)
    return replace(count, usd=Fraction(count.usd))


def _sql(name: str) -> str:
    return files(__package__).joinpath(f"{name}.sql").read_text(encoding="utf-8")
