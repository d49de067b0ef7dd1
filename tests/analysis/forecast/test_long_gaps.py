"""Days of cost with years of silence between them: what is looked at is bounded, however long the past is."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from costsim.analysis.forecast.backtest import backtest
from costsim.analysis.forecast.daily import WINDOW, Model
from costsim.analysis.forecast.history import MOST_DAYS, Days
from costsim.analysis.forecast.month import forecast_month
from costsim.errors import CostsimError

LAST = date(2026, 10, 5)


def test_the_past_is_looked_at_for_three_years() -> None:
    days = Days.of([(date(2015, 1, 1), Decimal(9)), (LAST, Decimal(1))])
    assert days is not None
    assert (days.first, len(days)) == (LAST - timedelta(MOST_DAYS - 1), MOST_DAYS)
    assert sum(days.usd) == 1


def test_after_a_long_silence_the_window_ends_with_the_last_cost() -> None:
    days = Days.of([(LAST - timedelta(900), Decimal(9)), (LAST - timedelta(800), Decimal(9))], LAST)
    assert days is not None
    model = Model(days.costs, days.first.weekday())
    costs, weekdays = model._recent
    assert (len(costs), len(weekdays), costs[-1]) == (WINDOW, WINDOW, 9)


@pytest.mark.slow
@pytest.mark.parametrize("gap", [92, 400, 1000, 4000])
def test_a_forecast_after_a_gap_is_quick_and_low(gap: int) -> None:
    history = [(LAST - timedelta(gap + n), Decimal(10)) for n in range(30)]
    forecast = forecast_month([*history, (LAST, Decimal(10))], LAST, LAST, trials=200).forecast
    assert Decimal(10) <= forecast.p50_usd <= Decimal(300)
    backtest([*history, (LAST, Decimal(10))], trials=50)


@pytest.mark.parametrize("month", [date(2029, 11, 1), date(2199, 12, 1)])
def test_a_forecast_looks_three_years_ahead_at_most(month: date) -> None:
    with pytest.raises(
        CostsimError, match="days after 2026-10-05, the last day known; a forecast looks 1,096 days ahead"
    ):
        forecast_month([(LAST, Decimal(1))], month, LAST, trials=10)
    assert forecast_month([(LAST, Decimal(1))], date(2029, 9, 1), LAST, trials=10).forecast.p50_usd > 0  # 1,091 days
