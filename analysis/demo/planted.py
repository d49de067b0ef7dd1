"""What the demo's logs hold beside noise, so that a review can be compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

BEFORE, MONTH = "2026-09", "2026-10"
FIRST, LAST = date(2026, 9, 1), date(2026, 10, 31)


@dataclass(frozen=True)
class PriceChange:
    """From `day` on the model costs this, USD per million tokens: a negotiated rate, invented for the demo."""

    model: str
    day: date
    usd_per_mtok: dict[str, Decimal]


@dataclass(frozen=True)
class RoutingDrift:
    """From `day` on the component's calls go to a model that the routing does not name for its task."""

    component: str
    day: date
    went_to: str


@dataclass(frozen=True)
class Runaway:
    """On one day the component runs `times` as often as usual."""

    component: str
    day: date
    times: int


PRICE_CHANGE = PriceChange(
    "anthropic/claude-sonnet-4-6", date(2026, 10, 12), {"input": Decimal("2.40"), "output": Decimal("12.00")}
)
DRIFT = RoutingDrift("cto-cron-monitor", date(2026, 10, 15), "anthropic/claude-opus-4-6")
RUNAWAY = Runaway("ad-hoc-coding", date(2026, 10, 22), 12)
