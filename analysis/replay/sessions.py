"""What moving calls of a session does to its prompt cache: prefixes that are written again, and sessions moved whole.

A cache is a model's own. A call that the log shows reading R tokens found them where earlier calls of its session on
the same model had left them; sent to another model, it finds there only what calls of the session on *that* model have
left within the ttl, and writes the rest again. With prefix(j) the tokens that call j leaves in the cache, and j
taken over the session's calls of less than a ttl before call i:

    warm(i, model) = min(R_i, max of prefix(j) over the calls j on the model)
    again(i)       = max(0, warm(i, model as logged) - warm(i, model as replayed))

where j's model is the logged one in the first and the replayed one in the second. So calls that stay among themselves
write nothing again, a read that the log does not explain (another session wrote it, or longer ago than the ttl) stays a
read, and after a way back only what was missed is written. `again` moves from cache_read to the session's class of
writes: 1 hour where it has such, else 5 minutes; a model without a price of writes is charged at its input price. A
prefix is what was read and written; in sessions without any write, whose caches are automatic, the whole prompt. All
this is of text: audio and images that were cached are taken to be cached elsewhere too.

Moved whole, a session goes to the model that the routing gives most of its tokens, with its cache as logged; one of
which no call moves stays as it ran.

Only sessions whose calls go to several models are walked. One day before the first is read too, for what was cached.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ...tokens import BILLED_TOKENS, SUMMED, TOKEN_CLASSES
from ...usage.rollup import SLOT, tier_of
from ...usage.store import scalar

if TYPE_CHECKING:
    from ..spend.ledger import Ledger

TTL_SECONDS, LONG_TTL_SECONDS = 300, 3600
"""How long a cache stays warm: after 5-minute writes; after 1-hour writes, and where writes are automatic."""

# Which calls go where: a row per component, task, logged model, processing level and tier, so that a call carries one
# number through the sorts of WARM. Models are numbered by their names.
PLACE = """
CREATE OR REPLACE TEMP TABLE replay_place AS
WITH logged AS (
    SELECT DISTINCT component, coalesce(task, '') AS task, provider, model, processing, tier FROM usage_daily
),
routed AS (
    SELECT
        logged.component AS at_component, logged.task AS at_task, logged.provider AS at_provider,
        logged.model AS at_model, processing, tier,
        list_contains($by_half_hour, logged.model) AS by_half_hour,
        alias.provider AS from_provider, alias.model AS from_model,
        coalesce(alias.provider || '/' || alias.model, alias.model_ref) AS from_name,
        CASE WHEN target.target IS NULL THEN alias.provider ELSE target.provider END AS to_provider,
        CASE WHEN target.target IS NULL THEN alias.model ELSE target.model END AS to_model,
        coalesce(target.ref, from_name) AS to_name
    FROM logged
    JOIN replay_route AS route
        ON route.component = logged.component AND route.task = logged.task
        AND tier >= from_tokens AND tier < below_tokens
    JOIN model_alias AS alias
        ON alias.provider_ref IS NOT DISTINCT FROM logged.provider AND alias.model_ref = logged.model
    LEFT JOIN replay_target AS target ON target.target = route.target
),
named AS (
    SELECT name, row_number() OVER (ORDER BY name)::INTEGER AS id
    FROM (SELECT from_name AS name FROM routed UNION SELECT to_name FROM routed)
)
SELECT routed.*, row_number() OVER ()::INTEGER AS place, ran.id AS from_id, sent.id AS to_id
FROM routed JOIN named AS ran ON ran.name = from_name JOIN named AS sent ON sent.name = to_name
"""
MIXED = "SELECT count(DISTINCT to_id) > 1 AND count(*) FILTER (from_id <> to_id) > 0 FROM replay_place"
CALLS = """
SELECT {columns}
FROM usage_event
JOIN replay_place AS place
    ON at_component = component AND at_task = coalesce(task, '') AND at_model = model
    AND at_provider IS NOT DISTINCT FROM provider AND place.processing = usage_event.processing AND place.tier = {tier}
{joined}
WHERE covered_by IS NULL AND NOT aggregated AND role = 'calls' AND session IS NOT NULL AND {bounds}
"""
SESSION = f"""
CREATE OR REPLACE TEMP TABLE replay_session AS
WITH sent AS (
    SELECT
        session, to_id, sum({" + ".join(BILLED_TOKENS)}) AS tokens, bool_or(from_id <> to_id) AS moved,
        bool_or(cache_write_1h > 0) AS long, bool_or(cache_write_5m > 0) AS short
    FROM ({{calls}}) GROUP BY session, to_id
)
SELECT
    session AS session_id, row_number() OVER ()::INTEGER AS number, arg_max(to_id, (tokens, -to_id)) AS whole_id,
    bool_or(long) AS long, bool_or(long OR short) AS explicit,
    CASE WHEN bool_or(short) AND NOT bool_or(long) THEN {TTL_SECONDS} ELSE {LONG_TTL_SECONDS} END AS ttl
FROM sent GROUP BY session HAVING count(*) > 1 AND bool_or(moved)
"""  # noqa: S608 (token classes)
SENT = ", ".join(("session", "to_id", "from_id", *BILLED_TOKENS))
OF_SESSION = "JOIN replay_session AS of_session ON session_id = session"
KEY = f"ts::DATE AS day, (CASE WHEN by_half_hour THEN {SLOT} ELSE -1 END)::SMALLINT AS slot, place"
KEYS = "day, slot, place"
# Little and in whole numbers, for the sorts: a session's cache on a model is one number, times are in microseconds.
CACHED = """
(number::BIGINT << 32) + from_id AS from_cache, (number::BIGINT << 32) + to_id AS to_cache,
epoch_us(ts) AS us, ttl * 1000000::BIGINT AS ttl, cache_read, place,
CASE WHEN explicit THEN 0 ELSE input END + cache_read + cache_write_5m + cache_write_1h AS prefix,
cache_write_1h > 0 OR (long AND cache_write_5m = 0) AS long
"""
WARM = """
least(cache_read, coalesce(max(prefix) OVER (
    PARTITION BY {cache} ORDER BY us RANGE BETWEEN ttl PRECEDING AND 1 PRECEDING
), 0))
"""
AGAIN = f"""
CREATE OR REPLACE TEMP TABLE replay_again AS
WITH walked AS (
    SELECT
        place, long, make_timestamp(us) AS ts,
        {WARM.format(cache="from_cache")} - {WARM.format(cache="to_cache")} AS again
    FROM ({{calls}})
),
written AS (
    SELECT {KEY}, long, again FROM walked JOIN replay_place USING (place) WHERE again > 0 AND ts >= $since::DATE
)
SELECT
    {KEYS}, count(*) AS switches, sum(again)::BIGINT AS tokens,
    coalesce(sum(again) FILTER (NOT long), 0)::BIGINT AS short, coalesce(sum(again) FILTER (long), 0)::BIGINT AS long
FROM written GROUP BY {KEYS}
"""  # noqa: S608 (fixed text)
WHOLE = f"""
CREATE OR REPLACE TEMP TABLE replay_whole AS
WITH elsewhere AS (
    SELECT *, {" + ".join(f"CASE WHEN {name} > 0 THEN {2**n} ELSE 0 END" for n, name in enumerate(TOKEN_CLASSES))}
        AS classes
    FROM ({{calls}}) WHERE to_id <> whole_id
),
summed AS (SELECT {KEYS}, whole_id, classes, {SUMMED} FROM elsewhere GROUP BY {KEYS}, whole_id, classes)
SELECT
    summed.*, processing, tier, at_component AS component, at_task AS task, from_provider, from_model, from_name,
    to_provider, to_model, to_name, whole.provider AS whole_provider, whole.model AS whole_model,
    whole.name AS whole_name
FROM summed JOIN replay_place USING (place) JOIN (
    SELECT to_id AS id, any_value(to_provider) AS provider, any_value(to_model) AS model, any_value(to_name) AS name
    FROM replay_place GROUP BY to_id
) AS whole ON whole.id = whole_id
"""  # noqa: S608 (token classes)
MOVED_WHOLE = f"to_id, whole_id, {KEY}, {', '.join(TOKEN_CLASSES)}"
WHOLE_KEYS = "SELECT DISTINCT day, slot, whole_provider, whole_model, processing, tier FROM replay_whole"
STATE = "SELECT parameters FROM rollup_state"


def fill_session_tables(ledger: Ledger, since: date, until: date) -> bool:
    """Walk the sessions from `since` to `until` (both included) under the routes of `fill_tables`, which goes before.

    Makes `replay_again` (tokens that are written again, by place and what a price depends on) and `replay_whole` (calls
    that go elsewhere where sessions are moved whole). False where no session's calls go to several models: then there
    is neither.
    """
    connection = ledger.connection
    state = connection.execute(STATE).fetchone()
    starts, by_half_hour = json.loads(state[0]) if state else ([], [])
    connection.execute(PLACE, {"by_half_hour": by_half_hour})
    if not scalar(connection, MIXED):
        return False
    first = since - timedelta(days=1) if since > date.min else since
    tier, values = tier_of(starts), {"first": first, "until": until}

    def calls(columns: str, joined: str = "", first: str = "$first") -> str:
        bounds = f"ts >= {first} AND ts < $until::DATE + 1"
        return CALLS.format(columns=columns, tier=tier, joined=joined, bounds=bounds)

    connection.execute(SESSION.format(calls=calls(SENT)), values)
    if not scalar(connection, "SELECT count(*) FROM replay_session"):
        return False
    connection.execute(AGAIN.format(calls=calls(CACHED, OF_SESSION)), values | {"since": since})
    whole = calls(MOVED_WHOLE, OF_SESSION, "$since")
    connection.execute(WHOLE.format(calls=whole), {"since": since, "until": until})
    ledger.price_keys(WHOLE_KEYS)
    return True
