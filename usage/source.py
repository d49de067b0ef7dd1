"""A file that is being read, and the lines of it that are no entries."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ..errors import UsageLogError
from .bounded import bounded
from .fast_json import TooMuchError, are_few, check_values
from .file_names import real, unpacked_name
from .limits import MAX_DOCUMENT

if TYPE_CHECKING:
    from io import BufferedReader

    from .files import Format, LogFile
    from .fingerprint import Tail
    from .unread import Watch

SAMPLES, SAMPLE_BYTES = 64, 64 * 1024
SHORT_BYTES = 128  # of a line: entries of nearly all formats are longer
MANY_LINES = 1_500_000
Reject = tuple[int, int | None, str, str]
"""file_id, line, reason, the beginning of the raw line."""


@dataclass(frozen=True)
class Source:
    """A file under its number, with its format. Of one with a `tail`, the lines before are in the store already.

    `copy` is a snapshot of a file that is being written to. `content` is what a packed file holds, as far as it can be
    unpacked; `fault` says why not to its end; of one that `waits`, the last row had no end. Zero bytes stand
    before its line `zeros`. `watch` notes what is not counted. Whether all `stands` that was loaded of it `before` is
    as in `KnownFile`.
    """

    file_id: int
    file: LogFile
    format: Format
    watch: Watch
    tail: Tail | None = None
    stands: bool | None = None
    before: tuple[int, str] | None = None
    content: Path | None = None
    fault: str | None = None
    copy: Path | None = None
    waits: bool = False
    zeros: int | None = None

    @property
    def own(self) -> str:
        """The path of the file's own bytes."""
        return str(self.copy or self.file.path)

    @property
    def whole(self) -> str:
        """The path of all its content."""
        return str(self.content or self.own)

    @property
    def place(self) -> Path:
        """Where the content stands, or would unpacked: what names it, and what others stand beside it.

        Of what came through a pipe, nothing does: it has no name.
        """
        if self.file.label == "stdin":
            return Path("/")
        path = self.file.label if "://" in self.file.label else real(self.file.path)
        return Path(unpacked_name(path) if self.format.packing else path)

    def opened(self) -> BufferedReader:
        """All its content as a stream: of a file that grows meanwhile, no more than was there at first."""
        return self.content.open("rb") if self.content else bounded(self.own, self.file.size)


def has_many_lines(source: Source) -> bool:
    """Whether a file holds so many short lines that only some of them at a time are read: looked at in its samples."""
    size = os.path.getsize(source.whole)
    if size < 2 * MANY_LINES:
        return False
    with Path(source.whole).open("rb") as stream:
        step = max(SAMPLE_BYTES, size // SAMPLES)
        ends = (_ends_of_lines(stream, place) for place in range(0, size, step))
        many = sum(count for count in ends if count * SHORT_BYTES > SAMPLE_BYTES)
    return many * step // SAMPLE_BYTES > MANY_LINES


def _ends_of_lines(stream: IO[bytes], place: int) -> int:
    stream.seek(place)
    return stream.read(SAMPLE_BYTES).count(b"\n")


def check_document(source: Source) -> None:
    """Raises UsageLogError where a file that is read as a whole is too large for that."""
    size = os.path.getsize(source.whole)
    if size > MAX_DOCUMENT.value:
        raise UsageLogError(f"the file is read as one document, and holds over {MAX_DOCUMENT}", file=source.file.shown)
    if source.format.layout == "json" and not are_few(size):
        try:
            check_values(Path(source.whole).read_bytes())
        except TooMuchError as error:
            raise UsageLogError(
                f"the file is read as one document, and holds {error}", file=source.file.shown
            ) from None
