"""Replay: the calls that were logged, priced as if another routing had sent them, against what was spent.

Prices the rollup. Each sum keeps its day, tokens, processing level and context tier, and takes the other model's
prices of that same moment. Another model counts and answers in other tokens (token_ratios.py), so where both models
have served the same task in the store, its prompt and output are scaled by what was measured. Where calls of a session
go to several models, prefixes are written again: sessions.py walks the calls for these, cache_effects.py prices them.

A sum that has no price, as it ran or as replayed, is in no figure: it is counted apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Literal

from ..spend.ledger import Ledger, rollup_needs
from ..spend.sources import stated_by_bills
from .cache_effects import CacheEffects, Lacking, cache_effects
from .costs import ReplayCosts, ReplayedSum
from .results import NOTHING, Replay, UnpricedCalls
from .tables import GROUPS, MOVED, PLACES, fill_tables
from .token_ratios import measure_multipliers

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from .reroute import Reroute

MAX_DIGITS = 100
SUMMED = "SELECT DISTINCT source FROM usage_event WHERE aggregated AND covered_by IS NULL ORDER BY source"


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
    """As `replay`, but on the ledger's sums as they are; a note says which tiers or thresholds they cannot show."""
    connection, book = ledger.connection, ledger.book
    first, last = since or date(1, 1, 1), until or date(9999, 12, 30)
    fill_tables(ledger, reroute, first, last)
    lines = connection.execute(GROUPS).fetchall()
    sums = [ReplayedSum(*line[:9], *(amount or Decimal(0) for amount in line[9:])) for line in lines]
    effects = cache_effects(ledger, first, last)
    pairs = {(s.model, s.to) for s in sums if s.priced} | effects.pairs
    stated = stated_by_bills(ledger, since, until)
    by_component = [s for s in sums if s.component is not None]
    days = sorted({s.day for s in sums if s.day is not None})
    with localcontext(prec=MAX_DIGITS):  # the usual 28 digits would round sums of DECIMAL(38, 24)
        costs = ReplayCosts(sums, effects, *measure_multipliers(connection, pairs, as_logged=as_logged))
        return Replay(
            plan=reroute.name,
            message=reroute.message,
            since=days[0] if days else None,
            until=days[-1] if days else None,
            total=costs.total() or NOTHING,
            components=costs.rows("component"),
            tasks=costs.rows("task"),
            days=costs.rows("day"),
            moves=costs.moves(),
            unpriced=_unpriced(by_component),
            notes=[
                *reroute.notes,
                *_notes(connection, book),
                *_unparted(connection, reroute),
                *_without_session(effects),
                *([f"not in these figures: {stated}: costsim spend counts that"] if stated else ()),
            ],
            cache_effects=_counted(effects),
            calls_without_session=sum(source.calls for source in effects.lacking),
            price_book_hash=book.hash,
        )


def _counted(effects: CacheEffects) -> Literal["counted", "partly counted", "not counted"]:
    if not any(source.calls for source in effects.lacking):
        return "counted"
    return "partly counted" if effects.known else "not counted"


def _without_session(effects: CacheEffects) -> list[str]:
    """Sources whose calls have no session: their figures are without cache effects."""
    return [
        f"{lacking.source} has no session ids{_how_many(lacking)}: its figures are without cache effects"
        for lacking in effects.lacking
        if lacking.calls
    ]


def _how_many(lacking: Lacking) -> str:
    return "" if lacking.calls == lacking.of else f" for {lacking.calls:,} of its {lacking.of:,} calls"


def _unpriced(sums: Iterable[ReplayedSum]) -> list[UnpricedCalls]:
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for s in sums:
        if not s.priced:
            key = (s.model, "as it ran") if not s.spent_priced else (s.to, "as replayed")
            calls, tokens = counts.get(key, (0, 0))
            counts[key] = calls + s.calls, tokens + s.tokens
    return [
        UnpricedCalls(model=model, message=message, calls=calls, tokens=tokens)
        for (model, message), (calls, tokens) in sorted(counts.items())
    ]


def _notes(connection: DuckDBPyConnection, book: PriceBook) -> list[str]:
    """What the rollup cannot distinguish at the replayed models' prices."""
    state = connection.execute("SELECT parameters FROM rollup_state").fetchone()
    starts, by_half_hour = json.loads(state[0]) if state else ([], [])
    moved = connection.execute(MOVED).fetchall()
    notes = ["each call keeps the context tier and processing level that it was logged with"] if moved else []
    for name, logged in moved:
        needed, within_days = rollup_needs(book, [(None, name)])
        unknown = [start for start in needed if start not in starts]
        if unknown:
            notes.append(
                f"{name} has a price tier from {unknown[0]:,} input tokens on, which the sums do not distinguish"
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
