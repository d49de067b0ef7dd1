"""What looks like usage in JSON lines that DuckDB reads: seen in the bytes, beside the hash.

Every object named `usage` is looked at, by its shape (its text without digits): a shape is judged once. The other
lines are sampled, since nothing but a full parse would see all of their keys. Where either shows a field that is not
known, all lines with a field of that name are parsed, so that counts and sums are exact.
"""

from __future__ import annotations

import ctypes
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from .bounded import lines_of
from .limits import MAX_LINE
from .unread import Watch

USAGE = b'"usage"'
DIGITS = b"0123456789"
SHAPES = 20_000
LONGEST = 64 * 1024  # of an object named usage that is judged by its shape
WHOLE_BYTES = 32 * 1024  # the lines at a file's start that are all parsed
DENSE_BYTES = 1024 * 1024  # the same of a format whose every line may have usage
EVERY = 8  # then so many lines of such a format are passed for one that is parsed
DIGIT_TEXT = re.compile(rb'"[0-9.]+"(?!\s*:)')

Find = Callable[[bytes, int, int], int]
"""Where `"usage"` stands in bytes, from one place to another; -1 where it does not."""


def _find() -> Find:
    """The C library's search, several times as fast as Python's for so short a text; else Python's."""
    try:
        search = ctypes.CDLL(None).memmem
    except (AttributeError, OSError, TypeError):
        return lambda data, start, end: data.find(USAGE, start, end)
    search.restype, size = ctypes.c_void_p, len(USAGE)
    search.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)

    def find(data: bytes, start: int, end: int) -> int:
        base = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        place = search(base + start, max(end - start, 0), USAGE, size)
        return place - base if place else -1

    return find


find_usage = _find()


class LineWatch:
    """Sees a file piece by piece; `finish` reads what it has to again."""

    def __init__(self, watch: Watch, file_id: int) -> None:
        self.watch = watch
        self.file_id = file_id
        self.names: set[str] = set()
        self.shapes: set[bytes] = set()
        self.rest: list[bytes] = []  # of a line that is not whole yet
        self.held = 0  # bytes of the line that is not whole yet
        self.seen = 0
        self.holders = _usage_holders(watch.reader.counted)

    def feed(self, piece: bytes) -> None:
        """The next bytes of the file."""
        end = piece.rfind(b"\n") + 1
        if not end:
            self.held += len(piece)
            self.rest.append(piece)
            if self.held > MAX_LINE.value:  # too long a line is no entry
                self.rest.clear()
            return
        self.held = 0
        data = b"".join((*self.rest, piece)) if self.rest else piece
        self._lines(data, len(data) - len(piece) + end)
        self.rest = [piece[end:]] if end < len(piece) else []

    def finish(self, path: str) -> None:
        """The end of the file, which can be read again at `path`."""
        if self.rest:
            data = b"".join(self.rest)
            self._lines(data, len(data))
        if self.names:
            count_names(self.watch, self.file_id, self.names, path)

    def _lines(self, data: bytes, end: int) -> None:
        if self.holders:
            self._objects(data, end)
            self._sample(data[: max(0, min(end, WHOLE_BYTES - self.seen))])
            self._sample(data[: data.find(b"\n", 0, end) + 1 or end])
        else:
            lines = data[:end].split(b"\n")
            for line in lines if self.seen < DENSE_BYTES else lines[::EVERY]:
                self._parse(line)
        self.seen += end

    def _objects(self, data: bytes, end: int) -> None:
        place = find_usage(data, 0, end)
        while place >= 0:
            start = place + len(USAGE)
            if data[start : start + 3].lstrip(b": ")[:1] in (b"{", b"["):
                self._object(data, place, _closed(data, start, end))
            place = find_usage(data, start, end)

    def _object(self, data: bytes, start: int, end: int) -> None:
        shape = data[start:end].translate(None, DIGITS)
        if shape in self.shapes:
            return
        if len(self.shapes) < SHAPES:
            self.shapes.add(shape)
        usage = _ones(data[start:end])
        if usage is None:
            line = data[data.rfind(b"\n", 0, start) + 1 :].partition(b"\n")[0]
            self._parse(line)
            return
        unread = [{_last(number.field) for number in self.watch.likeness.within(usage, path)} for path in self.holders]
        self.names |= set.intersection(*unread)

    def _sample(self, data: bytes) -> None:
        for line in data.split(b"\n"):
            self._parse(line)

    def _parse(self, line: bytes) -> None:
        record = _loads(line)
        self.names.update(_last(number.field) for number in self.watch.likeness.numbers(record))


def count_names(watch: Watch, file_id: int, names: Iterable[str], path: str) -> None:
    """Note the numbers of all lines with a field of these names, but for those where all are 0."""
    either = b"|".join(re.escape(json.dumps(name)[1:-1].encode()) for name in sorted(names))
    field = re.compile(rb'(?<!\w)(?:%s)\\*"\s*(?:,|:\s*["\\{\[]*-?[0.]*[1-9"\\{\[])' % either)
    with open(path, "rb") as lines:
        for number, line in enumerate(lines_of(lines, MAX_LINE.value), 1):
            if field.search(line):
                watch.see(file_id, number, _loads(line))


def _usage_holders(counted: tuple[str, ...]) -> tuple[str, ...]:
    """The paths of objects named `usage`, if all that a format counts below the top stands in such."""
    below = [path.split(".") for path in counted if "." in path]
    if not all("usage" in parts for parts in below):
        return ()
    return tuple(sorted({".".join(parts[: parts.index("usage") + 1]) for parts in below}))


def _closed(data: bytes, start: int, end: int) -> int:
    """The place after the object or list that opens at `start`, or as far as it is judged by its shape."""
    opening, closing = (b"{", b"}") if data[start : start + 3].lstrip(b": ")[:1] == b"{" else (b"[", b"]")
    place, closed = start, 0
    while 0 <= (place := data.find(closing, place, end)) < start + LONGEST:
        place, closed = place + 1, closed + 1
        if data.count(opening, start, place) <= closed:
            return place
    return min(start + LONGEST, end)


def _ones(text: bytes) -> Any:
    """A `"usage": …` as a value, every number in it 1: what is 0 here may be more elsewhere."""
    try:
        found = json.loads(b"{" + DIGIT_TEXT.sub(b'"1"', text) + b"}", parse_int=lambda _: 1, parse_float=lambda _: 1)
    except (ValueError, RecursionError):
        return None
    return found["usage"] if isinstance(found, dict) else None


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _loads(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
