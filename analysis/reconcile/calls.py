"""Two sources of single calls compared call by call: which calls are the same, which only one of them has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ...tokens import INPUT_CLASSES, OUTPUT_CLASSES, READ_CLASSES
from ...usage.rollup import READ_STATE, sums
from ..spend.names import KNOWN_AS, name_models
from ..spend.same_calls import find_same_calls
from .sides import CellKey, SideCell
from .split import EMPTY, Item, mix_items, quantities, stated_items, token_price

if TYPE_CHECKING:
    from ..spend.ledger import Ledger

Match = str
"""`same`: both have the call with equal tokens; `differ`: with others; `only`: one alone has it."""

DAYS = """
CREATE OR REPLACE TEMP TABLE settle_day AS
SELECT $since::DATE + n::INTEGER AS day FROM range($until::DATE - $since::DATE + 1) AS days (n)
"""
USES = (  # how long a write lives, not every source says
    f"({', '.join(f'{{0}}.{name}' for name in (*INPUT_CLASSES, *READ_CLASSES, *OUTPUT_CLASSES))}, "
    "{0}.cache_write_5m + {0}.cache_write_1h)"
)
PAIR_CALL = f"""
CREATE OR REPLACE TEMP TABLE pair_call AS
WITH mine AS (SELECT rowid AS place, * FROM usage_event WHERE source = $ours AND role = 'calls' AND NOT aggregated),
other AS (
    SELECT rowid AS place, * FROM usage_event
    WHERE source = $theirs AND role = 'calls' AND NOT aggregated AND ts::DATE BETWEEN $since AND $until
),
pair AS (  -- either may be the one that counts
    SELECT place, other_place FROM same_call WHERE other_source = $ours
    UNION ALL SELECT other_place, place FROM same_call WHERE source = $ours
),
matched AS (
    SELECT other.place AS other_place, any_value(mine.place) AS place
    FROM other JOIN pair ON pair.place = other.place JOIN mine ON mine.place = pair.other_place
    GROUP BY other.place
),
compared AS (
    SELECT matched.*, mine.ts::DATE AS match_day, mine.provider AS match_provider, mine.model AS match_model,
        CASE WHEN {USES.format("mine")} = {USES.format("other")}
            THEN 'same' ELSE 'differ' END AS match
    FROM matched JOIN mine USING (place) JOIN other ON other.place = matched.other_place
),
place_of AS (
    SELECT place, match, match_day, match_provider, match_model FROM compared
    UNION ALL SELECT other_place, match, match_day, match_provider, match_model FROM compared
),
scope AS (SELECT DISTINCT coalesce(known.provider, '') AS named_provider FROM other {KNOWN_AS.format("other")})
SELECT call.* EXCLUDE (place), coalesce(match, 'only') AS match, coalesce(match_day, ts::DATE) AS match_day,
    CASE WHEN match IS NULL THEN call.provider ELSE match_provider END AS match_provider,
    CASE WHEN match IS NULL THEN call.model ELSE match_model END AS match_model
FROM (FROM mine UNION ALL FROM other) AS call LEFT JOIN place_of USING (place) {KNOWN_AS.format("call")}
WHERE match IS NOT NULL OR call.source = $theirs
    OR (ts::DATE BETWEEN $since AND $until
        AND coalesce(known.provider, '') IN (SELECT named_provider FROM scope))
"""  # noqa: S608 (constants only)
KEPT_APART = ("match", "match_day", "match_provider", "match_model")
LINES = """
SELECT source, match, match_day, coalesce(known.provider, ''), coalesce(known.called, ''),
    token_class, processing, tier, sum(tokens)::BIGINT, sum(cell.usd), bool_or(cell.usd IS NULL)
FROM cell LEFT JOIN known_name AS known ON known.provider_ref IS NOT DISTINCT FROM match_provider
    AND known.model_ref IS NOT DISTINCT FROM match_model
WHERE token_class <> 'request' OR cell.usd <> 0
GROUP BY ALL
"""
STATED = """
SELECT match, match_day, coalesce(known.provider, ''), coalesce(known.called, ''),
    sum(recorded_usd), sum(calls)::BIGINT
FROM pair_sums LEFT JOIN known_name AS known ON known.provider_ref IS NOT DISTINCT FROM match_provider
    AND known.model_ref IS NOT DISTINCT FROM match_model
WHERE source = $theirs GROUP BY ALL HAVING sum(recorded_calls) = sum(calls)
"""

Cells = dict[CellKey, SideCell]


def compare_calls(ledger: Ledger, ours: str, theirs: str, since: date, until: date) -> tuple[Cells, Cells, list[Item]]:
    """The cells of both sides, and the difference as items; fills `pair_call` for examples."""
    connection = ledger.connection
    bounds = {"since": since, "until": until}
    find_same_calls(connection, DAYS, bounds)
    name_models(connection, "usage_event")
    connection.execute(PAIR_CALL, {"ours": ours, "theirs": theirs, **bounds})
    state = connection.execute(READ_STATE).fetchone()
    tier_starts, by_half_hour = json.loads(state[0]) if state else ([], [])
    summed = sums("pair_call", tier_starts, also=KEPT_APART)
    connection.execute(f"CREATE OR REPLACE TEMP TABLE pair_sums AS {summed}", {"by_half_hour": by_half_hour})
    ledger.choose(None, None, relation="pair_sums")
    ledger.price_cells()
    sides = _cells(connection.execute(LINES).fetchall(), ours)
    stated = connection.execute(STATED, {"theirs": theirs}).fetchall()
    for match, day, provider, model, usd, rows in stated:
        cell = sides[False].setdefault(match, {}).setdefault((day, provider, model), SideCell())
        cell.stated, cell.rows = Fraction(usd), rows
    return _merged(sides[True]), _merged(sides[False]), _items(sides[True], sides[False])


def _cells(rows: Iterable[Any], ours: str) -> dict[bool, dict[Match, Cells]]:
    found: dict[bool, dict[Match, Cells]] = {True: {}, False: {}}
    for source, match, day, provider, model, kind, processing, tier, tokens, usd, lacks in rows:
        cell = found[source == ours].setdefault(match, {}).setdefault((day, provider, model), SideCell())
        cell.tokens[kind] += tokens
        cell.usd[kind] += Fraction(usd or 0)
        cell.unpriced |= lacks
        cell.processing.add(processing)
        cell.tiers.add(tier)
    return found


def _merged(by_match: Mapping[Match, Cells]) -> Cells:
    """All matches together; stated only where all parts are."""
    found: Cells = {}
    for cells in by_match.values():
        for key, cell in cells.items():
            whole = found.setdefault(key, SideCell(stated=Fraction()))
            for kind in cell.tokens:
                whole.tokens[kind] += cell.tokens[kind]
                whole.usd[kind] += cell.usd[kind]
            whole.rows += cell.rows
            whole.stated = (whole.stated or Fraction()) + cell.total
    return found


def _items(mine: Mapping[Match, Cells], other: Mapping[Match, Cells]) -> list[Item]:
    items: list[Item] = []
    for match in ("same", "differ"):
        own, their = mine.get(match, {}), other.get(match, {})
        items += mix_items(own, their)
        items += _token_items(own, their)
    for key, cell in mine.get("only", {}).items():
        items += [
            Item(*key, k, "missing_in_theirs", "missing calls", -usd, tokens=-cell.tokens[k])
            for k, usd in cell.usd.items()
        ]
    for key, cell in other.get("only", {}).items():
        items += [
            Item(*key, k, "missing_in_ours", "missing calls", usd, tokens=cell.tokens[k]) for k, usd in cell.usd.items()
        ]
    return [item for item in (*items, *stated_items(_merged(other))) if item.usd]


def _token_items(own: Cells, their: Cells) -> Iterable[Item]:
    """Equal calls with other tokens; where all of a model are a multiple, how many times."""
    times = {key: _times(own.get(key, EMPTY), cell) for key, cell in their.items()}
    for (key, kind), tokens in quantities(own, their).items():
        usd = tokens * token_price(own.get(key, EMPTY), their.get(key, EMPTY), kind)
        yield Item(*key, kind, "tokens", "tokens", usd, times.get(key, ""), tokens)


def _times(own: SideCell, their: SideCell) -> str:
    for factor in (2, 3, 4):
        pairs = [(own.tokens.get(kind, 0), n) for kind, n in their.tokens.items()]
        if all(factor * mine == n for mine, n in pairs):
            return f"{factor} times as many there"
    return ""
