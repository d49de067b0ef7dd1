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

from ...money import to_usd
from ..outcomes.outcomes import Evidence, SuccessRate, success_rate
from ..quantiles import ends
from ..result import Usd
from .allocation import front
from .budgeted import best_for_budget, choices_of, expected_rate, find, together
from .candidates import Candidate, MonthlyCost, Task
from .results import Advice, Considered, FrontPoint, Recommendation, SavingRange, Says, Successes, TaskAdvice
from .sets import cheapest_set
from .switching import NO_CACHES, Caches


def recommend(
    tasks: Sequence[Task],
    candidates: Iterable[Candidate],
    *,
    min_success: float = 0.95,
    budget_usd: Decimal | Fraction | None = None,
    confidence: float = 0.95,
    caches: Caches = NO_CACHES,
) -> Recommendation:
    """The routing to change to, with its evidence, its saving, and the front of what else could be had.

    Without a budget: for each task the cheapest model whose Wilson interval (two-sided, `confidence`) lies
    above `min_success`; the present one where none does. With a budget (USD per month): the most expected
    successes that it buys, over models with evidence; the floor is then reported, not demanded. Ties go to
    the cheaper model, then to the present one. Raises InputError where the budget is below the cheapest
    plan.

    The costs of `candidates` are with their caches as logged. What moves write again (`caches`) is in the cost of each
    one considered as if it moved alone, and in what is recommended as the whole set writes it.
    """
    plain, floor = _options(tasks, candidates), _Floor(min_success, confidence)
    options = {task.name: _moved_alone(task, plain[task.name], caches) for task in tasks}
    if budget_usd is None:
        could_gain = Fraction(0)
        chosen = cheapest_set(tasks, plain, caches, lambda c: floor.message(c) == "clears the floor")
    else:
        chosen, could_gain = best_for_budget(tasks, plain, options, Fraction(budget_usd), caches)
    final = together(tasks, plain, chosen, caches)
    present = [find(options[task.name], task.present) for task in tasks]
    advice = [
        _advice(task, options[task.name], chosen[task.name], now, then, floor)
        for task, now, then in zip(tasks, present, final, strict=True)
    ]
    return Recommendation(
        min_success=min_success,
        confidence=confidence,
        budget_usd=None if budget_usd is None else to_usd(budget_usd),
        tasks=advice,
        changes={row.task: row.model for row in advice if row.advice == "move"},
        usd_per_month=to_usd(sum((c.usd for c in final), Fraction(0))),
        switch_usd_per_month=to_usd(sum((c.cost.switch_usd for c in final if c.cost), Fraction(0))),
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


def _moved_alone(task: Task, plain: Iterable[Candidate], caches: Caches) -> list[Candidate]:
    moved = [c.switched(caches.alone.get((task.name, c.model), Fraction(0))) for c in plain]
    return sorted(moved, key=_order(task))


def _advice(
    task: Task,
    options: Sequence[Candidate],
    chosen: Candidate | None,
    present: Candidate,
    final: Candidate,
    floor: _Floor,
) -> TaskAdvice:
    known = present.cost is not None and final.cost is not None
    return TaskAdvice(
        task=task.name,
        present=task.present,
        model=final.model,
        advice=_advice_word(task, options, chosen),
        present_usd_per_month=_shown(present),
        usd_per_month=_shown(final),
        switch_usd_per_month=_switching(final),
        saving_usd_per_month=to_usd(present.usd - final.usd) if known else None,
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
    before = sum((a.usd for a, _ in known), Fraction(0))
    saved = before - sum((b.usd for _, b in known), Fraction(0))
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
    choices, groups, fixed = choices_of(tasks, options)
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
