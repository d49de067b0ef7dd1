"""Figures in the sentences of a check."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from ..results import usd


def money(amount: Fraction | Decimal) -> str:
    """`$1,234.50`; below a dollar to two significant digits: `$0.012`."""
    exact = usd(amount)
    size = abs(exact)
    if size >= 1 or not size:
        text = f"{size:,.2f}".removesuffix(".00") if size == size.to_integral_value() else f"{size:,.2f}"
    else:
        text = f"{size.quantize(Decimal(1).scaleb(min(size.adjusted() - 1, -2))):f}"
    return f"-${text}" if exact < 0 else f"${text}"


def share(chance: float) -> str:
    """A share of trials in percent, never rounded to none or to all: `12%`, `<1%`."""
    percent = 100 * chance
    if 0 < percent < 1:
        return "<1%"
    return ">99%" if 99 < percent < 100 else f"{percent:.0f}%"
