"""Untrusted text, bounded where people read it: of a name of 20 MB they see its beginning, its end and its length."""

from __future__ import annotations

from zlib import crc32

MAX_NAME = 200
"""Characters of a name in a table's cell."""
MAX_LINE = 2_000
"""Characters of a line that people read: a sentence may hold several names."""
ELLIPSIS = "…"
"""Stands where something was left out."""


def shortened(text: str, most: int = MAX_LINE) -> str:
    """The text, with the middle left out of each line of more than `most` characters.

    What is left says how long the line is, with a checksum: two names that differ in their middle still differ.
    """
    if len(text) <= most:
        return text
    return "\n".join(_shortened(line, most) for line in text.split("\n"))


def _shortened(line: str, most: int) -> str:
    if len(line) <= most:
        return line
    mark = f"{ELLIPSIS} ({len(line):,} characters, {crc32(line.encode('utf-8', 'surrogatepass')):08x}) {ELLIPSIS}"
    last = (most - len(mark)) // 3
    return line[: most - len(mark) - last] + mark + line[len(line) - last :]
