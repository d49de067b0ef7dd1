"""Why a month cost more or less than the one before: an exact split of the difference into effects.

A component's cost is a product and sums of five factors:

    calls x sum over tasks(share of the calls
        x sum over models(share of the task's calls x sum over classes(units per call x USD per unit)))

`volume` is the change of the calls, `mix` of the tasks' shares, `routing` of the models (and processing levels)
that a task's calls go to, `tokens` of the units per call in each class and context tier, `price` of the USD per
unit. Each effect is its factor's Shapley value: what changing it adds, averaged over all orders in which the five
can change (Shapley 1953; as a decomposition, Sun 1998, "Accounting for the dynamics of energy use"). LMDI (Ang
2015) is the usual choice in energy economics, but its logarithms have no exact decimals; Shapley's values are
fractions, add up exactly, and treat all factors alike.

What a month lacks it borrows: a task's models, a model's units per call and prices are taken from the other month
where the component did not use them, so that an effect never holds another's change; a price is first looked for
in the same month at other components. A component without calls before is wholly `new`, one without calls after
wholly `retired`. Calls without a price are in no figure. A price that changes within a month counts with the
component's own average, so that a shift of calls among a month's days may move `price`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from math import factorial
from typing import TYPE_CHECKING, NamedTuple, get_args

from ..replay import MAX_DIGITS
from ..results import strip, usd
from ..spend import month_span
from .results import Bridge, BridgeStep, ComponentEffect, Effect

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

METHOD = (
    "Shapley values of calls (volume), tasks' shares (mix), models' shares of a task (routing), units per call "
    "(tokens) and USD per unit (price), for each component; new and retired components apart"
)
FACTORS: tuple[Effect, ...] = ("volume", "mix", "routing", "tokens", "price")
ORDER: tuple[Effect, ...] = get_args(Effect)

# A model without any price in a task is left out with its calls: they would dilute the rest.
SUMS = """
WITH line AS (
    SELECT strftime(day, '%Y-%m') AS month, component, coalesce(task, '') AS task,
        coalesce(provider || '/' || model, model, '') || ' ' || processing AS model,
        tier || ' ' || token_class AS class, token_class = 'request' AS is_call,
        sum(units)::BIGINT AS units, sum(usd) AS usd
    FROM spend_cell
    WHERE (day BETWEEN $before_first AND $before_last OR day BETWEEN $after_first AND $after_last)
        AND (usd IS NOT NULL)
    GROUP BY ALL
)
SELECT * FROM line
QUALIFY bool_or(NOT is_call OR usd > 0) OVER (PARTITION BY month, component, task, model)
ORDER BY ALL
"""


class Sum(NamedTuple):
    """Units and USD of one class (at one context tier) in one month; calls are a class too."""

    month: str
    component: str
    task: str
    model: str
    token_class: str
    is_call: bool
    units: int
    usd: Decimal


def bridge(connection: DuckDBPyConnection, before: str, after: str) -> Bridge:
    """The bridge from one month (2026-09) to another, from the table `spend_cell` (cells.py)."""
    first, last = month_span(before), month_span(after)
    values = {"before_first": first[0], "before_last": first[1], "after_first": last[0], "after_last": last[1]}
    return split(before, after, [Sum(*line) for line in connection.execute(SUMS, values).fetchall()])


def split(before: str, after: str, sums: Iterable[Sum]) -> Bridge:
    """The bridge over these sums: effects in the order of `Effect`, those that are nothing left out."""
    months: dict[str, dict[str, _Month]] = {before: defaultdict(_Month), after: defaultdict(_Month)}
    prices: dict[str, _Prices] = {before: _Prices(), after: _Prices()}
    for line in sums:
        months[line.month][line.component].add(line)
        prices[line.month].add(line)
    parts: dict[Effect, dict[str, Decimal]] = defaultdict(dict)
    with localcontext(prec=MAX_DIGITS):
        for component in sorted({*months[before], *months[after]}):
            pair = months[before].get(component), months[after].get(component)
            for effect, amount in _effects(*pair, prices[before], prices[after]).items():
                parts[effect][component] = amount
        return Bridge(
            before=before,
            after=after,
            before_usd=strip(_total(months[before])),
            after_usd=strip(_total(months[after])),
            steps=[_step(effect, parts[effect]) for effect in ORDER if any(parts[effect].values())],
            method=METHOD,
            query="bridge",
        )


def _total(components: Mapping[str, _Month]) -> Decimal:
    return sum((month.usd for month in components.values()), Decimal(0))


def _step(effect: Effect, parts: Mapping[str, Decimal]) -> BridgeStep:
    """The dearest component first, by the size of its part."""
    ordered = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    listed = [ComponentEffect(component=name, usd=strip(amount)) for name, amount in ordered if amount]
    return BridgeStep(effect=effect, usd=strip(sum(parts.values(), Decimal(0))), components=listed)


@dataclass
class _Line:
    """A task on a model: its calls, and units and USD by class."""

    calls: int = 0
    units: dict[str, int] = field(default_factory=dict)
    usd: dict[str, Decimal] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """Its calls; one where a source counts none."""
        return self.calls or 1


@dataclass
class _Month:
    """A component in one month."""

    lines: dict[tuple[str, str], _Line] = field(default_factory=lambda: defaultdict(_Line))

    def add(self, s: Sum) -> None:
        line = self.lines[s.task, s.model]
        line.calls += s.units if s.is_call else 0
        if s.units:
            line.units[s.token_class] = line.units.get(s.token_class, 0) + s.units
            line.usd[s.token_class] = line.usd.get(s.token_class, Decimal(0)) + s.usd

    @property
    def usd(self) -> Decimal:
        return sum((amount for line in self.lines.values() for amount in line.usd.values()), Decimal(0))

    @property
    def calls(self) -> int:
        return sum(line.weight for line in self.lines.values())

    def task_calls(self, task: str) -> int:
        return sum(line.weight for (of, _), line in self.lines.items() if of == task)


@dataclass
class _Prices:
    """USD per unit over all components of a month."""

    units: dict[tuple[str, str], int] = field(default_factory=dict)
    usd: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, s: Sum) -> None:
        key = s.model, s.token_class
        self.units[key] = self.units.get(key, 0) + s.units
        self.usd[key] = self.usd.get(key, Decimal(0)) + s.usd

    def price(self, model: str, token_class: str) -> Fraction | None:
        units = self.units.get((model, token_class))
        return Fraction(self.usd[model, token_class]) / units if units else None


def _effects(
    was: _Month | None, now: _Month | None, prices_then: _Prices, prices_now: _Prices
) -> dict[Effect, Decimal]:
    if was is None or now is None:
        return {"new": now.usd} if now else {"retired": -was.usd} if was else {}
    costs = _coalition_costs((was, now), (prices_then, prices_now))
    exact = {factor: _shapley(costs, n) for n, factor in enumerate(FACTORS)}
    return _rounded(exact, now.usd - was.usd)


def _shapley(costs: Mapping[tuple[int, ...], Fraction], factor: int) -> Fraction:
    """The mean over all orders of what changing the factor adds to the cost, given those changed before it."""
    total, size = Fraction(0), len(FACTORS)
    for changed in product((0, 1), repeat=size):
        if not changed[factor]:
            others = sum(changed)
            weight = Fraction(factorial(others) * factorial(size - 1 - others), factorial(size))
            total += weight * (costs[(*changed[:factor], 1, *changed[factor + 1 :])] - costs[changed])
    return total


def _rounded(exact: Mapping[Effect, Fraction], difference: Decimal) -> dict[Effect, Decimal]:
    """The effects to 12 places; what rounding leaves is in the largest, so that they add up to the last digit."""
    effects = {effect: usd(amount) for effect, amount in exact.items()}
    largest = max(effects, key=lambda effect: abs(exact[effect]))
    effects[largest] += difference - sum(effects.values(), Decimal(0))
    return effects


def _coalition_costs(months: tuple[_Month, _Month], prices: tuple[_Prices, _Prices]) -> dict[tuple[int, ...], Fraction]:
    """The component's cost with each factor at its value before (0) or after (1): 32 costs, summed from inside out."""
    tasks = {task for month in months for task, _ in month.lines}
    by_task = {task: _task_costs(task, months, prices) for task in tasks}
    costs: dict[tuple[int, ...], Fraction] = {}
    for mix, inner in product((0, 1), product((0, 1), repeat=3)):
        per_call = sum((_share(months, task, mix) * by_task[task][inner] for task in tasks), Fraction(0))
        for volume in (0, 1):
            costs[volume, mix, *inner] = months[volume].calls * per_call
    return costs


def _share(months: tuple[_Month, _Month], task: str, when: int) -> Fraction:
    return Fraction(months[when].task_calls(task), months[when].calls)


def _task_costs(
    task: str, months: tuple[_Month, _Month], prices: tuple[_Prices, _Prices]
) -> dict[tuple[int, ...], Fraction]:
    """USD per call of a task, by (routing, tokens, price) each before (0) or after (1)."""
    models = {model for month in months for of, model in month.lines if of == task}
    by_model = {model: _call_costs(task, model, months, prices) for model in models}
    calls = [month.task_calls(task) for month in months]
    costs: dict[tuple[int, ...], Fraction] = {}
    for routing, inner in product((0, 1), product((0, 1), repeat=2)):
        of = routing if calls[routing] else 1 - routing  # a month without the task borrows the other's routing
        shares = {
            m: Fraction(months[of].lines[task, m].weight, calls[of]) for m in models if (task, m) in months[of].lines
        }
        costs[routing, *inner] = sum((share * by_model[m][inner] for m, share in shares.items()), Fraction(0))
    return costs


def _call_costs(
    task: str, model: str, months: tuple[_Month, _Month], prices: tuple[_Prices, _Prices]
) -> dict[tuple[int, ...], Fraction]:
    """USD per call of a task on a model, by (tokens, price) each before (0) or after (1)."""
    lines = [month.lines.get((task, model)) for month in months]
    classes = {name for line in lines if line for name in line.units}
    unit = [{name: _unit_price(n, name, model, lines, prices) for name in classes} for n in (0, 1)]
    costs: dict[tuple[int, ...], Fraction] = {}
    for tokens, price in product((0, 1), repeat=2):
        line = lines[tokens] or lines[1 - tokens] or _Line()
        paid = (Fraction(units, line.weight) * unit[price][name] for name, units in line.units.items())
        costs[tokens, price] = sum(paid, Fraction(0))
    return costs


def _unit_price(
    when: int, name: str, model: str, lines: list[_Line | None], prices: tuple[_Prices, _Prices]
) -> Fraction:
    """The component's own price in that month; else the month's elsewhere; else its own in the other month."""
    for own, month in ((lines[when], prices[when]), (lines[1 - when], prices[1 - when])):
        if own and own.units.get(name):
            return Fraction(own.usd[name]) / own.units[name]
        elsewhere = month.price(model, name)
        if elsewhere is not None:
            return elsewhere
    return Fraction(0)
