"""JSON documents as records: an object, the items of an array, or several objects one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .files import leading_documents
from .fits import loaded
from .reader import RAW_CHARACTERS

EXPORTS = ("resourceSpans", "resourceLogs", "resourceMetrics")


def items(content: Path, _file: Path, pages: tuple[str, ...] = ()) -> Iterator[dict[str, Any] | str]:
    """The object that a JSON document is, the items of an array, or the objects that stand one after the other; of an
    object that lists others under one of `pages`, these.

    What follows the last whole one is handed on as it stands, in a line, to be rejected.
    """
    text = content.read_bytes().decode("utf-8-sig", "replace")
    try:
        found, rest = loaded(text), ""
    except (ValueError, RecursionError):
        documents = list(leading_documents(text))
        several = len(documents) > 1
        found = [item for item, _ in documents] if several else []
        rest = text[documents[-1][1] :] if several else text
    for item in found if isinstance(found, list) else [found]:
        yield from _exports(item, pages) if isinstance(item, dict) else [json.dumps(item)]
    if rest.strip():
        yield " ".join(rest[:RAW_CHARACTERS].split())


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
