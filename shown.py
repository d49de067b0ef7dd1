"""Untrusted text, bounded where people read it: of a name of 20 MB they see its beginning, its end and its length."""

from __future__ import annotations

import re
from zlib import crc32

MAX_NAME = 200
"""Characters of a name in a table's cell."""
MAX_LINE = 2_000
"""Characters of a line that people read: a sentence may hold several names."""
LONG_WORD = re.compile(rf"\S{{{MAX_NAME + 1},}}")
ELLIPSIS = "…"
"""Stands where something was left out."""


def one_line(text: str) -> str:
    """The text without line ends: those of a name would begin lines that nobody wrote."""
    return text.replace("\r\n", " ").replace("\n", " ")


def shortened(text: str, most: int = MAX_LINE) -> str:
    """The text, with the middle left out of each line of more than `most` characters.

    What is left says how long the line is, with a checksum: two names that differ in their middle still differ.
    """
    if len(text) <= most:
        return text
    return "\n".join(shortened_line(line, most) for line in text.split("\n"))


def shortened_words(text: str) -> str:
    """The text as `shortened`, each word of it no longer than a name in a table's cell: a page repeats names hundreds
    of times."""
    if len(text) <= MAX_NAME:
        return text
    return shortened(LONG_WORD.sub(lambda word: shortened_line(word[0], MAX_NAME), text))


def shortened_line(line: str, most: int) -> str:
    """The text as one line, whatever is in it, with its middle left out where it has more than `most` characters."""
    if len(line) <= most:
        return line
    mark = f"{ELLIPSIS} ({len(line):,} characters, {crc32(line.encode('utf-8', 'surrogatepass')):08x}) {ELLIPSIS}"
    last = (most - len(mark)) // 3
    return line[: most - len(mark) - last] + mark + line[len(line) - last :]
