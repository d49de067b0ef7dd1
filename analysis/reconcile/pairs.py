"""Which sources are compared: every bill with the calls it is for, every gateway with the calls it shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ..spend.same_calls import standing
from .sides import SideLine, Sides

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...usage.reader import Role

GATEWAYS = """
WITH shared AS (  -- sums, of days or of sessions, are calls of the other source, and match none of them
    SELECT source, covered_by AS other, count(*) AS times, NOT aggregated
        AND covered_by IN (SELECT source FROM usage_event WHERE role = 'calls' AND NOT aggregated) AS by_call
    FROM usage_event WHERE role = 'calls' AND covered_by <> source AND ts::DATE BETWEEN $since AND $until
    GROUP BY ALL
),
beside AS (
    SELECT *, TRUE AS known FROM shared
    UNION ALL SELECT other, source, count(*), FALSE, FALSE FROM overlap WHERE day BETWEEN $since AND $until GROUP BY ALL
)
FROM beside WHERE source <> other AND list_contains($here, source) AND list_contains($here, other)
QUALIFY row_number() OVER (PARTITION BY source ORDER BY by_call DESC, known DESC, times DESC, other DESC) = 1
"""
"""Of each source of calls, the better one beside it: that with most of its calls, else of its sums, else an overlap."""


@dataclass(frozen=True)
class Pairing:
    """What is compared with what: `ours` are sources whose calls are taken together; `by_call` where calls match."""

    ours: tuple[str, ...]
    theirs: str
    role: Role
    providers: frozenset[str]
    first: date
    last: date
    by_call: bool = False


def find_pairs(connection: DuckDBPyConnection, sides: Sides, since: date, until: date) -> list[Pairing]:
    """All pairs of the days that were read, bills first."""
    bills = sorted({line.source for line in sides.lines if line.role == "bill"} | {s.source for s in sides.statements})
    with_tokens = {line.source for line in sides.lines if line.role == "bill"}
    found: list[Pairing] = []
    for bill in bills:
        scope = _scope(bill, sides)
        calls = {line.source for line in sides.lines if line.role == "calls" and line.counted and _within(line, scope)}
        usage = {line.source for line in sides.lines if line.source in with_tokens - {bill} and _within(line, scope)}
        found += [Pairing(tuple(sorted(calls)), bill, "bill", *scope)] if calls else []
        found += [Pairing((name,), bill, "bill", *scope) for name in sorted(usage) if bill not in with_tokens]
    return found + _gateways(connection, sides, since, until)


Scope = tuple[frozenset[str], date, date]


def _scope(source: str, sides: Sides) -> Scope:
    """The providers and days that a source is about."""
    own = [(line.day, line.provider) for line in sides.lines if line.source == source]
    own += [(charge.day, charge.provider) for charge in sides.statements if charge.source == source]
    return frozenset(provider for _, provider in own), min(day for day, _ in own), max(day for day, _ in own)


def _within(line: SideLine, scope: Scope) -> bool:
    providers, first, last = scope
    return line.provider in providers and first <= line.day <= last


def _gateways(connection: DuckDBPyConnection, sides: Sides, since: date, until: date) -> list[Pairing]:
    """Sources of calls beside a better one."""
    here = sorted({line.source for line in sides.lines if line.role == "calls"})
    found = connection.execute(GATEWAYS, {"since": since, "until": until, "here": here}).fetchall()
    return [
        Pairing((other,), source, "calls", *_scope(source, sides), by_call)
        for source, other, _, by_call, _ in sorted(found, key=lambda row: _order(row[0]))
    ]


def _order(source: str) -> tuple[int, str]:
    return standing(source), source


def named(sources: Iterable[str]) -> str:
    """Sources as one name."""
    return " + ".join(sources)
