"""Recommend a routing: for each task the cheapest model that is good enough, or the best plan for a budget.

The evidence is outcomes; a model without any is never recommended. Money is exact; what a success rate is
worth is uncertain, and said with its interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import sqrt
from statistics import NormalDist
from typing import Literal

from ...errors import InputError
from ...money import to_usd
from ..outcomes.outcomes import Evidence, SuccessRate, TaskModel, success_rate
from ..quantiles import ends
from ..result import Usd
from .allocation import Choice, best_within, front
from .results import Advice, Considered, FrontPoint, Recommendation, SavingRange, Says, Successes, TaskAdvice

NOTHING = Evidence(0, 0)


@dataclass(frozen=True)
class MonthlyCost:
    """What a task costs on a model in a month, in USD.

    For the range either `draws` (one total a trial, the same trials for every task and model) or P10 and P90.
    `switch_usd` of the expected cost is for cached prefixes that are written again (switching.py).
    """

    expected_usd: Fraction
    p10_usd: Fraction | None = None
    p90_usd: Fraction | None = None
    draws: Sequence[float] | None = None
    switch_usd: Fraction = Fraction(0)


@dataclass(frozen=True)
class Task:
    """A task: its routing key, how often it runs in a month, and the model that it runs on now."""

    name: str
    runs_per_month: Fraction
    present: str


@dataclass(frozen=True)
class Candidate:
    """A model that a task could run on; `cost` is None where the model has no price."""

    task: str
    model: str
    cost: MonthlyCost | None
    evidence: Evidence = NOTHING


def recommend(
    tasks: Sequence[Task],
    candidates: Iterable[Candidate],
    *,
    min_success: float = 0.95,
    budget_usd: Decimal | Fraction | None = None,
    confidence: float = 0.95,
) -> Recommendation:
    """The routing to change to, with its evidence, its saving, and the front of what else could be had.

    Without a budget: for each task the cheapest model whose Wilson interval (two-sided, `confidence`) lies
    above `min_success`; the present one where none does. With a budget (USD per month): the most expected
    successes that it buys, over models with evidence; the floor is then reported, not demanded. Ties go to
    the cheaper model, then to the present one. Raises InputError where the budget is below the cheapest
    plan.
    """
    options = _options(tasks, candidates)
    floor = _Floor(min_success, confidence)
    chosen, could_gain = {}, Fraction(0)
    if budget_usd is None:
        chosen = {task.name: _cheapest_above(options[task.name], floor) for task in tasks}
    else:
        chosen, could_gain = _best_for(tasks, options, Fraction(budget_usd))
    advice = [_advice(task, options[task.name], chosen[task.name], floor) for task in tasks]
    present = [_find(options[task.name], task.present) for task in tasks]
    final = [_find(options[task.name], row.model) for task, row in zip(tasks, advice, strict=True)]
    return Recommendation(
        min_success=min_success,
        confidence=confidence,
        budget_usd=None if budget_usd is None else to_usd(budget_usd),
        tasks=advice,
        changes={row.task: row.model for row in advice if row.advice == "move"},
        usd_per_month=to_usd(sum((c.cost.expected_usd for c in final if c.cost), Fraction(0))),
        saving=_saving(present, final),
        successes=_successes(tasks, final),
        present_successes=_successes(tasks, present),
        could_gain_successes=to_usd(could_gain),
        front=_front(tasks, options),
    )


@dataclass(frozen=True)
class _Floor:
    min_success: float
    confidence: float

    def rate(self, candidate: Candidate) -> SuccessRate:
        return success_rate(candidate.evidence.successes, candidate.evidence.trials, self.confidence)

    def message(self, candidate: Candidate) -> Says:
        if candidate.evidence.trials == 0:
            return "no evidence"
        if candidate.cost is None:
            return "unpriced"
        return "clears the floor" if self.rate(candidate).low >= self.min_success else "below the floor"


def _options(tasks: Sequence[Task], candidates: Iterable[Candidate]) -> dict[str, list[Candidate]]:
    """Each task's candidates, cheapest first, then the present one, then by name; the present one always there."""
    by_task: dict[str, dict[str, Candidate]] = {task.name: {} for task in tasks}
    if len(by_task) < len(tasks):
        raise ValueError("a task stands twice")
    for candidate in candidates:
        by_task[candidate.task][candidate.model] = candidate
    for task in tasks:
        by_task[task.name].setdefault(task.present, Candidate(task.name, task.present, None))
    return {task.name: sorted(by_task[task.name].values(), key=_order(task)) for task in tasks}


def _order(task: Task) -> Callable[[Candidate], tuple[bool, Fraction, bool, str]]:
    def key(c: Candidate) -> tuple[bool, Fraction, bool, str]:
        return c.cost is None, c.cost.expected_usd if c.cost else Fraction(0), c.model != task.present, c.model

    return key


def _find(options: Iterable[Candidate], model: str) -> Candidate:
    return next(candidate for candidate in options if candidate.model == model)


def _cheapest_above(options: Iterable[Candidate], floor: _Floor) -> Candidate | None:
    return next((c for c in options if floor.message(c) == "clears the floor"), None)


def _usable(options: Iterable[Candidate]) -> list[Candidate]:
    """The candidates that a plan may use: evidence and a price."""
    return [c for c in options if c.cost is not None and c.evidence.trials > 0]


def _cost(candidate: Candidate) -> Fraction:
    return candidate.cost.expected_usd if candidate.cost else Fraction(0)


def expected_rate(evidence: Evidence) -> Fraction:
    """The expected success rate given the evidence: (k + 1/2) / (n + 1), the mean of Jeffreys' posterior.

    Not k/n, which calls one success in one run certain. (Brown, Cai and DasGupta 2001, Sec. 4.1.2)
    """
    return Fraction(2 * evidence.successes + 1, 2 * evidence.trials + 2)


def _choices(
    tasks: Sequence[Task], options: Mapping[str, list[Candidate]]
) -> tuple[list[Choice], list[list[Candidate]], Fraction]:
    """The tasks that leave a choice: costs, expected successes, candidates; and what the others cost as they are."""
    groups = [(task, _usable(options[task.name])) for task in tasks]
    fixed = [_find(options[task.name], task.present) for task, usable in groups if not usable]
    open_groups = [(task, usable) for task, usable in groups if usable]
    choices = [
        Choice([_cost(c) for c in usable], [task.runs_per_month * expected_rate(c.evidence) for c in usable])
        for task, usable in open_groups
    ]
    return choices, [usable for _, usable in open_groups], sum((_cost(c) for c in fixed), Fraction(0))


def _best_for(
    tasks: Sequence[Task], options: Mapping[str, list[Candidate]], budget: Fraction
) -> tuple[dict[str, Candidate | None], Fraction]:
    choices, groups, fixed = _choices(tasks, options)
    best = best_within(choices, budget - fixed)
    if best is None:
        least = fixed + sum((min(choice.costs) for choice in choices), Fraction(0))
        message = f"{to_usd(budget)} USD a month is too little: the cheapest plan with evidence costs {to_usd(least)}"
        raise InputError(message, key="budget")
    chosen: dict[str, Candidate | None] = dict.fromkeys(options)
    for group, option in zip(groups, best.options, strict=True):
        chosen[group[option].task] = group[option]
    return chosen, best.short_by


def _advice(task: Task, options: Sequence[Candidate], chosen: Candidate | None, floor: _Floor) -> TaskAdvice:
    present = _find(options, task.present)
    final = chosen or present
    known = present.cost is not None and final.cost is not None
    return TaskAdvice(
        task=task.name,
        present=task.present,
        model=final.model,
        advice=_advice_word(task, options, chosen),
        present_usd_per_month=_shown(present),
        usd_per_month=_shown(final),
        saving_usd_per_month=to_usd(_cost(present) - _cost(final)) if known else None,
        considered=[
            Considered(
                model=c.model,
                usd_per_month=_shown(c),
                switch_usd_per_month=_switching(c),
                success=floor.rate(c),
                message=floor.message(c),
            )
            for c in options
        ],
    )


def _advice_word(task: Task, options: Iterable[Candidate], chosen: Candidate | None) -> Advice:
    if chosen is not None:
        return "keep" if chosen.model == task.present else "move"
    evidence = any(candidate.evidence.trials for candidate in options)
    return "no model clears the floor" if evidence else "no evidence"


def _shown(candidate: Candidate) -> Usd | None:
    return None if candidate.cost is None else to_usd(candidate.cost.expected_usd)


def _switching(candidate: Candidate) -> Usd:
    return to_usd(candidate.cost.switch_usd) if candidate.cost else Decimal(0)


def _saving(present: Sequence[Candidate], final: Sequence[Candidate]) -> SavingRange:
    known = [(a, b) for a, b in zip(present, final, strict=True) if a.cost and b.cost]
    before = sum((_cost(a) for a, _ in known), Fraction(0))
    saved = before - sum((_cost(b) for _, b in known), Fraction(0))
    moved = [(a.cost, b.cost) for a, b in known if a.model != b.model and a.cost and b.cost]
    p10, p90, source = _saving_range(moved)
    return SavingRange(
        present_usd=to_usd(before),
        expected_usd=to_usd(saved),
        percent=to_usd(100 * saved / before) if before else None,
        p10_usd=p10,
        p90_usd=p90,
        range_from=source,
    )


def _saving_range(
    moved: Sequence[tuple[MonthlyCost, MonthlyCost]],
) -> tuple[Usd | None, Usd | None, Literal["draws", "p10/p90"] | None]:
    import numpy as np

    pairs = [(a.draws, b.draws) for a, b in moved if a.draws is not None and b.draws is not None]
    if moved and len(pairs) == len(moved):
        totals = sum(np.asarray(a, dtype=float) - np.asarray(b, dtype=float) for a, b in pairs)
        low, high = ends(np.asarray(totals))
        return to_usd(low), to_usd(high), "draws"
    pair_ends = [_ends(a, b) for a, b in moved]
    known = [pair for pair in pair_ends if pair is not None]
    if not moved or len(known) < len(moved):
        return None, None, None
    lows, highs = (sum(end, Fraction(0)) for end in zip(*known, strict=True))
    return to_usd(lows), to_usd(highs), "p10/p90"


def _ends(a: MonthlyCost, b: MonthlyCost) -> tuple[Fraction, Fraction] | None:
    """The saving of one move in its low and its high month, the smaller first: both models see the same runs."""
    if a.p10_usd is None or a.p90_usd is None or b.p10_usd is None or b.p90_usd is None:
        return None
    low, high = a.p10_usd - b.p10_usd, a.p90_usd - b.p90_usd
    return min(low, high), max(low, high)


def _successes(tasks: Sequence[Task], final: Sequence[Candidate]) -> Successes:
    known = [(t.runs_per_month, c.evidence) for t, c in zip(tasks, final, strict=True) if c.evidence.trials]
    expected = sum((runs * expected_rate(evidence) for runs, evidence in known), Fraction(0))
    variance = sum((runs**2 * _rate_variance(evidence) for runs, evidence in known), Fraction(0))
    reach = NormalDist().inv_cdf(0.9) * sqrt(variance)
    runs = sum((runs for runs, _ in known), Fraction(0))
    low, high = max(0.0, float(expected) - reach), min(float(runs), float(expected) + reach)
    return Successes(runs=to_usd(runs), expected=to_usd(expected), p10=to_usd(low), p90=to_usd(high))


def _rate_variance(evidence: Evidence) -> Fraction:
    """The variance of Beta(k + 1/2, n - k + 1/2): μ(1-μ) / (n + 2)."""
    mean = expected_rate(evidence)
    return mean * (1 - mean) / (evidence.trials + 2)


def _front(tasks: Sequence[Task], options: Mapping[str, list[Candidate]]) -> list[FrontPoint]:
    choices, groups, fixed = _choices(tasks, options)
    points = []
    for cost, value, step in front(choices):
        before, after = (groups[step.group][i] for i in (step.before, step.after)) if step else (None, None)
        points.append(
            FrontPoint(
                usd_per_month=to_usd(fixed + cost),
                expected_successes=to_usd(value),
                task=after.task if after else None,
                before=before.model if before else None,
                after=after.model if after else None,
                usd_per_success=to_usd(1 / step.slope) if step else None,
            )
        )
    return points


def candidates_from(
    tasks: Iterable[Task],
    models: Sequence[str],
    costs: Mapping[TaskModel, MonthlyCost],
    evidence: Mapping[TaskModel, Evidence],
) -> list[Candidate]:
    """Every task on every model, with what is known of it: its cost (none: unpriced) and its evidence."""
    return [
        Candidate(task.name, model, costs.get((task.name, model)), evidence.get((task.name, model), NOTHING))
        for task in tasks
        for model in dict.fromkeys([task.present, *models])
    ]
