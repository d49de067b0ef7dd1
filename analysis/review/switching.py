"""What moves take back: prefixes that sessions shared with other tasks would write again, by moves made together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ...money import to_usd
from ..replay.move_sets import MoveSets, shared_tasks
from .downgrades import Known, Priced, moves_down
from .repricing import MeasuredSaving

if TYPE_CHECKING:
    from ..spend.ledger import Ledger
    from .results import MoveDown

Set = dict[str, Priced]
"""A move of each of several tasks."""


def moves_together(ledger: Ledger, priced: Sequence[Priced], known: Known, days: tuple[date, date]) -> list[MoveDown]:
    """The moves worth making, each less its part of what is written again in the month (first to last of `days`).

    The proven ones are priced as one set, replayed once; what is only worth a trial, as moved alone. Only tasks that
    share sessions with others write anything again.
    """
    wanted = [one for one in priced if one.saving.low_usd > 0]
    shared = shared_tasks(ledger) if wanted else set()
    sharing = [one for one in wanted if one.candidate.task in shared]
    if not sharing:
        return moves_down(wanted, known)
    sets = _MoveSets.of(ledger, wanted, frozenset(shared), days)
    alone = [sets.alone(one) for one in wanted]
    best = max((sets.proven(found, known, wanted) for found in (alone, wanted)), key=sets.saving_usd)
    together = _worth_it(sets, best)
    return moves_down([*together, *(one for one in alone if one.candidate.task not in best)], known)


def _worth_it(sets: _MoveSets, best: Set) -> list[Priced]:
    """The moves of a set with their parts, without those that save nothing for sure within it."""
    found = sets.together(best)
    losing = [one.candidate.task for one in found if one.saving.low_usd <= 0]
    return _worth_it(sets, {task: one for task, one in best.items() if task not in losing}) if losing else found


class _MoveSets:
    """Sets of the review's moves."""

    def __init__(self, sets: MoveSets, shared: frozenset[str]) -> None:
        self.sets, self.shared = sets, shared

    @classmethod
    def of(cls, ledger: Ledger, wanted: Sequence[Priced], shared: frozenset[str], days: tuple[date, date]) -> _MoveSets:
        places = {(line.component, line.task): one.candidate.task for one in wanted for line in one.candidate.ran}
        return cls(MoveSets(ledger, lambda component, task: places.get((component, task)), *days), shared)

    def _moves(self, of: Set) -> dict[str, str]:
        return {task: one.candidate.to for task, one in of.items() if task in self.shared}

    def alone(self, one: Priced) -> Priced:
        return _less(one, self.sets.switch_usd(self._moves({one.candidate.task: one})))

    def proven(self, offered: Sequence[Priced], known: Known, plain: Sequence[Priced]) -> Set:
        """The proven moves of those that are best by these prices, with their caches as logged."""
        best = {(move.task, move.to) for move in moves_down(offered, known) if move.proven}
        return {one.candidate.task: one for one in plain if (one.candidate.task, one.candidate.to) in best}

    def saving_usd(self, of: Set) -> Fraction:
        saved = sum((Fraction(one.saving.usd) for one in of.values()), Fraction(0))
        return saved - self.sets.switch_usd(self._moves(of))

    def together(self, of: Set) -> list[Priced]:
        """Each with its part of what the set writes again."""
        moves = self._moves(of)
        _, shares = self.sets.shares(moves)
        beside = tuple(moves) if len(moves) > 1 else ()
        return [_less(one, shares.get(task, Fraction(0)), beside if task in moves else ()) for task, one in of.items()]


def _less(one: Priced, switch_usd: Fraction, beside: tuple[str, ...] = ()) -> Priced:
    usd = Decimal(to_usd(switch_usd))
    return one._replace(saving=MeasuredSaving(*(amount - usd for amount in one.saving)), switch_usd=usd, beside=beside)
