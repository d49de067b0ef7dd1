"""Which set of moves costs least with the caches that its tasks share: sets of moves tried as wholes.

A task that does not pay alone may pay beside another one that shares its sessions, and the other way round. Tried are
the models that are cheapest with each task moved alone, those that are cheapest without cache effects, and each model
for all tasks that share sessions and may use it; then moves are taken back as long as that costs less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from .candidates import Candidate, Task
from .switching import Caches

Chosen = dict[str, Candidate | None]
"""For each task its candidate, priced with the caches as logged; None where no model will do."""


def changes_of(tasks: Sequence[Task], chosen: Mapping[str, Candidate | None]) -> dict[str, str]:
    """The moves that a choice comes to, in the order of the tasks."""
    final = ((task, chosen[task.name]) for task in tasks)
    return {task.name: found.model for task, found in final if found and found.model != task.present}


def cheapest_set(
    tasks: Sequence[Task],
    options: Mapping[str, Sequence[Candidate]],
    caches: Caches,
    usable: Callable[[Candidate], bool],
) -> Chosen:
    """For each task a usable candidate, the cheapest set of those tried. `options` are plain, cheapest first."""

    def usd(chosen: Chosen) -> Fraction:
        shares = caches.roughly(changes_of(tasks, chosen))
        return sum((c.usd * (1 + shares.get(task, Fraction(0))) for task, c in chosen.items() if c), Fraction(0))

    able = {task.name: [c for c in options[task.name] if usable(c)] for task in tasks}
    present = {task.name: next((c for c in able[task.name] if c.model == task.present), None) for task in tasks}
    alone: Chosen = {
        task.name: min(able[task.name], key=lambda c: (_alone_usd(c, caches), c.model != now, c.model), default=None)
        for task in tasks
        for now in [task.present]
    }
    if not caches.shared:
        return alone
    best, least = alone, usd(alone)
    for tried in _others(alone, able, caches):
        if tried != best and (cost := usd(tried)) < least:
            best, least = tried, cost
    for name in caches.sharing(changes_of(tasks, best)):
        if present[name] and (cost := usd(best | {name: present[name]})) < least:
            best, least = best | {name: present[name]}, cost
    return best


def _alone_usd(candidate: Candidate, caches: Caches) -> Fraction:
    return candidate.usd * (1 + caches.alone.get((candidate.task, candidate.model), Fraction(0)))


def _others(alone: Chosen, able: Mapping[str, Sequence[Candidate]], caches: Caches) -> Iterator[Chosen]:
    yield {name: next(iter(of), None) for name, of in able.items()}
    shared = {name: of for name, of in able.items() if name in caches.shared}
    for model in dict.fromkeys(c.model for of in shared.values() for c in of):
        yield alone | {c.task: c for of in shared.values() for c in of if c.model == model}
