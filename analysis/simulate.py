"""The Monte Carlo: token sums per day and trial, drawn once and priced by every plan (common random numbers).

A day's tokens are the sum over its runs. Up to `EXACT_RUNS` runs a day are drawn one by one; the sum of more
is drawn from the gamma distribution with the sum's exact mean and variance (it is positive and right-skewed,
as token counts are; the central limit does the rest). Draws of a component depend on the seed and its name
only, so that two architectures share the draws of the components they share.

Arrays are (days, trials); a component that nothing varies stays (days, 1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .costing import Costing
from .distributions import Constant, Floats
from .profiles import Bracket, Independent, Joint, Profile
from .workload import Runs, Work

DrawPart = Callable[[np.random.Generator, tuple[int, ...]], Floats]

EXACT_RUNS = 8


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
    if runs.max(initial=0) <= EXACT_RUNS:
        return TokenSums(*_drawn_rows(profile, brackets, runs, rng, trials), factors)
    counts = _split(runs, [float(bracket.probability) for bracket in brackets], rng, trials)
    sums = [_correlated_sums(bracket, count, rng, trials) for bracket, count in zip(brackets, counts, strict=True)]
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
        if isinstance(part, Constant):
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


def _drawn_rows(
    profile: Joint, brackets: tuple[Bracket, ...], runs: Floats, rng: np.random.Generator, trials: int
) -> tuple[list[Floats], list[list[Floats]]]:
    """Few runs a day: rows of the log, each counted in its own bracket."""
    shape = (runs.shape[0], trials)
    starts = np.array([bracket.min_input_tokens for bracket in brackets[1:]], dtype=np.int64)
    columns = profile.rows.astype(np.float64)
    bracket_of_row = np.searchsorted(starts, profile.total_input, side="right")
    counts = [np.zeros(shape) for _ in brackets]
    sums = [[np.zeros(shape) for _ in profile.classes] for _ in brackets]
    for k in range(1, int(runs.max(initial=0)) + 1):
        picked = rng.integers(0, len(profile.rows), shape)
        happens = runs >= k
        for b in range(len(brackets)):
            here = happens & (bracket_of_row[picked] == b)
            counts[b] += here
            for c in range(len(profile.classes)):
                sums[b][c] += columns[:, c][picked] * here
    return counts, sums


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


def _correlated_sums(bracket: Bracket, runs: Floats, rng: np.random.Generator, trials: int) -> list[Floats]:
    """Sums of many rows whose classes go together: standardised gamma sums mixed by the Cholesky factor."""
    means = [float(mean) for mean in bracket.mean.values()]
    deviations = np.sqrt(np.diag(bracket.covariance))
    varying = [n for n, deviation in enumerate(deviations) if deviation > 0 and means[n] > 0]
    root_runs = np.sqrt(runs)
    sums = [runs * mean for mean in means]
    if not varying:
        return sums
    factor = _cholesky(bracket.covariance[np.ix_(varying, varying)], deviations[varying])
    standard = [_standard_gamma_sum(runs, means[n] / deviations[n], rng, trials) for n in varying]
    for row, n in enumerate(varying):
        mixed = sum((factor[row, col] * standard[col] for col in range(row + 1)), np.zeros((1, 1)))
        sums[n] = np.maximum(sums[n] + root_runs * deviations[n] * mixed, 0.0)
    return sums


def _cholesky(covariance: Floats, deviations: Floats) -> Floats:
    correlation = covariance / np.outer(deviations, deviations)
    return np.linalg.cholesky(correlation + 1e-12 * np.eye(len(deviations)))


def _standard_gamma_sum(runs: Floats, mean_over_deviation: float, rng: np.random.Generator, trials: int) -> Floats:
    """A gamma sum of n runs, less its mean, over its standard deviation: (days, trials)."""
    shape = np.maximum(runs * mean_over_deviation**2, 1e-12)
    full = np.broadcast_to(shape, (runs.shape[0], trials))
    standard: Floats = (rng.standard_gamma(full) - shape) / np.sqrt(shape)
    return np.where(runs > 0, standard, 0.0)


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
