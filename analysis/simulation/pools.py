"""Sums of many runs put together from pools of sums of 1, 2, 4, 8, … runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..architecture.distributions import Floats
from .brackets import Bracket
from .streams import pool_entries


def pooled_sums(  # (classes, pool) in, one (days, trials) per class out
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
    entries, wanted = pool.shape[1], pool_entries()
    if entries < 2 * wanted:  # every entry as often as any other, in pairs at random
        first = np.arange(entries * -(-wanted // entries)) % entries
        second = rng.permutation(first)
    else:
        first, second = rng.integers(0, entries, (2, wanted))
    sums = pool[:, first] + pool[:, second]
    drawn = sums.mean(axis=1, keepdims=True)
    sums *= np.divide(mean, drawn, out=np.ones_like(mean), where=drawn > 0)
    return sums


def split_runs(runs: Floats, shares: list[float], rng: np.random.Generator, trials: int) -> list[Floats]:
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


def row_sums(bracket: Bracket, runs: Floats, rng: np.random.Generator, trials: int) -> list[Floats]:
    """Sums of whole rows, their classes together."""
    rows = bracket.rows
    assert rows is not None  # noqa: S101 (several brackets have their rows)
    means = [float(mean) for mean in bracket.mean.values()]
    if (rows == rows[0]).all():
        return [runs * mean for mean in means]
    return pooled_sums(np.ascontiguousarray(rows.T, dtype=np.float64), means, runs, rng, trials)
