"""Who and what the month's calls were for: sessions, users, projects and the like, the most expensive first.

The rollup has none of these dimensions, so the month's calls are summed once by all those that its logs have.
`costsim spend --by project --top 10` shows the same figures.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from ...money import strip
from ...tokens import TOKEN_SUM
from ...usage.reader import DIMENSIONS
from ..spend.query import UNATTRIBUTED, Query, key_of
from ..spend.spend import choose
from .results import ClassCost, OwnerCost, OwnerCosts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ..spend.ledger import Ledger

TOP = 10
"""So many of each dimension are shown; the others are added up."""
OWNERS = ("session", *DIMENSIONS)
KNOWN = f"""
SELECT {", ".join(f"count(nullif({name}, '')) > 0" for name in (f'"{owner}"' for owner in OWNERS))}
FROM usage_event WHERE ts >= ?::DATE AND ts < ?::DATE + 1 AND covered_by IS NULL
"""  # noqa: S608 (names of ours)
RANKED = """
WITH owner AS (
    SELECT {key} AS name, sum(request)::BIGINT AS calls,
        sum({tokens})::BIGINT AS tokens,
        sum(usd) FILTER (usd > 0 OR unpriced_tokens = 0) AS usd
    FROM priced GROUP BY ALL
),
placed AS (
    SELECT *, row_number() OVER (ORDER BY name = '{unattributed}', usd DESC NULLS LAST, tokens DESC, name) AS place
    FROM owner
)
SELECT
    CASE WHEN name = '{unattributed}' OR place <= {top} THEN name END AS shown,
    count(*), sum(calls)::BIGINT, sum(tokens)::BIGINT, sum(usd)
FROM placed GROUP BY shown
ORDER BY shown IS NULL, shown = '{unattributed}', sum(usd) DESC NULLS LAST, shown
"""


def owners(ledger: Ledger, first: date, last: date) -> list[OwnerCosts]:
    """Each dimension that calls from `first` to `last`, both included, have; none where no call has it."""
    found = ledger.connection.execute(KNOWN, [first, last]).fetchone() or ()
    names = [name for name, known in zip(OWNERS, found, strict=False) if known]
    if not names:
        return []
    choose(ledger, Query(tuple(names), first, last))
    ledger.price_rows()
    return [_of(ledger.connection, name) for name in names]


def _of(connection: DuckDBPyConnection, name: str) -> OwnerCosts:
    sql = RANKED.format(key=key_of(name), tokens=TOKEN_SUM, unattributed=UNATTRIBUTED, top=TOP)
    rows = [
        OwnerCost(
            name=shown or "", owners=count, calls=calls, tokens=tokens, usd=None if usd is None else strip(usd),
            kind="others" if shown is None else "unattributed" if shown == UNATTRIBUTED else "owner",
        )
        for shown, count, calls, tokens, usd in connection.execute(sql).fetchall()
    ]  # fmt: skip
    return OwnerCosts(dimension=name, rows=rows)


def class_costs(lines: Iterable[tuple[Any, ...]]) -> list[ClassCost]:
    """The token classes, from the rows of their query (see queries.py), the most expensive first."""
    return [
        ClassCost(token_class=name, units=units, usd=None if usd is None else strip(usd), unpriced_units=unpriced)
        for name, units, usd, unpriced in lines
    ]
