"""Whether a text that begins with a brace is one JSON document, or lines of JSON of which the first are torn."""

from __future__ import annotations

import json
import re

from .fast_json import parsed_or_none

SPACES = re.compile(r"\s*")
LOOKED_AT = 256 * 1024  # characters: both kinds show there what they are
ITEM = re.compile(r"^\{[^\n]*\}[ \t\r]*+(,?)[ \t\r]*+$", re.M)
ADJACENT = re.compile(r"^\{[^\n]*\}[ \t\r]*\n(?=\s*\{)", re.M)


def is_document(text: str) -> bool:
    """One JSON object over many lines, and not one on every line: the first line opens it, and ends within it."""
    first, _ = _line_at(text, 0)
    opens = len(first) < len(text) and first.rstrip()[-1:] in ("{", "[", ",", ":")
    return opens and parsed_or_none(first) is None and not is_torn(text)


def is_torn(text: str) -> bool:
    """Whether the first line is broken and those after it are objects of their own, with no comma between them.

    Where more is torn than the first line, what follows tells: within a document of an item a line, a comma ends most
    of these; between documents that stand one after the other there is none either, and these can be read.
    """
    first, place = _line_at(text, 0)
    if parsed_or_none(first) is not None:
        return False
    second, after = _line_at(text, _after_spaces(text, place))
    then = _after_spaces(text, after)
    if text[then : then + 1] in ("", "{") and isinstance(parsed_or_none(second), dict):
        return True
    looked_at = text[:LOOKED_AT]
    ends = [item[1] for item in ITEM.finditer(looked_at, min(place, LOOKED_AT))]
    if 2 * ends.count("") <= len(ends):
        return False
    adjacent = ADJACENT.search(looked_at, min(place, LOOKED_AT))
    return adjacent is not None and not _are_documents(looked_at[: adjacent.end()])


def _are_documents(text: str) -> bool:
    """Whether a text is one JSON document after the other, to its end."""
    decoder, place = json.JSONDecoder(), _after_spaces(text, 0)
    try:
        while place < len(text):
            place = _after_spaces(text, decoder.raw_decode(text, place)[1])
    except (ValueError, RecursionError):
        return False
    return True


def _line_at(text: str, place: int) -> tuple[str, int]:
    """The line that begins at a place, and where the next one does: without a copy of all that follows."""
    end = text.find("\n", place)
    return (text[place:], len(text)) if end < 0 else (text[place:end], end + 1)


def _after_spaces(text: str, place: int) -> int:
    return SPACES.match(text, place).end()  # type: ignore[union-attr]
