"""One snapshot of each file: its length when it is opened is what is hashed, read and remembered.

A log may be written to while it is read. What is appended after the snapshot is left to the next load; where the file
changed in another way, it is copied and the copy is read: of lines, as many bytes as there were. A file that changes
while it is copied is copied again. A table's last row without its line end may be half written and look whole, so it
counts only once it has one, or where it still stands unchanged at the next load. A JSON object shows by itself whether
it is whole.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..csv_reading import FRESH_SECONDS
from ..errors import ChangingError, UsageLogError, is_full
from .bounded import bounded
from .fingerprint import begins_with, fingerprint
from .sqlite_log import ATTEMPTS, CHANGING, changed_at, copy_database, written_at
from .store import TO_BE_READ_AGAIN

if TYPE_CHECKING:
    from .files import Format, LogFile

FRESH_NS = FRESH_SECONDS * 10**9
CHUNK_BYTES = 64 * 1024


def looked_at(file: LogFile) -> LogFile:
    """The file as it is now. Raises UsageLogError where it has gone."""
    try:
        stat = os.stat(file.path)
    except OSError as error:
        if is_full(error):
            raise
        raise UsageLogError(f"the file cannot be read: {error.strerror}", file=file.shown) from None
    ctime_ns = changed_at(file.path, stat) if file.ctime_ns else 0
    now = replace(file, size=stat.st_size, mtime_ns=written_at(file.path, stat), ctime_ns=ctime_ns)
    return file if now == file else now


def settled(file: LogFile, format: Format, before: tuple[int, int] | None) -> LogFile:
    """The file without a last row that may be half written; `before` is the size and time that the store knows."""
    if not _is_table(format) or not is_fresh(file) or file.label == "stdin":
        return file
    end = _whole_lines(file.path, file.size)
    waited = before == (end, file.mtime_ns)
    return file if end in (0, file.size) or waited else replace(file, size=end, waits=True)


def _is_table(format: Format) -> bool:
    """Whether the last row of a file is to be seen in its own bytes."""
    return format.layout == "csv" and not format.packing and not format.reader.unfold


def is_fresh(file: LogFile) -> bool:
    """Whether a file was just written to, and may still be."""
    return time.time_ns() - file.mtime_ns < FRESH_NS


def time_to_keep(file: LogFile, waits: bool = False) -> int:
    """By which time a store knows a file: that of its last change, or one that no later look gives.

    Object stores and some disks (FAT, HFS+, some network drives) count whole seconds: what was just written may be
    other content of the same size and time by the next load, which therefore compares what it holds. One that `waits`
    is to be read again as it is.
    """
    if waits:
        return TO_BE_READ_AGAIN
    return file.mtime_ns - (file.mtime_ns % 10**9 == 0 and is_fresh(file))


def _whole_lines(path: str, size: int) -> int:
    """Where the last line of the first `size` bytes that has an end ends; 0 where none has."""
    place = size
    with Path(path).open("rb") as stream:
        while place:
            start = max(0, place - CHUNK_BYTES)
            stream.seek(start)
            if end := stream.read(place - start).rfind(b"\n") + 1:
                return start + end
            place = start
    return 0


def changed(file: LogFile) -> bool:
    """Whether the file is no longer what was looked at."""
    now = looked_at(file)
    return (now.size, now.mtime_ns, now.ctime_ns) != (file.size, file.mtime_ns, file.ctime_ns)


def copied(file: LogFile, format: Format, target: Path) -> LogFile:
    """Copy the snapshot of a file to `target`; the file as the copy has it, which may be another one by now.

    Raises UsageLogError where it cannot be read, or changes too fast.
    """
    try:
        if format.layout == "sqlite" and not format.packing:
            now = looked_at(file)
            copy_database(Path(file.path), target)
            return replace(now, size=target.stat().st_size)
        return _copied(file, format, target)
    except OSError as error:
        if is_full(error):
            raise
        raise UsageLogError(f"the file cannot be copied to be read: {error.strerror}", file=file.shown) from None


def _copied(file: LogFile, format: Format, target: Path) -> LogFile:
    lines = format.layout in ("ndjson", "csv") and not format.packing
    for _ in range(ATTEMPTS):
        now = looked_at(file)
        size = min(file.size, now.size) if lines else now.size
        with bounded(file.path, size) as stream, target.open("wb") as out:
            shutil.copyfileobj(stream, out, CHUNK_BYTES)
        if not changed(now) or _still_begins_with(file, target):
            return _settled_copy(now, format, target)
    raise ChangingError(CHANGING, file=file.shown)


def _still_begins_with(file: LogFile, copy: Path) -> bool:
    """Whether a file was no more than appended to while it was copied."""
    return begins_with(file.path, copy.stat().st_size, fingerprint(str(copy)).content_hash)


def _settled_copy(now: LogFile, format: Format, copy: Path) -> LogFile:
    """The file as a copy of its beginning has it, without a last row that may be half written, or goes on behind it."""
    size = copy.stat().st_size
    goes_on = now.size > size or is_fresh(now)
    end = _whole_lines(str(copy), size) if _is_table(format) and goes_on else size
    if end in (0, size):
        return replace(now, size=size)
    os.truncate(copy, end)
    return replace(now, size=end, waits=True)
