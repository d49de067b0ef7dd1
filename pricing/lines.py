"""The prices of all token classes of requests at several context tiers, looked up once for all that ask alike."""

from __future__ import annotations

from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .book import PriceBook
    from .rows import ModelKey, PriceRow

Rates = tuple[tuple[Fraction, ...], ...]
"""USD per unit: a row per tier, a column per class."""


class PriceLines(NamedTuple):
    """A line per tier, a column per class: its price row (None: unpriced, 0 USD), and its USD per unit."""

    rows: tuple[tuple[PriceRow | None, ...], ...]
    usd: Rates
    shadow_usd: Rates


def price_lines(
    book: PriceBook, key: ModelKey, classes: tuple[str, ...], tiers: tuple[int, ...], at: datetime, processing: str
) -> PriceLines:
    """What each class costs at that moment, of requests with at least each of these total inputs."""
    asked = (key, classes, tiers, at, processing)
    if asked not in book.known:
        book.known[asked] = _looked_up(book, key, classes, tiers, at, processing)
    found: PriceLines = book.known[asked]
    return found


def price_starts(book: PriceBook, key: ModelKey, processing: str, first: datetime, end: datetime) -> list[datetime]:
    """The moments from `first` on, that included, from which the model may have other prices, until `end`."""
    asked = (key, processing, first, end)
    if asked not in book.known:
        book.known[asked] = [first, *book.boundaries(key, processing, first, end)]
    found: list[datetime] = book.known[asked]
    return found


def _looked_up(
    book: PriceBook, key: ModelKey, classes: tuple[str, ...], tiers: tuple[int, ...], at: datetime, processing: str
) -> PriceLines:
    rows = tuple(
        tuple(book.price(key, name, at=at, input_tokens=tier, processing=processing) for name in classes)
        for tier in tiers
    )
    nothing = Fraction(0)
    return PriceLines(
        rows,
        tuple(tuple(row.usd_per_unit if row else nothing for row in line) for line in rows),
        tuple(tuple(row.shadow_usd_per_unit if row else nothing for row in line) for line in rows),
    )
