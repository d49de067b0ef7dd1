"""The tokens of several runs in one spawn: all of them, but the shared overhead of the input only once."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ....errors import ArchitectureError
from ...architecture.distributions import Constant, Distribution, Floats
from ...architecture.policies import BatchWith
from ..profiles import GRID, Independent, Joint, Profile
from ..sessions.measured import Sessions
from ..workload import Work

EXACT_TASKS = 8
LEAST = 1e-9


@dataclass(frozen=True)
class Summed:
    """`count` independent draws of a distribution, less a constant."""

    of: Distribution
    count: int
    less: Fraction = Fraction(0)

    @property
    def mean(self) -> Fraction:
        """count x mean - less."""
        return self.count * self.of.mean - self.less

    @property
    def variance(self) -> float:
        """count x variance."""
        return self.count * self.of.variance

    @property
    def upper(self) -> float:
        """All draws at their largest."""
        return self.count * self.of.upper - float(self.less)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
        """Sums of draws; of more than 8, gamma draws with the sum's mean and variance."""
        if self.count > EXACT_TASKS:
            mean, variance = self.count * float(self.of.mean), self.variance
            return rng.gamma(mean * mean / variance, variance / mean, shape) - float(self.less)
        total = self.of.draw(rng, shape)
        for _ in range(self.count - 1):
            total = total + self.of.draw(rng, shape)
        return total - float(self.less)

    def quantile(self, probability: Floats) -> Floats:
        """Of 4,096 sums of quantile midpoints, shuffled against each other."""
        shuffle = np.random.default_rng(0)
        midpoints = self.of.quantile((np.arange(GRID) + 0.5) / GRID)
        sums = sum(shuffle.permutation(midpoints) for _ in range(self.count))
        amounts: Floats = np.quantile(sums, probability)
        return amounts - float(self.less)


def batched(work: Work, batch: BatchWith) -> Profile:
    """The profile of one spawn of `batch.tasks` runs. Raises ArchitectureError if a run is all overhead and less."""
    profile, overhead = work.profile, Fraction(batch.overhead_tokens)
    if batch.tasks == 1:
        return profile
    mean = profile.mean.get("input", Fraction(0))
    if overhead > mean:
        raise ArchitectureError(
            f"component {work.component.name!r}: batch_with.overhead_tokens is {float(overhead):,.0f}, more than the "
            f"{float(mean):,.0f} input tokens of a run; the overhead is a part of every run's input"
        )
    if isinstance(profile, Sessions):
        raise ArchitectureError(f"component {work.component.name!r}: a session cannot state batch_with")
    if isinstance(profile, Joint):
        return _batched_rows(profile, batch.tasks, overhead)
    part = profile.parts.get("input", Constant(Fraction(0)))
    if not isinstance(part, Constant) and float(part.quantile(np.array([LEAST]))[0]) < overhead:
        return _batched_rows(Joint.from_grid(profile), batch.tasks, overhead)
    return Independent(
        {
            name: _sum(part, batch.tasks, (batch.tasks - 1) * overhead if name == "input" else Fraction(0))
            for name, part in profile.parts.items()
        },
        profile.origin,
    )


def _sum(part: Distribution, count: int, less: Fraction) -> Distribution:
    if isinstance(part, Constant) or not part.variance:
        return Constant(count * part.mean - less)
    return Summed(part, count, less)


def _batched_rows(profile: Joint, tasks: int, overhead: Fraction) -> Joint:
    """Rows added to rows, shuffled against each other; no run shares more overhead than it has input."""
    shuffle = np.random.default_rng(0)
    further: NDArray[np.int64] = profile.rows.copy()
    if "input" in profile.classes:
        column = profile.classes.index("input")
        further[:, column] = np.maximum(0, further[:, column] - round(overhead))
    total = profile.rows.copy()
    for _ in range(tasks - 1):
        total += shuffle.permutation(further)
    return Joint(profile.classes, total, profile.origin)
