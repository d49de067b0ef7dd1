"""What a store's logged turns show, summed in SQL: by part (what one profile is fitted to), conversation and gap."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...errors import CostsimError
from ...tokens import INPUT_SUM, MEDIA_SUM, OUTPUT_SUM, PROMPT_SUM, READ_SUM
from ...usage.attribution import UNATTRIBUTED
from ..architecture.distributions import Floats
from ..spend.query import OWNERS, Filter, hold_conditions

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

By = Literal["component", "task"]
CHOOSABLE = {name: f'"{name}"' for name in (*OWNERS, "source", "provider")} | {"model": "model"}
NAMES = {"component": "component", "task": f"coalesce(nullif(task, ''), '{UNATTRIBUTED}')"}

PARTS = """
SELECT part, any_value(name) AS name, any_value(agent) AS agent, any_value(provider) AS provider,
    any_value(model) AS model, list_sort(list(DISTINCT task)) AS tasks,
    list_sort(list(DISTINCT processing)) AS processings, sum(web_search)::BIGINT AS web_searches,
    sum(media)::BIGINT AS media, count(*) AS calls, min(ts)::DATE AS first, max(ts)::DATE AS last,
    bool_or(session IS NOT NULL) AS in_sessions
FROM profile_turn GROUP BY part ORDER BY part
"""
GROWTH = """
SELECT part, count(*) AS turns, avg(context - before) AS mean, coalesce(var_samp(context - before), 0) AS variance,
    coalesce(var_samp(answered), 0) AS of_answers, coalesce(covar_samp(context - before, answered), 0) AS together
FROM profile_turn WHERE k > 1 AND NOT compacted GROUP BY part
"""
SPREADS = """
SELECT part, coalesce(stddev_samp(output), 0) AS output, median(gap) AS gap_median,
    coalesce(stddev_samp(ln(greatest(gap, 0.1))), 0) AS gap_spread,
    median(before + answered) FILTER (compacted) AS compacts_at,
    median(context) FILTER (compacted) AS compacted_to
FROM profile_turn GROUP BY part
"""
GAPS = """
SELECT part, CASE WHEN gap < 60 THEN 0 WHEN gap < 300 THEN 1 WHEN gap < 3600 THEN 2 ELSE 3 END AS bucket,
    count(*) AS turns, sum(least(cache_read, before))::DOUBLE / greatest(sum(before), 1) AS read
FROM profile_turn WHERE k > 1 AND NOT compacted GROUP BY part, bucket ORDER BY part, bucket
"""
BUCKETS = ("under 1 minute", "1 to 5 minutes", "5 minutes to 1 hour", "over 1 hour")
SESSIONS = """
SELECT part, count(*) AS turns, sum(context)::BIGINT AS sent, sum(cache_read)::BIGINT AS cache_read,
    sum(cache_write_5m)::BIGINT AS cache_write_5m, sum(cache_write_1h)::BIGINT AS cache_write_1h,
    sum(input)::BIGINT AS input, sum(output)::BIGINT AS output, max(context)::BIGINT AS largest,
    max(context) FILTER (k = 1)::BIGINT AS first, max(cache_read) FILTER (k = 1)::BIGINT AS first_read,
    coalesce(sum(before), 0)::BIGINT AS readable, count(*) FILTER (compacted)::BIGINT AS compactions,
    epoch(min(ts))::BIGINT // 86400 AS day
FROM profile_turn GROUP BY part, conversation ORDER BY part, conversation
"""
CLASSES = {"input": INPUT_SUM, "cache_read": READ_SUM, "output": OUTPUT_SUM, "context": PROMPT_SUM, "media": MEDIA_SUM}
"""A session's tokens are of text: audio and images are taken for it, and named (profile.py)."""
SPAN = "SELECT min(ts)::DATE, max(ts)::DATE FROM profile_turn"


@dataclass(frozen=True)
class LoggedPart:
    """The logged turns that one profile is fitted to.

    `sessions` are arrays, one entry a conversation: turns, tokens by class, first and largest context, day. `about`
    says whose they are, `growth` and `spread` hold moments over turns, `gaps` (bucket, turns, share read).
    """

    about: dict[str, Any]
    sessions: dict[str, Floats] = field(repr=False)
    growth: dict[str, Any]
    spread: dict[str, Any]
    gaps: list[tuple[str, int, float]]
    days: int

    @property
    def count(self) -> int:
        """How many conversations."""
        return len(self.sessions["turns"])

    def mean(self, name: str) -> float:
        """The mean over conversations."""
        return float(self.sessions[name].mean())

    def deviation(self, name: str) -> float:
        """The standard deviation over conversations; 0 for one."""
        values = self.sessions[name]
        return float(values.std(ddof=1)) if len(values) > 1 else 0.0

    def error(self, name: str) -> float | None:
        """The standard error of the mean; None for one conversation."""
        return self.deviation(name) / math.sqrt(self.count) if self.count > 1 else None


def logged_parts(
    connection: DuckDBPyConnection, by: By, where: Sequence[Filter], since: date | None, until: date | None
) -> list[LoggedPart]:
    """The parts of a store's calls of those days (UTC), most calls first. Raises CostsimError where there is none."""
    hold_conditions(connection, where)
    sql = files(__package__).joinpath("turns.sql").read_text().format(name=NAMES[by], where=_met(where), **CLASSES)
    connection.execute(sql, {"since": since, "until": until})
    first, last = connection.execute(SPAN).fetchone() or (None, None)
    if first is None or last is None:
        chosen = ", ".join(map(str, where))
        raise CostsimError(f"the store has no single call{f' of {chosen}' if chosen else ''}; load a log that has them")
    days = (max(last, until or last) - min(first, since or first)).days + 1
    abouts, growths, spreads = (_rows(connection, sql) for sql in (PARTS, GROWTH, SPREADS))
    gaps: dict[int, list[tuple[str, int, float]]] = {}
    for part, bucket, turns, read in connection.execute(GAPS).fetchall():
        gaps.setdefault(part, []).append((BUCKETS[bucket], turns, read))
    found = connection.execute(SESSIONS).fetchnumpy()
    parts = [
        LoggedPart(about, dict(_of(found, part)), growths.get(part, {}), spreads[part], gaps.get(part, []), days)
        for part, about in abouts.items()
    ]
    return sorted(parts, key=lambda part: -part.about["calls"])


def _rows(connection: DuckDBPyConnection, sql: str) -> dict[int, dict[str, Any]]:
    """Each part's row, by its number."""
    answer = connection.execute(sql)
    names = [column[0] for column in answer.description or ()]
    return {row[0]: dict(zip(names, row, strict=True)) for row in answer.fetchall()}


def _of(found: dict[str, Any], part: int) -> Iterator[tuple[str, Floats]]:
    chosen = np.asarray(found["part"]) == part
    for name, values in found.items():
        if name != "part":
            yield name, np.asarray(values, dtype=np.float64)[chosen]


def _met(where: Sequence[Filter]) -> str:
    """The SQL of the conditions over calls. Raises CostsimError for a dimension that calls cannot be chosen by."""
    return " AND ".join(_condition(n, condition.name) for n, condition in enumerate(where)) or "TRUE"


def _condition(number: int, name: str) -> str:
    from ...documents import did_you_mean

    if name not in CHOOSABLE:
        raise CostsimError(f"cannot choose by {name!r}{did_you_mean(name, list(CHOOSABLE))}")
    pattern, value = f"getvariable('where_{number}')", f"coalesce(nullif({CHOOSABLE[name]}, ''), '{UNATTRIBUTED}')"
    values = [value, *(("coalesce(provider, '') || '/' || coalesce(model, '')",) if name == "model" else ())]
    return "(" + " OR ".join(f"{value} = {pattern} OR {value} GLOB {pattern}" for value in values) + ")"
