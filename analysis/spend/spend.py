"""What logged usage cost: the rollup's exact sums, each priced at its own moment, grouped as asked.

The sums are priced by priced.py; query.py has what can be asked, groups.py the SQL of groups. Costs are DECIMAL(38,24)
and exact; a class without a price is counted apart, never $0.

A recorded cost (what the source says) is compared with the computed one, and the difference is split by
substituting, one after the other, what the source may have left out: the context tier (all at the base tier),
the cache class (1-hour writes at the 5-minute price) and, what is left, the price itself. A substitution counts
only where it brings the computed cost nearer to the recorded one. The parts add up to the difference exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ...money import strip
from ...tokens import CALL_CLASSES, TOKEN_CLASSES
from ...usage.future import future_of_days
from ...usage.rollup import call_sums, rolled_models
from ...usage.store import scalar
from .allowances import Allowance, allowances
from .completeness import DataQuality, data_quality
from .currency import Rates, converted, exact
from .groups import keep_top, select_groups
from .ledger import Ledger, rollup_needs
from .notes import price_notes
from .query import DIMENSIONS, PRICED, SUMMED, Query, call_columns, hold_conditions, met
from .sources import Sources, sources_of

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

__all__ = ["DIMENSIONS", "Difference", "Query", "Spend", "SpendRow", "spend", "spend_calls"]


@dataclass(frozen=True)
class Difference:
    """Recorded less computed USD, and its parts: they add up to `usd` exactly."""

    usd: Decimal
    tier_usd: Decimal
    class_usd: Decimal
    price_usd: Decimal

    @property
    def explained(self) -> str:
        """The parts that are not nothing, in words."""
        parts = {
            "priced at the base context tier": self.tier_usd,
            "1-hour cache writes at the 5-minute price": self.class_usd,
            "another price": self.price_usd,
        }
        found = [f"{message} ({usd:+f})" for message, usd in parts.items() if abs(usd) >= Decimal("0.000001")]
        return "; ".join(found) or "none"


class SpendRow(NamedTuple):
    """One group: `counts` are its tokens in the order of `CALL_CLASSES`; money in USD, exact.

    `computed_usd` is the cost of all that has a price; `unpriced_tokens` what has none, in no cost. `recorded_usd`
    is what the sources say, None where they say nothing, of `recorded_calls` of the `entries` of the rollup.
    `converted` is the computed cost in the currency asked for, each day at its own rate; None if nothing has a price.
    `repriced_usd` is at the prices of `Query.reprice`, of all but the tokens that have none on that day.
    """

    keys: tuple[str, ...]
    calls: int
    counts: tuple[int, ...]
    computed_usd: Decimal
    unpriced_tokens: int
    shadow_usd: Decimal
    recorded_usd: Decimal | None
    recorded_calls: int
    entries: int
    repriced_usd: Decimal | None = None
    repriced_unpriced_tokens: int = 0
    difference: Difference | None = None
    converted: Decimal | None = None

    @property
    def tokens(self) -> dict[str, int]:
        """Tokens by class; searches too."""
        return dict(zip(CALL_CLASSES, self.counts, strict=True))


@dataclass(frozen=True)
class Spend:
    """The answer: rows, unpriced first, then in the order of their keys; `total` over all of them."""

    query: Query
    rows: tuple[SpendRow, ...]
    total: SpendRow
    unpriced_models: tuple[str, ...]
    book_hash: str
    days: tuple[date, date] | None
    notes: tuple[str, ...] = field(default=())
    sources: Sources = field(default=Sources())
    quality: DataQuality = field(default=DataQuality())
    currency: str | None = None
    allowances: tuple[Allowance, ...] = ()


def spend(
    connection: DuckDBPyConnection,
    book: PriceBook,
    query: Query,
    rates: Rates | None = None,
    today: date | None = None,
) -> Spend:
    """Group and price the calls of an open store, those loaded since too; at `rates` in their currency too.

    Calls after `today` (default: the day, UTC) and the next day count, and are named.

    Raises CostsimError.
    """
    query.check()
    ledger = Ledger.open(connection, book)
    sources = sources_of(ledger, query.since, query.until)
    choose(ledger, query)
    _price(ledger, query)
    if query.top:
        keep_top(connection, query)
    rows, total = _rows(connection, query), _total(connection, query)
    # of a choice of calls nobody can say what of an allowance they used
    flat = () if query.where else allowances(connection, book, query.since, query.until, today)
    if rates:
        rows, total = _converted(connection, query, rates, rows, total)
    unpriced, notes = _unpriced(connection), price_notes(connection)
    future = future_of_days(connection, "chosen", today)
    quality = data_quality(connection)
    if query.reprice:
        rows, total = _repriced(ledger, query, rows, total)
        unpriced += tuple(f"{name} on {query.reprice}" for name in _unpriced(connection) if name not in unpriced)
    rows, total = _explained(ledger, query, rows, total)
    return Spend(
        query,
        tuple(rows),
        total,
        unpriced,
        book.hash,
        _span(connection),
        (*([future] if future else []), *sources.messages, *notes),
        sources,
        quality,
        currency=rates.currency if rates else None,
        allowances=flat,
    )


def choose(ledger: Ledger, query: Query) -> None:
    """Let `chosen` be the sums that the query is about: of the rollup, or of the calls where it has too few columns."""
    hold_conditions(ledger.connection, query.where)
    if query.tz == "UTC" and not query.needs_calls:
        ledger.choose(query.since, query.until, where=met(query.where, [*SUMMED.keys() - {"class"}]))
        return
    keep = [{"hour": "local_hour"}.get(name, name) for name in query.by if name not in PRICED or name == "hour"]
    before = [name for name in query.names if name not in PRICED]
    needs = rollup_needs(ledger.book, rolled_models(ledger.connection))
    call_sums(
        ledger.connection, query.tz, keep + ["local_hour"] * ("hour" in query.names and "hour" not in query.by),
        call_columns(query), *needs, met(query.where, before), query.since, query.until,
    )  # fmt: skip
    left = [name for name in query.names if name in PRICED and name != "class"]
    ledger.choose(query.since, query.until, relation="usage_asked", shown="local_day", where=met(query.where, left))


NOTHING = Decimal(0)
DIFFER = "SELECT count(*) FROM priced WHERE tier > 0 OR cache_write_1h > 0"
"""The sums that cost something else at the base tier, or with short cache writes."""
# As text without trailing zeros: a quarter of the time that a DECIMAL takes to become a Decimal.
PLAIN = "rtrim(rtrim(nullif(sum({}), 0)::VARCHAR, '0'), '.')"
BY_CLASS = f"""
{", ".join(f"coalesce(sum(tokens) FILTER (token_class = '{name}'), 0)::BIGINT" for name in TOKEN_CLASSES)},
{PLAIN.format("usd")}, {PLAIN.format("shadow_usd")},
coalesce(sum(tokens) FILTER (usd IS NULL), 0)::BIGINT AS unpriced, NULL, 0, 0
"""
# Recorded costs are of whole calls: they cannot be split by class.
BY_ROW = f"""
{", ".join(f"coalesce(sum({name}), 0)::BIGINT" for name in TOKEN_CLASSES)},
{PLAIN.format("usd")}, {PLAIN.format("shadow_usd")}, coalesce(sum(unpriced_tokens), 0)::BIGINT AS unpriced,
sum(recorded_usd), coalesce(sum(recorded_calls), 0)::BIGINT, coalesce(sum(calls), 0)::BIGINT
"""


def _price(ledger: Ledger, query: Query, **assumed: Any) -> None:
    """Price what was chosen, class by class too where that is asked."""
    ledger.price_rows(**assumed)
    if query.needs_classes:
        ledger.price_cells(**assumed)


def _rows(connection: DuckDBPyConnection, query: Query) -> list[SpendRow]:
    what = BY_CLASS if query.needs_classes else BY_ROW
    found = connection.execute(select_groups(query, what)).fetchall()
    return [_row(line[: len(query.by)], *line[len(query.by) :]) for line in found]


def _total(connection: DuckDBPyConnection, query: Query) -> SpendRow:
    return _rows(connection, replace(query, by=(), top=None))[0]


def _row(keys: tuple[str, ...], *sums: Any) -> SpendRow:
    usd, shadow_usd, unpriced, recorded_usd, recorded_calls, entries = sums[len(TOKEN_CLASSES) :]
    return SpendRow(
        keys,
        sums[len(CALL_CLASSES)],
        sums[: len(CALL_CLASSES)],
        Decimal(usd) if usd else NOTHING,
        unpriced,
        Decimal(shadow_usd) if shadow_usd else NOTHING,
        None if recorded_usd is None else strip(recorded_usd),
        recorded_calls,
        entries,
    )


def _repriced(ledger: Ledger, query: Query, rows: list[SpendRow], total: SpendRow) -> tuple[list[SpendRow], SpendRow]:
    _price(ledger, query, reprice=query.reprice)
    then = {row.keys: row for row in (*_rows(ledger.connection, query), _total(ledger.connection, query))}

    def beside(row: SpendRow) -> SpendRow:
        new = then[row.keys]
        return row._replace(repriced_usd=new.computed_usd, repriced_unpriced_tokens=new.unpriced_tokens)

    return [beside(row) for row in rows], beside(total)


def _explained(ledger: Ledger, query: Query, rows: list[SpendRow], total: SpendRow) -> tuple[list[SpendRow], SpendRow]:
    """The difference of every row whose calls all have a recorded cost."""
    if total.recorded_usd is None or not any(_comparable(row) for row in (*rows, total)):
        return rows, total
    tier, both = _alternatives(ledger, query) if scalar(ledger.connection, DIFFER) else _as_computed(rows, total)
    tier_total, both_total = tier.pop(None), both.pop(None)
    compared = [
        r._replace(difference=_difference(r, tier[r.keys], both[r.keys])) if _comparable(r) else r for r in rows
    ]
    if _comparable(total):
        total = total._replace(difference=_difference(total, tier_total, both_total))
    return compared, total


def _comparable(row: SpendRow) -> bool:
    return row.recorded_usd is not None and row.recorded_calls == row.entries and not row.unpriced_tokens


def _converted(
    connection: DuckDBPyConnection, query: Query, rates: Rates, rows: list[SpendRow], total: SpendRow
) -> tuple[list[SpendRow], SpendRow]:
    """The rows and the total, each with its cost in the currency."""
    found = converted(connection, query, rates)
    with exact():
        whole = sum(found.values(), NOTHING)
    known = {row.keys: found.get(row.keys, NOTHING) for row in rows} | {total.keys: whole}

    def beside(row: SpendRow) -> SpendRow:
        unknown = row.unpriced_tokens and not row.computed_usd
        return row if unknown else row._replace(converted=known[row.keys])

    return [beside(row) for row in rows], beside(total)


Costs = dict[Any, Decimal]


def _alternatives(ledger: Ledger, query: Query) -> tuple[Costs, Costs]:
    """Costs at the base tier, and at the base tier with short cache writes: by keys, and None for the total."""
    found: list[Costs] = []
    for short_cache in (False, True):
        _price(ledger, query, base_tier=True, short_cache=short_cache)
        costs: Costs = {row.keys: row.computed_usd for row in _rows(ledger.connection, query)}
        costs[None] = _total(ledger.connection, query).computed_usd
        found.append(costs)
    return found[0], found[1]


def _as_computed(rows: list[SpendRow], total: SpendRow) -> tuple[Costs, Costs]:
    """The same, where nothing is beyond the base tier or written for an hour."""
    costs: Costs = {row.keys: row.computed_usd for row in rows} | {None: total.computed_usd}
    return costs, costs.copy()


def _difference(row: SpendRow, at_base_tier: Decimal, short_cached: Decimal) -> Difference:
    recorded, computed = row.recorded_usd or Decimal(0), row.computed_usd
    tier = at_base_tier - computed
    tier = tier if abs(recorded - computed - tier) < abs(recorded - computed) else Decimal(0)
    left = recorded - computed - tier
    shorter = short_cached - at_base_tier
    shorter = shorter if abs(left - shorter) < abs(left) else Decimal(0)
    return Difference(recorded - computed, tier, shorter, left - shorter)


def _unpriced(connection: DuckDBPyConnection) -> tuple[str, ...]:
    sql = """
    SELECT DISTINCT coalesce(provider || '/', '') || coalesce(model, '(no model)')
    FROM priced WHERE unpriced_tokens > 0 ORDER BY 1
    """
    return tuple(name for (name,) in connection.execute(sql).fetchall())


def _span(connection: DuckDBPyConnection) -> tuple[date, date] | None:
    first, last = connection.execute("SELECT min(shown_day), max(shown_day) FROM priced").fetchone() or (None, None)
    return (first, last) if first and last else None


def spend_calls(paths: Sequence[str | Path], book: PriceBook, query: Query, rates: Rates | None = None) -> Spend:
    """Group and price Parquet files of calls where they lie, without a store: columns as in `usage_event`.

    Rows with one `event_id` are one call; no other source is compared with them. Raises CostsimError.
    """
    from ...usage.parquet import open_calls

    query.check()
    with open_calls(paths) as calls:
        # What the prices depend on is guessed from the first rows, and compared with all.
        models = calls.models()
        while True:
            starts, by_half_hour = rollup_needs(book, models)
            models = calls.roll_up(query.names, starts, by_half_hour, *query.utc_days)
            needed_starts, needed_half_hour = rollup_needs(book, models)
            if {*needed_starts} <= {*starts} and {*needed_half_hour} <= {*by_half_hour}:
                found = spend(calls.connection, book, query, rates)
                return replace(found, quality=replace(found.quality, faults=calls.faults))
