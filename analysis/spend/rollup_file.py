"""`costsim rollup`: the sums of calls made by the engine that holds them, kept apart where this price book needs it."""

from __future__ import annotations

from collections.abc import Mapping as Columns
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ...usage.engines.statement import UNIQUE, RollupStatement, columns_of
from ...usage.files import escaped
from ...usage.parquet_columns import PARQUET
from .ledger import rollup_needs

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ...usage.engines.engine import Engine
    from ...usage.reader import Role
    from ...usage.readers.mapped import Mapping

MADE = f"""
SELECT count(*), coalesce(sum(calls) FILTER (fault IS NULL), 0)::BIGINT, min(day), max(day) FROM {PARQUET}
"""  # noqa: S608 (ours)
FAULTS = f"""
SELECT fault, sum(calls)::BIGINT FROM {PARQUET} WHERE fault IS NOT NULL GROUP BY fault ORDER BY fault
"""  # noqa: S608 (ours)


@dataclass(frozen=True)
class Wanted:
    """How to sum: a mapping of columns, further dimensions to keep, the source's role, what makes two rows one call.

    `unique_by` is a column; "none" says that every row is a call; None means `event_id` where the table has it.
    """

    mapping: Mapping | None = None
    keep: Sequence[str] = ()
    role: Role | None = None
    unique_by: str | None = None


@dataclass(frozen=True)
class MadeRollup:
    """A rollup file: its sums and their calls, the first and last day (UTC), and what is not counted, by its fault."""

    file: Path
    rows: int
    calls: int
    first: str
    last: str
    faults: tuple[tuple[str, int], ...]


def make_rollup(engine: Engine, book: PriceBook, out: Path, wanted: Wanted) -> MadeRollup:
    """Sum the engine's calls into the Parquet file `out`, which `costsim load` takes. Raises CostsimError."""
    there = engine.columns()
    columns = _columns(there, wanted, engine.origin)
    models = engine.models(columns["model"], columns["provider"])
    unique = _is_unique(there, wanted) and not engine.unique
    statement = RollupStatement(
        engine.origin, columns, every_tier(book), rollup_needs(book, models)[1], wanted.keep, unique
    )
    engine.run(statement, out)
    with duckdb.connect() as connection:
        made = {"path": escaped(str(out))}
        rows, calls, first, last = connection.execute(MADE, made).fetchone() or (0, 0, None, None)
        faults = connection.execute(FAULTS, made).fetchall()
    return MadeRollup(out, rows, calls, str(first), str(last), tuple(faults))


def printed_rollup(source: str, book: PriceBook, wanted: Wanted) -> RollupStatement:
    """The statement for a table that cannot be asked: its columns are those of the mapping, else of `usage_event`.

    Models whose prices change within a day are those of the book, by their own names.
    """
    columns = _columns(None, wanted, source)
    half_hours = rollup_needs(book, ((key.provider, key.model) for key in book.keys()))[1]
    unique = _is_unique(None, wanted)
    return RollupStatement(source, columns, every_tier(book), half_hours, wanted.keep, unique)


def every_tier(book: PriceBook) -> list[int]:
    """Every token count at which some price of the book has a tier: of whatever models the calls turn out to be."""
    return rollup_needs(book, ((key.provider, key.model) for key in book.keys()))[0]


def _columns(there: Columns[str, str] | None, wanted: Wanted, place: str) -> dict[str, str]:
    by = wanted.unique_by if wanted.unique_by != "none" else None
    return columns_of(there, wanted.mapping, wanted.keep, place, role=wanted.role, unique_by=by)


def _is_unique(there: Columns[str, str] | None, wanted: Wanted) -> bool:
    """Whether calls have an identity by which repeated ones are counted once."""
    if wanted.unique_by:
        return wanted.unique_by != "none"
    if wanted.mapping:
        return "id" in wanted.mapping.columns
    return there is None or UNIQUE in map(str.lower, there)
