"""A review in words: its headline, its effects, its months."""

from __future__ import annotations

from calendar import month_name as names
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ...analysis.review.decisions import threshold_usd
from ...money import format_cents, format_range
from ...months import month_bounds
from ...plurals import counted, listed
from ..numbers import count, percent

if TYPE_CHECKING:
    from datetime import date

    from ...analysis.compare.bridge_results import Bridge, Effect
    from ...analysis.review.results import Decision, DecisionGroup, Review

EFFECTS: dict[Effect, str] = {
    "new": "new components",
    "retired": "retired components",
    "volume": "calls",
    "tokens": "tokens per call",
    "mix": "model mix",
    "routing": "routing policy",
    "decisions": "decisions taken",
    "price": "prices",
    "billed": "only on the bill",
}
EXPLAINED: dict[Effect, str] = {
    "new": "components without calls in the month before",
    "retired": "components without calls in this month",
    "volume": "more or fewer calls of the same components",
    "tokens": "more or fewer tokens in a call",
    "mix": "calls on other models or of other tasks than before, without the routing asking for it",
    "routing": "calls moved to another model because the routing says so",
    "decisions": "calls that accepted decisions moved, against the same calls on the earlier model",
    "price": "other prices for the same tokens",
    "billed": "what only a bill states, without calls or tokens that could explain it",
}

GROUPS: dict[DecisionGroup, str] = {"save": "Save", "investigate": "Investigate", "information": "For information"}
"""The headings of the decisions, in their order."""
CONVENTION = (
    "USD of this month. Save: what acting takes off. Investigate: what is at stake. For information: what has changed "
    "already, − where it costs less."
)
OWNERS = {
    "session": "Sessions", "user": "Users", "team": "Teams", "project": "Projects", "repository": "Repositories",
    "branch": "Branches",
}  # fmt: skip
HOW_TO_DECIDE = "To record a decision, by the ID at its end: costsim decide ID --accept, or --reject."

TENFOLD, WHOLE = 1000, 100
"""Percent."""


def month_name(month: str) -> str:
    """`2026-10` is October 2026."""
    year, _, number = month.partition("-")
    return f"{names[int(number)]} {year}"


def labels(parts: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """A name for each component by its name and agent: with the agent where several components have one name."""
    known = dict.fromkeys(parts)
    times = Counter(component for component, _ in known)
    return {(c, agent): c if times[c] == 1 else f"{c}, {agent or 'no agent'}" for c, agent in known}


def headline(review: Review) -> str:
    """What was spent against the month before, and what made most of the difference."""
    head = review.headline
    spent = f"{month_name(review.month)} cost {format_cents(head.month.usd)}"
    if head.month.unpriced_tokens:
        spent += f", without {count(head.month.unpriced_tokens)} tokens that have no price"
    if not head.month.complete and head.forecast:
        spent += f" so far, and is expected to end at {format_cents(head.forecast.expected_usd)}"
    if head.previous is None:
        return f"{spent}; there is no month before to compare it with."
    if head.too_little:
        return f"{spent}; {month_name(head.previous.month)} cost {format_cents(head.previous.usd)}: {head.too_little}."
    if review.bridge is None or head.change_usd is None:
        return f"{spent}; {month_name(head.previous.month)} cost {format_cents(head.previous.usd)} in all."
    before, after = spans(review.bridge)
    if not head.month.complete:
        spent += f"; {after} cost"
    if not head.change_usd:
        return f"{spent} as much as {before}."
    share = f" ({shown})" if (shown := change_percent(head.change_percent)) else ""
    turned = "more" if head.change_usd > 0 else "less"
    comma = "," if head.month.complete else ""
    return f"{spent}{comma} {format_cents(abs(head.change_usd))}{share} {turned} than {before}{_mostly(review)}."


def sureness(review: Review) -> str:
    """How far the month's cost can be trusted, in a sentence: what is not in it, and how complete its sources are."""
    quality = review.quality
    unpriced, rejected = len(quality.unpriced), quality.rejected_lines
    lacks = [
        f"{counted(unpriced, 'model')} without a price" if unpriced else "",
        f"{counted(rejected, 'line')} that could not be read" if rejected else "",
        f"{counted(len(quality.not_in_total), 'kind')} of usage not in the total" if quality.not_in_total else "",
        "sources that may have the same calls" if review.overlaps else "",
    ]
    found = [lack for lack in lacks if lack]
    first = f"There are {' and '.join(found)}" if found else "Every line was read and every call has a price"
    parts = sorted(quality.completeness, key=lambda source: source.percent)
    if not parts or parts[0].percent == WHOLE:
        least = "; its sources are complete" if parts else ""
    else:
        least = f"; the least complete source is {parts[0].source}, {parts[0].percent} %"
    sparse = _sparse(review)
    return f"How sure: {sparse}{first[0].lower()}{first[1:]}{least}."


def _sparse(review: Review) -> str:
    """That most days of the month, or of it so far, have no calls; nothing where most have."""
    first, last = month_bounds(review.headline.month.first)
    end = last + timedelta(days=1) if review.headline.month.complete else review.made_on
    days, seen = (end - first).days, len({row.day for row in review.where.days if first <= row.day < end})
    if not seen or 2 * seen >= days:
        return ""
    return f"only {seen} of its {days} days {'has' if seen == 1 else 'have'} calls; "


def spans(bridge: Bridge) -> tuple[str, str]:
    """The two months of a bridge, each by its name, or of a running one its days: 1 to 14 October 2026."""
    return _span(bridge.before, bridge.before_last), _span(bridge.after, bridge.after_last)


def _span(month: str, last: date) -> str:
    whole = (last + timedelta(days=1)).day == 1
    return month_name(month) if whole else f"1 to {last.day} {month_name(month)}"


def change_percent(change: Decimal | None) -> str:
    """A change in percent; nothing where it is more than tenfold, which no percentage makes clearer."""
    return "" if change is None or abs(change) > TENFOLD else percent(abs(change))


def _mostly(review: Review) -> str:
    """The two largest effects, and all others together."""
    steps = sorted(review.bridge.steps if review.bridge else [], key=lambda step: -abs(step.usd))
    said = [f"{EFFECTS[step.effect]} {signed(step.usd)}" for step in steps[:2]]
    rest = sum((step.usd for step in steps[2:]), Decimal(0))
    said += [f"the rest {signed(rest)}"] if rest else []
    return f": {listed(said)}" if said else ""


def of_bridge(review: Review) -> str:
    """The bridge in a sentence."""
    assert review.bridge is not None  # noqa: S101 (the caller has looked)
    before, after = spans(review.bridge)
    return f"From {before} to {after}; the effects add up to the last digit."


def of_outlook(review: Review) -> str:
    """The running month in a sentence."""
    forecast = review.headline.forecast
    assert forecast is not None  # noqa: S101 (the caller has looked)
    spent = f"Spent through {forecast.as_of}: {format_cents(forecast.spent_usd)}."
    ends = f"Eight endings in ten lie from {format_range(forecast.p10_usd, forecast.p90_usd)}."
    return f"{spent} {ends} Forecast {forecast.message}."


def nothing(review: Review) -> str:
    """Why there is nothing to decide."""
    if any(of.record.month == review.month for of in review.taken):
        return "Nothing is left to decide in this month: what was proposed has been accepted or rejected."
    least = format_cents(threshold_usd(review.headline.month.usd))
    return (
        f"Nothing found in this month is worth {least} a month or more, so there is nothing to decide.{_next(review)}"
    )


def _next(review: Review) -> str:
    """What would let the review find more."""
    hints = [
        "load the month before, to see why the cost changed" if review.headline.previous is None else "",
        "give --architecture FILE, to see calls that went to other models than its routing names"
        if review.routing and review.routing.plan is None
        else "",
    ]
    said = [hint for hint in hints if hint]
    return f" To find more, {'; and '.join(said)}." if said else ""


def grouped(review: Review) -> list[tuple[str, list[Decision]]]:
    """The decisions under their headings, none without any."""
    found = [(title, [d for d in review.decisions if d.group == group]) for group, title in GROUPS.items()]
    return [(title, of) for title, of in found if of]


def signed(amount: Decimal | None) -> str:
    """USD with its sign; `unpriced` where it is not known."""
    return format_cents(amount) if amount is None or amount <= 0 else f"+{format_cents(amount)}"
