"""Numbers for people that are no money: `71.9%`, `1,440`, `1.2M`. Each is rounded once, here, as it is shown."""

from __future__ import annotations

from decimal import Decimal

from ..money import MINUS, rounded, scaled, signed, small, stripped

_SMALLEST_PERCENT = Decimal("0.1")


def percent(amount: Decimal) -> str:
    """Parts of a hundred (`Decimal("71.93")` is `71.9%`), to one decimal."""
    if 0 < abs(amount) < _SMALLEST_PERCENT:
        return f"<{_SMALLEST_PERCENT}%" if amount > 0 else f">{MINUS}{_SMALLEST_PERCENT}%"
    return signed(amount, f"{rounded(abs(amount), 1):,f}%")


def count(amount: Decimal | int) -> str:
    """Runs, tokens, days, ratios: `0.14`, `2.5`, `48`, `1,440`, `1.2M`."""
    number = Decimal(amount)
    size = abs(number)
    if 0 < size < 1:
        return signed(number, small(size, fixed_places=0))
    if size < 1_000_000:
        return signed(number, stripped(rounded(size, 2 if size < 100 else 0), keep=0))
    return signed(number, scaled(size, places=0))
