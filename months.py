"""Calendar spans: months by name or by a day in them, and the moments that bound a span of days (UTC)."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from .errors import CostsimError

WRITTEN = re.compile("[0-9]{4}-[0-9]{2}")
YEARS = range(1971, 3000)
"""Of the days and months that are asked for: calendars end, and a slip of the pen is no year 20026."""


def month_span(month: str) -> tuple[date, date]:
    """The first and last day of a month written 2026-10. Raises CostsimError, also for one out of YEARS."""
    try:
        first = date.fromisoformat(f"{month}-01" if WRITTEN.fullmatch(month) else "")
    except ValueError:
        raise CostsimError(f"{month!r} is not a month; write it as 2026-10") from None
    if first.year not in YEARS:
        raise CostsimError(f"{month!r} is out of bounds; give a month from {YEARS[0]} to {YEARS[-1]}")
    return month_bounds(first)


def month_bounds(day: date) -> tuple[date, date]:
    """The first and the last day of the month that `day` lies in."""
    first = day.replace(day=1)
    return first, (first + timedelta(31)).replace(day=1) - timedelta(1)


def moments(since: date | None, until: date | None) -> tuple[datetime | None, datetime | None]:
    """The first moment of `since` and the one after the last of `until`; None without bound."""
    return (
        datetime.combine(since, time()) if since else None,
        datetime.combine(until, time()) + timedelta(days=1) if until and until < date.max else None,
    )


def span_words(first: date, last: date) -> str:
    """Days as people write them: 10 Feb 2026; 10 to 12 Feb 2026; 30 Jan to 2 Feb 2026; 30 Dec 2025 to 2 Jan 2026."""
    end = f"{last.day} {last:%b} {last.year}"
    if first == last:
        return end
    if first.year != last.year:
        return f"{first.day} {first:%b} {first.year} to {end}"
    return f"{first.day} to {end}" if first.month == last.month else f"{first.day} {first:%b} to {end}"


def is_of_a_machine(zone: str) -> bool:
    """Whether a time zone that this machine has is no IANA zone: its own, a placeholder, or one with leap seconds."""
    return zone in ("localtime", "posixrules", "Factory") or zone.startswith(("posix/", "right/"))
