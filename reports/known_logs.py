"""The logs of coding agents on this machine, as lines of text: what `costsim load` without a path prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..usage.known_logs import KnownLogs

HEAD = ("agent", "files", "size", "first", "last", "folder")
NONE = "No log of a known coding agent is on this machine; give a file or folder: costsim load PATH"
UNITS = ("B", "kB", "MB", "GB", "TB")


def lines(found: Sequence[KnownLogs], home: Path) -> list[str]:
    """A table of what is there; of what repeats another's calls, a line that says so."""
    if not found:
        return [NONE]
    rows = [HEAD, *(_row(logs, home) for logs in found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(HEAD) - 1)]
    table = [
        "  ".join([*(cell.ljust(width) if place in (0, 3, 4) else cell.rjust(width)
                     for place, (cell, width) in enumerate(zip(row, widths, strict=False))), row[-1]])
        for row in rows
    ]  # fmt: skip
    return [*table, *(_repeats(logs) for logs in found if logs.repeats)]


def _row(logs: KnownLogs, home: Path) -> tuple[str, ...]:
    folder = f"~/{logs.folder.relative_to(home)}" if logs.folder.is_relative_to(home) else str(logs.folder)
    days = (f"{day:%Y-%m-%d}" for day in (logs.first, logs.last))
    return (logs.agent, f"{len(logs.files):,}", size(logs.bytes), *days, folder)


def _repeats(logs: KnownLogs) -> str:
    return f"{logs.agent} may repeat calls of {logs.repeats}: --all leaves it; load it by its path if it does not"


def size(count: int) -> str:
    """Bytes in a few characters: 812 B, 3.4 MB."""
    amount, steps = float(count), 0
    while amount >= 1000 and steps < len(UNITS) - 1:
        amount, steps = amount / 1000, steps + 1
    return f"{amount:.{min(steps, 1)}f} {UNITS[steps]}"
