"""Sets of moves over one log: each set replayed once, and each move's share of the prefixes that the set writes again.

Tasks of one session that move to the same model share its cache there, so a set is not the sum of its moves alone: it
mostly writes less again, and more where the tasks that stay found their prefixes in calls of several that move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Literal

from ..shapley import shapley
from .replay import replay_sums
from .reroute import Reroute

if TYPE_CHECKING:
    from ..spend.ledger import Ledger
    from .results import Replay

MOST_SHAPLEY = 4
"""So many moves are split by all of their 2^n sets; of more, each is added to those before it, in order."""

SharedBy = Literal["nothing", "alone", "shapley", "in order"]
"""How a set's switches are split among its moves: a single move's are its own; some sets write nothing again."""

SHARED = """
WITH call AS (
    SELECT session, coalesce(task, '') AS task FROM usage_event
    WHERE covered_by IS NULL AND NOT aggregated AND role = 'calls' AND session IS NOT NULL
),
shared AS (SELECT session FROM call GROUP BY session HAVING min(task) < max(task))
SELECT DISTINCT task FROM call SEMI JOIN shared USING (session) WHERE task <> ''
"""


def shared_tasks(ledger: Ledger) -> set[str]:
    """The tasks of which logged calls share a session with calls of another task, or of none."""
    return {task for (task,) in ledger.connection.execute(SHARED).fetchall()}


def own_task(_component: str, task: str) -> str:
    """Calls move by their task, whatever component made them."""
    return task


@dataclass
class MoveSets:
    """Sets of moves (a model by task) of the calls from `since` to `until`, both included; each is replayed once.

    `task_of(component, task)` is the name under which calls move; None where they stay.
    """

    ledger: Ledger
    task_of: Callable[[str, str], str | None] = own_task
    since: date | None = None
    until: date | None = None
    _replayed: dict[frozenset[tuple[str, str]], Replay] = field(default_factory=dict)

    def replayed(self, moves: Mapping[str, str]) -> Replay:
        """The log with all of these moves made; other calls as they ran."""
        key = frozenset(moves.items())
        if key not in self._replayed:
            self._replayed[key] = replay_sums(self.ledger, self._reroute(moves), since=self.since, until=self.until)
        return self._replayed[key]

    def switch_usd(self, moves: Mapping[str, str]) -> Fraction:
        """What prefixes that the set writes again cost more than reading them, on all models."""
        return Fraction(self.replayed(moves).total.switch_usd) if moves else Fraction(0)

    def shares(self, moves: Mapping[str, str]) -> tuple[SharedBy, dict[str, Fraction]]:
        """USD of the set's switches by task, exactly `switch_usd` together; and how they are split."""
        if not self.switch_usd(moves):
            return "nothing", dict.fromkeys(moves, Fraction(0))
        if len(moves) <= MOST_SHAPLEY:
            return "alone" if len(moves) < 2 else "shapley", self._shapley(moves)
        return "in order", self._in_order(moves)

    def _shapley(self, moves: Mapping[str, str]) -> dict[str, Fraction]:
        coalitions = product((0, 1), repeat=len(moves))
        costs = {made: self.switch_usd(_of(moves, made)) for made in coalitions}
        return dict(zip(moves, shapley(costs), strict=True))

    def _in_order(self, moves: Mapping[str, str]) -> dict[str, Fraction]:
        names, found, before = list(moves), dict[str, Fraction](), Fraction(0)
        for number, name in enumerate(names):
            after = self.switch_usd({task: moves[task] for task in names[: number + 1]})
            found[name], before = after - before, after
        return found

    def _reroute(self, moves: Mapping[str, str]) -> Reroute:
        def choose(component: str, task: str) -> str | None:
            name = self.task_of(component, task)
            return None if name is None else moves.get(name)

        named = ", ".join(f"{task} on {model}" for task, model in moves.items())
        return Reroute(named, f"moved: {named}", choose)


def _of(moves: Mapping[str, str], made: Iterable[int]) -> dict[str, str]:
    return {task: model for (task, model), one in zip(moves.items(), made, strict=True) if one}
