"""The tables in DuckDB: what a sum of usage costs there, and when it is an error rather than a wrong figure."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest
from costsim.pricing.book import PriceBook, open_book
from costsim.pricing.rows import ModelKey
from costsim.pricing.store import cost_sums, load_prices, resolve_models
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

HAIKU = ModelKey("anthropic", "claude-haiku-4-5")
NOON = datetime(2026, 3, 1, 12)

Sum = tuple[int, datetime, str | None, str | None, str, int, str, int]


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def usage(token_class: str, tokens: int, key: ModelKey | None = HAIKU, at: datetime = NOON, **other: object) -> Sum:
    provider, model = key or (None, None)
    processing, tier_input = str(other.get("processing", "standard")), int(str(other.get("tier_input", 0)))
    return (int(str(other.get("sum_id", 1))), at, provider, model, processing, tier_input, token_class, tokens)


def cost(connection: duckdb.DuckDBPyConnection, sums: Iterable[Sum]) -> list[tuple[Decimal | None, Decimal | None]]:
    """(usd, shadow_usd) of each sum, in order."""
    connection.execute(
        'CREATE OR REPLACE TABLE usage_sum (sum_id BIGINT, "at" TIMESTAMP, provider VARCHAR, model VARCHAR, '
        "processing VARCHAR, tier_input BIGINT, token_class VARCHAR, tokens BIGINT)"
    )
    connection.executemany("INSERT INTO usage_sum VALUES (?, ?, ?, ?, ?, ?, ?, ?)", list(sums))
    cost_sums(connection)
    return connection.execute("SELECT usd, shadow_usd FROM sum_cost").fetchall()


@pytest.mark.slow
def test_the_whole_list_loads_in_two_seconds(list_book: PriceBook, connection: duckdb.DuckDBPyConnection) -> None:
    rows = sum(len(list_book.rows(key)) for key in list_book.keys())
    started = time.process_time()
    load_prices(connection, list_book)
    assert time.process_time() - started < 2
    loaded = connection.execute("SELECT count(*), count(DISTINCT price_id) FROM price").fetchall()
    assert rows > 14_000
    assert rows * 0.99 < loaded[0][0] == loaded[0][1] <= rows


def test_a_price_is_whole_in_the_table(list_book: PriceBook, connection: duckdb.DuckDBPyConnection) -> None:
    load_prices(connection, list_book, [HAIKU])
    row = list_book.price(HAIKU, "cache_write_1h", at=NOON)
    assert row is not None
    found = connection.execute(
        "SELECT usd, per, usd_per_unit, shadow_usd, source, min_input_tokens, layer FROM price "
        "WHERE token_class = 'cache_write_1h' AND processing = 'standard'"
    ).fetchall()
    assert found == [(Decimal(2), 1_000_000, Decimal("0.000002"), None, row.source, 0, 0)]
    assert connection.execute("SELECT DISTINCT provider, model FROM price").fetchall() == [HAIKU]


def test_loading_again_replaces(list_book: PriceBook, connection: duckdb.DuckDBPyConnection) -> None:
    load_prices(connection, list_book, [HAIKU])
    load_prices(connection, list_book, [])
    assert connection.execute("SELECT count(*) FROM price").fetchall() == [(0,)]


def test_unpriced_is_null_and_free_is_zero(list_book: PriceBook, connection: duckdb.DuckDBPyConnection) -> None:
    load_prices(connection, list_book, [HAIKU])
    sums = [
        usage("input", 1_000_000),  # 1 USD a million
        usage("input", 0),
        usage("input", 5, key=None),  # an unpriced model
        usage("input", 0, key=None),
        usage("request", 7, key=None),  # no price per call: a call costs nothing by itself
        usage("audio_seconds", 5),
    ]
    assert [usd for usd, _ in cost(connection, sums)] == [Decimal(1), 0, None, 0, 0, None]


def test_every_sum_gets_its_own_line_even_twins(list_book: PriceBook, connection: duckdb.DuckDBPyConnection) -> None:
    load_prices(connection, list_book, [HAIKU])
    assert len(cost(connection, [usage("output", 3), usage("output", 3), usage("output", 4)])) == 3


def test_an_overflow_is_an_error_and_no_wrong_figure(tmp_path: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """9.2e18 tokens at 1 USD each are beyond the 14 digits that DECIMAL(38,24) has before the point."""
    file = tmp_path / "costly.yaml"
    file.write_text("book: costly\nsource: x\nmodels: [{model: a/b, usd_per_mtok: {input: 1000000}}]\n")
    load_prices(connection, open_book(file))
    with pytest.raises(duckdb.OutOfRangeException):
        cost(connection, [usage("input", 2**63 - 1, key=ModelKey("a", "b"))])


def test_a_daily_window_past_midnight(connection: duckdb.DuckDBPyConnection, list_book: PriceBook) -> None:
    """DeepSeek's prices before 2025-09-05: the discount ran from 16:30 to 00:30 UTC."""
    key = ModelKey("deepseek", "deepseek-chat")
    load_prices(connection, list_book, [key])
    clocks = [(0, 29), (0, 30), (16, 29), (16, 30), (23, 59)]
    moments = [datetime(2025, 5, 1, hour, minute) for hour, minute in clocks]
    found = [usd for usd, _ in cost(connection, [usage("input", 1_000_000, key=key, at=at) for at in moments])]
    low, high = Decimal("0.135"), Decimal("0.27")
    assert found == [low, high, high, low, low]


def test_own_processing_wins_then_the_layer_then_the_tier(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    def book(name: str, models: str) -> Path:
        file = tmp_path / f"{name}.yaml"
        file.write_text(f"book: {name}\nsource: x\nmodels:\n{models}")
        return file

    base = book(
        "base",
        "  - {model: a/b, usd_per_mtok: {input: 10}, tiers: [{min_input_tokens: 1000, usd_per_mtok: {input: 20}}]}\n"
        "  - {model: a/b, processing: batch, usd_per_mtok: {input: 5}}\n",
    )
    above = book("above", "  - {model: a/b, usd_per_mtok: {input: 7}, valid_from: 2026-06-01}\n")
    load_prices(connection, open_book(base, [above]))
    key, june = ModelKey("a", "b"), datetime(2026, 6, 1)
    sums = [
        usage("input", 1_000_000, key=key, tier_input=999),
        usage("input", 1_000_000, key=key, tier_input=1000),
        usage("input", 1_000_000, key=key, tier_input=1000, processing="batch"),
        usage("input", 1_000_000, key=key, tier_input=1000, processing="flex"),
        usage("input", 1_000_000, key=key, tier_input=1000, at=june),
        usage("input", 1_000_000, key=key, tier_input=1000, at=june, processing="batch"),
    ]
    assert [usd for usd, _ in cost(connection, sums)] == [10, 20, 5, 20, 7, 5]


def test_a_subscription_costs_nothing_and_keeps_its_shadow_cost(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(
        "book: plan\nsource: x\nsubscriptions:\n"
        "  - {name: max, models: [anthropic/claude-haiku-4-5], usd_per_day: 3.3, valid_from: 2026-01-01}\n"
    )
    load_prices(connection, open_book("list", [file]), [HAIKU])
    before = datetime(2025, 12, 31, 23, 59)
    found = cost(connection, [usage("input", 1_000_000), usage("input", 1_000_000, at=before)])
    assert found == [(Decimal(0), Decimal(1)), (Decimal(1), Decimal(0))]


@cache
def haiku_only() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    load_prices(connection, open_book(), [HAIKU])
    return connection


@pytest.mark.slow
@settings(max_examples=examples(8, 20), deadline=None)
@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30), st.sampled_from(["input", "output", "cache_read"]))
def test_the_cost_of_a_sum_is_the_sum_of_the_costs(calls: list[int], token_class: str) -> None:
    connection = haiku_only()
    apart = cost(connection, [usage(token_class, tokens) for tokens in calls])
    together = cost(connection, [usage(token_class, sum(calls))])
    assert sum(usd for usd, _ in apart if usd is not None) == together[0][0]


STACK = (
    """book: contract
source: x
models:
  - {model: a/b, usd_per_mtok: {input: 10, output: 30}, tiers: [{min_input_tokens: 1000, usd_per_mtok: {input: 20}}]}
  - {model: a/b, processing: batch, usd_per_mtok: {input: 5}, valid_from: 2026-02-01}
  - {model: a/b, processing: flex, tiers: [{min_input_tokens: 2000, usd_per_mtok: {input: 3}}]}
""",
    """book: region
source: x
models: [{model: a/b, usd_per_mtok: {output: 33.333333333333333333}, valid_from: 2026-03-01, valid_to: 2026-04-01}]
multipliers:
  - {model: a/b, multiplier: 1.1, reason: region, valid_from: 2026-02-15}
  - {model: a/b, multiplier: 0.9, reason: discount, classes: [input], valid_to: 2026-05-01}
""",
    """book: plan
source: x
subscriptions: [{name: s, models: [a/b], usd_per_day: 1, valid_from: 2026-03-15, valid_to: 2026-03-20}]
""",
)


@cache
def stack() -> tuple[PriceBook, duckdb.DuckDBPyConnection]:
    with TemporaryDirectory() as folder:
        files = [Path(folder) / f"{number}.yaml" for number in range(len(STACK))]
        for file, text in zip(files, STACK, strict=True):
            file.write_text(text)
        book = open_book("list", files)
    connection = duckdb.connect()
    load_prices(connection, book, [ModelKey("a", "b")])
    return book, connection


@pytest.mark.slow
@settings(max_examples=examples(20, 60), deadline=None)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 1)),
    st.sampled_from(["input", "cache_read", "output", "web_search"]),
    st.sampled_from(["standard", "batch", "flex", "fast"]),
    st.sampled_from([0, 999, 1000, 1999, 2000]),
)
def test_sql_chooses_the_row_that_the_book_chooses(
    at: datetime, token_class: str, processing: str, tier_input: int
) -> None:
    book, connection = stack()
    key = ModelKey("a", "b")
    row = book.price(key, token_class, at=at, input_tokens=tier_input, processing=processing)
    expected = (7 * row.usd_per_unit, 7 * row.shadow_usd_per_unit) if row else (None, None)
    call = usage(token_class, 7, key=key, at=at, processing=processing, tier_input=tier_input)
    assert cost(connection, [call]) == [expected]


def test_logged_names_are_resolved_once_each(list_book: PriceBook, connection: duckdb.DuckDBPyConnection) -> None:
    pairs = [
        (None, "claude-haiku-4-5-20251001"),
        ("openai", "gpt-4o"),
        ("openai", "gpt-4o"),
        ("corp-proxy", "gpt-4o"),
        (None, 'hostile"; DROP TABLE price; --'),
    ]
    resolve_models(connection, list_book, pairs)
    assert connection.execute("SELECT * FROM model_alias").fetchall() == [
        (None, "claude-haiku-4-5-20251001", "anthropic", "claude-haiku-4-5"),
        ("openai", "gpt-4o", "openai", "gpt-4o"),
        ("corp-proxy", "gpt-4o", None, None),
        (None, 'hostile"; DROP TABLE price; --', None, None),
    ]
