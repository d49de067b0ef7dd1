"""A session as the architecture file writes it: turns that each send the whole context again."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from .amounts import Amount, Part, Percentiles, Range, Tokens
from .distributions import Constant, Distribution

MAX_TURNS = 10_000
MAX_GAP_SECONDS = 366 * 86_400
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
CACHE_SECONDS = {"5m": 300, "1h": 3600}

Ttl = Literal["5m", "1h", "none"]


def _seconds(given: Any) -> Any:
    """`90s`, `5m` or `2h` in seconds; a number is seconds already. Also inside a range or percentiles."""
    if isinstance(given, dict):
        return {key: part if key == "varies" else _seconds(part) for key, part in given.items()}
    found = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([smhd])", given) if isinstance(given, str) else None
    return Decimal(found[1]) * SECONDS[found[2]] if found else given


def _each_anew(amount: Any) -> Any:
    """Every turn draws anew. Raises ValueError for `varies: mean`."""
    if getattr(amount, "varies", None) == "mean":
        raise ValueError("amounts of a session vary from turn to turn; state an unknown mean as uncertainty")
    return amount


def _highest(amount: Any) -> Decimal:
    found = amount.high if isinstance(amount, Range) else amount.p50 if isinstance(amount, Percentiles) else amount
    return Decimal(found)


def _turns(amount: Any) -> Any:
    lowest = amount.low if isinstance(amount, Range) else amount.p50 if isinstance(amount, Percentiles) else amount
    if lowest < 1 or _highest(amount) > MAX_TURNS:
        raise ValueError(f"a session has from 1 to {MAX_TURNS:,} turns")
    return amount


def _gap(amount: Any) -> Any:
    if _highest(amount) > MAX_GAP_SECONDS:
        raise ValueError("a gap is 366 days at most; it is in seconds, or written like 90s, 5m, 2h")
    return amount


def _none(given: Any) -> Any:
    """`cache: {ttl: 5m}` is `cache: 5m`; null is none."""
    if isinstance(given, dict) and set(given) == {"ttl"}:
        given = given["ttl"]
    return "none" if given is None else given


PerTurn = Annotated[Tokens, AfterValidator(_each_anew)]
"""Tokens that every turn draws anew."""


class CompactionCall(Part):
    """The call that compacts: it sends the whole context and `input` tokens of its own; `output` is its answer."""

    input: Amount = Decimal(0)
    output: Amount = Decimal(2000)


class Compaction(Part):
    """Before a turn whose context would exceed `limit`, one more call sums the context up.

    What stays is the prompt and `keep` tokens (default: the answer of that call), and the turn goes on from there.
    """

    limit: Annotated[Amount, Field(gt=0, le=10**9)]
    keep: Annotated[Amount, Field(le=10**9)] | None = Field(default=None, description="default: the call's output")
    call: CompactionCall = CompactionCall()

    @property
    def kept(self) -> Fraction:
        """The tokens that stay beside the prompt."""
        return Fraction(self.call.output if self.keep is None else self.keep)

    @model_validator(mode="after")
    def _shrinks(self) -> Compaction:
        if self.kept >= self.limit:
            raise ValueError(f"compaction keeps {self.kept} tokens, not less than its limit of {self.limit}")
        return self


class Session(Part):
    """A run of several turns: each sends the prompt, all earlier input and output, and new input again.

    Turn k's context is prompt + all input and output of the turns before + its own input. With a cache, a turn reads
    the context of the turn before and writes the rest; after a gap longer than the ttl, or on another model, it
    writes all of it again. `thinking` is billed as output and does not stay in the context.
    """

    turns: Annotated[PerTurn, AfterValidator(_turns)] = Field(
        description="calls of a run: 30, {low, mode, high} or {p50, p95}; rounded to whole turns, 1 to 10,000"
    )
    prompt: PerTurn = Field(default=Decimal(0), description="tokens that every turn sends: system prompt and tools")
    input: PerTurn = Field(default=Decimal(0), description="new input tokens per turn: what people and tools say")
    output: PerTurn = Field(default=Decimal(0), description="output tokens per turn that stay in the context")
    thinking: PerTurn = Field(default=Decimal(0), description="output tokens per turn that do not stay")
    gap: Annotated[PerTurn, BeforeValidator(_seconds), AfterValidator(_gap)] = Field(
        default=Decimal(0), description="time between turns in seconds, or 90s, 5m, 2h"
    )
    cache: Annotated[Ttl, BeforeValidator(_none, json_schema_input_type=Ttl | dict[Literal["ttl"], Ttl] | None)] = (
        Field(default="5m", description="how long a cached context lives: 5m, 1h or none")
    )
    prompt_cached: Annotated[Amount, Field(le=1)] = Field(
        default=Decimal(0),
        description="share of the prompt that a cache holds when a session begins: sessions before left it there",
    )
    compaction: Compaction | None = None

    @model_validator(mode="after")
    def _sends_something(self) -> Session:
        if not (_highest(self.prompt) or _highest(self.input) or _highest(self.output)):
            raise ValueError("a session needs tokens: prompt, input and output per turn")
        if self.prompt_cached and self.cache == "none":
            raise ValueError("prompt_cached needs a cache: 5m or 1h")
        if self.compaction and isinstance(self.prompt, Decimal):
            left = Fraction(self.prompt) + self.compaction.kept
            if left >= self.compaction.limit:
                raise ValueError(
                    f"compaction leaves the prompt and what it keeps, {left} tokens, "
                    f"not less than its limit of {self.compaction.limit}"
                )
        return self

    @property
    def ttl_seconds(self) -> int | None:
        """How long the cache lives; None without one."""
        return CACHE_SECONDS.get(self.cache)


def distribution_of(amount: Decimal | Range | Percentiles) -> Distribution:
    """What a stated amount means as a distribution."""
    return Constant(Fraction(amount)) if isinstance(amount, Decimal) else amount.distribution()
