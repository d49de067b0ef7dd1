"""One option for each of many choices: the most value within a budget, exactly, and the front of all plans.

The multiple-choice knapsack problem. SciPy's `milp` (HiGHS) solves it in floating point; Lagrangian bounds
in whole numbers then leave the few options that could still be better, and those are gone through exactly.
So the answer is the true optimum, to the last digit of every price, and ties always fall the same way.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import Any, NamedTuple

from ...errors import CostsimError
from ..router_eval.hull import Step, hull_options, steps_by_slope

MAX_PARTIAL_PLANS = 200_000
GAP_HALVINGS = 12
SOLVER_SECONDS = 1
SOLVER_GAP = 1e-6


@dataclass(frozen=True)
class Choice:
    """The options of one choice: what each costs and what it is worth; equal in length, at least one."""

    costs: Sequence[Fraction]
    values: Sequence[Fraction]


@dataclass(frozen=True)
class Allocation:
    """An option (index) for each choice, together within the budget.

    No plan is worth more than this one by over `short_by`: 0 says that it is the best of all; it is
    above 0 only where a proof would take too long.
    """

    options: list[int]
    short_by: Fraction


@dataclass(frozen=True)
class _Whole:
    """The problem in whole numbers: costs above each choice's least, and a budget for those; values.

    `kept` are each choice's options that are not dominated, cheapest first; a value is in 1/`value_unit`.
    """

    costs: list[list[int]]
    values: list[list[int]]
    kept: list[list[int]]
    budget: int
    value_unit: int

    def cost(self, plan: Sequence[int]) -> int:
        return sum(costs[option] for costs, option in zip(self.costs, plan, strict=True))

    def value(self, plan: Sequence[int]) -> int:
        return sum(values[option] for values, option in zip(self.values, plan, strict=True))


def best_within(choices: Sequence[Choice], budget: Fraction) -> Allocation | None:
    """The plan of greatest value that costs at most `budget`; None where even the cheapest plan costs more.

    Of plans of equal value the cheapest stands; remaining ties are always broken the same way. Raises
    CostsimError where the proof would take too long and SciPy, which then solves it, is not installed.
    """
    problem = _whole(choices, budget)
    if problem.budget < 0:
        return None
    most_expensive = [options[-1] for options in problem.kept]
    if problem.cost(most_expensive) <= problem.budget:
        return Allocation(most_expensive, Fraction(0))
    greedy, slope = _greedy(problem)
    exact, bound = _search(problem, slope, greedy)
    if exact is not None:
        return Allocation(exact, Fraction(0))
    best = max(greedy, solve(problem) or greedy, key=problem.value)
    return Allocation(best, (bound - problem.value(best)) / problem.value_unit)


def _whole(choices: Sequence[Choice], budget: Fraction) -> _Whole:
    cost_unit = lcm(budget.denominator, *(cost.denominator for choice in choices for cost in choice.costs))
    value_unit = lcm(*(value.denominator for choice in choices for value in choice.values))
    floors = [min(choice.costs) for choice in choices]
    extras = [
        [int((cost - floor) * cost_unit) for cost in choice.costs]
        for choice, floor in zip(choices, floors, strict=True)
    ]
    values = [[int(value * value_unit) for value in choice.values] for choice in choices]
    kept = [_undominated(*pair) for pair in zip(extras, values, strict=True)]
    # every sum of extras is a multiple of their divisor: what is left of the budget beyond one cannot be spent
    divisor = gcd(*(extra for group in extras for extra in group)) or 1
    costs = [[extra // divisor for extra in group] for group in extras]
    left = int((budget - sum(floors)) * cost_unit) // divisor
    return _Whole(costs, values, kept, left, value_unit)


def _undominated(costs: Sequence[int], values: Sequence[int]) -> list[int]:
    """The options that no other one beats or equals at no more cost, cheapest first."""
    kept: list[int] = []
    for option in sorted(range(len(costs)), key=lambda i: (costs[i], -values[i], i)):
        if not kept or values[option] > values[kept[-1]]:
            kept.append(option)
    return kept


def _greedy(problem: _Whole) -> tuple[list[int], Fraction]:
    """Hull steps, steepest first, until one does not fit; and its slope, the optimal price of the budget."""
    plan = [options[0] for options in problem.kept]
    left = problem.budget - problem.cost(plan)
    for step in steps_by_slope(list(zip(problem.costs, problem.values, strict=True))):
        costs = problem.costs[step.group]
        left -= costs[step.after] - costs[step.before]
        if left < 0:
            return plan, step.slope
        plan[step.group] = step.after
    raise AssertionError("the most expensive plan fits, which best_within has ruled out")


def solve(problem: _Whole) -> list[int] | None:
    """The integer programme: maximise v·x, c·x <= budget, one option per choice, x binary. In floating point."""
    try:
        import numpy as np
        from scipy.optimize import Bounds, LinearConstraint, milp
        from scipy.sparse import csr_array
    except ImportError:
        raise CostsimError("this --budget needs SciPy: pip install 'costsim[recommend]'") from None
    columns = [(group, option) for group, options in enumerate(problem.kept) for option in options]
    top = max(max(values) for values in problem.values) or 1
    most = problem.budget or 1
    # as shares of the budget and of the best value, so that tolerances mean the same for cents and for millions
    worth = np.array([problem.values[group][option] / top for group, option in columns])
    share = np.array([[problem.costs[group][option] / most for group, option in columns]])
    rows = np.array([group for group, _ in columns])
    one_each = csr_array((np.ones(len(columns)), (rows, np.arange(len(columns)))))
    with _silent_stdout():
        result = milp(
            -worth,
            integrality=np.ones(len(columns), dtype=np.int64),
            bounds=Bounds(0, 1),
            constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(share, -np.inf, problem.budget / most)],
            options={"mip_rel_gap": SOLVER_GAP, "time_limit": SOLVER_SECONDS},
        )
    if result.x is None:
        return None
    weights = dict(zip(columns, result.x, strict=True))
    plan = [max(options, key=lambda option: weights[group, option]) for group, options in enumerate(problem.kept)]
    return plan if problem.cost(plan) <= problem.budget else None


@contextmanager
def _silent_stdout() -> Iterator[None]:
    """HiGHS 1.12 prints a line of debugging to the process's standard output, whatever its options, which would
    stand in the middle of our JSON: so file descriptor 1 points nowhere meanwhile."""
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        yield
    finally:
        ctypes.CDLL("msvcrt" if os.name == "nt" else None).fflush(None)  # C's own buffer, before it points back
        os.dup2(saved, 1)
        os.close(saved)


class _Option(NamedTuple):
    """An option that may be in the best plan: its cost above the least such of its choice, value and loss."""

    option: int
    extra: int
    value: int
    loss: int


class _Partial(NamedTuple):
    """Options for the open choices so far; `chain` holds them, the last first: (option, (option, …))."""

    extra: int
    value: int
    loss: int
    chain: tuple[Any, ...]


def _search(problem: _Whole, slope: Fraction, greedy: list[int]) -> tuple[list[int] | None, Fraction]:
    """The best plan of all, and a bound of its value; no plan where it would take over MAX_PARTIAL_PLANS.

    At a price λ = p/q of the budget no plan is worth more than U = Σ max(q·v - p·c) + p·budget, less what
    its options lose against those maxima and p·(what is left of the budget). So a plan that misses U by
    `gap` is made of options that lose `gap` at most, and once the best of such plans misses U by no more,
    it is the best of all. At the optimal λ that gap is small: it is looked for from small to large. (The
    bound is that of Pisinger 1995, Eur. J. Oper. Res. 83:394-410, Sec. 3.)
    """
    losses, bound = _losses(problem, slope)

    def missed(plan: Sequence[int]) -> int:
        return bound - slope.denominator * problem.value(plan)

    best, work = greedy, 0
    for halvings in range(GAP_HALVINGS, -1, -1):
        gap = missed(greedy) >> halvings
        found, effort = _best_losing(problem, losses, gap, MAX_PARTIAL_PLANS - work)
        work += effort
        if work > MAX_PARTIAL_PLANS:
            return None, Fraction(bound, slope.denominator)
        best = found or best
        if missed(best) <= gap:
            return best, Fraction(problem.value(best))
    raise AssertionError("the greedy plan itself misses the bound by no more than the last gap")


def _best_losing(
    problem: _Whole, losses: list[dict[int, int]], gap: int, most_work: int
) -> tuple[list[int] | None, int]:
    """The best plan within the budget whose options together lose `gap` at most, and the partial plans looked at.

    None where there is none, or where `most_work` is not enough.
    """
    viable = [_viable(problem, group, options, gap) for group, options in enumerate(losses)]
    plan = [min(options, key=lambda o: o.extra).option for options in viable]
    left = problem.budget - problem.cost(plan)
    plans, work = [_Partial(0, 0, 0, ())] if left >= 0 else [], 0
    open_groups = [group for group, options in enumerate(viable) if len(options) > 1]
    for group in open_groups:
        work += len(plans) * len(viable[group])
        if work > most_work:
            return None, work
        plans = _undominated_plans(_extended(plans, viable[group], left, gap))
    if not plans:
        return None, work
    chain = plans[-1].chain
    for group in reversed(open_groups):
        plan[group], chain = chain
    return plan, work


def _losses(problem: _Whole, slope: Fraction) -> tuple[list[dict[int, int]], int]:
    """What each option loses against its choice's best at the price `slope`; and the bound U. Both times q."""
    p, q = slope.numerator, slope.denominator
    losses, bound = [], p * problem.budget
    for costs, values, options in zip(problem.costs, problem.values, problem.kept, strict=True):
        scores = {option: q * values[option] - p * costs[option] for option in options}
        best = max(scores.values())
        losses.append({option: best - score for option, score in scores.items()})
        bound += best
    return losses, bound


def _viable(problem: _Whole, group: int, losses: dict[int, int], gap: int) -> list[_Option]:
    costs, values = problem.costs[group], problem.values[group]
    options = [option for option, loss in losses.items() if loss <= gap]
    least = min(costs[option] for option in options)
    return [_Option(option, costs[option] - least, values[option], losses[option]) for option in options]


def _extended(plans: Sequence[_Partial], options: Sequence[_Option], left: int, gap: int) -> Iterator[_Partial]:
    for plan in plans:
        for option in options:
            extra, loss = plan.extra + option.extra, plan.loss + option.loss
            if extra <= left and loss <= gap:
                yield _Partial(extra, plan.value + option.value, loss, (option.option, plan.chain))


def _undominated_plans(plans: Iterable[_Partial]) -> list[_Partial]:
    """Those that no other one beats or equals at no more cost, cheapest first, so the most valuable last."""
    kept: list[_Partial] = []
    for plan in sorted(plans, key=lambda p: (p.extra, -p.value)):
        if not kept or plan.value > kept[-1].value:
            kept.append(plan)
    return kept


class Vertex(NamedTuple):
    """A plan on the front: its cost and value, and the step (None at the first) that leads to it."""

    cost: Fraction
    value: Fraction
    step: Step | None


def front(choices: Sequence[Choice]) -> list[Vertex]:
    """Whole plans from the cheapest to the best, each next one the cheapest way to more value: the convex hull.

    Exact, without going through the plans: all choices' hull steps, steepest first (their Minkowski sum).
    Every plan of the non-decreasing convex hull of all plans is here; plans of the Pareto front that lie
    under it are not, since there can be exponentially many: `best_within` finds the one for a given budget.
    """
    first = [hull_options(choice.costs, choice.values)[0] for choice in choices]
    cost = sum((choice.costs[option] for choice, option in zip(choices, first, strict=True)), Fraction(0))
    value = sum((choice.values[option] for choice, option in zip(choices, first, strict=True)), Fraction(0))
    vertices = [Vertex(cost, value, None)]
    for step in steps_by_slope([(choice.costs, choice.values) for choice in choices]):
        choice = choices[step.group]
        cost += choice.costs[step.after] - choice.costs[step.before]
        value += choice.values[step.after] - choice.values[step.before]
        vertices.append(Vertex(cost, value, step))
    return vertices
