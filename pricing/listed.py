"""The base book `list`: genai-prices' snapshot, and the rows of ours that it lacks (books/own-rows.yaml)."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from . import snapshot

if TYPE_CHECKING:
    from .overlay import FileBook
    from .rows import ModelKey, PriceRow

OWN_ROWS = Path(__file__).parent / "books" / "own-rows.yaml"


@cache
def own_rows() -> FileBook:
    """Our own rows and regions."""
    from .overlay import read_book

    return read_book(OWN_ROWS)


@cache
def rows(key: ModelKey) -> tuple[PriceRow, ...]:
    """All rows of one model: the snapshot's, and ours of the classes and processing levels that it does not have."""
    listed = snapshot.rows(key)
    known = {(row.processing, row.token_class) for row in listed}
    return (*listed, *(r for r in own_rows().rows.get(key, ()) if (r.processing, r.token_class) not in known))


def content_hash() -> str:
    """sha256 of both files: equal hashes, equal prices."""
    return hashlib.sha256(f"{snapshot.content_hash()} {own_rows().hash}".encode()).hexdigest()


def source() -> str:
    """What the book is made of."""
    return f"{snapshot.source()} and {own_rows().content.source}"
