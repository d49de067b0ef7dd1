"""Why a component cost more or less than in the month before: the arithmetic, exact in fractions.

A component's cost in a month is

    calls x sum over tasks ( task's share of the calls
          x sum over routes ( route's share of the task's calls
          x sum over kinds ( units per call x USD per unit )))

where a route is a model at a processing level, and a kind a token class at a context tier. Each effect is what its
factor's change adds, averaged over all orders in which the factors can change: its Shapley value (Shapley 1953; as a
decomposition, Sun 1998, "Changes in energy consumption and energy intensity: a complete decomposition model", Energy
Economics 20, 85-100). LMDI (Ang 2015, "LMDI decomposition approach: a guide for implementation", Energy Policy 86,
233-238) is the usual choice where factors are many, but its logarithms end in no decimal, and have no value at the
zero share of a model that was not used yet. Shapley's values are fractions: they add up to the difference exactly, are
zero for a factor that did not change, and treat all factors alike.

What falls where:

- `volume`: the component's calls. Where a source counts no calls, units stand for them.
- `mix`: tasks' shares of the calls, and routes' shares that the routing did not ask for.
- `routing`: routes' shares that the routing asked for (see `Asked`). All of it is `mix` where no routing is known.
- `tokens`: units per call. A shift to another context tier is here: longer requests bring it about.
- `price`: USD per unit, the month's mean. Calls that shift among days or hours of other prices are here too.

What one month lacks is taken from the other: the routes of a task, the units per call and prices of a route. So a
model that is used in one month alone has the same price in both, and all of its coming or going is a change of
shares; and what happens to a component depends on nothing but its own usage. A class that is priced in one month
alone is in no figure of the other: it comes in as `tokens`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import lcm
from typing import NamedTuple

from ..shapley import Coalition, over_one_denominator, shapley
from .bridge_results import Effect

CALLS = "request"
MOVED = ("rerouted", "off_policy")
FACTORS = ("volume", "tasks", *MOVED, "tokens", "price")
EFFECTS: Mapping[str, Effect] = {
    "volume": "volume",
    "tasks": "mix",
    "rerouted": "routing",
    "off_policy": "mix",
    "tokens": "tokens",
    "price": "price",
}

Costs = dict[Coalition, Fraction]
"""By which factors have changed, in the order of FACTORS or of its end."""


class Route(NamedTuple):
    """A model, as the price book calls it, at a processing level."""

    model: str
    processing: str = "standard"


class Kind(NamedTuple):
    """A token class at a context tier."""

    token_class: str
    tier: int = 0


class Used(NamedTuple):
    """Priced units of one kind, and what they cost; `request` counts the calls. Fractions where calls are parted."""

    task: str
    route: Route
    kind: Kind
    units: int | Fraction
    usd: Decimal | Fraction


@dataclass(frozen=True)
class Asked:
    """The models that the routing allows for a task in the two months; empty where it says nothing of them.

    Calls that moved from one route to another did as asked where the routing allows the new one and allowed the old
    one; where nothing is known of the month before, where it allows the new one.
    """

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()

    def moves(self, was: str, now: str) -> bool:
        """Whether the routing asked calls on the model `was` to go to `now`."""
        return now in self.after and (not self.before or was in self.before)


@dataclass
class RouteUsage:
    """A task on a route in a month: its calls, and by kind its units and their cost in whole parts of a USD."""

    calls: int | Fraction = 0
    units: dict[Kind, int | Fraction] = field(default_factory=lambda: defaultdict(int))
    cost: dict[Kind, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def paid(self) -> int:
        """What it cost."""
        return sum(self.cost.values())


Lines = dict[tuple[str, Route], RouteUsage]


def component_effects(
    before: Iterable[Used], after: Iterable[Used], asked: Mapping[str, Asked] | None = None
) -> dict[Effect, Fraction]:
    """The effects on one component's cost, USD: they add up to its cost after less its cost before, exactly.

    `asked` is the routing by task. Without usage before, all is `new`; without usage after, all `retired`.
    """
    sums = list(before), list(after)
    parts = _parts_of_a_usd(used.usd for of in sums for used in of)
    lines = _lines(sums[0], parts), _lines(sums[1], parts)
    cost = [Fraction(sum(line.paid for line in of.values()), parts) for of in lines]
    if not lines[0] or not lines[1]:
        return {"retired": -cost[0]} if lines[0] else {"new": cost[1]} if lines[1] else {}
    _count_units_where_no_calls_are(lines)
    effects: dict[Effect, Fraction] = defaultdict(Fraction)
    for factor, amount in zip(FACTORS, shapley(_component_costs(lines, asked or {})), strict=True):
        effects[EFFECTS[factor]] += amount / parts
    return dict(effects)


def _parts_of_a_usd(amounts: Iterable[Decimal | Fraction]) -> int:
    """In how many parts a dollar must be cut so that every amount is whole."""
    return lcm(*{amount.as_integer_ratio()[1] for amount in amounts})


def _lines(sums: Iterable[Used], parts: int) -> Lines:
    lines: Lines = defaultdict(RouteUsage)
    for task, route, kind, units, usd in sums:
        if units:
            line = lines[task, route]
            numerator, denominator = usd.as_integer_ratio()
            line.calls += units if kind.token_class == CALLS else 0
            line.units[kind] += units
            line.cost[kind] += numerator * (parts // denominator)
    return lines


def _count_units_where_no_calls_are(lines: tuple[Lines, Lines]) -> None:
    """Some sources sum tokens and count no calls: with one such line, units measure the component's volume."""
    every = [line for of in lines for line in of.values()]
    if not all(line.calls for line in every):
        for line in every:
            line.calls = sum(line.units.values())


def _component_costs(lines: tuple[Lines, Lines], asked: Mapping[str, Asked]) -> Costs:
    """The component's cost with each of FACTORS as before (0) or after (1), summed from the inside out."""
    tasks = {task for of in lines for task, _ in of}
    by_task = {task: _task_costs(task, lines, asked.get(task, Asked())) for task in tasks}
    per_call, scale = over_one_denominator({(task, key): cost for task in tasks for key, cost in by_task[task].items()})
    calls = [{task: _calls(of, task) for task in tasks} for of in lines]
    total = [sum(of.values()) for of in calls]
    costs: Costs = {}
    for moved, inner in product((0, 1), product((0, 1), repeat=4)):
        paid = Fraction(sum(calls[moved][task] * per_call[task, inner] for task in tasks), scale * total[moved])
        costs.update({(volume, moved, *inner): total[volume] * paid for volume in (0, 1)})
    return costs


def _calls(lines: Lines, task: str) -> int | Fraction:
    return sum(line.calls for (of, _), line in lines.items() if of == task)


def _task_costs(task: str, lines: tuple[Lines, Lines], asked: Asked) -> Costs:
    """The cost of a call of a task by (rerouted, off_policy, tokens, price)."""
    routes = {route for of in lines for name, route in of if name == task}
    by_route = {route: _route_costs(lines[0].get((task, route)), lines[1].get((task, route))) for route in routes}
    per_call, scale = over_one_denominator(
        {(route, key): cost for route in routes for key, cost in by_route[route].items()}
    )
    before, after = _shares(task, routes, lines[0]), _shares(task, routes, lines[1])
    shares, whole = over_one_denominator(_share_changes(before, after, asked))
    costs: Costs = {}
    for inner in product((0, 1), repeat=2):
        base, by_routing, by_drift = (
            sum(shares[part, route] * per_call[route, inner] for route in routes) for part in ("before", *MOVED)
        )
        costs.update(
            {
                (r, s, *inner): Fraction(base + r * by_routing + s * by_drift, scale * whole)
                for r in (0, 1)
                for s in (0, 1)
            }
        )
    return costs


Shares = dict[Route, Fraction]


def _shares(task: str, routes: Iterable[Route], lines: Lines) -> Shares:
    """Each route's share of the task's calls; empty in a month without the task."""
    calls = {route: line.calls for route in routes if (line := lines.get((task, route)))}
    total = sum(calls.values())
    return {route: Fraction(calls.get(route, 0), total) for route in routes} if total else {}


def _share_changes(before: Shares, after: Shares, asked: Asked) -> dict[tuple[str, Route], Fraction]:
    """The shares before, and how they changed as the routing asked and otherwise.

    Nothing says which call went where: the routes that lost calls gave to those that gained in proportion.
    """
    before, after = before or after, after or before
    change = {route: after[route] - before[route] for route in before}
    moved = sum((gain for gain in change.values() if gain > 0), Fraction(0))
    rerouted: Shares = dict.fromkeys(change, Fraction(0))
    for was, now in product(change, repeat=2):
        if change[was] < 0 < change[now] and asked.moves(was.model, now.model):
            flow = -change[was] * change[now] / moved
            rerouted[was] -= flow
            rerouted[now] += flow
    off_policy = {route: change[route] - rerouted[route] for route in change}
    parts = {"before": before, "rerouted": rerouted, "off_policy": off_policy}
    return {(part, route): share for part, shares in parts.items() for route, share in shares.items()}


def _route_costs(was: RouteUsage | None, now: RouteUsage | None) -> Costs:
    """The cost of a call of a task on a route by (tokens, price); a month without the route has the other's."""
    pair = was or now or RouteUsage(calls=1), now or was or RouteUsage(calls=1)
    return {
        (tokens, price): (pair[tokens].paid + _extra_cost(pair[tokens], pair[price])) / pair[tokens].calls
        for tokens, price in product((0, 1), repeat=2)
    }


def _extra_cost(line: RouteUsage, other: RouteUsage) -> Fraction:
    """What a line's units would cost more at the other's prices; a kind that the other lacks keeps its own."""
    total = Fraction(0)
    for kind in line.units.keys() & other.units.keys():
        extra = line.units[kind] * other.cost[kind] - other.units[kind] * line.cost[kind]
        if extra:  # most prices stay, and then no fraction need grow
            total += Fraction(extra, other.units[kind])
    return total
