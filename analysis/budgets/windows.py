"""A budget's period against costs by day: which days are judged, what they cost, and when the limit is crossed.

Costs that nothing varies are compared exactly; drawn ones with a hair's breadth of
tolerance, for they are sums of binary fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from ..architecture.budgets import At, Period

Floats = NDArray[np.float64]

QUANTILES: dict[At, float] = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Daily:
    """What a scope costs by day: exactly in expectation, and drawn, (days, trials); (days, 1) if nothing varies."""

    dates: tuple[date, ...]
    expected_usd: tuple[Fraction, ...]
    drawn_usd: Floats = field(repr=False)

    @classmethod
    def nothing(cls, dates: Sequence[date]) -> Daily:
        """No cost on any of the days."""
        return cls(tuple(dates), (Fraction(0),) * len(dates), np.zeros((len(dates), 1)))

    def window(self, first: int, last: int) -> Daily:
        """The days from index `first` to `last`, both included."""
        days = slice(first, last + 1)
        return Daily(self.dates[days], self.expected_usd[days], self.drawn_usd[days])

    def plus(self, expected_usd: Sequence[Fraction], drawn_usd: Floats, sign: int = 1) -> Daily:
        """These costs with others added; taken away with `sign` -1."""
        expected = tuple(own + sign * other for own, other in zip(self.expected_usd, expected_usd, strict=True))
        return Daily(self.dates, expected, self.drawn_usd + sign * drawn_usd)

    @property
    def varies(self) -> bool:
        """Whether anything is drawn."""
        return bool(self.drawn_usd.shape[1] > 1)

    @cached_property
    def total_usd(self) -> Fraction:
        """The expected cost of all days, exact."""
        return sum(self.expected_usd, Fraction(0))

    @cached_property
    def sums(self) -> Floats:
        """The drawn cost of all days, (trials,), or (1,) if nothing varies."""
        total: Floats = self.drawn_usd.sum(axis=0)
        return total

    def at(self, at: At) -> Fraction:
        """The cost of all days at that quantile, or the mean: exact for the mean, and where nothing varies."""
        if at == "mean" or not self.varies:
            return self.total_usd
        return self._quantiles[at]

    @cached_property
    def _quantiles(self) -> dict[At, Fraction]:
        return {at: Fraction(f"{np.quantile(self.sums, share):.8g}") for at, share in QUANTILES.items()}

    def chance(self, limit_usd: Fraction) -> float:
        """The share of trials in which all days together cost more than the limit."""
        if not self.varies:
            return float(self.total_usd > limit_usd)
        return float(np.mean(self.sums > _beyond(limit_usd)))

    def crossed_on(self, limit_usd: Fraction) -> date | None:
        """The day on which the running cost first exceeds the limit: the median of the trials in which it does."""
        if not self.varies:
            running = accumulate(self.expected_usd)
            return next((day for day, cost in zip(self.dates, running, strict=True) if cost > limit_usd), None)
        over = np.cumsum(self.drawn_usd, axis=0) > _beyond(limit_usd)
        firsts = np.sort(over.argmax(axis=0)[over.any(axis=0)])
        return self.dates[int(firsts[(len(firsts) - 1) // 2])] if len(firsts) else None


def _beyond(limit_usd: Fraction) -> float:
    return float(limit_usd) * (1 + TOLERANCE) + 1e-15


def windows(daily: Daily, period: Period, month: date) -> list[Daily]:
    """The windows of that period.

    Months and days are those of the month in which `month` lies. Weeks are whole ones, Monday to Sunday, that end
    in it, as far as `daily` has all their days; where it has none, its days. A run is of one day.
    """
    return [daily.window(first, last) for first, last in _spans(daily.dates, period, month)]


def costliest_window(daily: Daily, period: Period, month: date) -> Daily:
    """The window of largest expected cost; the first of equals."""
    return max(windows(daily, period, month), key=lambda window: window.total_usd)


def _spans(dates: Sequence[date], period: Period, month: date) -> list[tuple[int, int]]:
    inside = [n for n, day in enumerate(dates) if (day.year, day.month) == (month.year, month.month)]
    match period:
        case "day" | "run":
            return [(n, n) for n in inside]
        case "week":
            return [(n - 6, n) for n in inside if dates[n].weekday() == 6 and n >= 6] or [(inside[0], inside[-1])]
        case _:
            return [(inside[0], inside[-1])]


def last_period(period: Period, day: date) -> tuple[date, date]:
    """The first and last day of the whole period before the one in which `day` lies."""
    match period:
        case "day" | "run":
            return day - timedelta(1), day - timedelta(1)
        case "week":
            monday = day - timedelta(day.weekday())
            return monday - timedelta(7), monday - timedelta(1)
        case _:
            last = day.replace(day=1) - timedelta(1)
            return last.replace(day=1), last


def days_of_month(month: date) -> Iterator[date]:
    """Every day of the month in which `month` lies."""
    day = month.replace(day=1)
    while day.month == month.month:
        yield day
        day += timedelta(1)
