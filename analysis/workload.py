"""From an architecture to a workload: every component with its exact run counts and its token profile.

A workload knows nothing of models or prices, so that all plans are costed on the same runs and tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ..errors import ArchitectureError, UnpricedError
from .architecture import Calibrate, Component, FromUsage, LogRate, Poisson, Range, TokenProfile
from .distributions import Constant, Distribution, Scaled
from .profiles import Independent, Joint, Profile, Unknown
from .schedule import day_edges, fire_times, moment, runs_by_day

if TYPE_CHECKING:
    from ..pricing.book import PriceBook
    from .architecture import Architecture

Law = Literal["fixed", "poisson", "mean", "day"]


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

    @property
    def dates(self) -> list[date]:
        """The days, in order."""
        return [self.start + timedelta(days=n) for n in range(self.days)]


@dataclass(frozen=True)
class Runs:
    """How often a component runs. `expected[d]` is the exact expected number on day `d`.

    `instants` are the UTC minutes of a cron. `law` says how the number varies: fixed (a fraction of a run is
    that chance of one), poisson, mean (`spread` drawn once per trial) or day (`spread` drawn every day).
    """

    expected: tuple[Fraction, ...]
    law: Law = "fixed"
    instants: NDArray[np.int64] | None = field(default=None, repr=False)
    spread: Distribution | None = None

    @property
    def per_day(self) -> Fraction:
        """The mean over the days of the horizon."""
        return sum(self.expected, Fraction(0)) / len(self.expected)


@dataclass(frozen=True)
class Work:
    """One component of a workload: what it is, when it runs, what its runs use."""

    component: Component
    runs: Runs
    profile: Profile
    unknown: Unknown
    explained: str = ""


def workload(architecture: Architecture, horizon: Horizon, open_book: Callable[[str], PriceBook]) -> list[Work]:
    """Every component's runs and tokens over the horizon. `open_book` gives the books that calibrations name.

    Raises ArchitectureError, UsageLogError, UnpricedError.
    """
    return [_work(component, architecture, horizon, open_book) for component in architecture.components]


def _work(
    component: Component, architecture: Architecture, horizon: Horizon, open_book: Callable[[str], PriceBook]
) -> Work:
    if component.calibrate:
        runs = _runs(component, horizon, calls=0)
        return _calibrated(component, component.calibrate, architecture, runs, horizon, open_book)
    assert component.tokens is not None  # noqa: S101 (read_architecture has checked it)
    if component.tokens.from_usage:
        profile = _measured(component.tokens.from_usage)
        runs = _runs(component, horizon, calls=len(profile.rows))
        return Work(component, runs, profile, Unknown(cost=_factor(component.uncertainty)))
    parts, unknown = _stated(component.tokens)
    runs = _runs(component, horizon, calls=0)
    return Work(component, runs, Independent(parts), Unknown(_factor(component.uncertainty), unknown))


def _runs(component: Component, horizon: Horizon, calls: int) -> Runs:
    active = [_is_active(component, day) for day in horizon.dates]
    if component.schedule:
        return _cron_runs(component, horizon, active)
    rate = component.runs_per_day
    law: Law = "fixed"
    spread: Distribution | None = None
    match rate:
        case Poisson():
            mean, law = Fraction(rate.poisson), "poisson"
        case LogRate():
            mean, law = Fraction(rate.from_usage) * calls, "poisson"
        case Range():
            spread = rate.distribution()
            mean, law = spread.mean, "day" if rate.varies == "run" else "mean"
        case _:
            mean = Fraction(rate or 0)
    return Runs(tuple(mean if on else Fraction(0) for on in active), law, spread=spread)


def _cron_runs(component: Component, horizon: Horizon, active: list[bool]) -> Runs:
    zone = ZoneInfo(component.timezone) if component.timezone else horizon.timezone
    instants = fire_times(component.schedule or "", zone, int(horizon.edges[0]), int(horizon.edges[-1]))
    day_of = np.searchsorted(horizon.edges, instants, side="right") - 1
    instants = instants[np.array(active, dtype=bool)[day_of]] if len(instants) else instants
    counts = runs_by_day(instants, horizon.edges)
    return Runs(tuple(Fraction(int(count)) for count in counts), instants=instants)


def _is_active(component: Component, day: date) -> bool:
    if component.weekdays_only and day.weekday() >= 5:
        return False
    return (component.start is None or day >= component.start) and (component.end is None or day <= component.end)


def _stated(tokens: TokenProfile) -> tuple[dict[str, Distribution], dict[str, Distribution]]:
    """Distributions per run, and factors of mean 1 for classes whose mean is what we don't know."""
    parts: dict[str, Distribution] = {}
    unknown: dict[str, Distribution] = {}
    for name in sorted(tokens.model_fields_set, key=list(TokenProfile.model_fields).index):
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


def _factor(spread: Range | None) -> Distribution | None:
    """An uncertainty as a factor of mean 1, so that it widens a projection and never moves its mean."""
    if spread is None:
        return None
    distribution = spread.distribution()
    return Scaled(distribution, 1 / distribution.mean)


def _measured(source: FromUsage) -> Joint:
    from ..usage.sample import token_rows

    classes, rows = token_rows(source.file, source.columns, source.input_includes_cached)
    return Joint(classes, rows)


def _calibrated(  # noqa: PLR0917
    component: Component,
    known: Calibrate,
    architecture: Architecture,
    runs: Runs,
    horizon: Horizon,
    open_book: Callable[[str], PriceBook],
) -> Work:
    """output tokens = daily USD / runs per day / (ratio x input price + output price); input = ratio x output."""
    model = known.model or component.model or routed_model(component, architecture.model_routing)
    daily = known.daily_usd if isinstance(known.daily_usd, Decimal) else None
    spread = known.daily_usd.distribution() if isinstance(known.daily_usd, Range) else None
    mean_usd = Fraction(daily) if daily is not None else spread.mean if spread else Fraction(0)
    running = [count for count in runs.expected if count]
    if not running:
        return Work(component, runs, Independent({"output": Constant(Fraction(0))}, "calibrated"), Unknown())
    per_day = sum(running, Fraction(0)) / len(running)
    input_usd, output_usd = _unit_prices(component, model, known.book, horizon, open_book)
    ratio = Fraction(known.input_per_output)
    output = mean_usd / per_day / (ratio * input_usd + output_usd)
    parts: dict[str, Distribution] = {"input": Constant(ratio * output), "output": Constant(output)}
    factor = Scaled(spread, 1 / spread.mean) if spread else _factor(component.uncertainty)
    says = (
        f"{component.name}: {float(ratio * output):,.0f} input and {float(output):,.0f} output tokens a run are solved "
        f"from ${float(mean_usd):.2f} a day on {model} at {known.book}, not measured"
    )
    return Work(component, runs, Independent(parts, "calibrated"), Unknown(factor), says)


def routed_model(component: Component, routing: dict[str, str]) -> str:
    """The model that pins the component, or that the routing gives its task. Raises ArchitectureError."""
    model = component.model or routing.get(component.task) or routing.get("fallback")
    if model is None:
        raise ArchitectureError(
            f"component {component.name!r}: no model; the routing has neither the task {component.task!r} nor a fallback"
        )
    return model


def _unit_prices(
    component: Component, model: str, book_name: str, horizon: Horizon, open_book: Callable[[str], PriceBook]
) -> tuple[Fraction, Fraction]:
    book = open_book(book_name)
    key = book.resolve(model)
    at = moment(int(horizon.edges[0]))
    rows = [key and book.price(key, name, at=at, processing=component.processing) for name in ("input", "output")]
    if not (rows[0] and rows[1]):
        raise UnpricedError(
            f"component {component.name!r}: calibrate needs the price of {model!r}, which book {book_name!r} does not have"
        )
    return rows[0].usd_per_unit, rows[1].usd_per_unit
