"""What files just loaded hold: their calls, days and cost, model by model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ...money import strip
from ...usage.rollup import COUNTS, READ_STATE, sums
from .ledger import Ledger
from .sources import Sources, sources_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook

OF_FILES = "file_id IN (SELECT unnest(getvariable('loaded_files')))"
BY_MODEL = """
SELECT coalesce(priced_provider || '/' || priced_model, model, '(no model)'), sum(request)::BIGINT, sum(usd),
    sum(unpriced_tokens)::BIGINT, sum(recorded_usd) FILTER (usd = 0 AND unpriced_tokens = 0), min(day), max(day)
FROM priced GROUP BY 1 ORDER BY sum(usd) DESC, 1
"""


@dataclass(frozen=True)
class LoadedModel:
    """One model in the files: its calls, their cost (USD), the tokens without a price and the cost of calls that is
    recorded where none was computed."""

    name: str
    calls: int
    usd: Decimal
    unpriced_tokens: int
    only_recorded_usd: Decimal


@dataclass(frozen=True)
class LoadedUsage:
    """What the files hold that counts; `days` are UTC, None without a call. `sources` is of the whole store."""

    models: tuple[LoadedModel, ...]
    days: tuple[date, date] | None
    sources: Sources

    @property
    def usd(self) -> Decimal:
        """The cost of all that has a price."""
        return sum((model.usd for model in self.models), Decimal(0))

    @property
    def only_recorded_usd(self) -> Decimal:
        """The recorded cost of all of which none was computed."""
        return sum((model.only_recorded_usd for model in self.models), Decimal(0))


def loaded(connection: DuckDBPyConnection, book: PriceBook, file_ids: Sequence[int]) -> LoadedUsage:
    """Price what counts of these files (numbers in the table `load`). Raises CostsimError."""
    ledger = Ledger.open(connection, book)
    sources = sources_of(ledger, None, None)
    state = connection.execute(READ_STATE).fetchone()
    tier_starts, by_half_hour = json.loads(state[0]) if state else ([], [])
    connection.execute("SET VARIABLE loaded_files = ?::BIGINT[]", [list(file_ids)])
    summed = sums("usage_event", tier_starts, f"{COUNTS} AND {OF_FILES}")
    connection.execute(f"CREATE OR REPLACE TEMP TABLE load_sums AS {summed}", {"by_half_hour": by_half_hour})
    ledger.choose(None, None, relation="load_sums")
    ledger.price_rows()
    rows = connection.execute(BY_MODEL).fetchall()
    models = tuple(
        LoadedModel(name, calls, strip(usd or Decimal(0)), lacks, strip(recorded or Decimal(0)))
        for name, calls, usd, lacks, recorded, _, _ in rows
    )
    days = (min(row[5] for row in rows), max(row[6] for row in rows)) if rows else None
    return LoadedUsage(models, days, sources)
