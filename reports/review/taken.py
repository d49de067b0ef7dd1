"""Decisions that were taken, as page, Markdown and terminal show them: what they promised, what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...money import format_cents, format_range
from .words import signed

if TYPE_CHECKING:
    from decimal import Decimal

    from ...analysis.decided.results import DecisionRecord, TakenDecision
    from ...analysis.review.results import Review

TITLE = "Decisions taken"
HEADS = ("decision", "taken", "promised per month", "measured", "in the bridge", "what came of it")
SAYS = (
    "Measured is what the calls that a decision moved would have cost on the earlier model, at the prices of their own "
    "moments, less what they cost. The promise is of a whole month; it is compared by the day."
)


class TakenRow(NamedTuple):
    """The cells of one decision, in the order of `HEADS`; `what` is the proposal."""

    id: str
    taken: str
    promised: str
    measured: str
    bridge: str
    message: str
    what: str


def rows(review: Review) -> list[TakenRow]:
    """Accepted decisions first, then the rejected ones, each in the order in which they were taken."""
    ordered = sorted(review.taken, key=lambda of: of.record.decision)
    return [_row(of) for of in ordered]


def _row(of: TakenDecision) -> TakenRow:
    record = of.record
    return TakenRow(
        record.id,
        f"{record.decision} {record.on}" + (f" by {record.who}" if record.who else ""),
        _promised(record),
        _measured(of),
        "–" if of.bridge_usd is None else signed(of.bridge_usd),
        of.message + (f" ({record.note})" if record.note else ""),
        record.what,
    )


def _promised(record: DecisionRecord) -> str:
    return _spread(record.promised_usd_per_month, record.low_usd_per_month, record.high_usd_per_month)


def _measured(of: TakenDecision) -> str:
    return _spread(of.measured_usd, of.low_usd, of.high_usd)


def _spread(usd: Decimal | None, low: Decimal | None, high: Decimal | None) -> str:
    """An amount, and its range where that reads otherwise than one amount."""
    between = format_range(low, high) if low is not None and high is not None else ""
    return "–" if usd is None else format_cents(usd) + (f" ({between})" if " to " in between else "")
