"""The ledger: priced once, whatever is asked in whatever order, with nothing left in the user's store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import costsim.analysis.spend.ledger as ledger_module
import pytest
from costsim.analysis.replay.replay import replay
from costsim.analysis.replay.reroute import reroute_to_model
from costsim.analysis.review.review import review
from costsim.analysis.spend.ledger import Ledger, open_ledger
from costsim.analysis.spend.spend import Query, spend
from costsim.pricing.book import PriceBook, open_book
from costsim.usage.load import load
from costsim.usage.store import open_store

pytestmark = pytest.mark.slow

SESSIONS = Path(__file__).parents[2] / "data" / "usage" / "claude-code"
OPUS = "anthropic/claude-opus-4-6"
TABLES = "SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY 1"
REVIEW_TABLES = {"spend_cell", "spend_price"}


@pytest.fixture
def book() -> PriceBook:
    return open_book()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store into which sessions of February 2026 were just loaded."""
    path = tmp_path / "costsim.duckdb"
    with open_store(path) as store:
        load(store, [SESSIONS])
    return path


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry per pricing run."""
    counted: list[int] = []
    run = ledger_module.cost_sums  # type: ignore[attr-defined]
    monkeypatch.setattr(ledger_module, "cost_sums", lambda connection: (counted.append(1), run(connection))[1])  # type: ignore[func-returns-value]
    return counted


def test_a_review_prices_at_most_three_times(file: Path, book: PriceBook, runs: list[int]) -> None:
    # the sums as they ran; the calls that could move or went astray; the month on the naive model
    with open_store(file) as store:
        review(store, book, "2026-02", today=date(2026, 3, 2), name="sessions")
    assert 1 <= len(runs) <= 3


def test_asking_again_prices_nothing_again(file: Path, book: PriceBook, runs: list[int]) -> None:
    with open_store(file) as store:
        first = spend(store, book, Query(("day",)))
        assert spend(store, book, Query(("day",))).rows == first.rows
        spend(store, book, Query(("class", "model"), date(2026, 2, 10), date(2026, 2, 11)))
    assert len(runs) == 1


def test_other_prices_are_priced_anew(file: Path, book: PriceBook, tmp_path: Path) -> None:
    with open_store(file) as store:
        total = spend(store, book, Query(())).total.computed_usd
        article = spend(store, open_book("article-2026"), Query(()))
        assert article.total.computed_usd != total or article.unpriced_models
        assert spend(store, book, Query(())).total.computed_usd == total


def test_calls_loaded_after_a_question_are_in_the_next_answer(tmp_path: Path, book: PriceBook) -> None:
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert spend(store, book, Query(())).total.calls == 0
        load(store, [SESSIONS])
        assert spend(store, book, Query(())).total.calls > 0


def test_no_order_of_questions_changes_an_answer(file: Path, book: PriceBook) -> None:
    def ask(order: list[int]) -> dict[int, object]:
        with open_store(file) as store:
            questions: list[Callable[[], object]] = [
                lambda: spend(store, book, Query(("day", "model"))).rows,
                lambda: replay(store, book, reroute_to_model(OPUS)),
                lambda: review(store, book, "2026-02", today=date(2026, 3, 2), name="sessions"),
            ]
            return {number: questions[number]() for number in order}

    assert ask([0, 1, 2]) == ask([2, 1, 0])


def test_no_scratch_table_stays_in_the_store(file: Path, book: PriceBook) -> None:
    with open_store(file) as store:
        before = {name for (name,) in store.execute(TABLES).fetchall()}
        spend(store, book, Query(("class",)))
        replay(store, book, reroute_to_model(OPUS))
        assert {name for (name,) in store.execute(TABLES).fetchall()} == before
        review(store, book, "2026-02", today=date(2026, 3, 2), name="sessions")
        assert {name for (name,) in store.execute(TABLES).fetchall()} == before | REVIEW_TABLES


def test_a_store_that_is_summed_can_be_read_by_two_at_once(file: Path, book: PriceBook) -> None:
    with open_ledger(file, book) as ledger:
        total = spend(ledger.connection, book, Query(())).total.computed_usd
    with open_store(file, read_only=True) as one, open_ledger(file, book) as two:
        assert spend(one, book, Query(())).total.computed_usd == total > Decimal(0)
        assert spend(two.connection, book, Query(())).total.computed_usd == total
        found = review(one, book, "2026-02", today=date(2026, 3, 2), name="sessions")
        february = Query((), date(2026, 2, 1), date(2026, 2, 28))
        assert found.headline.month.usd == spend(one, book, february).total.computed_usd


def test_calls_that_are_not_summed_are_summed_in_memory_by_a_reader(file: Path, book: PriceBook) -> None:
    before = file.read_bytes()
    with open_store(file, read_only=True) as store:
        total = spend(Ledger.open(store, book).connection, book, Query(())).total.computed_usd
    assert file.read_bytes() == before
    with open_store(file) as store:
        assert spend(store, book, Query(())).total.computed_usd == total > Decimal(0)
