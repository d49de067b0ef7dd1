"""Logged components over days to come: they run as often as the forecast of their store says, day by day.

The forecast is of the whole store's cost, for its days go up and down together; each component has the part of it
that its logged calls have. So what the logged routing costs is the forecast itself, to the last draw, and other
models, prices or numbers of runs cost as much more or less as they would have on the logged days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import CostsimError
from ...money import to_usd
from ...pricing.book import PriceBook, open_book
from ...usage.store import open_store
from ..architecture.amounts import Hourly
from ..architecture.model import Architecture, LoggedForecast
from ..forecast.daily_costs import daily_costs, last_day_known
from ..forecast.history import Floats, History
from ..forecast.month import TRIALS, Ahead, basis, forecast_days
from ..spend.observe import observed_architecture
from .costs import Costs
from .plans import routed_plan
from .workload import Horizon, Runs, Work

MAX_AHEAD = 5_000
"""Days between the end of the logs and that of the horizon."""


@dataclass(frozen=True)
class _Logged:
    """What a store logged by day, USD, through `as_of`; and the architecture that it shows."""

    history: History = field(repr=False)
    as_of: date
    architecture: Architecture = field(repr=False)


def as_forecast(costs: Costs, source: LoggedForecast, own: Architecture, seed: int) -> Costs:
    """The costs with the runs of components that the store logged as its forecast has them.

    `own` is the architecture at its own prices: prices to try do not change how much runs, unless they price more of
    what was logged. Raises CostsimError where the store knows no cost, and its kinds where it is not usable.
    """
    horizon = costs.horizon
    last = horizon.dates[-1]
    tried = costs.book(costs.run_book)
    same = own.prices == costs.architecture.prices
    logged, priced = _priced(costs, source, tried if same else open_book(costs.run_book, own.prices))
    if not same:
        at_tried = _priced(costs, source, tried)
        logged, priced = at_tried if len(at_tried[1]) > len(priced) else (logged, priced)
    if not logged.history and logged.as_of < last:
        raise CostsimError(
            f"{source.store}: no logged call has a price, so there is nothing to forecast from; add prices to an "
            "overlay that `prices:` of the architecture names (--save FILE writes one of --from-usage), or name a "
            "model with --baseline MODEL beside --prices"
        )
    if (last - logged.as_of).days > MAX_AHEAD:
        raise CostsimError(f"{source.store}: its logs end on {logged.as_of}, too long before {last} to forecast from")
    base_usd = [sum(day, Fraction(0)) for day in zip(*priced, strict=True)] if priced else [Fraction(0)] * horizon.days
    levels = _Levels(logged, horizon.dates[0], last, seed, base_usd)
    changed = costs.with_work(*(_levelled(work, levels, horizon) for work in _from(costs, source.store)))
    known = forecast_days(logged.history, horizon.dates[0], last, logged.as_of, trials=1, seed=seed).known
    message = f"the forecast is {basis(known)}" if known and logged.as_of < last else "all of these days are logged"
    return replace(changed, forecast=message)


def _from(costs: Costs, store: Path) -> list[Work]:
    """The works whose tokens and hours are the store's."""
    found = []
    for work in costs.works.values():
        tokens, rate = work.component.tokens, work.component.runs_per_day
        source = tokens.from_usage.store if tokens and tokens.from_usage else None
        if source and source.resolve() == store.resolve() and isinstance(rate, Hourly):
            found.append(work)
    return found


def _logged(source: LoggedForecast, book: PriceBook) -> _Logged:
    with open_store(source.store, read_only=True) as connection:
        daily = daily_costs(connection, book, source.until or date.max, source.since)[None]
        as_of = last_day_known(connection, datetime.now(UTC).date(), source.until)
        data = observed_architecture(connection, source.store.resolve(), "logged", source.since, source.until)
    if as_of is None:
        raise CostsimError(f"{source.store}: the store has no usage to forecast from")
    return _Logged(daily, as_of, Architecture.model_validate(data))


def _priced(costs: Costs, source: LoggedForecast, book: PriceBook) -> tuple[_Logged, list[Sequence[Fraction]]]:
    """What was logged, and what the logged hours of the week cost on each day of the horizon, of each component that
    has a price."""
    logged = _logged(source, book)
    at_book = Costs.of(logged.architecture, costs.horizon, costs.run_book, None, book)
    plan = routed_plan(at_book.architecture)
    parts = [at_book.planned(component.name, plan) for component in logged.architecture.components]
    return logged, [part.expected_usd for part in parts if part.priced]


def _levelled(work: Work, levels: _Levels, horizon: Horizon) -> Work:
    runs, factors = work.runs, levels.factors
    days = np.searchsorted(horizon.edges, [minute for minute, _ in runs.hours], side="right") - 1
    return replace(
        work,
        runs=Runs(
            tuple(count * factor for count, factor in zip(runs.expected, factors, strict=True)),
            "forecast",
            hours=tuple((m, rate * factors[day]) for (m, rate), day in zip(runs.hours, days.tolist(), strict=True)),
            levels=levels,
        ),
    )


class _Levels:
    """How much runs on each day: `factors` on average, of the base; drawn, (days, trials), times that average."""

    def __init__(self, logged: _Logged, first: date, last: date, seed: int, base_usd: Sequence[Fraction]) -> None:
        self._logged, self._span, self._seed, self._base_usd = logged, (first, last), seed, base_usd
        self._drawn = lru_cache(maxsize=2)(self._draw)
        self.mean_usd = self._mean_usd()
        self.factors = [usd / base if base else Fraction(0) for usd, base in zip(self.mean_usd, base_usd, strict=True)]

    def __call__(self, trials: int) -> Floats:
        """Times the average, (days, trials)."""
        return self._drawn(trials)

    def _draw(self, trials: int) -> Floats:
        mean = np.array([float(usd) for usd in self.mean_usd])[:, None]
        drawn = _moved(self._costs(self._ahead(trials), trials), self._base())
        relative: Floats = np.divide(drawn, mean, out=np.ones_like(drawn), where=mean > 0)
        return relative

    def _mean_usd(self) -> list[Fraction]:
        """Expected cost of each day: exact where it is known, else the mean of the forecast's draws."""
        ahead = self._ahead(TRIALS)
        days = len(self._base_usd) - len(ahead.coming)
        known = ahead.known.by_day() if ahead.known else {}
        first = ahead.first.toordinal()
        spent = [Fraction(known.get(date.fromordinal(first + n), Decimal(0))) for n in range(days)]
        means = ahead.drawn.mean(axis=0).tolist() if ahead.coming else []
        return _moved_exactly([*spent, *(Fraction(to_usd(mean)) for mean in means)], self._base_usd)

    def _ahead(self, trials: int) -> Ahead:
        return forecast_days(self._logged.history, *self._span, self._logged.as_of, trials=trials, seed=self._seed)

    def _costs(self, ahead: Ahead, trials: int) -> Floats:
        """What each day costs, (days, trials): known days the same in every trial."""
        days = len(self._base_usd) - len(ahead.coming)
        known = ahead.known.by_day() if ahead.known else {}
        first = ahead.first.toordinal()
        spent = np.array([float(known.get(date.fromordinal(first + n), 0)) for n in range(days)])
        return np.concatenate([np.repeat(spent[:, None], trials, axis=1), ahead.drawn.T])

    def _base(self) -> NDArray[np.float64]:
        return np.array([float(usd) for usd in self._base_usd])


def _moved(costs: Floats, base: Floats) -> Floats:
    """The costs of days on which no logged component runs, given to the others in proportion to what these cost."""
    idle = base <= 0
    if idle.all():
        return costs
    return np.where(idle[:, None], 0.0, costs + costs[idle].sum(axis=0) * (base / base.sum())[:, None])


def _moved_exactly(costs: Sequence[Fraction], base: Sequence[Fraction]) -> list[Fraction]:
    total = sum(base, Fraction(0))
    if not total:
        return list(costs)
    idle = sum((usd for usd, own in zip(costs, base, strict=True) if not own), Fraction(0))
    return [usd + idle * own / total if own else Fraction(0) for usd, own in zip(costs, base, strict=True)]
