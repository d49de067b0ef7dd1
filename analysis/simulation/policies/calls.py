"""A component under policies: a list of weighted calls, each costed by the machinery that costs any component.

Every spawn makes one call: to the large-context model if its input is over the threshold, else to the first
model, and then with the chance of an escalation another one. A call sends a linear function of the run's tokens
(a cached prefix, an answer carried over), has its own price tier and is paid `attempts` times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ...architecture.policies import Cache, LargeContext, Policies, Policy
from ...exact import daily_total, total
from ..costing import Costing, Minutes, cost_brackets
from ..profiles import Profile
from ..sessions.measured import Sessions
from ..workload import Horizon, Runs, Work
from .batching import batched
from .cuts import Cut, Tokens, cut, sends
from .spawns import Spawns, Warmth, spawns_of, warmth

if TYPE_CHECKING:
    from ....pricing.book import PriceBook
    from ....pricing.rows import PriceRow

Kind = Literal["first", "large_context", "escalated"]


class ComponentChoice(NamedTuple):
    """What a plan decides for a component: its model, the policies that apply, and the models that they name.

    `targets` are (where, model), where as in `Policies.model_keys`.
    """

    model: str
    policies: frozenset[Policy]
    targets: tuple[tuple[str, str], ...] = ()

    def target(self, where: str) -> str:
        """The model named there, or the component's own."""
        return dict(self.targets).get(where, self.model)

    @property
    def models(self) -> list[str]:
        """Every model that runs may be sent to."""
        used = [self.model]
        if "escalate" in self.policies:
            used = [self.target("escalate.start"), self.target("escalate.to")]
        return [*used, *([self.target("large_context.use")] if "large_context" in self.policies else [])]


@dataclass(frozen=True)
class Way:
    """One way in which a call may go (cache warm, or cold): `shares[d]` of day `d`'s calls, and what it sends."""

    costing: Costing
    shares: tuple[Fraction, ...]
    tokens: Tokens


@dataclass(frozen=True)
class Call:
    """A call that a spawn makes with `probability`, if its bracket is one of `cuts` (indices); paid per attempt."""

    kind: Kind
    model: str
    probability: Fraction
    cuts: tuple[int, ...]
    ways: tuple[Way, ...]
    certain: bool = True
    cached: bool = False

    @property
    def expected_usd(self) -> Fraction:
        """Expected cost over the horizon."""
        return sum((way.costing.horizon_usd for way in self.ways), Fraction(0))

    @property
    def expected_calls(self) -> Fraction:
        """Expected number over the horizon, every attempt counted."""
        costings = [way.costing for way in self.ways]
        return sum((_chance(costing) * costing.work.runs.total for costing in costings), Fraction(0))


def _chance(costing: Costing) -> Fraction:
    """Expected requests of a run, in all price tiers."""
    return sum((bracket.probability for bracket in costing.brackets), Fraction(0))


@dataclass(frozen=True)
class Costed:
    """A component as a plan has it, with policies or without: its exact cost, and the calls that the money goes to.

    `work` has the spawns for runs; `plain` is the component on its own model without policies, from whose work runs
    are drawn. `own_draws` says that its tokens cannot be the draws of that.
    """

    work: Work
    plain: Costing
    choice: ComponentChoice
    spawns: Spawns
    profile: Profile
    cuts: tuple[Cut, ...]
    calls: tuple[Call, ...]
    own_draws: bool
    days: int

    @property
    def base(self) -> Work:
        """The work without policies."""
        return self.plain.work

    @property
    def has_policies(self) -> bool:
        """Whether any policy applies."""
        return bool(self.choice.policies)

    @property
    def model(self) -> str:
        """The component's own model under the plan."""
        return self.choice.model

    @property
    def lacking(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Models, and their token classes without a price."""
        found = {(way.costing.model, way.costing.missing) for way in self._ways if way.costing.missing}
        return tuple(sorted(found))

    @cached_property
    def priced(self) -> bool:
        """Whether every call has a price."""
        return not self.lacking

    @property
    def used(self) -> tuple[PriceRow, ...]:
        """The price rows of all calls."""
        return tuple(dict.fromkeys(row for way in self._ways for row in way.costing.used))

    @cached_property
    def expected_usd(self) -> tuple[Fraction, ...]:
        """Expected cost of each day of the horizon, exact."""
        return self._summed([way.costing.expected_usd for way in self._ways])

    @cached_property
    def horizon_usd(self) -> Fraction:
        """Expected cost of all days together, exact."""
        return total(way.costing.horizon_usd for way in self._ways)

    @cached_property
    def horizon_usd_by_class(self) -> dict[str, Fraction]:
        """Expected cost of all days together by token class, exact."""
        found: dict[str, Fraction] = {}
        for way in self._ways:
            for name, usd in way.costing.horizon_usd_by_class.items():
                found[name] = found[name] + usd if name in found else usd
        return found

    @cached_property
    def expected_shadow_usd(self) -> tuple[Fraction, ...]:
        """The same at a subscription's shadow prices."""
        return self._summed([way.costing.expected_shadow_usd for way in self._ways])

    @cached_property
    def expected_error(self) -> float:
        """Three standard errors of `horizon_usd`, relative to it; 0 where it is exact."""
        usd = float(self.horizon_usd)
        return sum(way.costing.expected_error_usd for way in self._ways) / usd if usd else 0.0

    @cached_property
    def _ways(self) -> tuple[Way, ...]:
        return tuple(way for call in self.calls for way in call.ways)

    def _summed(self, costs: list[tuple[Fraction, ...]]) -> tuple[Fraction, ...]:
        if len(costs) == 1:
            return costs[0]
        return daily_total(costs, self.days)


def without_policies(plain: Costing, choice: ComponentChoice, edges: Minutes) -> Costed:
    """A component that no policy touches: every run makes one call, which sends the run's tokens as they are."""
    spawns, days = spawns_of(plain.work.runs, None, None, edges), len(plain.rates)
    cuts = tuple(Cut(bracket, bracket.min_input_tokens) for bracket in plain.brackets)
    way = Way(plain, (Fraction(1),) * days, _sent(plain.profile.classes, None))
    call = Call("first", plain.model, Fraction(1), tuple(range(len(cuts))), (way,))
    return Costed(plain.work, plain, choice, spawns, plain.profile, cuts, (call,), own_draws=False, days=days)


def with_policies(
    work: Work, choice: ComponentChoice, starts: tuple[int, ...], plain: Costing, book: PriceBook, horizon: Horizon
) -> Costed:
    """`work` under the chosen policies; `starts` are all tier starts and thresholds, `plain` the work without."""
    return _Builder(work, choice, starts, plain, book, horizon).build()


@dataclass
class _Builder:
    work: Work
    choice: ComponentChoice
    starts: tuple[int, ...]
    plain: Costing
    book: PriceBook
    horizon: Horizon
    policies: Policies = field(init=False)
    spawns: Spawns = field(init=False)
    profile: Profile = field(init=False)
    cuts: tuple[Cut, ...] = field(init=False)

    def build(self) -> Costed:
        active = self.choice.policies
        stated = {name: getattr(self.work.component, name) for name in active}
        self.policies = policies = Policies.model_construct(**stated)
        self.spawns = spawns_of(self.work.runs, policies.fresh_for, policies.batch_with, self.horizon.edges)
        profile = batched(self.work, policies.batch_with) if policies.batch_with else self.work.profile
        if isinstance(profile, Sessions) and policies.large_context:
            profile = self._switching(profile, policies.large_context)
        self.profile, self.cuts = cut(profile, self.starts, policies.escalate)
        brackets = [cut.bracket for cut in self.cuts]
        same = [(b.min_input_tokens, b.probability) for b in brackets] == [
            (b.min_input_tokens, b.probability) for b in self.plain.brackets
        ]
        return Costed(
            work=replace(self.work, runs=self.spawns.runs),
            plain=self.plain,
            choice=self.choice,
            spawns=self.spawns,
            profile=self.profile,
            cuts=self.cuts,
            calls=tuple(self._calls()),
            own_draws=bool({"fresh_for", "batch_with"} & active) or not same,
            days=self.horizon.days,
        )

    def _switching(self, profile: Sessions, large: LargeContext) -> Sessions:
        """Where another model takes large contexts, a session writes its context anew when it goes there."""
        first = self.choice.target("escalate.start") if self.policies.escalate else self.choice.model
        moves = self.choice.target("large_context.use") != first
        return profile.switching(large.over) if moves else profile

    def _calls(self) -> Iterator[Call]:
        escalate = self.policies.escalate
        small, large = _sides(self.cuts, self.policies.large_context)
        if large:
            yield self._call("large_context", self.choice.target("large_context.use"), Fraction(1), large)
        if small:
            first = self.choice.target("escalate.start") if escalate else self.choice.model
            yield self._call("first", first, Fraction(1), small)
        if small and escalate and escalate.chance:
            yield self._call("escalated", self.choice.target("escalate.to"), escalate.chance, small)

    def _call(self, kind: Kind, model: str, probability: Fraction, indices: tuple[int, ...]) -> Call:
        carry = Fraction(self.policies.escalate.carry) if kind == "escalated" and self.policies.escalate else None
        sent = _sent(self.profile.classes, carry)
        if carry is not None and isinstance(self.profile, Sessions):
            sent = _written_anew(sent, self.profile.classes)
        own = [self.cuts[n] for n in indices]
        if self.policies.cache is None:
            every_day = (Fraction(1),) * self.horizon.days
            way = self._way(model, probability, own, every_day, sent, carry is not None, None)
            return Call(kind, model, probability, indices, (way,))
        chance = probability * sum((cut.bracket.probability for cut in own), Fraction(0))
        warm = warmth(self.spawns, self.policies.cache, chance, self.horizon.edges)
        ways = self._cached_ways(model, probability, own, sent, carry is not None, warm, self.policies.cache)
        return Call(kind, model, probability, indices, ways, warm.certain, cached=True)

    def _cached_ways(
        self, model: str, probability: Fraction, cuts: list[Cut], sent: Tokens, escalated: bool, warm: Warmth, of: Cache
    ) -> tuple[Way, ...]:
        cold = tuple(1 - share for share in warm.shares)
        read = _prefixed(sent, "cache_read", Fraction(of.share))
        written = _prefixed(sent, f"cache_write_{of.ttl}", Fraction(of.share))
        return (
            self._way(model, probability, cuts, warm.shares, read, escalated, warm.warm),
            self._way(model, probability, cuts, cold, written, escalated, warm.cold),
        )

    def _way(
        self,
        model: str,
        probability: Fraction,
        cuts: list[Cut],
        shares: tuple[Fraction, ...],
        tokens: Tokens,
        escalated: bool,
        instants: np.ndarray | None,
    ) -> Way:
        paid = probability * (self.policies.retry.attempts if self.policies.retry else 1)
        expected = tuple(n * s * paid for n, s in zip(self.spawns.runs.expected, shares, strict=True))
        runs: Runs = replace(self.spawns.runs, expected=expected)
        runs = runs if instants is None else replace(runs, instants=instants)
        brackets = tuple(sends(cut, tokens, escalated) for cut in cuts)
        work = replace(self.work, runs=runs)
        return Way(cost_brackets(work, self.profile, brackets, model, self.book, self.horizon), shares, tokens)


def _sides(cuts: tuple[Cut, ...], large: LargeContext | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indices of the cuts at or below the threshold, and above it."""
    over = [large is not None and cut.bracket.min_input_tokens > large.over for cut in cuts]
    return tuple(n for n, is_over in enumerate(over) if not is_over), tuple(n for n, yes in enumerate(over) if yes)


def _sent(classes: tuple[str, ...], carry: Fraction | None) -> Tokens:
    """The run's tokens as they are; with `carry` that share of its output is input as well."""
    sent: Tokens = {name: {name: Fraction(1)} for name in classes}
    if carry and "output" in classes:
        sent.setdefault("input", {})["output"] = carry
    return sent


def _written_anew(sent: Tokens, classes: tuple[str, ...]) -> Tokens:
    """What a session's turn sends to a second model: it has no cache there, and writes all of its context."""
    if "cache_read" not in classes:
        return sent
    written = next(name for name in classes if name.startswith("cache_write"))
    moved = {name: dict(parts) for name, parts in sent.items() if name != "cache_read"}
    moved[written] = {written: Fraction(1), "cache_read": Fraction(1)}
    return moved


def _prefixed(sent: Tokens, cached_class: str, share: Fraction) -> Tokens:
    """`share` of the run's own input moved to a cache class."""
    if not share or "input" not in sent.get("input", {}):
        return sent
    moved = {name: dict(parts) for name, parts in sent.items()}
    moved["input"]["input"] = 1 - share
    into = moved.setdefault(cached_class, {})
    into["input"] = into.get("input", Fraction(0)) + share
    return moved
