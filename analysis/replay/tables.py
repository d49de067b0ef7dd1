"""The tables of a replay: the rollup summed by component and by day, each sum with its prices both ways.

Summed before it is priced, so that only a few thousand sums are multiplied with prices.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from ...pricing.store import cost_sums, load_prices, resolve_models
from ...usage.rollup import rolled_models
from ..spend.priced import CLASSES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from .reroute import Reroute

PROMPT = ("input", "cache_read", "cache_write_5m", "cache_write_1h")
OTHER = ("web_search", "request")
MOST_TOKENS = 2**62
"""More than any request has."""

ROUTE = """
CREATE OR REPLACE TEMP TABLE replay_route AS
SELECT route.* FROM (SELECT unnest(from_json_strict(?::JSON, '[{
    "component": "VARCHAR", "task": "VARCHAR", "from_tokens": "BIGINT", "below_tokens": "BIGINT", "target": "INTEGER"
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
        AND usage_daily.tier >= route.from_tokens AND usage_daily.tier < route.below_tokens
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


def fill_tables(connection: DuckDBPyConnection, book: PriceBook, reroute: Reroute, since: date, until: date) -> None:
    """Make the temporary tables that GROUPS and MOVED read, from `since` to `until`, both included."""
    pairs = rolled_models(connection)
    places = connection.execute(PLACES).fetchall()
    routes = [route for place in places for route in _routes(reroute, *place)]
    named = dict.fromkeys(route["target"] for route in routes if route["target"])
    targets = {model: _target(number, book, model) for number, model in enumerate(named)}
    keys = {key for provider, model in pairs if (key := book.resolve(model, provider))}
    keys |= {key for model in targets if (key := book.resolve(model))}
    routes = [{**route, "target": route["target"] and targets[route["target"]]["target"]} for route in routes]
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


def _routes(reroute: Reroute, component: str, task: str) -> Iterator[dict[str, Any]]:
    """Where a component's calls of a task go, by the tier of their sums: to its model, and in between to another."""
    own, large = reroute.choose(component, task), reroute.large(component, task)
    first = MOST_TOKENS if large is None else 0 if large.span.over is None else large.span.over + 1
    end = MOST_TOKENS if large is None or large.span.at_most is None else large.span.at_most + 1
    for start, stop, model in ((0, first, own), (first, end, large and large.model), (end, MOST_TOKENS, own)):
        if start < stop:
            yield {
                "component": component, "task": task, "from_tokens": start, "below_tokens": stop, "target": model,
            }  # fmt: skip


def _target(number: int, book: PriceBook, model: str) -> dict[str, Any]:
    key = book.resolve(model)
    return {
        "target": number,
        "ref": str(key) if key else model,
        "provider": key and key.provider,
        "model": key and key.model,
    }
