"""The words of prices: processing levels, model keys and price rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_args

Processing = Literal["standard", "batch", "flex", "priority", "fast"]
PROCESSING: tuple[str, ...] = get_args(Processing)
MTOK = 1_000_000


@lru_cache(1024)
def processings(wanted: str) -> tuple[str, ...]:
    """Whose rows may price a call, the best first: `fast/us`, then `fast`, `standard/us`, `standard`.

    Where a region has a price of its own, its name follows the level's after a slash.
    """
    level, slash, region = wanted.partition("/")
    return tuple(dict.fromkeys((wanted, level, f"standard{slash}{region}", "standard")))


class ModelKey(NamedTuple):
    """A model as a price book knows it: exact, after normalisation."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What `per` units of a token class cost, from when to when, for requests of at least a size.

    `usd` is USD per `per` units. `valid_from` and `valid_to` are UTC and half-open, None without bound;
    `utc_from` and `utc_to` a daily window (None: all day; it wraps midnight where from > to). The row with
    the highest `min_input_tokens` not above a request's own total input prices the whole request.
    `processing` is a level, and the region where that has a price of its own: see `processings`.
    `shadow_usd` is what a subscription's call would cost outside it. `layer` rises with precedence, 0 the base.
    """

    provider: str
    model: str
    token_class: str
    processing: str
    min_input_tokens: int
    valid_from: datetime | None
    valid_to: datetime | None
    utc_from: time | None
    utc_to: time | None
    usd: Decimal
    per: int
    source: str
    source_version: str
    layer: int = 0
    shadow_usd: Decimal | None = None
    note: str = ""

    @property
    def usd_per_unit(self) -> Fraction:
        """USD per single token, search or request, exact."""
        return _per_unit(self.usd, self.per)

    @property
    def shadow_usd_per_unit(self) -> Fraction:
        """The shadow price per single unit; 0 where there is none."""
        return _per_unit(self.shadow_usd or Decimal(0), self.per)

    def applies(self, at: datetime) -> bool:
        """Whether the row is valid at that UTC instant."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at >= self.valid_to):
            return False
        if self.utc_from is None or self.utc_to is None:
            return True
        clock = at.time()
        if self.utc_from < self.utc_to:
            return self.utc_from <= clock < self.utc_to
        return clock >= self.utc_from or clock < self.utc_to


@lru_cache(4096)
def _per_unit(usd: Decimal, per: int) -> Fraction:
    return Fraction(usd) / per


def as_texts(rows: Iterable[PriceRow]) -> list[list[Any]]:
    """The fields of each row in their order, as JSON holds them."""
    return [[_text(getattr(row, field)) for field in PriceRow.__slots__] for row in rows]


def _text(value: Any) -> Any:
    if isinstance(value, datetime | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def from_texts(rows: Iterable[list[Any]]) -> tuple[PriceRow, ...]:
    """The rows that `as_texts` wrote."""
    return tuple(_row(texts) for texts in rows)


def _row(texts: list[Any]) -> PriceRow:
    given = dict(zip(PriceRow.__slots__, texts, strict=True))
    for name, read in READ.items():
        given[name] = None if given[name] is None else read(given[name])
    return PriceRow(**given)


READ: dict[str, Callable[[str], Any]] = {
    "valid_from": datetime.fromisoformat,
    "valid_to": datetime.fromisoformat,
    "utc_from": time.fromisoformat,
    "utc_to": time.fromisoformat,
    "usd": Decimal,
    "shadow_usd": Decimal,
}
"""How the fields that are no texts and numbers are read."""
