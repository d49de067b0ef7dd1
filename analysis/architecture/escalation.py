"""How often a first model was not enough, counted in outcomes: the evidence behind `escalate.probability`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..routing.resolve import model_of_key, routed_model
from .policies import STORES, Counted, Escalate, FromOutcomes

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from .model import Architecture, Component

MOST_KNOWN = 5

TaskModel = tuple[str, str]
Wrong = Callable[[int, str], Exception]
"""The error about the component of that index."""


def in_words(counted: Counted) -> str:
    """`30 of 100 in outcomes.csv; 95%: 21.9% to 39.6%`."""
    low, high = counted.interval
    place = f" {counted.source}" if counted.source else ""
    return f"{counted.escalated:,} of {counted.of:,}{place}; 95%: {low:.1%} to {high:.1%}"


def with_evidence(architecture: Architecture, wrong: Wrong) -> Architecture:
    """The architecture with `from_outcomes` counted, for its routing as it is.

    Raises what `wrong` makes where there is no such outcome; InputError or StoreError where they cannot be read.
    """
    asking = list(_asking(architecture))
    if not asking:
        return architecture
    from ...pricing.book import open_book

    outcomes = _Outcomes(open_book(architecture.book, architecture.prices))
    components = list(architecture.components)
    for index, escalate, asked in asking:
        task = asked.task or components[index].task
        counted = outcomes.count(asked.from_outcomes, task, _start(components[index], escalate, asked, architecture))
        if isinstance(counted, str):
            raise wrong(index, counted)
        known = escalate.model_copy(update={"probability": counted})
        components[index] = components[index].model_copy(update={"escalate": known})
    return architecture.model_copy(update={"components": components})


def _asking(architecture: Architecture) -> Iterator[tuple[int, Escalate, FromOutcomes]]:
    for index, component in enumerate(architecture.components):
        if component.escalate and isinstance(component.escalate.probability, FromOutcomes):
            yield index, component.escalate, component.escalate.probability


def _start(component: Component, escalate: Escalate, asked: FromOutcomes, architecture: Architecture) -> str:
    """The model whose outcomes count."""
    routing, key = architecture.model_routing, asked.model or escalate.start
    return model_of_key(routing, key) if key else routed_model(component, routing)


@dataclass
class _Outcomes:
    """Files of outcomes, each read once; models under their names in the price book."""

    book: PriceBook
    known: dict[Path, tuple[Counter[TaskModel], Counter[TaskModel]]] = field(default_factory=dict)

    def count(self, file: Path, task: str, model: str) -> Counted | str:
        """The runs of a task on a model, or what there is instead of any."""
        from ..outcomes.costs import book_name

        if file not in self.known:
            self.known[file] = _read(file, self.book)
        runs, escalated = self.known[file]
        key = (task, book_name(self.book, model))
        if runs[key]:
            return Counted(escalated=escalated[key], of=runs[key], source=f"in {file.name}")
        there = [f"{name} on {other}" for name, other in sorted(runs)]
        more = "" if len(there) <= MOST_KNOWN else f" and {len(there) - MOST_KNOWN:,} more"
        known = f"; it has {', '.join(there[:MOST_KNOWN])}{more}" if there else "; it has none at all"
        return f"{file.name} has no outcome of task {task!r} on {key[1]}{known}; or state the probability"


def _read(file: Path, book: PriceBook) -> tuple[Counter[TaskModel], Counter[TaskModel]]:
    """Runs, and those of them that escalated, by task and model."""
    from ..outcomes.costs import book_name

    runs: Counter[TaskModel] = Counter()
    escalated: Counter[TaskModel] = Counter()
    name_of = cache(partial(book_name, book))
    for task, model, count, of_them in _stored(file) if file.suffix.lower() in STORES else _listed(file):
        key = (task, name_of(model))
        runs[key] += count
        escalated[key] += of_them
    return runs, escalated


def _listed(file: Path) -> list[tuple[str, str, int, int]]:
    from ..outcomes.store import read_outcomes

    return [(row.task, row.model, 1, int(row.escalated)) for row in read_outcomes(file)]


def _stored(file: Path) -> list[tuple[str, str, int, int]]:
    from ...usage.store import open_store
    from ..outcomes.store import count_outcomes

    with open_store(file, read_only=True) as store:
        return [(row.task, row.model, row.trials, row.escalated) for row in count_outcomes(store)]
