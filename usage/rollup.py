"""The rollup `usage_daily`: exact sums of calls that one price row pays for, kept up to date day by day.

What does not count (a call that another source has too, a bill of calls that are there) is summed in `covered_daily`.

A sum keeps apart what a price can depend on: the UTC day (the half hour too, for models whose prices change
within a day), model, processing, and the tier start that each request's own total input has reached.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..tokens import PROMPT_SUM, TOKEN_CLASSES
from .reader import identifier, text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ALL_DAYS = """
INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM usage_event UNION SELECT day FROM usage_daily
UNION SELECT day FROM covered_daily
"""
FORGET = """
DELETE FROM usage_daily WHERE day IN (SELECT day FROM touched_day);
DELETE FROM covered_daily WHERE day IN (SELECT day FROM touched_day)
"""
DONE = "DELETE FROM touched_day"
TOUCHED = "SELECT count(*) FROM touched_day"
SPAN = """
SELECT min(day)::TIMESTAMP, max(day)::TIMESTAMP + INTERVAL 1 DAY,
    (SELECT count(*) FROM usage_daily) + (SELECT count(*) FROM covered_daily),
    (SELECT count(*) FROM usage_event WHERE covered_by IS NOT NULL)
FROM touched_day
"""
READ_STATE = "SELECT parameters FROM rollup_state"
MODELS = """
SELECT DISTINCT provider, model FROM usage_daily WHERE model IS NOT NULL
UNION SELECT provider, model FROM covered_daily WHERE model IS NOT NULL
"""
COUNTS = "(covered_by IS NULL)"  # calls that no other source has, and what a bill has beyond its calls
NEEDED = ("source", "role", "provider", "model", "processing")  # for a price, and to name what is already summed
BY_HALF_HOUR = "list_contains($by_half_hour, model)"
SLOT = "2 * extract(hour FROM ts) + CASE WHEN extract(minute FROM ts) >= 30 THEN 1 ELSE 0 END"  # in any dialect
MAX_DAY = date(9000, 1, 1)
KEPT = ("source", "role", "component", "agent", "task", "provider", "model", "processing", "status")


def rollup(connection: DuckDBPyConnection, tier_starts: Sequence[int], half_hour_models: Sequence[str] = ()) -> None:
    """Bring `usage_daily` up to date: the touched days, or all of them if these parameters are new.

    `tier_starts` are the token counts at which some price has a tier, or a routing a threshold: those of before are
    kept, so that taking turns rebuilds nothing. `half_hour_models` are the models, as logged, whose prices change
    within a day.
    """
    state = connection.execute(READ_STATE).fetchone()
    tier_starts = sorted({*tier_starts, *(json.loads(state[0])[0] if state else ())})
    parameters = json.dumps([tier_starts, sorted(half_hour_models)])
    connection.execute("BEGIN")
    if state is None or state[0] != parameters:
        connection.execute(ALL_DAYS)
        connection.execute("DELETE FROM rollup_state")
        connection.execute("INSERT INTO rollup_state VALUES (?)", [parameters])
    first, after, summed, covered = connection.execute(SPAN).fetchone() or (None, None, 0, 0)
    if first:
        if summed:
            connection.execute(FORGET)
        # the bounds let whole row groups be skipped
        where = "ts >= $first AND ts < $after AND ts::DATE IN (SELECT day FROM touched_day)"
        values = {"by_half_hour": list(half_hour_models), "first": first, "after": after}
        counted = sums("usage_event", tier_starts, f"{where} AND {COUNTS}")
        connection.execute(f"INSERT INTO usage_daily BY NAME {counted}", values)
        if covered:
            sql = sums("usage_event", tier_starts, f"{where} AND NOT {COUNTS}", also=["covered_by"])
            connection.execute(f"INSERT INTO covered_daily BY NAME {sql}", values)
    connection.execute(DONE)
    connection.execute("COMMIT")


def rolled_models(connection: DuckDBPyConnection) -> list[tuple[str | None, str]]:
    """The providers and models that the rollup holds, as logged."""
    return connection.execute(MODELS).fetchall()


ASKED = """
CREATE OR REPLACE TEMP TABLE usage_asked AS
WITH local AS (
    SELECT *, {local} AS local_ts, local_ts::DATE AS local_day, date_trunc('hour', local_ts) AS local_hour
    FROM usage_event
),
asked AS (SELECT * {columns} FROM local)
"""


def call_sums(
    connection: DuckDBPyConnection,
    tz: str,
    keep: Sequence[str],
    columns: Mapping[str, str],
    tier_starts: Sequence[int],
    half_hour_models: Sequence[str],
    where: str = "TRUE",
    since: date | None = None,
    until: date | None = None,
) -> None:
    """Fill `usage_asked`: as the rollup, but each `local_day` of the time zone apart, for the call's own UTC day.

    It keeps apart what a price depends on and `keep`: columns of calls, `local_hour`, or those of `columns`, whose SQL
    (ours) is over calls; other columns of the rollup are left empty. `where` is SQL of ours over them too; no call
    before the day `since` or after `until` (of the time zone) is read.
    """
    local = "ts" if tz == "UTC" else f"timezone({text(tz)}, ts AT TIME ZONE 'UTC')"
    added = "".join(f", {sql} AS {identifier(name)}" for name, sql in columns.items())
    dropped = {name: "''" if name == "component" else "NULL::VARCHAR" for name in KEPT if name not in (*keep, *NEEDED)}
    also = ["local_day", *(identifier(name) for name in keep if name not in KEPT)]
    bounds = [f"ts >= TIMESTAMP '{since}' - INTERVAL 1 DAY"] if since else []
    bounds += [f"ts < TIMESTAMP '{until}' + INTERVAL 2 DAY"] if until and until < MAX_DAY else []
    selected = sums("asked", tier_starts, " AND ".join([COUNTS, f"({where})", *bounds]), dropped, also)
    connection.execute(ASKED.format(local=local, columns=added) + selected, {"by_half_hour": list(half_hour_models)})


def sums(
    relation: str,
    tier_starts: Sequence[int],
    where: str = "TRUE",
    constant: Mapping[str, str] = MappingProxyType({}),
    also: Sequence[str] = (),
    by_half_hour: str = BY_HALF_HOUR,
) -> str:
    """The SQL that sums a relation with the columns of `usage_event`; `$by_half_hour` are the models kept by slot.

    `relation` and `where` are SQL of ours, never a user's; tier starts are whole numbers. `constant` says which
    columns hold one value throughout, and the SQL of it: these need not be grouped by, nor added up. Columns that
    `also` names are kept apart too. `by_half_hour` is the SQL condition that a call's model is kept by slot.
    """
    dimensions = {
        "day": "ts::DATE",
        "slot": f"(CASE WHEN {by_half_hour} THEN {SLOT} ELSE -1 END)::SMALLINT",
        **{name: name for name in (*KEPT, *also)},
        "tier": tier_of(tier_starts),
    }
    grouped = [constant.get(name, sql) + f" AS {name}" for name, sql in dimensions.items()]
    by = [sql for name, sql in dimensions.items() if name not in constant]
    added = [
        f"({f'count(*) * {constant[name]}' if name in constant else f'sum({name})'})::BIGINT AS {name}"
        for name in TOKEN_CLASSES
    ]
    unrecorded = constant.get("recorded_usd", "").startswith("NULL")
    usd, calls = ("NULL", "0") if unrecorded else ("sum(recorded_usd)", "count(recorded_usd)")
    return f"""
    SELECT {", ".join(grouped)}, count(*) AS calls, {", ".join(added)},
        {usd} AS recorded_usd, {calls} AS recorded_calls
    FROM {relation}
    WHERE {where}
    GROUP BY {", ".join(by)}
    """  # noqa: S608 (see the docstring)


def tier_of(tier_starts: Sequence[int]) -> str:
    """SQL of a call's tier: the largest start not above its total input; a sum's own tier where its source has it."""
    cases = "".join(
        f" WHEN {PROMPT_SUM} >= {int(start)} THEN {int(start)}" for start in sorted(tier_starts, reverse=True)
    )
    return f"(CASE WHEN aggregated THEN coalesce(context_tier, 0){cases} ELSE 0 END)::BIGINT"
