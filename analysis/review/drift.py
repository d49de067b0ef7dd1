"""Drift: calls that went to another model than the configured routing says.

Judged is what the configuration speaks of: calls of its components, and calls with a task. Calls that carry neither
are no drift, for nothing says where they belong. Names are compared as the price book knows them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ...money import strip
from ..outcomes.costs import book_name
from .configured import book_names
from .repricing import Ran, Shift, Shifted
from .results import Drift

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from .configured import Configured


class OffPolicy(NamedTuple):
    """Calls that went elsewhere: what ran, the model configured (by its book name), and the share of the task's."""

    ran: Ran
    configured: str
    share: float

    @property
    def shift(self) -> Shift:
        """The question what they would have cost where they belong."""
        return Shift(self.ran.component, self.ran.task, self.ran.model, self.configured)


def off_policy_calls(ran: Sequence[Ran], configured: Configured | None, book: PriceBook) -> list[OffPolicy]:
    """What of the month's calls went to a model that the configuration does not allow there."""
    if configured is None:
        return []
    calls: dict[tuple[str, str], int] = defaultdict(int)
    for line in ran:
        calls[line.component, line.task] += line.calls
    allowed: dict[tuple[str, str], set[str]] = {}
    found = []
    for line in ran:
        place = (line.component, line.task)
        model = configured.model(*place)
        if place not in allowed:
            allowed[place] = book_names(book, configured.allowed(*place))
        if model and line.model not in allowed[place] and line.calls:
            found.append(OffPolicy(line, book_name(book, model), line.calls / calls[place]))
    return found


def drift_of(off_policy: Iterable[OffPolicy], priced: Iterable[Shifted]) -> list[Drift]:
    """Each group of off-policy calls with its cost and worth; the most expensive first, those without a price last."""
    found = [_drift(calls, costs) for calls, costs in zip(off_policy, priced, strict=True)]
    return sorted(
        found, key=lambda d: (d.worth_usd is None, -abs(d.worth_usd or Decimal(0)), d.component, d.task, d.went_to)
    )


def _drift(calls: OffPolicy, costs: Shifted) -> Drift:
    worth = costs.saving_usd
    return Drift(
        component=calls.ran.component,
        task=calls.ran.task,
        configured=calls.configured,
        went_to=calls.ran.model,
        calls=calls.ran.calls,
        share=calls.share,
        first=calls.ran.first,
        last=calls.ran.last,
        usd=None if costs.usd is None else strip(costs.usd),
        worth_usd=None if worth is None else strip(worth),
    )
