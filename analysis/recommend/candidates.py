"""What a recommendation chooses among: tasks, models for them, and what a task costs on a model in a month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from ..outcomes.outcomes import Evidence, TaskModel

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

    def switched(self, share: Fraction) -> MonthlyCost:
        """With prefixes that are written again for `share` of this cost, which has none of them yet."""
        if not share:
            return self
        usd, factor = self.expected_usd, 1 + share
        p10, p90 = (None if end is None else end * factor for end in (self.p10_usd, self.p90_usd))
        draws = None if self.draws is None else [drawn * float(factor) for drawn in self.draws]
        return MonthlyCost(usd * factor, p10, p90, draws, usd * share)


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

    @property
    def usd(self) -> Fraction:
        """The expected cost; 0 where the model has no price."""
        return self.cost.expected_usd if self.cost else Fraction(0)

    def switched(self, share: Fraction) -> Candidate:
        """As MonthlyCost.switched."""
        return replace(self, cost=self.cost.switched(share)) if self.cost and share else self


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
