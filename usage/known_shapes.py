"""Kinds of lines that were parsed and judged before, known again by their bytes.

Of an object under the usage key, numbers may differ and nothing else may: a `true` for a number, a text, another key
are another shape. Where it stands is part of the kind: the beginning of the line and what surrounds the object. A line
with another key that may be usage is known by the keys that it has. What is not known is parsed; a kind that holds
usage that is not counted is remembered with the names of it, to be counted exactly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from xxhash import xxh3_128

from ..shown import ELLIPSIS
from .fast_json import TEXT
from .fits import misfit_of_record
from .likeness import LONGEST_NAME, is_no_usage
from .line_watch import ANY_NAME
from .named_things import STAR

if TYPE_CHECKING:
    from .places import Number
    from .unread import Watch

Names = frozenset[str]
Matches = Callable[[bytearray, int], re.Match[bytes] | None]

MOST_SHAPES, MOST_KINDS = 64, 20_000
MOST_PATTERNS = 512
MOST_NAMES = 256  # of usage that is not counted, in one file: to look for more takes as long as to look at every line
MOST_HELD = 200_000  # names of all kinds of lines together
HEAD, BEFORE, BEHIND = 12, 24, 10  # bytes of a line's beginning, before a usage key and behind its value
LONGEST = 64 * 1024  # bytes of a value that is known by its shape, and of the keys of a line that is known by them
LONGEST_LINE = 16 * 2**20  # of a line that is judged here: by itself it is parsed once, in half the memory
DIGITS = b"0123456789"
COLON = re.compile(rb"\s*:")
OPENED = re.compile(rb'"[^"\\]*"\s*:\s*([{\[]?)')
SCALAR = re.compile(rb"[^,}\]]*")
PART = re.compile(TEXT.encode() + rb"|-?[0-9][0-9.eE+-]*", re.DOTALL)
WHOLE = re.compile(rb"0|[1-9][0-9]{0,14}")
KEYS = re.compile(rb'"([^"\\]*)"\s*:')
DIGIT_TEXT = re.compile(rb'"-?[0-9.]+"(?!\s*:)')


@dataclass(frozen=True)
class UsageKind:
    """A usage value with its place, recognised at once: its pattern begins `before` bytes before and ends `behind`."""

    matches: Matches
    head: bytes
    before: int
    behind: int
    names: Names


class KnownShapes:
    """The kinds of lines that a load has met in files of one reader."""

    def __init__(self, watch: Watch) -> None:
        self.find = watch.places.root.find
        self.kinds = watch.columns
        self.shapes: list[tuple[Matches, bytes]] = []
        self.latest: UsageKind | None = None
        self.places: dict[tuple[bytes, bytes, bytes, bytes], Names] = {}
        self.patterns: dict[bytes, Matches] = {}  # of usage in its place
        self.lines: dict[bytes, Names] = {}
        self.held = 0  # names in them
        self.may_be_usage = lru_cache(4096)(_may_be_usage)

    def usage(self, block: bytearray, place: int, start: int, line_end: int) -> tuple[int, Names | None]:
        """Where the value under the usage key at `place` ends, and the names of usage in it that is not counted.

        `start` is where its line begins, `line_end` where it ends. None in place of names where the shape or its place
        is not known; where both are, they are the `latest` from now on.
        """
        for number, (matches, shape) in enumerate(self.shapes):
            if found := matches(block, place):
                if number:
                    self.shapes[0], self.shapes[number] = self.shapes[number], self.shapes[0]
                after = found.end()
                names = self.places.get(_place(block, start, place, after, shape))
                if names is not None:
                    self.latest = self._latest(block, start, place, after, shape, names)
                return after, names
        after = _end_of_value(block, place, line_end)
        return (after, None) if COLON.match(block, block.find(b'"', place + 1) + 1) else (after, frozenset())

    def line(self, line: bytes) -> Names | None:
        """The names of usage that is not counted, of a line with these keys; None where it is not known."""
        return self.lines.get(_of_keys(line))

    def fits(self, line: bytes) -> bool:
        """Whether a line is an entry that fits the columns."""
        try:
            record = json.loads(line, object_pairs_hook=_once)
        except (ValueError, RecursionError):
            return False
        return isinstance(record, dict) and not misfit_of_record(record, self.kinds)

    def judge(self, line: bytes) -> Names | None:
        """The names in a line of usage that is not counted, were no number 0; None where it is no entry that fits,
        or where it or such a name is too long. Where one is without its id, or too many, it may be any name."""
        if len(line) > LONGEST_LINE or not self.fits(line):
            return None
        names = _Names()
        try:
            self.find(json.loads(DIGIT_TEXT.sub(b'"1"', line), parse_int=_one, parse_float=_one), names)
        except _AnyNameError:
            return frozenset([ANY_NAME])
        except (ValueError, RecursionError):
            return None
        return None if any(ELLIPSIS in name for name in names.kept) else frozenset(names.kept)

    def learn(self, block: bytearray, start: int, line: bytes, usages: Sequence[tuple[int, int]], names: Names) -> None:
        """Remember a line that was judged, by its keys, and by the shape and place of each usage in it."""
        if len(self.lines) < MOST_KINDS and self.held < MOST_HELD:
            self.lines[_of_keys(line)] = names
            self.held += len(names)
        for place, after in usages:
            shape = self._known_shape(bytes(block[place:after])) if after - place < LONGEST else None
            if shape and len(self.places) < MOST_KINDS:
                self.places[_place(block, start, place, after, shape)] = names

    def _latest(
        self, block: bytearray, start: int, place: int, after: int, shape: bytes, names: Names
    ) -> UsageKind | None:
        """What a usage value is known by at once where it stands; None where so many places have a pattern that to make
        one takes longer than to look the place up."""
        before, behind = bytes(block[max(start, place - BEFORE) : place]), bytes(block[after : after + BEHIND])
        pattern = _pattern_of_place(before) + shape + re.escape(behind)
        matches = self.patterns.get(pattern)
        if matches is None:
            if len(self.patterns) >= MOST_PATTERNS:
                return None
            matches = self.patterns[pattern] = _compiled(pattern)
        return UsageKind(matches, bytes(block[start : start + HEAD]), len(before), len(behind), names)

    def _known_shape(self, text: bytes) -> bytes | None:
        """The shape of a text, from now on a known one; None where those are too many already."""
        shape = _shape(text)
        if known := next((known for _, known in self.shapes if known == shape), None):
            return known
        if len(self.shapes) >= MOST_SHAPES:  # to compile one takes as long as to parse many lines
            return None
        self.shapes.append((re.compile(shape).match, shape))
        return shape


class _AnyNameError(Exception):
    """A name cannot be looked for without its id, or there are too many."""


class _Names:
    """Takes the names of numbers that are found."""

    def __init__(self) -> None:
        self.kept: set[str] = set()

    def append(self, number: Number) -> None:
        name = number.field.rpartition(".")[2]
        self.kept.add(name)
        if STAR in name or len(self.kept) > MOST_NAMES:
            raise _AnyNameError


def _one(_: str) -> int:
    return 1


def _of_keys(line: bytes) -> bytes:
    """What tells the keys of a line from those of another, in a few bytes: a line may have millions."""
    return xxh3_128(b'"'.join(KEYS.findall(line))).digest()


def _place(block: bytearray, start: int, place: int, after: int, shape: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    before = block[max(start, place - BEFORE) : place].translate(None, DIGITS)
    return shape, bytes(block[start : start + HEAD]), bytes(before), bytes(block[after : after + BEHIND])


def _pattern_of_place(before: bytes) -> bytes:
    return b"[0-9]".join(re.escape(part) for part in re.split(rb"[0-9]", before))


@lru_cache(1024)
def _compiled(pattern: bytes) -> Matches:
    return re.compile(pattern).match


def _shape(text: bytes) -> bytes:
    """A pattern of all texts that differ from this one only in their whole numbers."""
    parts: list[bytes] = []
    end = 0
    for part in PART.finditer(text):
        parts += [re.escape(text[end : part.start()]), _pattern(part.group())]
        end = part.end()
    return b"".join((*parts, re.escape(text[end:])))


def _pattern(part: bytes) -> bytes:
    if WHOLE.fullmatch(part):
        return b"(?:0|[1-9][0-9]{0,14})(?![0-9.eE])"
    return re.escape(part)


def _end_of_value(block: bytearray, place: int, line_end: int) -> int:
    """The place after the value of the key at `place`; no further than the end of its line."""
    opened = OPENED.match(block, place, line_end)
    if not opened:
        return place + 1
    if not opened.group(1):
        scalar = SCALAR.match(block, opened.end(), line_end)
        return scalar.end() if scalar else opened.end()
    opening, closing = (b"{", b"}") if opened.group(1) == b"{" else (b"[", b"]")
    end, open_still = opened.end(), 1
    while open_still:
        start, end = end, block.find(closing, end, line_end) + 1
        if not end:
            return line_end
        open_still += block.count(opening, start, end) - 1
    return end


def _may_be_usage(name: bytes) -> bool:
    return len(name) > LONGEST_NAME or not is_no_usage(name.decode("utf-8", "replace"))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, unless a key stands twice in it: which one counts depends on who reads it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice")
    return found
