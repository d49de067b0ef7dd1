"""When runs happen: cron expressions in a time zone, unfolded into instants.

Semantics are cronsim's, which are those of Debian's cron: on the days on which clocks change, a wildcard job
(`*/30`) runs in real time, 46 or 50 half-hours, and a job at a fixed time runs once, at the end of the gap where its
time does not exist, be that on the next day. (Where clocks change by half an hour, cronsim leaves the full hours after
it out of wildcard jobs until it meets another day; they count here.) Instants are UTC minutes since 1970 (int64), so
that a year of a minutely cron is one array.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from cronsim import CronSim, CronSimError

from ...months import is_of_a_machine

MAX_CHARACTERS = 500
_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_LIMITS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day-of-month": (1, 31),
    "month": (1, 12),
    "day-of-week": (0, 7),
}


def parse_cron(expression: str) -> str:
    """The five-field form of a cron expression. Raises ValueError that says which field is wrong."""
    if len(expression) > MAX_CHARACTERS:
        raise ValueError(
            f'"{expression[:20]}…" is not a cron expression: it is longer than {MAX_CHARACTERS} characters'
        )
    fields = _MACROS.get(expression.strip().lower(), expression).split()
    if len(fields) != 5:
        raise ValueError(f'"{expression}" is not a cron expression: it has {len(fields)} fields, not 5')
    for (name, (_, last)), text in zip(_LIMITS.items(), fields, strict=True):
        too_far = next((n for n in re.findall(r"/(\d+)", text) if int(n) > last), None)
        if too_far:  # cronsim takes it and fires on the first value only, which nobody means
            raise ValueError(f'"{expression}" is not a cron expression: {name} step {too_far} is past {last}')
    try:
        CronSim(" ".join(fields), datetime(2026, 1, 1))
    except CronSimError as error:
        name = str(error).removeprefix("Bad ").strip()
        allowed = " ({} to {})".format(*_LIMITS[name]) if name in _LIMITS else ""
        raise ValueError(f'"{expression}" is not a cron expression: bad {name}{allowed}') from None
    return " ".join(fields)


def time_zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises ValueError."""
    try:
        if is_of_a_machine(name):
            raise ValueError(name)
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write it like Europe/Berlin or UTC") from None


def day_edges(start: date, days: int, zone: tzinfo) -> np.ndarray:
    """The `days + 1` midnights that bound the days, as UTC minutes: int64, ascending, 23 to 25 hours apart."""
    midnights = (datetime(start.year, start.month, start.day, tzinfo=zone) + timedelta(days=n) for n in range(days + 1))
    return np.array([_minute(moment) for moment in midnights], dtype=np.int64)


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def moment(utc_minute: int) -> datetime:
    """The UTC instant of a minute since 1970."""
    return datetime.fromtimestamp(utc_minute * 60, UTC)


@lru_cache(maxsize=4096)
def fire_times(expression: str, zone: ZoneInfo, first: int, last: int) -> np.ndarray:
    """The UTC minutes in [first, last) at which the cron fires: int64, ascending."""
    start = moment(first).astimezone(zone).date() - timedelta(days=1)
    days = (last - first) // 1440 + 3
    edges = day_edges(start, days + 1, zone)
    pattern = _day_pattern(expression)
    matching = _matching_days(expression, start, days)
    pieces = [
        edges[n] + pattern
        if edges[n + 1] - edges[n] == 1440
        else _changing_day(expression, zone, (int(edges[n]), int(edges[n + 1])), start + timedelta(days=n), matching)
        for n in range(days)
        if start + timedelta(days=n) in matching or edges[n + 1] - edges[n] != 1440
    ]
    minutes = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64)
    minutes = minutes[np.diff(minutes, prepend=-1) > 0]  # the end of a gap at midnight may be of both its days
    return minutes[(minutes >= first) & (minutes < last)]


def _day_pattern(expression: str) -> np.ndarray:
    """The minutes of an ordinary 24-hour day at which the cron fires, if the day matches."""
    cron = CronSim(expression, datetime(2026, 1, 1))
    return np.array(sorted(60 * hour + minute for hour in cron.hours for minute in cron.minutes), dtype=np.int64)


def _matching_days(expression: str, start: date, days: int) -> set[date]:
    _, _, *day_fields = expression.split()
    midnight = datetime(start.year, start.month, start.day)
    cron = CronSim(f"0 0 {' '.join(day_fields)}", midnight - timedelta(minutes=1))
    found: set[date] = set()
    for moment in cron:
        if moment >= midnight + timedelta(days=days):
            break
        found.add(moment.date())
    return found


def _changing_day(
    expression: str, zone: ZoneInfo, edges: tuple[int, int], day: date, matching: set[date]
) -> np.ndarray:
    """A day on which clocks change, between its `edges`. The local date decides, so the hour repeated counts."""
    instants = np.arange(edges[0], edges[1] + 1, dtype=np.int64)
    clock = instants + np.array([_offset(int(at), zone) for at in instants], dtype=np.int64)
    pattern = _day_pattern(expression)
    if any(field.startswith("*") for field in expression.split()[:2]):
        shown = sorted(matching & {day + timedelta(days=n) for n in (-1, 0, 1)})
        allowed = np.concatenate([pattern[:0], *(_clock_midnight(on) + pattern for on in shown)])
        return instants[:-1][np.isin(clock[:-1], allowed)]
    if day not in matching:
        return instants[:0]
    reached = np.maximum.accumulate(clock)  # a time that does not exist is reached at the end of the gap
    return instants[np.searchsorted(reached, _clock_midnight(day) + pattern)]


def _offset(utc_minute: int, zone: ZoneInfo) -> int:
    """How many minutes the zone's clocks are ahead of UTC."""
    return int((moment(utc_minute).astimezone(zone).utcoffset() or timedelta(0)).total_seconds() // 60)


def _clock_midnight(day: date) -> int:
    """The minute since 1970 that a clock shows at a day's midnight."""
    return 1440 * (day - date(1970, 1, 1)).days


def runs_by_day(instants: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many instants fall on each of the `len(edges) - 1` days: int64."""
    positions = np.searchsorted(instants, edges)
    return np.diff(positions)
