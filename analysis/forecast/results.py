"""What a forecast says, and what makes a day an anomaly."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from ...plurals import counted
from ..result import Result, Usd


class DayForecast(Result):
    """One day ahead: expected cost, and the range that holds 8 days in 10."""

    day: date
    expected_usd: Usd
    p10_usd: Usd
    p50_usd: Usd
    p90_usd: Usd


class MonthForecast(Result):
    """A month's total: what is spent through `as_of` (the last whole day known) plus the days still to come.

    The quantiles are of the whole month's total: quantiles of a sum, not the sum of `days`' quantiles.
    """

    month: str = Field(description="2026-10")
    as_of: date
    spent_usd: Usd
    expected_usd: Usd
    p10_usd: Usd
    p50_usd: Usd
    p90_usd: Usd
    days: list[DayForecast] = Field(description="the days still to come; empty for a month that is over")
    method: Literal["weekday", "complete"]
    message: str = Field(description="how it was made and from how many days, in a sentence")


class Anomaly(Result):
    """A day that cost far more, or far less, than its weekday's usual.

    `component` is null for the total. `score` is the distance from the expected cost in robust standard
    deviations; `low_usd` and `high_usd` bound what would have been usual.
    """

    day: date
    component: str | None
    usd: Usd
    expected_usd: Usd
    low_usd: Usd
    high_usd: Usd
    score: float
    message: str


class Coverage(Result):
    """How often the truth fell into P10 to P90 on days and months held out: 0.8 would be perfect."""

    what: str = Field(description="for example: month total, half a month known")
    forecasts: int
    inside: int
    share: float
    wanted: float = 0.8


class Backtest(Result):
    """The forecast compared with the past: coverage of its ranges, and its error against a plain average."""

    coverage: list[Coverage]
    mean_absolute_percent_error: float = Field(description="of days up to a week ahead, in percent of their cost")
    naive_mean_absolute_percent_error: float = Field(description="of the last week's average, carried forward")
    method: Literal["weekday"]


class ForecastCheck(Result):
    """A forecast of a past month as it would have been given after `as_of`, from the days through it alone.

    `component` is null for the total; `fell` says where `actual_usd` lies: below P10, within P10 to P90, above P90.
    """

    month: str
    component: str | None
    as_of: date
    p10_usd: Usd
    p50_usd: Usd
    p90_usd: Usd
    actual_usd: Usd
    fell: Literal["below", "within", "above"]


class ForecastRecord(Result):
    """Of so many months' forecasts made after a day of the month, how many held the total within P10 to P90."""

    day: int
    months: int
    inside: int
    wanted: float
    enough: bool = Field(description="whether the months are enough to judge the forecast by")

    @property
    def message(self) -> str:
        """The record in a sentence."""
        months = counted(self.months, "month")
        said = f"{self.inside} of {months} within P10 to P90; {self.wanted:.0%} expected"
        return (
            said if self.enough else f"{said}, and {'this is' if self.months == 1 else 'these are'} too few to judge by"
        )


class Calibration(Result):
    """How the forecasts have kept: those of the newest month that is over, and the record of the months' totals."""

    month: str
    checks: list[ForecastCheck] = Field(description="the total's first, then the most expensive components'")
    record: list[ForecastRecord] = Field(description="of totals, by the day of the month that was known last")
