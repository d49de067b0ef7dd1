"""Claims: statements about cost in an architecture, checked at the books they name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ...documents import did_you_mean
from ...errors import ArchitectureError
from ...money import to_usd
from ..architecture.amounts import Spread
from ..architecture.model import Claim
from ..projection import ClaimResult

if TYPE_CHECKING:
    from ...pricing.book import PriceBook

    PlanCosts = Callable[[str, str, str | None], Fraction | None]
    """(book, plan, component or None) to the expected USD per day; None where something is unpriced."""
    ModelCost = Callable[[str, str, str], Fraction | None]
    """(book, component, model) to the expected USD per day of the component on that model."""


@dataclass(frozen=True)
class ClaimCosts:
    """What claims are checked against: costs and books by name, and the moment prices are looked up at."""

    plan_usd_per_day: PlanCosts
    model_usd_per_day: ModelCost
    open_book: Callable[[str], PriceBook]
    at: datetime
    plans: list[str]
    components: list[str]


def check(claims: list[Claim], costs: ClaimCosts, run_book: str) -> list[ClaimResult]:
    """Every claim at each of its books (default: the run's). Raises ArchitectureError on an unknown name."""
    for claim in claims:
        _check_names(claim, costs)
    return [_check(claim, book, costs) for claim in claims for book in claim.books or [run_book]]


def _check(claim: Claim, book: str, costs: ClaimCosts) -> ClaimResult:
    computed = _computed(claim, book, costs)
    return ClaimResult(
        message=claim.says,
        stated=_stated(claim),
        computed=None if computed is None else to_usd(computed),
        unit="usd_per_day" if claim.daily_usd else "ratio",
        book=book,
        holds=None if computed is None else _holds(claim, computed),
        note="something in it has no price at this book" if computed is None else "",
    )


def _stated(claim: Claim) -> str:
    stated = claim.stated
    text = f"{stated.low:f}-{stated.high:f}" if isinstance(stated, Spread) else f"{stated:f}"
    return f"{text} ±{100 * float(claim.tolerance):g}%" if claim.tolerance else text


def _holds(claim: Claim, computed: Fraction) -> bool:
    stated, tolerance = claim.stated, Fraction(claim.tolerance)
    low, high = (stated.low, stated.high) if isinstance(stated, Spread) else (stated, stated)
    return Fraction(low) * (1 - tolerance) <= computed <= Fraction(high) * (1 + tolerance)


def _computed(claim: Claim, book: str, costs: ClaimCosts) -> Fraction | None:
    if claim.price_ratio:
        ratio, to = claim.price_ratio, claim.price_ratio.to
        prices = [_blended_usd(m, ratio.input_per_output, book, costs) for m in (ratio.model, to)]
    elif claim.cost_ratio:
        part = claim.cost_ratio
        prices = [costs.model_usd_per_day(book, part.component, m) for m in (part.model, part.to)]
    elif claim.plan_ratio:
        both = (claim.plan_ratio.plan, claim.plan_ratio.to)
        prices = [costs.plan_usd_per_day(book, plan, None) for plan in both]
    else:
        assert claim.daily_usd is not None  # noqa: S101 (the model allows exactly one kind)
        of = None if claim.daily_usd.of == "total" else claim.daily_usd.of
        return costs.plan_usd_per_day(book, claim.daily_usd.plan, of)
    return None if prices[0] is None or not prices[1] else prices[0] / prices[1]


def _blended_usd(model: str, input_per_output: Decimal, book_name: str, costs: ClaimCosts) -> Fraction | None:
    """USD of `input_per_output` input tokens and one output token, at the base tier."""
    book = costs.open_book(book_name)
    key = book.resolve(model)
    rows = [key and book.price(key, name, at=costs.at) for name in ("input", "output")]
    if not (rows[0] and rows[1]):
        return None
    return Fraction(input_per_output) * rows[0].usd_per_unit + rows[1].usd_per_unit


def _check_names(claim: Claim, costs: ClaimCosts) -> None:
    plans = [claim.plan_ratio.plan, claim.plan_ratio.to] if claim.plan_ratio else []
    components = [claim.cost_ratio.component] if claim.cost_ratio else []
    if claim.daily_usd:
        plans.append(claim.daily_usd.plan)
        components += [] if claim.daily_usd.of == "total" else [claim.daily_usd.of]
    for kind, names, known in (("plan", plans, costs.plans), ("component", components, costs.components)):
        for name in names:
            if name not in known:
                near = did_you_mean(name, known)
                raise ArchitectureError(f"claim {claim.says!r}: there is no {kind} {name!r}{near}")
