"""The forecast compared with the past: made from what was known on earlier days, compared with what came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from ...months import month_bounds
from ..quantiles import LEVELS, ends
from ..simulation.streams import generator
from .daily import draw_days
from .history import Days, Floats, History
from .results import Backtest, Coverage

LEAST_KNOWN, HELD_OUT_DAYS, WEEK = 28, 42, 7
"""Four weeks are known before the first forecast; at most the last six are held out."""
MONTH_CASES = {"month total, a third known": 10, "month total, half known": 15, "month total, two thirds known": 20}

TRIALS, SEED = 1000, 1

Draw = Callable[[Days, int, int, np.random.Generator], Floats]
"""Costs of so many days after the known ones, for so many trials: (trials, days)."""


@dataclass
class Scores:
    """What the forecasts of one method were worth, forecast by forecast.

    `inside` by kind of forecast; `error` and `naive` are the absolute errors of the medians of days up to a week
    ahead and of last week's average, USD; `cost` what the days did cost; `loss` the quantile losses of weeks.
    """

    inside: dict[str, list[bool]] = field(default_factory=dict)
    error: float = 0.0
    naive: float = 0.0
    cost: float = 0.0
    loss: float = 0.0

    def add(self, what: str, drawn: Floats, truth: float) -> None:
        """Count whether the truth lies in P10 to P90 of what was drawn, (trials,)."""
        low, high = ends(drawn)
        self.inside.setdefault(what, []).append(bool(low <= truth <= high))

    def coverage(self) -> list[Coverage]:
        """The shares inside, by kind of forecast."""
        return [
            Coverage(what=what, forecasts=len(hits), inside=sum(hits), share=sum(hits) / len(hits))
            for what, hits in self.inside.items()
        ]


def backtest(history: History, *, trials: int = TRIALS, seed: int = SEED) -> Backtest | None:
    """Rolling origins: every day of the last six weeks, and days in each month that is known whole.

    Each forecast sees only the days before it. Errors are of the days up to a week ahead, in percent of what
    those days did cost. None where fewer than five weeks are known, or the days held out cost nothing.
    Raises CostsimError on a negative cost.
    """
    days = Days.of(history)
    if days is None:
        return None
    scores = held_out(days, draw_days, trials, seed)
    if scores is None:
        return None
    _months(days, draw_days, trials, seed, scores)
    return Backtest(
        coverage=scores.coverage(),
        mean_absolute_percent_error=100 * scores.error / scores.cost,
        naive_mean_absolute_percent_error=100 * scores.naive / scores.cost,
        method="weekday",
    )


def held_out(days: Days, draw: Draw, trials: int, seed: int, every: int = 1) -> Scores | None:
    """Forecasts of the next day and week from each `every`-th day of the last weeks; None where days are few."""
    first = max(LEAST_KNOWN, len(days) - HELD_OUT_DAYS)
    scores, costs = Scores(), days.costs
    for known in range(first, len(days) - WEEK + 1, every):
        past, truth = Days(days.first, days.usd[:known]), costs[known : known + WEEK]
        if not past.costs.any():
            continue
        drawn = draw(past, WEEK, trials, generator(seed, f"backtest {known}"))
        scores.add("next day", drawn[:, 0], truth[0])
        scores.add("next week", drawn.sum(axis=1), truth.sum())
        scores.error += float(np.abs(np.median(drawn, axis=0) - truth).sum())
        scores.naive += float(np.abs(costs[known - WEEK : known].mean() - truth).sum())
        scores.cost += float(truth.sum())
        scores.loss += quantile_loss(drawn.sum(axis=1), truth.sum())
    return scores if scores.cost else None


def quantile_loss(drawn: Floats, truth: float) -> float:
    """The mean pinball loss of P10, P50 and P90 (Koenker & Bassett 1978): 0 is perfect, USD; drawn is (trials,)."""
    off = truth - np.quantile(drawn, LEVELS)
    return float(np.maximum(np.array(LEVELS) * off, (np.array(LEVELS) - 1) * off).mean())


def _months(days: Days, draw: Draw, trials: int, seed: int, scores: Scores) -> None:
    """The totals of the months that are known whole, forecast from days in them."""
    for first, last in _whole_months(days):
        for what, day in MONTH_CASES.items():
            as_of = first.replace(day=day)
            past = days.through(as_of)
            if len(past) < LEAST_KNOWN // 2 or not past.costs.any():
                continue
            drawn = draw(past, (last - as_of).days, trials, generator(seed, f"backtest {as_of}"))
            scores.add(what, drawn.sum(axis=1), float(days.spent(as_of + timedelta(1), last)))


def _whole_months(days: Days) -> list[tuple[date, date]]:
    """The months, first and last day, in which the known days begin by the tenth and that end within them."""
    months = []
    first, last = month_bounds(days.first)
    while last <= days.last:
        months.append((first, last))
        first, last = month_bounds(last + timedelta(1))
    return months[-12:]
