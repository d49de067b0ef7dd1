"""The ratio of a bill to the price list: what most of the cost shares, exactly, found in proportion to its cells."""

from __future__ import annotations

import random
from datetime import date, timedelta
from fractions import Fraction
from time import process_time

import pytest
from costsim.analysis.reconcile.split import Pair, Pairs, _is_rounding, _ratios, _weighing, common_ratio, ratios

FIRST = date(2026, 10, 1)


def pairs_of(amounts: list[Pair], model: str = "m") -> Pairs:
    return {(FIRST + timedelta(n), "lab", model): amount for n, amount in enumerate(amounts)}


def drawn(chance: random.Random, size: int) -> list[Pair]:
    """Amounts of which most share a ratio; some are whole cents, some of several rows, some nothing."""
    shared = chance.choice([Fraction(1), Fraction(9, 10), Fraction(1055, 1000), Fraction(734, 1000)])
    found = []
    for _ in range(size):
        book = Fraction(chance.randint(1, 10**6), chance.choice([100, 10**6]))
        stated = book * (shared if chance.random() < 0.6 else Fraction(chance.randint(0, 200), 100))
        stated = Fraction(round(stated * 100), 100) if chance.random() < 0.6 else stated
        found.append((book, stated, chance.choice([0, 1, 5])))
    return found


def test_nine_tenths_on_two_days_of_three_is_the_ratio() -> None:
    amounts = [(Fraction(10), Fraction(9), 1), (Fraction(20), Fraction(18), 1), (Fraction(5), Fraction(4), 1)]
    assert common_ratio(pairs_of(amounts)) == Fraction(9, 10)  # 30 of 35


def test_a_ratio_weighs_what_all_cells_cost_that_allow_it() -> None:
    """Each cell looked at for each ratio says the same."""
    chance = random.Random(5)
    for size in (1, 2, 3, 8, 20):
        for _ in range(4):
            usable = [pair for pair in drawn(chance, size) if pair[1] > 0]
            weigh = _weighing(usable)
            for ratio in _ratios(usable):
                allowing = [book for book, stated, rows in usable if _is_rounding(stated - book * ratio, stated, rows)]
                assert weigh(ratio) == sum(allowing, Fraction())


def test_the_bounds_of_a_cell_are_within() -> None:
    """$9.00 of one row may have been rounded by half a cent: 0.8995 to 0.9005 of $10, both included."""
    weigh = _weighing([(Fraction(10), Fraction(9), 1)])
    low, high = Fraction(8995, 10_000), Fraction(9005, 10_000)
    assert [weigh(low), weigh(high)] == [10, 10]
    assert [weigh(low - Fraction(1, 10**9)), weigh(high + Fraction(1, 10**9))] == [0, 0]


@pytest.mark.slow
def test_a_hundred_models_that_agree_nowhere_take_a_second_or_two() -> None:
    """Each ratio of each cell against each cell was 0.2 s of processor time a model."""
    chance = random.Random(7)
    pairs: dict[tuple[date, str, str], Pair] = {}
    for n in range(100):
        amounts = [
            (Fraction(chance.randint(1000, 900_000), 10**6), Fraction(chance.randint(1000, 900_000), 10**6), 1)
            for _ in range(150)
        ]
        pairs |= pairs_of(amounts, f"m{n}")
    begun = process_time()
    assert set(ratios(pairs)) == {f"m{n}" for n in range(100)}
    assert process_time() - begun < 8
