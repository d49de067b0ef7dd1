"""Which runs of a component still happen, and how often a cache is warm when one does.

fresh_for skips runs, then batch_with gathers what is left: `tasks` of them to a spawn. With a cron every instant
is walked; nothing is fresh or warm when the horizon begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...architecture.distributions import Floats
from ...architecture.policies import BatchWith, Cache, FreshFor
from ...architecture.schedule import runs_by_day
from ..workload import Runs

Minutes = NDArray[np.int64]

MINUTES_PER_DAY = 1440
PLACES = 10**12
LARGE_MEAN = 5_000
"""From this many runs within a ttl on, their number is as good as certain."""


@dataclass(frozen=True)
class Spawns:
    """The runs that still happen: `kept` after fresh_for, of which every spawn takes `tasks`.

    `keep` is each day's chance of a run to be kept where that is left to chance; `pause_minutes` is how long
    nothing runs after a kept Poisson run.
    """

    kept: Runs
    keep: tuple[Fraction, ...] = field(repr=False)
    tasks: int = 1
    walked: bool = False
    pause_minutes: int = 0

    @cached_property
    def runs(self) -> Runs:
        """The spawns: exact expected numbers; the instants are those of all tasks, each the n-th part of a spawn."""
        return replace(self.kept, expected=tuple(count / self.tasks for count in self.kept.expected), spread=None)

    def draw(self, runs: Floats, trials: int, random: Callable[[str], np.random.Generator]) -> Floats:
        """Spawns from drawn runs: (days, trials), or (days, 1) where they are certain."""
        if self.walked:
            runs = np.array([[float(count)] for count in self.kept.expected])
        elif any(share < 1 for share in self.keep):
            keep = np.array([[float(share)] for share in self.keep])
            runs = binomial(runs, keep, random("fresh_for"), trials)
        if not (runs % self.tasks).any():
            return runs / self.tasks
        jitter = random("batch_with").random((len(runs), trials))  # a batch begun before midnight may end after it
        gathered: Floats = np.floor(runs / self.tasks + jitter)
        return gathered


def binomial(runs: Floats, chance: Floats, rng: np.random.Generator, trials: int) -> Floats:
    """How many of the runs, each with that chance, by day or by trial: (days, trials)."""
    shape = (len(runs), trials)
    return rng.binomial(np.rint(np.broadcast_to(runs, shape)).astype(np.int64), chance, shape).astype(np.float64)


def spawns_of(runs: Runs, fresh: FreshFor | None, batch: BatchWith | None, edges: Minutes) -> Spawns:
    """The spawns of a component's runs; `edges` are the midnights of the horizon."""
    found = _kept(runs, fresh, edges)
    return replace(found, tasks=batch.tasks) if batch else found


def _kept(runs: Runs, fresh: FreshFor | None, edges: Minutes) -> Spawns:
    all_days = (Fraction(1),) * len(runs.expected)
    if fresh is None:
        return Spawns(runs, all_days)
    if fresh.ttl_minutes is None:
        keep = tuple(1 - Fraction(fresh.hit_rate or 0) for _ in all_days)
        return Spawns(_thinned(runs, keep), keep)
    if runs.instants is None:  # a renewal: the pause, then the wait for the next run, 1/rate on average
        keep = tuple(1 / (1 + rate * fresh.ttl_minutes / MINUTES_PER_DAY) for rate in runs.expected)
        return Spawns(_thinned(runs, keep), keep, pause_minutes=fresh.ttl_minutes)
    instants = first_after_expiry(runs.instants, fresh.ttl_minutes)
    counts = tuple(Fraction(int(count)) for count in runs_by_day(instants, edges))
    return Spawns(Runs(counts, instants=instants), all_days, walked=True)


def _thinned(runs: Runs, keep: tuple[Fraction, ...]) -> Runs:
    hours = tuple((minute, rate * keep[0]) for minute, rate in runs.hours)  # a hit rate is the same every day
    expected = tuple(count * share for count, share in zip(runs.expected, keep, strict=True))
    return replace(runs, expected=expected, hours=hours)


def first_after_expiry(instants: Minutes, ttl_minutes: int) -> Minutes:
    """The instants that run if every run keeps the result fresh for `ttl_minutes`: the first, then each first after."""
    after = np.searchsorted(instants, instants + ttl_minutes, side="left").tolist()
    kept, n = [], 0
    while n < len(after):
        kept.append(n)
        n = after[n]
    return instants[kept]


@dataclass(frozen=True)
class Warmth:
    """How often a cache is warm: `shares[d]` of day `d`'s calls. `certain` if the schedule alone decides.

    `warm` and `cold` are then the instants of each, where every instant is one call.
    """

    shares: tuple[Fraction, ...]
    certain: bool = False
    warm: Minutes | None = field(default=None, repr=False)
    cold: Minutes | None = field(default=None, repr=False)


def warmth(spawns: Spawns, cache: Cache, chance: Fraction, edges: Minutes) -> Warmth:
    """The warmth of the cache of one kind of call, which each spawn makes with that chance.

    A call finds it warm unless all calls of the last `ttl` were of other kinds or there were none:
    1 - E[(1 - chance)^floor(K / tasks)] for K runs within the ttl.
    """
    days = len(spawns.kept.expected)
    if cache.hit_rate is not None:
        return Warmth((Fraction(cache.hit_rate),) * days)
    if spawns.kept.hours:
        return Warmth(_hourly_warmth(spawns, cache.ttl_minutes, float(chance), edges))
    if spawns.kept.instants is None:
        rates = {rate: Fraction(0) for rate in spawns.kept.expected}
        for rate in rates:
            rates[rate] = _poisson_warmth(float(rate), spawns, cache.ttl_minutes, float(chance))
        return Warmth(tuple(rates[rate] for rate in spawns.kept.expected))
    return _walked_warmth(spawns, spawns.kept.instants, cache.ttl_minutes, chance, edges)


def _hourly_warmth(spawns: Spawns, ttl_minutes: int, chance: float, edges: Minutes) -> tuple[Fraction, ...]:
    """The share of each day's calls that find it warm, where every hour has a rate of its own."""
    rates = {rate: _poisson_warmth(float(24 * rate), spawns, ttl_minutes, chance) for _, rate in spawns.kept.hours}
    days = np.searchsorted(edges, [minute for minute, _ in spawns.kept.hours], side="right") - 1
    warm, runs = ([Fraction(0)] * (len(edges) - 1) for _ in range(2))
    for (_, rate), day in zip(spawns.kept.hours, days.tolist(), strict=True):
        warm[day] += rate * rates[rate]
        runs[day] += rate
    return tuple(hit / all_of_them if all_of_them else Fraction(0) for hit, all_of_them in zip(warm, runs, strict=True))


def _walked_warmth(spawns: Spawns, instants: Minutes, ttl_minutes: int, chance: Fraction, edges: Minutes) -> Warmth:
    before = np.arange(len(instants)) - np.searchsorted(instants, instants - ttl_minutes, side="right")
    keep = min(spawns.keep, default=Fraction(1))
    counts, place = np.unique(before, return_inverse=True)
    warm = [_warm_after(int(count), keep, chance, spawns.tasks) for count in counts]
    ends = np.searchsorted(instants, edges)
    days = (place[first:last] for first, last in pairwise(ends.tolist()))
    shares = tuple(_mean(warm, np.bincount(day, minlength=len(warm)).tolist()) for day in days)
    certain = keep == chance == 1 and {*warm} <= {0, 1}
    if not certain or spawns.tasks > 1:
        return Warmth(shares, certain and {*shares} <= {0, 1})
    hit = np.array([bool(share) for share in warm], dtype=bool)[place]
    return Warmth(shares, True, instants[hit], instants[~hit])


def _mean(amounts: list[Fraction], counts: list[int]) -> Fraction:
    total = sum((amount * count for amount, count in zip(amounts, counts, strict=True) if count), Fraction(0))
    return total / max(1, sum(counts))


def _warm_after(count: int, keep: Fraction, chance: Fraction, tasks: int) -> Fraction:
    """1 - E[(1 - chance)^floor(K / tasks)], K binomial: of `count` runs within the ttl each is kept with `keep`."""
    if keep == 1:
        return 1 - (1 - chance) ** (count // tasks)
    cold = Fraction(0)
    for k in range(count + 1):
        cold += math.comb(count, k) * keep**k * (1 - keep) ** (count - k) * (1 - chance) ** (k // tasks)
    return 1 - cold


def _poisson_warmth(kept_per_day: float, spawns: Spawns, ttl_minutes: int, chance: float) -> Fraction:
    """As `_warm_after` for K Poisson, rounded to 12 places: 1 - exp(-rate x ttl) for plain runs."""
    pause = spawns.pause_minutes
    per_minute = kept_per_day / MINUTES_PER_DAY
    if pause:
        per_minute = per_minute / (1 - per_minute * pause)  # the rate outside of pauses
        hit = _paused_warmth(per_minute, pause, ttl_minutes, chance, spawns.tasks)
    elif spawns.tasks == 1 or per_minute * ttl_minutes > LARGE_MEAN:
        hit = -math.expm1(-chance * per_minute * ttl_minutes / spawns.tasks)
    else:
        mean = per_minute * ttl_minutes
        k = np.arange(math.ceil(mean + 12 * math.sqrt(mean) + 30))
        weight = np.exp(k * math.log(mean) - mean - np.array([math.lgamma(n + 1) for n in k])) if mean else k == 0
        hit = 1 - float(np.sum(weight * (1 - chance) ** (k // spawns.tasks)))
    return Fraction(round(hit * PLACES), PLACES)


def _paused_warmth(per_minute: float, pause: int, ttl_minutes: int, chance: float, tasks: int) -> float:
    """K runs within the ttl, a pause after each: at least k of them if Poisson((ttl - k pauses) x rate) >= k."""
    at_least = [1.0]
    while (left := ttl_minutes - len(at_least) * pause) > 0:
        at_least.append(_poisson_tail(left * per_minute, len(at_least)))
    exactly = np.array(at_least) - np.array([*at_least[1:], 0.0])
    return 1 - float(np.sum(exactly * (1 - chance) ** (np.arange(len(exactly)) // tasks)))


def _poisson_tail(mean: float, least: int) -> float:
    """P(Poisson(mean) >= least)."""
    if not mean:
        return 0.0
    return 1 - math.fsum(math.exp(n * math.log(mean) - mean - math.lgamma(n + 1)) for n in range(least))
