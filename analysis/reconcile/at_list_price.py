"""A bill at list price: the tokens that it prices itself, and its charges of a processing level or a region.

A cloud's bill states its own amounts, and its models by its own names: its tokens are priced here as the price list
has that model, so that they can be compared. A charge without tokens that the bill says is of a batch, a level or a
region is brought to the standard price, where our calls say nothing of that, and the rest is the price of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from fractions import Fraction
from typing import TYPE_CHECKING

from .sides import CellKey, SideLine, Statement
from .split import Item

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ...pricing.rows import ModelKey
    from .results import Reason

Models = Mapping[tuple[str, str], "ModelKey"]
"""The price list's model of a biller and a plain name."""


def priced_lines(lines: Iterable[SideLine], models: Models, book: PriceBook) -> list[SideLine]:
    """Lines whose bill states the amount, at the price book where it knows the model."""
    return [_at_book(line, models, book) if line.as_billed else line for line in lines]


def _at_book(line: SideLine, models: Models, book: PriceBook) -> SideLine:
    key = _key(line.provider, line.model, models, book)
    price = _price(book, key, line.token_class, line.day, line.processing) if key else None
    return replace(line, usd=None if price is None else line.tokens * price)


def _key(provider: str, model: str, models: Models, book: PriceBook) -> ModelKey | None:
    if not model:
        return None
    return models.get((provider, model)) or book.resolve(model, provider) or book.resolve(model)


def _price(book: PriceBook, key: ModelKey, token_class: str, day: date, processing: str) -> Fraction | None:
    row = book.price(key, token_class, at=datetime.combine(day, time()), processing=processing)
    return Fraction(row.usd) / row.per if row else None


def at_standard(
    charges: Iterable[Statement], own: Iterable[SideLine], key: Callable[[date, str, str], CellKey], models: Models,
    book: PriceBook,
) -> tuple[list[Statement], list[Item]]:  # fmt: skip
    """The charges at the standard price, and what each level or region adds to it."""
    logged: dict[CellKey, set[str]] = defaultdict(set)
    for line in own:
        logged[key(line.day, line.provider, line.model)].add(line.processing)
    kept: list[Statement] = []
    items: list[Item] = []
    for charge in charges:
        place = key(charge.day, charge.provider, charge.model)
        known = charge.processing in ("standard", *logged[place]) or charge.has_tokens
        factor = None if known else _factor(charge, models, book)
        usd = charge.usd if not factor else charge.usd / factor
        kept.append(replace(charge, usd=usd))
        if usd != charge.usd:
            words = f"standard here, {charge.processing} there"
            items.append(Item(*place, "", "price", _reason(charge.processing), charge.usd - usd, words))
    return kept, items


def _factor(charge: Statement, models: Models, book: PriceBook) -> Fraction | None:
    found = _key(charge.provider, charge.model, models, book)
    if found is None:
        return None
    level, standard = (_price(book, found, "output", charge.day, how) for how in (charge.processing, "standard"))
    return level / standard if level and standard else None


def _reason(processing: str) -> Reason:
    level, _, _ = processing.partition("/")
    return "batch" if level == "batch" else "region" if level == "standard" else "processing"
