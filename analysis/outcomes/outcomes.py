"""Track model performance: how often a model solves a task, whether that changed, what a solved task costs.

Counting is SQL's (`store`); here are only the statistics on the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from heapq import nsmallest
from typing import Literal, NamedTuple

from ...money import to_usd
from ..result import Result, Usd
from .proportions import fisher_exact, holm, wilson
from .store import OutcomeCount

Verdict = Literal["now handles it", "improved", "no longer handles it", "declined", "no change shown", "no evidence"]
TaskModel = tuple[str, str]


class SuccessRate(Result):
    """Successes in trials, with the Wilson score interval; `rate` is null without trials."""

    trials: int
    successes: int
    rate: float | None
    low: float
    high: float


class ModelOutcome(Result):
    """One task on one model, or on all models together (`model` null).

    `paid_usd` is all that its runs cost, failures and retries included, and `usd_per_solved` is that over the
    solved runs; both null where a run's cost is not known, the latter also where nothing was solved.
    `human_score` is the mean of the scores that people gave.
    """

    task: str
    model: str | None
    success: SuccessRate
    solved: int
    escalation_rate: float
    paid_usd: Usd | None
    usd_per_solved: Usd | None
    human_score: float | None


class OutcomeChange(Result):
    """One task on one model, a month against the month before.

    `p_value` is Fisher's exact test of "no change", `p_adjusted` Holm's adjustment for all the tests of the
    report; both null without runs in both months. `used_to_need` is the other model that ran the task most
    often before; `share_before` and `share_after` are this model's share of the task's runs.
    """

    task: str
    model: str
    before: SuccessRate
    after: SuccessRate
    p_value: float | None
    p_adjusted: float | None
    verdict: Verdict
    used_to_need: str | None
    share_before: float | None
    share_after: float | None


class OutcomeReport(Result):
    """What the outcomes show. `changes` compares the last two months with outcomes; empty with only one."""

    confidence: float
    min_success: float
    alpha: float
    month_before: date | None
    month_after: date | None
    models: list[ModelOutcome]
    tasks: list[ModelOutcome]
    changes: list[OutcomeChange]


@dataclass(frozen=True)
class Criteria:
    """When a finding counts: the intervals' confidence, the floor of success, the chance of a false alarm."""

    confidence: float = 0.95
    min_success: float = 0.95
    alpha: float = 0.05


@dataclass(frozen=True)
class Evidence:
    """What is known of a task on a model: runs that it solved by itself, of all its runs."""

    successes: int
    trials: int


def report_outcomes(
    counts: Sequence[OutcomeCount],
    paid_usd: Mapping[TaskModel, Fraction] | None = None,
    criteria: Criteria | None = None,
) -> OutcomeReport:
    """Success, cost per solved task and month-on-month changes of `counts`.

    `paid_usd` by (task, model), where costs are priced elsewhere, overrides the outcomes' own cost. A model
    "now handles" a task when its rise is significant (adjusted for all tests) and the low end of its
    interval has reached `criteria.min_success`.
    """
    criteria = criteria or Criteria()
    paid = dict(paid_usd or {})
    months = sorted({count.month for count in counts})
    before, after = (months[-2], months[-1]) if len(months) > 1 else (None, None)
    by_model, by_task = _grouped(counts, by_model=True), _grouped(counts, by_model=False)
    return OutcomeReport(
        confidence=criteria.confidence,
        min_success=criteria.min_success,
        alpha=criteria.alpha,
        month_before=before,
        month_after=after,
        models=[_model_outcome(*key, group, paid, criteria) for key, group in by_model.items()],
        tasks=[_model_outcome(task, None, group, paid, criteria) for (task, _), group in by_task.items()],
        changes=compare_months(counts, before, after, criteria) if before and after else [],
    )


def evidence_of(counts: Iterable[OutcomeCount]) -> dict[TaskModel, Evidence]:
    """The evidence for every task and model that ran."""
    return {
        key: Evidence(sum(c.successes for c in group), sum(c.trials for c in group))
        for key, group in _grouped(counts, by_model=True).items()
    }


def success_rate(successes: int, trials: int, confidence: float = 0.95) -> SuccessRate:
    """`successes` in `trials` with the Wilson score interval."""
    low, high = wilson(successes, trials, confidence)
    rate = successes / trials if trials else None
    return SuccessRate(trials=trials, successes=successes, rate=rate, low=low, high=high)


def _grouped(counts: Iterable[OutcomeCount], *, by_model: bool) -> dict[TaskModel, list[OutcomeCount]]:
    groups: dict[TaskModel, list[OutcomeCount]] = {}
    for count in sorted(counts, key=lambda c: (c.task, c.model, c.month)):
        groups.setdefault((count.task, count.model if by_model else ""), []).append(count)
    return groups


def _model_outcome(
    task: str,
    model: str | None,
    counts: list[OutcomeCount],
    paid: dict[TaskModel, Fraction],
    criteria: Criteria,
) -> ModelOutcome:
    trials, solved = sum(c.trials for c in counts), sum(c.solved for c in counts)
    scores = sum(c.human_scores for c in counts)
    total = _paid(counts, paid)
    return ModelOutcome(
        task=task,
        model=model,
        success=success_rate(sum(c.successes for c in counts), trials, criteria.confidence),
        solved=solved,
        escalation_rate=sum(c.escalated for c in counts) / trials,
        paid_usd=None if total is None else to_usd(total),
        usd_per_solved=None if total is None or not solved else to_usd(total / solved),
        human_score=sum(c.human_score_sum for c in counts) / scores if scores else None,
    )


def _paid(counts: list[OutcomeCount], paid: dict[TaskModel, Fraction]) -> Fraction | None:
    """What all the runs cost; None where a run's cost is not known: a part of a cost is not the cost."""
    keys = {(c.task, c.model) for c in counts}
    own = [c for c in counts if (c.task, c.model) not in paid]
    if any(c.priced < c.trials for c in own):
        return None
    return sum((c.usd for c in own), Fraction(0)) + sum((paid[key] for key in keys & paid.keys()), Fraction(0))


def compare_months(
    counts: Sequence[OutcomeCount], before: date, after: date, criteria: Criteria
) -> list[OutcomeChange]:
    """Every task and model that ran in the month `before` or `after` (first days), the one against the other.

    Did Haiku start handling tasks that Sonnet used to need? Two proportions, compared by Fisher's exact
    test, since a month has few failures; many tasks at once, so Holm's adjustment keeps one lucky month
    from being news.
    """
    month = {(c.task, c.model, c.month): c for c in counts if c.month in (before, after)}
    keys = sorted({(task, model) for task, model, _ in month})
    rates = {
        key: (_rate(month.get((*key, before)), criteria), _rate(month.get((*key, after)), criteria)) for key in keys
    }
    tested = [key for key in keys if all(rate.trials for rate in rates[key])]
    p_values = [_p_value(*rates[key]) for key in tested]
    p_of = dict(zip(tested, zip(p_values, holm(p_values), strict=True), strict=True))
    runs = _runs_by_model(month.values())
    return [
        _change(
            key,
            rates[key],
            p_of.get(key),
            (runs.get((key[0], before), NO_RUNS), runs.get((key[0], after), NO_RUNS)),
            criteria,
        )
        for key in keys
    ]


def _rate(count: OutcomeCount | None, criteria: Criteria) -> SuccessRate:
    return success_rate(count.successes if count else 0, count.trials if count else 0, criteria.confidence)


def _p_value(before: SuccessRate, after: SuccessRate) -> float:
    return fisher_exact(after.successes, after.trials, before.successes, before.trials)


class _Runs(NamedTuple):
    """A task's runs of a month by model, all of them, and the two models that had the most."""

    by_model: Mapping[str, int]
    total: int
    most: Sequence[str]

    def share(self, model: str) -> float | None:
        """The model's part; None where nothing ran."""
        return self.by_model.get(model, 0) / self.total if self.by_model else None

    def most_but(self, model: str) -> str | None:
        """The model, other than this, that had the most."""
        return next((name for name in self.most if name != model), None)


NO_RUNS = _Runs({}, 0, ())


def _runs_by_model(counts: Iterable[OutcomeCount]) -> dict[tuple[str, date], _Runs]:
    runs: dict[tuple[str, date], dict[str, int]] = {}
    for count in counts:
        runs.setdefault((count.task, count.month), {})[count.model] = count.trials
    return {
        key: _Runs(models, sum(models.values()), nsmallest(2, models, key=lambda name: (-models[name], name)))
        for key, models in runs.items()
    }


def _change(
    key: TaskModel,
    rates: tuple[SuccessRate, SuccessRate],
    p: tuple[float, float] | None,
    runs: tuple[_Runs, _Runs],
    criteria: Criteria,
) -> OutcomeChange:
    """A row of the comparison; `rates` and the task's `runs` by model are of the months before and after."""
    task, model = key
    return OutcomeChange(
        task=task,
        model=model,
        before=rates[0],
        after=rates[1],
        p_value=p[0] if p else None,
        p_adjusted=p[1] if p else None,
        verdict=_verdict(*rates, p[1] if p else None, criteria),
        used_to_need=runs[0].most_but(model),
        share_before=runs[0].share(model),
        share_after=runs[1].share(model),
    )


def _verdict(before: SuccessRate, after: SuccessRate, p_adjusted: float | None, criteria: Criteria) -> Verdict:
    if p_adjusted is None or before.rate is None or after.rate is None:
        return "no evidence"
    if p_adjusted >= criteria.alpha:
        return "no change shown"
    floor = criteria.min_success
    if after.rate > before.rate:
        return "now handles it" if after.low >= floor > before.low else "improved"
    return "no longer handles it" if before.low >= floor > after.low else "declined"
