"""What a session is made of, as distributions and numbers: the input of every walk through it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ...architecture.distributions import Constant, Distribution
from ...architecture.session import Session, distribution_of
from .chances import at_most, survival


@dataclass(frozen=True)
class CompactionRule:
    """Tokens: over `limit` the context becomes prompt + `kept`, by a call of `call_input` more and `call_output`.

    They are Fractions; floats for walks through drawn sessions.
    """

    limit: Any
    kept: Any
    call_input: Any
    call_output: Any

    @property
    def floats(self) -> CompactionRule:
        """The same for walks through drawn sessions."""
        return CompactionRule(float(self.limit), float(self.kept), float(self.call_input), float(self.call_output))


@dataclass(frozen=True)
class SessionRules:
    """A stated session. `warm` is the chance that a gap leaves the cache warm; `ttl` 5m, 1h or None.

    `begun` is the share of the prompt that a cache holds before the first turn.
    Requests of more than `switch_over` tokens go to another model than the others; None where all stay on one.
    """

    turns: Distribution
    prompt: Distribution
    input: Distribution
    output: Distribution
    thinking: Distribution
    warm: Fraction
    ttl: str | None
    compaction: CompactionRule | None = None
    switch_over: int | None = None
    begun: Fraction = Fraction(0)

    @classmethod
    def of(cls, session: Session) -> SessionRules:
        """The session as the architecture states it; its gaps become the chance of a warm cache."""
        ttl, stated, rule = session.ttl_seconds, session.compaction, None
        if stated:
            call = stated.call
            rule = CompactionRule(Fraction(stated.limit), stated.kept, Fraction(call.input), Fraction(call.output))
        return cls(
            turns=distribution_of(session.turns),
            prompt=distribution_of(session.prompt),
            input=distribution_of(session.input),
            output=distribution_of(session.output),
            thinking=distribution_of(session.thinking),
            warm=at_most(distribution_of(session.gap), Fraction(ttl)) if ttl else Fraction(0),
            ttl=session.cache if ttl else None,
            compaction=rule,
            begun=Fraction(session.prompt_cached),
        )

    @property
    def cached(self) -> bool:
        """Whether turns read a cache."""
        return self.ttl is not None

    @property
    def classes(self) -> tuple[str, ...]:
        """The token classes, in the order of every array."""
        return ("cache_read", f"cache_write_{self.ttl}", "output") if self.ttl else ("input", "output")

    @property
    def survival(self) -> tuple[Fraction, ...]:
        """P(at least k turns) for k = 1, 2, …"""
        return survival(self.turns)

    @property
    def fixed_context(self) -> bool:
        """Whether every session of k turns has the same context."""
        return all(isinstance(part, Constant) for part in (self.prompt, self.input, self.output))

    @property
    def linear(self) -> bool:
        """Whether tokens are linear in what is drawn: neither compaction nor a change of model depends on it."""
        return self.compaction is None and self.switch_over is None
