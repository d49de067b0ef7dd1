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

SHARED = (
    "SELECT source, covered_by, count(*) FROM usage_event WHERE role = 'calls' AND covered_by IS NOT NULL GROUP BY ALL"
)
OVERLAPPING = "SELECT other, source, count(*) FROM overlap GROUP BY ALL"


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


def find_pairs(connection: DuckDBPyConnection, sides: Sides) -> list[Pairing]:
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
    return found + _gateways(connection, sides)


Scope = tuple[frozenset[str], date, date]


def _scope(source: str, sides: Sides) -> Scope:
    """The providers and days that a source is about."""
    own = [(line.day, line.provider) for line in sides.lines if line.source == source]
    own += [(charge.day, charge.provider) for charge in sides.statements if charge.source == source]
    return frozenset(provider for _, provider in own), min(day for day, _ in own), max(day for day, _ in own)


def _within(line: SideLine, scope: Scope) -> bool:
    providers, first, last = scope
    return line.provider in providers and first <= line.day <= last


def _gateways(connection: DuckDBPyConnection, sides: Sides) -> list[Pairing]:
    """Sources of calls beside a better one: the one that has most of the calls too, else one that overlaps."""
    here = {line.source for line in sides.lines if line.role == "calls"}
    best: dict[str, tuple[int, str, bool]] = {}
    for sql, by_call in ((SHARED, True), (OVERLAPPING, False)):
        for source, other, times in connection.execute(sql).fetchall():
            if source != other and {source, other} <= here and (source not in best or by_call):
                best[source] = max(best.get(source, (0, "", by_call)), (times, other, by_call))
    return [
        Pairing((other,), source, "calls", *_scope(source, sides), by_call)
        for source, (_, other, by_call) in sorted(best.items(), key=lambda item: _order(item[0]))
    ]


def _order(source: str) -> tuple[int, str]:
    return standing(source), source


def named(sources: Iterable[str]) -> str:
    """Sources as one name."""
    return " + ".join(sources)
