"""From an architecture to a workload: every component with its exact run counts and its token profile.

A workload knows nothing of models or prices, so that all plans are costed on the same runs and tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ...errors import ArchitectureError, UnpricedError
from ...tokens import PROMPT_CLASSES
from ...usage.sample import opened_once
from ..architecture.amounts import MAX_RUNS_PER_DAY, WEEKDAYS, Hourly, LogRate, Poisson, Range, Spread, Weekday
from ..architecture.component import Calibrate, Component, TokenProfile
from ..architecture.distributions import Constant, Distribution, Scaled
from ..architecture.growth import factors
from ..architecture.schedule import day_edges, fire_times, moment, runs_by_day
from ..exact import total
from ..routing.resolve import routed_model
from .from_usage import measured
from .profiles import Independent, Profile, Unknown
from .sessions.measured import LoggedSessions
from .sessions.profile import SessionProfile

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ...usage.sample import Opened

    Books = Callable[[str], PriceBook]
    from ..architecture.model import Architecture

PRICED = ("input", "output")
Law = Literal["fixed", "poisson", "mean", "day", "spawned", "forecast"]
Drawn = NDArray[np.float64]
Levels = Callable[[int], Drawn]
"""How many times the expected runs of a day happen, for so many trials: (days, trials), of mean 1."""


@dataclass(frozen=True)
class Horizon:
    """The days a projection covers: `edges` are the `days + 1` midnights in UTC minutes."""

    start: date
    days: int
    timezone: ZoneInfo
    edges: NDArray[np.int64] = field(repr=False, compare=False)

    @classmethod
    def of(cls, start: date, days: int, timezone: ZoneInfo) -> Horizon:
        """The `days` days from `start` on, in that time zone."""
        return cls(start, days, timezone, day_edges(start, days, timezone))

    @cached_property
    def dates(self) -> list[date]:
        """The days, in order."""
        return [self.start + timedelta(days=n) for n in range(self.days)]

    @cached_property
    def first(self) -> datetime:
        """The instant at which the first day begins."""
        return moment(int(self.edges[0]))

    @cached_property
    def end(self) -> datetime:
        """The instant at which the last day has ended."""
        return moment(int(self.edges[-1]))


@dataclass(frozen=True)
class Runs:
    """How often a component runs. `expected[d]` is the exact expected number on day `d`.

    `instants` are the UTC minutes of a cron. `law` says how the number varies: fixed (a fraction of a run is
    that chance of one), poisson, mean (`spread` drawn once per trial), day (`spread` drawn every day) or forecast
    (`levels` times the expected runs).
    `hours` are the runs of each clock hour of the horizon, for rates that change by the hour: (first UTC minute
    of the hour, expected runs in it). Of spawned runs, `own` are those that nobody spawns, `parents` whose runs spawn
    the others, `active` the days on which it may run.
    """

    expected: tuple[Fraction, ...]
    law: Law = "fixed"
    instants: NDArray[np.int64] | None = field(default=None, repr=False)
    spread: Distribution | None = None
    hours: tuple[tuple[int, Fraction], ...] = field(default=(), repr=False)
    own: Runs | None = field(default=None, repr=False)
    parents: tuple[SpawnedRuns, ...] = field(default=(), repr=False)
    active: tuple[bool, ...] = field(default=(), repr=False)
    levels: Levels | None = field(default=None, repr=False, compare=False)

    @property
    def certain(self) -> bool:
        """Whether the runs of each day are whole numbers that do not vary."""
        sure = self.law in ("fixed", "mean", "day") and not self.spread
        return sure and all(count.denominator == 1 for count in self.expected)

    @cached_property
    def total(self) -> Fraction:
        """Expected runs over the horizon."""
        return total(self.expected)

    @property
    def per_day(self) -> Fraction:
        """The mean over the days of the horizon."""
        return self.total / len(self.expected)


@dataclass(frozen=True)
class SpawnedRuns:
    """Of the `runs` of a parent that happen, each spawns `count` runs with that `chance`.

    `keep` draws which of the parent's drawn runs happen: (runs, trials, seed) to runs; None: all.
    """

    parent: Work
    runs: Runs
    count: Distribution = Constant(Fraction(1))  # noqa: RUF009 (immutable)
    chance: Fraction = Fraction(1)
    keep: Callable[[Drawn, int, int], Drawn] | None = field(default=None, compare=False, repr=False)

    @property
    def expected(self) -> tuple[Fraction, ...]:
        """The parent's expected runs, by day."""
        return self.runs.expected

    @property
    def mean(self) -> Fraction:
        """Expected runs that one of them spawns."""
        return self.count.mean * self.chance


@dataclass(frozen=True)
class Work:
    """One component of a workload: what it is, when it runs, what its runs use."""

    component: Component
    runs: Runs
    profile: Profile
    unknown: Unknown
    explained: str = ""


def workload(architecture: Architecture, horizon: Horizon, open_book: Books) -> Iterator[Work]:
    """Every component's runs and tokens over the horizon. `open_book` gives the books that calibrations name.

    Raises ArchitectureError, UsageLogError, UnpricedError.
    """
    with opened_once() as opened:
        for component in architecture.components:
            yield _work(component, architecture, horizon, open_book, opened)


def _work(component: Component, architecture: Architecture, horizon: Horizon, open_book: Books, opened: Opened) -> Work:
    if component.calibrate:
        runs = runs_of(component, horizon, calls=0)
        return _calibrated(component, component.calibrate, architecture, runs, horizon, open_book)
    assert component.tokens is not None  # noqa: S101 (read_architecture has checked it)
    if component.tokens.from_usage:
        profile = measured(component, component.tokens.from_usage, opened)
        sessions = profile if isinstance(profile, LoggedSessions) else None
        runs = runs_of(component, horizon, calls=sessions.count if sessions else len(profile.rows))
        message = sessions.explained(component.name) if sessions else ""
        return Work(component, runs, profile, Unknown(cost=_factor(component.uncertainty)), message)
    if component.tokens.session:
        session = SessionProfile.of(component.tokens.session)
        runs = runs_of(component, horizon, calls=0)
        unknown_cost = Unknown(cost=_factor(component.uncertainty))
        return Work(component, runs, session, unknown_cost, session.explained(component.name))
    parts, unknown = _stated(component.tokens)
    runs = runs_of(component, horizon, calls=0)
    stated = Independent(parts, by_trial=_by_trial(parts, unknown))
    return Work(component, runs, stated, Unknown(_factor(component.uncertainty), unknown))


def runs_of(component: Component, horizon: Horizon, calls: int) -> Runs:
    """How often a component runs on each day, with its growth; `calls`: its log's, or sessions, for a rate from one."""
    runs = _stated_runs(component, horizon, calls)
    if component.growth is None:
        return runs
    times = factors(component.growth, component.start or horizon.start, horizon.dates)
    grown = tuple(count * factor for count, factor in zip(runs.expected, times, strict=True))
    days = np.searchsorted(horizon.edges, [minute for minute, _ in runs.hours], side="right") - 1
    hours = tuple((m, rate * times[day]) for (m, rate), day in zip(runs.hours, days.tolist(), strict=True))
    return replace(runs, expected=grown, hours=hours)


def _stated_runs(component: Component, horizon: Horizon, calls: int) -> Runs:
    active = list(active_days(component, horizon))
    if component.schedule:
        return _cron_runs(component, horizon, active)
    rate = component.runs_per_day
    if isinstance(rate, Hourly):
        return _hourly_runs(rate, horizon, active)
    law: Law = "fixed"
    spread: Distribution | None = None
    match rate:
        case Poisson():
            mean, law = Fraction(rate.poisson), "poisson"
        case LogRate():
            mean, law = _log_rate(component, rate, calls), "poisson"
        case Range():
            spread = rate.distribution()
            mean, law = spread.mean, "day" if rate.varies == "run" else "mean"
        case _:
            mean = Fraction(rate or 0)
    nothing = Fraction(0)
    return Runs(tuple(mean if on else nothing for on in active), law, spread=spread)


def _hourly_runs(rates: Hourly, horizon: Horizon, active: list[bool]) -> Runs:
    """Poisson runs at the rate of each clock hour; a day with a repeated or a missing hour has 25 or 23."""
    hours: list[tuple[int, Fraction]] = []
    expected = []
    for day, on in enumerate(active):
        marks = range(int(horizon.edges[day]), int(horizon.edges[day + 1]), 60) if on else ()
        own = [(minute, _rate(rates, moment(minute).astimezone(horizon.timezone))) for minute in marks]
        hours += own
        expected.append(sum((rate for _, rate in own), Fraction(0)))
    return Runs(tuple(expected), "poisson", hours=tuple(hours))


def _rate(rates: Hourly, at: datetime) -> Fraction:
    by_hour = rates.hourly.get(cast(Weekday, WEEKDAYS[at.weekday()]))
    return Fraction(by_hour[at.hour]) if by_hour else Fraction(0)


def _log_rate(component: Component, rate: LogRate, calls: int) -> Fraction:
    runs = Fraction(rate.from_usage) * calls
    if runs > MAX_RUNS_PER_DAY:
        raise ArchitectureError(
            f"component {component.name!r}: {calls:,} logged calls times {rate.from_usage:f} are more than "
            f"the {MAX_RUNS_PER_DAY:,} runs per day that costsim takes"
        )
    return runs


def _cron_runs(component: Component, horizon: Horizon, active: list[bool]) -> Runs:
    zone = ZoneInfo(component.timezone) if component.timezone else horizon.timezone
    instants = fire_times(component.schedule or "", zone, int(horizon.edges[0]), int(horizon.edges[-1]))
    day_of = np.searchsorted(horizon.edges, instants, side="right") - 1
    instants = instants[np.array(active, dtype=bool)[day_of]] if len(instants) else instants
    counts = runs_by_day(instants, horizon.edges).tolist()
    exact = {count: Fraction(count) for count in set(counts)}
    return Runs(tuple(exact[count] for count in counts), instants=instants)


def active_days(component: Component, horizon: Horizon) -> tuple[bool, ...]:
    """The days of the horizon on which it may run: from its start to its end, and on weekdays only if it says so."""
    return tuple(_is_active(component, day) for day in horizon.dates)


def _is_active(component: Component, day: date) -> bool:
    if component.weekdays_only and day.weekday() >= 5:
        return False
    return (component.start or day) <= day <= (component.end or day)


def _stated(tokens: TokenProfile) -> tuple[dict[str, Distribution], dict[str, Distribution]]:
    """Distributions per run, and factors of mean 1 for classes whose mean is what we don't know."""
    parts: dict[str, Distribution] = {}
    unknown: dict[str, Distribution] = {}
    for name in tokens.counted:
        amount = getattr(tokens, name)
        if isinstance(amount, Decimal):
            parts[name] = Constant(Fraction(amount))
            continue
        spread = amount.distribution()
        if amount.varies == "mean":
            parts[name], unknown[name] = Constant(spread.mean), Scaled(spread, 1 / spread.mean)
        else:
            parts[name] = spread
    return parts, unknown


def _by_trial(parts: dict[str, Distribution], unknown: dict[str, Distribution]) -> dict[str, Distribution]:
    """The amounts of classes of the prompt whose mean is what we don't know."""
    return {name: Scaled(factor, parts[name].mean) for name, factor in unknown.items() if name in PROMPT_CLASSES}


def _factor(spread: Spread | None) -> Distribution | None:
    """An uncertainty as the factor on the cost that it states: its mean is the factor's on the expected cost."""
    return spread.distribution() if spread else None


def _calibrated(
    component: Component,
    known: Calibrate,
    architecture: Architecture,
    runs: Runs,
    horizon: Horizon,
    open_book: Books,
) -> Work:
    """output tokens = USD of a run / (ratio x input price + output price); input = ratio x output."""
    model = known.model or routed_model(component, architecture.model_routing)
    spread = known.daily_usd.distribution() if isinstance(known.daily_usd, Spread) else None
    mean_usd = spread.mean if spread else Fraction(known.daily_usd)  # type: ignore[arg-type]
    running = [count for count in runs.expected if count]
    if not running:
        return Work(component, runs, Independent({"output": Constant(Fraction(0))}, "calibrated"), Unknown())
    run_usd = mean_usd * len(running) / sum(running, Fraction(0))
    ratio = Fraction(known.input_per_output)
    output = _solve_output(component, model, known.book, ratio, run_usd, horizon, open_book)
    parts: dict[str, Distribution] = {"input": Constant(ratio * output), "output": Constant(output)}
    factor = Scaled(spread, 1 / spread.mean) if spread else _factor(component.uncertainty)
    message = (
        f"{component.name}: {float(ratio * output):,.0f} input and {float(output):,.0f} output tokens a run "
        f"are solved from ${float(mean_usd):.2f} per day on {model} at {known.book}, not measured"
    )
    return Work(component, runs, Independent(parts, "calibrated"), Unknown(factor), message)


def _solve_output(
    component: Component,
    model: str,
    book_name: str,
    ratio: Fraction,
    run_usd: Fraction,
    horizon: Horizon,
    open_book: Books,
) -> Fraction:
    """Output tokens of a run that costs `run_usd`, at the lowest context tier where such a run lies."""
    book, at = open_book(book_name), moment(int(horizon.edges[0]))
    key, processing = book.resolve(model), component.processing
    named = f"component {component.name!r}: calibrate finds no tokens: {model!r} at book {book_name!r}"
    if key is None:
        raise UnpricedError(f"{named} has no price")
    starts = (0, *book.thresholds(key, processing))
    for start in starts:
        paid = [book.price(key, n, at=at, input_tokens=start, processing=processing) for n in PRICED]
        if not (paid[0] and paid[1]):
            raise UnpricedError(f"{named} has no price for input or for output")
        usd = ratio * paid[0].usd_per_unit + paid[1].usd_per_unit
        if not usd:
            raise UnpricedError(f"{named} is free")
        output = run_usd / usd
        if max(tier for tier in starts if tier <= ratio * output) == start:
            return output
    raise UnpricedError(
        f"{named} has no run of ${float(run_usd):.4f}, its price jumps over that at a context tier; state tokens"
    )
