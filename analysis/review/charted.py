"""Sums that the charts and tables of a review show: costs by day and by cell, added up by name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .results import Cell, Review, Where


def sum_cells(
    where: Where, place: Callable[[Cell], tuple[str, str]]
) -> dict[tuple[str, str], tuple[Decimal | None, int]]:
    """USD and calls of the month's cells by their place; USD is None where none of a place's cells has a price."""
    sums: dict[tuple[str, str], tuple[Decimal | None, int]] = {}
    for cell in where.cells:
        was, calls = sums.get(place(cell), (None, 0))
        known = was if cell.usd is None else (was or Decimal(0)) + cell.usd
        sums[place(cell)] = known, calls + cell.calls
    return sums


def sum_days(where: Where, part: Callable[[str], str]) -> dict[tuple[date, str], Decimal]:
    """USD by day and by part, to which a component belongs."""
    sums: dict[tuple[date, str], Decimal] = {}
    for d in where.days:
        key = d.day, part(d.component)
        sums[key] = sums.get(key, Decimal(0)) + d.usd
    return sums


def spent_so_far(review: Review) -> list[tuple[date, Decimal]]:
    """A running month's cost at the end of each of its days that is known whole."""
    forecast = review.headline.forecast
    assert forecast is not None  # noqa: S101 (the caller has looked)
    by_day: dict[date, Decimal] = {}
    for d in review.where.days:
        if f"{d.day:%Y-%m}" == review.month and d.day <= forecast.as_of:
            by_day[d.day] = by_day.get(d.day, Decimal(0)) + d.usd
    return list(zip(sorted(by_day), accumulate(by_day[day] for day in sorted(by_day)), strict=True))
