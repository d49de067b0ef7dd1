"""Replay: the calls that were logged, priced as if another routing had sent them, against what was spent.

Runs on the rollup, never on calls. Each sum keeps its day, tokens, processing level and context tier, and takes
the other model's prices of that same moment. Another model counts and answers in other tokens (`tokens`), so
where both models have served the same task in the store, its prompt and output are scaled by what was measured.

A sum that has no price, as it ran or as replayed, is in neither figure: it is counted apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

from ..pricing.store import cost_sums, load_prices, resolve_models
from .replay_tokens import Draws, Multiplier, Pair, measure_multipliers
from .results import Result, Usd, usd
from .spend import CLASSES, rollup_needs

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ..pricing.book import PriceBook
    from .reroute import Reroute

PROMPT = ("input", "cache_read", "cache_write_5m", "cache_write_1h")
OTHER = ("web_search", "request")
MAX_DIGITS = 100

ROUTE = """
CREATE OR REPLACE TEMP TABLE replay_route AS
SELECT route.* FROM (SELECT unnest(from_json_strict(?::JSON, '[{
    "component": "VARCHAR", "task": "VARCHAR", "target": "INTEGER"
}]')) AS route)
"""
TARGET = """
CREATE OR REPLACE TEMP TABLE replay_target AS
SELECT target.* FROM (SELECT unnest(from_json_strict(?::JSON, '[{
    "target": "INTEGER", "ref": "VARCHAR", "provider": "VARCHAR", "model": "VARCHAR"
}]')) AS target)
"""
# All moments between two price changes, at the same time of day, are priced by the first of them.
MOMENT = """
CREATE OR REPLACE TEMP TABLE replay_moment AS
WITH edge AS (SELECT DISTINCT unnest([valid_from, valid_to]) AS edge FROM price),
moment AS (
    SELECT DISTINCT day, slot, day::TIMESTAMP + to_minutes(CASE WHEN slot < 0 THEN 0 ELSE slot * 30 END) AS ts
    FROM usage_daily WHERE day >= ? AND day <= ?
)
SELECT day, slot, min(ts) OVER (PARTITION BY slot, edge) AS priced_at
FROM moment ASOF LEFT JOIN edge ON moment.ts >= edge.edge
"""
# Summed before it is priced: by component and by day, with all that a price depends on. `classes` are those that
# have tokens, so that what holds of a sum (does any class lack a price?) holds of each of its parts.
SUM = f"""
CREATE OR REPLACE TEMP TABLE replay_sum AS
WITH summed AS (
    SELECT
        usage_daily.component, usage_daily.day, priced_at, alias.rowid AS alias_id, target, processing, tier,
        {" + ".join(f"CASE WHEN {name} > 0 THEN {2**n} ELSE 0 END" for n, name in enumerate(CLASSES))} AS classes,
        {", ".join(f"sum({name})::BIGINT AS {name}" for name in CLASSES)}
    FROM usage_daily
    JOIN replay_moment USING (day, slot)
    JOIN replay_route AS route
        ON route.component = usage_daily.component AND route.task = coalesce(usage_daily.task, '')
    LEFT JOIN model_alias AS alias
        ON alias.provider_ref IS NOT DISTINCT FROM usage_daily.provider AND alias.model_ref = usage_daily.model
    GROUP BY GROUPING SETS (
        (usage_daily.component, priced_at, alias_id, target, processing, tier, classes),
        (usage_daily.day, priced_at, alias_id, target, processing, tier, classes)
    )
)
SELECT
    summed.* EXCLUDE (alias_id, target),
    alias.model_ref AS logged_model,
    alias.provider AS from_provider,
    alias.model AS from_model,
    coalesce(alias.provider || '/' || alias.model, alias.model_ref, '(no model)') AS from_name,
    CASE WHEN target.target IS NULL THEN alias.provider ELSE target.provider END AS to_provider,
    CASE WHEN target.target IS NULL THEN alias.model ELSE target.model END AS to_model,
    coalesce(target.ref, from_name) AS to_name
FROM summed
LEFT JOIN model_alias AS alias ON alias.rowid = summed.alias_id
LEFT JOIN replay_target AS target ON target.target = summed.target
"""  # noqa: S608 (token classes)
KEY = """
CREATE OR REPLACE TEMP TABLE replay_key AS
SELECT row_number() OVER () AS key_id, *
FROM (
    SELECT priced_at, from_provider AS provider, from_model AS model, processing, tier FROM replay_sum
    UNION
    SELECT priced_at, to_provider, to_model, processing, tier FROM replay_sum
)
WHERE provider IS NOT NULL
"""
# One unit of each class at each key: sum_cost then holds the price of a unit.
USAGE_SUM = """
CREATE OR REPLACE TEMP TABLE usage_sum AS
SELECT
    key_id AS sum_id, priced_at AS at, provider, model, processing, tier AS tier_input, token_class,
    1::BIGINT AS tokens
FROM replay_key CROSS JOIN (SELECT unnest($classes) AS token_class)
"""
RATE = f"""
CREATE OR REPLACE TEMP TABLE replay_rate AS
SELECT replay_key.*, rate.* EXCLUDE (sum_id)
FROM replay_key
JOIN (
    SELECT sum_id, {", ".join(f"max(usd) FILTER (token_class = '{name}') AS {name}_rate" for name in CLASSES)}
    FROM sum_cost GROUP BY sum_id
) AS rate ON rate.sum_id = replay_key.key_id
"""  # noqa: S608 (token classes)


def _cost(rates: str, classes: Iterable[str]) -> str:
    """SQL of what a sum's tokens of these classes cost; NULL where one that has tokens has no price."""
    parts = (f"CASE WHEN line.{c} = 0 THEN 0::DECIMAL(38, 24) ELSE line.{c} * {rates}.{c}_rate END" for c in classes)
    return " + ".join(parts)


# A model that no book knows has no rate: all that it costs is NULL.
GROUPS = f"""
WITH cell AS (
    SELECT
        line.component, line.day, line.from_name, line.to_name, line.request,
        {" + ".join(f"line.{name}" for name in (*PROMPT, "output"))} AS tokens,
        {_cost("was", CLASSES)} AS spent_usd,
        {_cost("would", PROMPT)} AS prompt_usd,
        {_cost("would", ("output",))} AS output_usd,
        {_cost("would", OTHER)} AS other_usd,
        spent_usd IS NOT NULL AS spent_priced,
        prompt_usd + output_usd + other_usd IS NOT NULL AS replay_priced
    FROM replay_sum AS line
    LEFT JOIN replay_rate AS was
        ON was.priced_at = line.priced_at AND was.provider = line.from_provider AND was.model = line.from_model
        AND was.processing = line.processing AND was.tier = line.tier
    LEFT JOIN replay_rate AS would
        ON would.priced_at = line.priced_at AND would.provider = line.to_provider AND would.model = line.to_model
        AND would.processing = line.processing AND would.tier = line.tier
)
SELECT
    component, day, from_name, to_name, spent_priced, replay_priced,
    sum(request)::BIGINT, sum(tokens)::HUGEINT,
    sum(spent_usd), sum(prompt_usd), sum(output_usd), sum(other_usd)
FROM cell
GROUP BY ALL
ORDER BY ALL
"""  # noqa: S608 (token classes)
MOVED = """
SELECT to_provider || '/' || to_model AS name, list(DISTINCT logged_model)
FROM replay_sum
WHERE to_provider IS NOT NULL AND (to_provider, to_model) IS DISTINCT FROM (from_provider, from_model)
GROUP BY name ORDER BY name
"""
PLACES = "SELECT DISTINCT component, coalesce(task, '') FROM usage_daily ORDER BY ALL"
PAIRS = "SELECT DISTINCT provider, model FROM usage_daily WHERE model IS NOT NULL"


class ReplayRow(Result):
    """One component, or one day, or all: what was spent, and what the replayed routing would have cost.

    `difference_usd` is replayed less spent: negative where the other routing saves. `low_usd` and `high_usd` are
    P10 and P90 of the replayed cost over what the measured token multipliers leave open (equal to it where none
    was measured). `unpriced_calls` are in neither figure.
    """

    name: str
    calls: int
    spent_usd: Usd
    replayed_usd: Usd
    low_usd: Usd
    high_usd: Usd
    difference_usd: Usd
    unpriced_calls: int


NOTHING = ReplayRow(
    name="total", calls=0, unpriced_calls=0,
    **dict.fromkeys(("spent_usd", "replayed_usd", "low_usd", "high_usd", "difference_usd"), Decimal(0)),
)  # fmt: skip


class Move(Result):
    """The calls of one model under another (or the same, where nothing moves), and the multipliers used."""

    model: str
    to: str
    calls: int
    spent_usd: Usd
    replayed_usd: Usd
    multiplier: Multiplier


class UnpricedCalls(Result):
    """Calls that are in neither figure, because `model` has no price for a class of token that they have."""

    model: str
    says: str
    calls: int
    tokens: int


class Replay(Result):
    """What `costsim replay` computes. `since` and `until` are the first and last day with calls."""

    plan: str
    says: str
    since: date | None
    until: date | None
    total: ReplayRow
    components: list[ReplayRow]
    days: list[ReplayRow]
    moves: list[Move]
    unpriced: list[UnpricedCalls]
    notes: list[str]
    price_book_hash: str


@dataclass(frozen=True)
class _Sum:
    """One line of GROUPS; money is None where the group has no price for it."""

    component: str | None
    day: date | None
    model: str
    to: str
    spent_priced: bool
    replay_priced: bool
    calls: int
    tokens: int
    spent_usd: Decimal
    prompt_usd: Decimal
    output_usd: Decimal
    other_usd: Decimal

    @property
    def priced(self) -> bool:
        return self.spent_priced and self.replay_priced


def replay(
    connection: DuckDBPyConnection,
    book: PriceBook,
    reroute: Reroute,
    *,
    since: date | None = None,
    until: date | None = None,
    as_logged: bool = False,
) -> Replay:
    """Price the rollup of an open store as `reroute` would have sent it, from `since` to `until`, both included.

    `as_logged` keeps all token counts as they are. Bring the rollup up to date first. Exact where nothing is
    multiplied: every cost is tokens times a price, in DECIMAL.
    """
    _fill_tables(connection, book, reroute, since or date(1, 1, 1), until or date(9999, 12, 31))
    lines = connection.execute(GROUPS).fetchall()
    sums = [_Sum(*line[:8], *(amount or Decimal(0) for amount in line[8:])) for line in lines]
    pairs = {(s.model, s.to) for s in sums if s.priced}
    costs = _Costs(*measure_multipliers(connection, pairs, as_logged=as_logged))
    by_component = [s for s in sums if s.component is not None]
    days = sorted({s.day for s in sums if s.day is not None})
    with localcontext(prec=MAX_DIGITS):  # the usual 28 digits would round sums of DECIMAL(38, 24)
        return Replay(
            plan=reroute.name,
            says=reroute.says,
            since=days[0] if days else None,
            until=days[-1] if days else None,
            total=next(iter(costs.rows(("total", s) for s in by_component)), NOTHING),
            components=costs.rows((s.component, s) for s in by_component),
            days=costs.rows((str(s.day), s) for s in sums if s.day is not None),
            moves=costs.moves(by_component),
            unpriced=_unpriced(by_component),
            notes=[*reroute.notes, *_notes(connection, book)],
            price_book_hash=book.hash,
        )


def _fill_tables(connection: DuckDBPyConnection, book: PriceBook, reroute: Reroute, since: date, until: date) -> None:
    pairs = connection.execute(PAIRS).fetchall()
    places = connection.execute(PLACES).fetchall()
    chosen = {place: reroute.choose(*place) for place in places}
    targets = {model: _target(number, book, model) for number, model in enumerate(filter(None, chosen.values()))}
    keys = {key for provider, model in pairs if (key := book.resolve(model, provider))}
    keys |= {key for model in targets if (key := book.resolve(model))}
    routes = [
        {"component": component, "task": task, "target": targets[model]["target"] if model else None}
        for (component, task), model in chosen.items()
    ]
    resolve_models(connection, book, pairs)
    load_prices(connection, book, sorted(keys))
    connection.execute(ROUTE, [json.dumps(routes)])
    connection.execute(TARGET, [json.dumps(list(targets.values()))])
    connection.execute(MOMENT, [since, until])
    connection.execute(SUM)
    connection.execute(KEY)
    connection.execute(USAGE_SUM, {"classes": list(CLASSES)})
    cost_sums(connection)
    connection.execute(RATE)


def _target(number: int, book: PriceBook, model: str) -> dict[str, Any]:
    key = book.resolve(model)
    return {
        "target": number,
        "ref": str(key) if key else model,
        "provider": key and key.provider,
        "model": key and key.model,
    }


@dataclass(frozen=True)
class _Costs:
    """Replayed costs of sums: exact at the multipliers, and drawn over what they leave open."""

    multipliers: Mapping[Pair, Multiplier]
    draws: Mapping[Pair, Draws]

    def replayed(self, s: _Sum) -> Decimal:
        of = self.multipliers[s.model, s.to]
        return s.prompt_usd * of.prompt + s.output_usd * of.output + s.other_usd

    def ends(self, groups: list[list[_Sum]]) -> list[tuple[float, float]]:
        """P10 and P90 of each group's replayed cost, less its expected cost; both 0 where nothing was measured."""
        import numpy as np

        if not self.draws:
            return [(0.0, 0.0)] * len(groups)
        numbers = {pair: number for number, pair in enumerate(self.draws)}
        usd_of = np.zeros((len(groups), 2 * len(numbers)))  # prompt and output of each measured pair
        for row, group in enumerate(groups):
            for s in group:
                if s.priced and (s.model, s.to) in numbers:
                    column = 2 * numbers[s.model, s.to]
                    usd_of[row, column : column + 2] += float(s.prompt_usd), float(s.output_usd)
        of = [(self.multipliers[pair], drawn) for pair, drawn in self.draws.items()]
        off = [part for m, d in of for part in (d.prompt - float(m.prompt), d.output - float(m.output))]
        low, high = np.quantile(usd_of @ np.array(off), (0.1, 0.9), axis=1)
        return [(min(float(a), 0.0), max(float(b), 0.0)) for a, b in zip(low, high, strict=True)]

    def rows(self, named: Iterable[tuple[str | None, _Sum]]) -> list[ReplayRow]:
        """A row per name, in the order of the names."""
        groups: dict[str, list[_Sum]] = {}
        for name, s in named:
            groups.setdefault(name or "", []).append(s)
        ordered = sorted(groups.items())
        ends = self.ends([group for _, group in ordered])
        return [self._row(*named_group, *of) for named_group, of in zip(ordered, ends, strict=True)]

    def _row(self, name: str, group: list[_Sum], below: float, above: float) -> ReplayRow:
        priced = [s for s in group if s.priced]
        spent = sum((s.spent_usd for s in priced), Decimal(0))
        replayed = sum((self.replayed(s) for s in priced), Decimal(0))
        return ReplayRow(
            name=name,
            calls=sum(s.calls for s in group),
            spent_usd=usd(spent),
            replayed_usd=usd(replayed),
            low_usd=usd(replayed + Decimal(below)),
            high_usd=usd(replayed + Decimal(above)),
            difference_usd=usd(replayed - spent),
            unpriced_calls=sum(s.calls for s in group if not s.priced),
        )

    def moves(self, sums: Iterable[_Sum]) -> list[Move]:
        groups: dict[Pair, list[_Sum]] = {}
        for s in sums:
            if s.priced:
                groups.setdefault((s.model, s.to), []).append(s)
        return [self._move(pair, group) for pair, group in sorted(groups.items())]

    def _move(self, pair: Pair, group: list[_Sum]) -> Move:
        return Move(
            model=pair[0],
            to=pair[1],
            calls=sum(s.calls for s in group),
            spent_usd=usd(sum((s.spent_usd for s in group), Decimal(0))),
            replayed_usd=usd(sum((self.replayed(s) for s in group), Decimal(0))),
            multiplier=self.multipliers[pair],
        )


def _unpriced(sums: Iterable[_Sum]) -> list[UnpricedCalls]:
    counts: dict[tuple[str, str], tuple[int, int]] = {}
    for s in sums:
        if not s.priced:
            key = (s.model, "as it ran") if not s.spent_priced else (s.to, "as replayed")
            calls, tokens = counts.get(key, (0, 0))
            counts[key] = calls + s.calls, tokens + s.tokens
    return [
        UnpricedCalls(model=model, says=says, calls=calls, tokens=tokens)
        for (model, says), (calls, tokens) in sorted(counts.items())
    ]


def _notes(connection: DuckDBPyConnection, book: PriceBook) -> list[str]:
    """What the rollup cannot tell apart at the replayed models' prices."""
    state = connection.execute("SELECT parameters FROM rollup_state").fetchone()
    starts, by_half_hour = json.loads(state[0]) if state else ([], [])
    moved = connection.execute(MOVED).fetchall()
    notes = ["each call keeps the context tier and processing level that it was logged with"] if moved else []
    for name, logged in moved:
        needed, within_days = rollup_needs(book, [(None, name)])
        unknown = [start for start in needed if start not in starts]
        if unknown:
            notes.append(
                f"{name} has a price tier from {unknown[0]:,} input tokens on, which the sums do not tell apart"
            )
        if within_days and not set(logged) <= set(by_half_hour):
            notes.append(f"{name} changes its price within a day: calls logged by the day take that of 00:00 UTC")
    return notes
