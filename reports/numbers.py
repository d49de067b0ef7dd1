"""Numbers for people: `$0.0012`, `$1.23`, `$1.2k`, `−$1.20`, `71.9%`, `1,440`.

Every figure is rounded once, here, half-even and in Decimal, and only as it is shown. The exact amount stands
beside it wherever there is room for it (see `exact_usd`).
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

MINUS = "−"  # the sign, not the hyphen: as wide as a digit, and read aloud as "minus"
UNPRICED = "unpriced"
_EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
_SUFFIXES = ("", "k", "M", "B", "T")
_SMALLEST_USD = Decimal("0.000001")
_SMALLEST_PERCENT = Decimal("0.1")


def usd(amount: Decimal | None) -> str:
    """An amount of USD: two significant digits below a cent, cents below $1,000, then k, M, B, T.

    None, a cost whose model has no price, reads `unpriced`: it is unknown, not zero.
    """
    if amount is None:
        return UNPRICED
    size = abs(amount)
    if 0 < size < _SMALLEST_USD:
        return f"<${_SMALLEST_USD}" if amount > 0 else f">{MINUS}${_SMALLEST_USD}"
    text = _small(size) if size < 1 else _scaled(size, places=2)
    return _signed(amount, f"${text}")


def cents_usd(amount: Decimal | None) -> str:
    """An amount of USD to the cent, `$10,194.60`, for tables whose figures are added up; small ones as `usd`."""
    if amount is None or abs(amount) < 1:
        return usd(amount)
    return _signed(amount, f"${_rounded(abs(amount), 2):,f}")


def usd_range(low: Decimal | None, high: Decimal | None) -> str:
    """Two amounts as one range, `$1.20 to $3.40`; the amount alone where both read the same."""
    first, last = usd(low), usd(high)
    return first if first == last else f"{first} to {last}"


def exact_usd(amount: Decimal | None) -> str:
    """Every digit of an amount of USD, for titles and data attributes: `$1.9625`."""
    return UNPRICED if amount is None else _signed(amount, f"${abs(amount):f}")


def percent(amount: Decimal) -> str:
    """Parts of a hundred (`Decimal("71.93")` is `71.9%`), to one decimal."""
    if 0 < abs(amount) < _SMALLEST_PERCENT:
        return f"<{_SMALLEST_PERCENT}%" if amount > 0 else f">{MINUS}{_SMALLEST_PERCENT}%"
    return _signed(amount, f"{_rounded(abs(amount), 1):,f}%")


def count(amount: Decimal | int) -> str:
    """Runs, tokens, days, ratios: `0.14`, `2.5`, `48`, `1,440`, `1.2M`."""
    number = Decimal(amount)
    size = abs(number)
    if 0 < size < 1:
        return _signed(number, _small(size, fixed_places=0))
    if size < 1_000_000:
        return _signed(number, _stripped(_rounded(size, 2 if size < 100 else 0), keep=0))
    return _signed(number, _scaled(size, places=0))


def _small(size: Decimal, fixed_places: int = 2) -> str:
    """Below one: two significant digits, and at least `fixed_places` decimals."""
    places = max(1 - size.adjusted(), 2) if size else 0
    return _stripped(_rounded(size, places), keep=fixed_places) if size else "0"


def _scaled(size: Decimal, places: int) -> str:
    """Thousands, millions and on, to one decimal below a hundred of them; `places` decimals below 1,000."""
    step = 0
    shown = _rounded(size, places)
    while shown >= 1000 and step < len(_SUFFIXES) - 1:
        step += 1
        size = size.scaleb(-3, _EXACT)
        shown = _rounded(size, 1 if size < 100 else 0)
    return f"{shown:,f}{_SUFFIXES[step]}"


def _rounded(size: Decimal, places: int) -> Decimal:
    return size.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def _stripped(size: Decimal, keep: int) -> str:
    """Without trailing zeros, but with at least `keep` decimals."""
    whole, _, decimals = f"{size:,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(keep, "0")
    return f"{whole}.{decimals}" if decimals else whole


def _signed(amount: Decimal, text: str) -> str:
    return f"{MINUS}{text}" if amount < 0 else text
