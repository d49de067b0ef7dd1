"""Which of a month's calls an accepted decision moved: by the shares of a task's calls, before and since.

Nothing in a log says that a call went elsewhere because of a decision. What the logs have is how a component's calls
of a task were shared among models before the decision (in the month whose review proposed it, up to the day before it
was taken), and how they are since. The decision moved what the earlier model lost, as far as the other model gained
calls for it:

    moved share = min(earlier model's share before - its share now, the other model's share now)

and of the other model's calls, the part moved share / its share now, each call alike. A component that had no such
calls before would have used the earlier model throughout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from ...months import month_span
from ..outcomes.costs import book_name
from .results import DecisionRecord, RoutingChange
from .scopes import PeriodCalls, Periods, Place, Scope, scope_of

if TYPE_CHECKING:
    from ...pricing.book import PriceBook

Span = tuple[date, date]


@dataclass(frozen=True)
class Moved:
    """What a decision did at each place since `since`: the part of the other model's calls that it moved there.

    `calls` are the scope's, `still` those of them on the earlier model, `reached` on the other one, `moved` those that
    were moved.
    """

    change: RoutingChange
    since: date
    parts: dict[Place, Fraction] = field(default_factory=dict)
    calls: int = 0
    still: int = 0
    reached: int = 0
    moved: Fraction = Fraction(0)


@dataclass
class Taken:
    """What earlier decisions have taken already, so that no call is moved twice: by place and model.

    `asked` are the questions that were answered: asked again, nothing is left to take.
    """

    lost: dict[tuple[Place, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    parts: dict[tuple[Place, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    asked: set[tuple[Scope, str, str, Span, Span]] = field(default_factory=set)


def resolved(change: RoutingChange, book: PriceBook) -> RoutingChange:
    """The change with both models as the price book calls them."""
    names = {"from_model": book_name(book, change.from_model), "to_model": book_name(book, change.to_model)}
    return change.model_copy(update=names)


def moved_in(periods: Periods, record: DecisionRecord, change: RoutingChange, days: Span, taken: Taken) -> Moved:
    """What the decision moved of these days' calls, from the day it was taken on; `taken` is brought up to date."""
    first, end = month_span(record.month)
    earlier = first, min(end, record.on - timedelta(days=1))
    since = max(days[0], record.on)
    before, now, scope = periods.of(*earlier), periods.of(since, days[1]), scope_of(change)
    question = scope, change.from_model, change.to_model, earlier, (since, days[1])
    parts = {} if question in taken.asked else _parts(change, before, now, taken)
    taken.asked.add(question)
    moved = sum((part * now.calls[place][change.to_model] for place, part in parts.items()), Fraction(0))
    still, reached = (now.on_model.get((scope, model), 0) for model in (change.from_model, change.to_model))
    return Moved(change, since, parts, now.of_scope.get(scope, 0), still, reached, moved)


def _parts(change: RoutingChange, before: PeriodCalls, now: PeriodCalls, taken: Taken) -> dict[Place, Fraction]:
    places = now.places.get((scope_of(change), change.to_model), ())
    found = {place: _part(change, place, before.calls.get(place, {}), now.calls[place], taken) for place in places}
    return {place: part for place, part in found.items() if part}


def _part(
    change: RoutingChange, place: Place, before: Mapping[str, int], now: Mapping[str, int], taken: Taken
) -> Fraction:
    """The part of the other model's calls that came from the earlier one."""
    reached = _share(now, change.to_model)
    if not reached:
        return Fraction(0)
    had = _share(before, change.from_model) if sum(before.values()) else Fraction(1)
    lost = had - _share(now, change.from_model) - taken.lost[place, change.from_model]
    part = min(max(lost, Fraction(0)) / reached, 1 - taken.parts[place, change.to_model])
    taken.lost[place, change.from_model] += part * reached
    taken.parts[place, change.to_model] += part
    return part


def _share(models: Mapping[str, int], model: str) -> Fraction:
    return Fraction(models.get(model, 0), sum(models.values()) or 1)
