"""Questions people ask of a price book: what is there, what does this model cost, what changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from typing import Literal

from ..documents import did_you_mean
from ..errors import UnpricedError
from ..tokens import TOKEN_CLASSES
from .book import PriceBook
from .rows import ModelKey, PriceRow


@dataclass(frozen=True)
class KnownModel:
    """All that a book knows of one model: `rows` in the order of class, processing, tier, time and layer."""

    key: ModelKey
    context_window: int | None
    rows: tuple[PriceRow, ...]


@dataclass(frozen=True)
class PriceDifference:
    """One price that two books state differently at a moment; `percent` is of the first, None where one lacks it."""

    kind: Literal["added", "removed", "changed"]
    key: ModelKey
    token_class: str
    before: PriceRow | None
    after: PriceRow | None
    percent: Decimal | None


def list_prices(book: PriceBook, pattern: str | None, at: datetime) -> list[PriceRow]:
    """The base-tier standard rows in force at a UTC moment, of models whose "provider/model" fits the pattern.

    A pattern is a glob (`anthropic/*haiku*`), or a part of the name; case does not matter.
    """
    keys = sorted(key for key in book.keys() if _fits(str(key), pattern))
    return [row for key in keys for row in _in_force(book, key, at)]


def _fits(name: str, pattern: str | None) -> bool:
    if pattern is None:
        return True
    name, pattern = name.lower(), pattern.lower()
    return fnmatchcase(name, pattern) if set("*?[") & set(pattern) else pattern in name


def _in_force(book: PriceBook, key: ModelKey, at: datetime) -> list[PriceRow]:
    found = (book.price(key, token_class, at=at) for token_class in TOKEN_CLASSES)
    return [row for row, name in zip(found, TOKEN_CLASSES, strict=True) if row and row.token_class == name]


def show_model(book: PriceBook, ref: str) -> KnownModel:
    """Every row of one model. Raises UnpricedError, with a near name where there is one."""
    key = book.resolve(ref)
    if key is None:
        raise UnpricedError(f"no price for {ref!r}{_near(book, ref)}")
    return KnownModel(key, book.context_window(key), tuple(sorted(book.rows(key), key=_order)))


def _near(book: PriceBook, ref: str) -> str:
    """A hint for people; nothing is ever priced by it."""
    names = {str(key).lower(): str(key) for key in book.keys()}
    bare = {key.model.lower(): str(key) for key in book.keys()}
    return did_you_mean(ref, list(names)) if "/" in ref else did_you_mean(ref, list(bare))


def _order(row: PriceRow) -> tuple[object, ...]:
    rank = TOKEN_CLASSES.index(row.token_class) if row.token_class in TOKEN_CLASSES else len(TOKEN_CLASSES)
    since = row.valid_from.isoformat() if row.valid_from else ""
    return (
        rank,
        row.token_class,
        row.processing,
        row.min_input_tokens,
        since,
        str(row.utc_from or ""),
        row.layer,
    )


def diff_books(before: PriceBook, after: PriceBook, at: datetime, pattern: str | None = None) -> list[PriceDifference]:
    """What the second book prices otherwise than the first, at a UTC moment: base tiers, standard processing."""
    keys = sorted(key for key in {*before.keys(), *after.keys()} if _fits(str(key), pattern))
    return [found for key in keys for name in TOKEN_CLASSES if (found := _difference(before, after, key, name, at))]


def _difference(
    before: PriceBook, after: PriceBook, key: ModelKey, token_class: str, at: datetime
) -> PriceDifference | None:
    old, new = before.price(key, token_class, at=at), after.price(key, token_class, at=at)
    if {row.token_class for row in (old, new) if row}.isdisjoint({token_class}):
        return None  # neither has a price of the class's own
    if old is None or new is None:
        return PriceDifference("added" if old is None else "removed", key, token_class, old, new, None)
    if old.usd_per_unit == new.usd_per_unit:
        return None
    return PriceDifference("changed", key, token_class, old, new, _percent(old.usd_per_unit, new.usd_per_unit))


def _percent(old: Fraction, new: Fraction) -> Decimal | None:
    return Decimal(round((new / old - 1) * 10_000)) / 100 if old else None
