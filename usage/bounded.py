"""The beginning of a file as a stream, for files that grow while they are read."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO


class Bounded(io.RawIOBase):
    """The first `size` bytes of a file, however it grows, from byte `start` of it."""

    def __init__(self, path: str | Path, size: int, start: int = 0) -> None:
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 (closed with this)
        self._file.seek(start)
        self._left = size - start

    def readable(self) -> bool:
        """It is there to be read."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """The next bytes, 0 at the end."""
        count = self._file.readinto(memoryview(buffer)[: self._left]) if self._left else 0
        self._left -= count or 0
        return count or 0

    def close(self) -> None:
        """Close the file too."""
        self._file.close()
        super().close()


def bounded(path: str | Path, size: int, start: int = 0) -> io.BufferedReader:
    """The first `size` bytes of a file as a stream, from byte `start` of it."""
    return io.BufferedReader(Bounded(path, size, start))


def lines_of(stream: IO[bytes], longest: int) -> Iterator[bytes]:
    """The lines of a stream with their ends; of one longer than `longest` bytes, its first `longest` + 1 bytes.

    Of zero bytes that a line begins with, one is left: a file may have gigabytes of them.
    """
    while line := stream.readline(longest + 1):
        while line.startswith(b"\0") and len(line) > longest and (more := stream.readline(longest)):
            line = b"\0" + line.lstrip(b"\0") + more
        yield line
        while len(line) > longest and not line.endswith(b"\n"):
            line = stream.readline(longest + 1)
