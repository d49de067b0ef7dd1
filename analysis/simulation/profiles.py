"""What one run uses: its token classes, exactly in the mean and at random run by run.

A price tier is chosen by a request's own total input, so a profile is cut into *brackets*: the runs whose
input lies between two tier starts, with the exact probability and mean tokens of each. Where independent
distributions straddle a tier start they are first put on a grid of 4,096 equally likely runs, so that the
expected cost and the simulated one mean the same thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...tokens import PROMPT_CLASSES
from ..architecture.distributions import Constant, Distribution, midpoints
from .brackets import Bracket, Origin
from .sessions.profile import SessionProfile

GRID = 4096
NEGLIGIBLE = 1e-9
"""A tier that fewer than one run in 10^9 reaches is not looked at (a lognormal has no largest value)."""


@dataclass(frozen=True)
class Independent:
    """Token classes that vary independently of each other from run to run."""

    parts: dict[str, Distribution]
    origin: Origin = "stated"

    @property
    def classes(self) -> tuple[str, ...]:
        """The token classes, in the order of every array."""
        return tuple(self.parts)

    @property
    def mean(self) -> dict[str, Fraction]:
        """Expected tokens per run, by class."""
        return {name: part.mean for name, part in self.parts.items()}

    def on_tiers(self, starts: Sequence[int]) -> Independent | Joint:
        """This profile, as a grid of runs if its total input straddles one of the tier starts."""
        inputs = [part for name, part in self.parts.items() if name in PROMPT_CLASSES]
        if all(isinstance(part, Constant) for part in inputs) or not starts:
            return self
        if sum(practical_upper(part) for part in inputs) < starts[0]:
            return self
        return Joint.from_grid(self)

    def brackets(self, starts: Sequence[int]) -> list[Bracket]:
        """One bracket: call `on_tiers` first, so that no tier start is straddled."""
        total = sum((part.mean for name, part in self.parts.items() if name in PROMPT_CLASSES), Fraction(0))
        tier = max((start for start in starts if start <= total), default=0)
        return [Bracket(tier, Fraction(1), self.mean)]


def practical_upper(part: Distribution) -> float:
    """The largest amount that a run has, but for one in 10^9."""
    return min(part.upper, float(part.quantile(np.array([1 - NEGLIGIBLE]))[0]))


@dataclass(frozen=True)
class Joint:
    """Whole runs to draw from, each as likely: `rows` is (runs, classes) int64, as a log or a grid has them."""

    classes: tuple[str, ...]
    rows: NDArray[np.int64] = field(repr=False)
    origin: Origin = "measured"

    @classmethod
    def from_grid(cls, profile: Independent) -> Joint:
        """4,096 runs with each class at its quantile midpoints, classes shuffled against each other."""
        shuffle = np.random.default_rng(0)
        columns = [shuffle.permutation(_grid_column(part)) for part in profile.parts.values()]
        return cls(profile.classes, np.column_stack(columns), profile.origin)

    @cached_property
    def total_input(self) -> NDArray[np.int64]:
        """Total input tokens of each row: what decides its price tier."""
        inputs = [index for index, name in enumerate(self.classes) if name in PROMPT_CLASSES]
        total: NDArray[np.int64] = self.rows[:, inputs].sum(axis=1)
        return total

    @property
    def mean(self) -> dict[str, Fraction]:
        """Expected tokens per run, by class: exact integer sums over the number of rows."""
        return self._mean(self.rows)

    def _mean(self, rows: NDArray[np.int64]) -> dict[str, Fraction]:
        return {name: Fraction(int(rows[:, n].sum()), len(rows)) for n, name in enumerate(self.classes)}

    def on_tiers(self, starts: Sequence[int]) -> Joint:  # noqa: ARG002 (rows have their tier already)
        """Itself: every row already lies in one tier."""
        return self

    def brackets(self, starts: Sequence[int]) -> list[Bracket]:
        """The tiers that rows lie in, ascending, with exact shares and means."""
        tier_of_row = np.searchsorted(np.array(starts, dtype=np.int64), self.total_input, side="right")
        begin = (0, *starts)
        return [self.bracket(tier_of_row == tier, begin[tier]) for tier in np.unique(tier_of_row).tolist()]

    def bracket(self, chosen: NDArray[np.bool_], min_input_tokens: int) -> Bracket:
        """The chosen rows as a bracket, with their exact share and mean."""
        rows = self.rows[chosen]
        return Bracket(min_input_tokens, Fraction(len(rows), len(self.rows)), self._mean(rows), rows)


def _grid_column(part: Distribution) -> NDArray[np.int64]:
    """Ascending whole tokens whose mean is the distribution's, to half a token over the whole grid."""
    return np.diff(np.rint(np.cumsum(midpoints(part, GRID))), prepend=0).astype(np.int64)  # keeps the sum


Profile = Independent | Joint | SessionProfile


@dataclass(frozen=True)
class Unknown:
    """What we don't know about a component's mean: factors of mean 1, drawn once per trial.

    `cost` scales all of a component's tokens; `tokens` scales single classes. The price tier of a run is
    decided before these factors apply, so they never move a run across a tier start.
    """

    cost: Distribution | None = None
    tokens: dict[str, Distribution] = field(default_factory=dict)


def largest_input(profile: Profile) -> int | None:
    """The largest total input of a run that the file states; tokens solved from a cost are not stated."""
    if profile.origin == "calibrated":
        return None
    if isinstance(profile, SessionProfile):
        return round(profile.largest_context)
    if isinstance(profile, Joint):
        return int(profile.total_input.max())
    return round(sum(_large(part) for name, part in profile.parts.items() if name in PROMPT_CLASSES))


def share_above(profile: Independent | Joint, tokens: int) -> float:
    """The share of runs whose total input is more than that."""
    rows = profile.total_input if isinstance(profile, Joint) else _input_of(profile)
    return float(np.mean(rows > tokens))


def _input_of(profile: Independent) -> NDArray[Any]:
    inputs = [part for name, part in profile.parts.items() if name in PROMPT_CLASSES]
    if all(isinstance(part, Constant) for part in inputs):
        return np.array([float(sum((part.mean for part in inputs), Fraction(0)))])
    return Joint.from_grid(profile).total_input


def _large(part: Distribution) -> float:
    """The greatest value, or the 95th percentile of a distribution without one."""
    return part.upper if np.isfinite(part.upper) else float(part.quantile(np.array([0.95]))[0])
