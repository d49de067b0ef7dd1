"""What only a bill states, without tokens, is in the total of `spend`: whatever shows another total names it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from costsim.analysis.forecast.daily_costs import daily_costs
from costsim.analysis.replay.replay import replay
from costsim.analysis.replay.reroute import reroute_to_model
from costsim.analysis.review.quality import compare_recorded
from costsim.analysis.spend.focus import focus_rows
from costsim.analysis.spend.query import Query
from costsim.analysis.spend.spend import spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.store import open_store
from witnessed import OPUS, claude_log, truth, written

pytestmark = pytest.mark.slow

BOOK = open_book()
TRUTH = [call for call in truth(days=1, per_day=3) if call.model != OPUS]  # Haiku, 5 Oct
CALLS_USD = sum((call.usd for call in TRUTH), Decimal(0))
COSTS = [("2026-10-06", OPUS, "500"), ("2026-10-07", None, "-100")]  # cents: $5.00 of Opus, a credit of $1.00


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder: Path = tmp_path_factory.mktemp("only-billed")
    with open_store(folder / "costsim.duckdb") as connection:
        load(connection, written(folder, log=claude_log(TRUTH), costs=_page()))
        yield connection


def _page() -> str:
    days = [
        {
            "starting_at": f"{day}T00:00:00Z", "ending_at": f"{day[:-1]}{int(day[-1]) + 1}T00:00:00Z",
            "results": [{"model": model, "amount": cents, "currency": "USD"}],
        }
        for day, model, cents in COSTS
    ]  # fmt: skip
    return json.dumps({"data": days, "has_more": False, "next_page": None})


@pytest.mark.slow
def test_an_export_adds_up_to_spend(store: duckdb.DuckDBPyConnection) -> None:
    total = spend(store, BOOK, Query(())).total.computed_usd
    assert total == CALLS_USD + 5 - 1
    for tags in ((), ("source",)):
        rows = focus_rows(store, BOOK, None, None, "acme", tags=tags)
        assert sum(usd for (usd,) in rows.project("BilledCost").fetchall()) == total
    billed = rows.filter("x_TokenClass = 'as billed'").project(
        "BilledCost::INTEGER, ListCost::INTEGER, ChargeCategory, x_Model, PricingQuantity, PricingUnit, ConsumedQuantity, "
        "x_PriceSource"
    )
    assert billed.fetchall() == [
        (5, 5, "Adjustment", "anthropic/claude-opus-4-6", None, None, None, "stated by anthropic-costs"),
        (-1, -1, "Credit", "anthropic", None, None, None, "stated by anthropic-costs"),
    ]


@pytest.mark.slow
def test_a_review_names_what_is_only_billed_and_a_replay_what_it_leaves_out(store: duckdb.DuckDBPyConnection) -> None:
    """It has no tokens: a replay stays with the calls. (The review's total: test_one_total.py.)"""
    words = "$5.00 of charges and −$1.00 of credits that only a bill states"
    *_, data = compare_recorded(store, BOOK, date(2026, 10, 1), date(2026, 10, 31))
    assert data.messages[0].startswith(words)
    replayed = replay(store, BOOK, reroute_to_model(OPUS))
    assert replayed.total.spent_usd == CALLS_USD
    assert [words in note for note in replayed.notes] == [False, True]
    before = replay(store, BOOK, reroute_to_model(OPUS), until=date(2026, 10, 5))
    assert not any("only a bill" in note for note in before.notes)


def test_a_credit_is_no_day_of_a_forecast(store: duckdb.DuckDBPyConnection) -> None:
    """A day's cost is never negative: the day of the credit alone cost nothing."""
    costs = dict(daily_costs(store, BOOK, date(2026, 10, 31))[None])
    assert (costs[date(2026, 10, 6)], costs[date(2026, 10, 7)]) == (5, 0)
