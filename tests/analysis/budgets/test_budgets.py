"""Budgets against the projection: exact where nothing varies, drawn as a sum where something does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from costsim.analysis.architecture import budgets as stated_budgets
from costsim.analysis.architecture.budgets import Budget, Scope, unique_names
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.budgets import counting, projection
from costsim.analysis.budgets.changes import half_as_often
from costsim.analysis.budgets.check import CheckSettings, check
from costsim.analysis.budgets.counting import ScopesOf
from costsim.analysis.budgets.projected import Projected
from costsim.analysis.budgets.results import BudgetCheck, CheckResult
from costsim.analysis.budgets.scopes import AnyScope, Labels, StatedBudget, counts, known_names
from costsim.analysis.budgets.windows import Daily, costliest_window, days_of_month, last_period, windows
from costsim.analysis.budgets.words import share
from costsim.analysis.simulation.plans import plans_of
from costsim.analysis.simulation.run import costs_of, project
from costsim.analysis.simulation.settings import Settings
from costsim.documents import Document
from costsim.errors import ArchitectureError, CostsimError
from costsim.money import format_amount
from costsim.pricing.book import open_book
from hypothesis import given, settings
from hypothesis import strategies as st

JUNE = date(2026, 6, 1)  # a Monday; 30 days, 22 of them weekdays
TODAY = date(2026, 6, 15)
HAIKU, SONNET, OPUS = (f"anthropic/claude-{name}" for name in ("haiku-4-5", "sonnet-4-5", "opus-4-6"))
# 10 runs of 100,000 input tokens per day: $1 on Haiku ($1 per million), $3 on Sonnet, $5 on Opus
MILLION = {"runs_per_day": 10, "tokens": {"input": 100_000}}


def component(name: str, model: str = HAIKU, **more: Any) -> dict[str, Any]:
    return {"name": name, "model": model, **MILLION, **more}


def fleet(*components: dict[str, Any], budgets: Any = (), **more: Any) -> dict[str, Any]:
    routing = {"fallback": HAIKU}
    return {"model_routing": routing, "components": list(components), "budgets": list(budgets), **more}


@pytest.fixture(scope="module")
def checked(written: Callable[..., Path]) -> Callable[..., CheckResult]:
    """Check an architecture given as data in June 2026, as of the 15th."""

    def run(content: Any, today: date = TODAY, **more: Any) -> CheckResult:
        return check(written(content), CheckSettings(today=today, month=JUNE, **more))

    return run


@pytest.fixture(scope="module")
def judged(checked: Callable[..., CheckResult]) -> Callable[..., BudgetCheck]:
    """One budget compared with components."""

    def run(budget: dict[str, Any], *components: dict[str, Any], today: date = TODAY, **more: Any) -> BudgetCheck:
        stated = {"name": "b", **budget}
        parts = components or (component("a"),)
        return checked(fleet(*parts, budgets=[stated], **more), today).budgets[0]

    return run


# a dollar a day


@pytest.mark.parametrize("at", ["mean", "p50", "p90", "p99"])
def test_a_certain_cost_is_the_same_at_every_quantile(judged: Callable[..., BudgetCheck], at: str) -> None:
    found = judged({"usd": 30, "at": at})
    assert (found.value_usd, found.expected_usd, found.p99_usd) == (30, 30, 30)  # 30 days of $1


@pytest.mark.parametrize(
    ("usd", "chance", "status", "crossed_on"),
    [
        ("30", 0, "pass", None),  # exactly the limit is within it
        ("29.99", 1, "fail", date(2026, 6, 30)),
        ("10", 1, "fail", date(2026, 6, 11)),  # $11 > $10 at the end of the 11th day
        ("0", 1, "fail", date(2026, 6, 1)),
    ],
)
def test_a_certain_breach_is_certain_and_has_its_day(
    judged: Callable[..., BudgetCheck], usd: str, chance: float, status: str, crossed_on: date | None
) -> None:
    found = judged({"usd": usd})
    assert (found.chance, found.status, found.crossed_on) == (chance, status, crossed_on)


def test_a_tenth_of_a_dollar_thirty_times_is_three_dollars_and_no_rounding_breaches_it(
    judged: Callable[..., BudgetCheck],
) -> None:
    found = judged({"usd": 3}, component("a", runs_per_day=1))  # 30 x $0.10, which floats add up to 3.0000000000000004
    assert (found.value_usd, found.chance, found.status) == (3, 0, "pass")


@pytest.mark.parametrize(
    ("period", "value", "first", "last"),
    [
        ("month", 22, date(2026, 6, 1), date(2026, 6, 30)),  # 22 weekdays
        ("week", 5, date(2026, 6, 1), date(2026, 6, 7)),  # Monday to Sunday, of which five count
        ("day", 1, date(2026, 6, 1), date(2026, 6, 1)),
        ("run", Decimal("0.1"), date(2026, 6, 1), date(2026, 6, 1)),  # 100,000 tokens
    ],
)
def test_each_period_of_a_component_that_runs_on_weekdays(
    judged: Callable[..., BudgetCheck], period: str, value: Decimal, first: date, last: date
) -> None:
    found = judged({"usd": 1000, "period": period}, component("a", weekdays_only=True))
    assert (found.value_usd, found.first, found.last) == (value, first, last)


def test_a_day_budget_is_compared_with_the_most_expensive_day(judged: Callable[..., BudgetCheck]) -> None:
    late = component("late", start="2026-06-20", end="2026-06-20")
    found = judged({"usd": "1.50", "period": "day"}, component("a"), late)
    assert (found.value_usd, found.first, found.status) == (2, date(2026, 6, 20), "fail")


def test_a_week_is_judged_whole(judged: Callable[..., BudgetCheck]) -> None:
    # 29 and 30 June belong to a week that ends in July; the weeks of June begin on the 1st, 8th, 15th and 22nd
    found = judged({"usd": 1, "period": "week"}, component("a", start="2026-06-27"))
    assert (found.value_usd, found.first, found.last) == (2, date(2026, 6, 22), date(2026, 6, 28))


def test_a_run_budget_is_compared_with_the_most_expensive_component(judged: Callable[..., BudgetCheck]) -> None:
    found = judged({"usd": "0.4", "period": "run"}, component("a"), component("b", OPUS))
    assert (found.value_usd, found.status) == (Decimal("0.5"), "fail")  # 100,000 x $5 per million
    assert "a run of b" in found.message


def test_a_run_that_may_be_skipped_costs_what_it_costs_when_it_happens(judged: Callable[..., BudgetCheck]) -> None:
    skipped = component("a", fresh_for={"hit_rate": 0.9}, retry={"failure_rate": 0.5, "max_attempts": 2})
    found = judged({"usd": 1, "period": "run", "at": "mean"}, skipped)
    assert found.value_usd == Decimal("0.15")  # 1 + 0.5 attempts of $0.10; it happens
    assert judged({"usd": 9}, skipped).expected_usd == Decimal("4.5")  # 30 days x 10 runs x 0.1 x $0.15


# scopes

TEAM = (
    component("a", agent="cto", task="code", tags={"team": "growth"}),  # $1 per day
    component("b", SONNET, agent="cto", task="prose", tags={"team": "growth", "tier": "1"}),  # $3
    component("c", OPUS, agent="ceo", task="prose", tags={"team": "core"}),  # $5
)


@pytest.mark.parametrize(
    ("scope", "usd"),
    [
        ("total", 270),
        ({"agent": "cto"}, 120),
        ({"component": "b"}, 90),
        ({"task": "prose"}, 240),
        ({"model": OPUS}, 150),
        ({"model": "claude-opus-4-6"}, 150),  # as the price book resolves it
        ({"model": "openai/gpt-4o"}, 0),  # priced, not used
        ({"tag": "team=growth"}, 120),
        ({"tag": "tier=1"}, 90),
    ],
)
def test_each_scope_counts_its_own(judged: Callable[..., BudgetCheck], scope: Any, usd: int) -> None:
    found = judged({"usd": usd, "scope": scope}, *TEAM)
    assert (found.value_usd, found.status) == (usd, "pass")


def test_contributions_are_the_components_of_the_scope_most_expensive_first(judged: Callable[..., BudgetCheck]) -> None:
    found = judged({"usd": 1, "scope": {"agent": "cto"}}, *TEAM)
    assert [(part.component, part.usd, part.percent) for part in found.contributions] == [("b", 90, 75), ("a", 30, 25)]


ESCALATES = component("e", escalate={"probability": 0.25, "to": OPUS, "carry": 0}, runs_per_day={"poisson": 10})


def test_a_component_that_escalates_is_split_by_model(judged: Callable[..., BudgetCheck]) -> None:
    # every run on Haiku: 30 x $1; one in four again on Opus: 30 x 0.25 x $5
    found = [judged({"usd": 99, "at": "mean", "scope": {"model": m}}, ESCALATES).value_usd for m in (HAIKU, OPUS)]
    assert found == [30, Decimal("37.5")]


def projected(architecture: Architecture, trials: int = 500) -> Projected:
    costs = costs_of(architecture, Settings(JUNE, 30, trials))
    return Projected(costs, plans_of(architecture, HAIKU)[1], trials, seed=1)


VARYING = (
    {"name": "p", "agent": "x", "runs_per_day": {"poisson": 5}, "tokens": {"input": {"p50": 2000, "p95": 30000}}},
    {"name": "q", "agent": "y", "schedule": "0 9 * * *", "tokens": {"input": 500, "output": {"low": 10, "high": 900}},
     "uncertainty": {"low": 1, "high": 3}},
    {**ESCALATES, "agent": "x"},
)  # fmt: skip


def test_draws_by_model_add_up_to_the_draws_of_the_component(read: Callable[..., Architecture]) -> None:
    one = projected(read(fleet(ESCALATES)))
    shares = one.shares("e")
    total = project(read(fleet(ESCALATES)), Settings(JUNE, 30, 500)).plan("routed").horizon
    drawn = sum(part.drawn_usd.sum(axis=0) for part in shares)
    assert {part.labels.model for part in shares} == {HAIKU, OPUS}
    assert float(np.quantile(drawn, 0.9)) == pytest.approx(float(total.p90_usd), rel=1e-7)


@pytest.mark.slow
def test_the_total_is_that_of_a_projection_to_the_draw(
    judged: Callable[..., BudgetCheck], read: Callable[..., Architecture]
) -> None:
    month = project(read(fleet(*VARYING)), Settings(JUNE, 30, 2000)).plan("routed").horizon
    found = judged({"usd": 1}, *VARYING)
    assert found.expected_usd == month.expected_usd
    assert (found.p50_usd, found.p90_usd) == (
        pytest.approx(month.p50_usd, rel=Decimal("1e-7")),
        pytest.approx(month.p90_usd, rel=Decimal("1e-7")),
    )


def test_a_scope_is_summed_by_draws_not_by_quantiles(judged: Callable[..., BudgetCheck]) -> None:
    one, other = ({"usd": 99, "scope": {"component": name}} for name in ("p", "q"))
    apart = judged(one, *VARYING).p90_usd + judged(other, *VARYING).p90_usd
    together = judged({"usd": 99}, *VARYING[:2]).p90_usd
    assert together < apart  # both are rarely costly in the same month


@pytest.mark.parametrize("kind", ["agent", "component", "model"])
def test_expected_costs_of_the_scopes_add_up_to_the_total(read: Callable[..., Architecture], kind: str) -> None:
    one = projected(read(fleet(*VARYING, *TEAM)), trials=50)
    names = {getattr(labels, kind) for labels in one.labels()}
    scopes: list[AnyScope] = [Scope.model_validate({kind: name}) for name in names]
    found = one.scopes([*scopes, "total"])
    apart = sum((found[scope].daily.total_usd for scope in scopes), Fraction(0))
    assert apart == found["total"].daily.total_usd
    drawn = sum(found[scope].daily.drawn_usd.sum(axis=0) for scope in scopes)
    assert np.allclose(drawn, found["total"].daily.sums)


SUBSCRIPTION = """
book: flat
source: s
models: [{model: anthropic/claude-max, usd_per_mtok: {input: 0, output: 0}}]
subscriptions: [{name: max, models: [anthropic/claude-max], usd_per_day: 7}]
"""


def test_a_subscription_counts_in_the_total_and_in_its_model(written: Callable[..., Path]) -> None:
    budgets = [{"name": "all", "usd": 999}, {"name": "max", "usd": 999, "scope": {"model": "anthropic/claude-max"}}]
    parts = [component("a"), component("m", "anthropic/claude-max")]
    file = written(fleet(*parts, budgets=budgets, prices="prices.yaml"), {"prices.yaml": SUBSCRIPTION})
    total, flat = check(file, CheckSettings(today=TODAY, month=JUNE)).budgets
    assert (total.value_usd, flat.value_usd) == (240, 210)  # 30 x ($1 + $7)


# chances


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=2, max_size=40), st.floats(0, 250), st.floats(0, 250))
def test_raising_a_limit_never_raises_the_chance_of_breach(draws: list[float], one: float, other: float) -> None:
    daily = Daily((JUNE, JUNE + timedelta(1)), (Fraction(1), Fraction(1)), np.array([draws, draws[::-1]]))
    low, high = sorted((Fraction(one), Fraction(other)))
    assert daily.chance(high) <= daily.chance(low)
    day_low, day_high = daily.crossed_on(low), daily.crossed_on(high)
    assert (day_low is None) == (daily.chance(low) == 0)
    assert day_high is None or day_low is not None


def test_the_chance_of_breach_is_the_share_of_trials_and_the_day_their_median() -> None:
    # running costs of four trials: 1 3 6, 2 4 6, 0 0 9, 0 1 2; over 5: three of them, on days 3, 3 and 3; over 2.5: 2, 2, 3
    drawn = np.array([[1.0, 2, 0, 0], [2, 2, 0, 1], [3, 2, 9, 1]])
    days = tuple(JUNE + timedelta(n) for n in range(3))
    daily = Daily(days, (Fraction(1), Fraction(1), Fraction(4)), drawn)
    assert (daily.chance(Fraction(5)), daily.crossed_on(Fraction(5))) == (0.75, days[2])
    assert daily.crossed_on(Fraction(5, 2)) == days[1]
    assert daily.chance(Fraction(9)) == 0


def test_a_breach_at_p50_is_no_breach_of_the_mean_where_the_cost_is_skewed(judged: Callable[..., BudgetCheck]) -> None:
    skewed = {"name": "s", "runs_per_day": 1, "tokens": {"input": {"p50": 1000, "p95": 100_000, "varies": "mean"}}}
    mean, median = (judged({"usd": 1, "at": at}, skewed).value_usd for at in ("mean", "p50"))
    assert median < mean / 10  # lognormal with sigma 2.8: the mean is 50 times the median


# dates


@pytest.mark.parametrize(
    ("today", "status", "limit"),
    [
        (date(2026, 6, 20), "pass", 40),  # the last day of the exception
        (date(2026, 6, 21), "fail", 20),
    ],
)
def test_an_exception_excuses_through_its_last_day(
    checked: Callable[..., CheckResult], today: date, status: str, limit: int
) -> None:
    budget = {"name": "b", "usd": 20, "exceptions": [{"until": "2026-06-20", "reason": "launch", "usd": 40}]}
    result = checked(fleet(component("a"), budgets=[budget]), today)
    found = result.budgets[0]
    assert (found.status, found.limit_usd, found.stated_usd) == (status, limit, 20)
    said = [verdict for verdict in result.verdicts if verdict.rule == "exception"]
    if status == "pass":
        assert found.excused == "launch"
        assert "instead of $20 until 2026-06-20: launch" in found.message
        assert not said
    else:
        assert [(verdict.status, verdict.key) for verdict in said] == [("warn", "budgets[0].exceptions[0]")]
        assert "no longer excuses: launch" in said[0].message


def test_of_several_exceptions_the_most_generous_one_that_holds_counts(judged: Callable[..., BudgetCheck]) -> None:
    exceptions = [
        {"until": "2026-06-30", "reason": "half more", "raise_percent": 50},  # $30
        {"until": "2026-06-30", "reason": "a little more", "usd": 25},
        {"until": "2026-06-14", "reason": "over", "usd": 900},
    ]
    found = judged({"usd": 20, "exceptions": exceptions})
    assert (found.limit_usd, found.excused) == (30, "half more")


def test_an_exception_below_the_limit_takes_nothing_away(judged: Callable[..., BudgetCheck]) -> None:
    found = judged({"usd": 40, "exceptions": [{"until": "2026-06-30", "reason": "r", "usd": 1}]})
    assert (found.limit_usd, found.excused, found.status) == (40, "", "pass")


@pytest.mark.parametrize(("today", "status"), [(date(2026, 6, 20), "fail"), (date(2026, 6, 21), "warn")])
def test_an_expired_budget_warns_and_is_not_enforced(
    checked: Callable[..., CheckResult], today: date, status: str
) -> None:
    result = checked(fleet(component("a"), budgets=[{"name": "b", "usd": 1, "expires": "2026-06-20"}]), today)
    assert (result.budgets[0].status, result.exit_code) == (status, int(status == "fail"))
    if status == "warn":
        assert result.budgets[0].message.startswith("expired on 2026-06-20 and is not enforced")


def test_a_budget_that_warns_does_not_fail(checked: Callable[..., CheckResult]) -> None:
    result = checked(fleet(component("a"), budgets=[{"name": "b", "usd": 1, "severity": "warn"}]))
    assert (result.status, result.exit_code) == ("warn", 0)


def test_a_percentage_of_the_last_period_needs_usage(judged: Callable[..., BudgetCheck]) -> None:
    found = judged({"percent_of_last_period": 110})
    assert (found.status, found.limit_usd, found.chance) == ("warn", None, None)
    assert "--usage" in found.message


def test_the_period_before() -> None:
    assert last_period("month", date(2026, 3, 15)) == (date(2026, 2, 1), date(2026, 2, 28))
    assert last_period("week", date(2026, 6, 17)) == (date(2026, 6, 8), date(2026, 6, 14))
    assert last_period("day", date(2026, 6, 1)) == (date(2026, 5, 31), date(2026, 5, 31))


def test_weeks_that_begin_in_the_month_before_are_judged_where_their_days_are_known() -> None:
    july = [date(2026, 6, 29), date(2026, 6, 30), *days_of_month(date(2026, 7, 1))]
    found = windows(Daily.nothing(july), "week", date(2026, 7, 1))
    assert [window.dates[0].day for window in found] == [29, 6, 13, 20]  # 27 July to 2 August is August's


# fixes

PAIR = (component("a", SONNET), component("b", OPUS))  # $90 and $150 a month
NAMED = {"model_routing": {"x": SONNET, "y": OPUS, "fallback": HAIKU}}


@pytest.mark.parametrize(
    ("usd", "changes", "saved", "left"),
    [
        (200, ["run a as batch (processing: batch)"], 45, 195),  # of 45, 60, 75 and 120, the least that is 40
        (180, ["move b to anthropic/claude-sonnet-4-5"], 60, 180),
        (165, ["run b as batch (processing: batch)"], 75, 165),
        (120, ["move b to anthropic/claude-haiku-4-5"], 120, 120),
        (60, ["move b to anthropic/claude-haiku-4-5", "move a to anthropic/claude-haiku-4-5"], 180, 60),
    ],
)
def test_the_change_that_takes_least_away_is_proposed(
    judged: Callable[..., BudgetCheck], usd: int, changes: list[str], saved: int, left: int
) -> None:
    fix = judged({"usd": usd}, *PAIR, **NAMED).fix
    assert fix is not None
    assert (fix.changes, fix.saved_usd, fix.value_usd, fix.sufficient) == (changes, saved, left, True)


def test_batch_is_proposed_where_it_is_cheaper(written: Callable[..., Path]) -> None:
    file = written(fleet(*PAIR, budgets=[{"name": "b", "usd": 200}], **NAMED))
    november = check(file, CheckSettings(today=TODAY, month=date(2026, 11, 1)))  # batch is half price
    assert november.budgets[0].fix is not None
    assert november.budgets[0].fix.changes == ["run a as batch (processing: batch)"]
    assert november.budgets[0].fix.value_usd == 195


def test_where_nothing_is_enough_that_is_said(judged: Callable[..., BudgetCheck]) -> None:
    fix = judged({"usd": 29}, *PAIR, **NAMED).fix
    assert fix is not None
    assert (fix.sufficient, fix.value_usd) == (False, 30)  # both on Haiku as batch
    enough = judged({"usd": 59}, *PAIR, **NAMED).fix
    assert enough is not None
    assert (enough.sufficient, enough.value_usd) == (True, 45)  # both on Haiku, 60, and one of them as batch


def test_a_whole_task_is_moved_where_that_is_one_edit(judged: Callable[..., BudgetCheck]) -> None:
    parts = [{"name": name, "task": "y", **MILLION} for name in ("a", "b")]  # $150 each on Opus
    fix = judged({"usd": 130}, *parts, **NAMED).fix  # neither alone is enough: at best 30 + 150
    assert fix is not None
    assert fix.changes == ["route the task y to anthropic/claude-haiku-4-5"]
    assert (fix.saved_usd, fix.value_usd) == (240, 60)


@pytest.mark.slow
def test_a_task_of_many_components_is_moved_at_once(judged: Callable[..., BudgetCheck]) -> None:
    small = {"runs_per_day": {"poisson": 40}, "tokens": {"input": 25_000}}  # $1 per day on Haiku, in expectation
    parts = [{"name": f"c{n}", "task": "y", **small} for n in range(25)]  # $3,750 on Opus
    fix = judged({"usd": 760}, *parts, **NAMED).fix
    assert fix is not None
    assert fix.changes == ["route the task y to anthropic/claude-haiku-4-5"]
    # the mean falls to a fifth, $750, and so does the spread: 750 x (1 + 1.28 / sqrt(30000)) = 755.5
    assert fix.saved_usd == 3000
    assert float(fix.value_usd) == pytest.approx(755.5, abs=1.5)


def test_half_the_runs_of_a_schedule_are_counted_run_by_run(judged: Callable[..., BudgetCheck]) -> None:
    odd = {"name": "a", "schedule": "0 9 * * *", "tokens": {"input": 100_000}}
    # 30 runs at $0.08: the article's prices, which know no batch
    found = judged({"usd": "1.3"}, odd | {"model": HAIKU}, book="article-2026")
    assert found.fix is not None
    assert found.fix.changes == ['run a half as often (schedule: "0 9 */2 * *")']
    assert found.fix.value_usd == Decimal("1.2")  # on the 15 anomalies of June


def test_a_calibrated_component_keeps_its_tokens_when_it_runs_less(judged: Callable[..., BudgetCheck]) -> None:
    known = {"daily_usd": 2, "input_per_output": 10}
    hourly = {"name": "a", "schedule": "0 * * * *", "calibrate": known}
    fix = judged({"usd": 31}, hourly, book="article-2026").fix  # the article's prices know no batch
    assert fix is not None
    # $60 a month at list prices, where the tokens are solved; 20 % less at the article's; half of that is $24
    assert (fix.changes, fix.value_usd) == (['run a half as often (schedule: "0 */2 * * *")'], 24)


def test_what_leaves_a_scope_is_counted_where_it_goes(judged: Callable[..., BudgetCheck]) -> None:
    fix = judged({"usd": 10, "scope": {"model": OPUS}}, *PAIR, **NAMED).fix
    assert fix is not None
    assert (fix.value_usd, fix.saved_usd) == (0, 60)  # $150 off Opus, $90 more on Sonnet


def test_no_run_is_moved_to_a_model_that_it_does_not_fit(judged: Callable[..., BudgetCheck]) -> None:
    large: dict[str, Any] = {"runs_per_day": 10, "tokens": {"input": 300_000}}  # Haiku takes 200,000
    fix = judged({"usd": 100}, component("b", OPUS, **large), component("a")).fix
    assert fix is not None
    assert not any("haiku" in change for change in fix.changes)


def test_an_expensive_run_is_fixed_by_another_model(judged: Callable[..., BudgetCheck]) -> None:
    fix = judged({"usd": "0.3", "period": "run"}, *PAIR, **NAMED).fix
    assert fix is not None
    assert (fix.changes, fix.value_usd) == (["move b to anthropic/claude-sonnet-4-5"], Decimal("0.3"))


def test_a_fix_of_drawn_costs_is_drawn_too(judged: Callable[..., BudgetCheck]) -> None:
    found = judged({"usd": 40}, *VARYING)
    assert found.fix is not None
    assert found.fix.sufficient
    assert found.fix.value_usd <= 40 < found.value_usd


@pytest.mark.parametrize(
    ("schedule", "half"),
    [
        ("* * * * *", "*/2 * * * *"),
        ("*/15 * * * *", "*/30 * * * *"),
        ("*/30 * * * *", "0 * * * *"),
        ("0 * * * *", "0 */2 * * *"),
        ("0 */12 * * *", "0 0 * * *"),
        ("0 6,18 * * *", "0 6 * * *"),
        ("30 9-17 * * 1-5", "30 9-17/2 * * 1-5"),
        ("0 9 * * *", "0 9 */2 * *"),
        ("*/7 * * * *", None),  # 60 is no multiple of 14
        ("0 9 * * 1", None),
        ("@daily", None),
    ],
)
def test_half_as_often(schedule: str, half: str | None) -> None:
    assert half_as_often(schedule) == half


# what is written


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("{name: b}", "budgets[0]: a budget needs its limit: either usd or percent_of_last_period, not both"),
        ("{name: b, usd: 1, percent_of_last_period: 2}", "budgets[0]: a budget needs its limit"),
        ("{name: b, percent_of_last_period: 2, period: run}", "budgets[0]: a run has no period before it"),
        ("{name: b, usd: -1}", "budgets[0].usd: this should be greater than or equal to 0"),
        ("{name: b, usd: 1, period: year}", "budgets[0].period: this should be 'run', 'day', 'week' or 'month'"),
        ("{name: b, usd: 1, at: p95}", "budgets[0].at: this should be 'mean', 'p50', 'p90' or 'p99'"),
        ("{name: b, usd: 1, scope: cto}", "budgets[0].scope: a scope is total, or one of agent, component"),
        ("{name: b, usd: 1, scope: {agent: a, task: t}}", "budgets[0].scope: a scope is total, or one of"),
        ("{name: b, usd: 1, scope: {tag: team}}", "budgets[0].scope.tag: a tag is written as key=value"),
        ("{name: b, usd: 1, scope: {agnet: a}}", "budgets[0].scope.agnet: unknown key 'agnet'; did you mean 'agent'?"),
        ("{name: b, usd: 1, exceptions: [{until: 2026-01-01, reason: r}]}", "budgets[0].exceptions[0]: say the limit"),
        ("{name: b, usd: 1, exceptions: [{until: 2026-01-01, usd: 2}]}", "budgets[0].exceptions[0].reason: the key"),
        ("{name: b, usd: 1, scope: {agent: cot}}", "budgets[0].scope.agent: there is no agent 'cot'; did you mean 'cto'?"),
        ("{name: b, usd: 1, scope: {component: z}}", "budgets[0].scope.component: there is no component 'z'; known here: a"),
        ("{name: b, usd: 1, scope: {tag: team=x}}", "budgets[0].scope.tag: there is no tag 'team=x'; did you mean 'team=y'?"),
        ("{name: b, usd: 1, scope: {model: opus-99}}", "budgets[0].scope.model: there is no model 'opus-99'"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_budget_is_said_in_one_line(
    written: Callable[..., Path], budget: str, message: str
) -> None:
    text = f"""components:
  - {{name: a, agent: cto, model: {HAIKU}, runs_per_day: 1, tokens: {{input: 1}}, tags: {{team: y}}}}
budgets:
  - {budget}
"""
    file = written(text)
    with pytest.raises(ArchitectureError) as error:
        check(file, CheckSettings(today=TODAY))
    assert f"{file}:4 {message}" in str(error.value)
    assert "\n" not in str(error.value)


def test_two_budgets_of_one_name_are_an_error(written: Callable[..., Path]) -> None:
    file = written(fleet(component("a"), budgets=[{"name": "b", "usd": 1}] * 2))
    with pytest.raises(ArchitectureError, match="two budgets are named 'b'"):
        check(file, CheckSettings(today=TODAY))


class Compared(str):
    """A name that counts how often it is compared with another."""

    times = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Compared.times += 1
        return str.__eq__(self, other)


def test_names_of_budgets_are_looked_up_and_not_compared_with_one_another() -> None:
    budgets = [Budget.model_construct(name=Compared(f"b{n}")) for n in range(1000)]
    assert unique_names(budgets) == budgets
    assert Compared.times < 100  # each with each is 500,000


def test_over_twenty_thousand_budgets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stated_budgets, "MAX_BUDGETS", 2)
    with pytest.raises(ValueError, match="3 budgets are too many: at most 2 in one file"):
        unique_names([Budget.model_construct(name=str(n)) for n in range(3)])


def test_budgets_of_one_scope_and_period_look_at_one_window(
    checked: Callable[..., CheckResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Daily] = []

    def counted(daily: Daily, *of: Any) -> Daily:
        found.append(daily)
        return costliest_window(daily, *of)

    monkeypatch.setattr(projection, "costliest_window", counted)
    limits = [
        {"name": f"{period} {n}", "usd": 100 + n, "period": period} for n in range(20) for period in ("day", "month")
    ]
    assert len(checked(fleet(component("a"), budgets=limits)).budgets) == 40
    assert len(found) == 2


def test_budgets_of_runs_cost_each_component_once(
    checked: Callable[..., CheckResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    costed: list[str] = []
    one_run = Projected.one_run

    def counted(projected: Projected, name: str, *, with_spawned: bool = False) -> Daily:
        costed.append(name)
        return one_run(projected, name, with_spawned=with_spawned)

    monkeypatch.setattr(Projected, "one_run", counted)
    limits = [{"name": f"b{n}", "usd": 100, "period": "run"} for n in range(20)]
    checked(fleet(component("a"), component("b"), budgets=limits))
    assert costed == ["a", "b"]


def test_scopes_are_looked_up_as_they_would_each_be_asked() -> None:
    names = ("a", "b", "a*", "unattributed", "anthropic", "anthropic/claude-haiku-4-5", "claude-haiku-4-5")
    kinds = ("component", "agent", "task", "model", "provider", "team", "session", "tags.env", "tags.team")
    scopes: list[AnyScope] = ["total", *(Scope.model_validate({kind: name}) for kind in kinds for name in names)]
    book = open_book("list")
    of = ScopesOf(scopes, book)
    tags = [frozenset[str](), frozenset({"team=a"}), frozenset({"env=b", "team=ab", "session=a"})]
    own = [(), (("team", "b"), ("tags.env", "a")), (("session", "unattributed"),)]
    for component, model, tagged, said in product(("a", "c"), (HAIKU, "x"), tags, own):
        labels = Labels(component, "b", "ab", model, tagged, said)
        assert set(of.counting(labels)) == {scope for scope in scopes if counts(scope, book)(labels)}


def test_names_of_scopes_are_gathered_by_what_costs_have_and_not_asked_for_each_tag(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    of = Labels.of

    def counted(labels: Labels, name: str) -> str:
        asked.append(name)
        return of(labels, name)

    monkeypatch.setattr(Labels, "of", counted)
    budgets = [Budget.model_validate({"name": f"b{n}", "usd": 1, "scope": {f"tags.t{n}": "x"}}) for n in range(100)]
    stated = [StatedBudget(budget, Document(Path(), {}), ()) for budget in budgets]
    known = known_names([Labels("a", "b", "c", "p/m", frozenset({"t7=x"}))], stated)
    assert (known["tags.t7"], known["tags.t8"], known["provider"]) == ({"x"}, set(), {"p"})
    assert len(asked) == 7  # component, agent, task, model, provider, t7 and tags.t7


def test_a_scope_that_names_one_component_is_not_asked_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[AnyScope] = []
    monkeypatch.setattr(counting, "counts", lambda scope, _: asked.append(scope))
    ScopesOf([Scope(component=f"c{n}") for n in range(100)], open_book("list"))
    assert asked == []


def test_scopes_that_count_too_many_costs_are_refused_in_one_line(
    checked: Callable[..., CheckResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "MAX_COUNTED", 3)
    limits = [{"name": name, "usd": 100, "scope": {"component": name}} for name in ("*", "**", "a")]
    with pytest.raises(CostsimError, match="count costs of components over 3 times"):
        checked(fleet(component("a"), component("b"), budgets=limits))  # 2 + 2 + 1


def test_budgets_may_stand_in_a_file_of_their_own(written: Callable[..., Path]) -> None:
    file = written(
        {"components": [component("a")], "budgets": "limits.yaml"},
        {"limits.yaml": "# what we may spend\nbudgets:\n  - {name: b, usd: 29}\n"},
    )
    verdict = check(file, CheckSettings(today=TODAY)).verdicts[0]
    assert (verdict.file, verdict.line, verdict.key) == (file.parent / "limits.yaml", 3, "budgets[0]")
    assert verdict.status == "fail"


def test_a_limit_is_an_exact_decimal() -> None:
    budget = Budget.model_validate({"name": "b", "usd": "0.1"})
    assert budget.usd == Decimal("0.1")


def test_figures_in_sentences() -> None:
    assert [format_amount(Fraction(n)) for n in ("1234.5", "30", "0.0123", "0.5", "0")] == [
        "$1,234.50", "$30", "$0.012", "$0.50", "$0",
    ]  # fmt: skip
    assert [share(n) for n in (0, 0.0004, 0.001, 0.125, 0.9996)] == ["0%", "<0.1%", "0.1%", "12.5%", ">99.9%"]
