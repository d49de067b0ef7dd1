"""One pair of sources compared: cells of both, the difference as items, what each of them lacks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from ...tokens import CALL_CLASSES
from ..spend.names import KNOWN_AS
from .at_list_price import at_standard, priced_lines
from .pairs import Pairing
from .sides import NAMED, CellKey, SideCell, SideLine, Sides, Statement, cells_of
from .split import Item, amount_items, mix_items, quantities, stated_items, unlisted_levels
from .tokens import DayCalls, token_items

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ..spend.ledger import Ledger
    from .tokens import Call

CALLS = f"""
SELECT ts, {", ".join(CALL_CLASSES)}
FROM (SELECT usage_event.*, {NAMED.format("usage_event")} FROM usage_event {KNOWN_AS.format("usage_event")}
    WHERE usage_event.role = 'calls' AND usage_event.covered_by IS NULL AND NOT usage_event.aggregated
        AND usage_event.ts >= $first AND usage_event.ts < $after AND list_contains($sources, usage_event.source))
WHERE named_provider = $provider AND named_model = $model ORDER BY ts
"""  # noqa: S608 (constants only)
Key = Callable[[date, str, str], CellKey]


@dataclass(frozen=True)
class PairComparison:
    """Both sides by cell, and the items that lead from ours to theirs."""

    ours: dict[CellKey, SideCell]
    theirs: dict[CellKey, SideCell]
    items: list[Item]
    notes: tuple[str, ...] = ()


def compare_days(ledger: Ledger, pair: Pairing, sides: Sides) -> PairComparison:
    """Compare sums by day and model: a bill with the calls, or sources of calls without ids in common."""
    own = [line for line in sides.lines if _is_ours(line, pair)]
    their_lines = priced_lines((line for line in sides.lines if line.source == pair.theirs), sides.models, ledger.book)
    charges = [charge for charge in sides.statements if charge.source == pair.theirs]
    key, plain = _keys(own, their_lines, charges)
    credits = [charge for charge in charges if charge.is_credit]
    kept, apart = at_standard(
        (charge for charge in charges if not charge.is_credit), own, key, sides.models, ledger.book
    )
    ours, theirs = cells_of(own, [], key), cells_of(their_lines, kept, key)
    scope = {cell[0] for cell in theirs}
    ours = {
        cell: side
        for cell, side in ours.items()
        if min(scope, default=date.max) <= cell[0] <= max(scope, default=date.min)
    }
    calls = day_calls(ledger.connection, pair.ours) if plain else None
    apart += map(_credit, ((charge, key) for charge in credits))
    items = [*_items(ours, theirs, calls), *apart]
    _take_back(theirs, apart)
    return PairComparison(ours, theirs, items, (*_notes(ours, "ours"), *_notes(theirs, pair.theirs)))


def _is_ours(line: SideLine, pair: Pairing) -> bool:
    counted = line.counted or pair.role == "calls" or line.role == "bill"
    first = pair.first.replace(day=1)  # of a bill by months, all of the first and last month
    last = (pair.last.replace(day=1) + timedelta(31)).replace(day=1)
    return line.source in pair.ours and counted and line.provider in pair.providers and first <= line.day < last


def _keys(own: Iterable[SideLine], their_lines: list[SideLine], charges: list[Statement]) -> tuple[Key, bool]:
    """How both sides are cut into cells, and whether these are days and models as they are."""
    monthly = any(charge.monthly for charge in charges)
    mine: dict[str, set[str]] = defaultdict(set)
    other: dict[str, set[str]] = defaultdict(set)
    for line in own:
        mine[line.provider].add(slug(line.model))
    billed = [(line.provider, line.model) for line in their_lines]
    billed += [(charge.provider, charge.model) for charge in charges if not charge.is_credit]
    for provider, model in billed:
        other[provider].add(slug(model))
    whole = {name for name, models in other.items() if not (models - {""}) & mine.get(name, models)}

    def key(day: date, provider: str, model: str) -> CellKey:
        return day.replace(day=1) if monthly else day, provider, "" if provider in whole else slug(model)

    return key, not monthly and not whole


def slug(model: str) -> str:
    """A model's name, however it is written: `Claude Sonnet 4.5` is `claude-sonnet-4-5`."""
    return re.sub(r"[^a-z0-9/.:@+]+", "-", model.lower()).replace(".", "-").strip("-")


def _items(ours: dict[CellKey, SideCell], theirs: dict[CellKey, SideCell], calls: DayCalls | None) -> list[Item]:
    """By tokens where theirs counts them, else by amounts."""
    if not any(cell.has_tokens for cell in theirs.values()):
        return amount_items(ours, theirs)
    bare = {key: cell for key, cell in theirs.items() if cell.stated is not None and not cell.has_tokens}
    counted = {key: cell for key, cell in theirs.items() if key not in bare}
    rest = {key: cell for key, cell in ours.items() if key not in bare}
    items = token_items(rest, counted, quantities(rest, counted), calls)
    mixed = [*mix_items(rest, counted)]
    items += [*mixed, *stated_items(counted, unlisted_levels(rest, counted, mixed))]
    own_bare = {key: ours[key] for key in bare if key in ours}
    items += amount_items(own_bare, {key: cell for key, cell in bare.items() if key in ours})
    items += [
        Item(*key, "", "unexplained", "charge without tokens", cell.total)
        for key, cell in bare.items()
        if key not in ours
    ]
    return [item for item in items if item.usd]


def _credit(entry: tuple[Statement, Key]) -> Item:
    charge, key = entry
    words = f"{charge.category} {charge.description}".lower()
    reason = "allowance" if re.search(r"allowance|included|entitlement|plan", words) else "credit"
    place = key(charge.day, charge.provider, charge.model)
    return Item(place[0], place[1], "", "", "credits", reason, charge.usd, charge.description)  # type: ignore[arg-type]


def _take_back(theirs: dict[CellKey, SideCell], apart: Iterable[Item]) -> None:
    """What was split apart, credits and levels, belongs to their side too."""
    for item in apart:
        cell = theirs.setdefault((item.day, item.provider, item.model), SideCell(stated=Fraction()))
        cell.stated = cell.total + item.usd


def _notes(cells: dict[CellKey, SideCell], whose: str) -> tuple[str, ...]:
    """What has tokens without a price, and no stated amount either."""
    names = {
        f"{provider}/{model}" if model else f"what names no model of {provider or 'no provider'}"
        for (_, provider, model), cell in cells.items()
        if cell.unpriced and cell.stated is None
    }
    return (f"no price for {', '.join(sorted(names))}: its tokens are in no amount of {whose}",) if names else ()


def day_calls(connection: DuckDBPyConnection, sources: tuple[str, ...]) -> DayCalls:
    """The single calls of these sources on a day, of a model as the price lists name it (dots or none)."""
    known: dict[CellKey, list[Call]] = {}
    names = dict(connection.execute("SELECT DISTINCT model, model FROM known_name WHERE model IS NOT NULL").fetchall())
    by_slug = {slug(name): name for name in names}

    def calls(day: date, provider: str, model: str) -> list[Call]:
        if (day, provider, model) not in known:
            first = datetime.combine(day, time())
            values = {"first": first, "after": first + timedelta(1), "sources": list(sources), "provider": provider}
            rows = connection.execute(CALLS, {**values, "model": by_slug.get(model, model)}).fetchall()
            known[day, provider, model] = [(ts, dict(zip(CALL_CLASSES, counts, strict=True))) for ts, *counts in rows]
        return known[day, provider, model]

    return calls


def with_models(items: Iterable[Item], names: dict[str, str]) -> list[Item]:
    """Items under the names that the price lists give their models."""
    return [replace(item, model=names.get(item.model, item.model)) for item in items]
