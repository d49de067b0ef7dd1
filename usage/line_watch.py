"""What looks like usage in JSON lines that DuckDB reads: seen in the bytes of every line, beside the hash.

A line of a kind that was met before is known by its pieces (`line_kinds`); any other is parsed, and so is one with
usage that is not counted, so that counts and sums are exact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from .bounded import lines_of
from .json_text import parsed
from .limits import MAX_LINE
from .line_kinds import Names, is_none
from .unread import Watch

MOST_LINES = 256  # parsed before what was learned of them is searched for


class LineWatch:
    """Sees a file piece by piece; `number` is the number in the file of the line that is so many here."""

    def __init__(self, watch: Watch, file_id: int, number: Callable[[int], int] = lambda place: place) -> None:
        self.watch, self.file_id, self.kinds, self.number = watch, file_id, watch.kinds, number
        self.rest: list[bytes] = []  # of a line that is not whole yet
        self.held = 0  # bytes of the line that is not whole yet
        self.lines = 0  # before
        self.place, self.before = 0, 0  # as far as lines were numbered, and the lines before

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
        self._lines(b"".join((*self.rest, piece[:end])))
        self.rest = [piece[end:]] if end < len(piece) else []

    def finish(self) -> None:
        """The end of the file."""
        if self.rest:
            self._lines(b"".join(self.rest))

    def _lines(self, data: bytes) -> None:
        self.place, self.before = 0, self.lines
        seen: set[int] = set()  # where lines begin that were parsed
        for place in self.kinds.unusual_keys(data):
            self._parse(data, data.rfind(b"\n", 0, place) + 1, seen)
        lines, place, most = _Lines(data, self.kinds.plain(data)), 0, 1
        while place >= 0:
            kept = len(self.kinds.keys)
            place = self._some(lines, place, most, seen)
            most = min(most * 4, MOST_LINES)
            if place >= 0 and len(self.kinds.keys) > kept:  # their digits are kept from now on
                number = lines.plain.count(b"\n", 0, place)
                lines = _Lines(data, self.kinds.plain(data))
                place = lines.start(number)
        self.lines += len(data) - len(data.replace(b"\n", b""))  # many times as fast as bytes.count

    def _some(self, lines: _Lines, place: int, most: int, seen: set[int]) -> int:
        """Parse so many lines with something new; returns where the rest begins, -1 where there is none."""
        after = 0
        for hit in self.kinds.hits(lines.plain, place):
            if hit[1] < after:
                continue
            names = self.kinds.names(lines.plain, hit)
            if names is None:
                if not most:
                    return after
                most -= 1
                start, after = lines.around(hit[1])
                self._parse(lines.data, start, seen)
            elif names:
                self._see(lines, hit[1], names, seen)
        return -1

    def _parse(self, data: bytes, start: int, seen: set[int]) -> None:
        """Judge a line, and note what is not counted in it."""
        line = _line(data, start)
        names = self.kinds.judge(line)
        if names is not None:
            self.kinds.learn(line, names)
        if names and start not in seen:
            seen.add(start)
            self.watch.see(self.file_id, self._number(data, start), _loads(line))

    def _see(self, lines: _Lines, place: int, names: Names, seen: set[int]) -> None:
        """Note what is not counted in a line of a known kind."""
        start, _ = lines.around(place)
        line = _line(lines.data, start)
        if start not in seen and not is_none(line, names):
            seen.add(start)
            self.watch.see(self.file_id, self._number(lines.data, start), _loads(line))

    def _number(self, data: bytes, start: int) -> int:
        if start < self.place:
            self.place, self.before = 0, self.lines
        self.before += data.count(b"\n", self.place, start)
        self.place = start
        return self.number(self.before + 1)


class _Lines:
    """Lines with digits and without: where one stands in both."""

    def __init__(self, data: bytes, plain: bytes) -> None:
        self.data, self.plain = data, plain
        self.counted, self.place = 0, 0  # as far as places were compared: in the plain lines, in the lines

    def around(self, place: int) -> tuple[int, int]:
        """Where the line begins whose plain form is around a place, and where that form ends."""
        begin = self.plain.rfind(b"\n", 0, place) + 1
        for _ in range(self.plain.count(b"\n", self.counted, begin)):
            self.place = self.data.find(b"\n", self.place) + 1
        self.counted = begin
        end = self.plain.find(b"\n", place)
        return self.place, end + 1 if end >= 0 else len(self.plain)

    def start(self, number: int) -> int:
        """Where a line begins in its plain form."""
        place = 0
        for _ in range(number):
            place = self.plain.find(b"\n", place) + 1
        return place


def _line(data: bytes, start: int) -> bytes:
    end = data.find(b"\n", start)
    return data[start : end if end >= 0 else len(data)]


def count_names(watch: Watch, file_id: int, names: Iterable[str], path: str) -> None:
    """Note the numbers of all lines with a field of these names, but for those where all are 0."""
    either = b"|".join(re.escape(json.dumps(name)[1:-1].encode()) for name in sorted(names))
    field = re.compile(rb'(?<!\w)(?:%s)\\*"\s*(?:,|:\s*["\\{\[]*-?[0.]*[1-9"\\{\[])' % either)
    with open(path, "rb") as lines:
        for number, line in enumerate(lines_of(lines, MAX_LINE.value), 1):
            if field.search(line):
                watch.see(file_id, number, _loads(line))


def _loads(line: bytes) -> Any:
    try:
        return parsed(line)
    except (ValueError, RecursionError):
        return None
