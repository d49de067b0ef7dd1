"""Figures in the sentences and tables of a check."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal


def share(chance: float) -> str:
    """A share of trials in percent, never rounded to none or to all: `12.5%`, `<0.1%`, `>99.9%`."""
    if 0 < chance < 0.001:
        return "<0.1%"
    if 0.999 < chance < 1:
        return ">99.9%"
    return f"{Decimal(f'{100 * chance:.1f}').normalize():f}%"


def crosses_on(crossed_on: date | None, source: Literal["projection", "usage"], last: date, today: date) -> date | None:
    """The day of a breach, of a period that ends on `last`: a projected day before today is no forecast, so None."""
    running = source == "projection" and last >= today
    return None if crossed_on and running and crossed_on < today else crossed_on
