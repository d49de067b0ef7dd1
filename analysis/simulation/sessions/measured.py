"""Logged sessions as the profile of a component: every run draws one of them, its calls together.

Expected tokens are the mean of the logged sessions, exact. In ranges a run is one of them, so that a session of many
calls is many calls on one day; and the mean of few sessions is not known well, so every trial draws it anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ....tokens import PROMPT_CLASSES
from ...architecture.distributions import Floats
from ..brackets import Bracket
from .profile import DrawnSessions, SessionProfile

WRITES = ("cache_write_5m", "cache_write_1h")


@dataclass(frozen=True, eq=False)
class LoggedSessions:
    """Calls of a log: `rows` (calls, classes) int64, in order of session and time; `session` (calls,) from 0 up."""

    classes: tuple[str, ...]
    rows: NDArray[np.int64] = field(repr=False)
    session: NDArray[np.int64] = field(repr=False)
    origin: Literal["measured"] = "measured"

    @cached_property
    def count(self) -> int:
        """How many sessions there are."""
        return int(self.session[-1]) + 1

    @property
    def turns(self) -> Fraction:
        """Calls of a session, on average."""
        return Fraction(len(self.rows), self.count)

    @property
    def mean(self) -> dict[str, Fraction]:
        """Expected tokens of a whole session, by class: exact integer sums over the number of sessions."""
        return {name: Fraction(int(self.rows[:, n].sum()), self.count) for n, name in enumerate(self.classes)}

    @cached_property
    def total_input(self) -> NDArray[np.int64]:
        """Total input tokens of each call: what decides its price tier."""
        inputs = [n for n, name in enumerate(self.classes) if name in PROMPT_CLASSES]
        total: NDArray[np.int64] = self.rows[:, inputs].sum(axis=1)
        return total

    def explained(self, name: str) -> str:
        """What a run is, in a sentence."""
        calls = f"{float(self.turns):,.1f}".removesuffix(".0")
        few = " The mean of so few is not known well, which is in the range." if self.count < 30 else ""
        alone = " One session does not show how much sessions vary." if self.count == 1 else few
        return f"{name}: a run is one of {self.count:,} logged sessions, {calls} calls on average.{alone}"

    def on_tiers(self, starts: Sequence[int]) -> LoggedSessions:  # noqa: ARG002 (its calls have their tier already)
        """Itself."""
        return self

    def brackets(self, starts: Sequence[int]) -> list[Bracket]:
        """The tiers that calls lie in, ascending, with exact shares and means."""
        tier_of_call = np.searchsorted(np.array(starts, dtype=np.int64), self.total_input, side="right")
        begin = (0, *starts)
        return [self._bracket(tier_of_call == tier, begin[tier]) for tier in np.unique(tier_of_call).tolist()]

    def _bracket(self, chosen: NDArray[np.bool_], min_input_tokens: int) -> Bracket:
        calls = int(chosen.sum())
        sums = self.rows[chosen].sum(axis=0).tolist()
        mean = {name: Fraction(total, calls) for name, total in zip(self.classes, sums, strict=True)}
        return Bracket(min_input_tokens, Fraction(calls, self.count), mean)

    def sample(self, brackets: Sequence[Bracket], most: int = 0) -> DrawnSessions:  # noqa: ARG002 (none is drawn)
        """The sessions themselves, their calls in those brackets."""
        starts = np.array([bracket.min_input_tokens for bracket in brackets[1:]], dtype=np.int64)
        place = self.session * len(brackets) + np.searchsorted(starts, self.total_input, side="right")
        counted = np.column_stack([self.rows, np.ones(len(self.rows), dtype=np.int64)])
        size = self.count * len(brackets)
        sums = [np.bincount(place, column, minlength=size) for column in counted.T.astype(np.float64)]
        by_tier: Floats = np.column_stack(sums).reshape(self.count, len(brackets), -1).astype(np.float64)
        return DrawnSessions(by_tier, self.longest, self.compactions)

    def switching(self, over: int) -> LoggedSessions:
        """The same where calls of more than `over` tokens go to another model: what its cache lacks is written anew."""
        large = self.total_input > over
        moved = np.zeros(len(large), dtype=bool)
        moved[1:] = (large[1:] != large[:-1]) & (self.session[1:] == self.session[:-1])
        if "cache_read" not in self.classes or not moved.any():
            return self
        read, rows = self.classes.index("cache_read"), self.rows.copy()
        rows[moved, self._written] += rows[moved, read]
        rows[moved, read] = 0
        return replace(self, rows=rows)

    @property
    def _written(self) -> int:
        """The class in which the sessions write their cache; uncached input where they write none."""
        known = [name for name in (*WRITES, "input") if name in self.classes]
        return self.classes.index(max(known, key=lambda name: (name in WRITES, self.mean[name])))

    @cached_property
    def longest(self) -> Floats:
        """The largest request of each session."""
        found = np.zeros(self.count)
        np.maximum.at(found, self.session, self.total_input)
        return found

    @property
    def largest_context(self) -> float:
        """The largest request, in tokens, that 95 % of sessions do not exceed."""
        return float(np.quantile(self.longest, 0.95, method="inverted_cdf"))

    def outgrows(self, window: int) -> float:
        """The share of sessions with a request of more tokens than that."""
        return float(np.mean(self.longest > window))

    @cached_property
    def _later(self) -> NDArray[np.bool_]:
        """The calls that are not the first of their session, but for the first of all."""
        return np.asarray(self.session[1:] == self.session[:-1])

    @property
    def cold_share(self) -> float:
        """The share of later calls that read less than half of the context before from a cache."""
        if "cache_read" not in self.classes or not self._later.any():
            return 1.0 if self._later.any() else 0.0
        read = self.rows[1:, self.classes.index("cache_read")]
        return float(np.mean((2 * read < self.total_input[:-1])[self._later]))

    @property
    def compactions(self) -> float:
        """How often the context falls to less than half within a session, on average."""
        fallen = (2 * self.total_input[1:] < self.total_input[:-1]) & self._later
        return float(fallen.sum()) / self.count


Sessions = SessionProfile | LoggedSessions
"""Profiles whose runs are several requests."""
