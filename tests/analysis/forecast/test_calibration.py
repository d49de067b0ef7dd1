"""Past forecasts against what happened: from the days known then alone, by the one forecast."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from costsim.analysis.forecast import calibration
from costsim.analysis.forecast.calibration import calibrate
from costsim.analysis.forecast.history import History
from costsim.analysis.forecast.month import forecast_month
from costsim.analysis.forecast.results import ForecastRecord


def history(first: date, last: date, spike: date | None = None) -> History:
    """$10 on weekdays, $4 on weekends, a little more every third day; $300 on one day if any."""
    days = [first + timedelta(n) for n in range((last - first).days + 1)]
    usual = [Decimal(4 if day.weekday() > 4 else 10) + day.toordinal() % 3 for day in days]
    return [(day, Decimal(300) if day == spike else usd) for day, usd in zip(days, usual, strict=True)]


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no test takes a second: the draws are the same for the same number of them."""
    monkeypatch.setattr(calibration, "TRIALS", 300)
    monkeypatch.setattr(calibration, "QUICK_TRIALS", 100)


MAY_TO_JULY = history(date(2026, 5, 1), date(2026, 7, 31))


def test_a_past_forecast_is_the_one_that_was_given_then() -> None:
    found = calibrate({None: MAY_TO_JULY}, "2026-07", date(2026, 7, 31))
    assert found
    assert [(check.as_of.day, check.component) for check in found.checks] == [(5, None), (10, None), (20, None)]
    for check in found.checks:
        known = [(day, usd) for day, usd in MAY_TO_JULY if day <= check.as_of]
        given = forecast_month(known, date(2026, 7, 1), check.as_of, trials=300).forecast
        assert (check.p10_usd, check.p50_usd, check.p90_usd) == (given.p10_usd, given.p50_usd, given.p90_usd)
        assert check.actual_usd == sum(usd for day, usd in MAY_TO_JULY if day.month == 7)
        assert check.fell == "within"


@pytest.mark.slow
def test_what_came_later_is_in_no_past_forecast() -> None:
    spike = history(date(2026, 5, 1), date(2026, 7, 31), spike=date(2026, 7, 22))
    found, calm = (calibrate({None: days}, "2026-07", date(2026, 7, 31)) for days in (spike, MAY_TO_JULY))
    assert found
    assert calm
    assert [(c.p10_usd, c.p90_usd) for c in found.checks] == [(c.p10_usd, c.p90_usd) for c in calm.checks]
    assert [c.fell for c in found.checks] == ["above"] * 3  # some $290 more than anybody could know


@pytest.mark.slow
def test_each_component_is_compared_too() -> None:
    half = [(day, usd / 2) for day, usd in MAY_TO_JULY]
    found = calibrate({None: MAY_TO_JULY, "a": half, "b": half, "idle": []}, "2026-07", date(2026, 7, 31))
    assert found
    assert [check.component for check in found.checks[3:]] == ["a", "a", "a", "b", "b", "b"]


def test_the_record_counts_months_and_says_where_they_are_too_few() -> None:
    found = calibrate({None: MAY_TO_JULY}, "2026-07", date(2026, 7, 31))
    assert found
    # on 5 May five days were known, fewer than a week: no forecast of May counts there
    assert [(record.day, record.months) for record in found.record] == [(5, 2), (10, 3), (20, 3)]
    assert found.record[0].message == "2 of 2 months within P10 to P90; 80% expected, and these are too few to judge by"
    ten = ForecastRecord(day=10, months=10, inside=8, wanted=0.8, enough=True)
    assert ten.message == "8 of 10 months within P10 to P90; 80% expected"


def test_of_a_running_month_the_one_before_is_looked_at() -> None:
    found = calibrate({None: MAY_TO_JULY}, "2026-07", date(2026, 7, 30))
    assert found
    assert (found.month, {check.month for check in found.checks}) == ("2026-06", {"2026-06"})


def test_nothing_is_said_where_no_forecast_was_possible() -> None:
    assert calibrate({None: history(date(2026, 7, 18), date(2026, 7, 31))}, "2026-07", date(2026, 7, 31)) is None
    assert calibrate({None: []}, "2026-07", date(2026, 7, 31)) is None
