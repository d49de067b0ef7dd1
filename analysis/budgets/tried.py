"""What changes of one projection lead to, each found once for all budgets that are judged by it.

Budgets of one scope and period try the same changes, and those of other scopes the same changes of a component: what a
component draws after a change is the same in each of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from .change import Change, Trial, applied, remembered
from .changes import MAX_COMPONENTS, component_changes, task_changes
from .projected import Projected, Share
from .scopes import AnyScope
from .windows import Daily, costliest_window

MAX_SOUGHT = 100
"""Of how many scopes, periods and quantiles of breached budgets a change is sought: each takes up to half a second."""
KEPT_BYTES = 128 * 2**20
"""Of drawn costs of components, besides those that a change is tried with."""


@dataclass
class Tried:
    """Changes of a projection, and what was found about them."""

    projected: Projected
    trials: dict[Hashable, Trial] = field(default_factory=dict, repr=False)
    known: dict[Hashable, list[Change]] = field(default_factory=dict, repr=False)
    drawn: OrderedDict[tuple[str, tuple[Change, ...]], list[Share]] = field(default_factory=OrderedDict, repr=False)
    drawn_bytes: int = 0
    runs: dict[tuple[str, bool], Daily | None] = field(default_factory=dict, repr=False)

    def changes(self, names: Sequence[str], *, one_run: bool) -> list[Change]:
        """Every change of those components, the first ones, after which all that they use has a price."""
        if (key := (*names, one_run)) not in self.known:
            own = [change for name in names[:MAX_COMPONENTS] for change in self._own(name, one_run)]
            self.known[key] = [*own, *(task_changes(self.projected, names) if len(names) > 1 else ())]
        return self.known[key]

    def _own(self, name: str, one_run: bool) -> list[Change]:
        if (key := ("own", name, one_run)) not in self.known:
            self.known[key] = list(component_changes(self.projected, name, one_run=one_run))
        return self.known[key]

    def run(self, name: str, *, root: bool) -> Daily | None:
        """As `costliest_run`, of the projection as it stands."""
        if (name, root) not in self.runs:
            self.runs[name, root] = costliest_run(self.projected, name, root=root)
        return self.runs[name, root]

    def trial(self, key: Hashable, made: Callable[[], Trial]) -> Trial | None:
        """How changes are tried for this scope, period and quantile; None beyond MAX_SOUGHT of them."""
        if key not in self.trials:
            if len(self.trials) == MAX_SOUGHT:
                return None
            self.trials[key] = remembered(made())
        return self.trials[key]

    def part(self, scope: AnyScope, names: Sequence[str], taken: Sequence[Change] = ()) -> Daily:
        """What those components, and the subscriptions, cost of a scope after changes."""
        after = applied(self.projected, taken)
        return after.part(scope, (self._shares(name, taken, after) for name in names)).daily

    def _shares(self, name: str, taken: Sequence[Change], after: Projected) -> list[Share]:
        """A component's after the changes that touch it."""
        key = (name, tuple(change for change in taken if name in change.components))
        if key not in self.drawn:
            self.drawn[key] = after.shares(name)
            self.drawn_bytes += _bytes(self.drawn[key])
            while self.drawn_bytes > KEPT_BYTES and len(self.drawn) > 1:
                self.drawn_bytes -= _bytes(self.drawn.popitem(last=False)[1])
        self.drawn.move_to_end(key)
        return self.drawn[key]


def costliest_run(projected: Projected, name: str, *, root: bool) -> Daily | None:
    """A component's most expensive run, of a root with all that it spawns; None if it never runs, or has no price."""
    run = projected.one_run(name, with_spawned=root)
    return costliest_window(run, "run", run.dates[0]) if run.dates else None


def _bytes(shares: Sequence[Share]) -> int:
    return sum(share.drawn_usd.nbytes for share in shares)
