"""The base book `list`: genai-prices' snapshot, and the rows of ours that it lacks.

These are the rows of books/own-rows.yaml, and the levels before the day on which the snapshot began to list them: the
vendors' discount of 50 %, and OpenAI's surcharge for priority, are older than their rows there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..tokens import TEXT_CLASSES, UNIT_CLASSES
from . import snapshot
from .kept import kept
from .matching import is_free
from .rows import PriceRow

if TYPE_CHECKING:
    from .overlay import FileBook
    from .rows import ModelKey

OWN_ROWS = Path(__file__).parent / "books" / "own-rows.yaml"

# The vendors' pages that state half of the standard price, for all models with the level; read 2026-11-29.
HALF_PRICED = {
    ("anthropic", "batch"): "https://platform.claude.com/docs/en/build-with-claude/batch-processing",
    ("google", "batch"): "https://ai.google.dev/gemini-api/docs/batch-api",
    ("openai", "batch"): "https://platform.openai.com/docs/guides/batch",
    ("openai", "flex"): "https://platform.openai.com/docs/guides/flex-processing",
}
# The same of a vendor of whose batches the snapshot has no price at all: of text, for what a batch ran is a model that
# batches take.
HALF_UNLISTED = {
    ("aws", "batch"): "https://docs.aws.amazon.com/bedrock/latest/userguide/capacity-limits-cost-optimization.html",
}
OF_TEXT = tuple(name for name in TEXT_CLASSES if name not in UNIT_CLASSES)
# Pages that state a surcharge, which differs by model: before its listing, as many times the standard price as then.
SURCHARGED = {
    ("openai", "priority"): "https://developers.openai.com/api/docs/guides/priority-processing",
    ("openai", "fast"): "https://developers.openai.com/api/docs/guides/priority-processing",
}
FREE = "https://openrouter.ai/docs/guides/routing/model-variants/free"
ALWAYS = datetime.min.replace(tzinfo=UTC)


@cache
def own_rows() -> FileBook:
    """Our own rows and regions."""
    from .overlay import read_book

    return read_book(OWN_ROWS)


def is_own(key: ModelKey) -> bool:
    """Whether our own rows price the model, of which the snapshot may know nothing."""
    return kept("own", key, lambda: key in own_rows().rows, bool, bool)


@cache
def rows(key: ModelKey) -> tuple[PriceRow, ...]:
    """All rows of one model: the snapshot's, and ours of the classes, processing levels and days that it lacks."""
    if is_free(key):
        return tuple(_free(key))
    listed = snapshot.rows(key)
    listed = (
        *listed,
        *_before_listed(key.provider, listed),
        *_surcharged_before(key.provider, listed),
        *_never_listed(key.provider, listed),
    )
    known = {(row.processing, row.token_class) for row in listed}
    return (*listed, *(r for r in own_rows().rows.get(key, ()) if (r.processing, r.token_class) not in known))


def _free(key: ModelKey) -> Iterator[PriceRow]:
    for name in OF_TEXT:
        yield PriceRow(
            *key, name, "standard", 0, None, None, None, None, Decimal(0), 1_000_000, FREE, "read 2026-11-29"
        )


def _before_listed(provider: str, listed: Sequence[PriceRow]) -> Iterator[PriceRow]:
    """The rows of half-price levels up to the day from which the snapshot lists them.

    Only where the first listed price is the standard one of that moment, or half of it: so a class that the discount
    leaves out (searches) stays at its price, and nothing is taken for half price that never was.
    """
    standard = [row for row in listed if row.processing == "standard"]
    for (vendor, level), page in HALF_PRICED.items():
        of_level = [row for row in listed if row.processing == level] if vendor == provider else []
        first = {row.token_class: row for row in sorted(of_level, key=_start, reverse=True)}
        for begun in first.values():
            share, begins = _share(begun, standard), _start(begun)
            if share is None:
                continue
            for row in (r for r in standard if r.token_class == begun.token_class and _start(r) < begins):
                ends = min(row.valid_to or begins, begins)
                source = f"{page} (50 % of standard, read 2026-11-29)"
                yield replace(row, processing=level, usd=row.usd * share, valid_to=ends, source=source)


def _never_listed(provider: str, listed: Sequence[PriceRow]) -> Iterator[PriceRow]:
    """The rows of a half-price level that the snapshot lists for none of a vendor's models."""
    for (vendor, level), page in HALF_UNLISTED.items():
        if vendor == provider and not any(row.processing == level for row in listed):
            for row in listed:
                if row.processing == "standard" and row.token_class in OF_TEXT:
                    source = f"{page} (50 % of standard, read 2026-11-30)"
                    yield replace(row, processing=level, usd=row.usd / 2, source=source)


def _surcharged_before(provider: str, listed: Sequence[PriceRow]) -> Iterator[PriceRow]:
    """The rows of surcharged levels up to the day from which the snapshot lists them, of the tiers that it lists."""
    standard = [row for row in listed if row.processing == "standard"]
    for (vendor, level), page in SURCHARGED.items():
        of_level = [row for row in listed if row.processing == level] if vendor == provider else []
        first = {(r.token_class, r.min_input_tokens): r for r in sorted(of_level, key=_start, reverse=True)}
        for of, begun in first.items():
            begins = _start(begun)
            same = [row for row in standard if (row.token_class, row.min_input_tokens) == of]
            usual = next((row for row in same if row.usd and row.applies(begins)), None)
            for row in same if usual else ():
                if usual and _start(row) < begins:
                    usd = row.usd * begun.usd / usual.usd
                    ends = min(row.valid_to or begins, begins)
                    source = f"{page} ({begun.usd / usual.usd:.3g} times standard, read 2026-11-29)"
                    yield replace(row, processing=level, usd=usd, valid_to=ends, source=source)


def _share(begun: PriceRow, standard: Sequence[PriceRow]) -> Decimal | None:
    """A level's first price of a class over the standard one then: a half or 1; None where it is neither."""
    of = begun.token_class, begun.min_input_tokens
    same = (row for row in standard if (row.token_class, row.min_input_tokens) == of and row.applies(_start(begun)))
    usual = next(same, None)
    shares = (Decimal("0.5"), Decimal(1))
    return next((share for share in shares if usual and begun.usd == usual.usd * share), None)


def _start(row: PriceRow) -> datetime:
    return row.valid_from or ALWAYS


def content_hash() -> str:
    """sha256 of both files: equal hashes, equal prices."""
    own = hashlib.sha256(OWN_ROWS.read_bytes()).hexdigest()
    return hashlib.sha256(f"{snapshot.content_hash()} {own}".encode()).hexdigest()


def source() -> str:
    """What the book is made of."""
    return kept("source", (), lambda: f"{snapshot.source()} and {own_rows().content.source}", str, str)
