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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from ...months import month_span
from ..outcomes.costs import NO_TASK, book_name
from ..review.repricing import Ran, ran
from .results import DecisionRecord, RoutingChange

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..spend.ledger import Ledger

Place = tuple[str, str]
"""A component and its task."""
Calls = Mapping[Place, Mapping[str, int]]
"""Calls by place and model."""


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
    """What earlier decisions have taken already, so that no call is moved twice: by place and model."""

    lost: dict[tuple[Place, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    parts: dict[tuple[Place, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))


def resolved(change: RoutingChange, book: PriceBook) -> RoutingChange:
    """The change with both models as the price book calls them."""
    names = {"from_model": book_name(book, change.from_model), "to_model": book_name(book, change.to_model)}
    return change.model_copy(update=names)


def moved_in(
    ledger: Ledger, record: DecisionRecord, change: RoutingChange, days: tuple[date, date], taken: Taken
) -> Moved:
    """What the decision moved of these days' calls, from the day it was taken on; `taken` is brought up to date."""
    first, end = month_span(record.month)
    since = max(days[0], record.on)
    before = _calls(ran(ledger, first, min(end, record.on - timedelta(days=1))), change)
    return _moved(change, since, before, _calls(ran(ledger, since, days[1]), change), taken)


def _calls(lines: Iterable[Ran], change: RoutingChange) -> Calls:
    found: dict[Place, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        if in_scope(change, line.component, line.task):
            found[line.component, line.task][line.model] += line.calls
    return found


def in_scope(change: RoutingChange, component: str, task: str) -> bool:
    """Whether calls of a component and task ("" without one) are among those that the change is about.

    A change that names no component is about all of them, one without a task about every task.
    """
    here = not change.component or change.component == component
    return here and (not change.task or change.task == (task or NO_TASK))


def _moved(change: RoutingChange, since: date, before: Calls, now: Calls, taken: Taken) -> Moved:
    parts: dict[Place, Fraction] = {}
    calls, still, reached, moved = 0, 0, 0, Fraction(0)
    for place, models in now.items():
        on, was = models.get(change.to_model, 0), models.get(change.from_model, 0)
        calls, still, reached = calls + sum(models.values()), still + was, reached + on
        part = _part(change, place, before.get(place, {}), models, taken)
        if part:
            parts[place], moved = part, moved + part * on
    return Moved(change, since, parts, calls, still, reached, moved)


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
