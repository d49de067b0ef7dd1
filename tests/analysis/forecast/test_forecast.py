"""The forecast of daily and monthly cost: its arithmetic, its honesty, and what it makes of unusual histories."""

from __future__ import annotations

import importlib.util
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from costsim.analysis.forecast.backtest import backtest, quantile_loss
from costsim.analysis.forecast.daily import Model
from costsim.analysis.forecast.history import Days
from costsim.analysis.forecast.month import draw, forecast_month
from costsim.analysis.forecast.results import MonthForecast
from costsim.analysis.quantiles import Quantiles, column_quantiles
from costsim.errors import CostsimError
from hypothesis import given, settings
from hypothesis import strategies as st

MONDAY = date(2026, 6, 1)
Row = tuple[date, Decimal]


@pytest.fixture(scope="module")
def synthetic() -> ModuleType:
    """Months with known truth."""
    spec = importlib.util.spec_from_file_location("synthetic", Path(__file__).with_name("synthetic.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["synthetic"] = module
    spec.loader.exec_module(module)
    return module


def days(*usd: object, first: date = MONDAY) -> list[Row]:
    return [(first + timedelta(n), Decimal(str(amount))) for n, amount in enumerate(usd)]


def noisy(count: int, usd: float = 100.0, sd: float = 0.1, seed: int = 1, weekend: float = 1.0) -> list[float]:
    factors = np.where(np.arange(count) % 7 >= 5, weekend, 1.0)
    return list(usd * factors * np.exp(sd * np.random.default_rng(seed).standard_normal(count)))


def forecast_of(history: list[Row], as_of: date, month: date | None = None) -> MonthForecast:
    return forecast_month(history, month or as_of, as_of, trials=2000).forecast


def test_what_is_spent_is_exact_to_the_last_digit() -> None:
    forecast = forecast_of(days("0.1", "0.2", "0.000000000000000001"), MONDAY + timedelta(2))
    assert forecast.spent_usd == Decimal("0.300000000000000001")


def test_spent_and_days_to_come_make_the_month() -> None:
    outlook = forecast_month(days(*noisy(20)), MONDAY, MONDAY + timedelta(19), trials=3000)
    forecast = outlook.forecast
    assert [day.day for day in forecast.days] == [date(2026, 6, 21) + timedelta(n) for n in range(10)]
    parts = forecast.spent_usd + sum((day.expected_usd for day in forecast.days), Decimal(0))
    assert float(parts) == pytest.approx(float(forecast.expected_usd))
    assert outlook.cumulative.shape == (3000, 10)
    assert (outlook.cumulative[:, -1] == outlook.totals).all()
    assert (outlook.cumulative[:, 0] >= float(forecast.spent_usd)).all()
    assert np.quantile(outlook.totals, 0.9) == pytest.approx(float(forecast.p90_usd))


def test_a_months_range_is_narrower_than_its_days_ranges_added_up() -> None:
    forecast = forecast_of(days(*noisy(60)), date(2026, 7, 5))
    added = sum(day.p90_usd - day.p10_usd for day in forecast.days)
    assert forecast.p90_usd - forecast.p10_usd < added * Decimal("0.7")


def test_a_month_that_is_over_is_known() -> None:
    outlook = forecast_month(days(*noisy(60)), MONDAY, date(2026, 6, 30), trials=7)
    forecast = outlook.forecast
    assert forecast.method == "complete"
    assert forecast.days == []
    assert forecast.p10_usd == forecast.p90_usd == forecast.spent_usd
    assert outlook.cumulative.shape == (7, 0)
    assert set(outlook.totals) == {float(forecast.spent_usd)}


def test_a_month_that_has_not_begun_has_all_its_days_to_come() -> None:
    outlook = forecast_month(days(*noisy(20)), date(2026, 7, 15), MONDAY + timedelta(19), trials=100)
    assert outlook.forecast.spent_usd == 0
    assert len(outlook.forecast.days) == outlook.cumulative.shape[1] == 31
    assert outlook.forecast.days[0].day == date(2026, 7, 1)


def test_the_same_seed_gives_the_same_forecast_and_another_one_another() -> None:
    history, as_of = days(*noisy(20)), MONDAY + timedelta(19)
    once, again, other = (forecast_month(history, as_of, as_of, trials=100, seed=seed) for seed in (1, 1, 2))
    assert once.forecast == again.forecast
    assert once.forecast != other.forecast


def test_history_after_the_day_of_the_forecast_is_not_looked_at() -> None:
    known = days(*noisy(20))
    later = [*known, (MONDAY + timedelta(25), Decimal(99999))]
    assert forecast_of(known, MONDAY + timedelta(19)) == forecast_of(later, MONDAY + timedelta(19))


def test_rows_of_a_day_add_up_in_any_order_and_missing_days_cost_nothing() -> None:
    rows = [(MONDAY + timedelta(3), Decimal(4)), (MONDAY, Decimal(1)), (MONDAY, Decimal(2))]
    known = Days.of(rows, MONDAY + timedelta(4))
    assert known
    assert known.usd == (3, 0, 0, 4, 0)


def days_ahead(history: list[Row], as_of: date, ahead: int, trials: int) -> list[Quantiles]:
    """P10, P50 and P90 in USD of each of the days after `as_of`."""
    known = Days.of(history, as_of)
    assert known
    return column_quantiles(draw(known, ahead, trials, seed=1))


def test_a_weekday_pattern_is_forecast() -> None:
    # 100 on weekdays, 20 at weekends; 2026-08-03 is a Monday
    ahead = days_ahead(days(*noisy(63, weekend=0.2)), date(2026, 8, 2), 7, 2000)
    assert all(90 < day.p50 < 110 for day in ahead[:5])
    assert all(18 < day.p50 < 22 for day in ahead[5:])


def test_weekends_without_cost_stay_without_cost() -> None:
    ahead = days_ahead(days(*noisy(28, weekend=0.0)), MONDAY + timedelta(27), 7, 2000)
    assert all(day.p90 == 0 for day in ahead[5:])
    assert all(day.p10 > 68 for day in ahead[:5])  # noise of 10 %, and a level that may be moving


def test_one_day_of_a_hundredfold_cost_does_not_wreck_the_forecast() -> None:
    costs = noisy(45)
    without = forecast_of(days(*costs), date(2026, 7, 15))
    costs[12] *= 100  # in June: no part of what July has spent
    wrecked = forecast_of(days(*costs), date(2026, 7, 15))
    assert float(wrecked.p50_usd) == pytest.approx(float(without.p50_usd), rel=0.05)
    assert float(wrecked.expected_usd) == pytest.approx(float(without.expected_usd), rel=0.10)


def test_after_a_shift_of_the_level_the_forecast_is_at_the_new_one() -> None:
    costs = [*noisy(40), *noisy(10, usd=180, seed=2)]
    assert Model(np.array(costs), 0).shifts == [-9]  # ten days of the new level, the last of them day 0
    ahead = days_ahead(days(*costs), MONDAY + timedelta(49), 7, 2000)
    assert all(165 < day.p50 < 195 for day in ahead)


def test_a_level_of_two_days_may_be_chance_or_new_and_a_week_settles_it() -> None:
    def rest(doubled: int) -> tuple[float, float]:
        """P10 and P90 of the ten days after 40 days, the last so many of which cost twice as much."""
        costs = np.exp(np.random.default_rng(4).normal(np.log(100), 0.1, 40))
        costs[40 - doubled :] *= 2
        low, high = np.quantile(Model(costs, 0).draw(10, 2000, np.random.default_rng(1)).sum(axis=1), (0.1, 0.9))
        return float(low), float(high)

    assert rest(0)[1] < 1200
    assert rest(1)[1] > rest(0)[1]
    low, high = rest(2)
    assert high > 1800  # ten days of about $200
    low, high = rest(8)
    assert 1700 < low < high < 2500


def test_growth_is_followed_where_the_days_show_it() -> None:
    # 1 % a day for 13 weeks: the week after is on average e^0.04 = 4 % above the last day's level of 100
    grown = np.array(noisy(91, sd=0.03)) * np.exp(0.01 * (np.arange(91) - 90))
    ahead = days_ahead(days(*grown), MONDAY + timedelta(90), 7, 2000)
    assert sum(float(day.p50) for day in ahead) == pytest.approx(7 * 104, rel=0.03)


@pytest.mark.parametrize("known", range(1, 7))
def test_few_days_still_give_a_forecast_that_says_how_few(known: int) -> None:
    forecast = forecast_of(days(*noisy(known)), MONDAY + timedelta(known - 1))
    assert f"only {known} day" in forecast.message
    assert forecast.p10_usd < forecast.expected_usd < 4 * forecast.p50_usd


def test_the_less_is_known_the_wider_the_range() -> None:
    widths = []
    for known in (2, 10, 90):
        day = days_ahead(days(*noisy(known)), MONDAY + timedelta(known - 1), 1, 4000)[0]
        widths.append(float((day.p90 - day.p10) / day.p50))
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 2 * widths[-1]
    assert widths[-1] == pytest.approx(2 * 1.2816 * 0.1, rel=0.25)  # P10 to P90 of noise of 10 %


def test_five_steady_days_give_a_range_that_is_neither_certain_nor_vast() -> None:
    # 25 days to come after 5 steady ones, whose slope has a standard error of 0.05 / sqrt(10) = 1.6 % a day: over the 15
    # days to the middle of those to come e^(1.28 * 15 * 0.016) = 1.35 up or down, and the weekend is unknown
    known = days(*noisy(5, sd=0.05))
    low, high = np.quantile(draw(_known(known), 25, 4000, seed=1).sum(axis=1), (0.1, 0.9))
    assert 0.15 < high / low - 1 < 1.5


def _known(history: list[Row]) -> Days:
    known = Days.of(history)
    assert known
    return known


def test_a_first_weekend_that_rests_is_no_decline() -> None:
    # Wednesday to Sunday, $100 and half at the weekend; the next Monday to Friday cost $500 if the fleet stands still
    costs = [100, 98, 102, 50, 50]
    ahead = draw(_known(days(*costs, first=MONDAY + timedelta(2))), 5, 4000, seed=1).sum(axis=1)
    assert 420 < np.median(ahead) < 520


def test_a_first_month_may_grow_as_likely_as_shrink() -> None:
    # ten steady days at $100, 20 to come: their slope's standard error is 0.1 / sqrt(82.5) = 1.1 % a day, so that over the
    # 15 days to the middle of those to come the level may move by 16 % either way
    rest = draw(_known(days(*noisy(10))), 20, 4000, seed=1).sum(axis=1)
    low, middle, high = np.log(np.quantile(rest, (0.1, 0.5, 0.9)))
    assert 0.1 < middle - low < 0.4
    assert high - middle == pytest.approx(middle - low, rel=0.25)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "known", "least"),
    [("flat", 5, 0.7), ("growth of 50 % a month", 5, 0.6), ("sparse, five active days a month", 5, 0.6)],
)
def test_cells_without_history(synthetic: ModuleType, kind: str, known: int, least: float) -> None:
    # 30 months have a standard error of 7 points; docs/forecast.md has 100 of each
    rng = np.random.default_rng(known)
    missed = sum(any(synthetic.cell_miss(kind, 0, known, rng)) for _ in range(30))
    assert 1 - missed / 30 >= least


def test_a_fleet_that_has_stopped_is_forecast_to_cost_less_and_less() -> None:
    stopped = days(*noisy(40), *[0] * 20)
    ahead = days_ahead(stopped, MONDAY + timedelta(59), 5, 2000)
    assert all(day.p50 < 60 for day in ahead)


@pytest.mark.parametrize("history", [[], days(1, first=date(2027, 1, 1))])
def test_without_history_there_is_no_forecast(history: list[Row]) -> None:
    with pytest.raises(CostsimError, match="no cost is known through 2026-06-10"):
        forecast_month(history, MONDAY, date(2026, 6, 10))


def test_a_history_of_nothing_is_no_history() -> None:
    with pytest.raises(CostsimError, match="cost \\$0"):
        forecast_month(days(0, 0), MONDAY, date(2026, 6, 10))


def test_a_negative_cost_is_refused() -> None:
    with pytest.raises(CostsimError, match="the cost of 2026-06-01 is -1"):
        forecast_month(days(-1), MONDAY, date(2026, 6, 10))


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    costs=st.lists(st.sampled_from([0, 0.000001, 0.5, 1, 7, 1e6]), min_size=1, max_size=40).filter(any),
    left=st.integers(0, 40),
)
def test_any_history_gives_an_ordered_finite_forecast(costs: list[float], left: int) -> None:
    as_of = MONDAY + timedelta(len(costs) - 1 + left)
    forecast = forecast_month(days(*(f"{c:.6f}" for c in costs)), as_of, as_of, trials=50).forecast
    assert forecast.spent_usd <= forecast.p10_usd <= forecast.p50_usd <= forecast.p90_usd < Decimal("1e12")


def test_money_scales_the_forecast_scales() -> None:
    # Statistics on logs: euros or cents, the same shape
    small, large = (
        forecast_of(days(*(c * unit for c in noisy(30))), MONDAY + timedelta(29), date(2026, 7, 1))
        for unit in (1, 1000)
    )
    assert float(large.p90_usd) == pytest.approx(1000 * float(small.p90_usd), rel=1e-6)


@pytest.fixture(scope="module")
def months(synthetic: ModuleType) -> list[Any]:
    """198 months of nine regimes, forecast; tests/bench/bench_forecast.py does 2,700 (docs/forecast.md)."""
    rng = np.random.default_rng(7)
    return [synthetic.month_trial(name, rng, trials=400) for name in synthetic.REGIMES for _ in range(22)]


@pytest.mark.slow
def test_p10_to_p90_holds_four_months_in_five(months: list[Any]) -> None:
    # a standard error of (0.8 * 0.2 / 198) ** 0.5 = 2.8 points; docs/forecast.md has 2,700 months
    assert np.mean([month.inside for month in months]) == pytest.approx(0.8, abs=2.5 * 0.028)


@pytest.mark.slow
def test_a_stated_chance_of_breach_comes_about_as_often(synthetic: ModuleType, months: list[Any]) -> None:
    rng = np.random.default_rng(11)
    said, came = np.array([synthetic.breaches(month, rng) for month in months], dtype=float).T
    for low, high in ((0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.01)):
        these = (low <= said) & (said < high)
        error = (0.25 / these.sum()) ** 0.5  # no less than the standard error of a share
        assert came[these].mean() == pytest.approx(said[these].mean(), abs=2.5 * error)


@pytest.mark.slow
def test_the_backtest_says_how_often_the_ranges_held_and_beats_the_plain_average(synthetic: ModuleType) -> None:
    costs = synthetic.REGIMES["quiet weekends"].draw(100, np.random.default_rng(1))
    result = backtest(synthetic.history(costs, MONDAY), trials=300)
    assert result
    by_name = {coverage.what: coverage for coverage in result.coverage}
    assert by_name["next day"].forecasts == 36  # days 58 to 93: a week must follow each
    assert by_name["month total, half known"].forecasts == 3  # June to August
    assert 0.65 < by_name["next day"].share < 0.95
    assert result.mean_absolute_percent_error < result.naive_mean_absolute_percent_error / 2


@pytest.mark.parametrize("history", [[], days(*noisy(34)), days(1, *[0] * 60, 0)])
def test_a_short_or_empty_history_has_no_backtest(history: list[Row]) -> None:
    assert backtest(history, trials=50) is None


def test_the_quantile_loss_by_hand() -> None:
    # All quantiles at 10, truth 14: 4 * (0.1 + 0.5 + 0.9) / 3 = 2; truth 8: 2 * (0.9 + 0.5 + 0.1) / 3 = 1
    assert quantile_loss(np.full(9, 10.0), 14.0) == pytest.approx(2)
    assert quantile_loss(np.full(9, 10.0), 8.0) == pytest.approx(1)


def test_days_that_are_all_alike_are_forecast_without_a_doubt() -> None:
    history = [(date(2026, 9, 1) + timedelta(days=n), Decimal(1)) for n in range(45)]
    outlook = forecast_month(history, date(2026, 10, 1), date(2026, 10, 15))
    # 15 days at $1 are known, 16 to come
    assert outlook.totals == pytest.approx(31, abs=0.5)
    assert outlook.forecast.spent_usd == 15
