"""Distributions: an exact mean, a variance, quantiles and draws that agree with each other."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from costsim.analysis.architecture.distributions import (
    Constant,
    Distribution,
    Lognormal,
    Scaled,
    Triangular,
    Uniform,
    midpoints,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ALL: dict[str, Distribution] = {
    "constant": Constant(Fraction(7)),
    "uniform": Uniform(Fraction(2), Fraction(10)),
    "triangular": Triangular(Fraction(0), Fraction(3), Fraction(30)),
    "triangular from its mode": Triangular(Fraction(5), Fraction(5), Fraction(9)),
    "triangular to its mode": Triangular(Fraction(5), Fraction(9), Fraction(9)),
    "lognormal": Lognormal(Fraction(1000), Fraction(4000)),
    "scaled": Scaled(Triangular(Fraction(0), Fraction(3), Fraction(30)), Fraction(1, 11)),
}


def test_means_are_exact() -> None:
    assert ALL["uniform"].mean == 6
    assert ALL["triangular"].mean == 11  # (0 + 3 + 30) / 3
    assert ALL["scaled"].mean == 1


def test_a_lognormal_has_its_median_and_its_95th_percentile() -> None:
    part = ALL["lognormal"]
    assert part.quantile(np.array([0.5, 0.95])) == pytest.approx([1000, 4000])
    sigma = math.log(4) / 1.6448536  # 0.8428
    assert float(part.mean) == pytest.approx(1000 * math.exp(sigma**2 / 2), rel=1e-6)  # 1,426
    assert part.mean.denominator <= 1_000_000


@pytest.mark.parametrize("name", ALL)
def test_draws_have_the_stated_mean_variance_and_quantiles(name: str) -> None:
    part = ALL[name]
    drawn = part.draw(np.random.default_rng(1), (200_000,))
    assert drawn.mean() == pytest.approx(float(part.mean), rel=0.01)
    assert drawn.var() == pytest.approx(part.variance, rel=0.06)
    assert drawn.max() <= part.upper * (1 + 1e-12)
    shares = np.array([0.1, 0.5, 0.9])
    assert np.quantile(drawn, shares) == pytest.approx(part.quantile(shares), rel=0.02)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(ALL)), st.sampled_from([16, 4096, 65_536]))
def test_midpoints_ascend_and_keep_the_mean(name: str, count: int) -> None:
    found = midpoints(ALL[name], count)
    assert len(found) == count
    assert (np.diff(found[:-1]) >= 0).all()
    assert found.mean() == pytest.approx(float(ALL[name].mean), rel=1e-12)
    assert found.min() >= 0
