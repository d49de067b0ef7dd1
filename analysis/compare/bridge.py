"""The bridge from one month's cost to another's: what changed it, by effect and component, adding up exactly.

The arithmetic and what each effect means stand in bridge_effects.py. Unpriced usage is in no figure: a component whose
usage had no price in the month before is `new`. Amounts are rounded to 12 places, and what that leaves is added to
the component's largest effect, so that its effects add up to its difference, and the steps to the whole, to the last
digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, get_args

from ...money import strip, to_usd
from ..replay.replay import MAX_DIGITS
from ..spend.priced import AS_BILLED
from .bridge_effects import Asked, Kind, Route, Used, component_effects
from .bridge_results import Bridge, BridgeStep, ComponentEffect, Effect
from .reverted import Reverted, saved_by_component, without

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ORDER: tuple[Effect, ...] = get_args(Effect)
METHOD = (
    "Shapley values, component by component, of calls (volume), units per call (tokens), USD per unit (price), shares "
    "of tasks, and of models where the routing did not ask for it (mix), shares of models where it did (routing); what "
    "only a bill states is a step of its own"
)
# A model without any price is left out with its calls, for they cost nothing that is known.
SUMS = """
WITH line AS (
    SELECT
        day >= $first AS is_after, component, coalesce(task, '') AS task,
        coalesce(provider || '/' || model, model, '(no model)') AS model, processing, token_class, tier,
        sum(units)::BIGINT AS units, sum(usd) AS usd
    FROM spend_cell
    WHERE (day BETWEEN $before_first AND $before_last OR day BETWEEN $first AND $last) AND usd IS NOT NULL AND units > 0
    GROUP BY ALL
)
SELECT * FROM line
QUALIFY bool_or(token_class <> 'request' OR usd > 0) OVER (PARTITION BY is_after, component, task, model, processing)
ORDER BY ALL
"""

ONLY_BILLED = f"""
SELECT
    component, coalesce(sum(usd) FILTER (day <= $before_last), 0), coalesce(sum(usd) FILTER (day >= $first), 0)
FROM spend_cell
WHERE (day BETWEEN $before_first AND $before_last OR day BETWEEN $first AND $last) AND token_class = '{AS_BILLED}'
GROUP BY component ORDER BY component
"""  # noqa: S608 (a word of ours)

Asks = Callable[[str, str], Collection[str]]
"""The models, by their book names, that a routing allows for a (component, task or ""); empty where it says nothing."""
Usage = Mapping[str, Iterable[Used]]
"""A month's priced usage by component."""
Span = tuple[date, date]
"""The first and the last day; no day where the last is before the first."""
Billed = Mapping[str, tuple[Decimal, Decimal]]
"""What only a bill states of a component, before and after."""


def bridge(
    connection: DuckDBPyConnection,
    before: Span,
    after: Span,
    asks: Asks | None = None,
    decisions: tuple[Sequence[Reverted], Sequence[Reverted]] = ((), ()),
) -> Bridge:
    """The bridge from a month's days `before` to another's `after`, from the table `spend_cell` (cells.py).

    `asks` is the routing of the month `after`, where it is known. `decisions` are those taken before or in the two
    spans of days, each taken back in them: what they save is a step of its own.
    """
    usage = _usage(connection, before, after)
    tasks = {(component, used.task) for month in usage for component, sums in month.items() for used in sums}
    placed = {place: _asked(place, asks) for place in tasks}
    billed = {name: (was, now) for name, was, now in connection.execute(ONLY_BILLED, _days(before, after)).fetchall()}
    return split(before, after, *usage, placed, decisions, billed)


def same_days(before: Span, month: Span, as_of: date) -> Span:
    """The days of the month before that a month's are compared with: all, or while it runs those to `as_of`'s day."""
    if as_of == month[1]:
        return before
    return before[0], min(before[1], before[0] + timedelta(days=as_of.day - 1))


def _usage(connection: DuckDBPyConnection, was: Span, now: Span) -> tuple[dict[str, list[Used]], dict[str, list[Used]]]:
    months: tuple[dict[str, list[Used]], dict[str, list[Used]]] = defaultdict(list), defaultdict(list)
    for line in connection.execute(SUMS, _days(was, now)).fetchall():
        is_after, component, task, model, processing, token_class, tier, units, cost = line
        used = Used(task, Route(model, processing), Kind(token_class, tier), units, cost)
        months[is_after][component].append(used)
    return months


def _days(was: Span, now: Span) -> dict[str, date]:
    return {"before_first": was[0], "before_last": was[1], "first": now[0], "last": now[1]}


def _asked(place: tuple[str, str], asks: Asks | None) -> Asked:
    return Asked(frozenset[str](), frozenset(asks(*place)) if asks else frozenset[str]())


def split(
    before: Span,
    after: Span,
    was: Usage,
    now: Usage,
    asked: Mapping[tuple[str, str], Asked] | None = None,
    decisions: tuple[Sequence[Reverted], Sequence[Reverted]] = ((), ()),
    billed: Billed = MappingProxyType({}),
) -> Bridge:
    """The bridge between two months' usage of these days; steps in the order of `Effect`, none that is nothing.

    `asked` is the routing by component and task. All effects but `decisions` are those between the two months as they
    would have been without the decisions; what these save now less what they saved before is the step `decisions`.
    What only a bill states is a step of its own.
    """
    by_component: dict[str, dict[str, Asked]] = defaultdict(dict)
    for (component, task), of in (asked or {}).items():
        by_component[component][task] = of
    parts: dict[Effect, dict[str, Decimal]] = defaultdict(dict)
    with localcontext(prec=MAX_DIGITS):  # the usual 28 digits would round sums of DECIMAL(38, 24)
        undecided = without(was, decisions[0]), without(now, decisions[1])
        saved_was, saved_now = (saved_by_component(of) for of in decisions)
        for component in {*was, *now}:
            sums = list(was.get(component, ())), list(now.get(component, ()))
            exact = component_effects(*_both(undecided, component), by_component[component])
            if decided := saved_was.get(component, Fraction(0)) - saved_now.get(component, Fraction(0)):
                exact["decisions"] = decided
            for effect, amount in rounded(exact, _total(sums[1]) - _total(sums[0])).items():
                parts[effect][component] = amount
        parts["billed"] = {component: of[1] - of[0] for component, of in billed.items()}
        return Bridge(
            before=f"{before[0]:%Y-%m}",
            after=f"{after[0]:%Y-%m}",
            before_last=before[1],
            after_last=after[1],
            before_usd=strip(_whole(was) + sum((of[0] for of in billed.values()), Decimal(0))),
            after_usd=strip(_whole(now) + sum((of[1] for of in billed.values()), Decimal(0))),
            steps=[_step(effect, parts[effect]) for effect in ORDER if any(parts[effect].values())],
            method=METHOD,
            query="bridge",
        )


def _both(usage: tuple[Usage, Usage], component: str) -> tuple[Iterable[Used], Iterable[Used]]:
    return usage[0].get(component, ()), usage[1].get(component, ())


def rounded(exact: Mapping[Effect, Fraction], difference: Decimal) -> dict[Effect, Decimal]:
    """The effects to 12 places; what rounding leaves of the difference is in the largest."""
    effects = {effect: to_usd(amount) for effect, amount in exact.items()}
    if effects:
        largest = max(effects, key=lambda effect: (abs(exact[effect]), effect))
        effects[largest] += difference - sum(effects.values(), Decimal(0))
    return effects


def _total(sums: Iterable[Used]) -> Decimal:
    return sum((used.usd for used in sums if isinstance(used.usd, Decimal)), Decimal(0))


def _whole(usage: Usage) -> Decimal:
    return _total(used for sums in usage.values() for used in sums)


def _step(effect: Effect, parts: Mapping[str, Decimal]) -> BridgeStep:
    """The components that it touches, the largest part first."""
    ordered = sorted(parts.items(), key=lambda part: (-abs(part[1]), part[0]))
    listed = [ComponentEffect(component=name, usd=strip(amount)) for name, amount in ordered if amount]
    return BridgeStep(effect=effect, usd=strip(sum(parts.values(), Decimal(0))), components=listed)
