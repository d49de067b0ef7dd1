"""Parquet files of calls are priced where they lie, and come to what the same calls come to in a store."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.rollup_file import Wanted, make_rollup
from costsim.analysis.spend.spend import Query, spend, spend_calls
from costsim.errors import UsageLogError
from costsim.pricing.book import open_book
from costsim.store import open_store as open_priced_store
from costsim.usage import parquet
from costsim.usage.engines.named import engine_of
from costsim.usage.store import insert_rows, open_store
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

BOOK = open_book()
START = datetime(2026, 10, 5)
CALL = {
    "event_id": "x", "ts": START, "file_id": 1, "source": "parquet", "component": "monitor", "agent": None, "task": None,
    "logged_agent": None, "logged_task": None, "session": None, "provider": "anthropic", "model": "claude-haiku-4-5",
    "processing": "standard", "status": "ok", "aggregated": False, "context_tier": None,
    "input": 0, "cache_read": 0, "cache_write_5m": 0, "cache_write_1h": 0, "output": 0, "web_search": 0, "request": 1,
    "recorded_usd": None, "tags": None,
}  # fmt: skip

CALLS = st.fixed_dictionaries({
    "ts": st.integers(0, 60 * 24 * 5).map(lambda minutes: START + timedelta(minutes=minutes)),
    "component": st.sampled_from(["monitor", "it's"]),
    "agent": st.sampled_from([None, "cto"]),
    "model": st.sampled_from(["claude-haiku-4-5", "claude-sonnet-4-5", "deepseek-chat", "nobody-knows-it"]),
    "provider": st.sampled_from([None, "anthropic", "deepseek"]),
    "processing": st.sampled_from(["standard", "batch"]),
    "input": st.sampled_from([0, 7, 150_000, 250_000]),
    "cache_read": st.sampled_from([0, 100_000]),
    "output": st.integers(0, 900),
    "recorded_usd": st.sampled_from([None, Decimal("0.25")]),
})  # fmt: skip


def stored(store: duckdb.DuckDBPyConnection, calls: list[dict[str, Any]]) -> None:
    insert_rows(store, "usage_event", [CALL | {"event_id": str(n)} | call for n, call in enumerate(calls)])


def written(file: Path, sql: str) -> Path:
    duckdb.connect().execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")
    return file


@pytest.mark.slow
@settings(max_examples=examples(5, 15), deadline=None)
@given(
    calls=st.lists(CALLS, min_size=1, max_size=8), by=st.sampled_from([("day", "component", "model"), ("class",), ()])
)
def test_calls_in_a_file_cost_what_they_cost_in_a_store(calls: list[dict[str, Any]], by: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "costsim.duckdb") as store:
        stored(store, calls)
        file = Path(folder) / "calls.parquet"
        store.execute(f"COPY usage_event TO '{file}' (FORMAT parquet)")
        bring_up_to_date(store, BOOK)
        query = Query(by, date(2026, 10, 6), date(2026, 10, 8))
        in_store, in_file = spend(store, BOOK, query), spend_calls([file], BOOK, query)
    assert (in_file.rows, in_file.total) == (in_store.rows, in_store.total)
    assert in_file.unpriced_models == in_store.unpriced_models


@pytest.mark.slow
def test_a_file_needs_no_more_than_a_time_a_model_and_a_count(tmp_path: Path) -> None:
    file = written(
        tmp_path / "a.parquet", "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, 10 AS input"
    )
    total = spend_calls([file], BOOK, Query()).total
    # 10 tokens at 1 USD per million
    assert (total.calls, total.tokens["input"], total.computed_usd) == (1, 10, Decimal("0.00001"))


@pytest.mark.slow
def test_a_model_that_is_named_for_its_fast_answers_costs_as_much_as_by_way_of_a_rollup(tmp_path: Path) -> None:
    models = "(VALUES ('claude-opus-4-6-fast'), ('claude-opus-4-6')) AS t(model)"
    file = written(
        tmp_path / "a.parquet", f"SELECT TIMESTAMP '2026-10-05' AS ts, model, 100_000 AS input FROM {models}"
    )
    in_place, by_rollup = both(file, tmp_path, ("processing",))
    assert in_place == by_rollup
    # 0.1 million at 30 USD, and at 5
    assert {keys: usd for keys, _, _, usd, _ in in_place} == {("fast",): Decimal(3), ("standard",): Decimal("0.5")}


@pytest.mark.slow
def test_files_with_different_columns_are_read_together(tmp_path: Path) -> None:
    one = "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, 10 AS input"
    written(tmp_path / "a.parquet", one)
    written(tmp_path / "b.parquet", f"{one}, 5 AS output, 3 AS request")
    total = spend_calls([tmp_path], BOOK, Query()).total
    assert (total.calls, total.tokens["input"], total.tokens["output"], total.entries) == (4, 20, 5, 2)


@pytest.mark.slow
def test_a_time_with_a_zone_counts_on_its_day_in_utc(tmp_path: Path) -> None:
    sql = "SELECT TIMESTAMPTZ '2026-10-05 23:30:00-02:00' AS ts, 'claude-haiku-4-5' AS model, 10 AS input"
    assert spend_calls([written(tmp_path / "a.parquet", sql)], BOOK, Query(("day",))).rows[0].keys == ("2026-10-06",)


@pytest.mark.slow
def test_a_tier_that_only_the_last_rows_need_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "FIRST_MODELS", "SELECT 'openai', 'gpt-4o'")
    sql = "SELECT TIMESTAMP '2026-10-05' AS ts, 'gemini-2.5-pro' AS model, 'google' AS provider, 300_000 AS input"
    total = spend_calls([written(tmp_path / "a.parquet", sql)], BOOK, Query()).total
    assert total.computed_usd == Decimal("0.75")  # 300,000 tokens at 2.50 USD per million: the price above 200,000


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("TIMESTAMP '2026-10-05' AS ts, 'm' AS modell, 1 AS input", "there is no column 'model'; did you mean 'modell'"),
        ("'2026-10-05' AS ts, 'm' AS model, 1 AS input", "column 'ts' is VARCHAR, not a timestamp"),
        ("NULL::TIMESTAMP AS ts, 'm' AS model, 1 AS input", "column 'ts' has rows without a time"),
        ("TIMESTAMP '2026-10-05' AS ts, 'm' AS model, -1 AS input", "column 'input' has a negative count: -1"),
        ("TIMESTAMP '2026-10-05' AS ts, 'm' AS model, 1.5 AS input", r"column 'input' is DECIMAL\(2,1\), not a whole"),
    ],
    ids=["no model", "text for a time", "no time", "negative", "a fraction"],
)  # fmt: skip
def test_a_file_that_is_no_log_of_calls_is_refused_in_one_line(tmp_path: Path, columns: str, said: str) -> None:
    with pytest.raises(UsageLogError, match=said):
        spend_calls([written(tmp_path / "a.parquet", f"SELECT {columns}")], BOOK, Query())


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageLogError, match="there is no Parquet file here"):
        spend_calls([tmp_path], BOOK, Query())
    (tmp_path / "a.parquet").write_text("no")
    with pytest.raises(UsageLogError, match="the file cannot be read"):
        spend_calls([tmp_path], BOOK, Query())


def test_of_several_files_the_one_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    written(tmp_path / "a.parquet", "SELECT TIMESTAMP '2026-10-05' AS ts, 'm' AS model, 1 AS input")
    (tmp_path / "e.parquet").write_text("")
    with pytest.raises(UsageLogError, match=r"\A\S*e\.parquet: the file cannot be read"):
        spend_calls([tmp_path], BOOK, Query())


ONE = "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, "


def both(file: Path, folder: Path, by: tuple[str, ...] = ()) -> list[list[Any]]:
    """What a file of calls comes to where it lies, and by way of a rollup."""
    made = make_rollup(engine_of("local", str(file)), BOOK, folder / f"rollup of {file.name}", Wanted())
    with open_priced_store(folder / f"{file.name}.duckdb", BOOK) as store:
        store.load([made.file])
        found = [spend_calls([file], BOOK, Query(by)), store.spend(by=by)]
    return [
        [(row.keys, row.calls, row.counts, row.computed_usd, row.recorded_usd) for row in one.rows] for one in found
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "columns",
    [
        '1_000_000 AS "Input"',
        '1_000_000 AS INPUT, 5 AS "outPut", \'batch\' AS "Processing"',
        '1_000_000 AS input, 0.25::DECIMAL(9, 2) AS "Recorded_USD", \'a\' AS "Component"',
        "1_000_000 AS input, 'e' AS \"Event_ID\" FROM range(3)",
    ],
    ids=["a count", "several", "money", "an id"],
)
def test_letters_of_either_case_name_the_same_column(tmp_path: Path, columns: str) -> None:
    shouted = written(tmp_path / "a.parquet", ONE + columns)
    names = duckdb.execute(f"SELECT column_name FROM (DESCRIBE FROM '{shouted}')").fetchall()
    small = ", ".join(f'"{name}" AS {name.lower()}' for (name,) in names)
    quiet = written(tmp_path / "b.parquet", f"SELECT {small} FROM '{shouted}'")
    assert both(shouted, tmp_path, ("component",)) == both(quiet, tmp_path, ("component",))
    # 1,000,000 tokens at 1 USD per million, or half of it in a batch: none is missing
    assert spend_calls([shouted], BOOK, Query()).total.computed_usd >= Decimal("0.5")


@pytest.mark.slow
def test_files_whose_columns_differ_in_case_are_read_together(tmp_path: Path) -> None:
    written(tmp_path / "a.parquet", ONE + "10 AS input")
    written(tmp_path / "b.parquet", f'{ONE} 5 AS "Input", -1 AS "OUTPUT"'.replace("ts,", '"TS",'))
    with pytest.raises(UsageLogError, match="column 'output' has a negative count"):
        spend_calls([tmp_path], BOOK, Query())
    written(tmp_path / "b.parquet", f'{ONE} 5 AS "Input", 1 AS "OUTPUT"'.replace("ts,", '"TS",'))
    total = spend_calls([tmp_path], BOOK, Query()).total
    assert (total.tokens["input"], total.tokens["output"]) == (15, 1)


@pytest.mark.slow
def test_two_columns_that_differ_in_case_only_are_refused_in_one_line(tmp_path: Path) -> None:
    arrow, arrows = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    values = {"ts": [START], "model": ["claude-haiku-4-5"], "input": [1_000_000], "Input": [5], "x": [1], "X": [2]}
    arrows.write_table(arrow.table(values), tmp_path / "a.parquet")
    said = "the columns 'Input' and 'input' differ in their case only"
    with pytest.raises(UsageLogError, match=said):
        spend_calls([tmp_path / "a.parquet"], BOOK, Query())
    with pytest.raises(UsageLogError, match=said):
        make_rollup(engine_of("local", str(tmp_path / "a.parquet")), BOOK, tmp_path / "r.parquet", Wanted())


@pytest.mark.slow
def test_rows_with_one_id_are_one_call_as_in_a_rollup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sql = """
        SELECT TIMESTAMP '2026-10-05' + INTERVAL (i) HOUR AS ts, 'claude-haiku-4-5' AS model, i AS input, i % 7 AS output,
            CASE WHEN i % 10 = 0 THEN NULL WHEN i % 10 = 1 THEN '' ELSE 'e' || (i % 13) END AS event_id
        FROM range(100) t(i)"""
    file = written(tmp_path / "a.parquet", sql)
    # 20 rows have no id and count each; the other 80 have 13 ids
    assert spend_calls([file], BOOK, Query()).total.calls == 20 + 13
    assert len({str(found) for found in both(file, tmp_path, ("day",))}) == 1
    monkeypatch.setattr(parquet, "HASHES_AT_ONCE", 7)
    assert spend_calls([file], BOOK, Query()).total.calls == 20 + 13


@pytest.mark.slow
@pytest.mark.parametrize("output", [10**13, 2**63 - 1, "-1"])
def test_an_entry_that_cannot_be_takes_no_other_of_its_call_away(tmp_path: Path, output: int | str) -> None:
    """As in a store: it is rejected, and the entry that can be counts."""
    sql = f"{ONE} 10 AS input, CASE WHEN i < 2 THEN {output} ELSE 5 END AS output, 'e' || i % 2 AS event_id FROM range(4) t(i)"
    file = written(tmp_path / "a.parquet", sql)
    made = make_rollup(engine_of("local", str(file)), BOOK, tmp_path / "r.parquet", Wanted())
    assert (made.calls, [calls for _, calls in made.faults]) == (2, [2])
    if output != "-1":  # a negative count is refused where the calls lie
        found = spend_calls([file], BOOK, Query())
        assert (found.total.calls, found.quality.faults) == (2, made.faults)


@pytest.mark.slow
def test_ids_that_stand_in_two_files_are_one_call(tmp_path: Path) -> None:
    for name, output in (("a", 3), ("b", 9)):
        written(tmp_path / f"{name}.parquet", f"{ONE} 10 AS input, {output} AS output, 'e' AS event_id")
    total = spend_calls([tmp_path], BOOK, Query()).total
    assert (total.calls, total.tokens["output"]) == (1, 9)  # the entry with the largest output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("'infinity'::TIMESTAMP AS ts", "a time outside 2000 to 2199"),
        ("'-infinity'::TIMESTAMP AS ts", "a time outside 2000 to 2199"),
        ("TIMESTAMP '1970-01-01' AS ts", "a time outside 2000 to 2199"),
        ("TIMESTAMPTZ '2200-01-01 01:00+01' AS ts", "a time outside 2000 to 2199"),
        ("12345678901234567.5::DOUBLE AS recorded_usd", "a recorded cost over 10^8 USD"),
        ("-1::DECIMAL(9, 2) AS recorded_usd", "a negative recorded cost"),
        ("1_000_000_000_001 AS output", "a count over 10^12"),
        ("9e18::BIGINT AS cache_read", "a count over 10^12"),
    ],
    ids=["infinity", "before all", "1970", "2200", "money", "less than nothing", "a count", "a sum too large"],
)
def test_calls_that_cannot_be_are_named_and_not_counted_as_in_a_rollup(tmp_path: Path, columns: str, said: str) -> None:
    """Three of five rows, in a group of rows of their own or among others."""
    file = tmp_path / "a.parquet"
    value, _, name = columns.rpartition(" AS ")
    sound = f"{ONE} 10 AS input, 0 AS output, 0 AS cache_read, NULL::DOUBLE AS recorded_usd"
    rows = f"* REPLACE (CASE WHEN i < 3 THEN {value} ELSE {name} END AS {name})"
    written(file, f"SELECT {rows} FROM ({sound}), range(5) t(i)")
    found = spend_calls([file], BOOK, Query())
    assert (found.total.calls, found.quality.faults) == (2, ((said, 3),))
    assert f"3 calls with {said}" in found.quality.messages
    made = make_rollup(engine_of("local", str(file)), BOOK, tmp_path / "r.parquet", Wanted())
    assert (made.calls, made.faults) == (2, found.quality.faults)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["' '", "''", "CASE WHEN i = 1 THEN ' ' END", "CASE WHEN i = 1 THEN 'a' ELSE '  ' END"]
)
def test_a_blank_name_is_none(tmp_path: Path, name: str) -> None:
    file = written(
        tmp_path / "a.parquet", f"{ONE} 10 AS input, {name} AS component, {name} AS agent FROM range(3) t(i)"
    )
    here, rolled = both(file, tmp_path, ("component", "agent"))
    assert here == rolled
    assert {row[0][0] for row in here} <= {"unattributed", "a"}


@pytest.mark.slow
def test_a_bill_costs_what_it_says(tmp_path: Path) -> None:
    columns = "'no-such-model' AS model, 12.5::DECIMAL(9, 2) AS recorded_usd, 'bill' AS role, 'copilot-bill' AS source"
    file = written(tmp_path / "a.parquet", f"SELECT TIMESTAMP '2026-10-05' AS ts, {columns}")
    here, rolled = both(file, tmp_path)
    assert here == rolled
    assert here[0][3] == Decimal("12.5")


@pytest.mark.slow
def test_the_command_line_prices_a_file_without_a_store(costsim: Callable[..., Any], tmp_path: Path) -> None:
    sql = (
        "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, 'anthropic' AS provider, 1_000_000 AS input"
    )
    written(tmp_path / "calls.parquet", sql)
    outcome = costsim("spend", "--events", "calls.parquet", "--by", "model", "--format", "csv")
    assert (outcome.code, outcome.out.splitlines()[1][:46]) == (0, "anthropic/claude-haiku-4-5,1,1000000,0,0,0,0,0")
    assert not (tmp_path / "costsim.duckdb").exists()
