"""Zero bytes in a text: a log that is cut to nothing while its writer goes on where it was (copytruncate) begins with
millions of them, and after a power loss they may stand in the place of what was written.

Those at the beginning of a file, or of a line, are skipped; within a file they are named, once.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import IO

ZERO = b"\0"
BEFORE_A_LINE = re.compile(rb"(?<=\n)\0+")
CHUNK_BYTES = 1024 * 1024
HERE = "zero bytes stand here, perhaps in the place of lines that were lost; what follows them counts"


def after_zeros(stream: IO[bytes], size: int = CHUNK_BYTES) -> tuple[int, bytes]:
    """How many zero bytes a stream begins with, and the first bytes after them, up to so many."""
    zeros = 0
    while piece := stream.read(size):
        rest = piece.lstrip(ZERO)
        zeros += len(piece) - len(rest)
        if rest:
            return zeros, rest
    return zeros, b""


def without_zeros(text: bytes) -> bytes:
    """A text without the zero bytes before its lines; nearly all have none, and to look for one is quick."""
    return BEFORE_A_LINE.sub(b"", text) if ZERO in text else text


def has_zeros(opened: Callable[[], IO[bytes]], within: bool) -> bool:
    """Whether a text begins with zero bytes, or, if asked, has some before a line within."""
    with opened() as stream:
        last, piece = b"\n", stream.read(CHUNK_BYTES if within else 1)
        while piece:
            if ZERO in piece and (b"\n\0" in piece or (last == b"\n" and piece.startswith(ZERO))):
                return True
            last, piece = piece[-1:], stream.read(CHUNK_BYTES) if within else b""
    return False


def copy_without_zeros(stream: IO[bytes], out: IO[bytes], within: bool) -> int | None:
    """Copy a text without the zero bytes that it begins with, and, if asked, without those before a line within.

    The first line that has some, but for that of the file.
    """
    _, begin = after_zeros(stream)
    if within:
        return _copy_lines(begin, stream, out)
    out.write(begin)
    shutil.copyfileobj(stream, out, CHUNK_BYTES)
    return None


def _copy_lines(piece: bytes, stream: IO[bytes], out: IO[bytes]) -> int | None:
    """Copy without zero bytes before lines; the number of the first that has some, if it is not the first of all."""
    first, lines, begins = None, 0, True
    while piece:
        if begins and lines and piece.startswith(ZERO):
            first = first or lines + 1
        found = BEFORE_A_LINE.search(piece)
        if found and not first:
            first = lines + piece.count(b"\n", 0, found.start()) + 1
        lines += piece.count(b"\n")
        kept = without_zeros(piece.lstrip(ZERO) if begins else piece)
        out.write(kept)
        begins = kept.endswith(b"\n") if kept else begins
        piece = stream.read(CHUNK_BYTES)
    return first


def between_zeros(line: bytes) -> Iterator[bytes]:
    """What stands in a line before, between and after zero bytes: no JSON has any."""
    return (part for part in line.split(ZERO) if part.strip())


def zeros_in_line(file_id: int, line: int) -> tuple[int, int, str, str]:
    """The reject that says so."""
    return file_id, line, HERE, ""
