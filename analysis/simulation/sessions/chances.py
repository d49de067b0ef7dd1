"""Chances of a session: how many turns it has, and whether a gap leaves the cache warm."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from ...architecture.distributions import Constant, Distribution, Floats, Lognormal, Scaled, Triangular, Uniform
from ...architecture.session import MAX_TURNS
from ...exact import total

PLACES = 10**12
NEGLIGIBLE = Fraction(1, 10**9)
"""A number of turns that so few sessions reach is left out: a lognormal has no largest value."""


def at_most(part: Distribution, amount: Fraction) -> Fraction:
    """P(X <= amount): exact; for lognormals, whose formula is transcendental, rounded to 12 places."""
    match part:
        case Constant():
            return Fraction(int(part.mean <= amount))
        case Uniform():
            return min(max((amount - part.low) / (part.high - part.low), Fraction(0)), Fraction(1))
        case Triangular():
            return _triangular(part, amount)
        case Lognormal():
            return _lognormal(part, amount)
        case Scaled():
            return at_most(part.of, amount / part.by)
    raise TypeError(f"{part} has no cumulative distribution")


def _triangular(part: Triangular, amount: Fraction) -> Fraction:
    if amount <= part.low or amount >= part.high:
        return Fraction(int(amount >= part.high))
    span = part.high - part.low
    if amount < part.mode:
        return (amount - part.low) ** 2 / (span * (part.mode - part.low))
    return 1 - (part.high - amount) ** 2 / (span * (part.high - part.mode)) if part.high > part.mode else Fraction(1)


def _lognormal(part: Lognormal, amount: Fraction) -> Fraction:
    if amount <= 0:
        return Fraction(0)
    chance = NormalDist().cdf((math.log(amount) - math.log(part.p50)) / part.sigma)
    return Fraction(round(chance * PLACES), PLACES)


def survival(turns: Distribution) -> tuple[Fraction, ...]:
    """P(at least k turns) for k = 1, 2, …; amounts are rounded to whole turns, at least 1 and at most 10,000.

    A stated 2.5 is 2 or 3 turns, each half of the time.
    """
    return _survival(turns)


@lru_cache(maxsize=256)
def _survival(turns: Distribution) -> tuple[Fraction, ...]:
    if isinstance(turns, Constant):
        whole = math.floor(turns.mean)
        rest = turns.mean - whole
        return (Fraction(1),) * whole + ((rest,) if rest else ())
    found = [Fraction(1)]
    half = Fraction(1, 2)
    while len(found) < MAX_TURNS:
        chance = 1 - at_most(turns, len(found) + half)
        if chance < NEGLIGIBLE:
            break
        found.append(chance)
    return tuple(found)


@lru_cache(maxsize=256)
def mean_turns(turns: Distribution) -> Fraction:
    """Expected turns of a session: the sum of the survival."""
    return total(survival(turns))


def draw_turns(turns: Distribution, count: int, rng: np.random.Generator) -> Floats:
    """Whole turns of `count` sessions, each at the midpoint of an equal step of probability, in random order."""
    ladder = np.array([float(chance) for chance in survival(turns)])
    chosen = (rng.permutation(count) + 0.5) / count
    return np.searchsorted(-ladder, -chosen, side="left").astype(np.float64)
