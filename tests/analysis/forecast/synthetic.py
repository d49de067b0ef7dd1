"""Daily costs with known truth: Poisson calls times lognormal cost, under several regimes.

Shared by tests/analysis/forecast/test_forecast.py and tests/bench/bench_forecast.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from costsim.analysis.forecast.daily import Model
from costsim.analysis.forecast.month import Outlook, forecast_month
from costsim.months import month_bounds
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EVEN = np.ones(7)
QUIET_WEEKEND = np.array([1.0, 1.05, 1.1, 1.0, 0.9, 0.5, 0.45])
MONDAY_PEAK = np.array([2.0, 1.0, 1.0, 1.0, 1.0, 0.3, 0.3])
NO_WEEKEND = np.array([1.0, 1.0, 1.1, 1.0, 0.9, 0.0, 0.0])


@dataclass(frozen=True)
class Regime:
    """How daily cost comes about; `day_sd`, `growth_per_day`, `wander` and `shift` are in logs.

    `carried` is the share of a day's deviation that is still there the day after, `heavy` the scale of Student t noise
    with 3 degrees of freedom.
    """

    weekday: Floats
    calls: float = 150
    cost_cv: float = 0.8
    day_sd: float = 0.0
    growth_per_day: float = 0.0
    wander: float = 0.0
    shift: float = 0.0
    spikes_per_day: float = 0.0
    carried: float = 0.0
    heavy: float = 0.0

    def draw(self, days: int, rng: np.random.Generator) -> Floats:
        """The costs of that many days from a Monday on, USD."""
        day = np.arange(days)
        deviations = self.day_sd * rng.standard_normal(days) + self.heavy * rng.standard_t(3, days)
        level = np.log(self.calls) + _carried(deviations, self.carried)
        level += rng.normal(1, 0.5) * self.growth_per_day * (day - days)
        level += np.cumsum(self.wander * rng.standard_normal(days))
        level += rng.choice([-1, 1]) * self.shift * (day >= rng.integers(days))
        calls = rng.poisson(np.exp(level) * self.weekday[day % 7])
        variance = np.log1p(self.cost_cv**2)
        costs = rng.lognormal(-variance / 2, variance**0.5, int(calls.sum()))
        ends = np.concatenate([[0], np.cumsum(costs)])[np.concatenate([[0], np.cumsum(calls)])]
        spikes = np.where(rng.random(days) < self.spikes_per_day, rng.uniform(2, 4, days), 1.0)
        return np.asarray(np.diff(ends) * spikes / 10, float)


def _carried(deviations: Floats, share: float) -> Floats:
    """An autoregressive process of order 1."""
    for day in range(1, len(deviations)):
        deviations[day] += share * deviations[day - 1]
    return deviations


REGIMES = {
    "even": Regime(EVEN),
    "quiet weekends": Regime(QUIET_WEEKEND),
    "no weekends": Regime(NO_WEEKEND),
    "few calls": Regime(QUIET_WEEKEND, calls=6),
    "noisy days": Regime(QUIET_WEEKEND, calls=40, cost_cv=1.5, day_sd=0.2),
    "growing": Regime(QUIET_WEEKEND, growth_per_day=0.005),
    "wandering": Regime(QUIET_WEEKEND, wander=0.02),
    "shifted": Regime(QUIET_WEEKEND, shift=0.5),
    "spiky": Regime(EVEN, spikes_per_day=1 / 30),
}

UNTUNED = {
    "many calls": Regime(QUIET_WEEKEND, calls=1000, cost_cv=0.3),
    "few, no weekends": Regime(NO_WEEKEND, calls=20, cost_cv=2.0),
    "Monday peak": Regime(MONDAY_PEAK, day_sd=0.1, growth_per_day=0.002, spikes_per_day=1 / 60),
    "autocorrelated": Regime(QUIET_WEEKEND, day_sd=0.15, carried=0.5),
    "heavy tails": Regime(QUIET_WEEKEND, heavy=0.1),
}
"""Regimes tried after the forecaster was made; only the first of them led to a change (the prior of the noise)."""


def history(costs: Floats, first: date) -> list[tuple[date, Decimal]]:
    """Costs as a history; days of no cost are left out, as in a log."""
    return [(first + timedelta(n), Decimal(f"{cost:.6f}")) for n, cost in enumerate(costs) if cost > 0]


@dataclass(frozen=True)
class Trial:
    """A month forecast from what was known on a day in it, and what it came to."""

    regime: str
    known_days: int
    days_left: int
    outlook: Outlook
    total: float

    @property
    def inside(self) -> bool:
        """Whether the month's total fell into P10 to P90."""
        low, high = np.quantile(self.outlook.totals, (0.1, 0.9))
        return bool(low <= self.total <= high)


def month_trial(name: str, rng: np.random.Generator, trials: int = 1000) -> Trial:
    """A month of that regime, forecast with 10 to 150 days of history and 2 to 28 days to go."""
    first_of_month, last = month_bounds(date(2026, int(rng.integers(1, 13)), 1))
    days_left = int(rng.integers(2, 29))
    as_of = last - timedelta(days_left)
    known_days = int(rng.choice([10, 14, 21, 30, 45, 60, 90, 150]))
    first = as_of - timedelta(known_days - 1)
    monday = first - timedelta(first.weekday())
    costs = (REGIMES | UNTUNED)[name].draw((last - monday).days + 1, rng)[first.weekday() :]
    rows = history(costs, first)
    outlook = forecast_month(rows, last, as_of, trials=trials, seed=int(rng.integers(2**31)))
    total = sum((usd for day, usd in rows if day >= first_of_month), Decimal(0))
    return Trial(name, known_days, days_left, outlook, float(total))


def breaches(trial: Trial, rng: np.random.Generator) -> tuple[float, bool]:
    """A budget drawn around the month's likely total: the chance of breach that is stated, and whether it came."""
    middle = float(np.median(trial.outlook.totals))
    spread = float(trial.outlook.totals.std())
    limit = middle + spread * rng.normal(0, 1.2)
    return float((trial.outlook.totals > limit).mean()), trial.total > limit


CELLS = (
    "flat", "flat, every weekday alike", "bursty", "growth of 50 % a month", "shrinking by a third a month",
    "level shift, seen", "level shift, to come", "sparse, five active days a month",
)  # fmt: skip


def cell_costs(kind: str, before: int, known: int, rng: np.random.Generator) -> tuple[int, Floats]:
    """The first weekday, and the costs of `before` days and a month of 30, of which `known` are known.

    10 % of noise per day (bursty: 60 %), weekends at half but where every weekday is alike. Sparse months cost something
    on one day in six, at random; the known days begin with the first cost. A shift is by a factor of 1.5 to 2.2, up or down; it is seen where it begins
    on one of the month's known days but the first, so that from one to `known` - 1 days show it.
    """
    start = int(rng.integers(7))
    day = np.arange(before + 30)
    level = np.log(100.0) + (0.6 if kind == "bursty" else 0.1) * rng.standard_normal(len(day))
    if kind.startswith(("growth", "shrinking")):
        level += (1 if kind.startswith("growth") else -1) * np.log(1.5) / 30 * day
    if kind.startswith("level shift"):
        at = rng.integers(1, known) if kind.endswith("seen") else rng.integers(known, 30)
        level += rng.choice([-1, 1]) * rng.uniform(0.4, 0.8) * (day >= before + at)
    alike = kind.startswith("sparse") or kind.endswith("alike")
    calls = rng.poisson(np.exp(level) * (EVEN if alike else QUIET_WEEKEND)[(start + day) % 7])
    if kind.startswith("sparse"):
        calls *= rng.random(len(day)) < 1 / 6
        if not calls[: before + known].any():
            return cell_costs(kind, before, known, rng)
    variance = np.log1p(0.8**2)
    costs = [rng.lognormal(-variance / 2, variance**0.5, count).sum() for count in calls]
    return start, np.array(costs)


def cell_forecast(kind: str, before: int, known: int, rng: np.random.Generator) -> tuple[Floats, float]:
    """What the days to come of such a month were drawn to cost, (trials,), and what they cost, USD.

    The forecast draws from numbers of its own: the months are the same however it draws.
    """
    start, costs = cell_costs(kind, before, known, rng)
    begins = int(np.flatnonzero(costs)[0])
    model = Model(costs[begins : before + known], (start + begins) % 7)
    return model.draw(30 - known, 500, rng.spawn(1)[0]).sum(axis=1), float(costs[before + known :].sum())


def cell_miss(kind: str, before: int, known: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """Whether the month came below P10 of its forecast, and above P90."""
    return missed(*cell_forecast(kind, before, known, rng))


def missed(drawn: Floats, truth: float) -> tuple[bool, bool]:
    """Whether the truth is below P10 of what was drawn, and above P90."""
    low, high = np.quantile(drawn, (0.1, 0.9))
    return bool(truth < low), bool(truth > high)


def log_error(drawn: Floats, truth: float) -> float:
    """Twice the mean pinball loss of the quantiles 5 % to 95 %, of logarithms: nearly the CRPS. From $0.001 up."""
    chances = np.linspace(0.05, 0.95, 19)
    off = np.log(max(truth, 1e-3)) - np.log(np.maximum(np.quantile(drawn, chances), 1e-3))
    return float(2 * np.mean(np.maximum(chances * off, (chances - 1) * off)))
