"""The tables of a replay: the rollup summed by component and by day, each sum with its prices both ways.

Summed before it is priced, so that only a few thousand sums are multiplied with prices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from ...tokens import BILLED_TOKENS, OUTPUT_CLASSES, PROMPT_CLASSES, SUMMED, TOKEN_CLASSES, UNIT_CLASSES, of
from ..spend.priced import cost_at

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..spend.ledger import Ledger
    from .reroute import Reroute

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
# Where each sum of the days goes. A target of NULL is no move: the calls stay on their model.
LINE = f"""
CREATE OR REPLACE TEMP TABLE replay_line AS
WITH summed AS (
    SELECT
        usage_daily.component, coalesce(usage_daily.task, '') AS task, day, slot, processing, tier,
        alias.rowid AS alias_id, route.target,
        {" + ".join(f"CASE WHEN {name} > 0 THEN {2**n} ELSE 0 END" for n, name in enumerate(TOKEN_CLASSES))} AS classes,
        {SUMMED}
    FROM usage_daily
    JOIN replay_route AS route
        ON route.component = usage_daily.component AND route.task = coalesce(usage_daily.task, '')
        AND usage_daily.tier >= route.from_tokens AND usage_daily.tier < route.below_tokens
    LEFT JOIN model_alias AS alias
        ON alias.provider_ref IS NOT DISTINCT FROM usage_daily.provider AND alias.model_ref = usage_daily.model
    WHERE day >= ? AND day <= ?
    GROUP BY ALL
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
REPLAYED_KEYS = "SELECT DISTINCT day, slot, to_provider, to_model, processing, tier FROM replay_line"
# Summed before it is priced: by component, by task and by day, with its unit prices. `classes` are those that have
# tokens, so that what holds of a sum (does any class lack a price?) holds of each of its parts.
SUM = f"""
CREATE OR REPLACE TEMP TABLE replay_sum AS
SELECT
    component, task, line.day, from_name, to_name, ran.unit_id AS from_unit, other.unit_id AS to_unit, classes,
    {SUMMED}
FROM replay_line AS line
LEFT JOIN price_key AS ran
    ON ran.day = line.day AND ran.slot = line.slot AND ran.processing = line.processing AND ran.tier = line.tier
    AND ran.provider = line.from_provider AND ran.model = line.from_model
LEFT JOIN price_key AS other
    ON other.day = line.day AND other.slot = line.slot AND other.processing = line.processing
    AND other.tier = line.tier AND other.provider = line.to_provider AND other.model = line.to_model
GROUP BY GROUPING SETS (
    (component, from_name, to_name, from_unit, to_unit, classes),
    (task, from_name, to_name, from_unit, to_unit, classes),
    (line.day, from_name, to_name, from_unit, to_unit, classes)
)
"""  # noqa: S608 (token classes)
# What the cached prefixes would have cost more, had every one been written again.
COLD = """line.cache_read * (
    CASE WHEN line.cache_write_1h > line.cache_write_5m THEN would.cache_write_1h ELSE would.cache_write_5m END
    - would.cache_read
)"""
# A model that no book knows has no rate: all that it costs is NULL.
GROUPS = f"""
WITH cell AS (
    SELECT
        line.component, line.task, line.day, line.from_name, line.to_name, line.request,
        {of("line", BILLED_TOKENS)} AS tokens,
        {cost_at("was", TOKEN_CLASSES)} AS spent_usd,
        {cost_at("would", PROMPT_CLASSES)} AS prompt_usd,
        {cost_at("would", OUTPUT_CLASSES)} AS output_usd,
        {cost_at("would", UNIT_CLASSES)} AS other_usd,
        {COLD} AS cold_usd,
        spent_usd IS NOT NULL AS spent_priced,
        prompt_usd + output_usd + other_usd IS NOT NULL AS replay_priced
    FROM replay_sum AS line
    LEFT JOIN unit_rate AS was ON was.unit_id = line.from_unit
    LEFT JOIN unit_rate AS would ON would.unit_id = line.to_unit
)
SELECT
    component, task, day, from_name, to_name, spent_priced, replay_priced,
    sum(request)::BIGINT, sum(tokens)::HUGEINT,
    sum(spent_usd), sum(prompt_usd), sum(output_usd), sum(other_usd), sum(cold_usd)
FROM cell
GROUP BY ALL
ORDER BY ALL
"""  # noqa: S608 (token classes)
MOVED = """
SELECT to_provider || '/' || to_model AS name, list(DISTINCT logged_model)
FROM replay_line
WHERE to_provider IS NOT NULL AND (to_provider, to_model) IS DISTINCT FROM (from_provider, from_model)
GROUP BY name ORDER BY name
"""
PLACES = "SELECT DISTINCT component, coalesce(task, '') FROM usage_daily ORDER BY ALL"


def fill_tables(ledger: Ledger, reroute: Reroute, since: date, until: date) -> None:
    """Make the temporary tables that GROUPS and MOVED read, from `since` to `until`, both included."""
    connection, book = ledger.connection, ledger.book
    places = connection.execute(PLACES).fetchall()
    routes = [route for place in places for route in _routes(reroute, *place)]
    named = dict.fromkeys(route["target"] for route in routes if route["target"])
    targets = {model: _target(number, book, model) for number, model in enumerate(named)}
    routes = [{**route, "target": route["target"] and targets[route["target"]]["target"]} for route in routes]
    connection.execute(ROUTE, [json.dumps(routes)])
    connection.execute(TARGET, [json.dumps(list(targets.values()))])
    connection.execute(LINE, [since, until])
    ledger.price_keys(REPLAYED_KEYS, (key for model in targets if (key := book.resolve(model))))
    connection.execute(SUM)


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
