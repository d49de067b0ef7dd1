"""The lines of a log that can hold a call, found by their bytes while the file is hashed; and what looks like usage.

Most lines of a coding agent's log hold no usage: what tools gave back, progress, prompts. One search over the bytes
finds the ends of lines, the key that every entry has, and every name with token, cost, credit or usage in it, so that
only a fraction of the file is parsed and still nothing that looks like usage passes unseen (`known_shapes`).

Where a line does not fit the reader's columns, or is no JSON object, the file is `torn`: it is read line by line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from .known_shapes import COLON, MOST_NAMES, KnownShapes, Names
from .line_watch import ANY_NAME, count_names

if TYPE_CHECKING:
    from .unread import Watch

LINE_END, USAGE_KEY, WORD = 0, 1, 2
OPENING, CLOSING, END_OF_LINE, BACKSLASH = b"{}\n\\"
WORDS = [form for word in (b"token", b"cost", b"credit", b"usage") for form in (word, word.capitalize(), word.upper())]
ESCAPED = [b"\\u006", b"\\u007"]  # how a letter of such a name may be written too
ANSWER = WORD + len(WORDS) + len(ESCAPED)  # and what comes after it
DENSE = 0.6  # of the first bytes: with more in lines that are taken, the file is read as it is

Hit = tuple[int, int, int]
"""Which pattern, from where, to where."""


@lru_cache
def searched(usage_key: str, answers: tuple[str, ...] = ()) -> Callable[[memoryview], list[Hit]]:
    """The search for ends of lines, the key, the names and what marks an answer, in one pass."""
    patterns = [b"}\n{", json.dumps(usage_key).encode(), *WORDS, *ESCAPED, *map(str.encode, answers)]
    return BytesAhoCorasick(patterns, matchkind=MatchKind.LeftmostFirst).find_matches_as_indexes


def may_be_entry(line: str, usage_key: str) -> bool:
    """Whether a line has the key that every entry has, or may have it in another spelling."""
    return json.dumps(usage_key) in line or any(letter.decode() in line for letter in ESCAPED)


class Sieve:
    """Takes a file buffer by buffer. `taken` are the lines to read, without their opening brace.

    Of a `dense` file none are taken, since nearly all would be. `rows` counts the lines that a reading has to yield,
    `lines` all of them.
    """

    def __init__(self, watch: Watch, file_id: int, known: KnownShapes) -> None:
        self.watch, self.file_id, self.known = watch, file_id, known
        self.search = searched(watch.reader.usage_key, watch.reader.answers)
        self.taken: list[bytearray] = []
        self.rows = self.lines = 0
        self.dense: bool | None = None
        self.torn = False
        self.names: set[str] = set()
        self.line_end = 0  # of the last usage key that was met
        self.next_quote, self.ends_key = 0, False  # behind the last word that was met, and whether it ends a key
        self.named_in, self.is_unknown = -1, False  # the line of its name, and whether that may be usage
        self.unknown: list[tuple[int, int]] = []  # where a usage key stands that no known shape fits, and its value

    def feed(self, block: bytearray, end: int) -> None:
        """The next whole lines of the file: `block` up to `end`, which the last of them may lack."""
        if self.torn:
            return
        close = end - 1 if block[end - 1] == END_OF_LINE else end
        if block[0] != OPENING or block[close - 1] != CLOSING:
            self.torn = True
            return
        before, lines = len(self.taken), self.lines
        self.line_end = self.next_quote = 0
        with memoryview(block) as view, view[:end] as whole:
            hits = self.search(whole)
        hits.append((LINE_END, close - 1, end))
        self._lines(block, hits)
        if self.dense is None:
            self.dense = sum(map(len, self.taken)) > DENSE * end
        if self.dense:
            self.taken = []
        self.rows += self.lines - lines if self.dense else len(self.taken) - before

    def finish(self, path: str) -> None:
        """The end of the file, which can be read again at `path`."""
        if self.torn:
            self.taken, self.rows = [], 0
        elif self.names:
            count_names(self.watch, self.file_id, self.names, path)

    def _lines(self, block: bytearray, hits: list[Hit]) -> None:
        """Take the lines with the usage key, and those that are answers without it.

        Most usage is of the shape that was seen last, so that is looked for here, not in a function of its own.
        """
        start = after = lines = 0
        take = unknown = False
        find, begins, taken, latest = block.find, block.startswith, self.taken, self.known.latest
        for which, place, end in hits:
            if which == LINE_END:
                if unknown:
                    self._judge(block, start, place + 1)
                    unknown, latest = False, self.known.latest
                if find(b"\n", start, place) >= 0:
                    self.torn = True  # a line that does not end in a brace, or one that does not begin with one
                if take:
                    taken.append(block[start + 1 : place + 1])
                    take = False
                lines += 1
                start = place + 2
            elif place < after:
                continue
            elif which == USAGE_KEY:
                take = True
                if (
                    latest
                    and place - latest.before >= start
                    and begins(latest.head, start)
                    and (found := latest.matches(block, place - latest.before))
                ):
                    after = found.end() - latest.behind
                    if latest.names:
                        self.names |= latest.names
                else:
                    after = self._usage(block, place, start)
                    unknown, latest = unknown or not after, self.known.latest
            elif which >= ANSWER:
                take = True
            elif self._is_unknown_name(block, which, start, place, end):
                unknown = True
        self.lines += lines

    def _usage(self, block: bytearray, place: int, start: int) -> int:
        """Where the value under a usage key ends, if it is known; else 0."""
        if self.unknown and place < self.unknown[-1][1]:
            return 0  # within one that is not known
        if place >= self.line_end:
            found = block.find(b"\n", place)
            self.line_end = len(block) if found < 0 else found
        after, names = self.known.usage(block, place, start, self.line_end)
        if names is None:
            self.unknown.append((place, after))
            return 0
        self._name(names)
        return after

    def _is_unknown_name(self, block: bytearray, which: int, start: int, place: int, end: int) -> bool:
        """Whether a word is part of a key that may hold usage, outside an object of usage.

        Many words may stand before one quote, and are of the same name then.
        """
        if end > self.next_quote:
            found = block.find(b'"', end)
            self.next_quote, self.named_in = (len(block) if found < 0 else found), -1
            # else of a text within a text, or no key
            self.ends_key = block[found - 1] != BACKSLASH and bool(COLON.match(block, self.next_quote + 1))
        if which >= WORD + len(WORDS):
            self.torn = self.torn or self.ends_key
            return False
        if self.named_in != start:
            name = block[block.rfind(b'"', start, place) + 1 : self.next_quote] if self.ends_key else b""
            self.named_in, self.is_unknown = start, self.ends_key and self.known.may_be_usage(bytes(name))
        return self.is_unknown

    def _judge(self, block: bytearray, start: int, end: int) -> None:
        """Parse a line with something unknown in it, once for each kind of line."""
        line = bytes(block[start:end])
        names = None if self.unknown else self.known.line(line)
        if names is None and ANY_NAME in self.names and not self.unknown:
            self.torn = self.torn or not self.known.fits(line)
        elif names is None:
            names = self.known.judge(line)
            if names is None:
                self.torn = True
                names = frozenset()
            else:
                self.known.learn(block, start, line, self.unknown, names)
            self.unknown = []
        self._name(names or frozenset())

    def _name(self, names: Names) -> None:
        """Note names of usage that is not counted; where there are too many, each line is to be looked at."""
        self.names |= names
        if len(self.names) > MOST_NAMES:
            self.names = {ANY_NAME}
