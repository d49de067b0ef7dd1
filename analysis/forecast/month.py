"""What the rest of a month will cost, and so the month: its mean, its range and the draws behind them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from ...errors import CostsimError
from ...money import to_usd
from ...months import month_bounds
from ..quantiles import column_quantiles, quantiles
from ..simulation.monte_carlo import generator
from .backtest import weekday_draw
from .history import Days, Floats, History
from .results import DayForecast, MonthForecast

FEW_DAYS = 7


@dataclass(frozen=True)
class Outlook:
    """A month's forecast and the draws that it sums up, USD.

    `totals` (trials,) are the whole month's; `cumulative` (trials, days to come) the month's cost at the end of
    each day of `forecast.days`. Both hold what is spent already.
    """

    forecast: MonthForecast
    totals: Floats = field(repr=False)
    cumulative: Floats = field(repr=False)


def forecast_month(history: History, month: date, as_of: date, *, trials: int = 10_000, seed: int = 1) -> Outlook:
    """The total of the month in which `month` lies, from all history through `as_of`, the last whole day known.

    Days without a record, from the first record through `as_of`, count as days of no cost.
    Raises CostsimError where there is no cost through `as_of`.
    """
    first, last = month_bounds(month)
    known = Days.of(history, as_of)
    if as_of >= last:
        return _complete(known, first, last, as_of, trials)
    known = _usable(known, as_of)
    spent = known.spent(first, as_of)
    drawn = draw(known, (last - as_of).days, trials, seed)
    ours = drawn[:, -min(drawn.shape[1], (last - first).days + 1) :]
    cumulative = float(spent) + np.cumsum(ours, axis=1)
    days = _day_forecasts(ours, last - timedelta(ours.shape[1] - 1))
    forecast = _month(as_of, spent, ours.sum(axis=1), days, _says(known))
    return Outlook(forecast, cumulative[:, -1], cumulative)


def draw(days: Days, ahead: int, trials: int, seed: int) -> Floats:
    """Costs in USD of the `ahead` days after the known ones, (trials, ahead)."""
    return weekday_draw(days, ahead, trials, generator(seed, "forecast"))


def _usable(known: Days | None, as_of: date) -> Days:
    if known is None:
        raise CostsimError(f"no cost is known through {as_of}, so there is nothing to forecast from; load usage first")
    if not any(known.usd):
        raise CostsimError(f"every day through {as_of} cost $0, so there is nothing to forecast from")
    return known


def _complete(known: Days | None, first: date, last: date, as_of: date, trials: int) -> Outlook:
    spent = known.spent(first, last) if known else Decimal(0)
    totals = np.full(trials, float(spent))
    sure = {"expected_usd": spent, "p10_usd": spent, "p50_usd": spent, "p90_usd": spent}
    forecast = MonthForecast(
        month=f"{first:%Y-%m}", as_of=as_of, spent_usd=spent, **sure, days=[], method="complete",
        says="the month is over: this is what it cost",
    )  # fmt: skip
    return Outlook(forecast, totals, np.empty((trials, 0)))


def _month(as_of: date, spent: Decimal, rest: Floats, days: list[DayForecast], says: str) -> MonthForecast:
    """The month as what is spent, exactly, and the draws (trials,) of what is to come."""
    spread = quantiles(rest, lambda amount: spent + to_usd(amount))
    return MonthForecast(
        month=f"{days[0].day:%Y-%m}", as_of=as_of, spent_usd=spent, expected_usd=spent + to_usd(float(rest.mean())),
        p10_usd=spread.p10, p50_usd=spread.p50, p90_usd=spread.p90, days=days, method="weekday", says=says,
    )  # fmt: skip


def _day_forecasts(drawn: Floats, first: date) -> list[DayForecast]:
    means, spreads = drawn.mean(axis=0), column_quantiles(drawn)
    return [
        DayForecast(
            day=first + timedelta(n), expected_usd=to_usd(float(means[n])), p10_usd=spread.p10, p50_usd=spread.p50,
            p90_usd=spread.p90,
        )
        for n, spread in enumerate(spreads)
    ]  # fmt: skip


def _says(known: Days) -> str:
    """How it was made, in a sentence."""
    days = f"{len(known)} day{'s' if len(known) != 1 else ''} ({known.first} to {known.last})"
    if len(known) < FEW_DAYS:
        return f"from only {days}: not every weekday has been seen yet, so the range is wide"
    return f"from {days}: the level of late, by weekday, with anomalies weighing less"
