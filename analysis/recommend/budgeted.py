"""The most expected successes for a budget, with the caches that moves share: whole sets within it, priced together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from ...errors import InputError
from ...money import to_usd
from ..outcomes.outcomes import Evidence
from .allocation import Choice, best_within
from .candidates import Candidate, Task
from .sets import Chosen, changes_of, cheapest_set
from .switching import Caches

Options = Mapping[str, Sequence[Candidate]]


def together(tasks: Sequence[Task], plain: Options, chosen: Chosen, caches: Caches) -> list[Candidate]:
    """What each task ends on, with its part of what the whole set writes again."""
    shares = caches.together(changes_of(tasks, chosen))
    final = [find(plain[task.name], found.model if (found := chosen[task.name]) else task.present) for task in tasks]
    return [c.switched(shares.get(c.task, Fraction(0))) for c in final]


def find(options: Iterable[Candidate], model: str) -> Candidate:
    """The candidate of that model."""
    return next(candidate for candidate in options if candidate.model == model)


def _is_usable(candidate: Candidate) -> bool:
    """Whether a plan may use it: evidence and a price."""
    return candidate.cost is not None and candidate.evidence.trials > 0


def expected_rate(evidence: Evidence) -> Fraction:
    """The expected success rate given the evidence: (k + 1/2) / (n + 1), the mean of Jeffreys' posterior.

    Not k/n, which calls one success in one run certain. (Brown, Cai and DasGupta 2001, Sec. 4.1.2)
    """
    return Fraction(2 * evidence.successes + 1, 2 * evidence.trials + 2)


def choices_of(tasks: Sequence[Task], options: Options) -> tuple[list[Choice], list[list[Candidate]], Fraction]:
    """The tasks that leave a choice: costs, expected successes, candidates; and what the others cost as they are."""
    groups = [(task, [c for c in options[task.name] if _is_usable(c)]) for task in tasks]
    fixed = [find(options[task.name], task.present) for task, usable in groups if not usable]
    open_groups = [(task, usable) for task, usable in groups if usable]
    choices = [
        Choice([c.usd for c in usable], [task.runs_per_month * expected_rate(c.evidence) for c in usable])
        for task, usable in open_groups
    ]
    return choices, [usable for _, usable in open_groups], sum((c.usd for c in fixed), Fraction(0))


def best_for_budget(
    tasks: Sequence[Task], plain: Options, options: Options, budget: Fraction, caches: Caches
) -> tuple[Chosen, Fraction]:
    """The best plan of those that fit, moves priced together; and by how many successes another may be better at most.

    `plain` are the candidates with caches as logged: no plan costs less than at these prices, so none is worth more
    than the best of them. `options` are priced as moved alone. Raises InputError where no plan tried fits.
    """
    bound = _within(tasks, plain, budget)
    if not caches.shared and bound:
        return bound
    tried = list(_tried(tasks, plain, options, budget, caches))
    costs = [sum((c.usd for c in together(tasks, plain, chosen, caches)), Fraction(0)) for chosen in tried]
    fitting = [chosen for chosen, cost in zip(tried, costs, strict=True) if cost <= budget]
    if not bound or not fitting:
        message = (
            f"{to_usd(budget)} USD a month is too little: the cheapest plan with evidence costs {to_usd(min(costs))}"
        )
        raise InputError(message, key="budget")
    best = max(fitting, key=lambda chosen: _worth(tasks, chosen))
    return best, _worth(tasks, bound[0]) + bound[1] - _worth(tasks, best)


def _tried(
    tasks: Sequence[Task], plain: Options, options: Options, budget: Fraction, caches: Caches
) -> Iterator[Chosen]:
    """Plans, the best first where they fit: by plain prices, as moved alone, and the cheapest set of all."""
    for priced in (plain, options):
        if found := _within(tasks, priced, budget):
            yield found[0]
    yield cheapest_set(tasks, plain, caches, _is_usable)


def _within(tasks: Sequence[Task], options: Options, budget: Fraction) -> tuple[Chosen, Fraction] | None:
    choices, groups, fixed = choices_of(tasks, options)
    best = best_within(choices, budget - fixed)
    if best is None:
        return None
    chosen: Chosen = dict.fromkeys(options)
    for group, option in zip(groups, best.options, strict=True):
        chosen[group[option].task] = group[option]
    return chosen, best.short_by


def _worth(tasks: Sequence[Task], chosen: Chosen) -> Fraction:
    """Expected successes per month."""
    final = ((task.runs_per_month, chosen[task.name]) for task in tasks)
    return sum((runs * expected_rate(c.evidence) for runs, c in final if c), Fraction(0))
