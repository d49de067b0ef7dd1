"""The logs beside an SQLite database: new rows stand in its write-ahead log only; what its journal holds takes back
writes of a transaction that was not completed."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

ATTEMPTS = 5
LOGS = ("-wal", "-journal")
TEXTS = (".jsonl", ".json", ".ndjson", ".csv", ".gz", ".zst")  # never a database


def log_beside(path: str) -> Path | None:
    """The log of an SQLite database without which it does not say what is in it."""
    if path.endswith(TEXTS):
        return None
    for ending in LOGS:
        log = Path(path + ending)
        with suppress(OSError):
            if log.stat().st_size:
                return log
    return None


def written_at(path: str, stat: os.stat_result) -> int:
    """When a file, or the log beside a database, was last written to: Unix time in nanoseconds."""
    log = log_beside(path)
    with suppress(OSError):
        return max(stat.st_mtime_ns, log.stat().st_mtime_ns) if log else stat.st_mtime_ns
    return stat.st_mtime_ns


def changed_at(path: str, stat: os.stat_result) -> int:
    """A number that is another after every change of a file, and of the log beside a database: of their `ctime`."""
    log = log_beside(path)
    with suppress(OSError):
        return stat.st_ctime_ns + log.stat().st_ctime_ns if log else stat.st_ctime_ns
    return stat.st_ctime_ns


def copy_database(path: Path, target: Path) -> None:
    """Copy a database and its log as they were at one time: again where its program moved rows between them."""
    for _ in range(ATTEMPTS):
        before = path.stat()
        shutil.copyfile(path, target)
        for ending in LOGS:
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{ending}", f"{target}{ending}")
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns):
            return
        for ending in LOGS:
            Path(f"{target}{ending}").unlink(missing_ok=True)
