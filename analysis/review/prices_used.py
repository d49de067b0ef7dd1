"""The price rows behind the month's figures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...money import strip
from ..projection import BookLayer
from .results import PriceMove, Prices, PriceUsed

if TYPE_CHECKING:
    from ...pricing.book import PriceBook

COLUMNS = (
    "price_id", "model", "token_class", "processing", "min_input_tokens", "valid_from", "valid_to", "usd", "per",
    "source", "units", "cost_usd",
)  # fmt: skip


def prices(lines: Iterable[tuple[Any, ...]], book: PriceBook, moves: list[PriceMove]) -> Prices:
    """The part, from its query's rows (see queries.py)."""
    layers = [BookLayer(name=of.name, hash=of.hash, source=of.source, stale=of.stale) for of in book.layers]
    return Prices(
        moves=moves, used=[_used(*line) for line in lines], book_hash=book.hash, layers=layers, query="prices"
    )


def _used(*line: Any) -> PriceUsed:
    row = dict(zip(COLUMNS, line, strict=True))
    row |= {name: _iso(row[name]) for name in ("valid_from", "valid_to")}
    row |= {name: strip(row[name]) for name in ("usd", "cost_usd")}
    return PriceUsed(**row)


def _iso(at: datetime | None) -> str | None:
    return f"{at.isoformat()}+00:00" if at else None
