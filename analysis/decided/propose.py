"""Proposals of a review and of `costsim recommend` as they are recorded where they are accepted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from ...money import to_usd
from .results import DecisionRecord, RoutingChange

if TYPE_CHECKING:
    from ..recommend.task_costs import RoutingAdvice
    from ..review.results import Decision, Review

ADVICE_DAYS = 30


def proposed_by_review(review: Review, on: date) -> list[DecisionRecord]:
    """What the review leaves to decide, accepted on a day; a promise only where it changes the routing."""
    return [_of_review(decision, review.month, on) for decision in review.decisions]


def _of_review(decision: Decision, month: str, on: date) -> DecisionRecord:
    promises = decision.change is not None
    return DecisionRecord(
        id=decision.id, decision="accepted", on=on, month=month, what=decision.message,
        promised_usd_per_month=decision.worth_usd if promises else None,
        low_usd_per_month=decision.low_usd if promises else None,
        high_usd_per_month=decision.high_usd if promises else None,
        change=decision.change,
    )  # fmt: skip


def proposed_by_advice(found: RoutingAdvice, on: date) -> list[DecisionRecord]:
    """The moves of a recommendation. It promises for 30 days; recorded is the promise for a month like the last one.

    The promise of a whole routing has a range, that of one task has none.
    """
    return list(_of_advice(found, on.replace(day=1) - timedelta(days=1), on))


def _of_advice(found: RoutingAdvice, last: date, on: date) -> Iterator[DecisionRecord]:
    month = f"{last:%Y-%m}"
    for task in found.recommendation.tasks:
        if task.id:
            usd = task.saving_usd_per_month
            yield DecisionRecord(
                id=task.id, decision="accepted", on=on, month=month,
                what=f"Move {task.task} from {task.present} to {task.model}",
                promised_usd_per_month=None if usd is None else to_usd(usd * last.day / ADVICE_DAYS),
                change=RoutingChange(task=task.task, from_model=task.present, to_model=task.model),
            )  # fmt: skip
