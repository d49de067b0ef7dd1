"""Nixtla's statsforecast as the forecaster, where it is installed: `pip install 'costsim[forecast]'`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ...errors import CostsimError
from .history import Days, Floats

SEASON = 7
SHORT = 2 * SEASON
HARDLY_ANYTHING = 3
WINDOW = 26 * SEASON


def installed() -> bool:
    """Whether statsforecast can be imported, without doing so (it takes seconds)."""
    return find_spec("statsforecast") is not None


def automatic_draw(known: Days, ahead: int, trials: int, rng: np.random.Generator) -> Floats:
    """Costs of the days to come by statsforecast's AutoETS with a weekly season: (trials, ahead), USD, none below 0.

    Error, trend and season are chosen by AICc (Hyndman et al., Forecasting with Exponential Smoothing, 2008), and
    paths are simulated from the chosen model, its parameters taken as certain. No season under two weeks.
    Raises CostsimError where statsforecast is missing, or with fewer than four days.
    """
    if not installed():
        raise CostsimError("statsforecast is not installed: pip install 'costsim[forecast]', or use method weekday")
    if len(known) <= HARDLY_ANYTHING:
        raise CostsimError(
            f"statsforecast needs at least four days, and only {len(known)} are known; use method weekday"
        )
    models: Any = import_module("statsforecast.models")  # takes seconds; has no types
    model = models.AutoETS(season_length=SEASON if len(known) > SHORT else 1)
    paths = model.fit(known.costs[-WINDOW:]).simulate(h=ahead, n_paths=trials, seed=int(rng.integers(2**31)))
    return np.maximum(np.nan_to_num(np.asarray(paths, dtype=np.float64), posinf=0.0), 0.0)
