"""Decisions whose calls a later one moves on to yet another model."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

from .results import DecisionRecord, RoutingChange

ANY = None
"""In the place of a component or a task: whichever it is."""
Key = tuple[str, str | None, str | None]
"""A model, and the component and the task of calls; "" is what a change writes that names none."""


def superseding(records: Sequence[DecisionRecord], as_of: date) -> dict[str, DecisionRecord]:
    """By the id of each decision that was superseded by `as_of`, the first one that did it.

    `records` are one of each id, by the day they were taken (`standing`). A later accepted one supersedes where it
    takes calls of the same scope from the model that they went to.
    """
    leaving: dict[Key, list[int]] = defaultdict(list)
    for number, record in enumerate(records):
        if record.change and record.decision == "accepted" and record.on <= as_of:
            for key in _found_by(record.change):
                leaving[key].append(number)
    found = {}
    for number, record in enumerate(records):
        listed = [leaving[key] for key in _asked(record.change) if key in leaving] if record.change else []
        later = [numbers[at] for numbers in listed for at in [bisect_right(numbers, number)] if at < len(numbers)]
        if later:
            found[record.id] = records[min(later)]
    return found


def _found_by(change: RoutingChange) -> Iterator[Key]:
    for component in (change.component, ANY):
        for task in (change.task, ANY):
            yield change.from_model, component, task


def _asked(change: RoutingChange) -> Iterator[Key]:
    """One that names a component meets those of the same and of none; one that names none meets all."""
    for component in (change.component, "") if change.component else (ANY,):
        for task in (change.task, "") if change.task else (ANY,):
            yield change.to_model, component, task
