"""Money: amounts of USD as exact decimals, and how people read them: `$0.0012`, `$1.23`, `$1.2k`, `−$1.20`.

Every figure is rounded once, half-even and in Decimal, and only as it is shown. The exact amount stands beside it
wherever there is room for it (see `format_exact`).
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

MINUS = "−"  # the sign, not the hyphen: as wide as a digit, and read aloud as "minus"
UNPRICED = "unpriced"
_PLACES = Decimal("1e-12")
_ONE = Decimal(1)
_EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)  # a DECIMAL(38, 24) has more digits than the usual 28
_SUFFIXES = ("", "k", "M", "B", "T")
_SMALLEST_USD = Decimal("0.000001")


def to_usd(amount: Fraction | float | Decimal | int) -> Decimal:
    """An amount as Decimal, to 12 places, without trailing zeros: exact wherever the fraction ends there."""
    fraction = Fraction(amount)
    scaled = fraction * 10**12
    whole = Decimal(round(scaled)) * _PLACES  # round() is half-even, as bankers and FOCUS do
    return strip(whole)


def strip(amount: Decimal) -> Decimal:
    """`amount` without trailing zeros and never in exponent notation: `Decimal("2.930")` is `2.93`."""
    plain = _EXACT.normalize(amount)
    return plain.quantize(_ONE, context=_EXACT) if plain == plain.to_integral_value() else plain


def format_usd(amount: Decimal | None, sign: str = "$") -> str:
    """An amount of USD: two significant digits below a cent, cents below $1,000, then k, M, B, T.

    None, a cost whose model has no price, reads `unpriced`: it is unknown, not zero. `sign` stands before an amount in
    USD; in another currency, which its heading names, nothing does.
    """
    if amount is None:
        return UNPRICED
    size = abs(amount)
    if 0 < size < _SMALLEST_USD:
        return f"<{sign}{_SMALLEST_USD}" if amount > 0 else f">{MINUS}{sign}{_SMALLEST_USD}"
    text = small(size) if size < 1 else scaled(size, places=2)
    return signed(amount, f"{sign}{text}")


def format_cents(amount: Decimal | None, sign: str = "$") -> str:
    """An amount of USD to the cent, `$10,194.60`, for tables whose figures are added up; small ones as `format_usd`."""
    if amount is None or abs(amount) < 1:
        return format_usd(amount, sign)
    return signed(amount, f"{sign}{rounded(abs(amount), 2):,f}")


def format_range(low: Decimal | None, high: Decimal | None) -> str:
    """Two amounts as one range, `$1.20 to $3.40`; the amount alone where both read the same. Never abbreviated."""
    first, last = format_apart(low, high)
    return first if first == last else f"{first} to {last}"


def format_apart(*amounts: Decimal | None) -> list[str]:
    """Amounts that are to be compared: to the cent from $1,000 on, or where different ones would read the same."""
    shown = [format_usd(amount) for amount in amounts]
    cents = [format_cents(amount) for amount in amounts]
    large = any(amount is not None and abs(amount) >= 1000 for amount in amounts)
    return cents if large or len(set(cents)) > len(set(shown)) else shown


def format_exact(amount: Decimal | None) -> str:
    """Every digit of an amount of USD, for titles and data attributes: `$1.9625`."""
    return UNPRICED if amount is None else signed(amount, f"${abs(amount):f}")


def format_amount(amount: Fraction | Decimal) -> str:
    """An amount in a sentence: `$1,234.50`, `$20`; below a dollar to two significant digits, `$0.012`."""
    exact = to_usd(amount)
    size = abs(exact)
    if size >= 1 or not size:
        text = f"{size:,.2f}".removesuffix(".00") if size == size.to_integral_value() else f"{size:,.2f}"
    else:
        text = f"{size.quantize(Decimal(1).scaleb(min(size.adjusted() - 1, -2))):f}"
    return signed(exact, f"${text}")


def format_price(amount: Decimal | None) -> str:
    """A price, every digit of it: `$3`, `$2.70`, `$0.0833`."""
    if amount is None:
        return UNPRICED
    size = abs(amount)
    return signed(amount, f"${stripped(size, keep=0 if size == size.to_integral_value() else 2)}")


def small(size: Decimal, fixed_places: int = 2) -> str:
    """Below one: two significant digits, and at least `fixed_places` decimals."""
    places = max(1 - size.adjusted(), 2) if size else 0
    return stripped(rounded(size, places), keep=fixed_places) if size else "0"


def scaled(size: Decimal, places: int) -> str:
    """Thousands, millions and on, to one decimal below a hundred of them; `places` decimals below 1,000."""
    step = 0
    shown = rounded(size, places)
    while shown >= 1000 and step < len(_SUFFIXES) - 1:
        step += 1
        size = size.scaleb(-3, _EXACT)
        shown = rounded(size, 1 if size < 100 else 0)
    return f"{shown:,f}{_SUFFIXES[step]}"


def rounded(size: Decimal, places: int) -> Decimal:
    """To that many decimals, half-even."""
    return size.quantize(Decimal(1).scaleb(-places), context=_EXACT)


def stripped(size: Decimal, keep: int) -> str:
    """Without trailing zeros, but with at least `keep` decimals."""
    whole, _, decimals = f"{size:,f}".partition(".")
    decimals = decimals.rstrip("0").ljust(keep, "0")
    return f"{whole}.{decimals}" if decimals else whole


def signed(amount: Decimal, text: str) -> str:
    """The text of an amount's size, with the amount's sign."""
    return f"{MINUS}{text}" if amount < 0 else text
