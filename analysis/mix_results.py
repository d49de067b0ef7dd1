"""What a mix of subscription seats and API costs: a part of the projection."""

from __future__ import annotations

from .result import Result, Usd


class SeatCount(Result):
    """How many seats of a subscription."""

    subscription: str
    seats: int


class PlanMix(Result):
    """Seats of subscriptions, and the API for the rest: USD over the horizon, fees, overage and list prices together.

    The range is of the mix's whole cost in the drawn trials, and so is the mean; `stated` is the mix that the price
    list has.
    """

    seats: list[SeatCount]
    fee_usd: Usd
    expected_usd: Usd
    p10_usd: Usd
    p50_usd: Usd
    p90_usd: Usd
    stated: bool

    @property
    def is_api(self) -> bool:
        """Whether it has no seat."""
        return not any(seat.seats for seat in self.seats)

    @property
    def name(self) -> str:
        """The mix in words: `3 × copilot + API`."""
        parts = [f"{seat.seats} × {seat.subscription}" for seat in self.seats if seat.seats]
        return " + ".join([*parts, "API"])
