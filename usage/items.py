"""JSON documents as records: an object, the items of an array, or several of these one after the other."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from .fast_json import leading_documents, parser_of_parts
from .fits import loaded
from .reader import RAW_CHARACTERS

PARTS: Any = dict[str, msgspec.Raw] | list[msgspec.Raw]
Read = Callable[[msgspec.Raw], Any]
EXPORTS = ("resourceSpans", "resourceLogs", "resourceMetrics")


def items(content: Path, _file: Path, pages: tuple[str, ...] = ()) -> Iterator[dict[str, Any] | str]:
    """The object that a JSON document is, or the items of an array; of several that stand one after the other, all of
    them. Of an object that lists others under one of `pages`, these.

    What follows the last whole one is handed on as it stands, in a line, to be rejected.
    """
    written = content.read_bytes()
    try:
        parts = msgspec.json.decode(written.removeprefix(BOM_UTF8), type=PARTS)
    except (msgspec.DecodeError, RecursionError):
        yield from _of_text(written.decode("utf-8-sig", "replace"), pages)
        return
    read = _reader_of_parts(written)
    if isinstance(parts, list):
        yield from chain.from_iterable(_records(read(part), pages) for part in parts)
    else:
        yield from _of_object(parts, read, pages)


def _of_object(parts: dict[str, msgspec.Raw], read: Read, pages: tuple[str, ...]) -> Iterator[dict[str, Any] | str]:
    """The records of an object; of an OTLP export, a resource is read at a time: all of them take much more memory."""
    key = next((name for name in EXPORTS if bytes(memoryview(parts.get(name, b""))[:1]) == b"["), "")
    if not key or not parts.keys().isdisjoint(pages):
        yield from _records({name: read(part) for name, part in parts.items()}, pages)
        return
    resources = msgspec.json.decode(parts.pop(key), type=list[msgspec.Raw])
    rest = {name: read(part) for name, part in parts.items()}
    if not resources:
        yield {**rest, key: []}
    for number, resource in enumerate(resources):
        yield {**({} if number else rest), key: [read(resource)]}


def _reader_of_parts(document: bytes) -> Read:
    """What gives the value of a part of a document. That raises ValueError, RecursionError."""
    parse = parser_of_parts(document)

    def value(part: msgspec.Raw) -> Any:
        written = bytes(part)
        try:
            return parse(written)
        except ValueError:
            return loaded(written.decode("utf-8", "replace"))

    return value


def _of_text(text: str, pages: tuple[str, ...]) -> Iterator[dict[str, Any] | str]:
    """The records of a document that a strict reading does not take."""
    try:
        documents, rest = [loaded(text)], ""
    except (ValueError, RecursionError):
        leading = list(leading_documents(text))
        documents = [document for document, _ in leading]
        rest = text[leading[-1][1] :] if leading else text
    for document in documents:
        for item in document if isinstance(document, list) else [document]:
            yield from _records(item, pages)
    if rest.strip():
        yield " ".join(rest[:RAW_CHARACTERS].split())


def _records(item: Any, pages: tuple[str, ...]) -> Iterable[dict[str, Any] | str]:
    """What an item of a document is; one that is no object is handed on, to be rejected."""
    if not isinstance(item, dict):
        return (json.dumps(item),)
    if item.keys().isdisjoint(EXPORTS) and item.keys().isdisjoint(pages):  # nearly all, and in millions
        return (item,)
    return _exports(item, pages)


def _exports(item: dict[str, Any], pages: tuple[str, ...]) -> Iterator[dict[str, Any] | str]:
    """An object as it is, or what its page lists; an OTLP export as one for each resource.

    So no record is as long as the document.
    """
    if page := next((name for name in pages if isinstance(item.get(name), list)), ""):
        yield from (one if isinstance(one, dict) else json.dumps(one) for one in item[page])
        return
    key = next((name for name in EXPORTS if isinstance(item.get(name), list)), "")
    first, *others = item.get(key) or [None]
    yield {**item, key: [first]} if others else item
    yield from ({key: [other]} for other in others)
