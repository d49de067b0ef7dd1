"""A session as the profile of a component: what one run, of many requests, uses."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

import numpy as np

from ...architecture.distributions import Floats
from ...architecture.session import Session
from ..brackets import Bracket
from .chances import draw_turns, mean_turns
from .expected import expected_brackets, mean_tokens
from .rules import SessionRules
from .walk import Walk

DRAWN = 65_536
"""Drawn sessions that the simulation's sums are put together from."""
MOST_TURNS_DRAWN = 4_000_000
MOST_SAMPLED = 64


@dataclass(frozen=True)
class SessionProfile:
    """Runs of many turns. A bracket's `probability` is the expected number of requests in its tier."""

    rules: SessionRules
    origin: Literal["session"] = "session"

    @classmethod
    def of(cls, session: Session) -> SessionProfile:
        """The profile of a stated session."""
        return cls(SessionRules.of(session))

    @property
    def classes(self) -> tuple[str, ...]:
        """The token classes, in the order of every array."""
        return self.rules.classes

    @property
    def mean(self) -> dict[str, Fraction]:
        """Expected tokens of a whole session, by class."""
        return mean_tokens(self.rules)

    @property
    def turns(self) -> Fraction:
        """Expected turns of a session."""
        return mean_turns(self.rules.turns)

    def explained(self, name: str) -> str:
        """How warm its cache is, in a sentence; where no gap is stated, turns follow at once."""
        if not self.rules.cached:
            return f"{name}: a session without a cache; every turn sends its whole context as input."
        warm = f"{float(self.rules.warm):.1%}"
        return f"{name}: a turn of a session finds its {self.rules.ttl} cache warm in {warm} of gaps."

    def switching(self, over: int) -> SessionProfile:
        """The same where requests of more than `over` tokens go to another model, whose cache is cold at first."""
        return replace(self, rules=replace(self.rules, switch_over=over))

    def on_tiers(self, starts: Sequence[int]) -> SessionProfile:  # noqa: ARG002 (its requests are cut when asked)
        """Itself."""
        return self

    def brackets(self, starts: Sequence[int]) -> list[Bracket]:
        """The tiers that requests lie in, ascending."""
        return list(expected_brackets(self.rules, tuple(starts)))

    def sample(self, brackets: Sequence[Bracket], most: int = DRAWN) -> DrawnSessions:
        """Drawn sessions, their requests in those brackets; `most` of them, fewer where they are long."""
        return _sample(self.rules, tuple(bracket.min_input_tokens for bracket in brackets[1:]), most)

    @property
    def largest_context(self) -> float:
        """The largest request, in tokens, that 95 % of sessions do not exceed."""
        return float(np.quantile(self.longest, 0.95, method="inverted_cdf"))

    @property
    def longest(self) -> Floats:
        """The largest request of each drawn session."""
        return _any_sample(self.rules).longest

    def outgrows(self, window: int) -> float:
        """The share of sessions with a request of more tokens than that."""
        return float(np.mean(self.longest > window))

    @property
    def cold_share(self) -> float:
        """The share of turns after the first that find the cache cold."""
        return float(1 - self.rules.warm) if mean_turns(self.rules.turns) > 1 else 0.0

    @property
    def compactions(self) -> float:
        """Compactions of a session, on average."""
        return float(_any_sample(self.rules).compactions)


@dataclass(frozen=True)
class DrawnSessions:
    """Drawn sessions: `sums` (sessions, tiers, classes + 1) tokens by class and requests; `longest` their largest.

    `compactions` is the mean of a session.
    """

    sums: Floats
    longest: Floats
    compactions: float


_SAMPLED: OrderedDict[SessionRules, DrawnSessions] = OrderedDict()
"""What was last drawn of some rules: the same sessions, whatever tiers their requests are booked in."""


def _any_sample(rules: SessionRules) -> DrawnSessions:
    """The drawn sessions, their requests in any tiers."""
    return _SAMPLED[rules] if rules in _SAMPLED else _sample(rules, (), DRAWN)


@lru_cache(maxsize=MOST_SAMPLED)
def _sample(rules: SessionRules, starts: tuple[int, ...], most: int) -> DrawnSessions:
    """The drawn sessions, kept for `_any_sample` too."""
    found = _SAMPLED[rules] = draw_sessions(rules, starts, most)
    while len(_SAMPLED) > MOST_SAMPLED:
        _SAMPLED.popitem(last=False)
    return found


def draw_sessions(rules: SessionRules, starts: tuple[int, ...], most: int) -> DrawnSessions:
    """So many drawn sessions, fewer of long ones: the same every time."""
    rng = np.random.default_rng(0)
    count = int(max(1024, min(most, MOST_TURNS_DRAWN / float(mean_turns(rules.turns)))))
    turns = -np.sort(-draw_turns(rules.turns, count, rng))  # the longest first: those that go on are a prefix
    walk = Walk(rules, starts, rules.prompt.draw(rng, (count,)))
    ascending, chance = -turns, float(rules.warm)
    for k in range(int(turns[0])):
        going = (int(np.searchsorted(ascending, -k, side="left")),)
        warm = (rng.random(going) < chance).astype(np.float64)
        new, answer, thought = (part.draw(rng, going) for part in (rules.input, rules.output, rules.thinking))
        walk.turn(new, answer, thought, warm)
    return DrawnSessions(walk.sums, walk.longest, float(walk.compactions.mean()))
