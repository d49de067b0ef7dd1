"""Kinds of lines that were parsed before, known again by their bytes: what a line has beside its numbers and texts.

A line is cut where a text stands that may differ from line to line. What is left between two cuts, without its digits,
is a piece: keys, brackets, commas and short words. Of a piece with a name of usage, or with the opening of an object
that holds usage, every byte is known or its line is parsed, so that a key that is new, stands deeper, or beside others
is seen in the one line that has it. Where an object of usage goes on behind a text, so does what is compared. Digits of
keys are kept: `tokens_5m` and `tokens_1h` are two keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from .likeness import NAMES
from .line_pieces import pieces_of

if TYPE_CHECKING:
    from .likeness import Likeness

Names = frozenset[str]
Hit = tuple[int, int, int]
"""Which pattern, from where, to where."""

WORDS = [form for word in (b"token", b"cost", b"credit", b"usage") for form in (word, word.capitalize(), word.upper())]
MOST_PIECES = 2_000
LOOSE_PIECES = 200  # with more, short words are taken for texts that differ
MOST_KEYS = 16  # with digits, whose digits are kept
LONGEST = 64 * 1024
DELETED = b"0123456789."
KEPT = bytes.maketrans(b"0123456789", bytes(range(0xF0, 0xFA)))  # no byte of JSON in UTF-8
UNESCAPED = re.compile(rb'(?<!\\)"')
ZEROS = bytes.maketrans(b"123456789", b"000000000")
NO_KEY_END = bytes({*range(256)} - {*b'0123456789":'})
ESCAPED = (b"\\u006", b"\\u007")  # how a letter may be written
VALUE_NAMES = (b"stringValue", b"value")  # of an attribute
BACKSLASH = 0x5C
COLON = re.compile(rb"\s*:")
ATTRIBUTE = re.compile(rb'\\?"key\\?"\s*:\s*$')
BRACKET = re.compile(rb'(?:"([^"\\]*)\\?"\s*:\s*)?([{}\[\]])')
KEYS = re.compile(rb'"([^"\\]*)\\?"\s*:')
DIGIT_KEY = re.compile(rb'"([^"\\]*[0-9][^"\\]*)"(?=\s*:\s*[^\s{\[])|"key"\s*:\s*"([^"\\]*[0-9][^"\\]*)"')
DIGIT_END = re.compile(rb'"([^"\\]*[0-9])\\?":')
DIGIT_TEXT = re.compile(rb'"-?[0-9.]+"(?!\s*:)')
NONE = re.compile(rb'\\*"\s*:\s*(?:\\*"?-?0*\.?0*\\*"?\s*[,}\]]|null|false)')


class LineKinds:
    """What was learned of the lines of one batch of files."""

    def __init__(self, likeness: Likeness) -> None:
        self.likeness = likeness
        last = {path.rpartition(".")[2] for path in likeness.holders} - {"*"}
        plain = sorted(json.dumps(name).encode() for name in last if not NAMES.search(name))
        self.triggers = [*WORDS, *(opened for name in plain for opened in (name + b":{", name + b": {"))]
        self.holders = {name.encode() for name in last}
        self.texts = {path.rpartition(".")[2].encode() for path in likeness.ways}
        self.pieces: dict[bytes, Names] = {}
        self.behind: dict[bytes, dict[bytes, None]] = {}  # where an object of usage goes on behind a text
        self.keys: dict[bytes, bytes] = {}  # with digits, as they are kept
        self.key_names: set[bytes] = set()
        self.judged_keys: dict[bytes, Names] = {}  # that end in a digit
        self.new = 0
        self._search()

    def plain(self, lines: bytes) -> bytes:
        """Lines without the digits of numbers and texts."""
        for key, kept in self.keys.items():
            lines = lines.replace(key, kept)
        return lines.translate(None, DELETED)

    def hits(self, plain: bytes, start: int) -> list[Hit]:
        """What may be new from `start` on, or may be usage that is not counted."""
        if self.new:
            self._search()
        with memoryview(plain) as view, view[start:] as rest:
            found = self.find(rest)
        count, open_ = len(self.triggers), self.open
        return [(which, start + begin, start + end) for which, begin, end in found if which < count or which in open_]

    def names(self, plain: bytes, hit: Hit) -> Names | None:
        """The names of usage that is not counted in what was found; None where it is new."""
        which, _, end = hit
        if which < len(self.triggers):
            return None if self._is_name(plain, hit) else frozenset()
        text = self.order[which]
        return self.pieces[text] if self._goes_on(plain, end, text) else None

    def judge(self, line: bytes) -> Names | None:
        """The names in a line of usage that is not counted, were no number 0; None where it is no entry."""
        try:
            ones = json.loads(DIGIT_TEXT.sub(b'"1"', line), parse_int=_one, parse_float=_one)
        except (ValueError, RecursionError):
            return None
        return frozenset(number.field.rpartition(".")[2] for number in self.likeness.numbers(ones))

    def learn(self, line: bytes, names: Names) -> None:
        """Remember the pieces of a line that was judged."""
        for key in DIGIT_END.findall(line):
            self.judged_keys[key] = self.judged_keys.get(key, frozenset()) | names
        if len(self.pieces) >= MOST_PIECES or len(line) > LONGEST:
            return
        depth, before, found = 0, b"", list(pieces_of(line, len(self.pieces) < LOOSE_PIECES))
        marked = [piece for piece in found if any(name.encode() in piece for name in names)] or found
        for piece in found:
            first = any(word in piece for word in self.triggers)
            text = self._kept(piece) if depth or first else None
            if text is None:
                depth = 0
                continue
            if depth:
                self.new += text not in self.behind.setdefault(before, {})
                self.behind[before][text] = None
            if first:
                self.new += text not in self.pieces
                self.pieces[text] = self.pieces.get(text, frozenset()) | (names if piece in marked else frozenset())
            depth, before = self._depth(piece, depth), text

    def unusual_keys(self, lines: bytes) -> Iterator[int]:
        """Where a key stands that ends in a digit or is written with escapes, and is not known."""
        if b"\\u00" in lines:
            for letter in ESCAPED:
                yield from _places(lines, letter)
        if b'0":' not in lines.translate(ZEROS, NO_KEY_END):  # what is left is short, and may join what did not touch
            return
        zeros = lines.translate(ZEROS)
        for end in (b'0":', b'0\\":'):
            for place in _places(zeros, end):
                key = lines[lines.rfind(b'"', 0, place) + 1 : place + 1]
                if self.judged_keys.get(key, key.translate(None, DELETED) in self.key_names):
                    yield place

    def _kept(self, piece: bytes) -> bytes | None:
        """A piece as it stands in plain lines; None where it has more keys with digits than are kept."""
        for found in DIGIT_KEY.finditer(piece):
            key = b'"%s"' % (found[1] or found[2])
            if key not in self.keys:
                if len(self.keys) >= MOST_KEYS:
                    return None
                self.keys[key] = key.translate(KEPT)
        text = self.plain(piece)
        self.key_names.update(KEYS.findall(text))
        return text

    def _search(self) -> None:
        self.order = [*self.triggers, *self.pieces]
        self.find = BytesAhoCorasick(self.order, matchkind=MatchKind.LeftmostLongest).find_matches_as_indexes
        self.open = {at for at, text in enumerate(self.order) if text in self.behind or self.pieces.get(text)}
        self.new = 0

    def _depth(self, piece: bytes, depth: int) -> int:
        """How deep in an object that holds usage a piece ends; `depth` is how deep it begins."""
        for found in BRACKET.finditer(piece):
            if depth:
                depth += 1 if found[2] in b"{[" else -1
            elif found[2] in b"{[" and found[1] is not None and self._holds_usage(found[1]):
                depth = 1
        return depth

    def _holds_usage(self, key: bytes) -> bool:
        return key in self.holders or bool(NAMES.search(key.decode("utf-8", "replace")))

    def _goes_on(self, plain: bytes, end: int, text: bytes) -> bool:
        """Whether an object of usage goes on as known behind the texts that follow a piece."""
        while following := self.behind.get(text):
            quote = UNESCAPED.search(plain, end)
            place = quote.start() if quote else len(plain)
            within = plain.find(b'\\"', end, place)  # of a text in a JSON text
            texts = (one for one in following if plain.startswith(one, within if one[0] == BACKSLASH else place))
            text = max(texts, key=len, default=b"")
            if not text:
                return False
            end = (within if text[0] == BACKSLASH else place) + len(text)
        return True

    def _is_name(self, plain: bytes, hit: Hit) -> bool:
        """Whether a word is part of a key or an attribute's name, or opens an object that holds usage."""
        which, start, end = hit
        if which >= len(WORDS):
            return True
        quote = plain.find(b'"', end)
        before = plain.rfind(b'"', 0, start)
        escaped = plain[quote - 1] == BACKSLASH
        if not COLON.match(plain, quote + 1) and not ATTRIBUTE.search(plain, max(0, before - 12), before - escaped):
            return False
        return not escaped or self._is_read_text(plain, start)

    def _is_read_text(self, plain: bytes, place: int) -> bool:
        """Whether the text around a place is one that is looked into."""
        line = plain.rfind(b"\n", 0, place) + 1
        opened = max(plain.rfind(b'":"', line, place), plain.rfind(b'": "', line, place), 0)
        name = plain[plain.rfind(b'"', 0, opened) + 1 : opened]
        return name in self.texts or name in VALUE_NAMES or bool(NAMES.search(name.decode("utf-8", "replace")))


def is_none(line: bytes, names: Names) -> bool:
    """Whether all fields of these names are 0 or nothing."""
    return all(NONE.match(line, place + len(name)) for name in map(str.encode, names) for place in _places(line, name))


def _places(text: bytes, part: bytes) -> Iterator[int]:
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def _one(_: str) -> Any:
    return 1
