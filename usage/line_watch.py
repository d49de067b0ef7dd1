"""What looks like usage in JSON lines that DuckDB reads: looked for in every line, beside the hash.

The same look says whether all that stands in columns of whole numbers is one: DuckDB would round others.

A line of a shape that was met before is known at once (`line_shapes`); any other is looked at key by key.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from .bounded import lines_of
from .fast_json import parsed_or_none
from .fits import all_whole, loaded
from .limits import MAX_LINE
from .unread import Watch

ANY_NAME = ""
"""Among names of fields: any may be one."""


class LineWatch:
    """Sees a file piece by piece; `number` is the number in the file of the line that is so many here.

    `columns` are those of which whole numbers are asked: a file where one has something else is `unfit`, and need not
    be looked at any more, since its lines are read one by one.
    """

    def __init__(
        self,
        watch: Watch,
        file_id: int,
        number: Callable[[int], int] = lambda place: place,
        columns: Mapping[str, Any] | None = None,
    ) -> None:
        self.watch, self.file_id, self.number = watch, file_id, number
        self.rest: list[bytes] = []  # of a line that is not whole yet
        self.held = 0  # bytes of the line that is not whole yet
        self.lines = 0  # before
        self.columns = columns

    def feed(self, piece: bytes, newlines: int) -> None:
        """The next bytes of the file, with so many newlines in them."""
        begin, end = piece.find(b"\n") + 1 if self.rest else 0, piece.rfind(b"\n") + 1
        if not end:
            self.held += len(piece)
            self.rest.append(piece)
            if self.held > MAX_LINE.value:  # too long a line is no entry
                self.rest.clear()
            return
        if begin:
            self._see(b"".join((*self.rest, piece[:begin])))
            self.lines += 1
        self._see(piece, begin, end)
        self.lines += newlines - (begin > 0)
        self.rest, self.held = [piece[end:]] if end < len(piece) else [], len(piece) - end

    def finish(self) -> None:
        """The end of the file."""
        self._see(b"".join(self.rest))

    def _see(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        """Note what is not counted in some lines."""
        if self.file_id in self.watch.unfit:
            return
        stop, is_noted = len(data) if end is None else end, partial(self.watch.is_noted, self.file_id)
        for place, line, found in self.watch.shapes.unknown(data, start, stop, is_noted):
            number = None if place is None else self.number(self.lines + place + 1)
            if line:
                record = _record(line)
                if self.columns and not self._fits(record, line):
                    self.watch.unfit.add(self.file_id)
                    return
                self.watch.see(self.file_id, number, record)
            for one, times in Counter(found).items():
                self.watch.note(self.file_id, number, one, times)

    def _fits(self, record: Any, line: bytes) -> bool:
        return all_whole(record, self.columns) if isinstance(record, dict) else record is not None or not line.strip()


def count_names(watch: Watch, file_id: int, names: Collection[str], path: str) -> None:
    """Note the numbers of all lines with a field of these names, but for those where all are 0.

    Where any name may be one, each line is looked at.
    """
    either = b"|".join(re.escape(json.dumps(name)[1:-1].encode()) for name in sorted(names))
    field = rb'(?<!\w)(?:%s)\\*"\s*(?:,|:\s*["\\{\[]*-?[0.]*[1-9"\\{\[])' % either
    search = re.compile(b"" if ANY_NAME in names else field).search
    with open(path, "rb") as lines:
        for number, line in enumerate(lines_of(lines, MAX_LINE.value), 1):
            if search(line):
                watch.see(file_id, number, parsed_or_none(line))


def _record(line: bytes) -> Any:
    try:
        return loaded(line.decode("utf-8", "replace").lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return None
