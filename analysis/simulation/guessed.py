"""Which components state how little is known of their traffic or tokens, and one uncertainty for those that do not."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from ...errors import InputError
from ..architecture.amounts import Percentiles, Range, Spread
from ..architecture.component import Component

if TYPE_CHECKING:
    from ..architecture.model import Architecture


def parse_share(text: str) -> Decimal:
    """`30%` or `0.3`: how far a factor around 1 goes to either side. Raises InputError."""
    number, percent = text.strip().removesuffix("%"), text.strip().endswith("%")
    try:
        share = Decimal(number) / (100 if percent else 1)
    except ArithmeticError:
        share = Decimal("NaN")
    if not share.is_finite() or not 0 < share <= 1:
        raise InputError(f"--uncertainty {text!r} is no share above 0 and up to 100%; write it like 30%")
    return share


def with_uncertainty(architecture: Architecture, share: Decimal | None) -> Architecture:
    """The architecture whose components cost up to that share more or less where they state no uncertainty."""
    if share is None:
        return architecture
    factor = Spread(low=1 - share, high=1 + share)
    known = _forecast_store(architecture)
    rows = [
        row if is_stated(row) or _is_forecast(row, known) else row.model_copy(update={"uncertainty": factor})
        for row in architecture.components
    ]
    return architecture.model_copy(update={"components": rows})


def is_stated(component: Component) -> bool:
    """Whether it says that the mean of its cost, traffic or tokens is not known."""
    rate, tokens, calibrate = component.runs_per_day, component.tokens, component.calibrate
    amounts = [getattr(tokens, name) for name in tokens.counted] if tokens else []
    return bool(
        component.uncertainty
        or (isinstance(rate, Range) and rate.varies != "run")
        or (calibrate and isinstance(calibrate.daily_usd, Spread))
        or any(isinstance(amount, Range | Percentiles) and amount.varies == "mean" for amount in amounts)
    )


def only_chance(architecture: Architecture) -> str:
    """That a range shows nothing but chance, in a sentence; empty where every component states an uncertainty."""
    rows, known = architecture.components, _forecast_store(architecture)
    lacking = _lacking(rows, known)
    if not lacking:
        return ""
    return (
        f"no uncertainty is stated for {lacking} of {len(rows)} components: the range shows only chance; "
        "state their uncertainty in the architecture file, or run with --uncertainty 30%"
    )


def _lacking(rows: Iterable[Component], known: str | None) -> int:
    return sum(not is_stated(row) and not _is_forecast(row, known) for row in rows)


def _forecast_store(architecture: Architecture) -> str | None:
    return str(architecture.forecast.store.resolve()) if architecture.forecast else None


def _is_forecast(component: Component, store: str | None) -> bool:
    """Whether its traffic is forecast from logs, with the range that these leave."""
    source = component.tokens.from_usage if component.tokens else None
    return bool(store and source and source.store and str(source.store.resolve()) == store)
