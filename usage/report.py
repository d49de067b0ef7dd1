"""What a load did, for programs and for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SHOWN = 5


@dataclass
class FileReport:
    """One file: `entries` are calls found in it, repeated ones included; `unchanged` was loaded before as it is."""

    path: str
    reader: str
    entries: int = 0
    added: int = 0
    rejected: int = 0
    unchanged: bool = False


@dataclass
class LoadReport:
    """What a load did. `repeated` entries are calls that were known already, from this or another file."""

    files: list[FileReport] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    first_rejects: list[str] = field(default_factory=list)
    attributed: int = 0
    withdrawn: int = 0  # calls that a file told when it was read otherwise, and tells no more

    def total(self, name: str) -> int:
        """The sum of `entries`, `added` or `rejected` over all files."""
        return sum(getattr(file, name) for file in self.files)

    def lines(self) -> list[str]:
        """The report as people read it."""
        unchanged = sum(file.unchanged for file in self.files)
        read = [file for file in self.files if not file.unchanged]
        formats = sorted({file.reader for file in read})
        said = [f"{len(read):,} files read ({', '.join(formats)})" if read else "no new file"]
        said += [f"{unchanged:,} unchanged"] if unchanged else []
        named = [Path(path).name for path in self.skipped[:SHOWN]] + ["…"] * (len(self.skipped) > SHOWN)
        skipped = f"{len(self.skipped):,} skipped, no known log: {', '.join(named)} (a table of yours needs --map)"
        said += [skipped] if self.skipped else []
        added, entries = self.total("added"), self.total("entries")
        calls = f"{added:,} new calls, {entries - added:,} entries of calls known already"
        rejected = self.total("rejected")
        bad = [f"{rejected:,} lines rejected (table reject), the first:", *self.first_rejects] if rejected else []
        broken = [f"{len(self.unreadable):,} files cannot be read:", *self.unreadable] if self.unreadable else []
        moved = [f"{self.attributed:,} calls attributed by the rules"] if self.attributed else []
        fewer = (
            [f"{self.withdrawn:,} calls of before withdrawn: their files do not tell them"] if self.withdrawn else []
        )
        return [", ".join(said), calls, *fewer, *moved, *bad, *broken]
