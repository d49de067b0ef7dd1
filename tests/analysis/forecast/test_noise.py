"""Whether a fleet's noise falls as its level rises."""

from __future__ import annotations

import numpy as np
import pytest
from costsim.analysis.forecast.history import Floats
from costsim.analysis.forecast.noise import POWERS, power, precision


def scores(share: float, seed: int) -> tuple[Floats, Floats]:
    """Distances of 80 days whose level falls to a tenth, and their levels in logs."""
    usual = np.linspace(0.5, -0.5, 80) * np.log(10)
    return np.random.default_rng(seed).standard_normal(80) * np.exp(-share / 2 * usual), usual


def test_the_variance_of_calls_falls_as_one_over_their_number() -> None:
    assert np.mean([power(*scores(1.0, seed)) for seed in range(20)]) > 0.6


def test_noise_of_days_is_alike_on_every_level() -> None:
    assert np.mean([power(*scores(0.0, seed)) for seed in range(20)]) < 0.25


def test_levels_that_are_alike_say_nothing() -> None:
    before = sum(share * chance for share, chance in POWERS.items())
    assert power(np.ones(40), np.zeros(40)) == pytest.approx(before)


def test_a_tenth_of_the_calls_is_as_precise_as_the_farthest_level_looked_at() -> None:
    # e^-2 = 0.135 of the precision, not 0.1
    assert precision(np.array([0.0, -np.log(10), np.log(2)]), 1.0) == pytest.approx([1, np.exp(-2), 2])
    assert precision(np.array([1.0, -1.0]), 0.0) == pytest.approx([1, 1])
