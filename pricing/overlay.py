"""Price books in files: the user's `prices.yaml`, and the article's table that ships with costsim."""

from __future__ import annotations

import hashlib
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from ..documents import Document, read_document, validate
from ..errors import PriceBookError
from ..tokens import PRICED_AS
from .abilities import Ability, Kind
from .matching import literal_key
from .rows import MTOK, ModelKey, PriceRow
from .stated import BookFile, ModelPrices, Subscription, TokenPrices

THOUSAND = 1_000
_Span = tuple[datetime, datetime]
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class FileBook:
    """A book read from a file: its content, its hash, its document for errors, its rows by model."""

    content: BookFile
    hash: str
    document: Document
    rows: dict[ModelKey, tuple[PriceRow, ...]]
    context_windows: dict[ModelKey, int]
    kinds: dict[ModelKey, Kind]
    takes: dict[ModelKey, list[Ability]]

    def error(self, message: str, *path: str | int) -> PriceBookError:
        """An error that names the file, the line and the key."""
        error = self.document.error(PriceBookError, message, path)
        assert isinstance(error, PriceBookError)  # noqa: S101 (for the type)
        return error


def read_book(file: Path) -> FileBook:
    """The price book in `file`. Raises PriceBookError in one line: file, line, key, fix."""
    document = read_document(file, PriceBookError)
    content = validate(document, BookFile, PriceBookError)
    rows: dict[ModelKey, list[PriceRow]] = {}
    for entry in content.models:
        rows.setdefault(literal_key(entry.model), []).extend(_entry_rows(content, entry))
    for subscription in content.subscriptions:
        for model in subscription.models:
            rows.setdefault(literal_key(model), [])
    book = FileBook(
        content,
        hashlib.sha256(file.read_bytes()).hexdigest(),
        document,
        {key: tuple(own) for key, own in rows.items()},
        {literal_key(e.model): e.context_window for e in content.models if e.context_window},
        {literal_key(e.model): e.kind for e in content.models if e.kind},
        {literal_key(e.model): e.takes for e in content.models if e.takes is not None},
    )
    _check(book)
    return book


def _entry_rows(content: BookFile, entry: ModelPrices) -> Iterator[PriceRow]:
    key = literal_key(entry.model)
    priced = [(0, name, usd, MTOK) for name, usd in entry.usd_per_mtok.stated().items()]
    priced += [(0, name, usd, THOUSAND) for name, usd in entry.usd_per_thousand.stated().items()]
    priced += [(t.min_input_tokens, n, usd, MTOK) for t in entry.tiers for n, usd in t.usd_per_mtok.stated().items()]
    for start, name, usd, per in priced:
        yield PriceRow(
            *key, name, entry.processing, start, entry.valid_from, entry.valid_to, None, None, usd, per,
            source=entry.source or content.source, source_version=content.book, note=entry.note,
        )  # fmt: skip


def shadow_rows(subscription: Subscription, key: ModelKey) -> list[PriceRow]:
    """The classes whose shadow price the subscription states: nothing at the margin."""
    stated = subscription.shadow_usd_per_mtok.stated()
    return [_flat_row(subscription, key, name, usd) for name, usd in stated.items()]


def unshadowed_rows(subscription: Subscription, key: ModelKey, covered: set[str]) -> list[PriceRow]:
    """The token classes that are not covered: nothing at the margin, and nobody knows a shadow price."""
    return [
        _flat_row(subscription, key, name, None)
        for name in TokenPrices.model_fields
        if name not in (*covered, *PRICED_AS)
    ]


def _flat_row(subscription: Subscription, key: ModelKey, name: str, shadow_usd: Decimal | None) -> PriceRow:
    return PriceRow(
        *key, name, "standard", 0, subscription.valid_from, subscription.valid_to, None, None, Decimal(0), MTOK,
        source=f"subscription {subscription.name}", source_version=subscription.name, shadow_usd=shadow_usd,
    )  # fmt: skip


def _check(book: FileBook) -> None:
    """Two rows of one book must never price the same thing at the same time; entries must price something."""
    taken: dict[tuple[object, ...], list[_Span]] = {}
    for index, entry in enumerate(book.content.models):
        if not (priced := _priced(entry)):
            raise book.error(f"{entry.model!r} has no price; give usd_per_mtok", "models", index)
        starts = Counter(tier.min_input_tokens for tier in entry.tiers)
        if twice := next((start for start, times in starts.items() if times > 1), None):
            raise book.error(f"{entry.model!r} has two tiers from {twice:,} tokens", "models", index, "tiers")
        key, span = (literal_key(entry.model), entry.processing), (entry.valid_from or FIRST, entry.valid_to or LAST)
        if not all(_take(taken.setdefault((key, what), []), span) for what in priced):
            message = f"{entry.model!r} is priced twice for the same time; end one with valid_to"
            raise book.error(message, "models", index)


def _priced(entry: ModelPrices) -> set[object]:
    tiers = {(tier.min_input_tokens, name) for tier in entry.tiers for name in tier.usd_per_mtok.stated()}
    return {*entry.usd_per_mtok.stated(), *entry.usd_per_thousand.stated(), *tiers}


def _take(spans: list[_Span], own: _Span) -> bool:
    """Put a time among others, in order; False where it overlaps one of them."""
    place = bisect(spans, own)
    free = all(end <= own[0] for _, end in spans[place - 1 : place] if place)
    free = free and all(start >= own[1] for start, _ in spans[place : place + 1])
    spans.insert(place, own)
    return free
