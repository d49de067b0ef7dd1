"""A line of JSON, cut where texts stand that may differ from line to line."""

from __future__ import annotations

import re
from collections.abc import Iterator

QUOTE = 0x22
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\s{}\[\]:,"]+')
WITHIN = re.compile(rb'\\"((?:[^\\]|\\(?!"))*)\\"')  # a text in a JSON text
COLON = re.compile(rb"\s*:")
ATTRIBUTE = re.compile(rb'\\?"key\\?"\s*:\s*$')
NUMBER = re.compile(rb"-?[0-9.]{0,40}")
TIME = re.compile(rb"\d{4}-\d\d-\d\d[T ][\d:.]{5,20}(?:Z|[+-]\d\d:?\d\d)?")
NAME = re.compile(rb"[A-Za-z_.-]{0,64}|[A-Za-z]{2,24}(?:[-._/:@][A-Za-z]{2,24}|[-._]?\d{1,8}[a-z]?){0,8}")


def pieces_of(line: bytes, names: bool) -> Iterator[bytes]:
    """What stands between the texts of a line that may differ; short `names` do not, if so said."""
    place = 0
    for start, end in _cuts(line, names):
        yield line[place:start]
        place = end
    yield line[place:]


def _cuts(line: bytes, names: bool) -> Iterator[tuple[int, int]]:
    for token in TOKEN.finditer(line):
        start, end = token.span()
        if line[start] != QUOTE or COLON.match(line, end):
            continue
        if line[start + 1 : start + 2] in (b"{", b"[") or line.startswith(b"data:", start + 1):
            yield from _cuts_within(line, start, end, names)
        elif not _stays(line, start, line[start + 1 : end - 1], names):
            yield start + 1, end - 1


def _cuts_within(line: bytes, start: int, end: int, names: bool) -> Iterator[tuple[int, int]]:
    for text in WITHIN.finditer(line, start, end):
        if not COLON.match(line, text.end()) and not _stays(line, text.start(), text[1], names):
            yield text.span(1)


def _stays(line: bytes, start: int, text: bytes, names: bool) -> bool:
    """Whether a text is part of a piece: a number, a time, a short name; that of an attribute in any case."""
    if NUMBER.fullmatch(text) or TIME.fullmatch(text):
        return True
    named = names or ATTRIBUTE.search(line, max(0, start - 12), start)
    return bool(named and NAME.fullmatch(text))
