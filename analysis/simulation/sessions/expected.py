"""Expected tokens of a session by price tier: exact where they are linear, else computed with a known error.

E[tokens of a session] = sum over k of P(at least k turns) x E[tokens of turn k], and the latter depends on nothing but
the inputs and outputs up to k. Where every session of k turns has the same context, or none comes near a tier start
or limit, one walk with the means gives it exactly. Elsewhere walks of stratified draws are averaged: independent
replicates, until three standard errors are below 0.085 % of a cost at usual price ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...architecture.distributions import Constant, Distribution, Floats, midpoints
from ..brackets import Bracket
from .rules import SessionRules
from .walk import Walk

PATHS = 4096
"""Sessions of one replicate."""
LADDER = 65_536
"""Equally likely amounts that stand for a distribution."""
BATCH, MOST_REPLICATES = 8, 256
MOST_STEPS = 100_000_000
"""Turns of all paths of all replicates: bounds the time to some seconds."""
STEPS, MOST_STEPS_KEPT = 16, 4096
"""So many orders of the paths are drawn together; and kept, of 8 kB each."""
STANDARD_ERRORS = 3
TARGET = 8.5e-4
REST = 1e-5
"""The part of the tokens in such late turns that they are not walked."""
DEVIATIONS = 6
"""A context so many standard deviations beyond a tier start is beyond it."""
SETTLED, CYCLES = 100, 8
"""Turns, and compactions, after which a session that goes on costs what it costs later."""
RATIOS = {"input": 1.0, "cache_read": 0.1, "cache_write_5m": 1.25, "cache_write_1h": 2.0, "output": 5.0}
NEGLIGIBLE = 1e-9

Places = NDArray[np.uint16]


@lru_cache(maxsize=512)
def expected_brackets(rules: SessionRules, starts: tuple[int, ...]) -> tuple[Bracket, ...]:
    """The tiers that a session's requests lie in: expected requests, and tokens of each."""
    if not _may_reach(rules, starts):
        return (_bracket(rules, 0, _linear_sums(rules)),)
    return _exact(rules, starts) if rules.fixed_context else _numeric(rules, starts)


def mean_tokens(rules: SessionRules) -> dict[str, Fraction]:
    """Expected tokens of a session, by class."""
    brackets = expected_brackets(rules, ())
    return {name: sum((b.probability * b.mean[name] for b in brackets), Fraction(0)) for name in rules.classes}


def _linear_sums(rules: SessionRules, turns: int | None = None) -> list[Fraction]:
    """Expected tokens by class, and requests, of the first `turns` turns: tiers, limits and changes of model aside.

    Turn k sends p + k i + (k - 1) o on average, and reads the p + (k - 1) i + (k - 2) o of the turn before.
    """
    chances = rules.survival[:turns]
    requests = sum(chances, Fraction(0))
    later = sum((n * chance for n, chance in enumerate(chances)), Fraction(0))  # of turn k: k - 1
    prompt, new, answer = rules.prompt.mean, rules.input.mean, rules.output.mean
    sent = prompt * requests + new * (requests + later) + answer * later
    answers = (answer + rules.thinking.mean) * requests
    if not rules.cached:
        return [sent, answers, requests]
    read = rules.warm * (prompt * (requests - 1) + new * later + answer * (later - (requests - 1)))
    read += rules.begun * prompt
    return [read, sent - read, answers, requests]


def _mean_walk(rules: SessionRules, starts: tuple[int, ...]) -> Walk:
    """One walk in fractions, every turn weighted by its chance to happen."""
    prompt, new, answer, thought = (
        np.array([part.mean], dtype=object) for part in (rules.prompt, rules.input, rules.output, rules.thinking)
    )
    walk = Walk(rules, starts, prompt)
    for chance in rules.survival:
        walk.turn(new, answer, thought, np.array([rules.warm], dtype=object), chance)
    return walk


def _may_reach(rules: SessionRules, starts: tuple[int, ...]) -> bool:
    """Whether some session in 10^9 gets where its tokens are no longer linear."""
    bounds = [*starts[:1], *([rules.compaction.limit] if rules.compaction else ())]
    bounds += [rules.switch_over] if rules.switch_over is not None else []
    if not bounds:
        return False
    per_turn = _upper(rules.input) + _upper(rules.output)
    return _upper(rules.prompt) + per_turn * len(rules.survival) >= float(min(bounds))


def _upper(part: Distribution) -> float:
    return min(part.upper, float(part.quantile(np.array([1 - NEGLIGIBLE]))[0]))


def _exact(rules: SessionRules, starts: tuple[int, ...]) -> tuple[Bracket, ...]:
    sums = _mean_walk(rules, starts).sums[0]
    begin = (0, *starts)
    return tuple(_bracket(rules, begin[n], [Fraction(x) for x in line]) for n, line in enumerate(sums) if line[-1])


def _bracket(rules: SessionRules, start: int, sums: list[Fraction], replicates: Floats | None = None) -> Bracket:
    *tokens, requests = sums
    mean = {name: amount / requests for name, amount in zip(rules.classes, tokens, strict=True)}
    return Bracket(start, requests, mean, replicates=replicates)


def _numeric(rules: SessionRules, starts: tuple[int, ...]) -> tuple[Bracket, ...]:
    weights = _weights(rules, starts)
    total = _linear_sums(rules) if rules.linear else None
    rest = [t - w for t, w in zip(total, _linear_sums(rules, len(weights)), strict=True)] if total else None
    found: list[Floats] = []
    most = max(BATCH, min(MOST_REPLICATES, MOST_STEPS // PATHS // len(weights) // BATCH * BATCH))
    while len(found) < most:
        found += [_replicate(rules, starts, weights, len(found) + n, total, rest) for n in range(BATCH)]
        if _typical_error(rules, np.array(found)) <= TARGET:
            break
    return _averaged(rules, starts, np.array(found), total)


def _weights(rules: SessionRules, starts: tuple[int, ...]) -> list[float]:
    """What each walked turn counts: its chance, and where sessions compact, its part of all the later ones too.

    Without compaction the walk ends where every context is beyond the last tier start, or where all later turns
    together hold a negligible part of the tokens; what comes after lies in the last tier.
    """
    chances = [float(chance) for chance in rules.survival]
    per_turn = float(rules.input.mean + rules.output.mean)
    if rules.compaction:
        cycle = (float(rules.compaction.limit) - float(rules.prompt.mean + rules.compaction.kept)) / max(per_turn, 1e-9)
        walked = min(len(chances), SETTLED + math.ceil(CYCLES * cycle))
        late = walked - walked // 2
        each = sum(chances[walked:]) / late
        return [*chances[: walked // 2], *(chance + each for chance in chances[walked // 2 : walked])]
    turns = np.arange(1, len(chances) + 1)
    context = float(rules.prompt.mean) + per_turn * turns
    spread = np.sqrt(rules.prompt.variance + (rules.input.variance + rules.output.variance) * turns)
    beyond = np.flatnonzero(context - DEVIATIONS * spread > max([*starts, rules.switch_over or 0]))
    tokens = np.cumsum(np.array(chances) * context)
    enough = int(np.searchsorted(tokens, tokens[-1] * (1 - REST))) + 1
    return chances[: min(enough, int(beyond[0]) + 1 if len(beyond) else len(chances))]


def _replicate(
    rules: SessionRules,
    starts: tuple[int, ...],
    weights: list[float],
    seed: int,
    total: list[Fraction] | None,
    rest: list[Fraction] | None,
) -> Floats:
    """One estimate of tokens by tier and class, and of requests: (tiers, classes + 1).

    Where the totals over all tiers are known exactly, the estimate is scaled to them.
    """
    steps = _steps(seed)
    walk = Walk(rules, starts, _strata(rules.prompt, steps))
    thought, warm = np.full(PATHS, float(rules.thinking.mean)), np.full(PATHS, float(rules.warm))
    for weight in weights:
        walk.turn(_strata(rules.input, steps), _strata(rules.output, steps), thought, warm, weight)
    sums: Floats = walk.sums.mean(axis=0)
    if total is None or rest is None:
        return sums
    sums[np.flatnonzero(sums[:, -1])[-1]] += np.array([float(x) for x in rest])
    drawn = sums.sum(axis=0)
    sums *= np.divide([float(x) for x in total], drawn, out=np.ones_like(drawn), where=drawn > 0)
    return sums


def _strata(part: Distribution, steps: Iterator[Places]) -> Floats:
    """One amount from each of PATHS equal steps of probability, in random order."""
    if isinstance(part, Constant):
        return np.full(PATHS, float(part.mean))
    amounts: Floats = _ladder(part)[next(steps)]
    return amounts


def _steps(seed: int) -> Iterator[Places]:
    """Places on the ladder, one in each of PATHS equal steps in random order: the same of a seed for all sessions."""
    for part in count():
        yield from _some_steps(seed, part)[0]


@lru_cache(maxsize=MOST_STEPS_KEPT // STEPS)
def _some_steps(seed: int, part: int) -> tuple[list[Places], dict[str, Any]]:
    """The part-th STEPS of them, and how the random numbers go on."""
    rng = np.random.default_rng(seed)
    if part:
        rng.bit_generator.state = _some_steps(seed, part - 1)[1]
    wide = LADDER // PATHS
    drawn = [rng.permutation(PATHS) * wide + rng.integers(0, wide, PATHS) for _ in range(STEPS)]
    return [places.astype(np.uint16) for places in drawn], dict(rng.bit_generator.state)


@lru_cache(maxsize=64)
def _ladder(part: Distribution) -> Floats:
    return midpoints(part, LADDER)


def _typical_error(rules: SessionRules, found: Floats) -> float:
    """Three standard errors, relative, of a cost whose upper tiers cost twice the lowest."""
    ratios = np.array([*(RATIOS[name] for name in rules.classes), 0.0])
    usd = found @ ratios @ np.array([1.0, *(2.0,) * (found.shape[1] - 1)])
    return relative_error(usd)


def relative_error(estimates: Floats) -> float:
    """Three standard errors of the mean of independent estimates, relative to it."""
    mean = float(estimates.mean())
    return STANDARD_ERRORS * float(estimates.std(ddof=1)) / np.sqrt(len(estimates)) / mean if mean else 0.0


def _averaged(
    rules: SessionRules, starts: tuple[int, ...], found: Floats, total: list[Fraction] | None
) -> tuple[Bracket, ...]:
    """The mean of the replicates; known totals are kept to the last digit."""
    used = np.flatnonzero(found[:, :, -1].sum(axis=0))
    sums = [[Fraction(float(x)) for x in line] for line in found.mean(axis=0)[used]]
    if total is not None:
        for column, amount in enumerate(total):
            sums[0][column] = amount - sum((line[column] for line in sums[1:]), Fraction(0))
    begin = (0, *starts)
    return tuple(
        _bracket(rules, begin[tier], line, found[:, tier]) for tier, line in zip(used.tolist(), sums, strict=True)
    )
