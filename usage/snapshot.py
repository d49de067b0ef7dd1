"""One snapshot of each file: its length when it is opened is what is hashed, read and remembered.

A log may be written to while it is read. What is appended after the snapshot is left to the next load; where the file
changed in another way, its first bytes are copied and the copy is read. A table's last row without its line end may be
half written and look whole, so it counts only once it has one, or where it still stands unchanged at the next load. A
JSON object shows by itself whether it is whole.
"""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..csv_reading import FRESH_SECONDS
from ..errors import UsageLogError, is_full
from .bounded import bounded
from .sqlite_log import changed_at, copy_database, log_beside, written_at

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
    table = format.layout == "csv" and not format.packing and not format.reader.unfold
    if not table or not is_fresh(file) or file.label == "stdin":
        return file
    end = _whole_lines(file)
    waited = before == (end, file.mtime_ns)
    return file if end in (0, file.size) or waited else replace(file, size=end, waits=True)


def is_fresh(file: LogFile) -> bool:
    """Whether a file was just written to, and may still be."""
    return time.time_ns() - file.mtime_ns < FRESH_NS


def _whole_lines(file: LogFile) -> int:
    """Where the last line that has an end ends; 0 where none has."""
    place = file.size
    with Path(file.path).open("rb") as stream:
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


def copied(file: LogFile, target: Path) -> LogFile:
    """Copy the snapshot of a file to `target`; the file as the copy has it, which may be shorter."""
    try:
        if log_beside(file.path):
            copy_database(Path(file.path), target)
        else:
            with bounded(file.path, file.size) as stream, target.open("wb") as out:
                shutil.copyfileobj(stream, out, CHUNK_BYTES)
    except OSError as error:
        if is_full(error):
            raise
        raise UsageLogError(f"the file cannot be copied to be read: {error.strerror}", file=file.shown) from None
    return replace(file, size=target.stat().st_size)
