"""Sums of many fractions, exact, and quicker than one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import lcm

Days = tuple[Fraction, ...]
"""An amount of each day."""


def total(amounts: Iterable[Fraction]) -> Fraction:
    """Their sum: those over the same denominator are whole numbers, so that few fractions are added."""
    whole: dict[int, int] = {}
    for amount in amounts:
        numerator, denominator = amount.as_integer_ratio()
        whole[denominator] = whole.get(denominator, 0) + numerator
    if not whole:
        return Fraction(0)
    common = lcm(*whole)
    return Fraction(sum(part * (common // denominator) for denominator, part in whole.items()), common)


def daily_total(parts: Iterable[Days], days: int) -> Days:
    """Their sum by day. What is the same object on every day is added once."""
    every: list[Days] = []
    by_day: list[Days] = []
    for part in parts:
        (every if part and all(amount is part[0] for amount in part) else by_day).append(part)
    same = total(part[0] for part in every)
    return tuple(total([same, *(part[day] for part in by_day)]) for day in range(days))
