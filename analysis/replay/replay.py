"""Replay: the calls that were logged, priced as if another routing had sent them, against what was spent.

Runs on the rollup, never on calls. Each sum keeps its day, tokens, processing level and context tier, and takes
the other model's prices of that same moment. Another model counts and answers in other tokens (replay_tokens), so
where both models have served the same task in the store, its prompt and output are scaled by what was measured.

A sum that has no price, as it ran or as replayed, is in neither figure: it is counted apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

from ...money import to_usd
from ..quantiles import ENDS
from ..results import Result, Usd
from ..spend.ledger import Ledger, rollup_needs
from ..spend.sources import stated_by_bills
from .tables import GROUPS, MOVED, PLACES, fill_tables
from .token_ratios import Draws, Pair, TokenRatio, measure_multipliers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from .reroute import Reroute

MAX_DIGITS = 100
SUMMED = "SELECT DISTINCT source FROM usage_event WHERE aggregated AND covered_by IS NULL ORDER BY source"


class ReplayRow(Result):
    """One component, or one day, or all: what was spent, and what the replayed routing would have cost.

    `difference_usd` is replayed less spent: negative where the other routing saves. `low_usd` and `high_usd` are
    P10 and P90 of the replayed cost over what the measured token multipliers leave open (equal to it where none
    was measured). `unpriced_calls` are in neither figure.
    """

    name: str
    calls: int
    spent_usd: Usd
    replayed_usd: Usd
    low_usd: Usd
    high_usd: Usd
    difference_usd: Usd
    unpriced_calls: int


NOTHING = ReplayRow(
    name="total", calls=0, unpriced_calls=0,
    **dict.fromkeys(("spent_usd", "replayed_usd", "low_usd", "high_usd", "difference_usd"), Decimal(0)),
)  # fmt: skip


class Move(Result):
    """The calls of one model under another (or the same, where nothing moves), and the multipliers used."""

    model: str
    to: str
    calls: int
    spent_usd: Usd
    replayed_usd: Usd
    multiplier: TokenRatio


class UnpricedCalls(Result):
    """Calls that are in neither figure, because `model` has no price for a class of token that they have."""

    model: str
    says: str
    calls: int
    tokens: int


class Replay(Result):
    """What `costsim replay` computes. `since` and `until` are the first and last day with calls."""

    plan: str
    says: str
    since: date | None
    until: date | None
    total: ReplayRow
    components: list[ReplayRow]
    days: list[ReplayRow]
    moves: list[Move]
    unpriced: list[UnpricedCalls]
    notes: list[str]
    price_book_hash: str


@dataclass(frozen=True)
class _Sum:
    """One line of GROUPS; money is None where the group has no price for it."""

    component: str | None
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

    @property
    def priced(self) -> bool:
        return self.spent_priced and self.replay_priced


def replay(
    connection: DuckDBPyConnection,
    book: PriceBook,
    reroute: Reroute,
    *,
    since: date | None = None,
    until: date | None = None,
    as_logged: bool = False,
) -> Replay:
    """Price the calls of an open store as `reroute` would have sent them, from `since` to `until`, both included.

    `as_logged` keeps all token counts as they are. Exact where nothing is multiplied: every cost is tokens times a
    price, in DECIMAL. The rollup's sums are kept apart where the reroute's models and thresholds need it; that stays
    so, so that only the first replay to new tiers reads every call. Raises as `Ledger.open`.
    """
    ledger = Ledger.open(connection, book)
    places = connection.execute(PLACES).fetchall()
    large = [own.model for place in places if (own := reroute.large(*place))]
    models = {model for place in places if (model := reroute.choose(*place))} | {*large}
    ledger = Ledger.open(connection, book, tier_starts=reroute.tier_starts, models=sorted(models))
    return replay_sums(ledger, reroute, since=since, until=until, as_logged=as_logged)


def replay_sums(
    ledger: Ledger,
    reroute: Reroute,
    *,
    since: date | None = None,
    until: date | None = None,
    as_logged: bool = False,
) -> Replay:
    """As `replay`, but on the ledger's sums as they are; a note says which tiers or thresholds they do not tell."""
    connection, book = ledger.connection, ledger.book
    fill_tables(ledger, reroute, since or date(1, 1, 1), until or date(9999, 12, 31))
    lines = connection.execute(GROUPS).fetchall()
    sums = [_Sum(*line[:8], *(amount or Decimal(0) for amount in line[8:])) for line in lines]
    pairs = {(s.model, s.to) for s in sums if s.priced}
    stated = stated_by_bills(ledger, since, until)
    costs = _Costs(*measure_multipliers(connection, pairs, as_logged=as_logged))
    by_component = [s for s in sums if s.component is not None]
    days = sorted({s.day for s in sums if s.day is not None})
    with localcontext(prec=MAX_DIGITS):  # the usual 28 digits would round sums of DECIMAL(38, 24)
        return Replay(
            plan=reroute.name,
            says=reroute.says,
            since=days[0] if days else None,
            until=days[-1] if days else None,
            total=next(iter(costs.rows(("total", s) for s in by_component)), NOTHING),
            components=costs.rows((s.component, s) for s in by_component),
            days=costs.rows((str(s.day), s) for s in sums if s.day is not None),
            moves=costs.moves(by_component),
            unpriced=_unpriced(by_component),
            notes=[
                *reroute.notes,
                *_notes(connection, book),
                *_unparted(connection, reroute),
                *([f"not in these figures: {stated}"] if stated else ()),
            ],
            price_book_hash=book.hash,
        )


@dataclass(frozen=True)
class _Costs:
    """Replayed costs of sums: exact at the multipliers, and drawn over what they leave open."""

    multipliers: Mapping[Pair, TokenRatio]
    draws: Mapping[Pair, Draws]

    def replayed(self, s: _Sum) -> Decimal:
        of = self.multipliers[s.model, s.to]
        return s.prompt_usd * of.prompt + s.output_usd * of.output + s.other_usd

    def ends(self, groups: list[list[_Sum]]) -> list[tuple[float, float]]:
        """P10 and P90 of each group's replayed cost, less its expected cost; both 0 where nothing was measured."""
        import numpy as np

        if not self.draws:
            return [(0.0, 0.0)] * len(groups)
        numbers = {pair: number for number, pair in enumerate(self.draws)}
        usd_of = np.zeros((len(groups), 2 * len(numbers)))  # prompt and output of each measured pair
        for row, group in enumerate(groups):
            for s in group:
                if s.priced and (s.model, s.to) in numbers:
                    column = 2 * numbers[s.model, s.to]
                    usd_of[row, column : column + 2] += float(s.prompt_usd), float(s.output_usd)
        of = [(self.multipliers[pair], drawn) for pair, drawn in self.draws.items()]
        off = [part for m, d in of for part in (d.prompt - float(m.prompt), d.output - float(m.output))]
        low, high = np.quantile(usd_of @ np.array(off), ENDS, axis=1)
        return [(min(float(a), 0.0), max(float(b), 0.0)) for a, b in zip(low, high, strict=True)]

    def rows(self, named: Iterable[tuple[str | None, _Sum]]) -> list[ReplayRow]:
        """A row per name, in the order of the names."""
        groups: dict[str, list[_Sum]] = {}
        for name, s in named:
            groups.setdefault(name or "", []).append(s)
        ordered = sorted(groups.items())
        ends = self.ends([group for _, group in ordered])
        return [self._row(*named_group, *of) for named_group, of in zip(ordered, ends, strict=True)]

    def _row(self, name: str, group: list[_Sum], below: float, above: float) -> ReplayRow:
        priced = [s for s in group if s.priced]
        spent = sum((s.spent_usd for s in priced), Decimal(0))
        replayed = sum((self.replayed(s) for s in priced), Decimal(0))
        return ReplayRow(
            name=name,
            calls=sum(s.calls for s in group),
            spent_usd=to_usd(spent),
            replayed_usd=to_usd(replayed),
            low_usd=to_usd(replayed + Decimal(below)),
            high_usd=to_usd(replayed + Decimal(above)),
            difference_usd=to_usd(replayed - spent),
            unpriced_calls=sum(s.calls for s in group if not s.priced),
        )

    def moves(self, sums: Iterable[_Sum]) -> list[Move]:
        groups: dict[Pair, list[_Sum]] = {}
        for s in sums:
            if s.priced:
                groups.setdefault((s.model, s.to), []).append(s)
        return [self._move(pair, group) for pair, group in sorted(groups.items())]

    def _move(self, pair: Pair, group: list[_Sum]) -> Move:
        return Move(
            model=pair[0],
            to=pair[1],
            calls=sum(s.calls for s in group),
            spent_usd=to_usd(sum((s.spent_usd for s in group), Decimal(0))),
            replayed_usd=to_usd(sum((self.replayed(s) for s in group), Decimal(0))),
            multiplier=self.multipliers[pair],
        )


def _unpriced(sums: Iterable[_Sum]) -> list[UnpricedCalls]:
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for s in sums:
        if not s.priced:
            key = (s.model, "as it ran") if not s.spent_priced else (s.to, "as replayed")
            calls, tokens = counts.get(key, (0, 0))
            counts[key] = calls + s.calls, tokens + s.tokens
    return [
        UnpricedCalls(model=model, says=says, calls=calls, tokens=tokens)
        for (model, says), (calls, tokens) in sorted(counts.items())
    ]


def _notes(connection: DuckDBPyConnection, book: PriceBook) -> list[str]:
    """What the rollup cannot tell apart at the replayed models' prices."""
    state = connection.execute("SELECT parameters FROM rollup_state").fetchone()
    starts, by_half_hour = json.loads(state[0]) if state else ([], [])
    moved = connection.execute(MOVED).fetchall()
    notes = ["each call keeps the context tier and processing level that it was logged with"] if moved else []
    for name, logged in moved:
        needed, within_days = rollup_needs(book, [(None, name)])
        unknown = [start for start in needed if start not in starts]
        if unknown:
            notes.append(
                f"{name} has a price tier from {unknown[0]:,} input tokens on, which the sums do not tell apart"
            )
        if within_days and not set(logged) <= set(by_half_hour):
            notes.append(f"{name} changes its price within a day: calls logged by the day take that of 00:00 UTC")
    return notes


def _unparted(connection: DuckDBPyConnection, reroute: Reroute) -> list[str]:
    """Where the size of single calls, by which large contexts are known, is not known."""
    state = connection.execute("SELECT parameters FROM rollup_state").fetchone()
    unknown = [start for start in reroute.tier_starts if start not in (json.loads(state[0])[0] if state else ())]
    if unknown:
        return [f"calls over {unknown[0] - 1:,} input tokens are not distinguished: the sums were not parted there"]
    sources = [name for (name,) in connection.execute(SUMMED).fetchall()] if reroute.tier_starts else []
    return [f"{name} is already summed by its source: no large context is known of it" for name in sources]
