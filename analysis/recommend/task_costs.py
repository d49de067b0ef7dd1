"""From an architecture to a recommendation: what each of its tasks costs a month on each model, and the evidence.

A task is a routing key: the components that the routing places by it, all together. A component that pins its
model is no matter of routing and left out. A month is 30 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from ...errors import ArchitectureError
from ...json_text import readable
from ..decided.ids import move_id
from ..outcomes.costs import book_name
from ..outcomes.outcomes import Evidence, TaskModel
from ..result import Result
from ..routing.edit import rewrite_routing, routing_diff
from ..routing.resolve import model_of_task
from ..simulation.costing import Costing
from ..simulation.costs import Costs
from ..simulation.monte_carlo import TokenSums, draw
from ..simulation.plans import Plan, named_models, plans_of
from ..simulation.policies.draws import draw_usd
from ..simulation.workload import Horizon
from .candidates import MonthlyCost, Task, candidates_from
from .recommend import recommend
from .results import LoggedMoves, Recommendation, TaskAdvice
from .switching import NO_CACHES, Caches, caches_of, switching_notes

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture, Component
    from ..spend.ledger import Ledger

MONTH_DAYS = 30
TRIALS = 2_000
SEED = 1


@dataclass(frozen=True)
class RoutingText:
    """A routing file as it is written: its name, its text and what it says."""

    name: str
    text: str
    models: Mapping[str, str]


class RoutingAdvice(Result):
    """What `costsim recommend` prints: the recommendation, and the routing file that it comes to, as a diff.

    `logged` is the recommended set of moves over the store's calls; null without calls or moves.
    """

    recommendation: Recommendation
    logged: LoggedMoves | None
    routing_file: str
    routing: str
    diff: str
    notes: list[str]


def routing_text(architecture: Architecture, config: Path | None) -> RoutingText:
    """The routing in `config`, else the architecture's own: its JSON file, or its mapping as one.

    Raises ArchitectureError.
    """
    own = architecture.routing
    file = config or (own if own and own.suffix.lower() == ".json" else None)
    if file is None:
        text = readable({"model_routing": architecture.model_routing}, indent=2) + "\n"
        return RoutingText("model-routing.json", text, architecture.model_routing)
    from ..routing.routing import read_routing

    models = dict(read_routing(file, needs_fallback=False).model_routing)
    return RoutingText(
        file.name, file.read_text(encoding="utf-8-sig"), models if config else architecture.model_routing
    )


def advise(
    architecture: Architecture,
    routing: RoutingText,
    evidence: Mapping[TaskModel, Evidence],
    start: date,
    *,
    book: str | None = None,
    min_success: float = 0.95,
    budget_usd: Decimal | None = None,
    log: Ledger | None = None,
) -> RoutingAdvice:
    """Recommend a routing for the tasks of an architecture, and the edit of its routing file that makes it so.

    Candidates are the models that the routing names, and priced ones with evidence for one of the tasks, whose
    names in `evidence` are the price book's. `log` is a store whose sessions say which caches a move would break: that
    is in the costs of models with evidence. Raises ArchitectureError, InputError for a budget that is too small.
    """
    horizon = Horizon.of(start, MONTH_DAYS, ZoneInfo(architecture.timezone))
    costs = Costs.of(architecture, horizon, book or architecture.book)
    prices = costs.book(costs.run_book)
    routed = [component for component in architecture.components if component.model is None]
    tasks = _tasks(routed, costs, routing.models)
    if not tasks:
        raise ArchitectureError("no component is placed by the routing: each pins its model")
    names = {task.name for task in tasks}
    named = list(dict.fromkeys([*named_models(architecture), *routing.models.values()]))
    known = {book_name(prices, model) for model in named}
    tried = sorted({model for task, model in evidence if task in names and prices.resolve(model)} - known)
    monthly = _Monthly(costs, plans_of(architecture, named[0])[1])
    models = [*named, *tried]
    known_of = {
        (t.name, m): own for t in tasks for m in models if (own := evidence.get((t.name, book_name(prices, m))))
    }
    caches = _caches(tasks, known_of, log)
    found = recommend(
        tasks,
        candidates_from(tasks, models, monthly.of_tasks(routed, models), known_of),
        min_success=min_success,
        budget_usd=budget_usd,
        caches=caches,
    )
    text = rewrite_routing(routing.text, found.changes, routing.name) if found.changes else routing.text
    return RoutingAdvice(
        recommendation=found.model_copy(update={"tasks": [_named(advice, prices) for advice in found.tasks]}),
        logged=caches.logged(found.changes),
        routing_file=routing.name,
        routing=text,
        diff=routing_diff(routing.text, text, routing.name),
        notes=[*_notes(architecture, routed, monthly), *switching_notes(log, caches, found.changes)],
    )


def _caches(tasks: Iterable[Task], known: Iterable[TaskModel], log: Ledger | None) -> Caches:
    """What the moves with evidence would write again; the present model writes nothing."""
    present = {(task.name, task.present) for task in tasks}
    return caches_of(log, [move for move in known if move not in present]) if log else NO_CACHES


def _named(advice: TaskAdvice, book: PriceBook) -> TaskAdvice:
    """With the id that the review gives to the same move."""
    if advice.advice != "move":
        return advice
    return advice.model_copy(
        update={"id": move_id(advice.task, book_name(book, advice.present), book_name(book, advice.model))}
    )


def _tasks(components: Iterable[Component], costs: Costs, routing: Mapping[str, str]) -> list[Task]:
    runs: dict[str, Fraction] = {}
    for component in components:
        expected = costs.works[component.name].runs.expected
        runs[component.task] = runs.get(component.task, Fraction(0)) + sum(expected, Fraction(0))
    present = {name: model_of_task(routing, name) for name in runs}
    missing = next((name for name, model in present.items() if model is None), None)
    if missing is not None:
        raise ArchitectureError(f"the routing has neither the task {missing!r} nor a fallback")
    return [Task(name, count, present[name] or "") for name, count in runs.items()]


def _notes(architecture: Architecture, routed: list[Component], monthly: _Monthly) -> list[str]:
    notes = []
    if pinned := [c.name for c in architecture.components if c not in routed]:
        notes.append(f"not placed by the routing, so left out: {', '.join(pinned)}")
    if monthly.costs.flat_usd_per_day(monthly.routed):
        notes.append("what subscriptions cost per day, whatever runs on them, is in no figure")
    return notes


@dataclass
class _Monthly:
    """Costs of whole tasks over the horizon. A component's tokens are drawn once and priced for every model."""

    costs: Costs
    routed: Plan
    _drawn: dict[tuple[Any, ...], TokenSums] = field(default_factory=dict)

    def of_tasks(self, components: list[Component], models: list[str]) -> dict[TaskModel, MonthlyCost]:
        """The cost of every task on every model; without those that a component's model has no price for."""
        totals: dict[TaskModel, MonthlyCost | None] = {}
        room = np.empty((self.costs.horizon.days, TRIALS))
        for component in components:
            for model in models:
                key, own = (component.task, model), self._of(component.name, model, room)
                known = totals.get(key, MonthlyCost(Fraction(0), draws=[0.0] * TRIALS))
                totals[key] = _plus(known, own) if known and own else None
        return {key: total for key, total in totals.items() if total}

    def _of(self, component: str, model: str, room: np.ndarray[Any, Any]) -> MonthlyCost | None:
        """One component on a model, under the policies of the routed plan."""
        plan = replace(self.routed, name=model, models=dict.fromkeys(self.routed.models, model))
        costing = self.costs.planned(component, plan)
        if not costing.priced:
            return None
        drawn = draw_usd(costing, self._tokens(costing.plain), room, SEED)
        return MonthlyCost(costing.horizon_usd, draws=np.broadcast_to(drawn.sum(axis=0), (TRIALS,)).tolist())

    def _tokens(self, plain: Costing) -> TokenSums:
        """The draws of a component; models with other price tiers cut its runs otherwise."""
        name = plain.work.component.name
        key = (name, *(bracket.probability for bracket in plain.brackets))
        if key not in self._drawn:
            days = self.costs.horizon.days
            self._drawn[key] = draw(plain.work, plain.profile, plain.brackets, days, TRIALS, SEED)
        return self._drawn[key]


def _plus(a: MonthlyCost, b: MonthlyCost) -> MonthlyCost:
    draws = np.add(a.draws or (), b.draws or ())
    return MonthlyCost(a.expected_usd + b.expected_usd, draws=draws.tolist())
