"""The priced logs as a table: what `costsim spend` says, to the last digit, for any SQL tool to read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.review.cells import fill_cells
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.query import SUMMED, UNATTRIBUTED
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import PriceBook, open_book
from costsim.tokens import TOKEN_CLASSES
from costsim.usage.load import load
from costsim.usage.store import insert_rows, open_store
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

USAGE = Path(__file__).parents[2] / "data" / "usage"
OPUS, HAIKU = "claude-opus-4-6", "claude-haiku-4-5"
OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))
COLUMNS = (
    "day", "slot", "source", "component", "agent", "task", "provider", "model", "processing", "status", "tier",
    "calls", *TOKEN_CLASSES, "recorded_usd", "recorded_calls",
)  # fmt: skip
# spend's dimensions as they stand in spend_cell
IN_CELLS = {
    **{name: name for name in ("day", "component", "processing", "status")},
    "agent": "coalesce(agent, '')",
    "task": "coalesce(task, '')",
    "class": "token_class",
    "month": "strftime(day, '%Y-%m')",
}

BOOK = open_book()
Store = duckdb.DuckDBPyConnection


def summed(**given: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(TOKEN_CLASSES, 0)
    row |= {"day": date(2026, 10, 5), "slot": -1, "source": "test", "component": "monitor", "agent": "cto",
            "task": "monitoring", "provider": "anthropic", "model": HAIKU, "processing": "standard", "status": "ok",
            "tier": 0, "calls": 1, "request": 1, "recorded_usd": None, "recorded_calls": 0}  # fmt: skip
    return row | given


def filled(store: Store, book: PriceBook, *rows: dict[str, Any]) -> Store:
    store.execute("DELETE FROM usage_daily")
    insert_rows(store, "usage_daily", rows)
    fill_cells(store, book)
    return store


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(Path(":memory:")) as connection:
        yield connection


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return BOOK


def test_a_cell_is_units_times_the_price_that_its_row_names(store: Store, book: PriceBook) -> None:
    filled(store, book, summed(input=2_000_000, cache_read=500_000, output=100_000, calls=10, request=10))
    sql = """
    SELECT token_class, units, spend_cell.usd, price.usd * units / price.per = spend_cell.usd
    FROM spend_cell LEFT JOIN price USING (token_class, price_id) ORDER BY units DESC
    """
    # Haiku 4.5: input $1, cache read $0.10, output $5 per million; calls have no price of their own
    assert store.execute(sql).fetchall() == [
        ("input", 2_000_000, 2, True),
        ("cache_read", 500_000, Decimal("0.05"), True),
        ("output", 100_000, Decimal("0.5"), True),
        ("request", 10, 0, None),
    ]


def test_models_bear_the_books_names_where_it_knows_them(store: Store, book: PriceBook) -> None:
    dated = summed(provider=None, model="anthropic/claude-haiku-4-5-20251001", input=1)
    filled(store, book, dated, summed(provider="acme", model="nonesuch", input=1), summed(model=None, input=1))
    sql = "SELECT DISTINCT provider, model FROM spend_cell ORDER BY ALL"
    assert store.execute(sql).fetchall() == [("acme", "nonesuch"), ("anthropic", HAIKU), ("anthropic", None)]


def test_what_has_no_price_is_null_never_zero(store: Store, book: PriceBook) -> None:
    filled(store, book, summed(model="claude-nonesuch", input=7, output=3))
    sql = "SELECT token_class, units, usd, price_id FROM spend_cell ORDER BY token_class"
    assert store.execute(sql).fetchall() == [
        ("input", 7, None, None),
        ("output", 3, None, None),
        ("request", 1, 0, None),
    ]
    assert store.execute("SELECT sum(usd) FILTER (price_id IS NOT NULL) FROM spend_cell").fetchone() == (None,)


def test_half_hours_of_different_prices_stay_apart(store: Store, book: PriceBook) -> None:
    # deepseek-chat: input $0.27 from 00:30 to 16:30 UTC, $0.135 else; slot 1 is 00:30, slot 0 is 00:00
    rows = [
        summed(day=date(2025, 3, 1), provider="deepseek", model="deepseek-chat", slot=slot, input=1_000_000)
        for slot in (0, 1)
    ]
    filled(store, book, *rows)
    sql = "SELECT usd FROM spend_cell WHERE token_class = 'input' ORDER BY usd"
    assert store.execute(sql).fetchall() == [(Decimal("0.135"),), (Decimal("0.27"),)]


def test_sources_are_summed_and_calls_counted(store: Store, book: PriceBook) -> None:
    filled(store, book, summed(source="a", input=1, request=2), summed(source="b", input=2, request=3))
    sql = "SELECT units FROM spend_cell WHERE token_class = 'input'"
    assert store.execute(sql).fetchall() == [(3,)]
    assert store.execute("SELECT component, model, calls FROM spend_call").fetchall() == [("monitor", HAIKU, 5)]


def test_days_are_chosen_both_ends_included(store: Store, book: PriceBook) -> None:
    filled(
        store,
        book,
        *(summed(day=date(2026, month, day), input=1) for month, day in ((9, 30), (10, 1), (10, 31), (11, 1))),
    )
    assert store.execute("SELECT count(DISTINCT day) FROM spend_cell").fetchone() == (4,)
    fill_cells(store, book, *OCTOBER)
    assert store.execute("SELECT min(day), max(day) FROM spend_cell").fetchone() == OCTOBER


def test_the_file_answers_without_costsim(tmp_path: Path, book: PriceBook) -> None:
    with open_store(tmp_path / "costsim.duckdb") as store:
        filled(store, book, summed(input=1_000_000))
    with duckdb.connect(str(tmp_path / "costsim.duckdb"), read_only=True) as plain:
        sql = "SELECT sum(spend_cell.usd), any_value(source) LIKE 'genai-prices %' FROM spend_cell JOIN spend_price USING (price_id)"
        assert plain.execute(sql).fetchone() == (1, True)
        assert plain.execute("SELECT sum(calls) FROM spend_call").fetchone() == (1,)


usage_rows = st.lists(
    st.builds(
        summed,
        day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        component=st.sampled_from(["a", "b"]),
        agent=st.sampled_from([None, "x"]),
        task=st.sampled_from([None, "t"]),
        model=st.sampled_from([None, OPUS, HAIKU, "claude-sonnet-4-6", "claude-nonesuch"]),
        processing=st.sampled_from(["standard", "batch", "flex"]),
        status=st.sampled_from(["ok", "error"]),
        tier=st.sampled_from([0, 200_001]),
        **{name: st.integers(0, 10**13) for name in TOKEN_CLASSES[:5]},
        web_search=st.integers(0, 1000),
        request=st.integers(0, 1000),
    ),
    max_size=12,
)


@pytest.mark.slow
@settings(max_examples=examples(4, 8), deadline=None)
@given(usage_rows)
def test_cells_equal_spend_in_every_group(rows: list[dict[str, Any]]) -> None:
    with open_store(Path(":memory:")) as store:
        filled(store, BOOK, *rows)
        assert_equal_to_spend(store, BOOK)


def assert_equal_to_spend(store: Store, book: PriceBook) -> None:
    keys = ", ".join(f"({sql})::VARCHAR" for sql in IN_CELLS.values())
    sums = """
    coalesce(sum(usd), 0), coalesce(sum(units) FILTER (usd IS NULL), 0)::BIGINT,
    coalesce(sum(units) FILTER (token_class = 'request'), 0)::BIGINT
    """
    cells = {
        line[:-3]: line[-3:] for line in store.execute(f"SELECT {keys}, {sums} FROM spend_cell GROUP BY ALL").fetchall()
    }
    found = spend(store, book, Query(tuple(IN_CELLS)))
    named = {tuple(key or UNATTRIBUTED for key in keys): figures for keys, figures in cells.items()}
    assert named == {row.keys: (row.computed_usd, row.unpriced_tokens, row.calls) for row in found.rows}
    total = found.total.computed_usd, found.total.unpriced_tokens, found.total.calls
    assert store.execute(f"SELECT {sums} FROM spend_cell").fetchone() == total


def test_every_dimension_of_spend_is_a_column_or_says_why() -> None:
    # sources are summed over; models and providers are those of the book
    assert set(SUMMED) - set(IN_CELLS) == {"source", "model", "provider", "week"}


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["claude-code", "codex", "openclaw", "litellm"])
def test_cells_of_real_logs_equal_spend(store: Store, book: PriceBook, folder: str) -> None:
    load(store, [USAGE / folder])
    bring_up_to_date(store, book)
    fill_cells(store, book)
    assert_equal_to_spend(store, book)
    sql = (
        "SELECT count(*) FROM spend_cell JOIN spend_price USING (price_id) WHERE spend_cell.usd <> units * usd_per_unit"
    )
    assert store.execute(sql).fetchone() == (0,)
