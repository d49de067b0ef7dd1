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
from costsim.analysis.spend.spend import Query, spend, spend_calls
from costsim.errors import UsageLogError
from costsim.pricing.book import open_book
from costsim.usage import parquet
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
    insert_rows(store, "usage_event", [CALL | call for call in calls])


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


@pytest.mark.slow
def test_the_command_line_prices_a_file_without_a_store(costsim: Callable[..., Any], tmp_path: Path) -> None:
    sql = (
        "SELECT TIMESTAMP '2026-10-05' AS ts, 'claude-haiku-4-5' AS model, 'anthropic' AS provider, 1_000_000 AS input"
    )
    written(tmp_path / "calls.parquet", sql)
    outcome = costsim("spend", "--events", "calls.parquet", "--by", "model", "--format", "csv")
    assert (outcome.code, outcome.out.splitlines()[1][:46]) == (0, "anthropic/claude-haiku-4-5,1,1000000,0,0,0,0,0")
    assert not (tmp_path / "costsim.duckdb").exists()
