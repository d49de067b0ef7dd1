"""A table that was kept as Parquet, in whatever types its writer chose, has the calls that it has as a CSV."""

from __future__ import annotations

import csv
from decimal import Decimal
from functools import cache
from pathlib import Path

import duckdb
import pytest
from costsim.errors import UsageLogError
from costsim.usage.load import load
from costsim.usage.reader import identifier
from emptied import open_store
from thorough import examples

DATA = Path(__file__).parent.parent / "data" / "usage"
TABLES = sorted(DATA.glob("*/*.csv"))
KINDS = (
    "DOUBLE", "BLOB", "TIMESTAMP", "DECIMAL(18, 3)", "TIMESTAMPTZ", "DATE", "BIGINT", "HUGEINT", "DECIMAL(38, 0)",
)  # fmt: skip
CALLS = """
SELECT source, ts, period_end, model, processing, input, cache_read, cache_write_5m, cache_write_1h, output,
    web_search, round(recorded_usd, 9), session, request_id, agent, role
FROM usage_event ORDER BY ALL
"""


@cache
def table_of(file: Path) -> tuple[duckdb.DuckDBPyConnection, list[str]]:
    """The cells of a CSV as texts, empty ones NULL; and its columns."""
    connection = duckdb.connect()
    text = file.read_text("utf-8-sig")
    delimiter = max(",;\t|", key=text.partition("\n")[0].count)
    header, *rows = (row for row in csv.reader(text.splitlines(True), delimiter=delimiter) if row)
    names = [name.strip() for name in header]
    connection.execute(f"CREATE TABLE cells ({', '.join(f'{identifier(name)} VARCHAR' for name in names)})")
    for row in rows:
        cells = [cell or None for cell in row[: len(names)]]
        cells += [None] * (len(names) - len(cells))
        connection.execute(f"INSERT INTO cells VALUES ({', '.join('?' * len(names))})", cells)
    return connection, names


def twin(file: Path, kind: str, to: Path) -> Path:
    """The table as Parquet: each column of this type of which every cell is such a value."""
    connection, names = table_of(file)
    asked = ", ".join(_fits(cell, kind) for cell in map(identifier, names))
    fits = connection.execute(f"SELECT {asked} FROM cells").fetchone() or ()
    typed = {identifier(name) for name, fit in zip(names, fits, strict=True) if fit}
    cast = "encode({0})" if kind == "BLOB" else f"{{0}}::{kind}"
    columns = [
        cast.format(identifier(name)) + f" AS {identifier(name)}" if name in typed else identifier(name)
        for name in names
    ]
    connection.execute(f"COPY (SELECT {', '.join(columns)} FROM cells) TO '{to}' (FORMAT parquet)")
    return to


def _fits(cell: str, kind: str) -> str:
    """SQL for whether all cells of a column, of which there are some, are values of this type."""
    shapes = {"BLOB": "", "DATE": r"\d{4}-\d\d-\d\d", "DOUBLE": r"-?\d{1,15}|-?\d{1,9}\.\d{1,5}"}
    shape = shapes.get(kind, r"\d{4}-.*" if kind.startswith("TIMESTAMP") else r"-?\d{1,15}")
    fits = f"TRY_CAST({cell} AS {kind}) IS NOT NULL AND regexp_full_match({cell}, '{shape}')" if shape else "true"
    return f"count({cell}) > 0 AND bool_and({cell} IS NULL OR ({fits}))"


@pytest.mark.slow
@pytest.mark.parametrize("file", TABLES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_a_table_has_the_same_calls_in_every_type(tmp_path: Path, file: Path) -> None:
    kinds = KINDS[: examples(4, len(KINDS))]
    twins = [twin(file, kind, tmp_path / f"{number}.parquet") for number, kind in enumerate(kinds)]
    expected = calls_of(file)
    for kind, typed in zip(kinds, twins, strict=True):
        assert calls_of(typed) == expected, kind
    assert calls_of(file, *twins) == expected, "what all have counts once"


def calls_of(*files: Path) -> list[tuple[object, ...]]:
    with open_store(Path(":memory:")) as store:
        load(store, files)
        assert store.execute("SELECT count(*) FROM reject").fetchone() == (0,)
        return store.execute(CALLS).fetchall()


NEW_API = DATA / "new-api-logs" / "logs.csv"


def test_a_type_of_call_that_is_kept_as_a_double_is_one(tmp_path: Path) -> None:
    """pandas keeps whole numbers of a column with a gap as doubles: 2.0 is the type 2, a call that was consumed."""
    with open_store(Path(":memory:")) as store:
        assert load(store, [twin(NEW_API, "DOUBLE", tmp_path / "typed.parquet")]).total("added") == 2


def test_days_are_days_only_where_no_moment_is_within_one(tmp_path: Path) -> None:
    """An hourly export has its first row at midnight: it is of an hour. Of days kept as moments each is of a day."""
    row = "{}, '' AS workspace, 'claude-haiku-4-5' AS model_version, 100 AS usage_input_tokens_no_cache"
    ends = {}
    for name, times in (("hours", ("05 00:00", "05 01:00")), ("days", ("05 00:00", "06 00:00"))):
        rows = " UNION ALL ".join(
            f"SELECT {row.format(f'''TIMESTAMP '2026-10-{at}' AS usage_date_utc''')}" for at in times
        )
        file = tmp_path / f"{name}.parquet"
        duckdb.connect().execute(f"COPY ({rows}) TO '{file}' (FORMAT parquet)")
        with open_store(Path(":memory:")) as store:
            load(store, [file])
            sql = "SELECT DISTINCT epoch(period_end - ts)::INTEGER FROM usage_event"
            ends[name] = store.execute(sql).fetchall()
    assert ends == {"hours": [(3_600,)], "days": [(86_400,)]}


def test_bytes_that_are_no_text_are_said_as_they_are(tmp_path: Path) -> None:
    """A model named in bytes that are no UTF-8 is unpriced under the name that shows them."""
    file = tmp_path / "typed.parquet"
    columns = """
        'caf\\xE9'::BLOB AS model_name, 2 AS type, 1 AS id, 1791194400 AS created_at, 5 AS prompt_tokens,
        7 AS completion_tokens, 0 AS quota, '' AS other, 0 AS use_time, true AS is_stream, '' AS username,
        '' AS token_name, 0 AS channel_id
    """
    duckdb.connect().execute(f"COPY (SELECT {columns}) TO '{file}' (FORMAT parquet)")
    with open_store(Path(":memory:")) as store:
        load(store, [file])
        assert store.execute("SELECT model FROM usage_event").fetchall() == [("caf\\xE9",)]


def parquet(file: Path, columns: str) -> Path:
    duckdb.connect().execute(f"COPY (SELECT {columns}) TO '{file}' (FORMAT parquet)")
    return file


SPEND = """'r1' AS request_id, 'acompletion' AS call_type, 'claude-haiku-4-5' AS model, 0.5 AS spend, 100 AS total_tokens,
    90 AS prompt_tokens, 10 AS completion_tokens, TIMESTAMP '2026-10-05 10:00' AS "startTime"
"""


@pytest.mark.parametrize(
    "metadata",
    [
        """'{"usage_object": {"cache_read_input_tokens": 50}}'""",
        """'{"usage_object": {"cache_read_input_tokens": 50}}'::JSON::VARIANT""",
        "{'usage_object': {'cache_read_input_tokens': 50, 'cache_creation_input_tokens': NULL}}",
        "MAP {'usage_object': MAP {'cache_read_input_tokens': 50}}",
        'encode(\'{"usage_object": {"cache_read_input_tokens": 50}}\')',
    ],
    ids=["text", "variant", "struct", "map", "bytes"],
)
def test_an_object_in_a_cell_is_one_in_every_type(tmp_path: Path, metadata: str) -> None:
    file = parquet(tmp_path / "calls.parquet", f"{SPEND}, {metadata} AS metadata")
    with open_store(Path(":memory:")) as store:
        load(store, [file])
        assert store.execute("SELECT input, cache_read FROM usage_event").fetchall() == [(40, 50)]


def test_columns_may_differ_in_their_case_only(tmp_path: Path) -> None:
    """DuckDB would name the second of `Model` and `model` anew, and the call would have none."""
    file = parquet(tmp_path / "calls.parquet", f"'other' AS qodel, {{'a': 1, 'b': [{{'c': 2}}]}} AS nested, {SPEND}")
    file.write_bytes(file.read_bytes().replace(b"qodel", b"Model"))  # DuckDB writes no such columns
    with open_store(Path(":memory:")) as store:
        load(store, [tmp_path / "calls.parquet"])
        found = store.execute("SELECT model, input, output, recorded_usd FROM usage_event").fetchall()
    assert found == [("claude-haiku-4-5", 90, 10, Decimal("0.5"))]


def test_a_table_of_what_is_read_as_a_document_is_no_log(tmp_path: Path) -> None:
    file = tmp_path / "thread.parquet"
    duckdb.connect().execute(f"COPY (FROM read_json('{DATA / 'amp' / 'T-current.json'}')) TO '{file}' (FORMAT parquet)")
    with open_store(Path(":memory:")) as store, pytest.raises(UsageLogError, match="no log that costsim knows"):
        load(store, [file])
