"""The logs beside an SQLite database: new rows stand in its write-ahead log only; what its journal holds takes back
writes of a transaction that was not completed."""

from __future__ import annotations

import os
import shutil
import stat as kinds
import time
from contextlib import suppress
from pathlib import Path

from ..errors import ChangingError
from .file_names import real

ATTEMPTS = 10
PAUSE_SECONDS = 0.01  # one more of it before each attempt: half a second in all
CHANGING = f"its program changed the file at each of {ATTEMPTS} attempts to copy it; load it again"
HEAD_BYTES = 100  # of a database: SQLite's header, with the counter of its changes
JOURNAL_HEAD = slice(12, 28)  # the number that each journal draws, and the sizes; the count of its rows comes before
WAL_HEAD = slice(0, 32)  # with the number of its beginnings, and what each draws
LOGS = ("-wal", "-journal")
TEXTS = (".jsonl", ".json", ".ndjson", ".csv", ".gz", ".zst")  # never a database


def log_beside(path: str) -> Path | None:
    """The log of an SQLite database without which it does not say what is in it."""
    if path.endswith(TEXTS):
        return None
    return next((log for ending in LOGS if (log := Path(real(path) + ending)) and _holds_rows(log)), None)


def _holds_rows(log: Path) -> bool:
    """Whether it may be a log: no pipe in its place, which would be waited for."""
    with suppress(OSError):
        looked = log.stat()
        return kinds.S_ISREG(looked.st_mode) and looked.st_size > 0
    return False


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
    """Copy a database and its log as they were at one time: again where its program moved rows between them.

    Raises ChangingError where it does so without a pause.
    """
    path = Path(real(str(path)))
    for attempt in range(ATTEMPTS):
        time.sleep(attempt * PAUSE_SECONDS)
        before = _state(path)
        shutil.copyfile(path, target)
        for ending in LOGS:
            log = Path(f"{target}{ending}")
            log.unlink(missing_ok=True)  # of an earlier copy
            if _holds_rows(Path(f"{path}{ending}")):
                with suppress(FileNotFoundError):
                    shutil.copyfile(f"{path}{ending}", log)
        if _state(path) == before:
            return
    raise ChangingError(CHANGING, file=str(path))


def _state(path: Path) -> object:
    """What is the same before and after a copy that holds a database at one time.

    While a transaction has its journal, that has all that the transaction replaces in the database, and takes it back
    in the copy, whatever is written meanwhile. Else the database itself must stay as it is; what is added to its
    write-ahead log meanwhile is in the copy or not, but the log must not begin anew.
    """
    looked = path.stat()
    if journal := _begins(f"{path}-journal", JOURNAL_HEAD):
        return looked.st_ino, journal
    head = _begins(str(path), slice(0, HEAD_BYTES))
    return looked.st_ino, looked.st_size, looked.st_mtime_ns, looked.st_ctime_ns, head, _begins(f"{path}-wal", WAL_HEAD)


def _begins(path: str, place: slice) -> bytes | None:
    """What a file has at its beginning and keeps while rows are added to it; None of a log that holds nothing."""
    if not _holds_rows(Path(path)):
        return None
    with suppress(FileNotFoundError), Path(path).open("rb", buffering=0) as stream:
        found = stream.read(place.stop)
        return found[place] if found[:8] != bytes(8) else None
    return None
