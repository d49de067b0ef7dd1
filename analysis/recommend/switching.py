"""What moving one task alone would write again in the caches of the sessions that it shares with other tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ..outcomes.outcomes import TaskModel
from ..replay.replay import replay_sums
from ..replay.reroute import Reroute
from ..spend.ledger import Ledger

if TYPE_CHECKING:
    from ..replay.results import Replay

SHARED = """
WITH call AS (
    SELECT session, coalesce(task, '') AS task FROM usage_event
    WHERE covered_by IS NULL AND NOT aggregated AND role = 'calls' AND session IS NOT NULL
),
shared AS (SELECT session FROM call GROUP BY session HAVING min(task) < max(task))
SELECT DISTINCT task FROM call SEMI JOIN shared USING (session) WHERE task <> ''
"""
SESSIONS = "SELECT count(*) > 0, count(session) > 0 FROM usage_event WHERE role = 'calls' AND NOT aggregated"


def shared_tasks(ledger: Ledger) -> set[str]:
    """The tasks of which logged calls share a session with calls of another task, or of none."""
    return {task for (task,) in ledger.connection.execute(SHARED).fetchall()}


def switch_shares(ledger: Ledger, moves: Iterable[TaskModel]) -> dict[TaskModel, Fraction]:
    """By task and model: the prefixes written again if the task alone moved there, as a share of its cost there.

    Measured on all logged calls (`replay_sums`): what the switches of the whole log cost more, on both ways, over what
    the task's calls cost on that model with their caches as logged. Moves that would write nothing again are left out:
    of tasks that have their sessions to themselves, and of tasks that were not logged.
    """
    shared = shared_tasks(ledger)
    wanted = [(task, model) for task, model in moves if task in shared and ledger.book.resolve(model)]
    if not wanted:
        return {}
    priced = Ledger.open(ledger.connection, ledger.book, models=sorted({model for _, model in wanted}))
    return {move: share for move in wanted if (share := _share(replay_sums(priced, _moved(*move)), move[0]))}


def _moved(task: str, model: str) -> Reroute:
    return Reroute(model, f"{task} on {model}", lambda _component, own: model if own == task else None)


def _share(found: Replay, task: str) -> Fraction:
    row = next(row for row in found.tasks if row.name == task)
    alone = row.replayed_usd - row.switch_usd
    return Fraction(found.total.switch_usd) / Fraction(alone) if alone > 0 else Fraction(0)


def switching_notes(
    ledger: Ledger | None, shares: Mapping[TaskModel, Fraction], changes: Mapping[str, str]
) -> list[str]:
    """What is to be said of cache effects: of the recommended moves, or why they are not known."""
    logged, sessions = ledger.connection.execute(SESSIONS).fetchone() or (False, False) if ledger else (False, False)
    if not sessions:
        why = "the logged calls have no session ids" if logged else "no calls are logged"
        return [f"costs are without cache effects, as if each task moved with its whole sessions: {why}"]
    return [
        f"{task} shares sessions with other tasks: moved alone to {model}, cached prefixes that are written again add "
        f"{_percent(shares[task, model])} to its cost there, which is counted"
        for task, model in changes.items()
        if (task, model) in shares
    ]


def _percent(share: Fraction) -> str:
    return f"{Decimal(share.numerator) / Decimal(share.denominator):.1%}"
