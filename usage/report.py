"""What a load did, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ..plurals import counted
from .passed_over import line as passed_over_line
from .signs import Sign, named

if TYPE_CHECKING:
    from .unread import Unread

SHOWN = 5
UNREAD_SHOWN = 10
UNREAD_HINT = "  If costs are too low for it, report it; if it is no usage: costsim load --acknowledge FIELD"


@dataclass
class FileReport:
    """One file: `entries` are calls found in it, repeated ones included; `unchanged` was loaded before as it is."""

    path: str
    reader: str
    entries: int = 0
    added: int = 0
    rejected: int = 0
    unchanged: bool = False
    role: str = "calls"
    no_call: str = ""  # why the format can have none

    @property
    def without_call(self) -> str | None:
        """Why the file has no call, if it has none."""
        if self.entries or self.unchanged:
            return None
        return f"rejected: {self.rejected:,} of its lines" if self.rejected else self.no_call


@dataclass
class LoadReport:
    """What a load did: of the `entries` of the files read, each of the `calls` counts once; some were in the store."""

    files: list[FileReport] = field(default_factory=list)
    passed_over: dict[str, str] = field(default_factory=dict)  # files of folders that are no logs, with the reason
    unreadable: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)  # tables whose last row has no end yet, and is not counted
    first_rejects: list[str] = field(default_factory=list)
    entries: int = 0
    calls: int = 0
    billed: int = 0  # sums of bills
    file_ids: list[int] = field(default_factory=list)  # of the files read
    attributed: int = 0
    unread: list[Unread] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    withdrawn: int = 0  # calls from an earlier reading of the file that the current one does not contain

    def total(self, name: str) -> int:
        """The sum of `entries`, `added` or `rejected` over all files."""
        return sum(getattr(file, name) for file in self.files)

    @property
    def added_calls(self) -> int:
        """The calls that the store did not have; sums of bills are none."""
        return sum(file.added for file in self.files if file.role == "calls")

    @property
    def calls_line(self) -> str:
        """How many calls the files read have, and how many of them are new."""
        added = self.added_calls
        known = self.calls - added
        entries = counted(self.entries, "log entry", "log entries") if self.entries > self.calls else ""
        merged = f" ({entries}; streaming repeats merged)" if entries else ""
        billed = [counted(self.billed, "sum of bills", "sums of bills")] if self.billed else []
        if not self.calls:
            return ", ".join(billed) or "0 calls"
        found = f"{counted(added, 'new call')}, {counted(known, 'call was', 'calls were')} in the store already"
        found = found if known else counted(added, "call")
        return ", ".join([f"{found}{merged}", *billed])

    def lines(self, summary: Sequence[str] = ()) -> list[str]:
        """The report as people read it; `summary` says more of the calls than can be said without prices."""
        unchanged = sum(file.unchanged for file in self.files)
        read = [file for file in self.files if not file.unchanged]
        formats = sorted({file.reader for file in read})
        said = [f"{counted(len(read), 'file')} read ({', '.join(formats)})" if read else "no new file"]
        said += [f"{unchanged:,} unchanged"] if unchanged else []
        said += [passed_over_line(self.passed_over)] if self.passed_over else []
        rejected = self.total("rejected")
        bad = (
            [f"{counted(rejected, 'line')} rejected (table reject), the first:", *self.first_rejects]
            if rejected
            else []
        )
        broken = (
            [f"{counted(len(self.unreadable), 'file')} cannot be read:", *self.unreadable] if self.unreadable else []
        )
        waiting = [_waiting_line(self.waiting)] if self.waiting else []
        moved = [f"{counted(self.attributed, 'call')} attributed by the rules"] if self.attributed else []
        fewer = (
            [f"{counted(self.withdrawn, 'call')} loaded before withdrawn: the files no longer contain them"]
            if self.withdrawn
            else []
        )
        silent = [*_without_call(read), *_unread_lines(self.unread), *_contradictions(self.signs), *waiting]
        return [", ".join(said), *(summary or [self.calls_line]), *fewer, *moved, *silent, *bad, *broken]


def _without_call(read: Sequence[FileReport]) -> list[str]:
    """A line for each reason why files that were recognised have no call."""
    reasons: dict[str, list[str]] = {}
    for file in read:
        if why := file.without_call:
            reasons.setdefault(f"{file.reader}: {why}", []).append(Path(file.path).name)
    return [
        f"{counted(len(names), 'file')} without a call ({why}): "
        f"{', '.join(names[:SHOWN])}{', …' * (len(names) > SHOWN)}"
        for why, names in reasons.items()
    ]


def _waiting_line(files: Sequence[str]) -> str:
    named = ", ".join([Path(path).name for path in files[:SHOWN]] + ["…"] * (len(files) > SHOWN))
    return (
        f"NOT COUNTED YET: the last row of {counted(len(files), 'file')} ({named}) has no line end and "
        "may be half written; load again: it counts when it is ended, or where the file has not changed since"
    )


def _contradictions(found: Sequence[Sign]) -> list[str]:
    return [f"{sign.source}: {sign.message} ({Path(sign.path).name})" for sign in named(found)]


def _unread_lines(unread: Sequence[Unread]) -> list[str]:
    """A line for each kind of number that is not counted, over the files of this load."""
    kinds: dict[tuple[str, str], list[Unread]] = {}
    for found in unread:
        kinds.setdefault((found.source, found.field), []).append(found)
    lines = [_unread_line(source, field, parts) for (source, field), parts in kinds.items()]
    if not lines:
        return []
    more = [f"  and {len(lines) - UNREAD_SHOWN} more (table unread)"] if len(lines) > UNREAD_SHOWN else []
    return [
        "NOT COUNTED, or not at its own price, though it looks like usage:",
        *lines[:UNREAD_SHOWN],
        *more,
        UNREAD_HINT,
    ]


def _unread_line(source: str, name: str, parts: Sequence[Unread]) -> str:
    files, numbers = sum(part.files for part in parts), sum(part.occurrences for part in parts)
    total = short_amount(sum((part.total for part in parts), Decimal(0)))
    where = f"{Path(parts[0].path).name}{f':{parts[0].line}' if parts[0].line else ''}"
    of_files = counted(files, "file")
    return f"  {source}, {of_files}: `{name}` {parts[0].what}: {total} in {counted(numbers, 'place')} ({where})"


def short_amount(total: Decimal) -> str:
    """A sum of numbers whose unit is not known, in a few characters: 77, 1.2M, 0.0325."""
    for size, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**4, "k")):
        if abs(total) >= size:
            return f"{total / (1000 if letter == 'k' else size):,.1f}{letter}"
    return f"{total:,.6f}".rstrip("0").rstrip(".")
