"""The Monte Carlo: token sums per day and trial, drawn once and priced by every plan (common random numbers).

A day's tokens are the sum over its runs. Where the runs are many for how much they vary, the sum is drawn from
the gamma distribution with its exact mean and variance: within 2% of drawn runs at P10 and P90. Elsewhere, and
for whole rows of a log, it is put together from pools of sums of 1, 2, 4, 8, … runs. Draws of a component depend
on the seed and its name only, so that two architectures share the draws of what they share.

Arrays are (days, trials); a component that nothing varies stays (days, 1).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from ..architecture.distributions import Constant, Distribution, Floats, midpoints
from .brackets import Bracket
from .costing import Costing
from .gamma import gamma_sum
from .pools import pooled_sums, row_sums, split_runs
from .profiles import Independent, Joint, Profile
from .sessions.few import mean_factors
from .sessions.measured import LoggedSessions, Sessions
from .streams import POOL, Streams, comparison, pool_entries
from .workload import Runs, SpawnedRuns, Work

GAMMA_VARIANCE = 0.02
"""The largest squared coefficient of variation of a day's sum that a gamma distribution is drawn for."""
CACHED = 16_384
"""Amounts that are priced at once."""
MOST_KEPT, KEPT_BYTES = 16, 2**26
_KEPT: OrderedDict[tuple[int, ...], tuple[Work, Floats]] = OrderedDict()
"""The runs last drawn of components that spawn others: so many, or so many bytes of them."""


@dataclass(frozen=True)
class TokenSums:
    """One component's drawn tokens: per bracket, the runs and the sum of each class, each (days, trials or 1).

    `factors` are the trial's unknown factors, by class, (trials,) or the number 1.
    """

    runs: list[Floats] = field(repr=False)
    tokens: list[list[Floats]] = field(repr=False)
    factors: list[Floats | float] = field(repr=False)

    def plus(self, more: TokenSums) -> TokenSums:
        """With the tokens of more runs, under the same factors."""
        both = zip(self.tokens, more.tokens, strict=True)
        tokens = [[a + b for a, b in zip(mine, its, strict=True)] for mine, its in both]
        return TokenSums([a + b for a, b in zip(self.runs, more.runs, strict=True)], tokens, self.factors)

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
    streams = Streams.of(seed, work.component.name)
    factors = _factors(work, profile, streams, trials)
    runs = _draw_runs(work.runs, streams, days, trials)
    runs = spawn(runs) if spawn else runs
    if work.runs.law == "forecast":
        return _mean_sums(brackets, runs, factors)
    paired = comparison()
    if paired and paired.common and not spawn and not _drawn_once(profile):
        common, more = _common_runs(work.runs, paired.common, streams, runs)
        shared = _tokens(profile, brackets, common, streams, trials, factors)
        return shared.plus(_tokens(profile, brackets, more, streams.more(), trials, factors))
    return _tokens(profile, brackets, runs, streams, trials, factors)


def _common_runs(own: Runs, common: tuple[Fraction, ...], streams: Streams, runs: Floats) -> tuple[Floats, Floats]:
    """The runs that both versions have, and those that only this one has; a Poisson number is the sum of two such."""
    expected = np.array([float(count) for count in common])[:, None]
    if own.law != "poisson":
        return expected, runs - expected
    rest = np.array([float(count) for count in own.expected])[:, None] - expected
    more = streams.more()("runs").poisson(rest, runs.shape).astype(np.float64)
    return streams("runs").poisson(expected, runs.shape).astype(np.float64), more


def _drawn_once(profile: Profile) -> bool:
    """Whether something of a trial's tokens is the same in all of its runs."""
    return isinstance(profile, LoggedSessions) or (not isinstance(profile, Sessions) and bool(profile.drawn_by_trial))


def _tokens(
    profile: Profile,
    brackets: tuple[Bracket, ...],
    runs: Floats,
    streams: Streams,
    trials: int,
    factors: list[Floats | float],
) -> TokenSums:
    """The tokens of so many runs, (days, trials or 1)."""
    paired = comparison()
    if paired and paired.whole and isinstance(profile, Independent | Joint) and not profile.drawn_by_trial:
        pool = _run_pool(profile, brackets)
        return _by_bracket(_request_sums(pool, brackets, runs, streams("tokens"), trials), brackets, factors)
    if isinstance(profile, Independent) and len(brackets) == 1 and not profile.drawn_by_trial:
        return TokenSums([runs], [_independent_sums(profile.parts, runs, streams, trials)], factors)
    rng = streams("tokens")
    if isinstance(profile, Sessions):
        return _by_bracket(_session_sums(profile, brackets, runs, rng, trials), brackets, factors)
    if profile.drawn_by_trial:
        return _trial_sums(profile, brackets, runs, rng, streams, trials, factors)
    counts = split_runs(runs, [float(bracket.probability) for bracket in brackets], rng, trials)
    sums = [row_sums(bracket, count, rng, trials) for bracket, count in zip(brackets, counts, strict=True)]
    return TokenSums(counts, sums, factors)


def _mean_sums(brackets: tuple[Bracket, ...], runs: Floats, factors: list[Floats | float]) -> TokenSums:
    """Runs of mean tokens: the forecast of days has the chance of single runs in it already."""
    counts = [runs * float(bracket.probability) for bracket in brackets]
    tokens = [
        [count * float(mean) for mean in bracket.mean.values()] for count, bracket in zip(counts, brackets, strict=True)
    ]
    return TokenSums(counts, tokens, factors)


def _factors(work: Work, profile: Profile, streams: Streams, trials: int) -> list[Floats | float]:
    unknown = work.unknown
    common: Floats | float = 1.0
    if unknown.cost:
        common = unknown.cost.draw(streams("factor"), (trials,)) / float(unknown.mean)
    known = frozenset() if isinstance(profile, Sessions) else profile.drawn_by_trial
    own = {
        name: part.draw(streams(f"factor of {name}"), (trials,))
        for name, part in unknown.tokens.items()
        if name not in known
    }
    return [common * own.get(name, 1.0) for name in profile.classes] + [common]


def _draw_runs(runs: Runs, streams: Streams, days: int, trials: int) -> Floats:
    """The number of runs: (days, 1) where it is certain, else (days, trials)."""
    if runs.law == "spawned":
        return _spawned_runs(runs, streams, days, trials)
    rng = streams("runs")
    mean = np.array([float(count) for count in runs.expected])[:, None]
    match runs.law:
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


def _spawned_runs(runs: Runs, streams: Streams, days: int, trials: int) -> Floats:
    """Its own runs, and those that its parents' runs spawn: of the same draws that the parents are costed by."""
    total: Floats = np.zeros((days, 1))
    if runs.own and any(runs.own.expected):
        total = _draw_runs(runs.own, streams, days, trials)
    for source in runs.parents:
        parents = _parents_runs(source.parent, days, trials, streams.seed)
        parents = source.keep(parents, trials, streams.seed) if source.keep else parents
        children = streams(f"spawned by {source.parent.component.name}")
        total = total + _children(parents, source, children, trials)
    return total * np.array(runs.active, dtype=np.float64)[:, None]


def _parents_runs(work: Work, days: int, trials: int, seed: int) -> Floats:
    """A parent's drawn runs, the same as it is costed by; kept for its other children.

    Those of its own parents are drawn first, so that a chain of any length is no chain of calls.
    """

    how = days, trials, seed, pool_entries(), int(comparison() is not None)
    todo = [(work, False)]
    while todo:
        one, parents_drawn = todo.pop()
        if (id(one), *how) in _KEPT:
            continue
        if not parents_drawn:
            todo += [(one, True), *((source.parent, False) for source in one.runs.parents)]
            continue
        streams = Streams.of(seed, one.component.name)
        _factors(one, one.profile, streams, trials)
        runs = _draw_runs(one.runs, streams, days, trials)
        _KEPT[id(one), *how] = (one, runs)  # the work too, so that no other has its id
        while len(_KEPT) > max(MOST_KEPT, KEPT_BYTES // runs.nbytes):
            _KEPT.popitem(last=False)
    return _KEPT[id(work), *how][1]


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
    entries = pool_entries()
    amounts = midpoints(count, entries)
    pool = np.floor(amounts + (rng.permutation(entries) + 0.5) / entries)[None]
    return np.rint(pooled_sums(pool, [float(count.mean)], parents, rng, trials)[0])


def _whole(rate: Floats, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Whole runs with that mean: the fraction of a run is the chance of one more."""
    whole: Floats = np.floor(rate + rng.random(shape))
    return whole


def _trial_sums(
    profile: Independent | Joint,
    brackets: tuple[Bracket, ...],
    runs: Floats,
    rng: np.random.Generator,
    streams: Streams,
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
    own = dict(zip(free, _independent_sums(free, runs, streams, trials), strict=True))
    counts, tokens = [], []
    for number, bracket in enumerate(brackets):
        here = chosen == number
        among = bracket.rows
        assert among is not None  # noqa: S101 (brackets of a tier that is straddled have rows)
        rows = among[rng.integers(0, len(among), trials)]
        counts.append(runs * here)
        sums = [(own[name] if name in own else runs * rows[:, n]) * here for n, name in enumerate(profile.classes)]
        tokens.append(sums)
    return TokenSums(counts, tokens, factors)


def _independent_sums(parts: Mapping[str, Distribution], runs: Floats, streams: Streams, trials: int) -> list[Floats]:
    sums, paired = [], comparison()
    fewest = float(runs.min(initial=np.inf, where=runs > 0))
    for name, part in parts.items():
        mean = float(part.mean)
        if isinstance(part, Constant) or not part.variance:
            sums.append(runs * mean)
        elif not streams.extra and name not in paired.pooled if paired else is_gamma(part, fewest):
            smooth = paired is not None or pool_entries() < POOL
            sums.append(gamma_sum(runs, mean, part.variance, streams(name), trials, smooth=smooth))
        else:
            sums += pooled_sums(midpoints(part, pool_entries())[None], [mean], runs, streams(name), trials)
    return sums


def is_gamma(part: Distribution, runs: float) -> bool:
    """Whether the sum of so many runs is as good as gamma distributed."""
    return part.variance <= GAMMA_VARIANCE * float(part.mean) ** 2 * runs


def _session_sums(
    profile: Sessions, brackets: tuple[Bracket, ...], runs: Floats, rng: np.random.Generator, trials: int
) -> list[Floats]:
    """Sums of whole sessions: their requests and tokens in each bracket together, with the exact means."""
    drawn = profile.sample(brackets, pool_entries()).sums
    sessions = drawn.reshape(len(drawn), -1)
    sums = _request_sums(np.ascontiguousarray(sessions.T), brackets, runs, rng, trials)
    if not isinstance(profile, LoggedSessions):
        return sums
    return [total * factor for total, factor in zip(sums, mean_factors(sessions, rng, trials), strict=True)]


def _run_pool(profile: Independent | Joint, brackets: tuple[Bracket, ...]) -> Floats:
    """Whole runs, each in its bracket: the same draws however many brackets there are."""
    joint = profile if isinstance(profile, Joint) else Joint.from_grid(profile)
    tier = np.searchsorted([bracket.min_input_tokens for bracket in brackets[1:]], joint.total_input, side="right")
    rows = np.vstack([joint.rows.T, np.ones(len(joint.rows))])
    return np.concatenate([rows * (tier == number) for number in range(len(brackets))])


def _request_sums(
    pool: Floats, brackets: tuple[Bracket, ...], runs: Floats, rng: np.random.Generator, trials: int
) -> list[Floats]:
    """Sums of a pool whose lines are, for each bracket, its tokens by class and its requests; with the exact means."""
    means = [float(b.probability * x) for b in brackets for x in (*b.mean.values(), Fraction(1))]
    average = pool.mean(axis=1, keepdims=True)
    pool = pool * np.divide(np.array(means)[:, None], average, out=np.ones_like(average), where=average > 0)
    if (pool == pool[:, :1]).all():
        return [runs * mean for mean in means]
    return pooled_sums(pool, means, runs, rng, trials)


def _by_bracket(sums: list[Floats], brackets: tuple[Bracket, ...], factors: list[Floats | float]) -> TokenSums:
    wide = len(sums) // len(brackets)
    lines = [sums[n : n + wide] for n in range(0, len(sums), wide)]
    return TokenSums([line[-1] for line in lines], [line[:-1] for line in lines], factors)


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
