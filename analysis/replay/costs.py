"""Costs of a replay's sums: exact at the token multipliers, drawn over what these leave open, with cache effects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import ceil

from ...money import to_usd
from ..quantiles import ENDS
from .cache_effects import Again, CacheEffects, Elsewhere
from .results import Move, PaysFrom, ReplayRow
from .token_ratios import Draws, Pair, TokenRatio


@dataclass(frozen=True)
class ReplayedSum:
    """One line of GROUPS; money is 0 where the group has no price for it.

    Of one component, task or day; the two others are None. `cold_usd` is what its cached prefixes would cost more, had
    every one been written again.
    """

    component: str | None
    task: str | None
    day: date | None
    model: str
    to: str
    spent_priced: bool
    replay_priced: bool
    calls: int
    tokens: int
    spent_usd: Decimal
    prompt_usd: Decimal
    output_usd: Decimal
    other_usd: Decimal
    cold_usd: Decimal

    @property
    def priced(self) -> bool:
        return self.spent_priced and self.replay_priced


@dataclass
class _Group:
    """What one row of the result is made of."""

    sums: list[ReplayedSum] = field(default_factory=list)
    again: list[Again] = field(default_factory=list)
    elsewhere: list[Elsewhere] = field(default_factory=list)

    @property
    def priced(self) -> list[ReplayedSum]:
        return [s for s in self.sums if s.priced]


@dataclass(frozen=True)
class ReplayCosts:
    """Replayed costs of sums and of the cache effects that come with them."""

    sums: Sequence[ReplayedSum]
    effects: CacheEffects
    multipliers: Mapping[Pair, TokenRatio]
    draws: Mapping[Pair, Draws]

    def total(self) -> ReplayRow | None:
        """All components in one row; None without any call."""
        groups = self._groups("component")
        all_of = _Group()
        for group in groups.values():
            all_of.sums += group.sums
            all_of.again += group.again
            all_of.elsewhere += group.elsewhere
        return self._rows({"total": all_of})[0] if groups else None

    def rows(self, of: str) -> list[ReplayRow]:
        """A row per component, task or day (`of`), in the order of their names."""
        return self._rows(dict(sorted(self._groups(of).items())))

    def moves(self) -> list[Move]:
        """A row per model and the model that its calls went to."""
        groups: dict[Pair, _Group] = {}
        for group in self._groups("component").values():
            for s in group.priced:
                groups.setdefault((s.model, s.to), _Group()).sums.append(s)
            for a in group.again:
                groups.setdefault((a.model, a.to), _Group()).again.append(a)
        return [self._move(pair, group) for pair, group in sorted(groups.items())]

    def _groups(self, of: str) -> dict[str, _Group]:
        groups: dict[str, _Group] = {}
        for part, parts in (("sums", self.sums), ("again", self.effects.again), ("elsewhere", self.effects.elsewhere)):
            for one in parts:
                if (name := getattr(one, of)) is not None:
                    getattr(groups.setdefault(str(name), _Group()), part).append(one)
        return groups

    def _rows(self, groups: Mapping[str, _Group]) -> list[ReplayRow]:
        ends = self._ends(list(groups.values()))
        return [self._row(*named, *of) for named, of in zip(groups.items(), ends, strict=True)]

    def _row(self, name: str, group: _Group, below: float, above: float) -> ReplayRow:
        spent = sum((s.spent_usd for s in group.priced), Decimal(0))
        as_logged = sum((self._plain(s) for s in group.priced), Decimal(0))
        switching = self._switching(group.again)
        replayed, whole = as_logged + switching, self._whole(group.elsewhere)
        return ReplayRow(
            name=name,
            calls=sum(s.calls for s in group.sums),
            spent_usd=to_usd(spent),
            replayed_usd=to_usd(replayed),
            low_usd=to_usd(replayed + Decimal(below)),
            high_usd=to_usd(replayed + Decimal(above)),
            difference_usd=to_usd(replayed - spent),
            unpriced_calls=sum(s.calls for s in group.sums if not s.priced),
            switch_usd=to_usd(switching),
            whole_sessions_usd=None if whole is None else to_usd(as_logged + whole),
            pays_from_turns=self._pays_from(group),
        )

    def _move(self, pair: Pair, group: _Group) -> Move:
        switching = self._switching(group.again)
        return Move(
            model=pair[0],
            to=pair[1],
            calls=sum(s.calls for s in group.sums),
            spent_usd=to_usd(sum((s.spent_usd for s in group.sums), Decimal(0))),
            replayed_usd=to_usd(sum((self._plain(s) for s in group.sums), switching)),
            multiplier=self.multipliers[pair],
            switches=sum(a.switches for a in group.again),
            again_tokens=sum(a.tokens for a in group.again),
            switch_usd=to_usd(switching),
            pays_from_turns=self._pays_from(group),
        )

    def _plain(self, s: ReplayedSum) -> Decimal:
        """A sum as replayed, its caches as logged."""
        of = self.multipliers[s.model, s.to]
        return s.prompt_usd * of.prompt + s.output_usd * of.output + s.other_usd

    def _switching(self, again: Iterable[Again]) -> Decimal:
        return sum((a.usd * self.multipliers[a.model, a.to].prompt for a in again), Decimal(0))

    def _whole(self, elsewhere: Iterable[Elsewhere]) -> Decimal | None:
        """What moving sessions whole costs more than moving call by call, without the switches of that."""
        total = Decimal(0)
        for e in elsewhere:
            if e.whole_prompt_usd is None or e.whole_output_usd is None or e.whole_other_usd is None:
                return None
            of, at = self.multipliers[e.model, e.to], self.multipliers[e.model, e.whole]
            total -= e.prompt_usd * of.prompt + e.output_usd * of.output + e.other_usd
            total += e.whole_prompt_usd * at.prompt + e.whole_output_usd * at.output + e.whole_other_usd
        return total

    def _pays_from(self, group: _Group) -> PaysFrom:
        """The turns until what moved calls save has paid for a prefix written again."""
        moved = [s for s in group.priced if s.model != s.to]
        calls = sum(s.calls for s in moved)
        if not calls:
            return None
        saved = sum((s.spent_usd - self._plain(s) for s in moved), Decimal(0))
        if saved <= 0:
            return "never"
        switched = [a for a in group.again if a.model != a.to]
        prefix = self._switching(switched) / switches if (switches := sum(a.switches for a in switched)) else None
        if prefix is None:
            prefix = sum((s.cold_usd * self.multipliers[s.model, s.to].prompt for s in moved), Decimal(0)) / calls
        return max(1, ceil(prefix / (saved / calls)))

    def _ends(self, groups: list[_Group]) -> list[tuple[float, float]]:
        """P10 and P90 of each group's replayed cost, less its expected cost; both 0 where nothing was measured."""
        import numpy as np

        if not self.draws:
            return [(0.0, 0.0)] * len(groups)
        numbers = {pair: number for number, pair in enumerate(self.draws)}
        usd_of = np.zeros((len(groups), 2 * len(numbers)))  # prompt and output of each measured pair
        for row, group in enumerate(groups):
            for pair, prompt, output in _parts(group):
                if pair in numbers:
                    column = 2 * numbers[pair]
                    usd_of[row, column : column + 2] += float(prompt), float(output)
        of = [(self.multipliers[pair], drawn) for pair, drawn in self.draws.items()]
        off = [part for m, d in of for part in (d.prompt - float(m.prompt), d.output - float(m.output))]
        low, high = np.quantile(usd_of @ np.array(off), ENDS, axis=1)
        return [(min(float(a), 0.0), max(float(b), 0.0)) for a, b in zip(low, high, strict=True)]


def _parts(group: _Group) -> Iterable[tuple[Pair, Decimal, Decimal]]:
    """What each multiplier of a pair is of: its prompts and outputs, in USD."""
    for s in group.priced:
        yield (s.model, s.to), s.prompt_usd, s.output_usd
    for a in group.again:
        yield (a.model, a.to), a.usd, Decimal(0)
