"""What one run uses: its token classes, exactly in the mean and at random run by run.

A price tier is chosen by a request's own total input, so a profile is cut into *brackets*: the runs whose
input lies between two tier starts, with the exact probability and mean tokens of each. Where one distribution
straddles a tier start they are integrated in closed form; where several do together they are put on grids of
equally likely runs, whose error is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...tokens import PROMPT_CLASSES
from ..architecture.distributions import Constant, Distribution, below, integrable, midpoints
from .brackets import Bracket, Origin
from .sessions.measured import LoggedSessions, Sessions
from .sessions.profile import SessionProfile

GRID, GRIDS = 4096, 16
GRIDS_KEPT = 8
NEGLIGIBLE = 1e-9
"""A tier that fewer than one run in 10^9 reaches is not looked at (a lognormal has no largest value)."""


@dataclass(frozen=True)
class Independent:
    """Token classes that vary independently of each other from run to run.

    Classes of the prompt in `by_trial` have a mean that nobody knows: all runs of a trial have the same amount. Away
    from tier starts that is their mean times an unknown factor (see Unknown), so they are constant in `parts`.
    """

    parts: dict[str, Distribution]
    origin: Origin = "stated"
    by_trial: dict[str, Distribution] = field(default_factory=dict)

    @property
    def drawn_by_trial(self) -> frozenset[str]:
        """The classes whose amount is drawn once per trial, because it decides about the price tier."""
        return frozenset(name for name, part in self.by_trial.items() if self.parts[name] is part)

    @property
    def classes(self) -> tuple[str, ...]:
        """The token classes, in the order of every array."""
        return tuple(self.parts)

    @property
    def mean(self) -> dict[str, Fraction]:
        """Expected tokens per run, by class."""
        return {name: part.mean for name, part in self.parts.items()}

    @property
    def varying(self) -> list[str]:
        """The classes of the prompt whose amount is not always the same."""
        prompt = [name for name in self.parts if name in PROMPT_CLASSES]
        return [name for name in prompt if not isinstance(self.parts[name], Constant)]

    def straddles(self, starts: Sequence[int]) -> bool:
        """Whether its total input may lie on either side of one of the tier starts."""
        inputs = [part for name, part in self.parts.items() if name in PROMPT_CLASSES]
        return bool(self.varying and starts and sum(practical_upper(part) for part in inputs) >= starts[0])

    def on_tiers(self, starts: Sequence[int]) -> Independent | Joint:
        """This profile, as a grid of runs if several classes together decide about its price tier."""
        known = replace(self, parts=self.parts | self.by_trial)
        if not known.straddles(starts):
            return self
        one = len(known.varying) == 1 and integrable(known.parts[known.varying[0]])
        return known if one else Joint.from_grid(known)

    def brackets(self, starts: Sequence[int]) -> list[Bracket]:
        """The tiers that its runs lie in: call `on_tiers` first, so that at most one class decides which."""
        if self.straddles(starts):
            return self._integrated(starts)
        total = sum((part.mean for name, part in self.parts.items() if name in PROMPT_CLASSES), Fraction(0))
        tier = max((start for start in starts if start <= total), default=0)
        return [Bracket(tier, Fraction(1), self.mean)]

    def _integrated(self, starts: Sequence[int]) -> list[Bracket]:
        """The tiers in closed form: the chance and the mean of the one class that varies, between two starts."""
        (name,) = self.varying
        others = sum(
            (part.mean for key, part in self.parts.items() if key in PROMPT_CLASSES and key != name), Fraction(0)
        )
        ends = [below(self.parts[name], start - 1 - others) for start in starts]  # up to the last token below the start
        found = []
        cuts = [(Fraction(0), Fraction(0)), *ends, (Fraction(1), self.parts[name].mean)]
        for begin, (low, high) in zip((0, *starts), pairwise(cuts), strict=True):
            chance, part = high[0] - low[0], high[1] - low[1]
            if chance > NEGLIGIBLE:
                rows = partial(self._rows, name, float(low[0]), float(high[0]), part / chance)
                found.append(Bracket(begin, chance, self.mean | {name: part / chance}, rows))
        return _whole(found, name, self.parts[name].mean)

    def _rows(self, name: str, low: float, high: float, mean: Fraction) -> NDArray[np.float64]:
        """Runs of one tier to draw from: the class that decides at even steps of its chance, the others shuffled."""
        shuffle = np.random.default_rng(0)
        steps = np.clip(low + (np.arange(GRID) + 0.5) / GRID * (high - low), 1e-12, 1 - 1e-12)
        own = self.parts[name].quantile(steps)
        own += float(mean) - own.mean()
        columns = [
            own if key == name else shuffle.permutation(midpoints(part, GRID)) for key, part in self.parts.items()
        ]
        return np.column_stack(columns)


def _whole(found: list[Bracket], name: str, mean: Fraction) -> list[Bracket]:
    """The brackets with what negligible ones had given to the largest: chances are 1 together, means the mean."""
    most = max(range(len(found)), key=lambda n: found[n].probability)
    chance = 1 - sum((b.probability for n, b in enumerate(found) if n != most), Fraction(0))
    part = mean - sum((b.probability * b.mean[name] for n, b in enumerate(found) if n != most), Fraction(0))
    kept = found[most]
    own = Bracket(kept.min_input_tokens, chance, kept.mean | {name: part / chance}, kept.source)
    return [own if n == most else bracket for n, bracket in enumerate(found)]


def practical_upper(part: Distribution) -> float:
    """The largest amount that a run has, but for one in 10^9."""
    return min(part.upper, float(part.quantile(np.array([1 - NEGLIGIBLE]))[0]))


@dataclass(frozen=True)
class Joint:
    """Whole runs to draw from, each as likely, as a log or a grid has them.

    A grid of a thousand components is gigabytes: `source` are its distributions then, and it is made when asked for.
    """

    classes: tuple[str, ...]
    source: NDArray[np.int64] | tuple[Distribution, ...] = field(repr=False)
    origin: Origin = "measured"
    grids: int = 0
    drawn_by_trial: frozenset[str] = frozenset()

    @classmethod
    def from_grid(cls, profile: Independent) -> Joint:
        """16 grids of 4,096 runs with each class at its quantile midpoints, classes shuffled against each other.

        `grids` says how many: independent estimates, from which the error of what is computed of them is known.
        """
        return cls(profile.classes, tuple(profile.parts.values()), profile.origin, GRIDS, profile.drawn_by_trial)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The runs, (runs, classes)."""
        return _grid_rows(self.source) if isinstance(self.source, tuple) else self.source

    @property
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
        chance = Fraction(len(rows), len(chosen))
        source = partial(self._among, np.packbits(chosen)) if self.grids else rows
        return Bracket(min_input_tokens, chance, self._mean(rows), source, self._replicates(chosen))

    def _among(self, packed: NDArray[np.uint8]) -> NDArray[np.int64]:
        rows = self.rows
        return rows[np.unpackbits(packed, count=len(rows)).astype(np.bool_)]

    def _replicates(self, chosen: NDArray[np.bool_]) -> NDArray[np.float64] | None:
        """Of each grid: tokens per run by class in the chosen rows, and the share of these; None for a log's rows."""
        if not self.grids:
            return None
        kept = np.column_stack([self.rows, np.ones(len(self.rows), dtype=np.int64)]) * chosen[:, None]
        found: NDArray[np.float64] = kept.reshape(self.grids, -1, kept.shape[1]).mean(axis=1)
        return found


@lru_cache(maxsize=GRIDS_KEPT)
def _grid_rows(parts: tuple[Distribution, ...]) -> NDArray[np.int64]:
    shuffle = np.random.default_rng(0)
    columns = [_grid_column(part) for part in parts]
    return np.concatenate([np.column_stack([shuffle.permutation(column) for column in columns]) for _ in range(GRIDS)])


def _grid_column(part: Distribution) -> NDArray[np.int64]:
    """Ascending whole tokens whose mean is the distribution's, to half a token over the whole grid."""
    return np.diff(np.rint(np.cumsum(midpoints(part, GRID))), prepend=0).astype(np.int64)  # keeps the sum


Profile = Independent | Joint | SessionProfile | LoggedSessions


@dataclass(frozen=True)
class Unknown:
    """What we don't know about a component's mean: factors drawn once per trial.

    `cost` scales the cost of all of a component's runs, and its `mean` their expected cost; `tokens` scales single
    classes and has mean 1. The price tier of a run is decided before these factors apply, so they never move a run
    across a tier start.
    """

    cost: Distribution | None = None
    tokens: dict[str, Distribution] = field(default_factory=dict)

    @property
    def mean(self) -> Fraction:
        """The mean of the factor on the cost."""
        return self.cost.mean if self.cost else Fraction(1)


def largest_input(profile: Profile) -> int | None:
    """The largest total input of a run that the file states; tokens solved from a cost are not stated."""
    if profile.origin == "calibrated":
        return None
    if isinstance(profile, Sessions):
        return round(profile.largest_context)
    if isinstance(profile, Joint):
        return int(profile.total_input.max())
    return round(sum(_large(part) for name, part in profile.parts.items() if name in PROMPT_CLASSES))


def most_input(profile: Independent) -> float:
    """More total input than a run has, but for one in a million."""
    inputs = [part for name, part in profile.parts.items() if name in PROMPT_CLASSES]
    return sum(practical_upper(part) + 1 for part in inputs)


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
