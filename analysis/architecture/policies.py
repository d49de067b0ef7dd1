"""The policies that a component may state in the architecture file."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ...documents import Document
from ...named_files import beside
from ..outcomes.proportions import Interval, wilson
from .amounts import Named, Part

STORES = (".duckdb", ".ddb", ".db")
"""Endings of the files that are stores."""

Policy = Literal["fresh_for", "batch_with", "large_context", "escalate", "cache", "retry"]
POLICIES: tuple[Policy, ...] = get_args(Policy)
"""Every policy, in the order in which a waterfall takes them up unless the file says otherwise."""

MODEL_POLICIES: frozenset[str] = frozenset({"large_context", "escalate"})
"""The policies that choose a model; a plan with one model for everything has no use for them."""

Share = Annotated[Decimal, Field(ge=0, le=1, decimal_places=9)]
"""A probability, or a part of a whole."""

MINUTES = {"m": 1, "h": 60, "d": 1440}
CACHE_MINUTES = {"5m": 5, "1h": 60}
MAX_TTL_MINUTES = 366 * 1440


def minutes(duration: Any) -> int:
    """`24h`, `90m` or `7d` in minutes. Raises ValueError."""
    found = re.fullmatch(r"([0-9]{1,6})([mhd])", duration) if isinstance(duration, str) else None
    length = int(found[1]) * MINUTES[found[2]] if found else 0
    if not 0 < length <= MAX_TTL_MINUTES:
        raise ValueError(f"{duration!r} is not a duration up to 366 days; write it like 90m, 24h or 7d")
    return length


class FreshFor(Part):
    """A run is skipped while the last result is fresh: for `ttl` after the run that made it, or with `hit_rate`.

    A `ttl` is walked along the schedule: the first run once it is over runs. A run exactly at its end runs.
    """

    ttl: str | None = Field(default=None, description="how long a result stays fresh: 90m, 24h, 7d")
    hit_rate: Share | None = Field(default=None, description="the share of runs that find a fresh result")

    @field_validator("ttl")
    @classmethod
    def _is_duration(cls, ttl: str | None) -> str | None:
        if ttl is not None:
            minutes(ttl)
        return ttl

    @model_validator(mode="after")
    def _one_way(self) -> FreshFor:
        if (self.ttl is None) == (self.hit_rate is None):
            raise ValueError("give either a ttl, such as 24h, or a hit_rate")
        return self

    @property
    def ttl_minutes(self) -> int | None:
        """The ttl in minutes."""
        return None if self.ttl is None else minutes(self.ttl)


def _ttl_alone(given: Any) -> Any:
    return {"ttl": given} if isinstance(given, str) else given


class BatchWith(Part):
    """`tasks` runs share one spawn: their input together, but the shared `overhead_tokens` of it only once.

    Input of a spawn = tasks x input - (tasks - 1) x overhead_tokens; 1/tasks of the spawns.
    """

    tasks: Annotated[int, Field(ge=1, le=1000)]
    overhead_tokens: Annotated[Decimal, Field(ge=0, le=10**9, decimal_places=9)] = Field(
        default=Decimal(0), description="input tokens that every run would send anew"
    )


class LargeContext(Part):
    """Runs whose total input exceeds `over` tokens go to the model of the key `use`; they don't escalate."""

    over: Annotated[int, Field(ge=0, le=10**9)] = 50_000
    use: str = Field(description="a routing key, or provider/model")


class Counted(Part):
    """So many of so many runs escalated: the share is their mean, and Wilson's interval what they leave open."""

    escalated: Annotated[int, Field(ge=0, le=10**12)]
    of: Annotated[int, Field(ge=1, le=10**12)]
    source: str = Field(default="", description="where the counts come from, in words")

    @model_validator(mode="after")
    def _part_of_the_whole(self) -> Counted:
        if self.escalated > self.of:
            raise ValueError(f"{self.escalated:,} of {self.of:,} runs cannot have escalated")
        return self

    @property
    def share(self) -> Fraction:
        """The share that escalated."""
        return Fraction(self.escalated, self.of)

    @property
    def interval(self) -> Interval:
        """Wilson's interval of the share, at 95%."""
        return wilson(self.escalated, self.of)


def named_file(given: Any, info: ValidationInfo) -> Any:
    """The log or store that the file which is read names, in its folder. Raises ValueError: outside of the project.

    One that is missing is left to who opens it. What no file names is costsim's own, and taken as it is.
    """
    document: Document | None = (info.context or {}).get("document")
    return beside(document.file.parent, given, needed=False) if document and isinstance(given, str) else given


class FromOutcomes(Part):
    """Counted in outcomes (see `costsim outcomes`): a CSV or JSON Lines file, or a store with them (.duckdb, .db).

    Those of the component's task on the model that it starts with, unless `task` or `model` say otherwise.
    """

    from_outcomes: Path
    task: Named | None = None
    model: Named | None = None

    @field_validator("from_outcomes", mode="before")
    @classmethod
    def _beside_the_architecture(cls, given: Any, info: ValidationInfo) -> Any:
        return named_file(given, info)


def _way(given: Any) -> str:
    """Which way to state a probability is meant; the names have a mark that no key has (see documents.py)."""
    if isinstance(given, dict):
        return "|from_outcomes" if "from_outcomes" in given else "|counted"
    return (
        "|from_outcomes" if isinstance(given, FromOutcomes) else "|counted" if isinstance(given, Counted) else "|share"
    )


class Escalate(Part):
    """Start on one model, and with `probability` call a second one as well: both calls are paid.

    The second call's input is the first call's input and `carry` of its output. Default for `start` and for
    `to` is the component's own model; state at least one of them. `probability` is stated, counted, or taken from
    outcomes, which are counted when the file is read.
    """

    probability: Annotated[
        Annotated[Share, Tag("|share")]
        | Annotated[Counted, Tag("|counted")]
        | Annotated[FromOutcomes, Tag("|from_outcomes")],
        Discriminator(_way),
    ]
    start: str | None = Field(default=None, description="routing key or provider/model of the first call")
    to: str | None = Field(default=None, description="routing key or provider/model of the second call")
    carry: Share = Field(default=Decimal(1), description="share of the first call's output that the second one reads")

    @model_validator(mode="after")
    def _two_models(self) -> Escalate:
        if self.start is None and self.to is None:
            raise ValueError("say where it escalates `to`, or on which cheaper model it may `start`")
        return self

    @property
    def evidence(self) -> Counted | None:
        """The counts behind the probability, where it is not simply stated."""
        return self.probability if isinstance(self.probability, Counted) else None

    @property
    def chance(self) -> Fraction:
        """The expected share of runs that escalate."""
        if isinstance(self.probability, FromOutcomes):
            raise TypeError("outcomes are counted when an architecture is read: see escalation.py")
        return self.probability.share if isinstance(self.probability, Counted) else Fraction(self.probability)


class Cache(Part):
    """`share` of a run's input is a cached prefix: read while the cache is warm, else written anew.

    Warm means that the last run with this model was less than `ttl` ago (every run renews it): found by the
    schedule's gaps, as 1 - exp(-rate x ttl) for Poisson runs, or stated as `hit_rate`.
    """

    share: Share
    ttl: Literal["5m", "1h"] = "5m"
    hit_rate: Share | None = None

    @property
    def ttl_minutes(self) -> int:
        """The ttl in minutes."""
        return CACHE_MINUTES[self.ttl]


class Retry(Part):
    """Every call fails with `failure_rate` and is paid all the same, up to `max_attempts` calls in all.

    Calls per run = (1 - failure_rate^max_attempts) / (1 - failure_rate).
    """

    failure_rate: Share
    max_attempts: Annotated[int, Field(ge=1, le=20)] = 3

    @property
    def attempts(self) -> Fraction:
        """Expected number of calls: the sum of failure_rate^k over k < max_attempts."""
        return sum((Fraction(self.failure_rate) ** k for k in range(self.max_attempts)), Fraction(0))


class Policies(Part):
    """The policies of a component. A plan applies those of them that it names: `routed` all, `naive` none."""

    fresh_for: Annotated[FreshFor, BeforeValidator(_ttl_alone, json_schema_input_type=str | FreshFor)] | None = None
    batch_with: BatchWith | None = None
    large_context: LargeContext | None = None
    escalate: Escalate | None = None
    cache: Cache | None = None
    retry: Retry | None = None

    @property
    def stated(self) -> frozenset[Policy]:
        """The policies that it states."""
        return frozenset(name for name in POLICIES if getattr(self, name) is not None)

    @property
    def model_keys(self) -> dict[str, str]:
        """The routing keys or models that policies name, by where: `escalate.to`, `large_context.use`, …"""
        found = {
            "large_context.use": self.large_context and self.large_context.use,
            "escalate.start": self.escalate and self.escalate.start,
            "escalate.to": self.escalate and self.escalate.to,
        }
        return {where: key for where, key in found.items() if key}
