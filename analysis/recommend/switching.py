"""What moves would write again in the caches of sessions that several tasks share: alone, and as a set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ...money import format_cents, to_usd
from ..outcomes.outcomes import TaskModel
from ..replay.move_sets import MoveSets, SharedBy, shared_tasks
from ..spend.ledger import Ledger
from .results import LoggedMoves

if TYPE_CHECKING:
    from ..replay.results import Replay

SESSIONS = "SELECT count(*) > 0, count(session) > 0 FROM usage_event WHERE role = 'calls' AND NOT aggregated"
WORDS: dict[SharedBy, str] = {
    "shapley": "each task's cost has its Shapley share of that, so that they add up",
    "in order": "each task's cost has what it adds to the moves listed before it, so that they add up",
}


@dataclass(frozen=True)
class Caches:
    """What moves write again, as shares of what their tasks cost on the new model, measured on all logged calls.

    `alone` has every task and model looked at, moved by itself; moves that would write nothing again are left out: of
    tasks that have their sessions to themselves, and of tasks that were not logged. `shared` are the tasks that share
    sessions, `sets` None without a log.
    """

    sets: MoveSets | None
    shared: frozenset[str]
    alone: Mapping[TaskModel, Fraction]

    def sharing(self, changes: Mapping[str, str]) -> dict[str, str]:
        """The moves of a set that can break a cache."""
        book = self.sets and self.sets.ledger.book
        return {task: model for task, model in changes.items() if task in self.shared and book and book.resolve(model)}

    def together(self, changes: Mapping[str, str]) -> dict[str, Fraction]:
        """By task: its part of what the whole set writes again, as a share of its own cost there."""
        moves = self.sharing(changes)
        if not self.sets or not moves:
            return {}
        replayed, (_, usd) = self.sets.replayed(moves), self.sets.shares(moves)
        return {task: _share(usd[task], _as_logged(replayed, task)) for task in moves}

    def roughly(self, changes: Mapping[str, str]) -> dict[str, Fraction]:
        """As `together`, all tasks at the set's mean share: one replay, to compare sets by."""
        moves = self.sharing(changes)
        if not self.sets or not moves:
            return {}
        replayed = self.sets.replayed(moves)
        as_logged = sum((_as_logged(replayed, task) for task in moves), Fraction(0))
        return dict.fromkeys(moves, _share(self.sets.switch_usd(moves), as_logged))

    def logged(self, changes: Mapping[str, str]) -> LoggedMoves | None:
        """The whole set over the logged calls, replayed once; None without a move or a log."""
        if not self.sets or not changes:
            return None
        found, moves = self.sets.replayed(changes), self.sharing(changes)
        alone = sum((self.sets.switch_usd({task: model}) for task, model in moves.items()), Fraction(0))
        return LoggedMoves(
            since=found.since,
            until=found.until,
            total=found.total,
            moves=found.moves,
            alone_switch_usd=to_usd(alone),
            shared_by=self.sets.shares(moves)[0],
            cache_effects=found.cache_effects,
        )


NO_CACHES = Caches(None, frozenset(), {})


def caches_of(ledger: Ledger, moves: Iterable[TaskModel]) -> Caches:
    """The caches of a store's sessions, and what each of these moves would write again alone (`replay_sums`)."""
    wanted = [(task, model) for task, model in moves if ledger.book.resolve(model)]
    opened = Ledger.open(ledger.connection, ledger.book, models=sorted({model for _, model in wanted}))
    sets, shared = MoveSets(opened), frozenset(shared_tasks(opened) if wanted else ())
    shares = {(task, model): _alone(sets, task, model) for task, model in wanted if task in shared}
    return Caches(sets, shared, {move: share for move, share in shares.items() if share})


def _alone(sets: MoveSets, task: str, model: str) -> Fraction:
    return _share(sets.switch_usd({task: model}), _as_logged(sets.replayed({task: model}), task))


def _as_logged(replayed: Replay, task: str) -> Fraction:
    """What a task's calls cost as replayed, with their caches as logged; 0 where there are none."""
    row = next((row for row in replayed.tasks if row.name == task), None)
    return Fraction(row.replayed_usd - row.switch_usd) if row else Fraction(0)


def _share(usd: Fraction, of: Fraction) -> Fraction:
    return usd / of if of > 0 else Fraction(0)


def switching_notes(ledger: Ledger | None, caches: Caches, changes: Mapping[str, str]) -> list[str]:
    """What is to be said of cache effects: of the recommended moves, or why they are not known."""
    logged, sessions = ledger.connection.execute(SESSIONS).fetchone() or (False, False) if ledger else (False, False)
    if not sessions:
        why = "the logged calls have no session ids" if logged else "no calls are logged"
        return [f"costs are without cache effects, as if each task moved with its whole sessions: {why}"]
    alone = [
        f"{task} shares sessions with other tasks: moved alone to {model}, cached prefixes that are written again add "
        f"{_percent(caches.alone[task, model])} to its cost there, which is counted"
        for task, model in changes.items()
        if (task, model) in caches.alone
    ]
    found = caches.logged(changes) if len(caches.sharing(changes)) > 1 else None
    return [_together(found, caches, changes)] if found else alone


def _together(found: LoggedMoves, caches: Caches, changes: Mapping[str, str]) -> str:
    names = ", ".join(caches.sharing(changes))
    usd = format_cents(found.total.switch_usd) if found.total.switch_usd else "nothing"
    alone = format_cents(found.alone_switch_usd)
    split = f"; {WORDS[found.shared_by]}" if found.shared_by in WORDS else ""
    return (
        f"{names} share sessions, and their moves are priced together: over the logged calls they write {usd} of "
        f"cached prefixes again, where each moved alone would write {alone} in sum{split}. "
        "The models not chosen are priced as moved alone"
    )


def _percent(share: Fraction) -> str:
    return f"{Decimal(share.numerator) / Decimal(share.denominator):.1%}"
