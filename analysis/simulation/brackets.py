"""The part of a run's requests that lies in one price tier: how many, and what each sends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64] | NDArray[np.float64]
Origin = Literal["stated", "calibrated", "measured", "flat", "session"]


@dataclass(frozen=True)
class Bracket:
    """The requests whose total input is in one price tier.

    `probability` is their expected number per run: the chance of a run to be here, where a run is one request; a
    session's requests may be many. `mean` is tokens per request by class, given the bracket; `source` has the runs
    themselves, where the profile has them, or makes them anew each time: the grids of a thousand components are
    gigabytes. `min_input_tokens` is the tier's start, by which prices are looked up. `replicates` are independent
    estimates of tokens per run by class and of requests, (replicates, classes + 1), where `mean` is computed
    numerically; None where it is exact.
    """

    min_input_tokens: int
    probability: Fraction
    mean: dict[str, Fraction]
    source: Rows | Callable[[], Rows] | None = field(default=None, repr=False)
    replicates: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)

    @property
    def rows(self) -> Rows | None:
        """The runs to draw from, (runs, classes), where the profile has them."""
        return self.source() if callable(self.source) else self.source
