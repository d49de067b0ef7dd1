"""Exact expected cost: run counts x bracket probabilities x mean tokens x prices, all in fractions.

E[cost on day d] = E[runs on d] x sum over brackets b and classes c of P(b) x E[tokens of c | b] x price(c, b, d)

Each run is priced at its own moment: a day on which a price changes is split by the cron's instants, or, for
runs without instants, by time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...pricing.lines import Rates, price_lines, price_starts
from ..exact import total
from .brackets import Bracket
from .profiles import Profile
from .sessions.expected import relative_error
from .workload import Horizon, Runs, Work

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ...pricing.rows import ModelKey, PriceRow

Minutes = NDArray[np.int64]


@dataclass(frozen=True)
class Costing:
    """One component on one model: everything that the expected cost and the simulation need.

    `rates[d]` are day `d`'s effective prices, times the mean of the component's uncertainty: a row per bracket, a
    column per class of the profile, and the request. `shadow[d]` are the same at shadow prices.
    `missing` names the token classes that have tokens and no price: then the cost is unknown.
    """

    work: Work
    model: str
    profile: Profile
    brackets: tuple[Bracket, ...]
    rates: tuple[Rates, ...] = field(repr=False)
    shadow: tuple[Rates, ...] = field(repr=False)
    used: tuple[PriceRow, ...] = field(repr=False)
    missing: tuple[str, ...] = ()

    @property
    def priced(self) -> bool:
        """Whether every token class that the runs use has a price."""
        return not self.missing

    @property
    def lacking(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The model and its token classes without a price, if there are any."""
        return ((self.model, self.missing),) if self.missing else ()

    @cached_property
    def expected_usd(self) -> tuple[Fraction, ...]:
        """Expected cost of each day of the horizon, exact."""
        return self._expected(self.rates)

    @cached_property
    def horizon_usd(self) -> Fraction:
        """Expected cost of all days together, exact."""
        return total(count * self._usd_per_run(day) for day, count in self._runs_by_rates())

    @cached_property
    def horizon_usd_by_class(self) -> dict[str, Fraction]:
        """Expected cost of all days together by token class and `request`, exact; only classes that cost something."""
        found: dict[str, Fraction] = {}
        for rates, count in self._runs_by_rates():
            for bracket, row in zip(self.brackets, rates, strict=True):
                amounts, requests = {**bracket.mean, "request": Fraction(1)}, count * bracket.probability
                for (name, amount), usd in zip(amounts.items(), row, strict=True):
                    if amount and usd:
                        paid = requests * amount * usd
                        found[name] = found[name] + paid if name in found else paid
        return found

    def _runs_by_rates(self) -> list[tuple[Rates, Fraction]]:
        """The horizon's runs, those of days with the same prices together."""
        if all(day is self.rates[0] for day in self.rates):
            return [(self.rates[0], self.work.runs.total)]
        runs: dict[int, tuple[Rates, Fraction]] = {}  # by identity, as in `_expected`
        for count, day in zip(self.work.runs.expected, self.rates, strict=True):
            runs[id(day)] = (day, runs[id(day)][1] + count if id(day) in runs else count)
        return list(runs.values())

    @cached_property
    def expected_shadow_usd(self) -> tuple[Fraction, ...]:
        """Expected cost of each day at a subscription's shadow prices, exact; zeros without a subscription."""
        if not any(usd for day in {id(day): day for day in self.shadow}.values() for line in day for usd in line):
            return (Fraction(0),) * len(self.shadow)
        return self._expected(self.shadow)

    @cached_property
    def expected_error_usd(self) -> float:
        """Three standard errors of `horizon_usd`; 0 where the tokens are exact, as they are but for long sessions."""
        known = [bracket for bracket in self.brackets if bracket.replicates is not None]
        if not known or not self.horizon_usd:
            return 0.0
        day = next((n for n, usd in enumerate(self.expected_usd) if usd), 0)
        rates = dict(zip((bracket.min_input_tokens for bracket in self.brackets), self.rates[day], strict=True))
        parts = [
            bracket.replicates @ np.array([float(usd) for usd in rates[bracket.min_input_tokens]])
            for bracket in known
            if bracket.replicates is not None
        ]
        return relative_error(np.sum(parts, axis=0)) * float(self.horizon_usd)

    def _expected(self, rates: tuple[Rates, ...]) -> tuple[Fraction, ...]:
        per_run: dict[int, Fraction] = {}  # by identity: days without a price change share their rates, alike days runs
        found: dict[tuple[int, int], Fraction] = {}
        for count, day in zip(self.work.runs.expected, rates, strict=True):
            if id(day) not in per_run:
                per_run[id(day)] = self._usd_per_run(day)
            if (id(count), id(day)) not in found:
                found[id(count), id(day)] = count * per_run[id(day)]
        return tuple(found[id(count), id(day)] for count, day in zip(self.work.runs.expected, rates, strict=True))

    def _usd_per_run(self, rates: Rates) -> Fraction:
        return total(
            bracket.probability * total(amount * usd for amount, usd in zip(tokens, row, strict=True) if usd)
            for bracket, row in zip(self.brackets, rates, strict=True)
            for tokens in [(*bracket.mean.values(), Fraction(1))]
        )


def tier_starts(book: PriceBook, models: list[str], processing: str) -> tuple[int, ...]:
    """Every token count at which one of the models' prices changes, ascending: the brackets all plans share."""
    keys = [key for model in models if (key := book.resolve(model))]
    return tuple(sorted({start for key in keys for start in book.thresholds(key, processing)}))


def cost_brackets(
    work: Work, profile: Profile, brackets: tuple[Bracket, ...], model: str, book: PriceBook, horizon: Horizon
) -> Costing:
    """`work` on `model`, its runs already cut into brackets by price tier."""
    key = book.resolve(model)
    if key is None:
        nothing = tuple((Fraction(0),) * (len(bracket.mean) + 1) for bracket in brackets)
        days = (nothing,) * horizon.days
        return Costing(work, model, profile, brackets, days, days, (), missing=("every class",))
    return _Pricing(work, profile, brackets, key, model, book, horizon).costing()


@dataclass
class _Pricing:
    """The lookup of all prices for one component on one model, over the horizon's price segments."""

    work: Work
    profile: Profile
    brackets: tuple[Bracket, ...]
    key: ModelKey
    model: str
    book: PriceBook
    horizon: Horizon
    used: dict[int, PriceRow] = field(default_factory=dict)
    missing: dict[str, None] = field(default_factory=dict)

    def costing(self) -> Costing:
        edges = self.horizon.edges
        first, end = self.horizon.first, self.horizon.end
        starts = price_starts(self.book, self.key, self.work.component.processing, first, end)
        shares = _shares(self.work.runs, starts, edges)
        segments = {n: self._segment(starts[n]) for n in sorted({n for day in shares for n in day})}
        return Costing(
            self.work,
            self.model,
            self.profile,
            self.brackets,
            _effective({n: rates for n, (rates, _) in segments.items()}, shares),
            _effective({n: shadow for n, (_, shadow) in segments.items()}, shares),
            tuple(self.used.values()),
            tuple(self.missing),
        )

    def _segment(self, at: datetime) -> tuple[Rates, Rates]:
        classes = (*self.brackets[0].mean, "request") if self.brackets else ()
        tiers = tuple(bracket.min_input_tokens for bracket in self.brackets)
        lines = price_lines(self.book, self.key, classes, tiers, at, self.work.component.processing)
        for bracket, rows in zip(self.brackets, lines.rows, strict=True):
            for name, row in zip(classes, rows, strict=True):
                if row is not None:
                    self.used[id(row)] = row
                elif name != "request" and bracket.mean[name]:  # a call without a price per request pays nothing for it
                    self.missing[name] = None
        factor = self.work.unknown.mean
        rates, shadow = lines.usd, lines.shadow_usd
        return (rates, shadow) if factor == 1 else (_times(rates, factor), _times(shadow, factor))


def _times(rates: Rates, factor: Fraction) -> Rates:
    return tuple(tuple(usd * factor for usd in line) for line in rates)


def _minute_from(at: datetime) -> int:
    """The first minute, since 1970, that begins at that instant or after it."""
    return -(-int(at.timestamp()) // 60)


def _shares(runs: Runs, moments: list[datetime], edges: Minutes) -> list[dict[int, Fraction]]:
    """For each day, the share of its runs in each price segment: by instants or hours where known, else by minutes.

    Segments in which nothing runs are not named, so that nobody asks for their prices.
    """
    days = len(edges) - 1
    if len(moments) == 1:
        return [{0: Fraction(1)}] * days
    starts = np.array([_minute_from(at) for at in moments], dtype=np.int64)
    if runs.hours:
        return _hourly_shares(runs, starts, edges)
    cuts = np.unique(np.concatenate([edges, starts]))
    ticks, weights = (cuts[:-1], np.diff(cuts)) if runs.instants is None else (runs.instants, None)
    day_of = np.searchsorted(edges, ticks, side="right") - 1
    segment_of = np.searchsorted(starts, ticks, side="right") - 1
    weight = np.bincount(day_of * len(starts) + segment_of, weights, days * len(starts)).astype(np.int64)
    counted = weight.reshape(days, len(starts)) * (np.array(runs.expected) > 0)[:, None]
    busy = [{n: int(day[n]) for n in np.flatnonzero(day).tolist()} for day in counted]
    idle = {next((n for day in busy for n in day), 0): Fraction(1)}
    return [{n: Fraction(c, sum(day.values())) for n, c in day.items()} or idle for day in busy]


def _hourly_shares(runs: Runs, starts: Minutes, edges: Minutes) -> list[dict[int, Fraction]]:
    """As `_shares`, for rates by the hour; an hour in which a price changes is split by its minutes."""
    busy: list[dict[int, Fraction]] = [{} for _ in range(len(edges) - 1)]
    for first, rate in runs.hours:
        day = int(np.searchsorted(edges, first, side="right")) - 1
        inside = starts[np.searchsorted(starts, first + 1) : np.searchsorted(starts, first + 60)]
        cuts = [first, *inside.tolist(), first + 60]
        for begin, end in pairwise(cuts):
            segment = int(np.searchsorted(starts, begin, side="right")) - 1
            share = rate * (end - begin) / 60
            if share:
                busy[day][segment] = busy[day].get(segment, Fraction(0)) + share
    idle = {next((n for day in busy for n in day), 0): Fraction(1)}
    return [{n: part / sum(day.values()) for n, part in day.items()} or idle for day in busy]


def _effective(segments: dict[int, Rates], shares: list[dict[int, Fraction]]) -> tuple[Rates, ...]:
    """The mean price of each day's runs; days within one segment share the segment's own object."""
    if len(segments) == 1:
        return tuple(segments.values()) * len(shares)
    return tuple(
        segments[next(iter(day))] if len(day) == 1 else _blend([(segments[n], share) for n, share in day.items()])
        for day in shares
    )


def _blend(parts: list[tuple[Rates, Fraction]]) -> Rates:
    first = parts[0][0]
    return tuple(
        tuple(sum((rates[b][c] * share for rates, share in parts), Fraction(0)) for c in range(len(first[b])))
        for b in range(len(first))
    )
