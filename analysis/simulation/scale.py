"""More or fewer runs than the architecture states: all of them, or those of some components."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import numpy as np

from ...documents import did_you_mean
from ...errors import ArchitectureError, InputError
from ...usage.limits import Bound
from ..architecture.distributions import Constant, Distribution, Scaled
from .workload import Runs, Work

MAX_SCALE = 10**6
MAX_SCHEDULED = Bound("COSTSIM_MAX_SCHEDULED", 100_000_000)  # of 20 bytes each: 2 GB


@dataclass(frozen=True)
class Scale:
    """How many times as often everything runs by itself, and single components, spawned or not."""

    everything: Fraction = Fraction(1)
    by_component: Mapping[str, Fraction] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Scale:
        """`2` and `triage=2`; several multiply. Raises InputError."""
        everything, by_component = Fraction(1), dict[str, Fraction]()
        for text in texts:
            name, equals, number = text.rpartition("=")
            factor = _factor(number, text)
            if equals:
                by_component[name] = by_component.get(name, Fraction(1)) * factor
            else:
                everything *= factor
        return cls(everything, by_component)

    def all_of(self, works: Iterable[Work]) -> Iterator[Work]:
        """Works with the runs that they have by themselves scaled.

        Raises ArchitectureError where their schedules run more often than fits in memory.
        """
        scheduled = 0
        for work in works:
            if work.runs.instants is not None:
                scheduled += len(work.runs.instants) * self._times(work)
                if scheduled > MAX_SCHEDULED.value:
                    raise ArchitectureError(
                        f"schedules run over {MAX_SCHEDULED.value:,} times in these days, more than fit in memory; "
                        f"take fewer days, or runs_per_day for a schedule (raise it with {MAX_SCHEDULED.variable})"
                    )
            yield self.own(work)

    def own(self, work: Work) -> Work:
        """A work with the runs that it has by itself scaled."""
        factor = self.everything * self.spawned(work.component.name)
        return work if factor == 1 else replace(work, runs=_scaled(work.runs, factor, self._times(work)))

    def _times(self, work: Work) -> int:
        """How many runs there are at each instant of a schedule."""
        return max(1, round(self.everything * self.spawned(work.component.name)))

    def spawned(self, name: str) -> Fraction:
        """How many times as often others spawn a component, beyond how often they run."""
        return self.by_component.get(name, Fraction(1))

    def count(self, count: Distribution, name: str) -> Distribution:
        """A count of spawned runs, scaled."""
        factor = self.spawned(name)
        if factor == 1:
            return count
        return Constant(count.mean * factor) if isinstance(count, Constant) else Scaled(count, factor)

    def check_names(self, known: Sequence[str]) -> None:
        """Raises InputError where there is no such component."""
        for name in self.by_component:
            if name not in known:
                raise InputError(f"--scale {name}: there is no component {name!r}{did_you_mean(name, sorted(known))}")


def _factor(number: str, text: str) -> Fraction:
    try:
        factor = Decimal(number)
    except InvalidOperation:
        factor = Decimal("NaN")
    if not factor.is_finite() or not 0 < factor <= MAX_SCALE:
        raise InputError(f"--scale {text!r} is no factor above 0; write it like 2, or triage=2 for one component")
    return Fraction(factor)


def _scaled(runs: Runs, factor: Fraction, times: int) -> Runs:
    """Runs of a schedule are at its instants, several at once; the fraction of a run is that chance of one more."""
    instants = None if runs.instants is None else np.repeat(runs.instants, times)
    return replace(
        runs,
        expected=tuple(count * factor for count in runs.expected),
        spread=Scaled(runs.spread, factor) if runs.spread else None,
        hours=tuple((minute, rate * factor) for minute, rate in runs.hours),
        instants=instants,
    )
