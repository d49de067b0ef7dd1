"""What the days ahead will cost, and so the month: its mean, its range and the draws behind them.

The one forecast of costsim: `run --from-usage`, `check --usage` and the review all ask it, so that the same store
and the same days give the same figures, whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from ...errors import CostsimError
from ...money import to_usd
from ...months import month_bounds
from ..quantiles import column_quantiles, quantiles
from ..simulation.streams import generator
from .daily import draw_days
from .history import Days, Floats, History
from .results import DayForecast, MonthForecast

HISTORY_DAYS = 182
"""How far back a forecast looks from the last day known."""
MAX_AHEAD = 1_096  # days: as far as a projection goes, three years
TRIALS = 10_000
FEW_DAYS, ENOUGH_DAYS = 7, 14
"""With fewer days than a week not every weekday has been seen; two weeks have seen each twice."""


@dataclass(frozen=True)
class Outlook:
    """A month's forecast and the draws that it sums up, USD.

    `totals` (trials,) are the whole month's; `cumulative` (trials, days to come) the month's cost at the end of
    each day of `forecast.days`. Both hold what is spent already.
    """

    forecast: MonthForecast
    totals: Floats = field(repr=False)
    cumulative: Floats = field(repr=False)


@dataclass(frozen=True)
class Ahead:
    """The days from `first` to `last`: those through `as_of` as they were, the others drawn, USD.

    `drawn` is (trials, days): the days of the span that come after `as_of`.
    """

    first: date
    last: date
    as_of: date
    known: Days | None
    drawn: Floats = field(repr=False)

    @property
    def spent(self) -> Decimal:
        """What the days through `as_of` cost, exact."""
        return self.known.spent(self.first, min(self.last, self.as_of)) if self.known else Decimal(0)

    @property
    def coming(self) -> list[date]:
        """The days that are drawn."""
        days = self.drawn.shape[1]
        return [self.last - timedelta(n) for n in range(days - 1, -1, -1)]


def forecast_days(
    history: History, first: date, last: date, as_of: date, *, trials: int = TRIALS, seed: int = 1
) -> Ahead:
    """The days from `first` to `last`, from all history through `as_of`, the last whole day known.

    Days without a record, from the first record through `as_of`, count as days of no cost; a weekday that is not
    among these days is not known to cost nothing. Raises CostsimError where days are to come and there is no cost
    in the half year through `as_of`.
    """
    known = Days.of(history, as_of)
    if as_of >= last:
        return Ahead(first, last, as_of, known, np.empty((trials, 0)))
    if (last - as_of).days > MAX_AHEAD:
        raise CostsimError(
            f"{last} is {(last - as_of).days:,} days after {as_of}, the last day known; a forecast looks "
            f"{MAX_AHEAD:,} days ahead at most: name an earlier month"
        )
    known = _usable(known, as_of)
    drawn = draw(known, (last - as_of).days, trials, seed)
    return Ahead(first, last, as_of, known, drawn[:, -min(drawn.shape[1], (last - first).days + 1) :])


def forecast_month(history: History, month: date, as_of: date, *, trials: int = TRIALS, seed: int = 1) -> Outlook:
    """The total of the month in which `month` lies, as `forecast_days`. Raises CostsimError as it does."""
    ahead = forecast_days(history, *month_bounds(month), as_of, trials=trials, seed=seed)
    if not ahead.coming:
        return _complete(ahead, trials)
    cumulative = float(ahead.spent) + np.cumsum(ahead.drawn, axis=1)
    return Outlook(_month(ahead), cumulative[:, -1], cumulative)


def draw(days: Days, ahead: int, trials: int, seed: int) -> Floats:
    """Costs in USD of the `ahead` days after the known ones, (trials, ahead)."""
    looked_at = days.between(days.last - timedelta(HISTORY_DAYS - 1), days.last) or days
    return draw_days(looked_at, ahead, trials, generator(seed, "forecast"))


def basis(known: Days) -> str:
    """What a forecast rests on, and whether that is enough, in a sentence."""
    days = f"{len(known)} day{'s' if len(known) != 1 else ''} ({known.first} to {known.last})"
    if len(known) < FEW_DAYS:
        return (
            f"from only {days}: not every weekday has been seen yet, so the range is wide; "
            f"{ENOUGH_DAYS} days, each weekday twice, would do"
        )
    if len(known) < ENOUGH_DAYS:
        return f"from {days}: each weekday seen once or twice, so the range is wide; {ENOUGH_DAYS} days would do"
    return f"from {days}: the level of late, by weekday, with anomalies weighing less"


def _usable(known: Days | None, as_of: date) -> Days:
    if known is None:
        raise CostsimError(f"no cost is known through {as_of}, so there is nothing to forecast from; load usage first")
    if not any(known.usd[-HISTORY_DAYS:]):
        raise CostsimError(
            f"every day of the half year through {as_of} cost $0, so there is nothing to forecast from"
            if len(known) > HISTORY_DAYS
            else f"every day through {as_of} cost $0, so there is nothing to forecast from"
        )
    return known


def _complete(ahead: Ahead, trials: int) -> Outlook:
    spent = ahead.spent
    totals = np.full(trials, float(spent))
    sure = {"expected_usd": spent, "p10_usd": spent, "p50_usd": spent, "p90_usd": spent}
    forecast = MonthForecast(
        month=f"{ahead.first:%Y-%m}", as_of=ahead.as_of, spent_usd=spent, **sure, days=[], method="complete",
        message="the month is over: this is what it cost",
    )  # fmt: skip
    return Outlook(forecast, totals, np.empty((trials, 0)))


def _month(ahead: Ahead) -> MonthForecast:
    """The month as what is spent, exactly, and the draws of what is to come."""
    spent, rest = ahead.spent, ahead.drawn.sum(axis=1)
    assert ahead.known  # noqa: S101 (days are to come, so some are known)
    spread = quantiles(rest, lambda amount: spent + to_usd(amount))
    return MonthForecast(
        month=f"{ahead.first:%Y-%m}", as_of=ahead.as_of, spent_usd=spent,
        expected_usd=spent + to_usd(float(rest.mean())), p10_usd=spread.p10, p50_usd=spread.p50, p90_usd=spread.p90,
        days=_day_forecasts(ahead), method="weekday", message=basis(ahead.known),
    )  # fmt: skip


def _day_forecasts(ahead: Ahead) -> list[DayForecast]:
    means, spreads = ahead.drawn.mean(axis=0), column_quantiles(ahead.drawn)
    return [
        DayForecast(
            day=day, expected_usd=to_usd(float(means[n])), p10_usd=spread.p10, p50_usd=spread.p50, p90_usd=spread.p90
        )
        for n, (day, spread) in enumerate(zip(ahead.coming, spreads, strict=True))
    ]
