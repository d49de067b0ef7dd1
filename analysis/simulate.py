"""The Monte Carlo: token sums per day and trial, drawn once and priced by every plan (common random numbers).

A day's tokens are the sum over its runs. Up to `EXACT_RUNS` runs a day are drawn one by one; the sum of more
is drawn from the gamma distribution with the sum's exact mean and variance (it is positive and right-skewed,
as token counts are; the central limit does the rest). Rows of a log are summed as whole rows. Draws of a
component depend on the seed and its name only, so that two architectures share the draws of what they share.

Arrays are (days, trials); a component that nothing varies stays (days, 1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .costing import Costing
from .distributions import Constant, Floats
from .profiles import Bracket, Independent, Profile
from .workload import Runs, Work

DrawPart = Callable[[np.random.Generator, tuple[int, ...]], Floats]

EXACT_RUNS = 8
POOL = 65_536


def generator(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one component: the same whatever other components there are."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.Generator(np.random.SFC64([seed, int.from_bytes(digest[:8], "little")]))


@dataclass(frozen=True)
class TokenSums:
    """One component's drawn tokens: per bracket, the runs and the sum of each class, each (days, trials or 1).

    `factors` are the trial's unknown factors, by class, (trials,) or the number 1.
    """

    runs: list[Floats] = field(repr=False)
    tokens: list[list[Floats]] = field(repr=False)
    factors: list[Floats | float] = field(repr=False)


def draw(work: Work, profile: Profile, brackets: tuple[Bracket, ...], days: int, trials: int, seed: int) -> TokenSums:
    """Draw a component's runs and tokens for all days and trials."""
    rng = generator(seed, work.component.name)
    factors = _factors(work, profile, rng, trials)
    runs = _draw_runs(work.runs, rng, days, trials)
    if isinstance(profile, Independent):
        return TokenSums([runs], [_independent_sums(profile, runs, rng, trials)], factors)
    counts = _split(runs, [float(bracket.probability) for bracket in brackets], rng, trials)
    sums = [_row_sums(bracket, count, rng, trials) for bracket, count in zip(brackets, counts, strict=True)]
    return TokenSums(counts, sums, factors)


def _factors(work: Work, profile: Profile, rng: np.random.Generator, trials: int) -> list[Floats | float]:
    unknown = work.unknown
    common: Floats | float = unknown.cost.draw(rng, (trials,)) if unknown.cost else 1.0
    own = {name: part.draw(rng, (trials,)) for name, part in unknown.tokens.items()}
    return [common * own.get(name, 1.0) for name in profile.classes] + [common]


def _draw_runs(runs: Runs, rng: np.random.Generator, days: int, trials: int) -> Floats:
    """The number of runs: (days, 1) where it is certain, else (days, trials)."""
    mean = np.array([float(count) for count in runs.expected])[:, None]
    active = mean > 0
    match runs.law:
        case "poisson":
            return rng.poisson(mean, (days, trials)).astype(np.float64)
        case "mean" if runs.spread:
            return active * _whole(runs.spread.draw(rng, (1, trials)), rng, (days, trials))
        case "day" if runs.spread:
            return active * _whole(runs.spread.draw(rng, (days, trials)), rng, (days, trials))
        case _ if all(count.denominator == 1 for count in runs.expected):
            return mean
        case _:
            return _whole(mean, rng, (days, trials))


def _whole(rate: Floats, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Whole runs with that mean: the fraction of a run is the chance of one more."""
    whole: Floats = np.floor(rate + rng.random(shape))
    return whole


def _independent_sums(profile: Independent, runs: Floats, rng: np.random.Generator, trials: int) -> list[Floats]:
    sums = []
    for part in profile.parts.values():
        if isinstance(part, Constant) or not part.variance:
            sums.append(runs * float(part.mean))
        elif runs.max(initial=0) <= EXACT_RUNS:
            sums.append(_summed_draws(part.draw, runs, rng, trials))
        else:
            sums.append(_gamma_sum(runs, float(part.mean), part.variance, rng, trials))
    return sums


def _summed_draws(draw_part: DrawPart, runs: Floats, rng: np.random.Generator, trials: int) -> Floats:
    """Every run drawn by itself: the k-th draw counts on the days that have a k-th run."""
    shape = (runs.shape[0], trials)
    total = np.zeros(shape)
    for k in range(1, int(runs.max(initial=0)) + 1):
        days = runs[:, 0] >= k if runs.shape[1] == 1 else None
        if days is None:
            total += draw_part(rng, shape) * (runs >= k)
        elif days.all():
            total += draw_part(rng, shape)
        else:
            total[days] += draw_part(rng, (int(days.sum()), trials))
    return total


def _gamma_sum(runs: Floats, mean: float, variance: float, rng: np.random.Generator, trials: int) -> Floats:
    """The sum of n runs with that mean and variance each: gamma of shape n mean^2/variance, same two moments."""
    shape = runs * (mean * mean / variance)
    sums = np.empty((runs.shape[0], trials))
    if runs.shape[1] == 1:
        for day, k in enumerate(shape[:, 0]):  # one shape a row is faster to draw than a matrix of shapes
            rng.standard_gamma(k, out=sums[day])
    else:
        rng.standard_gamma(shape, out=sums)
    sums *= variance / mean
    return sums


def _split(runs: Floats, shares: list[float], rng: np.random.Generator, trials: int) -> list[Floats]:
    """Runs among the brackets: a multinomial, drawn as a chain of binomials."""
    if len(shares) == 1:
        return [runs]
    left = np.broadcast_to(runs, (runs.shape[0], trials)).astype(np.int64)
    counts: list[Floats] = []
    rest = 1.0
    for share in shares[:-1]:
        here = rng.binomial(left, min(1.0, share / rest))
        counts.append(here.astype(np.float64))
        left, rest = left - here, rest - share
    return [*counts, left.astype(np.float64)]


def _row_sums(bracket: Bracket, runs: Floats, rng: np.random.Generator, trials: int) -> list[Floats]:
    """Sums of whole rows, their classes together: n runs are put together from sums of 1, 2, 4, 8, … rows.

    One row is drawn from the rows themselves; the sums of 2, 4, 8, … from pools of `POOL` such sums each.
    """
    assert bracket.rows is not None  # noqa: S101 (a Joint's brackets have their rows)
    counts = runs.astype(np.int64)
    if (bracket.rows == bracket.rows[0]).all():
        return [runs * float(mean) for mean in bracket.mean.values()]
    pool = np.ascontiguousarray(bracket.rows.T, dtype=np.float64)
    sums = [np.zeros((runs.shape[0], trials)) for _ in pool]
    size, most = 1, int(counts.max(initial=0))
    while size <= most:
        taking = np.broadcast_to(counts & size > 0, sums[0].shape)
        picked = rng.integers(0, pool.shape[1], np.count_nonzero(taking))
        for total, amounts in zip(sums, pool, strict=True):
            total[taking] += amounts[picked]
        size *= 2
        pool = _doubled(pool, np.array([[float(mean * size)] for mean in bracket.mean.values()]), rng)
    return sums


def _doubled(pool: Floats, mean: Floats, rng: np.random.Generator) -> Floats:
    """A pool of sums of two entries each, scaled to its exact mean so that no pool is dear or cheap by chance."""
    first, second = rng.integers(0, pool.shape[1], (2, POOL))
    sums = pool[:, first] + pool[:, second]
    drawn = sums.mean(axis=1, keepdims=True)
    scaled: Floats = sums * np.divide(mean, drawn, out=np.ones_like(mean), where=drawn > 0)
    return scaled


def price(sums: TokenSums, costing: Costing) -> Floats:
    """What the drawn tokens cost on the costing's model: USD, (days, trials), or (days, 1) if nothing varies."""
    total: Floats | None = None
    if not costing.priced:
        return np.zeros((len(costing.rates), 1))  # unknown, not zero: nobody adds it (see summary)
    for b, (runs, tokens) in enumerate(zip(sums.runs, sums.tokens, strict=True)):
        rates = np.array([[float(usd) for usd in day[b]] for day in costing.rates])
        for c, amounts in enumerate([*tokens, runs]):
            if not rates[:, c].any():
                continue
            part = amounts * rates[:, c : c + 1]
            part = part if isinstance(sums.factors[c], float) else part * sums.factors[c]
            total = part if total is None else _add(total, part)
    return np.zeros((len(costing.rates), 1)) if total is None else total


def _add(total: Floats, part: Floats) -> Floats:
    if total.shape == part.shape:
        total += part  # in place: these are the large arrays
        return total
    return total + part
