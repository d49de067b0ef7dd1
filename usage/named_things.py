"""Keys that name things and not fields, of which an object may have millions: those that differ only in an id (a
number, hexadecimal digits, a UUID) are one, with a star for it."""

from __future__ import annotations

import re

DIGIT, LETTER = "\U0001d7d8", "\U0001d54f"
"""Stand for an id that begins with a digit or a letter: judged as one of these, and shown as a star."""
STAR = "*"
HEX = "[0-9a-fA-F]"
ID = re.compile(
    rf"(?<![0-9A-Za-z])(?:{HEX}{{8}}(?:-{HEX}{{4}}){{3}}-{HEX}{{12}}|(?=[a-fA-F]*[0-9]){HEX}{{8,}})(?![0-9A-Za-z])|[0-9]+"
)


def without_ids(key: str) -> str:
    """The key with a sign for each id in it."""
    return ID.sub(_sign, key)


def shown(path: str) -> str:
    """A path as people read it."""
    return path if path.isascii() else path.replace(DIGIT, STAR).replace(LETTER, STAR)


def _sign(found: re.Match[str]) -> str:
    return DIGIT if found[0][0].isdigit() else LETTER
