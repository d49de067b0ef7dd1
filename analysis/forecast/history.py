"""Days and what they cost: exact records in, one unbroken row of days out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ...errors import CostsimError

Floats = NDArray[np.float64]
History = Sequence[tuple[date, Decimal]]
"""Cost by day, USD, in any order. Rows of one day add up; a day without a row, inside the span, cost nothing."""

MOST_DAYS = 1096
"""Three years: older days say nothing about the days to come, and reading each of them would take time."""


@dataclass(frozen=True)
class Days:
    """Every day from `first` to `last`, of three years, and its cost: `usd` exact, `costs` as floats, shape (days,)."""

    first: date
    usd: tuple[Decimal, ...] = field(repr=False)

    @classmethod
    def of(cls, history: History, last: date | None = None) -> Days | None:
        """The days from the first cost through `last` (default: the last record's); None where there are none."""
        by_day: dict[date, Decimal] = defaultdict(Decimal)
        for day, usd in history:
            if last is None or day <= last:
                by_day[day] += usd
        if not by_day:
            return None
        for day, usd in by_day.items():
            if not usd.is_finite() or usd < 0:
                raise CostsimError(f"the cost of {day} is {usd}; a day's cost is a number from 0 up")
        end = last or max(by_day)
        begins = min((day for day, usd in by_day.items() if usd), default=min(by_day))
        first = max(begins, end - timedelta(MOST_DAYS - 1))
        if not any(day >= first for day in by_day):
            return None
        span = (end - first).days + 1
        return cls(first, tuple(by_day.get(first + timedelta(n), Decimal(0)) for n in range(span)))

    def __len__(self) -> int:
        return len(self.usd)

    @property
    def last(self) -> date:
        """The last of the days."""
        return self.first + timedelta(len(self) - 1)

    @property
    def costs(self) -> Floats:
        """The costs as floats, for statistics."""
        return np.array([float(usd) for usd in self.usd])

    def through(self, last: date) -> Days:
        """These days up to `last`, as if the later ones were not yet known."""
        return Days(self.first, self.usd[: (last - self.first).days + 1])

    def between(self, first: date, last: date) -> Days | None:
        """These days from `first` to `last`; None where there are none."""
        start, end = max(0, (first - self.first).days), (last - self.first).days + 1
        return Days(self.first + timedelta(start), self.usd[start:end]) if start < min(end, len(self)) else None

    def by_day(self) -> dict[date, Decimal]:
        """The exact cost of each day."""
        return {self.first + timedelta(n): usd for n, usd in enumerate(self.usd)}

    def spent(self, first: date, last: date) -> Decimal:
        """The exact cost of the days from `first` to `last`."""
        start = max(0, (first - self.first).days)
        return sum(self.usd[start : max(0, (last - self.first).days + 1)], Decimal(0))


def weekdays(first: date, days: int) -> NDArray[np.int64]:
    """The weekdays of that many days: Monday is 0, (days,)."""
    return (first.weekday() + np.arange(days)) % 7
