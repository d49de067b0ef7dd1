"""JSON of documents, read and written fast, where Python's own parser would take as long as all else of a load.

What only that reads exactly (a number of over 64 bits, NaN, half a character) it still reads.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson

ZEROS = bytes.maketrans(b"123456789", b"000000000")
LONG_NUMBER = b"0" * 20  # 64 bits have up to 20 digits
ESCAPED_DIGIT = b"\\u003"


MAX_DEPTH = 1024
"""Objects and lists within one another that a value may have: orjson takes no more, so nothing does."""
FRAMES = 4 * MAX_DEPTH  # of calls that look at such a value; Python's own bound is below it
SIGN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


class _NoNumber(float):
    """NaN or infinity: orjson would write null."""


def parsed(text: str | bytes) -> Any:
    """The value that a text holds. Raises ValueError, RecursionError."""
    written = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if LONG_NUMBER not in written.translate(ZEROS):
        try:
            return orjson.loads(written)
        except ValueError:
            pass  # a better error, or a value
    return _exactly(text)


class _Earlier(str):
    """A key that stands again later in its object: written out with it, but not found by its name."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def with_every_key(text: str) -> Any:
    """The value that a text holds, of whose objects `line_of` and `json` write each key as often as it stands there.

    By its name the last one is found, as in `parsed`. Raises ValueError, RecursionError."""
    return json.loads(text, parse_float=_finite, parse_constant=_NoNumber, object_pairs_hook=_every_pair)


def _every_pair(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    last = {key: place for place, (key, _) in enumerate(pairs)}
    return {key if last[key] == place else _Earlier(key): value for place, (key, value) in enumerate(pairs)}


def with_texts(document: bytes) -> tuple[Any, Callable[[str], Any]]:
    """The value of a document, and what reads the JSON in its texts as `parsed` does: quicker where no number is long.

    Raises ValueError, RecursionError."""
    if LONG_NUMBER in document.translate(ZEROS) or ESCAPED_DIGIT in document:
        return parsed(document), parsed
    return _shortly(document), _shortly


def _shortly(text: str | bytes) -> Any:
    """The value in a text without long numbers. Raises ValueError, RecursionError."""
    try:
        return orjson.loads(text)
    except ValueError:
        return _exactly(text)


def _exactly(text: str | bytes) -> Any:
    _check_depth(text if isinstance(text, str) else text.decode("utf-8", "replace"))
    return json.loads(text, parse_float=_finite, parse_constant=_NoNumber)


def _check_depth(text: str) -> None:
    """Raises ValueError where objects and lists are deeper within one another than may be."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for sign in SIGN.finditer(text):
        depth += (sign[0] in "[{") - (sign[0] in "]}")
        if depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH:,} levels")


@contextmanager
def deep_values() -> Iterator[None]:
    """Let functions look at values as deep as may be."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def line_of(record: Any) -> bytes:
    """A value as JSON in one line; bytes are text. Raises ValueError, RecursionError."""
    try:
        return orjson.dumps(record, _as_text, orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return json.dumps(record, ensure_ascii=False, default=_as_text).encode("utf-8", "replace") + b"\n"


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _NoNumber(value)


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError


def leading_documents(text: str) -> Iterator[tuple[Any, int]]:
    """The JSON values that stand one after the other in a text, each with its end, up to what is none."""
    decoder, place = json.JSONDecoder(), 0
    try:
        while place < len(text):
            if text[place] in " \t\r\n":
                place += 1
            else:
                item, place = decoder.raw_decode(text, place)
                yield item, place
    except (ValueError, RecursionError):
        return
