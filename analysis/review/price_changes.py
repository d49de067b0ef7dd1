"""The market: prices of the models in use and of their rivals that changed in the month, and the next known change.

A change takes effect at a row's `valid_from` or `valid_to`; the price before is that of a day earlier, at the same
hour. What it is worth is priced on the month's own tokens of that class: units x (after - before), exact. Rivals
are the models that the routing names and those of the same providers; of them only the plain input and output
prices are listed, of what is to come only the next `RIVALS_AHEAD`: a rival's price of next year changes nothing now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple

from ...money import to_usd
from ...pricing.rows import ModelKey, PriceRow
from ...tokens import COLUMNS, paying
from .results import PriceMove

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..spend.ledger import Ledger

USED = f"""
SELECT priced_provider, priced_model, token_class, processing, tier, sum(units)::BIGINT
FROM (
    UNPIVOT chosen ON {COLUMNS}
    INTO NAME token_class VALUE units
)
WHERE units > 0 AND priced_provider IS NOT NULL
GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 (token classes)
RIVALS_AHEAD = timedelta(days=90)
RESELLERS = frozenset({"aws", "azure", "openrouter", "together", "fireworks", "novita", "deepinfra"})
"""Houses of everybody's models: a change of one of theirs is no news of a rival."""


class Spot(NamedTuple):
    """One price of a model: what a class costs at a processing level and context tier."""

    key: ModelKey
    token_class: str
    processing: str
    tier: int


@dataclass(frozen=True)
class PriceStep:
    """A price at a moment and just before it; None where there was, or will be, none."""

    spot: Spot
    at: datetime
    before: PriceRow | None
    after: PriceRow | None

    @property
    def step(self) -> Fraction | None:
        """What a unit is more expensive by, USD; None where one side has no price."""
        return self.after.usd_per_unit - self.before.usd_per_unit if self.before and self.after else None


def used_units(ledger: Ledger, first: date, last: date) -> dict[Spot, int]:
    """The tokens, calls and searches from `first` to `last`, both included, by the price that they were at."""
    ledger.choose(first, last)
    lines = ledger.connection.execute(USED).fetchall()
    return {Spot(ModelKey(*line[:2]), *line[2:5]): line[5] for line in lines}


def price_moves(
    book: PriceBook, units: Mapping[Spot, int], named: Iterable[str], first: date, last: date
) -> list[PriceMove]:
    """What changed from `first` to `last`, both included, and each price's next known change after them.

    Those of rivals no more than `RIVALS_AHEAD` after `last`. In order: changes in use, upcoming changes in use (the
    nearest first), rivals; the most expensive first within a moment.
    """
    used = sorted(units)
    start, end = _midnight(first), _midnight(last + timedelta(days=1))
    moves = [
        _move(change, units[change.spot], "changed" if change.at < end else "upcoming")
        for change in _changes(book, used, start, end)
    ]
    rivals = _rivals(book, {spot.key for spot in used}, named)
    plain = [Spot(key, name, "standard", 0) for key in rivals for name in ("input", "output")]
    near = (change for change in _changes(book, plain, start, end) if change.at < end + RIVALS_AHEAD)
    moves += [_move(change, None, "rival") for change in near]
    rank = {"changed": 0, "upcoming": 1, "rival": 2}
    return sorted(
        moves, key=lambda m: (rank[m.kind], m.at or last, -abs(m.worth_usd or Decimal(0)), m.model, m.token_class)
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _rivals(book: PriceBook, used: set[ModelKey], named: Iterable[str]) -> list[ModelKey]:
    houses = {key.provider for key in used} - RESELLERS
    known = {key for name in named if (key := book.resolve(name))}
    return sorted((known | {key for key in book.keys() if key.provider in houses}) - used)


def _changes(book: PriceBook, spots: Sequence[Spot], start: datetime, end: datetime) -> Iterator[PriceStep]:
    """Every change of these prices from `start` on, and the first one from `end` on."""
    for spot in spots:
        for at in _moments(book.rows(spot.key), spot.token_class, start):
            change = _change(book, spot, at)
            if change:
                yield change
                if at >= end:
                    break


def _moments(rows: Sequence[PriceRow], token_class: str, start: datetime) -> list[datetime]:
    edges = {edge for r in rows if r.token_class in paying(token_class) for edge in (r.valid_from, r.valid_to) if edge}
    return sorted(edge for edge in edges if edge >= start)


def _change(book: PriceBook, spot: Spot, at: datetime) -> PriceStep | None:
    """None where nothing changed, or where the price only ended: what has no price is no new price."""
    asked = {"input_tokens": spot.tier, "processing": spot.processing}
    before = book.price(spot.key, spot.token_class, at=at - timedelta(days=1), **asked)  # type: ignore[arg-type]
    after = book.price(spot.key, spot.token_class, at=at, **asked)  # type: ignore[arg-type]
    if after is None or (before and before.usd_per_unit == after.usd_per_unit):
        return None
    return PriceStep(spot, at, before, after)


def _move(change: PriceStep, units: int | None, kind: Literal["changed", "upcoming", "rival"]) -> PriceMove:
    spot, before, after = change.spot, change.before, change.after
    step = change.step
    worth = None if units is None or step is None else to_usd(units * step)
    return PriceMove(
        kind=kind,
        model=str(spot.key),
        token_class=spot.token_class,
        processing=spot.processing,
        at=change.at.date(),
        before_usd=to_usd(before.usd_per_unit * 10**6) if before else None,
        after_usd=to_usd(after.usd_per_unit * 10**6) if after else to_usd(0),
        in_use=units is not None,
        worth_usd=worth,
        source=after.source if after else "",
        message=_says(change, units),
    )


def _says(change: PriceStep, units: int | None) -> str:
    spot, step = change.spot, change.step
    name = "" if spot.processing == "standard" else f" ({spot.processing})"
    tier = f" of requests from {spot.tier:,} tokens on" if spot.tier else ""
    if change.before is None or step is None:
        return f"{spot.token_class}{name}{tier} has a price from {change.at:%Y-%m-%d} on"
    old = change.before.usd_per_unit
    by = f" by {float(abs(step) / old) * 100:.3g} %" if old else ""
    turned = f"{'more expensive' if step > 0 else 'cheaper'}{by} from {change.at:%Y-%m-%d} on"
    used = f"; the month used {units:,}" if units else ""
    return f"{spot.token_class}{name}{tier} {turned}{used}"


def worth_by_change(moves: Iterable[PriceMove]) -> dict[tuple[str, str, date | None], list[PriceMove]]:
    """The moves of models in use by what caused them: (kind, model, day)."""
    causes: dict[tuple[str, str, date | None], list[PriceMove]] = defaultdict(list)
    for move in moves:
        if move.worth_usd is not None:
            causes[move.kind, move.model, move.at].append(move)
    return causes
