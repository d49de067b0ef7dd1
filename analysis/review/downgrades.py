"""Tasks that could move down to a cheaper model, with the evidence for it.

A candidate is proven where its success interval (Wilson) lies above the floor. Where outcomes leave it open, or where
there are none but the model already ran the task, it is worth a trial, and the move says why no more than that. A
model that never ran a task is never named: the logs say nothing of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from ...money import format_cents, strip
from ..outcomes.costs import NO_TASK, book_name
from ..outcomes.outcomes import Criteria, Evidence, SuccessRate, TaskModel, success_rate
from .repricing import MeasuredSaving, Ran, Shift
from .results import MoveDown

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from .configured import Configured

JUDGED = """
SELECT task, model, count(*) FILTER (success AND NOT escalated), count(*)
FROM outcome WHERE source <> 'usage_event' AND ts::DATE <= ?
GROUP BY ALL
"""
LEAST_CALLS = 20
"""Fewer successful calls of a task than this say nothing of whether a model can do it."""


class PossibleDowngrade(NamedTuple):
    """A task on its present model, and a model that has run it: `ok_calls` times in the month."""

    task: str
    model: str
    to: str
    ran: tuple[Ran, ...]
    ok_calls: int

    @property
    def shifts(self) -> list[Shift]:
        """The questions what the task's calls, component by component, would have cost on the other model."""
        return [Shift(line.component, line.task, line.model, self.to) for line in self.ran]


@dataclass(frozen=True)
class Known:
    """What outcomes say about tasks and models up to the month's end, and what counts as enough."""

    evidence: Mapping[TaskModel, Evidence]
    criteria: Criteria

    def rate(self, task: str, model: str) -> SuccessRate | None:
        """The success of a model on a task; None where there is no evidence."""
        found = self.evidence.get((task, model))
        return success_rate(found.successes, found.trials, self.criteria.confidence) if found else None

    def tried(self, task: str) -> set[str]:
        """The models with evidence for a task."""
        return {model for name, model in self.evidence if name == task}


def read_evidence(connection: DuckDBPyConnection, book: PriceBook, until: date) -> dict[TaskModel, Evidence]:
    """What people or tests have said of runs, up to the day `until`, included, by task and the model's book name.

    A logged call's mere status is left out: that a call was answered proves nothing of the answer.
    """
    import duckdb

    try:
        lines = connection.execute(JUDGED, [until]).fetchall()
    except duckdb.CatalogException:  # no outcomes were ever loaded
        return {}
    found: dict[TaskModel, Evidence] = {}
    for task, model, successes, trials in lines:
        key = (task, book_name(book, model))
        before = found.get(key, Evidence(0, 0))
        found[key] = Evidence(before.successes + successes, before.trials + trials)
    return found


def candidates(
    ran: Sequence[Ran], configured: Configured | None, known: Known, book: PriceBook
) -> list[PossibleDowngrade]:
    """Every task of the month with every other model that has run it, in the month or by the outcomes.

    The present model is the configured one, else the one of the most calls: calls off-policy are drift.
    """
    found = []
    for task, lines in _by_task(ran, known).items():
        present = _present(task, lines, configured, book)
        own = tuple(line for line in lines if line.model == present)
        calls = _ok_calls(lines)
        often = {model for model, count in calls.items() if count >= LEAST_CALLS}
        others = sorted((often | known.tried(task)) - {present})
        found += [PossibleDowngrade(task, present, to, own, calls[to]) for to in others if own and book.resolve(to)]
    return found


def _by_task(ran: Iterable[Ran], known: Known) -> dict[str, list[Ran]]:
    """The calls by task; those without one are only a task where outcomes speak of them."""
    tasks: dict[str, list[Ran]] = defaultdict(list)
    for line in ran:
        if line.task or known.tried(NO_TASK):
            tasks[line.task or NO_TASK].append(line)
    return dict(sorted(tasks.items()))


def _present(task: str, lines: Sequence[Ran], configured: Configured | None, book: PriceBook) -> str:
    calls: dict[str, int] = defaultdict(int)
    for line in lines:
        calls[line.model] += line.calls
    named = configured.routing.get(task) if configured else None
    known = book_name(book, named) if named else None
    return known if known in calls else max(sorted(calls), key=lambda model: calls[model])


def _ok_calls(lines: Iterable[Ran]) -> dict[str, int]:
    calls: dict[str, int] = defaultdict(int)
    for line in lines:
        calls[line.model] += line.ok_calls
    return calls


class Priced(NamedTuple):
    """A candidate with its task's cost on the present model, and what the move saves.

    `switch_usd` is taken off: what the move alone writes again, or its part of what the moves of the tasks `beside`
    (itself too) write again together.
    """

    candidate: PossibleDowngrade
    usd: Decimal
    saving: MeasuredSaving
    switch_usd: Decimal = Decimal(0)
    beside: tuple[str, ...] = ()


def moves_down(priced: Iterable[Priced], known: Known) -> list[MoveDown]:
    """The best move of each task that saves for sure: the proven one that saves most, else the best worth a trial.

    The most expensive first, proven ones before the others.
    """
    best: dict[str, MoveDown] = {}
    for one in priced:
        move = _move(one, known)
        if move and (move.task not in best or _rank(move) < _rank(best[move.task])):
            best[move.task] = move
    return sorted(best.values(), key=lambda move: (*_rank(move), move.task))


def _rank(move: MoveDown) -> tuple[bool, object]:
    return not move.proven, -move.saving_usd


def _move(one: Priced, known: Known) -> MoveDown | None:
    """None where it saves nothing for sure, or where the evidence speaks against it."""
    candidate, floor = one.candidate, known.criteria.min_success
    rate, present_rate = known.rate(candidate.task, candidate.to), known.rate(candidate.task, candidate.model)
    if one.saving.low_usd <= 0 or (rate and rate.high < floor):
        return None
    return MoveDown(
        task=candidate.task,
        model=candidate.model,
        to=candidate.to,
        calls=sum(line.calls for line in candidate.ran),
        usd=strip(one.usd),
        saving_usd=strip(one.saving.usd),
        saving_low_usd=strip(one.saving.low_usd),
        saving_high_usd=strip(one.saving.high_usd),
        success=rate,
        present_success=present_rate,
        proven=rate is not None and rate.low >= floor,
        switch_usd=strip(one.switch_usd),
        priced_with=list(one.beside),
        message=_says(candidate, rate, floor) + _taken_off(one),
    )


def _taken_off(one: Priced) -> str:
    if not one.switch_usd:
        return ""
    usd, verb = format_cents(abs(one.switch_usd)), "taken off" if one.switch_usd > 0 else "added"
    again = "cached prefixes written again in sessions of several tasks"
    if not one.beside:
        return f"; {usd} for {again} is {verb}, as if it moved alone"
    return f"; {usd} is {verb}, its part of {again} when {', '.join(one.beside)} move together"


def _says(candidate: PossibleDowngrade, rate: SuccessRate | None, floor: float) -> str:
    if rate is None:
        answered = f"it already answered {candidate.ok_calls:,} calls of this task in the month"
        return f"{answered}, but no outcome says how well"
    solved = f"{rate.successes:,} of {rate.trials:,} runs succeeded: surely {rate.low:.1%} or more"
    if rate.low >= floor:
        return f"{solved}, above the floor of {floor:.0%}"
    return f"{solved}, not yet the floor of {floor:.0%}"
