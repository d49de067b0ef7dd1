"""What a plan pays for: its expected cost by token class."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from ...money import to_usd
from ..exact import total
from ..projection import PaidClass

if TYPE_CHECKING:
    from .policies.calls import Costed


def class_costs(costings: Iterable[Costed], expected_usd: Fraction, days: int) -> list[PaidClass]:
    """The plan's `expected_usd` of all days by token class, the most expensive first; they add up to it.

    What no call costs is paid for subscriptions. Components without a price are in no class, as they are in no total.
    """
    parts: dict[str, list[Fraction]] = {}
    for costing in costings:
        if costing.priced:
            for name, usd in costing.horizon_usd_by_class.items():
                parts.setdefault(name, []).append(usd)
    found = {name: total(usd) for name, usd in parts.items()}
    flat = expected_usd - total(found.values())
    if flat:
        found["subscription"] = flat
    return [
        PaidClass(
            token_class=name,
            expected_usd_per_day=to_usd(usd / days),
            percent=to_usd(round(100 * usd / expected_usd, 6) if expected_usd else Fraction(0)),
        )
        for name, usd in sorted(found.items(), key=lambda entry: -entry[1])
    ]
