"""The Monte Carlo: token sums per day and trial, drawn once and priced by every plan (common random numbers).

A day's tokens are the sum over its runs. Where the runs are many for how much they vary, the sum is drawn from
the gamma distribution with its exact mean and variance: within 2% of drawn runs at P10 and P90. Elsewhere, and
for whole rows of a log, it is put together from pools of sums of 1, 2, 4, 8, … runs. Draws of a component depend
on the seed and its name only, so that two architectures share the draws of what they share.

Arrays are (days, trials); a component that nothing varies stays (days, 1).
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..architecture.distributions import Constant, Distribution, Floats, midpoints
from .brackets import Bracket
from .costing import Costing
from .gamma import gamma_sum
from .profiles import Independent, Joint, Profile
from .sessions.few import mean_factors
from .sessions.measured import LoggedSessions, Sessions
from .workload import Runs, SpawnedRuns, Work

GAMMA_VARIANCE = 0.02
"""The largest squared coefficient of variation of a day's sum that a gamma distribution is drawn for."""
POOL = 65_536
_POOL: ContextVar[int] = ContextVar("pool", default=POOL)
"""Entries of the pools of sums."""
CACHED = 16_384
"""Amounts that are priced at once."""
MOST_KEPT = 16
_KEPT: OrderedDict[tuple[int, ...], tuple[Work, Floats]] = OrderedDict()
"""The runs last drawn of components that spawn others."""


@contextmanager
def pool_size(entries: int) -> Iterator[None]:
    """Pools of so many entries while it lasts: fewer are quicker to fill, and coarser."""
    before = _POOL.set(entries)
    try:
        yield
    finally:
        _POOL.reset(before)


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

    @property
    def nbytes(self) -> int:
        """How much memory the draws take."""
        return sum(amounts.nbytes for amounts in (*self.runs, *(part for parts in self.tokens for part in parts)))


def draw(
    work: Work,
    profile: Profile,
    brackets: tuple[Bracket, ...],
    days: int,
    trials: int,
    seed: int,
    spawn: Callable[[Floats], Floats] | None = None,
) -> TokenSums:
    """Draw a component's runs and tokens for all days and trials; `spawn` says which of its runs happen."""
    rng = generator(seed, work.component.name)
    factors = _factors(work, profile, rng, trials)
    runs = _draw_runs(work.runs, rng, days, trials, seed)
    runs = spawn(runs) if spawn else runs
    if work.runs.law == "forecast":
        return _mean_sums(brackets, runs, factors)
    if isinstance(profile, Sessions):
        return _session_sums(profile, brackets, runs, rng, trials, factors)
    if profile.drawn_by_trial:
        return _trial_sums(profile, brackets, runs, rng, trials, factors)
    if isinstance(profile, Independent) and len(brackets) == 1:
        return TokenSums([runs], [_independent_sums(profile.parts, runs, rng, trials)], factors)
    counts = _split(runs, [float(bracket.probability) for bracket in brackets], rng, trials)
    sums = [_row_sums(bracket, count, rng, trials) for bracket, count in zip(brackets, counts, strict=True)]
    return TokenSums(counts, sums, factors)


def _mean_sums(brackets: tuple[Bracket, ...], runs: Floats, factors: list[Floats | float]) -> TokenSums:
    """Runs of mean tokens: the forecast of days has the chance of single runs in it already."""
    counts = [runs * float(bracket.probability) for bracket in brackets]
    tokens = [
        [count * float(mean) for mean in bracket.mean.values()] for count, bracket in zip(counts, brackets, strict=True)
    ]
    return TokenSums(counts, tokens, factors)


def _factors(work: Work, profile: Profile, rng: np.random.Generator, trials: int) -> list[Floats | float]:
    unknown = work.unknown
    common: Floats | float = unknown.cost.draw(rng, (trials,)) / float(unknown.mean) if unknown.cost else 1.0
    known = frozenset() if isinstance(profile, Sessions) else profile.drawn_by_trial
    own = {name: part.draw(rng, (trials,)) for name, part in unknown.tokens.items() if name not in known}
    return [common * own.get(name, 1.0) for name in profile.classes] + [common]


def _draw_runs(runs: Runs, rng: np.random.Generator, days: int, trials: int, seed: int) -> Floats:
    """The number of runs: (days, 1) where it is certain, else (days, trials)."""
    mean = np.array([float(count) for count in runs.expected])[:, None]
    match runs.law:
        case "spawned":
            return _spawned_runs(runs, rng, days, trials, seed)
        case "poisson":
            return rng.poisson(mean, (days, trials)).astype(np.float64)
        case "forecast" if runs.levels:
            return mean * runs.levels(trials)
        case "mean" | "day" if runs.spread:
            rate = runs.spread.draw(rng, (1 if runs.law == "mean" else days, trials))
            return _whole(rate * (mean / float(runs.spread.mean)), rng, (days, trials))
        case _ if all(count.denominator == 1 for count in runs.expected):
            return mean
        case _:
            return _whole(mean, rng, (days, trials))


def _spawned_runs(runs: Runs, rng: np.random.Generator, days: int, trials: int, seed: int) -> Floats:
    """Its own runs, and those that its parents' runs spawn: of the same draws that the parents are costed by."""
    total: Floats = np.zeros((days, 1))
    if runs.own and any(runs.own.expected):
        total = _draw_runs(runs.own, rng, days, trials, seed)
    for source in runs.parents:
        parents = _parents_runs(source.parent, days, trials, seed)
        parents = source.keep(parents, trials, seed) if source.keep else parents
        total = total + _children(parents, source, rng, trials)
    return total * np.array(runs.active, dtype=np.float64)[:, None]


def _parents_runs(work: Work, days: int, trials: int, seed: int) -> Floats:
    """A parent's drawn runs, the same as it is costed by; kept for its other children."""
    key = (id(work), days, trials, seed, _POOL.get())
    if key not in _KEPT:
        rng = generator(seed, work.component.name)
        _factors(work, work.profile, rng, trials)
        runs = _draw_runs(work.runs, rng, days, trials, seed)
        _KEPT[key] = (work, runs)  # the work too, so that no other has its id
        while len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    return _KEPT[key][1]


def _children(parents: Floats, source: SpawnedRuns, rng: np.random.Generator, trials: int) -> Floats:
    """How many runs those of a parent spawn: (days, trials), or (days, 1) where that is certain."""
    shape = (len(parents), trials)
    if source.chance < 1:
        parents = rng.binomial(np.broadcast_to(parents, shape).astype(np.int64), float(source.chance)).astype(float)
    count = source.count
    if isinstance(count, Constant) or not count.variance:
        whole, rest = divmod(count.mean, 1)
        sure: Floats = parents * float(whole)
        extra = rng.binomial(np.broadcast_to(parents, shape).astype(np.int64), float(rest)) if rest else 0.0
        return sure + extra
    entries = _POOL.get()
    amounts = midpoints(count, entries)
    pool = np.floor(amounts + (rng.permutation(entries) + 0.5) / entries)[None]
    return np.rint(_pooled_sums(pool, [float(count.mean)], parents, rng, trials)[0])


def _whole(rate: Floats, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Whole runs with that mean: the fraction of a run is the chance of one more."""
    whole: Floats = np.floor(rate + rng.random(shape))
    return whole


def _trial_sums(
    profile: Independent | Joint,
    brackets: tuple[Bracket, ...],
    runs: Floats,
    rng: np.random.Generator,
    trials: int,
    factors: list[Floats | float],
) -> TokenSums:
    """Sums where the price tier hangs on an unknown mean: one row of the profile is that of all runs of a trial.

    Classes that have nothing to do with it vary from run to run as always.
    """
    chances = np.array([float(bracket.probability) for bracket in brackets])
    chosen = rng.choice(len(brackets), trials, p=chances / chances.sum())
    free = (
        {}
        if isinstance(profile, Joint)
        else {n: p for n, p in profile.parts.items() if n not in profile.drawn_by_trial}
    )
    own = dict(zip(free, _independent_sums(free, runs, rng, trials), strict=True))
    counts, tokens = [], []
    for number, bracket in enumerate(brackets):
        here = chosen == number
        assert bracket.rows is not None  # noqa: S101 (brackets of a tier that is straddled have rows)
        rows = bracket.rows[rng.integers(0, len(bracket.rows), trials)]
        counts.append(runs * here)
        sums = [(own[name] if name in own else runs * rows[:, n]) * here for n, name in enumerate(profile.classes)]
        tokens.append(sums)
    return TokenSums(counts, tokens, factors)


def _independent_sums(
    parts: Mapping[str, Distribution], runs: Floats, rng: np.random.Generator, trials: int
) -> list[Floats]:
    sums = []
    fewest = float(runs.min(initial=np.inf, where=runs > 0))
    for part in parts.values():
        mean = float(part.mean)
        if isinstance(part, Constant) or not part.variance:
            sums.append(runs * mean)
        elif part.variance <= GAMMA_VARIANCE * mean * mean * fewest:
            sums.append(gamma_sum(runs, mean, part.variance, rng, trials, smooth=_POOL.get() < POOL))
        else:
            sums += _pooled_sums(midpoints(part, _POOL.get())[None], [mean], runs, rng, trials)
    return sums


def _session_sums(
    profile: Sessions,
    brackets: tuple[Bracket, ...],
    runs: Floats,
    rng: np.random.Generator,
    trials: int,
    factors: list[Floats | float],
) -> TokenSums:
    """Sums of whole sessions: their requests and tokens in each bracket together, with the exact means."""
    wide = len(profile.classes) + 1
    means = [float(b.probability * x) for b in brackets for x in (*b.mean.values(), Fraction(1))]
    drawn = profile.sample(brackets, _POOL.get()).sums
    pool = np.ascontiguousarray(drawn.reshape(len(drawn), -1).T)
    average = pool.mean(axis=1, keepdims=True)
    pool = pool * np.divide(np.array(means)[:, None], average, out=np.ones_like(average), where=average > 0)
    sums = _pooled_sums(pool, means, runs, rng, trials) if (pool != pool[:, :1]).any() else [runs * m for m in means]
    if isinstance(profile, LoggedSessions):
        known = mean_factors(drawn.reshape(len(drawn), -1), rng, trials)
        sums = [total * factor for total, factor in zip(sums, known, strict=True)]
    lines = [sums[n : n + wide] for n in range(0, len(sums), wide)]
    return TokenSums([line[-1] for line in lines], [line[:-1] for line in lines], factors)


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
    """Sums of whole rows, their classes together."""
    assert bracket.rows is not None  # noqa: S101 (several brackets have their rows)
    means = [float(mean) for mean in bracket.mean.values()]
    if (bracket.rows == bracket.rows[0]).all():
        return [runs * mean for mean in means]
    return _pooled_sums(np.ascontiguousarray(bracket.rows.T, dtype=np.float64), means, runs, rng, trials)


def _pooled_sums(  # (classes, pool) in, one (days, trials) per class out
    pool: Floats, means: list[float], runs: Floats, rng: np.random.Generator, trials: int
) -> list[Floats]:
    """Sums of n runs, from the binary digits of n: one entry of the pool of sums of 1, of 2, of 4, of 8, … runs."""
    counts = runs.astype(np.int64)
    sums = [np.zeros((len(runs), trials)) for _ in means]
    size, most = 1, int(counts.max(initial=0))
    while size <= most:
        taking: NDArray[np.bool_] = (counts & size) > 0
        where = taking[:, 0] if taking.shape[1] == 1 else taking
        shape = (np.count_nonzero(where), trials) if where.ndim == 1 else np.count_nonzero(where)
        picked = rng.integers(0, pool.shape[1], shape, dtype=np.uint32)
        for total, amounts in zip(sums, pool, strict=True):
            total[where] += amounts[picked]
        size *= 2
        if size <= most:
            pool = _doubled(pool, np.array(means)[:, None] * size, rng)
    return sums


def _doubled(pool: Floats, mean: Floats, rng: np.random.Generator) -> Floats:
    """A pool of sums of two entries each, of that exact mean: no pool is high or low by chance."""
    entries, wanted = pool.shape[1], _POOL.get()
    if entries < 2 * wanted:  # every entry as often as any other, in pairs at random
        first = np.arange(entries * -(-wanted // entries)) % entries
        second = rng.permutation(first)
    else:
        first, second = rng.integers(0, entries, (2, wanted))
    sums = pool[:, first] + pool[:, second]
    drawn = sums.mean(axis=1, keepdims=True)
    sums *= np.divide(mean, drawn, out=np.ones_like(mean), where=drawn > 0)
    return sums


def price(sums: TokenSums, costing: Costing, room: Floats) -> Floats:
    """What the drawn tokens cost on the costing's model: USD, (days, trials), or (days, 1) if nothing varies.

    The result is put into `room`, (days, trials), where it needs that much: new memory is slow the first time.
    """
    days = len(costing.rates)
    if not costing.priced:
        return np.zeros((days, 1))  # unknown, not zero: nobody adds it (see summary)
    parts: list[tuple[Floats, Floats, Floats | float]] = []
    for b, (runs, tokens) in enumerate(zip(sums.runs, sums.tokens, strict=True)):
        rates = np.array([[float(usd) for usd in day[b]] for day in costing.rates])
        amounts = zip([*tokens, runs], rates.T, sums.factors, strict=True)
        parts += [(amount, rate, factor) for amount, rate, factor in amounts if rate.any()]
    width = max((max(amount.shape[1], np.size(factor)) for amount, _, factor in parts), default=1)
    total = room if width == room.shape[1] else np.empty((days, width))
    total.fill(0)
    at_once = max(1, min(days, CACHED // width))  # so many days at a time stay in the processor's cache
    scratch = np.empty((at_once, width))
    for first in range(0, days, at_once):
        some = slice(first, first + at_once)
        usd = total[some]
        for amount, rate, factor in parts:
            usd += np.multiply(amount[some], rate[some, None] * factor, out=scratch[: len(usd)])
    return total
