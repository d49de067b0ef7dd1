"""Where random numbers come from: one stream a component, or in comparisons one for each of its parts.

A run draws a component's unknown factors, runs and tokens from one stream, one after another. Two versions of a
component that draw one part differently would then draw every later part from other numbers, though that is the same in
both. So a comparison (`paired`) gives each part a stream of its own: what both versions have alike is drawn alike, and
adds nothing to their difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

T = TypeVar("T")
POOL = 65_536
_POOL: ContextVar[int] = ContextVar("pool", default=POOL)
"""Entries of the pools of sums."""


def generator(seed: int, name: str) -> np.random.Generator:
    """The random numbers of one component: the same whatever other components there are."""
    digest = hashlib.sha256(name.encode()).digest()
    return np.random.Generator(np.random.SFC64([seed, int.from_bytes(digest[:8], "little")]))


@dataclass(frozen=True)
class Paired:
    """How a comparison draws tokens, so that both sides draw them alike.

    `pooled` are the classes of which the sum of a day's runs is put together from pools, those of others are smooth.
    `whole`: runs are drawn whole, with the price tier that each lies in. `common` are the runs of each day that both
    sides have for certain, or expect of a Poisson number: they are drawn alike, and what one side has beyond them by
    itself; empty where not known.
    """

    pooled: frozenset[str]
    whole: bool
    common: tuple[Fraction, ...] = ()


_PAIRED: ContextVar[Paired | None] = ContextVar("paired", default=None)


@dataclass(frozen=True)
class Streams:
    """A component's random numbers by part; each part is asked for once. `one` is None where each has its own.

    `extra`: of the runs that only one of two versions has, which may be few.
    """

    seed: int
    name: str
    one: np.random.Generator | None
    extra: bool = False

    @classmethod
    def of(cls, seed: int, name: str) -> Streams:
        """Of a component, as this run or comparison draws it."""
        return cls(seed, name, generator(seed, name) if _PAIRED.get() is None else None)

    def more(self) -> Streams:
        """Of the runs that only one of two versions has."""
        return Streams(self.seed, f"{self.name}\nmore", self.one, extra=True)

    def __call__(self, part: str) -> np.random.Generator:
        return self.one or generator(self.seed, f"{self.name}\n{part}")


def pool_size(entries: int) -> AbstractContextManager[None]:
    """Pools of so many entries while it lasts: fewer are quicker to fill, and coarser."""
    return _while_it_lasts(_POOL, entries)


def pool_entries() -> int:
    """Entries of the pools of sums."""
    return _POOL.get()


def paired(how: Paired) -> AbstractContextManager[None]:
    """Draw as a comparison does while it lasts."""
    return _while_it_lasts(_PAIRED, how)


def comparison() -> Paired | None:
    """How tokens are drawn in a comparison; None outside of one."""
    return _PAIRED.get()


@contextmanager
def _while_it_lasts(variable: ContextVar[T], value: T) -> Iterator[None]:
    before = variable.set(value)
    try:
        yield
    finally:
        variable.reset(before)
