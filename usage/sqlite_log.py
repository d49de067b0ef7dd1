"""The write-ahead log beside an SQLite database that its program has open: what is new stands there only."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

ATTEMPTS = 5
TEXTS = (".jsonl", ".json", ".ndjson", ".csv", ".gz", ".zst")  # never a database


def log_beside(path: str) -> Path | None:
    """The write-ahead log of an SQLite database that its program has open: its newest rows are there only."""
    if path.endswith(TEXTS):
        return None
    log = Path(f"{path}-wal")
    with suppress(OSError):
        return log if log.stat().st_size else None
    return None


def written_at(path: str, stat: os.stat_result) -> int:
    """When a file, or the log beside a database, was last written to: Unix time in nanoseconds."""
    log = log_beside(path)
    with suppress(OSError):
        return max(stat.st_mtime_ns, log.stat().st_mtime_ns) if log else stat.st_mtime_ns
    return stat.st_mtime_ns


def copy_database(path: Path, target: Path) -> None:
    """Copy a database and its log as they were at one time: again where its program moved rows between them."""
    for _ in range(ATTEMPTS):
        before = path.stat()
        shutil.copyfile(path, target)
        with suppress(FileNotFoundError):
            shutil.copyfile(f"{path}-wal", f"{target}-wal")
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return
        Path(f"{target}-wal").unlink(missing_ok=True)
