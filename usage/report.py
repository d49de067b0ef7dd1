"""What a load did; reports/loaded.py says it in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .signs import Sign
    from .unread import Unread


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
    sums: int = 0  # of the calls: sums that their source made
    summed: int = 0  # the calls that these say they are of
    billed: int = 0  # sums of bills
    future: str | None = None  # which calls of the files read lie in the future, in words
    file_ids: list[int] = field(default_factory=list)  # of the files read
    attributed: int = 0
    unread: list[Unread] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    updated: int = 0  # of the calls that the store had: those of which the files read say more, or something else
    withdrawn: int = 0  # calls from an earlier reading of the file that the current one does not contain

    def total(self, name: str) -> int:
        """The sum of `entries`, `added` or `rejected` over all files."""
        return sum(getattr(file, name) for file in self.files)

    @property
    def added_calls(self) -> int:
        """The calls that the store did not have; sums of bills are none."""
        return sum(file.added for file in self.files if file.role == "calls")
