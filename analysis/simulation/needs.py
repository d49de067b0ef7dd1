"""What calls under subscriptions need of them: list value and requests, exact in expectation, and drawn."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ...pricing.lines import Rates
from ..architecture.distributions import Floats
from .costing import Costing
from .fleets import POOL, Family, spread
from .monte_carlo import draw
from .overage import Covered, Needed
from .policies.calls import Call, Costed
from .policies.draws import draw_usd
from .streams import pool_size

MOST_KEPT = 2**28
"""Bytes of drawn needs that are kept: 256 MB."""
CoveredBy = Callable[[str], Covered]
"""The subscriptions that cover a model, as plans name it."""


@dataclass(frozen=True)
class Amount:
    """One amount by day: expected exactly, (days,), and drawn, (days, trials), or (days, 1) where nothing varies."""

    expected: tuple[Fraction, ...]
    drawn: Floats = field(repr=False)

    def __add__(self, other: Amount) -> Amount:
        expected = tuple(a + b for a, b in zip(self.expected, other.expected, strict=True))
        return Amount(expected, self.drawn + other.drawn)

    @property
    def varies(self) -> bool:
        """Whether anything is drawn."""
        return bool(self.drawn.shape[1] > 1)

    @property
    def exact(self) -> np.ndarray:
        """What is expected, (days, 1), as Fractions."""
        return np.array(self.expected, dtype=object)[:, None]

    @property
    def centred(self) -> Floats:
        """The draws, scaled by day so that their mean is what is expected."""
        means = self.drawn.mean(axis=1)
        expected = np.array([float(amount) for amount in self.expected])
        scaled: Floats = self.drawn * np.divide(expected, means, out=np.ones_like(means), where=means > 0)[:, None]
        return scaled


@dataclass(frozen=True)
class Need:
    """Of calls to models under the same subscriptions: USD at list prices, and how many requests they are."""

    usd: Amount
    requests: Amount

    def __add__(self, other: Need) -> Need:
        return Need(self.usd + other.usd, self.requests + other.requests)

    @property
    def varies(self) -> bool:
        """Whether anything is drawn."""
        return self.usd.varies or self.requests.varies

    @property
    def exact(self) -> Needed:
        """What is expected."""
        return Needed(self.usd.exact, self.requests.exact)

    @property
    def drawn(self) -> Needed:
        """The draws."""
        return Needed(self.usd.drawn, self.requests.drawn)

    @property
    def centred(self) -> Needed:
        """The draws around exactly what is expected."""
        return Needed(self.usd.centred, self.requests.centred)


Needs = dict[Covered, Need]


def added(needs: Iterable[Needs]) -> Needs:
    """All of them together."""
    found: Needs = {}
    for own in needs:
        for covered, need in own.items():
            found[covered] = found[covered] + need if covered in found else need
    return found


@dataclass
class DrawnNeeds:
    """The needs of components as plans have them, from the draws that they are costed by; those last used are kept."""

    kept: OrderedDict[tuple[Any, ...], tuple[Costed, Needs]] = field(default_factory=OrderedDict, repr=False)

    def of(
        self, costed: Costed, covered_by: CoveredBy, book: str, trials: int, seed: int, family: Family | None
    ) -> Needs:
        """One component's; nothing where it calls no model under a subscription, or has no price."""
        groups = {covered_by(call.model) for call in costed.calls} - {frozenset()}
        if not groups or not costed.priced:
            return {}
        key = (id(costed.base), costed.choice, book, trials, seed)
        if key not in self.kept or self.kept[key][0].base is not costed.base:
            self.kept[key] = costed, _drawn(costed, groups, covered_by, trials, seed, family)
            while len(self.kept) > 1 and sum(map(_size, self.kept.values())) > MOST_KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end(key)
        return self.kept[key][1]


def _drawn(
    costed: Costed, groups: set[Covered], covered_by: CoveredBy, trials: int, seed: int, family: Family | None
) -> Needs:
    """`family` says how a large fleet's draws are put together, None where all trials are drawn."""
    draws, plain = family.draws if family else trials, costed.plain
    with nullcontext() if family is None else pool_size(POOL):
        tokens = draw(plain.work, plain.profile, plain.brackets, costed.days, draws, seed)

        def amount(covered: Covered, rates: Callable[[Costing], tuple[Rates, ...]]) -> Amount:
            own = _repriced(costed, lambda call: covered_by(call.model) == covered, rates)
            drawn = draw_usd(own, tokens, np.empty((costed.days, draws)), seed)
            return Amount(own.expected_usd, drawn if family is None else spread(drawn, trials, family.name, seed))

        return {group: Need(amount(group, _at_list), amount(group, _per_request)) for group in groups}


def _size(entry: tuple[Costed, Needs]) -> int:
    return sum(need.usd.drawn.nbytes + need.requests.drawn.nbytes for need in entry[1].values())


def _repriced(costed: Costed, counts: Callable[[Call], bool], rates: Callable[[Costing], tuple[Rates, ...]]) -> Costed:
    """The same calls at other prices, the others at none: so that all are drawn alike."""

    def of(costing: Costing, counted: bool) -> Costing:
        return replace(costing, rates=rates(costing) if counted else _nothing(costing))

    calls = tuple(
        replace(call, ways=tuple(replace(way, costing=of(way.costing, counts(call))) for way in call.ways))
        for call in costed.calls
    )
    return replace(costed, plain=of(costed.plain, counts(costed.calls[0])), calls=calls)


def _at_list(costing: Costing) -> tuple[Rates, ...]:
    return costing.shadow


def _per_request(costing: Costing) -> tuple[Rates, ...]:
    """One per request, as a price per request counts them: on days on which a subscription covers the calls."""
    nothing = _nothing(costing)
    once: Rates = tuple((*row[:-1], costing.work.unknown.mean) for row in nothing[0]) if nothing else ()
    return (once,) * len(nothing)


def _nothing(costing: Costing) -> tuple[Rates, ...]:
    rates: Rates = tuple((Fraction(0),) * (len(bracket.mean) + 1) for bracket in costing.brackets)
    return (rates,) * len(costing.rates)
