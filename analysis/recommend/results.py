"""What `costsim recommend` computes: the typed result, and the contract of its JSON."""

from __future__ import annotations

from datetime import date
from typing import Literal

from ..outcomes.outcomes import SuccessRate
from ..replay.move_sets import SharedBy
from ..replay.results import Move, ReplayRow
from ..result import Result, Usd

Says = Literal["clears the floor", "below the floor", "no evidence", "unpriced"]


Advice = Literal["move", "keep", "no model clears the floor", "no evidence"]


class Considered(Result):
    """A model looked at for a task, cheapest first; `usd_per_month` is null where it has no price.

    `switch_usd_per_month` of it is for cached prefixes that are written again, where the task alone moves and the log
    shows it to share its sessions with other tasks.
    """

    model: str
    usd_per_month: Usd | None
    switch_usd_per_month: Usd
    success: SuccessRate
    message: Says


class LoggedMoves(Result):
    """All recommended moves over the logged calls from `since` to `until`, replayed once, as one set.

    `total` is what `costsim replay` says of that set: call by call with its `switch_usd`, whole sessions without, and
    from how many turns on a switch pays; `moves` the same by pair of models. Moved one by one, the same tasks would
    write again for `alone_switch_usd` in sum. `shared_by` is how the set's switches are split among the tasks:
    "shapley" (the mean over all orders), "in order" of the tasks (each added to those before it: more than four moves),
    "alone" where one task only shares its sessions, "nothing" where the set writes nothing again.
    """

    since: date | None
    until: date | None
    total: ReplayRow
    moves: list[Move]
    alone_switch_usd: Usd
    shared_by: SharedBy
    cache_effects: Literal["counted", "partly counted", "not counted"]


class TaskAdvice(Result):
    """What to do with a task. `model` is the recommended one: the present one unless `advice` is "move".

    `usd_per_month` is within the whole recommended set: `switch_usd_per_month` of it is its part of the cached prefixes
    that the set writes again (LoggedMoves), so that the tasks add up. `saving_usd_per_month` is what the move saves
    (negative where it costs); null where a cost is not known. `id` names the decision to move, for `costsim decide`;
    empty where nothing moves.
    """

    task: str
    present: str
    model: str
    advice: Advice
    present_usd_per_month: Usd | None
    usd_per_month: Usd | None
    switch_usd_per_month: Usd
    saving_usd_per_month: Usd | None
    considered: list[Considered]
    id: str = ""


class SavingRange(Result):
    """The expected saving of the whole routing against the present one, per month, and its P10 and P90.

    From "draws": quantiles of the paired difference. From "p10/p90": as if all moved tasks had their cheap
    month together, and their high one: wider than the truth. Null where neither was given. Tasks whose cost
    is not known are in none of these figures.
    """

    present_usd: Usd
    expected_usd: Usd
    percent: Usd | None
    p10_usd: Usd | None
    p90_usd: Usd | None
    range_from: Literal["draws", "p10/p90"] | None


class Successes(Result):
    """Expected successes per month over the tasks with evidence, with P10 and P90 of what the evidence leaves open.

    A rate's distribution is Jeffreys' Beta(k + 1/2, n - k + 1/2); the tasks' evidence is independent, so
    the sum is taken as normal.
    """

    runs: Usd
    expected: Usd
    p10: Usd
    p90: Usd


class FrontPoint(Result):
    """A whole plan on the cost-quality front; `task` moves from the model `before` to `after` to reach it.

    `usd_per_success` is what each further success costs there; null at the cheapest plan, where nothing
    moved.
    """

    usd_per_month: Usd
    expected_successes: Usd
    task: str | None
    before: str | None
    after: str | None
    usd_per_success: Usd | None


class Recommendation(Result):
    """What `costsim recommend` computes. `changes` is the new routing where it differs from the present one.

    `could_gain_successes` is 0 where the plan is proved the best for the budget; else no plan gains more
    than that. `usd_per_month` prices the recommended moves together: `switch_usd_per_month` of it is for cached
    prefixes that the set writes again. `front` is the convex hull of all plans over the models with evidence, from the
    cheapest to the best, each task priced as moved alone.
    """

    min_success: float
    confidence: float
    budget_usd: Usd | None
    tasks: list[TaskAdvice]
    changes: dict[str, str]
    usd_per_month: Usd
    switch_usd_per_month: Usd
    saving: SavingRange
    successes: Successes
    present_successes: Successes
    could_gain_successes: Usd
    front: list[FrontPoint]
