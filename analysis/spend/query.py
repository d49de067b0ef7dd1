"""What spend can be asked: the dimensions it is grouped by and limited to, and the SQL of each.

    Query(("day", "tags.env"), where=parse_where(["agent=cto,model=*opus*"]), top=5)

A dimension of `SUMMED` is a column of the rollup. The others (`OF_CALLS`, and any `tags.NAME`) few questions need: they
are summed from the calls when they are asked for. A call that a dimension says nothing of is `unattributed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cached_property
from typing import TYPE_CHECKING

from ...errors import CostsimError
from ...usage.reader import identifier
from ...usage.tags import TAG, tag_value

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

UNATTRIBUTED = "unattributed"
OTHERS = "others"
OWNERS = ("component", "agent", "task", "session", "user", "team", "project", "repository", "branch")
"""Whose a call is; `tags.NAME` too."""
TIMES = {
    "hour": "strftime(local_hour, '%Y-%m-%d %H:00')",
    "day": "shown_day",
    "week": "strftime(shown_day, '%G-W%V')",
    "month": "strftime(shown_day, '%Y-%m')",
}
SUMMED = {
    **{name: sql for name, sql in TIMES.items() if name != "hour"},
    "component": "component",
    "agent": "agent",
    "task": "task",
    "model": "coalesce(priced_provider || '/' || priced_model, model, '')",
    "provider": "coalesce(priced_provider, provider, '')",
    "class": "token_class",
    "source": "source",
    "processing": "processing",
    "status": "status",
}
"""Dimensions of the rollup, and the SQL of them; `model` is the priced name where there is one."""
OF_CALLS = {"hour": TIMES["hour"]} | {name: f'"{name}"' for name in OWNERS if name not in SUMMED}
"""Dimensions that are summed from the calls, and the SQL of them."""
DIMENSIONS = SUMMED | OF_CALLS
PRICED = ("model", "provider", "class", *TIMES)
"""What no call holds before it is priced and placed in time."""


def is_of_calls(name: str) -> bool:
    """Whether a dimension is in no rollup."""
    return name in OF_CALLS or name.startswith(TAG)


def key_of(name: str) -> str:
    """The SQL of a dimension's value, as a text: over the rows of the ledger, or of the calls for one of `OWNERS`.

    Names come from DIMENSIONS, or are quoted.
    """
    sql = DIMENSIONS.get(name) or identifier(name)
    if name in OWNERS or name.startswith(TAG):
        return f"coalesce(nullif({sql}, ''), '{UNATTRIBUTED}')"
    return f"({sql})::VARCHAR"


@dataclass(frozen=True)
class Filter:
    """A condition: a dimension's value is `pattern`, or matches it as a glob."""

    name: str
    pattern: str

    def __str__(self) -> str:
        return f"{self.name}={self.pattern}"

    def holds(self, value: str) -> bool:
        """Whether a value meets it."""
        return value == self.pattern or (self.is_glob and fnmatchcase(value, self.pattern))

    @cached_property
    def is_glob(self) -> bool:
        """Whether it may match other values than its own."""
        return any(character in self.pattern for character in "*?[")


@dataclass(frozen=True)
class Query:
    """What to show: grouped `by` dimensions, of the days from `since` to `until`, both included.

    `reprice` prices all tokens at that day's prices too, beside those of their own time. Days and months are those of
    `tz`, an IANA name; prices are of each call's own moment all the same. All conditions `where` must hold. `top` keeps
    so many of the most expensive groups apart (in every day, week, month or hour that is grouped by), and those that
    are unattributed; the rest become one row of `others`.
    """

    by: tuple[str, ...] = ("day",)
    since: date | None = None
    until: date | None = None
    reprice: date | None = None
    tz: str = "UTC"
    where: tuple[Filter, ...] = ()
    top: int | None = None

    @property
    def utc_days(self) -> tuple[date | None, date | None]:
        """The days in UTC, where they are days of UTC."""
        return (self.since, self.until) if self.tz == "UTC" else (None, None)

    @property
    def names(self) -> tuple[str, ...]:
        """The dimensions that it needs, to group by or to choose."""
        return tuple(dict.fromkeys((*self.by, *(condition.name for condition in self.where))))

    @property
    def needs_calls(self) -> bool:
        """Whether the rollup has not all of its dimensions."""
        return any(map(is_of_calls, self.names))

    @property
    def needs_classes(self) -> bool:
        """Whether costs are wanted by token class."""
        return "class" in self.names

    def check(self) -> None:
        """Raises CostsimError on an unknown dimension or time zone, reversed days, or no group to keep."""
        if self.tz != "UTC":
            _check_time_zone(self.tz)
        for name in self.by:
            _check_name(name, "group by")
        for condition in self.where:
            _check_name(condition.name, "choose by")
        if self.since and self.until and self.until < self.since:
            raise CostsimError(f"until {self.until} is before since {self.since}")
        if self.top is not None and self.top < 1:
            raise CostsimError(f"top {self.top} keeps no group; give 1 or more")


def parse_by(text: str) -> tuple[str, ...]:
    """The dimensions of `day,model`. Raises CostsimError where it names none."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if text and not names:
        raise CostsimError(f"--by names nothing to group by: {text!r}")
    return names


def parse_where(texts: Sequence[str]) -> tuple[Filter, ...]:
    """The conditions of texts such as `agent=cto,model=*opus*`. Raises CostsimError."""
    parts = [part for text in texts for part in text.split(",")]
    for part in parts:
        if not part.partition("=")[0].strip() or "=" not in part:
            raise CostsimError(f"--where {part!r}: write NAME=VALUE, such as agent=cto or model=*opus*")
    return tuple(Filter(name.strip(), value.strip()) for name, _, value in (part.partition("=") for part in parts))


def _check_name(name: str, use: str) -> None:
    from ...documents import did_you_mean

    if name not in DIMENSIONS and not (name.startswith(TAG) and name != TAG):
        raise CostsimError(f"cannot {use} {name!r}{did_you_mean(name, [*DIMENSIONS, f'{TAG}NAME'])}")


def _check_time_zone(name: str) -> None:
    from zoneinfo import available_timezones

    from ...documents import did_you_mean
    from ...months import is_of_a_machine

    known = {zone for zone in available_timezones() if not is_of_a_machine(zone)}
    if name not in known:
        raise CostsimError(f"there is no time zone {name!r}{did_you_mean(name, sorted(known))}")


def hold_conditions(connection: DuckDBPyConnection, where: Sequence[Filter]) -> None:
    """Keep the patterns in the session, where the SQL of `met` finds them: a view takes no parameters."""
    for number, condition in enumerate(where):
        connection.execute(f"SET VARIABLE where_{number} = ?", [condition.pattern])


def met(where: Sequence[Filter], names: Sequence[str]) -> str:
    """The SQL of those of the conditions that are on one of `names`."""
    held = [(n, condition) for n, condition in enumerate(where) if condition.name in names]
    return " AND ".join(_met(n, condition.name) for n, condition in held) or "TRUE"


def _met(number: int, name: str) -> str:
    pattern = f"getvariable('where_{number}')"
    values = [key_of(name), *(("coalesce(model, '')",) if name == "model" else ())]
    return "(" + " OR ".join(f"{value} = {pattern} OR {value} GLOB {pattern}" for value in values) + ")"


def call_columns(query: Query) -> dict[str, str]:
    """The columns that calls are to be given for the query, beside their own, and the SQL of each."""
    return {name: tag_value(name) for name in query.names if name.startswith(TAG)}
