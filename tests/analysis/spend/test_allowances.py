"""Subscriptions with allowances: fee, what is included, overage, and the list value beside the marginal cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.budgets.check import CheckSettings, check
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.spend.allowances import fee_days
from costsim.analysis.spend.query import Query, parse_where
from costsim.analysis.spend.spend import Spend, spend
from costsim.errors import PriceBookError
from costsim.pricing.book import open_book
from costsim.reports.spend import as_json, as_markdown
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from emptied import open_store

pytestmark = pytest.mark.slow

# Haiku 4.5: $1 per million input tokens; $30 in September, $12 in October, in 3 calls each
CALLS = "at,tokens\n" + "".join(
    f"2026-{month}-1{n}T10:00:00Z,{millions}000000\n" for month, millions in (("09", 10), ("10", 4)) for n in range(3)
)
Spent = Callable[..., Any]


@pytest.fixture
def spent(tmp_path: Path) -> Spent:
    """The spend under a subscription with these keys."""

    def under(keys: str, **query: Any) -> Spend:
        (tmp_path / "calls.csv").write_text(CALLS, "utf-8")
        (tmp_path / "prices.yaml").write_text(
            "book: mine\nsource: contract\n"
            f"subscriptions: [{{name: plan, models: [anthropic/claude-haiku-4-5], {keys}}}]\n"
        )
        with open_store(Path(":memory:")) as store:
            mapping = parse_mapping("ts=at,input=tokens,model=:anthropic/claude-haiku-4-5")
            load(store, [tmp_path / "calls.csv"], mapping=mapping)
            book = open_book("list", [tmp_path / "prices.yaml"])
            return spend(store, book, Query(("month",), **query), today=date(2026, 10, 20))

    return under


def figures(found: Spend) -> list[tuple[Any, ...]]:
    return [(a.month, a.fee_usd, a.included, a.used, a.overage_usd, a.list_usd) for a in found.allowances]


@pytest.mark.slow
def test_credits_beyond_what_is_included_are_billed(spent: Spent) -> None:
    keys = "usd_per_month: 10, seats: 2, included: {credits: 1000}, overage: {usd_per_credit: 0.01}"
    found = spent(keys)
    # 2 seats: 2,000 credits of $0.01; $30 are 3,000 credits, so 1,000 are beyond: $10. $12 are 1,200: none.
    assert figures(found) == [("2026-09", 20, 2000, 3000, 10, 30), ("2026-10", 20, 2000, 1200, 0, 12)]
    assert (found.total.computed_usd, found.total.shadow_usd) == (0, 42)  # marginal and list value
    assert "total with fees and overage: $50.00" in as_markdown(found, "both")
    assert json.loads(as_json(found))["allowances"][0]["overage_usd"] == "10"


@pytest.mark.slow
def test_overage_may_have_another_price_than_what_is_included(spent: Spent) -> None:
    keys = "usd_per_month: 10, included: {credits: 1000, usd_per_credit: 0.02}, overage: {usd_per_credit: 0.03}"
    # $30 are 1,500 credits of $0.02: 500 beyond at $0.03
    assert figures(spent(keys))[0] == ("2026-09", 10, 1000, 1500, 15, 30)


@pytest.mark.slow
def test_requests_may_be_what_is_included(spent: Spent) -> None:
    found = spent("usd_per_month: 10, included: {requests: 2}, overage: {usd_per_request: 0.04}")
    assert figures(found)[0] == ("2026-09", 10, 2, 3, Decimal("0.04"), 30)


def test_beyond_what_is_included_nothing_is_billed_where_no_price_is_stated_and_that_is_said(spent: Spent) -> None:
    found = spent("usd_per_month: 10, included: {requests: 2}")
    assert (found.allowances[0].overage_usd, found.allowances[0].unbilled) == (0, 1)
    assert "1 beyond, without a price" in as_markdown(found, "both")


@pytest.mark.slow
def test_a_daily_fee_counts_the_days_from_the_first_to_the_last_call_where_none_are_asked_for(spent: Spent) -> None:
    # from 2026-09-10 to 2026-10-12: 21 days of September, 12 of October
    found = spent("usd_per_day: 1")
    assert [row[1] for row in figures(found)] == [21, 12]
    assert "- Subscriptions (2026-09-10 to 2026-10-12, a fee per month for whole months;" in as_markdown(found, "both")
    assert json.loads(as_json(found))["allowances"][0]["last_day"] == "2026-09-30"


@pytest.mark.slow
def test_a_daily_fee_counts_the_days_asked_for_whether_they_have_calls_or_not(spent: Spent) -> None:
    """Calls are of 10 to 12 September and October; it is 20 October."""
    fee = "usd_per_day: 10"
    of = {
        "September, which is over": ((9, 1), (9, 30), [("2026-09", 300)]),  # 30 days of $10
        "October, to today": ((10, 1), (10, 31), [("2026-10", 200)]),  # 20 days of $10
        "August, without a call": ((8, 1), (8, 31), [("2026-08", 310)]),  # 31 days of $10
        "November, to come": ((11, 1), (11, 30), []),
        "since, to today": ((9, 30), None, [("2026-09", 10), ("2026-10", 200)]),  # 1 day and 20
        "until, from the first call": (None, (10, 2), [("2026-09", 210), ("2026-10", 20)]),  # 21 days and 2
    }
    for case, (since, until, fees) in of.items():
        asked = {"since": since and date(2026, *since), "until": until and date(2026, *until)}
        assert [row[:2] for row in figures(spent(fee, **asked))] == fees, case


@pytest.mark.slow
def test_a_monthly_fee_is_due_in_a_month_without_calls(spent: Spent) -> None:
    found = spent("usd_per_month: 25, seats: 2", since=date(2026, 8, 1), until=date(2026, 8, 31))
    assert figures(found) == [("2026-08", 50, None, None, 0, 0)]
    assert "total with fees and overage: $50.00" in as_markdown(found, "both")


def test_calls_later_than_today_lengthen_what_a_fee_is_counted_for() -> None:
    """A call of tomorrow, in a time zone ahead: its day is asked for, and has begun where it was made."""
    asked, today = (date(2026, 10, 1), date(2026, 10, 31)), date(2026, 10, 20)
    assert fee_days(*asked, (date(2026, 10, 5), date(2026, 10, 21)), today) == (date(2026, 10, 1), date(2026, 10, 21))
    assert fee_days(*asked, (None, None), today) == (date(2026, 10, 1), today)
    assert fee_days(None, asked[1], (None, None), today) is None


@pytest.mark.slow
def test_a_choice_of_calls_has_no_allowance(spent: Spent) -> None:
    assert spent("usd_per_day: 1", where=parse_where(["model=*haiku*"])).allowances == ()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("usd_per_day: 1, usd_per_month: 1", "either usd_per_day or usd_per_month"),
        ("seats: 2", "either usd_per_day or usd_per_month"),
        ("usd_per_day: 1, included: {credits: 1, requests: 1}", "either credits or requests"),
        ("usd_per_day: 1, overage: {usd_per_credit: 1}", "overage is the price of what is included"),
        ("usd_per_day: 1, included: {credits: 1}, overage: {usd_per_request: 1}", "overage is the price of what is"),
    ],
)
def test_a_subscription_that_means_nothing_is_one_line(spent: Spent, keys: str, message: str) -> None:
    with pytest.raises(PriceBookError, match=message):
        spent(keys)


def test_a_projection_counts_at_list_price_what_is_beyond_an_allowance_without_overage(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(
        "book: mine\nsource: contract\nsubscriptions: [{name: plan, models: [anthropic/claude-haiku-4-5], "
        "usd_per_month: 31, seats: 2, included: {credits: 1000}}]\n"
    )
    (tmp_path / "architecture.yaml").write_text(
        "prices: prices.yaml\ncomponents: [{name: a, agent: a, task: t, model: anthropic/claude-haiku-4-5, "
        "runs_per_day: 1, tokens: {input: 1000000}}]\n"
    )
    found = project(read_architecture(tmp_path / "architecture.yaml"), Settings(date(2026, 10, 1), 31, 100, 1))
    routed = next(plan for plan in found.plans if plan.name == "routed")
    # 2 seats are $62 and include $20; 31 calls of $1 leave $11 of list price: $73 in October's 31 days
    assert routed.horizon.expected_usd == routed.horizon.p90_usd == 73
    assert (
        "Subscription plan includes 2,000 credits a month (2 seats); what is beyond costs list price, as no overage is "
        "stated." in found.assumptions
    )


@pytest.mark.slow
def test_a_check_of_usage_and_spend_have_the_same_fee_by_the_day(spent: Spent, tmp_path: Path) -> None:
    """20 days of October of $10, though its last call is of the 12th."""
    found = spent("usd_per_day: 10", since=date(2026, 10, 1), until=date(2026, 10, 31))
    (tmp_path / "architecture.yaml").write_text(
        "prices: prices.yaml\nbudgets: [{name: all, scope: total, period: month, usd: 500}]\ncomponents: [{name: a, "
        "agent: a, task: t, model: anthropic/claude-haiku-4-5, runs_per_day: 1, tokens: {input: 1000}}]\n"
    )
    with open_store(Path(":memory:")) as store:
        mapping = parse_mapping("ts=at,input=tokens,model=:anthropic/claude-haiku-4-5")
        load(store, [tmp_path / "calls.csv"], mapping=mapping)
        settings = CheckSettings(date(2026, 10, 20), month=date(2026, 10, 1), trials=10)
        checked = check(tmp_path / "architecture.yaml", settings, usage=store)
    assert [entry.fee_usd for entry in found.allowances] == [200]
    assert "plan $200.00 in fees and $0 in overage" in " ".join(checked.notes)


@pytest.mark.slow
def test_a_check_of_usage_says_what_subscriptions_cost_that_no_budget_counts(tmp_path: Path) -> None:
    """October's $12 are 1,200 credits of $0.01, 200 beyond those of a seat of $10."""
    (tmp_path / "calls.csv").write_text(CALLS, "utf-8")
    (tmp_path / "prices.yaml").write_text(
        "book: mine\nsource: contract\nsubscriptions: [{name: plan, models: [anthropic/claude-haiku-4-5], "
        "usd_per_month: 10, included: {credits: 1000}, overage: {usd_per_credit: 0.01}}]\n"
    )
    (tmp_path / "architecture.yaml").write_text(
        "prices: prices.yaml\nbudgets: [{name: all, scope: total, period: month, usd: 5}]\ncomponents: [{name: a, "
        "agent: a, task: t, model: anthropic/claude-haiku-4-5, runs_per_day: 1, tokens: {input: 1000}}]\n"
    )
    with open_store(Path(":memory:")) as store:
        mapping = parse_mapping("ts=at,input=tokens,model=:anthropic/claude-haiku-4-5")
        load(store, [tmp_path / "calls.csv"], mapping=mapping)
        settings = CheckSettings(date(2026, 10, 20), month=date(2026, 10, 1), trials=10)
        found = check(tmp_path / "architecture.yaml", settings, usage=store)
    message = "no figure of usage has what subscriptions cost (2026-10): plan $10.00 in fees and $2.00 in overage"
    assert message in found.notes
