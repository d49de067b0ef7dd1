"""Whether the sources of a store agree, and with the bill: every pair, its difference split exactly, the causes named.

    result = reconcile(connection, book, ReconcileQuery(since=date(2026, 10, 1), until=date(2026, 10, 31)))

Ours is what single calls cost at the price book; theirs what a bill states, or what a gateway recorded, else computed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ...documents import did_you_mean
from ...errors import CostsimError
from ...tokens import TOKEN_SUM
from ...usage.store import scalar
from ...version import __version__
from ..spend.ledger import Ledger
from ..spend.names import name_models
from .calls import compare_calls
from .causes import causes_of, exact, parts_of
from .compare import PairComparison, compare_days, slug, with_models
from .pairs import Pairing, find_pairs, named
from .results import CallExample, ComparedGroup, PartAmounts, Reconciliation, SourcePair
from .sides import CellKey, SideCell, read_sides
from .split import Item

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

DIMENSIONS = ("day", "month", "provider", "model", "class")
SPAN = "SELECT min(day), max(day) FROM (SELECT day FROM usage_daily UNION ALL SELECT day FROM covered_daily)"
COMPARABLE = """
SELECT EXISTS (FROM usage_daily WHERE role = 'bill') OR EXISTS (FROM usage_event WHERE role = 'bill')
    OR EXISTS (FROM covered_daily) OR EXISTS (FROM usage_event WHERE covered_by IS NOT NULL) OR EXISTS (FROM overlap)
"""
"""Whether there is a bill, or a call that two sources have, or may have: else there is no second side."""
NOTHING = "one source only, or none of the same provider and days: nothing to compare; load a gateway's log or a bill"
EXAMPLES = """
SELECT event_id, source, ts, coalesce({relation}.model, ''),
    ({tokens})::BIGINT AS tokens
FROM {relation} JOIN known_name AS known ON known.provider_ref IS NOT DISTINCT FROM {relation}.provider
    AND known.model_ref IS NOT DISTINCT FROM {relation}.model
WHERE role = 'calls' AND source IN (SELECT unnest($sources)) AND ts::DATE IN (SELECT unnest($days::DATE[]))
    AND ($model = '' OR known.called = $model) AND {where}
ORDER BY tokens DESC, event_id LIMIT 3
"""


@dataclass(frozen=True)
class Tolerance:
    """How much two sources may differ: a share of theirs, or an amount in USD."""

    text: str = "1%"
    share: Fraction | None = Fraction(1, 100)
    usd: Fraction = Fraction()

    @classmethod
    def parse(cls, text: str) -> Tolerance:
        """`1%` of what theirs states, or `5` USD. Raises CostsimError."""
        found = re.fullmatch(r"\$?(\d{1,12}(?:\.\d{1,9})?)(%?)", text.strip())
        if not found:
            raise CostsimError(f"{text!r} is no tolerance; write a share such as 1%, or an amount in USD such as 5")
        number = Fraction(found[1])
        return cls(text.strip(), number / 100) if found[2] else cls(text.strip(), None, number)

    def allows(self, difference: Decimal, theirs: Decimal, ours: Decimal) -> bool:
        """Whether a difference is within it."""
        limit = self.usd if self.share is None else self.share * max(abs(Fraction(theirs)), abs(Fraction(ours)))
        return abs(Fraction(difference)) <= limit


@dataclass(frozen=True)
class ReconcileQuery:
    """The days from `since` to `until`, both included (None: no bound), grouped `by`; and how much may differ."""

    by: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    tolerance: Tolerance = Tolerance()

    def check(self) -> None:
        """Raises CostsimError for an unknown word, or reversed days."""
        for name in self.by:
            if name not in DIMENSIONS:
                raise CostsimError(f"cannot group by {name!r}{did_you_mean(name, DIMENSIONS)}")
        if self.since and self.until and self.until < self.since:
            raise CostsimError(f"until {self.until} is before since {self.since}")


def reconcile(connection: DuckDBPyConnection, book: PriceBook, query: ReconcileQuery) -> Reconciliation:
    """Compare all sources that report the same spend; USD, exact. Raises CostsimError."""
    query.check()
    ledger = Ledger.open(connection, book)
    first, last = connection.execute(SPAN).fetchone() or (None, None)
    since, until = max(query.since or date.min, first or date.min), min(query.until or date.max, last or date.max)
    pairs: list[SourcePair] = []
    if first and since <= until and scalar(connection, COMPARABLE):
        sides = read_sides(ledger, since, until)
        for pair in find_pairs(connection, sides, since, until):
            compared = _by_call(ledger, pair) if pair.by_call else compare_days(ledger, pair, sides)
            pairs.append(_pair(connection, pair, compared, query))
    return Reconciliation(
        by=list(query.by), first=since if first else None, last=until if first else None,
        tolerance=query.tolerance.text, pairs=sorted(pairs, key=lambda pair: -abs(pair.difference_usd)),
        notes=[] if pairs else [NOTHING], book_hash=book.hash, costsim_version=__version__,
    )  # fmt: skip


def _by_call(ledger: Ledger, pair: Pairing) -> PairComparison:
    return PairComparison(*compare_calls(ledger, pair.ours[0], pair.theirs, pair.first, pair.last))


def _pair(connection: DuckDBPyConnection, pair: Pairing, compared: PairComparison, query: ReconcileQuery) -> SourcePair:
    name_models(connection, "usage_event")
    items = with_models(compared.items, _names(connection))
    ours, theirs = exact(_total(compared.ours)), exact(_total(compared.theirs))
    parts = parts_of(items, theirs - ours)
    days = {key[0] for key in (*compared.ours, *compared.theirs)} or {pair.first, pair.last}  # calls without tokens
    base = max(abs(theirs), abs(ours))
    return SourcePair(
        ours=named(pair.ours), theirs=pair.theirs, role=pair.role, matched_by="ids" if pair.by_call else "days",
        providers=sorted(pair.providers), first=min(days), last=max(days), ours_usd=ours, theirs_usd=theirs,
        difference_usd=theirs - ours,
        percent=round(100 * (theirs - ours) / base, 6) if base else Decimal(0),
        within=query.tolerance.allows(theirs - ours, theirs, ours),
        parts=parts,
        causes=causes_of(items, named(pair.ours), pair.theirs, lambda own: _examples(connection, pair, own)),
        completeness=_completeness(pair, ours, parts),
        groups=_groups(query.by, compared, items) if query.by else [],
        notes=[*compared.notes, *_undercounts(pair)],
    )  # fmt: skip


def _names(connection: DuckDBPyConnection) -> dict[str, str]:
    found = connection.execute("SELECT DISTINCT model FROM known_name WHERE model IS NOT NULL").fetchall()
    return {slug(name): name for (name,) in found}


def _total(cells: dict[CellKey, SideCell]) -> Fraction:
    return sum((cell.total for cell in cells.values()), Fraction())


def _completeness(pair: Pairing, ours: Decimal, parts: PartAmounts) -> dict[str, Decimal]:
    """What each has of what either has, in percent, at our prices."""
    everything = ours + parts.missing_in_ours
    if everything <= 0:
        return {named(pair.ours): Decimal(100), pair.theirs: Decimal(100)}
    lacks = {named(pair.ours): parts.missing_in_ours, pair.theirs: -parts.missing_in_theirs}
    return {name: round(100 * (everything - usd) / everything, 4) for name, usd in lacks.items()}


def _undercounts(pair: Pairing) -> list[str]:
    from ...usage.readers import READERS

    named_here = {*pair.ours, pair.theirs}
    return [
        f"{reader.name}: {reader.undercounts}" for reader in READERS if reader.name in named_here and reader.undercounts
    ]


def _examples(connection: DuckDBPyConnection, pair: Pairing, items: Sequence[Item]) -> list[CallExample]:
    """The largest calls that a cause is about, where it is about calls that the store has."""
    part, model = items[0].part, items[0].model
    if part not in ("missing_in_theirs", "tokens") and not (part == "missing_in_ours" and pair.by_call):
        return []
    match = "match = 'differ'" if part == "tokens" else "match = 'only'"
    relation, where = ("pair_call", match) if pair.by_call else ("usage_event", "covered_by IS NULL")
    sources = [pair.theirs] if part == "missing_in_ours" else list(pair.ours)
    values = {"sources": sources, "days": sorted({item.day for item in items}), "model": model}
    rows = connection.execute(EXAMPLES.format(relation=relation, tokens=TOKEN_SUM, where=where), values).fetchall()
    return [CallExample(event_id=i, source=s, ts=ts, model=m, tokens=n) for i, s, ts, m, n in rows]


def _groups(by: Sequence[str], compared: PairComparison, items: Iterable[Item]) -> list[ComparedGroup]:
    """The amounts and items by the words of `by`; ours and the items of a group add up to theirs."""
    ours: dict[tuple[str, ...], Fraction] = defaultdict(Fraction)
    names = {slug(item.model): item.model for item in items}
    for (day, provider, model), cell in compared.ours.items():
        for kind, usd in cell.usd.items():
            ours[_group(by, day, provider, names.get(model, model), kind)] += usd
    grouped: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        grouped[_group(by, item.day, item.provider, item.model, item.token_class)].append(item)
    return [_compared_group(keys, ours[keys], grouped[keys]) for keys in sorted({*ours} | {*grouped})]


def _compared_group(keys: tuple[str, ...], ours: Fraction, items: list[Item]) -> ComparedGroup:
    difference = exact(sum((item.usd for item in items), Fraction()))
    mine = exact(ours)
    return ComparedGroup(
        keys=list(keys), ours_usd=mine, theirs_usd=mine + difference, difference_usd=difference,
        parts=parts_of(items, difference),
    )  # fmt: skip


def _group(by: Sequence[str], day: date, provider: str, model: str, kind: str) -> tuple[str, ...]:
    words: dict[str, Any] = {
        "day": day.isoformat(), "month": f"{day:%Y-%m}", "provider": provider,
        "model": f"{provider}/{model}" if model else provider, "class": kind or "(all)",
    }  # fmt: skip
    return tuple(words[name] for name in by)
