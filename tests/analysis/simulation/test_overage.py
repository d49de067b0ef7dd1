"""What calls cost beyond what subscriptions include is part of every total, and all of them agree.

Haiku 4.5 costs $1 per million input tokens: a run of a million is $1, or 100 credits of $0.01.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import exp, factorial
from pathlib import Path

import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.budgets.projected import Projected
from costsim.analysis.compare.architectures import difference
from costsim.analysis.compare.sides import Side
from costsim.analysis.projection import PlanResult, Projection
from costsim.analysis.simulation.moves import moves
from costsim.analysis.simulation.plans import routed_plan
from costsim.analysis.simulation.run import costs_of, project
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.simulation.what_if import what_if
from costsim.reports.html import render_html
from costsim.reports.tables import as_markdown

HAIKU, OPUS = "anthropic/claude-haiku-4-5", "anthropic/claude-opus-4-6"
COPILOT = (
    f"{{name: copilot, models: [{HAIKU}], usd_per_month: 19, included: {{credits: 1900}}, "
    "overage: {usd_per_credit: 0.01}"
)
Read = Callable[..., Architecture]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """An architecture of these components under these subscriptions."""

    def written(subscriptions: str, *components: str, **more: str) -> Architecture:
        (tmp_path / "prices.yaml").write_text(f"book: mine\nsource: contract\nsubscriptions: [{subscriptions}]\n")
        keys = "".join(f"{key}: {value}\n" for key, value in more.items())
        (tmp_path / "architecture.yaml").write_text(
            f"prices: prices.yaml\n{keys}components: [{', '.join(components)}]\n"
        )
        return read_architecture(tmp_path / "architecture.yaml")

    return written


def runs(name: str, count: str, model: str = HAIKU, **more: str) -> str:
    """A component of so many runs per day, each of a million input tokens."""
    keys = "".join(f", {key}: {value}" for key, value in more.items())
    return (
        f"{{name: {name}, agent: a, task: t, model: {model}, runs_per_day: {count}, tokens: {{input: 1000000}}{keys}}}"
    )


def october(fleet: Architecture, trials: int = 300, days: int = 31, start: date = date(2026, 10, 1)) -> Projection:
    return project(fleet, Settings(start, days, trials, 1))


def overage(plan: PlanResult) -> Decimal:
    """What is beyond, over the days."""
    return round(sum((row.overage_usd_per_day for row in plan.components), Decimal(0)) * plan.horizon.days, 6)


def test_copilot_credits_beyond_those_of_the_seats_cost_overage(read: Read) -> None:
    """2 runs per day are $62, or 6,200 credits; 2 seats of $19 include 3,800: $38 + 2,400 x $0.01 = $62."""
    plan = october(read(COPILOT + ", seats: 2}", runs("a", "2"))).plan("routed")
    assert (plan.horizon.expected_usd, plan.horizon.p90_usd, overage(plan)) == (62, 62, 24)


def test_of_mixes_that_cost_the_same_the_stated_one_is_first(read: Read) -> None:
    """A credit costs $0.01 in a seat, beyond it and by the API: 6,200 credits are $62 with up to 3 seats, and then more."""
    mixes = october(read(COPILOT + ", seats: 2}", runs("a", "2"))).mixes
    assert [(mix.name, mix.p90_usd) for mix in mixes[:4]] == [
        ("2 × copilot + API", 62), ("API", 62), ("1 × copilot + API", 62), ("3 × copilot + API", 62),
    ]  # fmt: skip


def test_overage_begins_on_the_day_on_which_the_allowance_is_used_up(read: Read) -> None:
    """19 days of $1 are what a seat includes: then $1 per day on top of the fee's 19/31."""
    days = october(read(COPILOT + "}", runs("a", "1"))).plan("routed").days
    fee = Decimal("0.612903225806")
    assert [day.expected_usd for day in days] == [fee] * 19 + [1 + fee] * 12
    assert days[20].p90_usd == Decimal("1.6129032")


def test_requests_beyond_those_included_cost_overage(read: Read) -> None:
    """20 runs per day are 620 requests; a seat of $10 includes 300: $10 + 320 x $0.04 = $22.80, whatever they cost."""
    seat = f"{{name: p, models: [{HAIKU}], usd_per_month: 10, included: {{requests: 300}}, overage: {{usd_per_request: 0.04}}}}"
    plan = october(read(seat, runs("a", "20"))).plan("routed")
    assert (plan.horizon.expected_usd, overage(plan)) == (Decimal("22.8"), Decimal("12.8"))


def test_a_retry_is_a_request_too(read: Read) -> None:
    """10 runs per day, each tried 1.5 times: 465 requests, 165 beyond 300: $10 + $6.60."""
    seat = f"{{name: p, models: [{HAIKU}], usd_per_month: 10, included: {{requests: 300}}, overage: {{usd_per_request: 0.04}}}}"
    retry = "{failure_rate: 0.5, max_attempts: 2}"
    plan = october(read(seat, runs("a", "10", retry=retry)), trials=4_000).plan("routed")
    assert abs(plan.horizon.expected_usd - Decimal("16.6")) < Decimal("0.001")  # hardly a month stays below 300
    assert plan.horizon.p10_usd < plan.horizon.expected_usd < plan.horizon.p90_usd


def test_two_components_share_one_pool(read: Read) -> None:
    """Each needs 3,100 credits, together 6,200; a seat includes 1,900: 4,300 are beyond, $19 + $43."""
    plan = october(read(COPILOT + "}", runs("a", "1"), runs("b", "1"))).plan("routed")
    assert (plan.horizon.expected_usd, overage(plan)) == (62, 43)


def test_each_month_has_its_own_allowance(read: Read) -> None:
    """November's 30 days and October's 31 each use 1,900 credits: 12 and 11 days are beyond, $38 + $23."""
    plan = october(read(COPILOT + "}", runs("a", "1")), days=61).plan("routed")
    assert (plan.horizon.expected_usd, overage(plan)) == (61, 23)


def test_a_subscription_that_begins_within_the_month_has_its_days_part_of_all(read: Read) -> None:
    """From 17 October on, 15 of 31 days: the 16 days before cost list price; 15/31 of $31 include $6.20 x 15/31 = $3."""
    seat = f"{{name: p, models: [{HAIKU}], usd_per_month: 31, included: {{credits: 620}}, valid_from: 2026-10-17}}"
    plan = october(read(seat, runs("a", "1"))).plan("routed")
    assert (plan.horizon.expected_usd, overage(plan)) == (16 + 15 + 12, 12)


def test_a_later_price_of_the_same_subscription_follows_the_earlier(read: Read) -> None:
    """October: $19 for 1,900 credits. November: $39 for 3,000: the 30 days are all included."""
    then = (
        f"{{name: copilot, models: [{HAIKU}], usd_per_month: 39, included: {{credits: 3000}}, valid_from: 2026-11-01}}"
    )
    plan = october(read(f"{COPILOT}, valid_to: 2026-11-01}}, {then}", runs("a", "1")), days=61).plan("routed")
    assert plan.horizon.expected_usd == 19 + 12 + 39


def test_what_is_beyond_one_subscription_is_taken_from_the_next(read: Read) -> None:
    """31 runs: 10 are in the first, 10 in the second, 11 at the first's overage of $0.02 a credit: 5 + 6 + 22."""
    first = f"{{name: one, models: [{HAIKU}], usd_per_month: 5, included: {{credits: 1000}}, overage: {{usd_per_credit: 0.02}}}}"
    second = f"{{name: two, models: [{HAIKU}], usd_per_month: 6, included: {{credits: 1000}}}}"
    assert october(read(f"{first}, {second}", runs("a", "1"))).plan("routed").horizon.expected_usd == 33


def test_the_mix_as_stated_costs_what_the_plan_costs_to_the_digit(read: Read) -> None:
    """Also where runs vary, with a component that no seat covers, and policies."""
    retry = "{failure_rate: 0.1, max_attempts: 3}"
    parts = (
        runs("a", "{poisson: 1}", retry=retry),
        runs("b", "{poisson: 0.5}", uncertainty="{low: 0.7, high: 1.3}"),
        runs("c", "1", OPUS),
    )
    found = october(read(COPILOT + ", seats: 2}", *parts), trials=500)
    plan, mix = found.plan("routed").horizon, next(mix for mix in found.mixes if mix.stated)
    assert (mix.expected_usd, mix.p10_usd, mix.p50_usd, mix.p90_usd) == (
        plan.expected_usd, plan.p10_usd, plan.p50_usd, plan.p90_usd,
    )  # fmt: skip
    api = next(mix for mix in found.mixes if mix.is_api)
    assert api.expected_usd == pytest.approx(Decimal(31 * 5) + Decimal(31) * (Decimal("1.11") + Decimal("0.5")))


def test_expected_overage_is_of_the_trials_and_says_its_error(read: Read) -> None:
    """Runs of a month are Poisson of mean 31, and 31 are included: E max(N - 31, 0) = sum of (n - 31) p(n) = $2.213."""
    seat = f"{{name: p, models: [{HAIKU}], usd_per_month: 1, included: {{credits: 3100}}, overage: {{usd_per_credit: 0.01}}}}"
    found = october(read(seat, runs("a", "{poisson: 1}")), trials=4_000)
    row = found.plan("routed").components[-1]
    expected = sum((n - 31) * exp(-31) * 31**n / factorial(n) for n in range(32, 120))
    assert row.expected_error_percent is not None
    assert 0 < row.expected_error_percent < 5
    error = float(row.expected_error_percent) / 100 * (1 + expected)
    assert abs(float(overage(found.plan("routed"))) - expected) < error
    assert "except of subscription p: computed from the draws" in " ".join(found.assumptions)


def test_where_every_month_is_beyond_the_draws_leave_no_error_in_the_mean(read: Read) -> None:
    """Poisson of mean 310, 19 included: E max(N - 19, 0) = 310 - 19."""
    found = october(read(COPILOT + "}", runs("a", "{poisson: 10}")), trials=200)
    assert overage(found.plan("routed")) == 291


def test_without_an_allowance_nothing_is_drawn_and_the_fee_is_exact(read: Read) -> None:
    plan = october(read(f"{{name: p, models: [{HAIKU}], usd_per_day: 2}}", runs("a", "{poisson: 9}"))).plan("routed")
    assert (plan.horizon.expected_usd, plan.horizon.p90_usd, plan.components[-1].expected_error_percent) == (
        62,
        62,
        None,
    )


def test_savings_are_between_totals_with_overage(read: Read) -> None:
    """Naive on Opus 4.6 at $5 per run, $155; routed on 1 seat: $19 + 1,200 credits = $31. Saved: $124, $4 per day."""
    routing = f"{{t: {HAIKU}, other: {OPUS}}}"
    found = october(read(COPILOT + "}", runs("a", "1").replace(f"model: {HAIKU}, ", ""), model_routing=routing))
    saving = next(saving for saving in found.savings if saving.plan == "routed")
    assert (saving.expected_usd_per_day, saving.p50_usd_per_day) == (4, 4)
    assert {part.token_class: part.expected_usd_per_day for part in found.plan("routed").classes} == {"subscription": 1}


def test_budgets_count_the_same_total_and_day(read: Read) -> None:
    fleet = read(COPILOT + "}", runs("a", "{poisson: 1}"))
    settings = Settings(date(2026, 10, 1), 31, 300, 1)
    plan = project(fleet, settings).plan("routed")
    projected = Projected(costs_of(fleet, settings), routed_plan(fleet), 300, 1)
    daily = projected.scopes(["total"])["total"].daily
    assert Decimal(f"{float(daily.total_usd):.9f}") == round(plan.horizon.expected_usd, 9)
    assert float(daily.at("p90")) == pytest.approx(float(plan.horizon.p90_usd))
    one_seat = read(COPILOT + "}", runs("a", "1"))
    exact = Projected(costs_of(one_seat, settings), routed_plan(one_seat), 300, 1).scopes(["total"])["total"].daily
    assert exact.total_usd == 31
    # $19 of fee by the month's days, and $1 per day from the 20th on: 10 + 12.87 is passed on the 22nd
    assert exact.crossed_on(Fraction("14")) == date(2026, 10, 21)


def test_a_difference_of_two_architectures_is_that_of_their_totals(read: Read, tmp_path: Path) -> None:
    settings = Settings(date(2026, 10, 1), 31, 300, 1)
    base = read(COPILOT + "}", runs("a", "{poisson: 1}"))
    before = project(base, settings).plan("routed").horizon
    one = Side("base", base, base.book, "routed", settings)
    head = base.model_copy(update={"components": read(COPILOT + "}", runs("a", "{poisson: 2}")).components})
    after = project(head, settings).plan("routed").horizon
    found = difference(one, Side("head", head, head.book, "routed", settings))
    assert (found.before_usd, found.after_usd) == (before.expected_usd, after.expected_usd)
    assert found.subscriptions_usd == found.difference_usd > 29  # 31 runs more, nearly all of them beyond
    assert found.p10_usd < found.difference_usd < found.p90_usd


def test_what_if_and_moves_count_what_a_task_takes_of_the_allowance(read: Read) -> None:
    """As routed $31 in 31 days (19 + 12), so $30 in 30; on Opus 4.6 $155 and no seat, $150 in 30."""
    routing = f"{{t: {HAIKU}, other: {OPUS}}}"
    fleet = read(COPILOT + "}", runs("a", "1").replace(f"model: {HAIKU}, ", ""), model_routing=routing)
    settings = Settings(date(2026, 10, 1), 31, 10, 1)
    costs = costs_of(fleet, settings)
    rows = {row.model: row for row in moves(costs, {}).rows}
    assert (rows[HAIKU].usd_per_month, rows[OPUS].usd_per_month, rows[OPUS].difference_usd_per_month) == (30, 150, 120)
    table = what_if(costs, project(fleet, settings))
    assert (table.fixed_usd, table.rows[0].now_usd, table.rows[0].usd) == (0, 30, [30, 150])


def test_what_if_adds_up_to_the_plan_where_rows_share_an_allowance(read: Read) -> None:
    fleet = read(COPILOT + "}", runs("a", "1"), runs("b", "1"), runs("c", "1", OPUS))
    settings = Settings(date(2026, 10, 1), 31, 10, 1)
    found = project(fleet, settings)
    table = what_if(costs_of(fleet, settings), found)
    total = table.fixed_usd + sum((row.now_usd or Decimal(0) for row in table.rows), Decimal(0))
    assert round(total, 9) == round(30 * found.plan("routed").expected_usd_per_day, 9)
    assert [row.now_usd for row in table.rows] == [30, 30, 150]  # each run of Haiku is one beyond


def test_the_waterfall_ends_at_the_total(read: Read) -> None:
    retry = "{failure_rate: 0.5, max_attempts: 2}"
    found = october(read(COPILOT + "}", runs("a", "2", retry=retry)))
    assert found.waterfall[-1].expected_usd_per_day == found.plan("routed").expected_usd_per_day


def test_calls_without_a_list_price_beyond_an_allowance_are_named(read: Read) -> None:
    seat = "{name: p, models: [lab/own], usd_per_month: 31, included: {credits: 10}}"
    found = october(read(seat, runs("a", "1", "lab/own")))
    assert found.plan("routed").horizon.expected_usd == 31
    assert [
        line for line in found.warnings if "lab/own has no list price for input: what is beyond is not counted" in line
    ]


@pytest.mark.slow
def test_a_large_fleet_has_the_same_overage(read: Read) -> None:
    """201 components of a Poisson run each, 6 of October's 31 days: 1,206 runs; 1,550 seats of $1 include $300.

    All trials are beyond: $300 + 906 expected; P90 is 1.28 x sqrt(1,206), about $44.5, above it.
    """
    parts = [runs(f"c{n}", "{poisson: 1}") for n in range(201)]
    seat = f"{{name: p, models: [{HAIKU}], usd_per_month: 1, seats: 1550, included: {{credits: 100}}}}"
    plan = october(read(seat, *parts), trials=1_200, days=6).plan("routed")
    assert (overage(plan), round(plan.horizon.expected_usd, 6)) == (906, 1_206)
    assert plan.horizon.p90_usd == pytest.approx(Decimal("1250.5"), rel=Decimal("0.005"))


@pytest.mark.slow
def test_every_form_has_the_mixes_and_what_is_beyond(read: Read) -> None:
    found = october(read(COPILOT + ", seats: 2}", runs("a", "2")), trials=10)
    for form in (as_markdown(found), re.sub(r"<[^>]+>| title=\S+", "", render_html(found))):
        assert "2 × copilot + API" in form
        assert "In routed, $24.00 of subscription copilot ($62.00) are expected beyond what it includes." in form
