"""Packed logs: gzip and Zstandard, unpacked piece by piece; what breaks off is named, and kept as far as it goes."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from ..errors import UsageLogError, is_full
from .bounded import bounded
from .limits import FREE_BYTES, MAX_LINE, MAX_RATIO, MAX_UNPACKED

Packing = Literal["gzip", "zstd"]

MAGIC: dict[bytes, Packing] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
SKIPPED = b"\x2a\x4d\x18"  # zstd may begin with a frame to be skipped, 50 to 5f before this: pzstd writes such
PIECE_BYTES = 4 * 1024  # packed: what comes of one piece stays small, up to 128 MiB of a bomb
WINDOW_BYTES = 128 * 1024**2  # what zstd may ask for to unpack a file
GZIP = 31  # zlib's window bits for a gzip member


class BrokenOffError(Exception):
    """A packed file ends, or is damaged, before its end."""


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def packing_of(head: bytes) -> Packing | None:
    """How a file is packed, by its first bytes."""
    if head[1:4] == SKIPPED and head[0] >> 4 == 5:
        return "zstd"
    return next((packing for magic, packing in MAGIC.items() if head.startswith(magic)), None)


def unpacked(path: str, packing: Packing, packed_size: int) -> Iterator[bytes]:
    """The content of the first `packed_size` bytes of a packed file, all its members, in pieces.

    Raises BrokenOffError where it ends too early, or is damaged: when all that could be unpacked before was handed out.
    """
    size = 0
    for content, packed in _members(path, packing, packed_size):
        allowed = min(MAX_UNPACKED.value, max(FREE_BYTES, MAX_RATIO.value * packed)) - size
        yield content[:allowed] if len(content) > allowed else content
        size += len(content)
        if size > MAX_UNPACKED.value:
            raise BrokenOffError(f"it holds over {MAX_UNPACKED}")
        if len(content) > allowed:
            raise BrokenOffError(f"its content is over so many times its size: {MAX_RATIO}")


def _members(path: str, packing: Packing, packed_size: int) -> Iterator[tuple[bytes, int]]:
    """The content of a packed file in pieces, each with the packed bytes up to there. Raises BrokenOffError."""
    unpacker: _Unpacker | None = None
    packed = begin = 0  # of a member
    with bounded(path, packed_size) as stream:
        while piece := stream.read(PIECE_BYTES):
            packed += len(piece)
            while piece := piece if unpacker else piece.lstrip(b"\0"):  # members may be padded
                place = packed - len(piece)
                if unpacker is None:
                    unpacker, begin = _unpacker(packing), place
                try:
                    yield _decompressed(unpacker, piece), packed
                except BrokenOffError:
                    yield from ((content, packed) for content in _before_fault(path, packing, begin, place, piece))
                    raise
                piece = unpacker.unused_data if unpacker.eof else b""
                unpacker = None if unpacker.eof else unpacker
    if unpacker:
        raise BrokenOffError("it ends in the middle")


def _before_fault(path: str, packing: Packing, begin: int, place: int, piece: bytes) -> Iterator[bytes]:
    """What the piece at `place`, of a member that begins at `begin`, holds before it is damaged.

    An unpacker that fails hands out nothing of a piece: what counts would hang on where a piece begins. So the member
    is unpacked once more, and the piece byte by byte.
    """
    unpacker = _unpacker(packing)
    with bounded(path, place, begin) as stream, suppress(BrokenOffError):
        while before := stream.read(PIECE_BYTES):
            _decompressed(unpacker, before)
        for byte in piece:
            yield _decompressed(unpacker, bytes((byte,)))


def broken_off(path: str, packing: Packing, packed_size: int, first: int) -> str | None:
    """Why a packed file breaks off within the `first` bytes of its content, if it does."""
    size = 0
    try:
        for content in unpacked(path, packing, packed_size):
            size += len(content)
            if size > first:
                return None
    except BrokenOffError as error:
        return str(error)
    return None


def unpacked_bytes(packed: bytes) -> bytes:
    """The content of Zstandard in memory: a value of a database. Raises BrokenOffError."""
    unpacker = _unpacker("zstd")
    parts, size = [], 0
    allowed = min(MAX_UNPACKED.value, max(FREE_BYTES, MAX_RATIO.value * len(packed)))
    for start in range(0, len(packed), PIECE_BYTES):
        parts.append(_decompressed(unpacker, packed[start : start + PIECE_BYTES]))
        size += len(parts[-1])
        if size > allowed:
            raise BrokenOffError(f"its content is over so many times its size: {MAX_RATIO}")
        if unpacker.eof:
            return b"".join(parts)
    raise BrokenOffError("it ends in the middle")


def unpack(path: str, packing: Packing, packed_size: int, target: Path, lines: bool = False) -> str | None:
    """Write the content of a packed file to `target`; returns why it breaks off, if it does.

    Where it holds `lines`, it breaks off where one is too long; of one that breaks off, the last line is left out: it
    may be cut. Raises UsageLogError.
    """
    fault, run = None, 0
    with target.open("wb") as out:
        try:
            for content in unpacked(path, packing, packed_size):
                run = len(content) - 1 - content.rfind(b"\n") + (0 if b"\n" in content else run)
                if lines and run > MAX_LINE.value:
                    out.write(content[: content.rfind(b"\n") + 1])
                    raise BrokenOffError(f"a line of over {MAX_LINE}")
                out.write(content)
        except BrokenOffError as error:
            fault = str(error)
        except OSError as error:
            if is_full(error):
                raise
            raise UsageLogError(f"the file cannot be unpacked: {error.strerror}", file=Path(path)) from None
    if fault and lines:
        cut_last_line(target)
    return fault


def _unpacker(packing: Packing) -> _Unpacker:
    if packing == "gzip":
        return zlib.decompressobj(GZIP)
    import zstandard

    return zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES).decompressobj()


def _decompressed(unpacker: _Unpacker, piece: bytes) -> bytes:
    try:
        return unpacker.decompress(piece)
    except Exception as error:  # zlib.error, and ZstdError of a module that is loaded only where it is needed
        why = str(error).rpartition(": ")[2]
        raise BrokenOffError(f"it is damaged ({why}), and what it holds before may be wrong: copy it again") from None


def cut_last_line(file: Path) -> bool:
    """Leave out a last line without its end; whether there was one."""
    with file.open("r+b") as stream:
        size = place = stream.seek(0, 2)
        while place:
            start = max(0, place - PIECE_BYTES)
            stream.seek(start)
            end = stream.read(place - start).rfind(b"\n")
            if end >= 0:
                stream.truncate(start + end + 1)
                return start + end + 1 < size
            place = start
        stream.truncate(0)
        return size > 0
