"""The ledger: an open store under one price stack, its rollup up to date and every sum of it priced once.

    from costsim.analysis.spend.ledger import Ledger, open_ledger
    ledger = Ledger.open(connection, book)          # a store that is open already
    with open_ledger(path, book) as ledger: ...     # a file, opened read-only

Opening it again on the same connection costs next to nothing: what is priced stays priced until the connection is
closed or opened with other prices. So no caller has to do anything first, and nothing has to be done in some order.

A *unit price* is what one token (search, call) costs, USD as DECIMAL(38,24), exact: see pricing/cost.sql. It depends
on a sum's (day, slot, provider, model, processing, tier), and all days between two price changes share one. A cost is
the sum's tokens times the unit price: no event is ever touched.

All tables of the ledger are temporary, so a user's store keeps none of them, and a store opened read-only can be
priced as well:

- `price`, `model_alias`: pricing/store.py, of the models in use and of those that were asked about.
- `price_key` (day DATE, slot SMALLINT, provider, model, processing, tier, unit_id): which unit price a sum has. The
  provider and model are the book's; NULL where it knows neither.
- `unit_price` (unit_id, token_class, usd, shadow_usd, price_id): NULL where there is no price, never 0 (but a call
  without a price per call is free).
- `unit_rate` (unit_id, then USD by token class): the same, a row per unit price.
- `chosen`: the rows of `usage_daily` of some days (`Ledger.choose`), with `priced_provider` and `priced_model`.
- `priced`: the same rows with their cost (`Ledger.price_rows`); `cell`: a row per row and class (`price_cells`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import TYPE_CHECKING, Any

from ...errors import CostsimError
from ...pricing.store import add_prices, cost_sums, load_prices, resolve_models
from ...tokens import TOKEN_CLASSES
from ...usage.rollup import TOUCHED, rolled_models, rollup
from ...usage.store import in_memory, is_read_only, open_store, scalar
from .priced import (
    BOOK_HASH,
    CELL,
    CHOSEN,
    CHOSEN_KEYS,
    HOLD_BOOK,
    KNOWN_MODELS,
    NEW_KEY,
    NEW_PRICE_KEY,
    NEW_UNIT,
    OPEN_TABLES,
    PRICED,
    UNIT_PRICE,
    USAGE_SUM,
    USED,
    USED_KEYS,
)
from .rollups import check_rollups
from .same_calls import settle

if TYPE_CHECKING:
    from pathlib import Path

    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from ...pricing.rows import ModelKey

READ_STATE = "SELECT parameters FROM rollup_state"
NEVER_SUMMED = "SELECT EXISTS (FROM usage_event) AND NOT EXISTS (FROM usage_daily)"
LOGGED_MODELS = "SELECT DISTINCT provider, model FROM usage_event WHERE model IS NOT NULL"
ROLLED_UP = ("usage_daily", "covered_daily", "overlap", "touched_day", "rollup_state")
"""The tables that bringing a store up to date writes to."""


@dataclass(frozen=True)
class Ledger:
    """An open store whose rollup is priced by `book`: make one with `Ledger.open`."""

    connection: DuckDBPyConnection
    book: PriceBook

    @classmethod
    def open(
        cls,
        connection: DuckDBPyConnection,
        book: PriceBook,
        *,
        tier_starts: Iterable[int] = (),
        models: Iterable[str] = (),
    ) -> Ledger:
        """Bring the rollup up to date and price every sum of it that has not been priced yet.

        Sums are kept apart at the price tiers of their own models; at `tier_starts` (input tokens) and at the tiers of
        `models` too, for questions about these. In a store that is open read-only the sums are kept in memory. Raises
        CostsimError where a price changes at a moment that is no half hour, or loaded rollups do not fit (rollups.py).
        """
        also = [*tier_starts, *rollup_needs(book, ((None, model) for model in models))[0]]
        ledger, held = cls(connection, book), connection.execute(BOOK_HASH).fetchone() == (book.hash,)
        pairs = _current_models(connection, book, also)
        if held and pairs is not None and is_read_only(connection):  # opened before, and nothing can have changed
            return ledger
        if pairs is None:
            if is_read_only(connection):
                in_memory(connection, ROLLED_UP)
            bring_up_to_date(connection, book, also)
            pairs = rolled_models(connection)
        keys = sorted({key for provider, model in pairs if (key := book.resolve(model, provider))})
        if not held:
            load_prices(connection, book, keys)
            resolve_models(connection, book, pairs)
            connection.execute(OPEN_TABLES)
        elif not {*pairs} <= {*connection.execute(KNOWN_MODELS).fetchall()}:
            resolve_models(connection, book, pairs)
        ledger.price_keys(USED_KEYS, keys)
        check_rollups(connection, lambda pairs: rollup_needs(book, pairs))
        if not held:
            connection.execute(HOLD_BOOK, {"book_hash": book.hash})
        return ledger

    def price_keys(self, wanted: str, models: Iterable[ModelKey] = (), values: dict[str, Any] | None = None) -> None:
        """Price what is not priced yet of the keys that the SQL `wanted` selects: only that costs a pricing run.

        `wanted` is SQL of ours with the columns day, slot, provider, model, processing, tier, and `values` its
        parameters; `models` are those among them that may not be in use.
        """
        self.connection.execute(NEW_KEY.format(wanted=wanted), values or {})
        if not scalar(self.connection, "SELECT count(*) FROM new_key"):
            return
        add_prices(self.connection, self.book, sorted({*models}))
        self.connection.execute(NEW_UNIT)
        self.connection.execute(NEW_PRICE_KEY)
        self.connection.execute(USAGE_SUM, {"classes": list(TOKEN_CLASSES)})
        cost_sums(self.connection)
        self.connection.execute(UNIT_PRICE)

    def choose(
        self,
        since: date | None,
        until: date | None,
        *,
        relation: str = "usage_daily",
        shown: str = "day",
        where: str = "TRUE",
    ) -> None:
        """Let `chosen` be the rollup's rows from `since` to `until`, both included (None: no bound).

        `relation` may be other sums with the rollup's columns, whose days are those of its column `shown`: names of
        ours. `where` is a further condition on the rows of `chosen`, SQL of ours.
        """
        for name, day in {"chosen_since": since or date(1, 1, 1), "chosen_until": until or date(9999, 12, 31)}.items():
            self.connection.execute(f"SET VARIABLE {name} = ?", [day])
        self.connection.execute(CHOSEN.format(relation=relation, shown=shown, where=where, used=USED))
        if relation != "usage_daily":
            self.price_keys(CHOSEN_KEYS.format(day="day"))

    def price_rows(self, *, reprice: date | None = None, base_tier: bool = False, short_cache: bool = False) -> None:
        """Fill `priced`: each chosen row with its `usd`, `shadow_usd`, `unpriced_tokens` and `unit_id`.

        `reprice` prices everything at that day; `base_tier` as if every request were small; `short_cache` 1-hour
        cache writes as 5-minute ones.
        """
        values = self._assume(reprice, base_tier)
        self.connection.execute("SET preserve_insertion_order = false")  # the rows are only ever summed
        self.connection.execute(PRICED, values | {"short_cache": short_cache})
        self.connection.execute("RESET preserve_insertion_order")

    def price_cells(self, *, reprice: date | None = None, base_tier: bool = False, short_cache: bool = False) -> None:
        """Fill `cell`: as `price_rows`, but class by class, each with the `price_id` of the row that paid."""
        self.connection.execute(CELL, self._assume(reprice, base_tier) | {"short_cache": short_cache})

    def _assume(self, reprice: date | None, base_tier: bool) -> dict[str, Any]:
        if reprice:
            self.price_keys(CHOSEN_KEYS.format(day="$reprice::DATE AS day"), values={"reprice": reprice})
        return {"reprice": reprice, "base_tier": base_tier}


@contextmanager
def open_ledger(
    path: Path, book: PriceBook, *, tier_starts: Iterable[int] = (), models: Iterable[str] = ()
) -> Iterator[Ledger]:
    """The store at `path` as a ledger, read-only, so that several can read at once.

    What is not summed yet is summed in memory. Arguments and errors as `Ledger.open`; StoreError also where there is no
    store, or another process writes to it.
    """
    with open_store(path, read_only=True) as connection:
        yield Ledger.open(connection, book, tier_starts=tier_starts, models=models)


def _current_models(
    connection: DuckDBPyConnection, book: PriceBook, tier_starts: Iterable[int]
) -> list[tuple[str | None, str]] | None:
    """The models of the rollup, where it holds every call, kept apart where `book` and `tier_starts` need it."""
    if scalar(connection, TOUCHED):
        return None
    state = connection.execute(READ_STATE).fetchone()
    pairs = rolled_models(connection)
    if state is None:  # a rollup without parameters was put there as sums
        return None if scalar(connection, NEVER_SUMMED) else pairs
    starts, by_half_hour = json.loads(state[0])
    needed, within_days = rollup_needs(book, pairs)
    return pairs if {*needed, *tier_starts} <= {*starts} and within_days == by_half_hour else None


def bring_up_to_date(connection: DuckDBPyConnection, book: PriceBook, tier_starts: Iterable[int] = ()) -> None:
    """Roll up what was loaded since, at the tiers and within-day prices of this book, and at these tier starts too.

    `Ledger.open` does this where it is needed.
    """
    starts, by_half_hour = rollup_needs(book, connection.execute(LOGGED_MODELS).fetchall())
    settle(connection)
    rollup(connection, [*starts, *tier_starts], by_half_hour)


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


def _within_days(rows: Iterable[Any], model: str) -> bool:
    clocks = {edge.time() for row in rows for edge in (row.valid_from, row.valid_to) if edge}
    clocks |= {clock for row in rows for clock in (row.utc_from, row.utc_to) if clock is not None}
    for clock in clocks:
        if timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second) % timedelta(minutes=30):
            raise CostsimError(f"{model} changes its price at {clock}; logs are priced by half hours (UTC)")
    return bool(clocks - {time(0)})
