"""Accepted decisions against what they promised: what calls would have cost without them, less what they cost.

A decision is measured from the day it was taken to the last day known whole, on the calls that it moved (shares.py),
each at the prices of its own moment (undone.py). The promise is of a whole month like the one that proposed it; it is
compared by the day: promise x days measured / days of that month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from ...money import format_cents, strip, to_usd
from ...months import month_span
from ...plurals import counted
from .file import standing
from .results import DecisionRecord, Outcome, RoutingChange, TakenDecision
from .scopes import Periods
from .shares import Moved, Taken, moved_in, resolved
from .superseded import superseding
from .undone import NOTHING, Undone, undo

if TYPE_CHECKING:
    from ..compare.bridge import Span
    from ..spend.ledger import Ledger

NEAR = Decimal("0.1")
"""Within so much of a promise without a range, a decision is as promised."""


class Effects(NamedTuple):
    """An accepted decision's effect in the bridge's two spans of days; those before are what it saved already."""

    before: Undone
    now: Undone


@dataclass(frozen=True)
class Measured:
    """Every recorded decision in a month, and what each one that belongs into the bridge saved in its two spans."""

    taken: list[TakenDecision] = field(default_factory=list)
    effects: list[Effects] = field(default_factory=list)

    @property
    def reverted(self) -> tuple[list[Undone], list[Undone]]:
        """For the bridge: what is taken back in the days before, and in those of the month."""
        return [of.before for of in self.effects], [of.now for of in self.effects]


def measure(ledger: Ledger, records: Sequence[DecisionRecord], held: tuple[Span, Span]) -> Measured:
    """What became of each recorded decision by the end of the second of the two spans `held`: days of two months.

    A decision is a cause of change between them where it was taken after the first one began.
    """
    as_of = held[1][1]
    standing_now = standing(records, as_of)
    later = superseding(standing_now, as_of)
    without = {record.id: _unmeasured(record, later.get(record.id), as_of) for record in standing_now}
    asked = [(record, record.change) for record in standing_now if record.change and not without[record.id]]
    changes = {record.id: (record, resolved(change, ledger.book)) for record, change in asked}
    periods = Periods(ledger)
    moved = _moved(periods, changes, held[1])
    effects = _undone(ledger, moved, as_of)
    earlier = _undone(ledger, _moved(periods, changes, held[0]), held[0][1])
    found = Measured()
    for record in standing_now:
        if reason := without[record.id]:
            found.taken.append(TakenDecision(record=record, outcome=reason[0], message=reason[1]))
            continue
        before, effect = earlier.get(record.id, NOTHING), effects[record.id]
        bridged = before is not None and effect is not None and record.on > held[0][0]
        if bridged and before and effect:
            found.effects.append(Effects(before, effect))
        taken = _taken(record, moved[record.id], effect, as_of)
        part = to_usd(before.saved_usd - effect.saved_usd) if bridged and before and effect else None
        found.taken.append(taken.model_copy(update={"bridge_usd": part or None}))
    return found


def _moved(
    periods: Periods, changes: Mapping[str, tuple[DecisionRecord, RoutingChange]], days: Span
) -> dict[str, Moved]:
    """What each decision that was taken by then moved of these days' calls."""
    taken = Taken()
    known = {id_: (record, change) for id_, (record, change) in changes.items() if record.on <= days[1]}
    return {id_: moved_in(periods, record, change, days, taken) for id_, (record, change) in known.items()}


def _undone(ledger: Ledger, moves: Mapping[str, Moved], last: date) -> dict[str, Undone | None]:
    return dict(zip(moves, undo(ledger, [*moves.values()], last), strict=True))


def _unmeasured(record: DecisionRecord, later: DecisionRecord | None, as_of: date) -> tuple[Outcome, str] | None:
    """Why there is nothing to measure; None where there is."""
    if record.decision == "rejected":
        return "rejected", "rejected"
    if record.on > as_of:
        return "not measured yet", f"measured from {record.on} on"
    if record.change is None:
        return "no routing change", "accepted; it changes no routing, so no replay can measure it"
    if later:
        return "superseded", f"superseded by {later.id} of {later.on}, which moves these calls on"
    return None


def _taken(record: DecisionRecord, moved: Moved, effect: Undone | None, as_of: date) -> TakenDecision:
    days = (as_of - moved.since).days + 1
    promised, low, high = (_for_days(amount, record.month, days) for amount in _promise(record))
    given: dict[str, Any] = {"record": record, "since": moved.since, "until": as_of, "promised_usd": promised}
    if effect is None:
        names = f"{moved.change.from_model} or {moved.change.to_model}"
        return TakenDecision(**given, outcome="no price", message=f"cannot be measured: no price for {names}")
    if not moved.parts:
        return TakenDecision(**given, outcome="not yet visible", message=_not_visible(moved))
    saved = effect.saved_usd
    outcome = _outcome(saved, promised, low, high)
    return TakenDecision(
        **given, outcome=outcome, message=_message(saved, promised, moved, days), measured_usd=saved,
        low_usd=strip(effect.low_usd), high_usd=strip(effect.high_usd), moved_calls=round(moved.moved),
    )  # fmt: skip


def _promise(record: DecisionRecord) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    return record.promised_usd_per_month, record.low_usd_per_month, record.high_usd_per_month


def _for_days(amount: Decimal | None, month: str, days: int) -> Decimal | None:
    """A promise of a whole month for so many days of it."""
    first, last = month_span(month)
    return None if amount is None else to_usd(amount * days / ((last - first).days + 1))


def _outcome(saved: Decimal, promised: Decimal | None, low: Decimal | None, high: Decimal | None) -> Outcome:
    if saved < 0:
        return "costs more"
    if promised is None:
        return "saves"
    least, most = promised * (1 - NEAR), promised * (1 + NEAR)
    if saved < min(least, least if low is None else low):
        return "less than promised"
    return "more than promised" if saved > max(most, most if high is None else high) else "as promised"


def _message(saved: Decimal, promised: Decimal | None, moved: Moved, days: int) -> str:
    verb = "saved" if saved >= 0 else "cost more by"
    against = f", {format_cents(promised)} promised for them" if promised is not None else ""
    still = f"; {_percent(moved)} of its calls still go to {moved.change.from_model}" if moved.still else ""
    return f"{verb} {format_cents(abs(saved))} in {counted(days, 'day')}{against}{still}"


def _not_visible(moved: Moved) -> str:
    was, to, since = moved.change.from_model, moved.change.to_model, f"since {moved.since}"
    if not moved.calls:
        return f"not yet visible: no calls of it {since}"
    if moved.still:
        return f"not yet visible: {_percent(moved)} of its {moved.calls:,} calls {since} still go to {was}"
    if moved.reached:
        return f"not visible: {moved.reached:,} calls {since} went to {to}, and no more of them to {was} before it"
    return f"not yet visible: none of its {moved.calls:,} calls {since} went to {to}"


def _percent(moved: Moved) -> str:
    return f"{100 * moved.still / moved.calls:.0f}%"
