"""The calls of some days by place and model, and what each scope of a change has of them: summed once for all."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from ..outcomes.costs import NO_TASK
from ..review.repricing import Ran, ran
from .results import RoutingChange

if TYPE_CHECKING:
    from ..spend.ledger import Ledger

MOST_KEPT = 64
"""Periods whose calls are kept; decisions come by the day they were taken, and share most of theirs."""

Place = tuple[str, str]
"""A component and its task ("" without one)."""
Scope = tuple[str, str]
"""The component and the task that a change is about; "" is any."""


def scope_of(change: RoutingChange) -> Scope:
    """What the change is about."""
    return change.component, change.task


def scopes_of(component: str, task: str) -> set[Scope]:
    """The scopes that calls of a component and task ("" without one) are in."""
    return {(part, work) for part in (component, "") for work in (task or NO_TASK, "")}


@dataclass
class PeriodCalls:
    """Calls of a period: by place and model, by scope, by scope and model; and the places of a scope on a model."""

    calls: dict[Place, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    of_scope: dict[Scope, int] = field(default_factory=lambda: defaultdict(int))
    on_model: dict[tuple[Scope, str], int] = field(default_factory=lambda: defaultdict(int))
    places: dict[tuple[Scope, str], list[Place]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, lines: Iterable[Ran]) -> PeriodCalls:
        """What ran, a line for every place and model."""
        found = cls()
        for line in lines:
            found.calls[line.component, line.task][line.model] = line.calls
            for scope in scopes_of(line.component, line.task):
                found.of_scope[scope] += line.calls
                found.on_model[scope, line.model] += line.calls
                found.places[scope, line.model].append((line.component, line.task))
        return found


@dataclass
class Periods:
    """The calls of each period that decisions ask about, summed once."""

    ledger: Ledger
    kept: OrderedDict[tuple[date, date], PeriodCalls] = field(default_factory=OrderedDict, repr=False)

    def of(self, first: date, last: date) -> PeriodCalls:
        """From `first` to `last`, both included."""
        if (first, last) not in self.kept:
            self.kept[first, last] = PeriodCalls.of(ran(self.ledger, first, last))
            if len(self.kept) > MOST_KEPT:
                self.kept.popitem(last=False)
        self.kept.move_to_end((first, last))
        return self.kept[first, last]
