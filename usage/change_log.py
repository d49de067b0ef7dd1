"""The log of changes that DuckDB keeps beside a store (`.wal`): whether it is damaged where DuckDB takes it for cut.

A log whose writer was killed ends within an entry, so DuckDB reads up to the first entry that does not fit into the
file and drops the rest. Where it is the size of an entry that is damaged, the rest holds changes that were completed.

The layout is that of src/storage/write_ahead_log.cpp: a header (version, database, checkpoint), then entries: their
size and a checksum (8 bytes each, the lower first), and so many bytes, which begin with the kind of the entry. What
completes a transaction is an entry of its own, always of the same bytes, none of which stand so in any text.
"""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import IO

BEGINS = bytes.fromhex("6400 62 6500")  # WAL_VERSION, as DuckDB 1 and 2 write it: field 100 is 98, field 101 follows
HEADER = re.compile(
    re.escape(BEGINS) + rb"(.)(?:f\0\x10(?:[\0-\x7f]|[\x80-\xff]\x01){16})?(?:g\0[\x80-\xff]*[\0-\x7f])?\xff\xff", re.S
)
HEADER_BYTES = 64  # at most; a log of no more has no transaction
WITH_SIZES = b"\2"  # the version whose entries state their sizes; that before is not written any more
ENTRY = struct.Struct("<QQ2sB")  # size, checksum, the number of the field, which is 100, and the kind
STATED = 16  # of these bytes, those before what the size counts
FIELD, COMPLETED = b"d\0", 100
COMPLETES = bytes.fromhex("0500000000000000 e7fe7d722fed3d5e 640064ffff")
MOST = 2**40  # bytes of an entry
PIECE_BYTES = 1024 * 1024


def damaged_at(log: Path) -> int | None:
    """Where DuckDB stops reading a log although more stands behind it than an entry that was cut short, in bytes.

    None where it does not, and while another process writes to it. Raises OSError.
    """
    with log.open("rb", buffering=0) as stream:
        before = os.fstat(stream.fileno())
        at = _damaged_at(stream, before.st_size)
        after = os.fstat(stream.fileno())
    return at if (before.st_size, before.st_ctime_ns) == (after.st_size, after.st_ctime_ns) else None


def _damaged_at(stream: IO[bytes], size: int) -> int | None:
    header = HEADER.match(stream.read(HEADER_BYTES))
    if not header:
        return 0 if size > HEADER_BYTES else None
    if header[1] != WITH_SIZES:
        return None
    place = header.end()
    while place < size:
        stream.seek(place)
        entry = stream.read(ENTRY.size)
        if not _may_be(entry):
            return None if _zeros_from(stream, place) else place
        if place + STATED + (length := _length(entry)) > size or len(entry) < ENTRY.size:
            return place if _completes_behind(stream, place) else None
        place += STATED + length
    return None


def entry_at(log: Path, place: int) -> int:
    """Where the entry begins that a place is in, or the last one before it that may be one. Raises OSError."""
    with log.open("rb") as stream:
        header = HEADER.match(stream.read(HEADER_BYTES))
        begins = header.end() if header else 0
        while True:
            stream.seek(begins)
            after = begins + STATED + _length(stream.read(8))
            if after > place:
                return begins
            begins = after


def _zeros_from(stream: IO[bytes], place: int) -> bool:
    """Whether nothing but zero bytes stands from a place on: room for an entry that a power loss kept from being there.

    DuckDB takes the log for cut there, and writes the next entry in its place. What was completed is on the disk.
    """
    stream.seek(place)
    while piece := stream.read(PIECE_BYTES):
        if piece.strip(b"\0"):
            return False
    return True


def _length(entry: bytes) -> int:
    return int.from_bytes(entry[:8], "little")


def _may_be(entry: bytes) -> bool:
    """Whether an entry may begin so, which may be cut short."""
    if len(entry) < ENTRY.size:
        return len(entry) < 8 or len(COMPLETES) - STATED <= _length(entry) < MOST
    length, _, field, kind = ENTRY.unpack(entry)
    shortest = len(COMPLETES) - STATED
    return bool(field == FIELD and (length == shortest if kind == COMPLETED else shortest < length < MOST))


def _completes_behind(stream: IO[bytes], place: int) -> bool:
    """Whether a transaction is completed behind a place, be it by an entry whose size is what is damaged."""
    last = b""
    stream.seek(place + 1)
    while piece := stream.read(PIECE_BYTES):
        if COMPLETES in (piece := last + piece):
            return True
        last = piece[1 - len(COMPLETES) :]
    return last.endswith(COMPLETES[8:])
