"""Amounts as the architecture file writes them: a number, a range, percentiles, rates of runs."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from .distributions import Constant, Distribution, Lognormal, Triangular, Uniform

MAX_RUNS_PER_DAY = Decimal(100_000_000)
MAX_TOKENS_PER_RUN = Decimal(1_000_000_000)
MAX_P95_PER_P50 = 1_000

Amount = Annotated[Decimal, Field(ge=0, le=10**18, decimal_places=18)]
"""A number in the file, bounded so that exact arithmetic stays quick (1e-9999999 has millions of digits)."""

Named = Annotated[str, Field(min_length=1)]
"""The name of something: an empty one would be passed over as if the key were not there."""


class Part(BaseModel):
    """Base of everything in the file: closed to unknown keys, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Spread(Part):
    """Between `low` and `high`, most often near `mode`: triangular; without a mode, uniform."""

    low: Amount
    mode: Amount | None = None
    high: Amount

    @model_validator(mode="after")
    def _ordered(self) -> Spread:
        middle = self.low if self.mode is None else self.mode
        if not self.low <= middle <= self.high:
            stated = ", ".join(str(amount) for amount in (self.low, self.mode, self.high) if amount is not None)
            raise ValueError(f"low, mode and high must ascend, not {stated}")
        if self.high == 0:
            raise ValueError("high must be more than 0")
        return self

    def distribution(self) -> Distribution:
        """The distribution meant."""
        low, high = Fraction(self.low), Fraction(self.high)
        if float(low) == float(high):  # too near for a draw to distinguish them
            return Constant((low + high) / 2)
        return Uniform(low, high) if self.mode is None else Triangular(low, Fraction(self.mode), high)


class Range(Spread):
    """A spread of tokens or runs, which `varies` says more about.

    `run`: every run draws anew (every day, for runs_per_day), which averages out over a month. `mean`: we do
    not know the mean; drawn once per trial, it never averages out. Default: `run` for tokens, `mean` for
    runs_per_day.
    """

    varies: Literal["run", "mean"] | None = None


class Percentiles(Part):
    """A median and a 95th percentile: lognormal, the usual shape of token counts. `varies` as in a range."""

    p50: Annotated[Amount, Field(gt=0, le=MAX_TOKENS_PER_RUN)]
    p95: Annotated[Amount, Field(gt=0, le=MAX_TOKENS_PER_RUN)]
    varies: Literal["run", "mean"] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Percentiles:
        if self.p95 < self.p50:
            raise ValueError(f"p95 ({self.p95}) is below p50 ({self.p50})")
        if self.p95 > MAX_P95_PER_P50 * self.p50:
            raise ValueError(f"p95 ({self.p95}) is more than {MAX_P95_PER_P50:,} times p50 ({self.p50})")
        return self

    def distribution(self) -> Distribution:
        """The distribution meant."""
        p50, p95 = Fraction(self.p50), Fraction(self.p95)
        return Constant(p50) if float(p50) == float(p95) else Lognormal(p50, p95)


class Poisson(Part):
    """Independent runs at a mean rate per day: the number on a day is Poisson."""

    poisson: Annotated[Amount, Field(le=MAX_RUNS_PER_DAY)]


class LogRate(Part):
    """The number of calls in the component's `from_usage` log, times this: 24 where it holds one hour."""

    from_usage: Annotated[Amount, Field(gt=0)]


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[str, ...] = get_args(Weekday)


class Hourly(Part):
    """Independent runs at a rate for every hour of every weekday, as a log has them: 24 rates a weekday.

    A weekday that is not named has none. On days on which clocks change, the hours count that there are.
    """

    hourly: dict[Weekday, Annotated[list[Annotated[Amount, Field(ge=0)]], Field(min_length=24, max_length=24)]]

    @model_validator(mode="after")
    def _bounded(self) -> Hourly:
        for weekday, rates in self.hourly.items():
            if sum(rates) > MAX_RUNS_PER_DAY:
                raise ValueError(f"{weekday} has {sum(rates):f} runs, more than the {MAX_RUNS_PER_DAY:,} per day")
        return self


def way(given: Any) -> str:
    """Which of the ways to write an amount is meant, so that an error speaks of that one only.

    The names of the ways have a mark that no key has: they are in the path of an error, and must not be taken
    for keys.
    """
    keys = given if isinstance(given, dict) else getattr(given, "__dict__", None)
    if keys is None:
        return "|number"
    return next((f"|{key}" for key in ("p50", "p95", "poisson", "from_usage", "hourly") if key in keys), "|range")


def _within(limit: Decimal, unit: str) -> Callable[[Any], Any]:
    def check(amount: Any) -> Any:
        value = amount.high if isinstance(amount, Range) else amount
        if isinstance(value, Decimal) and value > limit:
            raise ValueError(f"{value:f} {unit} is more than the {limit:,} that costsim takes")
        return amount

    return check


Number = Annotated[Amount, Tag("|number")]
Tokens = Annotated[
    Number
    | Annotated[Range, Tag("|range")]
    | Annotated[Percentiles, Tag("|p50")]
    | Annotated[Percentiles, Tag("|p95")],
    Discriminator(way),
    AfterValidator(_within(MAX_TOKENS_PER_RUN, "tokens a run")),
]
RunsPerDay = Annotated[
    Number
    | Annotated[Range, Tag("|range")]
    | Annotated[Poisson, Tag("|poisson")]
    | Annotated[LogRate, Tag("|from_usage")]
    | Annotated[Hourly, Tag("|hourly")],
    Discriminator(way),
    AfterValidator(_within(MAX_RUNS_PER_DAY, "runs per day")),
]
DailyUsd = Annotated[
    Annotated[Amount, Field(gt=0), Tag("|number")] | Annotated[Spread, Tag("|range")], Discriminator(way)
]
