"""JSON of documents, read and written fast, where Python's own parser would take as long as all else of a load.

What only that reads exactly (a number of over 64 bits, NaN, half a character) it still reads. A number that Python has
no like of is written as it was read, for DuckDB takes it so from the log itself.
"""

from __future__ import annotations

import json
import math
import re
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import orjson

from .limits import MAX_VALUES

ZEROS = bytes.maketrans(b"123456789", b"000000000")
MANY_DIGITS = b"0" * 19
LONG_NUMBER, LONG_NEGATIVE = b"0" * 20, b"-" + MANY_DIGITS  # 64 bits have up to 20 digits, and 19 below 0
ESCAPED_DIGIT = b"\\u003"


MAX_DEPTH = 1024
"""Objects and lists within one another that a value may have: orjson takes no more, so nothing does."""
FRAMES = 4 * MAX_DEPTH  # of calls that look at such a value; Python's own bound is below it
TEXT = r'"(?:[^"\\]++|\\.)*+"?'  # one without an end is looked through once, too: not again from each quote in it
SIGN = re.compile(rf"{TEXT}|[\[{{]|[\]}}]", re.DOTALL)
NO_NUMBER = re.compile(rf"{TEXT}|(-?(?:nan|inf(?:inity)?))", re.DOTALL | re.IGNORECASE)
"""NaN and infinity in every spelling that DuckDB takes; or a text, in which they mean nothing."""
FEW_BYTES = 2**20  # a text up to here holds few values


class TooMuchError(ValueError):
    """JSON that is not read: nested too deeply, or of too many values."""


class _NoNumber(float):
    """A number that is none for Python (NaN, infinity, 1e5000), and how it was `written`."""

    __slots__ = ("written",)
    written: str

    def __new__(cls, written: str) -> _NoNumber:
        number = super().__new__(cls, written)
        number.written = written
        return number


def parsed(text: str | bytes) -> Any:
    """The value that a text holds. Raises ValueError, RecursionError."""
    written = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    check_values(written)
    if not _has_long_number(written):
        try:
            return orjson.loads(written)
        except ValueError:
            pass  # a better error, or a value
    return _exactly(text)


def parsed_or_none(text: str | bytes) -> Any:
    """The same, and None of what is no JSON."""
    try:
        return parsed(text)
    except (ValueError, RecursionError):
        return None


def parsed_file(written: bytes) -> Any:
    """The value of a file's text, whatever in it is no UTF-8. Raises ValueError, RecursionError."""
    plain = written.removeprefix(BOM_UTF8)
    check_values(plain)
    if not _has_long_number(plain):
        try:
            return orjson.loads(plain)
        except ValueError:
            pass  # as in `parsed`
    return parsed(plain.decode("utf-8", "replace"))


def _has_long_number(written: bytes) -> bool:
    zeros = written.translate(ZEROS)
    return MANY_DIGITS in zeros and (LONG_NUMBER in zeros or LONG_NEGATIVE in zeros)


class _Earlier(str):
    """A key that stands again later in its object: written out with it, but not found by its name."""

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def with_every_key(text: str) -> Any:
    """The value that a text holds, of whose objects `line_of` and `json` write each key as often as it stands there.

    By its name the last one is found, as in `parsed`. Raises ValueError, RecursionError."""
    check_values(text.encode("utf-8", "surrogatepass"))
    return _read(text, _every_pair)


def _every_pair(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    last = {key: place for place, (key, _) in enumerate(pairs)}
    return {key if last[key] == place else _Earlier(key): value for place, (key, value) in enumerate(pairs)}


def parser_of_parts(document: bytes) -> Callable[[bytes], Any]:
    """What reads the parts of a document as `parsed` does: quicker where no number in it is long."""
    return parsed if _has_long_number(document) else _parsed_shortly


def _parsed_shortly(written: bytes) -> Any:
    check_values(written)
    return _shortly(written)


def with_texts(document: bytes) -> tuple[Any, Callable[[str], Any]]:
    """The value of a document, and what reads the JSON in its texts as `parsed` does: quicker where no number is long.

    Raises ValueError, RecursionError."""
    if _has_long_number(document) or ESCAPED_DIGIT in document:
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
    return _read(text)


def _read(text: str | bytes, of_pairs: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """A value with its numbers as they are written. Raises ValueError, RecursionError."""
    read = partial(json.loads, parse_int=_whole, parse_float=_finite, object_pairs_hook=of_pairs)
    try:
        return read(text, parse_constant=_NoNumber)
    except json.JSONDecodeError as error:
        if not NO_NUMBER.match(error.doc, error.pos):
            raise
        words = iter([found[1] for found in NO_NUMBER.finditer(error.doc) if found[1]])
        plain = NO_NUMBER.sub(lambda found: "NaN" if found[1] else found[0], error.doc)
    return read(plain, parse_constant=lambda _: _NoNumber(next(words)))


def _check_depth(text: str) -> None:
    """Raises TooMuchError where objects and lists are deeper within one another than may be."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for sign in SIGN.finditer(text):
        depth += (sign[0] in "[{") - (sign[0] in "]}")
        if depth > MAX_DEPTH:
            raise TooMuchError(f"nested deeper than {MAX_DEPTH:,} levels")


def are_few(size: int) -> bool:
    """Whether a text of so many bytes need not be looked through for its values: each takes one at least."""
    return size <= FEW_BYTES or size <= MAX_VALUES.value


def check_values(written: bytes) -> None:
    """Raises TooMuchError where a text holds so many values that these take too much memory."""
    if are_few(len(written)):
        return
    most = MAX_VALUES.value
    if _values(written) > most and _values_beside_texts(written) > most:
        raise TooMuchError(f"over so many values: {MAX_VALUES}")


def _values(written: bytes) -> int:
    """Each comma and each opening brace or bracket begins one."""
    return sum(map(written.count, (b",", b"{", b"[")))


def _values_beside_texts(written: bytes) -> int:
    """The values, but for what looks so within texts; looked through in pieces, for each text takes memory too."""
    plain = written.replace(b"\\\\", b"").replace(b'\\"', b"")
    values, in_text = 0, False
    for place in range(0, len(plain), FEW_BYTES):
        parts = plain[place : place + FEW_BYTES].split(b'"')
        values += _values(b"".join(parts[in_text::2]))
        in_text ^= len(parts) % 2 == 0
    return values


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
        return orjson.dumps(record, _as_written, orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return _spelled(record).encode("utf-8", "replace") + b"\n"


def _spelled(value: Any) -> str:
    """What orjson does not write, as JSON: deep, with a number of over 64 bits, half a character, a key twice."""
    if isinstance(value, dict):
        parts = [f"{json.dumps(key, ensure_ascii=False)}:{_spelled(of)}" for key, of in value.items()]
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([_spelled(item) for item in value]) + "]"
    if isinstance(value, _NoNumber):
        return value.written
    return json.dumps(value, ensure_ascii=False, default=_as_written)


def _finite(number: str) -> float:
    value = float(number)
    return value if math.isfinite(value) else _NoNumber(number)


def _whole(number: str) -> float:
    """A whole number; one of more digits than Python reads is none."""
    try:
        return int(number)
    except ValueError:
        return _NoNumber(number)


def _as_written(value: Any) -> Any:
    if isinstance(value, _NoNumber):
        return orjson.Fragment(value.written)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError


def leading_documents(text: str) -> Iterator[tuple[Any, int]]:
    """The JSON values that stand one after the other in a text, each with its end, up to what is none."""
    decoder, place = json.JSONDecoder(parse_int=_whole, parse_float=_finite, parse_constant=_NoNumber), 0
    try:
        while place < len(text):
            if text[place] in " \t\r\n":
                place += 1
            else:
                item, place = decoder.raw_decode(text, place)
                yield item, place
    except (ValueError, RecursionError):
        return
