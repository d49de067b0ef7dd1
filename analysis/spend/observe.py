"""From logs to an architecture: what ran, how often at which hour of the week, with which tokens.

A projection then starts from facts: each component, task and model of the store becomes a component whose rates
are the sessions (calls, where there are none) that a logged hour of the week had on average, and whose runs are drawn
from its own. How much runs
on each day to come, in all, is for the forecast to say (`forecast:` in the file).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import CostsimError
from ...usage.attribution import UNATTRIBUTED
from ..architecture.amounts import WEEKDAYS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

NAMELESS = ("other", UNATTRIBUTED)
"""Components whose names say nothing: those of calls that no rule, or only the last one, attributes."""
MAX_NAME = 180
"""Characters of a component's or an architecture's name; with the number that tells two apart, a file takes 200."""
_DATE = re.compile(r"[-@](?:20\d{6}|20\d\d-\d\d-\d\d)$")
PLACES = Decimal("0.000000001")

CALLS = """
WITH call AS (
    SELECT
        component,
        coalesce(agent, '') AS agent,
        coalesce(task, '') AS task,
        coalesce(provider, '') AS provider,
        coalesce(model, '') AS model,
        session,
        CASE WHEN session IS NULL THEN event_id END AS alone,
        timezone($zone, timezone('UTC', ts)) AS instant
    FROM usage_event
    WHERE covered_by IS NULL AND NOT aggregated AND request = 1 AND instant::DATE BETWEEN $first AND $last
),
part AS (
    SELECT *, count(*) OVER (PARTITION BY component, agent, task, provider, model, session, alone) AS of_session
    FROM call
)
SELECT
    component, agent, task, provider, model,
    isodow(instant)::INTEGER - 1 AS weekday,
    hour(instant)::INTEGER AS hour,
    count(*) AS calls,
    sum(1 / of_session) AS runs,
    bool_or(session IS NOT NULL) AS in_sessions
FROM part
GROUP BY ALL
ORDER BY component, agent, task, provider, model, weekday, hour
"""
"""Calls and runs: a session (its calls of one component, agent, task and model) is a run, shared among their hours."""
SPAN = """
SELECT min(timezone($zone, timezone('UTC', ts)))::DATE, max(timezone($zone, timezone('UTC', ts)))::DATE
FROM usage_event WHERE covered_by IS NULL AND NOT aggregated AND request = 1
"""

Key = tuple[str, str, str, str, str]


@dataclass
class Observed:
    """What a store shows of one component: runs by weekday (0: Monday) and hour, and whether these are sessions."""

    runs: dict[tuple[int, int], Decimal] = field(default_factory=dict)
    calls: int = 0
    in_sessions: bool = False


def observed_architecture(
    connection: DuckDBPyConnection, store: Path, name: str, since: date | None = None, until: date | None = None
) -> dict[str, Any]:
    """The architecture file, as data, of what an open store holds of the days (UTC) from `since` to `until`.

    `store` is its path as the file should have it: absolute, or relative to the architecture's folder.
    Raises CostsimError where these hold no calls.
    """
    timezone = "UTC"
    first, last = connection.execute(SPAN, {"zone": timezone}).fetchone() or (None, None)
    if first is None or last is None:
        raise CostsimError(f"{store}: the store holds no single calls; load a log that has them")
    if (since and since > last) or (until and until < first):
        raise CostsimError(f"{store}: no single call is of those days; the store has {first} to {last}")
    first, last = max(first, since or first), min(last, until or last)
    weeks = _weekdays(first, last)
    rates: dict[Key, Observed] = {}
    for *key, weekday, hour, calls, runs, in_sessions in connection.execute(
        CALLS, {"zone": timezone, "first": first, "last": last}
    ).fetchall():
        seen = rates.setdefault((key[0], key[1], key[2], key[3], key[4]), Observed())
        seen.runs[weekday, hour] = Decimal(runs)
        seen.calls += calls
        seen.in_sessions |= in_sessions
    if not rates:
        raise CostsimError(f"{store}: no single call is from {first} to {last}")
    names = component_names(list(rates))
    span = {key: day.isoformat() for key, day in (("since", since), ("until", until)) if day}
    return {
        "name": name[:MAX_NAME],
        "description": f"As logged from {first} to {last}",
        "timezone": timezone,
        "model_routing": _routing(rates),
        "forecast": {"store": str(store), **span},
        "components": [_component(names[key], key, seen, weeks, store, span) for key, seen in rates.items()],
    }


def _weekdays(first: date, last: date) -> Counter[int]:
    """How often each weekday is in the log's span, first and last day included."""
    return Counter((first + timedelta(days=n)).weekday() for n in range((last - first).days + 1))


def component_names(keys: Sequence[Key]) -> dict[Key, str]:
    """The component's own name where it is enough, else with what distinguishes those of one component.

    `code_review` of the component `other` on two models is `code_review-claude-haiku-4-5` and so on: no agent where all
    have the same, no date of a model, no spaces (names stand in options, as in --scale NAME=2).
    """
    groups: dict[str, list[Key]] = {}
    for key in keys:
        groups.setdefault(key[0], []).append(key)
    named: dict[Key, str] = {}
    taken: set[str] = set()
    numbers: Counter[str] = Counter()
    for component, group in groups.items():
        differs = [len({other[place] for other in group}) > 1 for place in (2, 1, 4)]
        for key in group:
            name = own = _readable(component, key, len(group) > 1, differs)
            while name in taken:
                numbers[own] += 1
                name = f"{own}-#{numbers[own] + 1}"
            taken.add(name)
            named[key] = name
    return named


def _readable(component: str, key: Key, several: bool, differs: Sequence[bool]) -> str:
    """The component, then its task, agent and model as far as the group differs in them; no longer than a file takes.

    `differs` says so of tasks, agents and models.
    """
    if not several:
        return component[:MAX_NAME]
    _, agent, task, _, model = key
    parts = (task, agent, _DATE.sub("", model.rpartition("/")[2]))
    apart = [part for part, needed in zip(parts, differs, strict=True) if part and needed]
    if component in NAMELESS and task and task not in apart:
        apart.insert(0, task)
    names = apart if component in NAMELESS and apart else [component, *apart]
    return "-".join("-".join(part.split()) for part in names)[:MAX_NAME]


def _routing(rates: Mapping[Key, Observed]) -> dict[str, str]:
    """Each task on the model that served it most; the fallback is the model that served most of all."""
    by_task: dict[str, Counter[str]] = {}
    for key, seen in rates.items():
        _, _, task, provider, model = key
        full = reference(provider, model)
        for name in {task or "fallback", "fallback"}:
            by_task.setdefault(name, Counter())[full] += seen.calls
    return {task: served.most_common(1)[0][0] for task, served in by_task.items()}


def reference(provider: str, model: str) -> str:
    """The model as an architecture names it: `provider/model`."""
    return model if not provider or model.startswith(f"{provider}/") else f"{provider}/{model}"


def _component(
    name: str, key: Key, seen: Observed, weeks: Counter[int], store: Path, span: dict[str, str]
) -> dict[str, Any]:
    _, agent, task, provider, model = key
    where = dict(zip(("component", "agent", "task", "provider", "model"), key, strict=True))
    by = {"by": "session"} if seen.in_sessions else {}
    return {
        "name": name,
        "agent": agent or "unassigned",
        "task": task or "fallback",
        "model": reference(provider, model),
        "runs_per_day": {"hourly": _hourly(seen.runs, weeks)},
        "tokens": {"from_usage": {"store": str(store), "where": where, **span, **by}},
    }


def _hourly(runs: Mapping[tuple[int, int], Decimal], weeks: Counter[int]) -> dict[str, list[float]]:
    """Runs per hour of each weekday, on average over the log's weeks, to a billionth.

    A weekday that the logs do not span runs like the average of the days that they do: unseen is not idle.
    """
    days = sum(weeks.values())
    usual = [_mean(sum(runs.get((day, hour), NONE) for day in range(7)), days) for hour in range(24)]
    seen = {day for day, _ in runs}
    found: dict[str, list[float]] = {}
    for day in range(7):
        if day in seen:
            found[WEEKDAYS[day]] = [_mean(runs.get((day, hour), NONE), weeks[day]) for hour in range(24)]
        elif day not in weeks:
            found[WEEKDAYS[day]] = [*usual]
    return found


NONE = Decimal(0)


def _mean(runs: Decimal | int, days: int) -> float:
    return float((Decimal(runs) / days).quantize(PLACES).normalize())
