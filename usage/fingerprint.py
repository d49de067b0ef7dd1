"""What a file is: the hash of its bytes, the count of its lines, and the lines that a file has grown by.

The hash says whether a file is what it was, not who wrote it: XXH3 with 128 bits, ten times as fast as SHA-256.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from xxhash import xxh3_128

from ..errors import UsageLogError, is_full
from .limits import MAX_LINE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

CHUNK_BYTES = 256 * 1024
BUFFER_BYTES = 512 * 1024  # stays in the processor's cache
ENDLESS = 2**63


@dataclass(frozen=True)
class Fingerprint:
    """`lines` includes a last line without a newline."""

    content_hash: str
    lines: int


@dataclass(frozen=True)
class Tail:
    """The lines that a file has grown by, in a file of their own."""

    path: Path
    fingerprint: Fingerprint  # the hash of all of it, the count of these lines


def fingerprint(path: str, listen: Callable[[bytes, int], None] | None = None, size: int = ENDLESS) -> Fingerprint:
    """The hash and lines of the first `size` bytes of a file; hashing lets other threads run.

    `listen` gets every piece, with the count of newlines in it. Raises UsageLogError.
    """
    with _opened(path) as stream:
        return _rest(stream, xxh3_128(), size, listen=listen)


def fingerprint_of_lines(
    path: str, feed: Callable[[bytearray, int], None], size: int = ENDLESS, buffer: bytearray | None = None
) -> str:
    """The hash of the first `size` bytes of a file; `feed` gets its whole lines, a buffer of them at a time.

    `buffer` is used for it, where there is one from a file before. Raises UsageLogError.
    """
    hashed, rest = xxh3_128(), 0
    buffer = bytearray(min(BUFFER_BYTES, size)) if buffer is None else buffer
    with _opened(path) as stream:
        while size > 0:
            if rest > MAX_LINE.value:
                feed(buffer, rest)  # as if it ended here
                rest = 0
            if rest == len(buffer):  # a line that is longer than the buffer
                buffer.extend(bytes(len(buffer)))
            with memoryview(buffer) as view, view[rest : rest + size] as free:
                count = stream.readinto(free)  # type: ignore[attr-defined]
                hashed.update(free[:count])
            if not count:
                break
            size, filled = size - count, rest + count
            end = buffer.rfind(b"\n", rest, filled) + 1
            if end:
                feed(buffer, end)
                buffer[: filled - end] = buffer[end:filled]
            rest = filled - end
    if rest:
        feed(buffer, rest)
    return hashed.hexdigest()


def begins_with(path: str, size: int, content_hash: str) -> bool:
    """Whether the first `size` bytes of a file have that hash."""
    with _opened(path) as stream:
        hashed, _ = _first(stream, size)
    return hashed.hexdigest() == content_hash


def new_lines(path: str, bytes_before: int, content_hash_before: str, spool: Path, size: int = ENDLESS) -> Tail | None:
    """The lines from `bytes_before` to `size`, copied to `spool`, if the earlier bytes are whole lines of that hash."""
    with _opened(path) as stream:
        hashed, last = _first(stream, bytes_before)
        if last != b"\n" or hashed.hexdigest() != content_hash_before:
            return None
        with tempfile.NamedTemporaryFile(dir=spool, delete=False) as copy:
            return Tail(Path(copy.name), _rest(stream, hashed, size - bytes_before, copy))


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    try:
        with Path(path).open("rb", buffering=0) as stream:
            yield stream
    except OSError as error:
        if is_full(error):
            raise
        raise UsageLogError(f"the file cannot be read: {error.strerror}", file=path) from None


def _first(stream: IO[bytes], size: int) -> tuple[xxh3_128, bytes]:
    """The hash of the next `size` bytes, and the last of them."""
    hashed, last = xxh3_128(), b""
    while size and (chunk := stream.read(min(CHUNK_BYTES, size))):
        hashed.update(chunk)
        size, last = size - len(chunk), chunk[-1:]
    return hashed, last


def _rest(
    stream: IO[bytes],
    hashed: xxh3_128,
    size: int,
    out: IO[bytes] | None = None,
    listen: Callable[[bytes, int], None] | None = None,
) -> Fingerprint:
    lines, last = 0, b"\n"
    while size > 0 and (chunk := stream.read(min(CHUNK_BYTES, size))):
        size -= len(chunk)
        hashed.update(chunk)
        newlines = len(chunk) - len(chunk.replace(b"\n", b""))  # many times as fast as bytes.count
        lines += newlines
        last = chunk[-1:]
        if out:
            out.write(chunk)
        if listen:
            listen(chunk, newlines)
    return Fingerprint(hashed.hexdigest(), lines + (last != b"\n"))
