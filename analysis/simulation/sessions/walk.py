"""The walk through the turns of sessions: the context grows, the cache is warm or cold, a limit compacts.

Paths are arrays, one entry a session: floats, or one exact fraction (dtype object) where nothing has to be drawn.
Turn k of context c(k) = prompt + sum over j < k of (input + output) + its own input; warm it reads c(k - 1) and
writes the rest, cold it writes c(k). Every request is booked at the price tier of its own total input.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .rules import CompactionRule, SessionRules

Paths = NDArray[Any]
"""One amount a session: float64, or Fractions as objects."""


@dataclass
class Walk:
    """Sessions on their way. `booked` are (tiers, classes + 1, sessions): tokens by class, and requests.

    `context` and `answered` are what the last turn sent and what it added; `large` whether it was on the model of
    large contexts. `longest` is the largest request so far.
    """

    profile: SessionRules
    starts: tuple[int, ...]
    prompt: Paths
    booked: Paths = field(init=False)
    context: Paths = field(init=False)
    answered: Paths = field(init=False)
    large: NDArray[np.bool_] = field(init=False)
    longest: Paths = field(init=False)
    compactions: Paths = field(init=False)
    rule: CompactionRule | None = field(init=False)
    turns: int = 0

    def __post_init__(self) -> None:
        nothing, exact = self.prompt * 0, self.prompt.dtype == object
        self.rule = self.profile.compaction if exact or not self.profile.compaction else self.profile.compaction.floats
        shape = (len(self.starts) + 1, len(self.profile.classes) + 1, len(self.prompt))
        self.booked = np.zeros(shape, dtype=self.prompt.dtype) + nothing
        self.context, self.answered, self.longest = nothing, nothing, nothing + 0
        self.compactions = nothing + 0
        self.large = np.zeros(len(self.prompt), dtype=bool)

    @property
    def sums(self) -> Paths:
        """What is booked, by session: (sessions, tiers, classes + 1)."""
        return np.ascontiguousarray(np.moveaxis(self.booked, -1, 0))

    def turn(self, new: Paths, answer: Paths, thought: Paths, warm: Paths, weight: Any = 1) -> None:
        """The next turn of the first `len(new)` sessions, which count `weight` times.

        `new`, `answer` and `thought` are tokens; `warm` is whether the gap before it kept the cache, or the chance.
        """
        n = len(new)
        self.turns += 1
        if self.turns == 1:
            sent = self.prompt[:n] + new
            begun = self.profile.begun if self.prompt.dtype == object else float(self.profile.begun)
            self._book(sent, begun * self.prompt[:n], answer + thought, weight)
            self._keep(sent, answer)
            return
        before, sent = self.context[:n], self.context[:n] + self.answered[:n] + new
        read = warm * self._readable(before, sent)
        if self.rule:
            over = np.asarray(sent > self.rule.limit, dtype=bool)
            if over.any():
                self._compact(over, before, warm, weight)
                sent = np.where(over, self.prompt[:n] + self.rule.kept + new, sent)
                read = np.where(over, self._readable(self.prompt[:n], sent), read)
        self._book(sent, read, answer + thought, weight)
        self._keep(sent, answer)

    def _readable(self, prefix: Paths, sent: Paths) -> Paths:
        """What a warm cache holds of the request: nothing where it goes to another model than the one before."""
        if self.profile.switch_over is None:
            return prefix
        moved = np.asarray(sent > self.profile.switch_over, dtype=bool) != self.large[: len(sent)]
        return np.where(moved, prefix * 0, prefix)

    def _compact(self, over: NDArray[np.bool_], before: Paths, warm: Paths, weight: Any) -> None:
        """The call that sums up the whole context, of those sessions that are over the limit."""
        rule, n = self.rule, len(over)
        assert rule is not None  # noqa: S101
        sent = before + self.answered[:n] + rule.call_input
        read = warm * self._readable(before, sent)
        counted = np.where(over, weight, weight * 0)
        self._book(sent, read, sent * 0 + rule.call_output, counted)
        if self.profile.switch_over is not None:
            self.large[:n] = np.where(over, sent > self.profile.switch_over, self.large[:n])
        self.compactions[:n] = self.compactions[:n] + counted
        self.longest[:n] = np.where(over, np.maximum(self.longest[:n], sent), self.longest[:n])

    def _book(self, sent: Paths, read: Paths, output: Paths, weight: Any) -> None:
        """Adds a request to the tier of its total input."""
        n = len(sent)
        split = (read, sent - read, output) if self.profile.cached else (sent, output)
        amounts = [weight * amount for amount in (*split, 1 + sent * 0)]
        if not self.starts or not n or sent.max() < self.starts[0]:  # all are in the lowest tier
            self.booked[0, :, :n] += np.array(amounts)
            return
        above = [np.ones(n, dtype=bool), *(np.asarray(sent >= start, dtype=bool) for start in self.starts)]
        below = [*above[1:], np.zeros(n, dtype=bool)]
        for booked, reached, left in zip(self.booked, above, below, strict=True):
            here = reached & ~left
            if here.any():
                for column, amount in enumerate(amounts):
                    booked[column, :n] += amount if here.all() else np.where(here, amount, 0)

    def _keep(self, sent: Paths, answer: Paths) -> None:
        n = len(sent)
        if n < len(self.context):  # the others have ended
            self.context[:n], self.answered[:n] = sent, answer
        else:
            self.context, self.answered = sent, np.array(answer)  # the caller may use its array again
        if self.profile.switch_over is not None:
            self.large[:n] = np.asarray(sent > self.profile.switch_over, dtype=bool)
        self.longest[:n] = np.maximum(self.longest[:n], sent)
