"""What a reader of the review should know of its figures: a running month, what is left out, that nothing is open."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from ...money import format_cents
from ..compare.bridge_results import Bridge
from .decisions import threshold_usd
from .results import Decision, Headline, Month
from .routing_analysis import Routes


def notes_of(
    head: Headline,
    changed: Bridge | None,
    routed: Routes,
    found: Sequence[Decision],
    decided: Sequence[Decision],
    as_of: date,
    future: str | None,
) -> list[str]:
    """The notes, in the order of the page; `found` are all decisions, `decided` those that are still to take.

    `future` says which calls of the store lie in the future.
    """
    month, previous = head.month, head.previous
    notes = [f"{future}; they are not in this month"] if future else []
    notes += routed.notes
    if not month.complete:
        notes.append(f"the month is running: {_known(month, previous, changed, as_of)}")
    if previous is None:
        notes.append("the store has no month before: nothing says why the cost changed")
    if head.too_little:
        notes.append(head.too_little)
    if month.only_billed_usd:
        billed = format_cents(month.only_billed_usd)
        notes.append(f"{billed} of the month is only on a bill: in the total and by component, in no routing figure")
    if month.unpriced_tokens:
        notes.append(f"{month.unpriced_tokens:,} tokens have no price: they are in no cost (see data quality)")
    if found and not decided:
        notes.append("nothing is left to decide: all that was found has been accepted or rejected")
    if not found:
        notes.append(
            f"nothing to decide: nothing found is worth {format_cents(threshold_usd(month.usd))} a month or more"
        )
    return notes


def _known(month: Month, previous: Month | None, changed: Bridge | None, as_of: date) -> str:
    """What of a running month is compared with which days."""
    if f"{as_of:%Y-%m}" < month.month:
        return "no day of it is known whole yet"
    if changed:
        return f"whole days are known through {as_of}; compared with the month before through {changed.before_last}"
    began = f", and the store's month before begins on {previous.first}" if previous else ""
    return f"whole days are known through {as_of}{began}"
