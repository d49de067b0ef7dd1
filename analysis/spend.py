"""What logged usage cost: the rollup's exact sums, each priced at its own moment, grouped as asked.

Prices are looked up once per (day, half hour, model, processing, context tier) and class, by the same SQL that
prices everything (pricing/cost.sql), and multiplied with the sums: no event is ever touched. Costs are
DECIMAL(38,24) and exact; a class without a price is NULL and counted apart, never $0.

A recorded cost (what the source says) is compared with the computed one, and the difference is split by
substituting, one after the other, what the source may have left out: the context tier (all at the base tier),
the cache class (1-hour writes at the 5-minute price) and, what is left, the price itself. A substitution counts
only where it brings the computed cost nearer to the recorded one. The parts add up to the difference exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ..errors import CostsimError
from ..pricing.store import cost_sums, load_prices, resolve_models
from ..usage.rollup import rollup
from .results import strip

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ..pricing.book import PriceBook

DIMENSIONS = {
    "day": "day",
    "month": "strftime(day, '%Y-%m')",
    "component": "component",
    "agent": "coalesce(agent, '')",
    "task": "coalesce(task, '')",
    "model": "coalesce(priced_provider || '/' || priced_model, model, '')",
    "provider": "coalesce(priced_provider, provider, '')",
    "source": "source",
    "processing": "processing",
    "status": "status",
    "class": "token_class",
}
"""What spend can be grouped by, and the SQL of it; `model` is the priced name where there is one."""

CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search", "request")

CHOSEN = """
CREATE OR REPLACE TEMP TABLE chosen AS
SELECT row_number() OVER () AS row_id, usage_daily.*, alias.provider AS priced_provider, alias.model AS priced_model
FROM usage_daily
LEFT JOIN model_alias AS alias
    ON alias.provider_ref IS NOT DISTINCT FROM usage_daily.provider AND alias.model_ref = usage_daily.model
WHERE day >= ? AND day <= ?
"""
PRICE_KEY = """
CREATE OR REPLACE TEMP TABLE price_key AS
SELECT row_number() OVER () AS key_id, *
FROM (SELECT DISTINCT day, slot, priced_provider, priced_model, processing, tier FROM chosen)
"""
# One unit of each class at each key: sum_cost then holds the price of a unit.
USAGE_SUM = """
CREATE OR REPLACE TEMP TABLE usage_sum AS
SELECT
    key_id AS sum_id,
    coalesce($reprice::DATE, day)::TIMESTAMP + to_minutes(CASE WHEN slot < 0 THEN 0 ELSE slot * 30 END) AS at,
    priced_provider AS provider,
    priced_model AS model,
    processing,
    CASE WHEN $base_tier THEN 0 ELSE tier END AS tier_input,
    token_class,
    1::BIGINT AS tokens
FROM price_key
CROSS JOIN (SELECT unnest($classes) AS token_class)
"""
CELL = """
CREATE OR REPLACE TEMP TABLE cell AS
WITH long AS (
    UNPIVOT chosen ON input, cache_read, cache_write_5m, cache_write_1h, output, web_search, request
    INTO NAME token_class VALUE tokens
),
keyed AS (
    SELECT long.*, price_key.key_id
    FROM long
    JOIN price_key USING (day, slot, processing, tier)
    WHERE price_key.priced_provider IS NOT DISTINCT FROM long.priced_provider
        AND price_key.priced_model IS NOT DISTINCT FROM long.priced_model
)
SELECT
    keyed.*,
    CASE WHEN keyed.tokens = 0 THEN 0::DECIMAL(38, 24) ELSE keyed.tokens * sum_cost.usd END AS usd,
    CASE WHEN keyed.tokens = 0 THEN 0::DECIMAL(38, 24) ELSE keyed.tokens * sum_cost.shadow_usd END AS shadow_usd,
    sum_cost.price_id
FROM keyed
JOIN sum_cost ON sum_cost.sum_id = keyed.key_id AND sum_cost.token_class = CASE
    WHEN $short_cache AND keyed.token_class = 'cache_write_1h' THEN 'cache_write_5m' ELSE keyed.token_class END
WHERE keyed.tokens > 0 OR keyed.token_class = 'request'
"""


@dataclass(frozen=True)
class Query:
    """What to show: grouped `by` dimensions, of the days from `since` to `until`, both included.

    `reprice` prices all tokens at that day's prices too, beside those of their own time.
    """

    by: tuple[str, ...] = ("day",)
    since: date | None = None
    until: date | None = None
    reprice: date | None = None

    def check(self) -> None:
        """Raises CostsimError on an unknown dimension or reversed days."""
        from ..documents import did_you_mean

        for name in self.by:
            if name not in DIMENSIONS:
                raise CostsimError(f"cannot group by {name!r}{did_you_mean(name, list(DIMENSIONS))}")
        if self.since and self.until and self.until < self.since:
            raise CostsimError(f"until {self.until} is before since {self.since}")


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
        found = [f"{says} ({usd:+f})" for says, usd in parts.items() if abs(usd) >= Decimal("0.000001")]
        return "; ".join(found) or "none"


@dataclass(frozen=True)
class SpendRow:
    """One group. Tokens by class; money in USD, exact.

    `computed_usd` is the cost of all that has a price; `unpriced_tokens` what has none, in no cost. `recorded_usd`
    is what the sources say, None where they say nothing, of `recorded_calls` of the `entries` of the rollup.
    """

    keys: tuple[str, ...]
    calls: int
    tokens: dict[str, int]
    computed_usd: Decimal
    unpriced_tokens: int
    shadow_usd: Decimal
    recorded_usd: Decimal | None
    recorded_calls: int
    entries: int
    repriced_usd: Decimal | None = None
    difference: Difference | None = None


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


def spend(connection: DuckDBPyConnection, book: PriceBook, query: Query) -> Spend:
    """Group and price what the rollup of an open store holds. Raises CostsimError.

    Bring the rollup up to date first: `bring_up_to_date`.
    """
    query.check()
    price_models(connection, book)
    since, until = query.since or date(1, 1, 1), query.until or date(9999, 12, 31)
    connection.execute(CHOSEN, [since, until])
    connection.execute(PRICE_KEY)
    _price_cells(connection)
    rows = _rows(connection, query.by)
    total = _rows(connection, ())[0]
    if query.reprice:
        rows, total = _repriced(connection, query, rows, total)
    rows, total = _explained(connection, query, rows, total)
    if query.reprice or total.recorded_usd is not None:
        _price_cells(connection)  # the cells are left at their own prices, for whoever reads them next
    ordered = sorted(rows, key=lambda row: (row.unpriced_tokens == 0, row.keys))
    return Spend(query, tuple(ordered), total, _unpriced(connection), book.hash, _span(connection), _notes(connection))


def price_models(connection: DuckDBPyConnection, book: PriceBook) -> None:
    """Fill `model_alias` and `price` with all that the rollup's models need."""
    pairs = connection.execute("SELECT DISTINCT provider, model FROM usage_daily WHERE model IS NOT NULL").fetchall()
    resolve_models(connection, book, pairs)
    keys = {key for provider, model in pairs if (key := book.resolve(model, provider))}
    load_prices(connection, book, sorted(keys))


def _price_cells(
    connection: DuckDBPyConnection, *, reprice: date | None = None, base_tier: bool = False, short_cache: bool = False
) -> None:
    values = {"reprice": reprice, "base_tier": base_tier, "classes": list(CLASSES)}
    connection.execute(USAGE_SUM, values)
    cost_sums(connection)
    connection.execute(CELL, {"short_cache": short_cache})


def _select(by: Sequence[str], what: str, relation: str) -> str:
    """Grouping by fixed expressions only: names come from DIMENSIONS, never from outside."""
    keys = [f"{DIMENSIONS[name]}::VARCHAR AS key_{n}" for n, name in enumerate(by)]
    group = f" GROUP BY {', '.join(str(n + 1) for n in range(len(by)))}" if by else ""
    return f"SELECT {', '.join([*keys, what])} FROM {relation}{group}"  # noqa: S608 (fixed expressions)


_TOKENS = ", ".join(f"coalesce(sum(tokens) FILTER (token_class = '{name}'), 0)::HUGEINT" for name in CLASSES)
_COSTS = "coalesce(sum(usd), 0), coalesce(sum(shadow_usd), 0), coalesce(sum(tokens) FILTER (usd IS NULL), 0)::HUGEINT"


def _rows(connection: DuckDBPyConnection, by: Sequence[str]) -> list[SpendRow]:
    found = connection.execute(_select(by, f"{_TOKENS}, {_COSTS}", "cell")).fetchall()
    recorded = _recorded(connection, by)
    width = len(by)
    return [_row(line[:width], line[width:], recorded.get(line[:width])) for line in found]


def _recorded(connection: DuckDBPyConnection, by: Sequence[str]) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """Recorded costs are of whole calls: they cannot be split by class."""
    if "class" in by:
        return {}
    what = "sum(recorded_usd), sum(recorded_calls)::BIGINT, sum(calls)::BIGINT"
    lines = connection.execute(_select(by, what, "chosen")).fetchall()
    return {line[: len(by)]: line[len(by) :] for line in lines}


def _row(keys: tuple[str, ...], sums: tuple[Any, ...], recorded: tuple[Any, ...] | None) -> SpendRow:
    tokens = {name: int(count) for name, count in zip(CLASSES, sums, strict=False)}
    usd, shadow, unpriced = sums[len(CLASSES) :]
    recorded_usd, recorded_calls, entries = recorded or (None, 0, 0)
    return SpendRow(
        keys=keys,
        calls=tokens.pop("request"),
        tokens=tokens,
        computed_usd=strip(usd),
        unpriced_tokens=int(unpriced),
        shadow_usd=strip(shadow),
        recorded_usd=None if recorded_usd is None else strip(recorded_usd),
        recorded_calls=int(recorded_calls or 0),
        entries=int(entries or 0),
    )


def _repriced(
    connection: DuckDBPyConnection, query: Query, rows: list[SpendRow], total: SpendRow
) -> tuple[list[SpendRow], SpendRow]:
    from dataclasses import replace

    _price_cells(connection, reprice=query.reprice)
    by_keys = {row.keys: row.computed_usd for row in _rows(connection, query.by)}
    new_total = _rows(connection, ())[0].computed_usd
    return [replace(r, repriced_usd=by_keys[r.keys]) for r in rows], replace(total, repriced_usd=new_total)


def _explained(
    connection: DuckDBPyConnection, query: Query, rows: list[SpendRow], total: SpendRow
) -> tuple[list[SpendRow], SpendRow]:
    """The difference of every row whose calls all have a recorded cost."""
    from dataclasses import replace

    if total.recorded_usd is None or not any(_comparable(row) for row in (*rows, total)):
        return rows, total
    tier, both = _alternatives(connection, query.by)
    tier_total, both_total = tier.pop(None), both.pop(None)
    told = [replace(r, difference=_difference(r, tier[r.keys], both[r.keys])) if _comparable(r) else r for r in rows]
    if _comparable(total):
        total = replace(total, difference=_difference(total, tier_total, both_total))
    return told, total


def _comparable(row: SpendRow) -> bool:
    return row.recorded_usd is not None and row.recorded_calls == row.entries and not row.unpriced_tokens


Costs = dict[Any, Decimal]


def _alternatives(connection: DuckDBPyConnection, by: Sequence[str]) -> tuple[Costs, Costs]:
    """Costs at the base tier, and at the base tier with short cache writes: by keys, and None for the total."""
    found: list[Costs] = []
    for short_cache in (False, True):
        _price_cells(connection, base_tier=True, short_cache=short_cache)
        costs: Costs = {row.keys: row.computed_usd for row in _rows(connection, by)}
        costs[None] = _rows(connection, ())[0].computed_usd
        found.append(costs)
    return found[0], found[1]


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
    FROM cell WHERE usd IS NULL ORDER BY 1
    """
    return tuple(name for (name,) in connection.execute(sql).fetchall())


def _span(connection: DuckDBPyConnection) -> tuple[date, date] | None:
    first, last = connection.execute("SELECT min(day), max(day) FROM chosen").fetchone() or (None, None)
    return (first, last) if first and last else None


def _notes(connection: DuckDBPyConnection) -> tuple[str, ...]:
    sql = """
    SELECT DISTINCT source FROM usage_event
    WHERE aggregated AND context_tier IS NULL AND input + output > 0 ORDER BY 1
    """
    sources = [name for (name,) in connection.execute(sql).fetchall()]
    return tuple(
        f"{name} is already summed by its source: no request's size is known, so every call is priced at the base tier"
        for name in sources
    )


def rollup_needs(book: PriceBook, pairs: Iterable[tuple[str | None, str]]) -> tuple[list[int], list[str]]:
    """What the rollup must keep apart for these (provider, model) pairs: tier starts, and models by half hours.

    Raises CostsimError where a price changes at a moment that is no half hour.
    """
    starts: set[int] = set()
    by_half_hour: list[str] = []
    for provider, model in pairs:
        key = book.resolve(model, provider)
        if key is None:
            continue
        rows = book.rows(key)
        starts |= {row.min_input_tokens for row in rows}
        if _within_days(rows, str(key)):
            by_half_hour.append(model)
    return sorted(starts - {0}), sorted(set(by_half_hour))


def bring_up_to_date(connection: DuckDBPyConnection, book: PriceBook) -> None:
    """Roll up what was loaded since, at the tiers and within-day prices of this book."""
    sql = "SELECT DISTINCT provider, model FROM usage_event WHERE model IS NOT NULL"
    rollup(connection, *rollup_needs(book, connection.execute(sql).fetchall()))


def _within_days(rows: Iterable[Any], model: str) -> bool:
    clocks = {edge.time() for row in rows for edge in (row.valid_from, row.valid_to) if edge}
    clocks |= {clock for row in rows for clock in (row.utc_from, row.utc_to) if clock is not None}
    for clock in clocks:
        if timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second) % timedelta(minutes=30):
            raise CostsimError(f"{model} changes its price at {clock}; logs are priced by half hours (UTC)")
    return bool(clocks - {time(0)})


def month_span(month: str) -> tuple[date, date]:
    """The first and last day of a month written 2026-10. Raises CostsimError."""
    try:
        first = datetime.strptime(month, "%Y-%m").date()
    except ValueError:
        raise CostsimError(f"{month!r} is not a month; write it as 2026-10") from None
    return first, (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
