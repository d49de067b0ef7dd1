"""Sums of fractions and quantiles of draws: quicker than the plain way, and the same to the digit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from costsim.analysis.exact import daily_total, total
from costsim.analysis.quantiles import LEVELS, quantiles


def test_a_total_of_fractions_is_exact_whatever_their_denominators() -> None:
    # 1/2 + 1/3 + 1/6 + 1/10 + 1/10 = 1 + 1/5
    parts = [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6), Fraction(1, 10), Fraction(1, 10)]
    assert total(parts) == Fraction(6, 5) == sum(parts)
    assert total([]) == 0


def test_days_add_up_one_by_one_where_some_part_differs_between_them() -> None:
    same, changing = (Fraction(1, 3),) * 2, (Fraction(1, 2), Fraction(1, 6))
    assert daily_total([same, changing, same], days=2) == (Fraction(7, 6), Fraction(5, 6))
    assert daily_total([], days=2) == (0, 0)


@pytest.mark.parametrize("draws", [1, 2, 3, 10, 11, 997])
def test_quantiles_are_those_of_numpy_to_the_digit(draws: int) -> None:
    drawn = np.random.default_rng(draws).lognormal(size=(draws, 3))
    found = quantiles(drawn, lambda amount: amount)  # type: ignore[arg-type, return-value]
    assert [*found] == np.quantile(drawn, LEVELS).tolist()
