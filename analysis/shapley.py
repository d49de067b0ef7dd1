"""Shapley values: what each of several changes does to a cost, whatever order they came in.

(L. S. Shapley, "A Value for n-Person Games", 1953.) Policies of the waterfall, causes of a diff, effects of the bridge
and the moves of a replay are all split by it: exact, in fractions.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import factorial, lcm
from typing import TypeVar

Coalition = tuple[int, ...]
"""For each factor in order, whether it has changed (1) or not (0)."""

Key = TypeVar("Key")


def shapley(costs: Mapping[Coalition, Fraction]) -> list[Fraction]:
    """For each factor, the mean over all orders of what its change adds to the cost, given those changed before it.

    `costs` has the cost, in USD or any unit, of every coalition: 2^n for n factors. For factor i it is the sum over
    the sets S without i of |S|! (n - |S| - 1)! / n! x (cost(S + i) - cost(S)). The values add up, exactly, to the
    cost when all have changed less the cost when none has.
    """
    size = len(next(iter(costs)))
    whole, scale = over_one_denominator(costs)
    totals = [0] * size
    for changed, cost in whole.items():
        count = sum(changed)
        first, then = (factorial(n) * factorial(size - 1 - n) if 0 <= n < size else 0 for n in (count - 1, count))
        for factor, has in enumerate(changed):
            totals[factor] += cost * first if has else -cost * then
    return [Fraction(total, scale * factorial(size)) for total in totals]


def over_one_denominator(fractions: Mapping[Key, Fraction]) -> tuple[dict[Key, int], int]:
    """Numerators over one denominator: sums of whole numbers are many times quicker than sums of fractions."""
    scale = lcm(*(of.denominator for of in fractions.values()))
    return {key: of.numerator * (scale // of.denominator) for key, of in fractions.items()}, scale
