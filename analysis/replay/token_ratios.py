"""How many tokens another model would have counted and answered: measured where both served the same task.

For a model A and its work as A's calls have it, with n calls of A in task t of a component and means m per call:

    ratio(A to B) = sum over t of n(A, t) m(B, t)  /  sum over t of n(A, t) m(A, t)

over the components' tasks that both served (direct standardisation: work of one model only, and how the work is mixed,
do not enter; two components differ in their prompts, whatever the task is called). One ratio is of the prompt (input
and cached classes together: tokenizer and prompts), one of the output (tokenizer and verbosity). What the logs leave
open is drawn by a bootstrap over days, the same resampled days for every pair, so that the ranges of sums are right too
(Efron and Tibshirani 1993, ch. 6 and 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from ...money import to_usd
from ...tokens import OUTPUT_SUM, PROMPT_SUM
from ..quantiles import ends
from ..result import Result, Usd

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

Pair = tuple[str, str]
Work = tuple[str, str]
"""A component and its task."""
LABELS = ("component", "task", "name")

RESAMPLES = 1000
MIN_DAYS = 7
"""Fewer days than a week say too little of how days vary."""
PLACES = Decimal("0.000001")

EVIDENCE = f"""
SELECT
    component,
    usage_daily.task,
    alias.provider || '/' || alias.model AS name,
    day,
    sum(request)::BIGINT AS calls,
    sum({PROMPT_SUM})::BIGINT AS prompt,
    sum({OUTPUT_SUM})::BIGINT AS output
FROM usage_daily
JOIN model_alias AS alias
    ON alias.provider_ref IS NOT DISTINCT FROM usage_daily.provider AND alias.model_ref = usage_daily.model
WHERE status = 'ok' AND usage_daily.task <> '' AND list_contains($names, alias.provider || '/' || alias.model)
GROUP BY ALL
HAVING sum(request) > 0
"""  # noqa: S608 (token classes)
"""A failed call says nothing of how long an answer is; all days of the store count, not only the replayed ones."""
LOGGED = "SELECT DISTINCT provider || '/' || model FROM model_alias WHERE provider IS NOT NULL"


class TokenRatio(Result):
    """What a call's tokens are multiplied by, and why.

    `low` and `high` are P10 and P90 of what the evidence leaves open, `standard_error` that of the bootstrap. The
    evidence: `days` on which both models' calls of `tasks` were logged at least once each, `calls` of the model
    and of the other one. A multiplier that was not measured is 1, exactly.
    """

    basis: Literal["same model", "measured", "as logged", "no evidence"]
    prompt: Usd = Decimal(1)
    prompt_low: Usd = Decimal(1)
    prompt_high: Usd = Decimal(1)
    prompt_standard_error: float = 0.0
    output: Usd = Decimal(1)
    output_low: Usd = Decimal(1)
    output_high: Usd = Decimal(1)
    output_standard_error: float = 0.0
    tasks: tuple[str, ...] = ()
    days: int = 0
    calls: int = 0
    other_calls: int = 0


@dataclass(frozen=True)
class Draws:
    """Resampled multipliers of one pair, (RESAMPLES,) each; resample i is of the same days for every pair."""

    prompt: NDArray[Any]
    output: NDArray[Any]


def measure_multipliers(
    connection: DuckDBPyConnection, pairs: Iterable[Pair], *, as_logged: bool
) -> tuple[dict[Pair, TokenRatio], dict[Pair, Draws]]:
    """The multipliers of every (model, other model), and the draws of the measured ones.

    Needs `model_alias`, of all models that the rollup has.
    """
    wanted = sorted(pairs)
    known: dict[Pair, TokenRatio] = {
        pair: TokenRatio(basis="same model" if pair[0] == pair[1] else "as logged")
        for pair in wanted
        if as_logged or pair[0] == pair[1]
    }
    moved = [pair for pair in wanted if pair not in known]
    draws: dict[Pair, Draws] = {}
    logged = {name for (name,) in connection.execute(LOGGED).fetchall()} if moved else set()
    both = [pair for pair in moved if pair[1] in logged]
    log = _Log.read(connection, sorted({name for pair in both for name in pair})) if both else None
    for pair in moved:
        known[pair], drawn = log.measure(*pair) if log else (TokenRatio(basis="no evidence"), None)
        if drawn:
            draws[pair] = drawn
    return known, draws


@dataclass(frozen=True)
class _Log:
    """Each (component and task, model)'s sums: by day, (days, 3), and of whole resamples of days, (1 + RESAMPLES, 3).

    The three are calls, prompt tokens and output tokens; the first resample is the log as it is.
    """

    by_day: Mapping[tuple[Work, str], NDArray[Any]]
    resampled: Mapping[tuple[Work, str], NDArray[Any]]

    @classmethod
    def read(cls, connection: DuckDBPyConnection, names: list[str]) -> _Log | None:
        import numpy as np

        found = connection.execute(EVIDENCE, {"names": names}).fetchnumpy()
        days, day_of = np.unique(found["day"], return_inverse=True)
        if len(days) < MIN_DAYS:
            return None
        labels = [((part, task), name) for part, task, name in zip(*(found[k] for k in LABELS), strict=True)]
        keys = {key: index for index, key in enumerate(dict.fromkeys(labels))}
        sums = np.zeros((len(keys), len(days), 3))
        places = np.fromiter((keys[label] for label in labels), dtype=np.int64, count=len(labels))
        for column, name in enumerate(("calls", "prompt", "output")):
            sums[places, day_of, column] = found[name]
        rng = np.random.Generator(np.random.PCG64(1))  # one seed: the same store gives the same range
        drawn = rng.multinomial(len(days), np.full(len(days), 1 / len(days)), RESAMPLES)
        weights = np.vstack([np.ones(len(days)), drawn])
        resampled = np.tensordot(weights, sums, axes=(1, 1))
        return cls(
            {key: sums[index] for key, index in keys.items()},
            {key: resampled[:, index] for key, index in keys.items()},
        )

    def measure(self, model: str, other: str) -> tuple[TokenRatio, Draws | None]:
        works = sorted({work for work, name in self.by_day if name == model and (work, other) in self.by_day})
        tasks = tuple(sorted({task for _, task in works}))
        days = min(self._days(works, model), self._days(works, other))
        if days < MIN_DAYS:
            return TokenRatio(basis="no evidence", tasks=tasks, days=days), None
        prompt, output = (self._ratio(works, model, other, measure) for measure in (1, 2))
        found = TokenRatio(
            basis="measured",
            **_figures("prompt", float(prompt[0]), prompt[1:]),
            **_figures("output", float(output[0]), output[1:]),
            tasks=tasks,
            days=days,
            calls=int(sum(self.resampled[work, model][0, 0] for work in works)),
            other_calls=int(sum(self.resampled[work, other][0, 0] for work in works)),
        )
        return found, Draws(prompt[1:], output[1:])

    def _days(self, works: list[Work], model: str) -> int:
        """The days on which the model had calls of any of that work."""
        import numpy as np

        return int(np.count_nonzero(sum(self.by_day[work, model][:, 0] for work in works))) if works else 0

    def _ratio(self, works: list[Work], model: str, other: str, measure: int) -> NDArray[Any]:
        """The ratio in every resample, (1 + RESAMPLES,); of the work that both models have in it."""
        import numpy as np

        above, below = np.zeros(1 + RESAMPLES), np.zeros(1 + RESAMPLES)
        for work in works:
            my, their = self.resampled[work, model], self.resampled[work, other]
            both = (my[:, 0] > 0) & (their[:, 0] > 0)
            mean = np.divide(their[:, measure], their[:, 0], out=np.zeros(len(both)), where=both)
            above += np.where(both, my[:, 0] * mean, 0)
            below += np.where(both, my[:, measure], 0)
        point = above[0] / below[0] if below[0] else 1.0
        ratios: NDArray[Any] = np.divide(above, below, out=np.full(len(below), point), where=below > 0)
        return ratios


def _figures(name: str, point: float, drawn: NDArray[Any]) -> dict[str, Any]:
    """The fields of one multiplier, rounded: what is shown is what is multiplied by."""
    low, high = ends(drawn)
    return {
        name: to_usd(Decimal(point).quantize(PLACES)),
        f"{name}_low": to_usd(Decimal(min(low, point)).quantize(PLACES)),
        f"{name}_high": to_usd(Decimal(max(high, point)).quantize(PLACES)),
        f"{name}_standard_error": float(drawn.std(ddof=1)),
    }
