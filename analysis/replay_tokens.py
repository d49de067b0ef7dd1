"""How many tokens another model would have counted and answered: measured where both served the same task.

For a model A and a task mix as A's calls have it, with n calls of A in task t and means m per call:

    ratio(A to B) = sum over t of n(A, t) m(B, t)  /  sum over t of n(A, t) m(A, t)

over the tasks that both served (direct standardisation: tasks of one model only, and how the tasks are mixed, do
not enter). One ratio is of the prompt (input and cached classes together: tokenizer and prompts), one of the
output (tokenizer and verbosity). What the logs leave open is drawn by a bootstrap over days, the same resampled
days for every pair, so that the ranges of sums are right too (Efron and Tibshirani 1993, ch. 6 and 8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from .results import Result, Usd, usd

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

Pair = tuple[str, str]

RESAMPLES = 1000
MIN_DAYS = 7
"""Fewer days than a week say too little of how days vary."""
PLACES = Decimal("0.000001")

EVIDENCE = """
SELECT
    usage_daily.task,
    alias.provider || '/' || alias.model AS name,
    day,
    sum(request)::BIGINT AS calls,
    sum(input + cache_read + cache_write_5m + cache_write_1h)::BIGINT AS prompt,
    sum(output)::BIGINT AS output
FROM usage_daily
JOIN model_alias AS alias
    ON alias.provider_ref IS NOT DISTINCT FROM usage_daily.provider AND alias.model_ref = usage_daily.model
WHERE status = 'ok' AND usage_daily.task <> '' AND list_contains($names, alias.provider || '/' || alias.model)
GROUP BY ALL
HAVING sum(request) > 0
"""
"""A failed call says nothing of how long an answer is; all days of the store count, not only the replayed ones."""
LOGGED = "SELECT DISTINCT provider || '/' || model FROM model_alias WHERE provider IS NOT NULL"


class Multiplier(Result):
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
) -> tuple[dict[Pair, Multiplier], dict[Pair, Draws]]:
    """The multipliers of every (model, other model), and the draws of the measured ones.

    Needs `model_alias`, of all models that the rollup has.
    """
    wanted = sorted(pairs)
    known: dict[Pair, Multiplier] = {
        pair: Multiplier(basis="same model" if pair[0] == pair[1] else "as logged")
        for pair in wanted
        if as_logged or pair[0] == pair[1]
    }
    moved = [pair for pair in wanted if pair not in known]
    draws: dict[Pair, Draws] = {}
    logged = {name for (name,) in connection.execute(LOGGED).fetchall()} if moved else set()
    both = [pair for pair in moved if pair[1] in logged]
    log = _Log.read(connection, sorted({name for pair in both for name in pair})) if both else None
    for pair in moved:
        known[pair], drawn = log.measure(*pair) if log else (Multiplier(basis="no evidence"), None)
        if drawn:
            draws[pair] = drawn
    return known, draws


@dataclass(frozen=True)
class _Log:
    """Sums by day, (days, 3) for each (task, model): calls, prompt tokens, output tokens; and resampled days."""

    days: int
    sums: Mapping[tuple[str, str], NDArray[Any]]
    weights: NDArray[Any]

    @classmethod
    def read(cls, connection: DuckDBPyConnection, names: list[str]) -> _Log | None:
        import numpy as np

        rows = connection.execute(EVIDENCE, {"names": names}).fetchall()
        days = {day: index for index, day in enumerate(sorted({row[2] for row in rows}))}
        if len(days) < MIN_DAYS:
            return None
        sums: dict[tuple[str, str], NDArray[Any]] = {}
        for task, name, day, *counts in rows:
            sums.setdefault((task, name), np.zeros((len(days), 3)))[days[day]] = counts
        rng = np.random.Generator(np.random.PCG64(1))  # one seed: the same store gives the same range
        weights = rng.multinomial(len(days), np.full(len(days), 1 / len(days)), RESAMPLES).astype(float)
        return cls(len(days), sums, weights)

    def measure(self, model: str, other: str) -> tuple[Multiplier, Draws | None]:
        import numpy as np

        tasks = sorted({task for task, name in self.sums if name == model and (task, other) in self.sums})
        own, others = ([self.sums[task, name] for task in tasks] for name in (model, other))
        days = min((_days(parts) for parts in (own, others)), default=0)
        if days < MIN_DAYS:
            return Multiplier(basis="no evidence", tasks=tuple(tasks), days=days), None
        whole = np.ones((1, self.days))
        point = [_ratio(whole, own, others, measure, 1.0)[0] for measure in (1, 2)]
        prompt, output = (_ratio(self.weights, own, others, measure, point[measure - 1]) for measure in (1, 2))
        found = Multiplier(
            basis="measured",
            **_figures("prompt", point[0], prompt),
            **_figures("output", point[1], output),
            tasks=tuple(tasks),
            days=days,
            calls=int(sum(part[:, 0].sum() for part in own)),
            other_calls=int(sum(part[:, 0].sum() for part in others)),
        )
        return found, Draws(prompt, output)


def _days(parts: list[NDArray[Any]]) -> int:
    """The days on which the model had calls of any of the tasks."""
    import numpy as np

    return int(np.count_nonzero(np.sum([part[:, 0] for part in parts], axis=0))) if parts else 0


def _ratio(
    weights: NDArray[Any], own: list[NDArray[Any]], others: list[NDArray[Any]], measure: int, otherwise: float
) -> NDArray[Any]:
    """The ratio for each row of day weights: (resamples, days) in, (resamples,) out.

    A task without calls of one of the models in a resample is not in it; `otherwise` where none is left.
    """
    import numpy as np

    above, below = np.zeros(len(weights)), np.zeros(len(weights))
    for mine, theirs in zip(own, others, strict=True):
        my, their = weights @ mine, weights @ theirs
        both = (my[:, 0] > 0) & (their[:, 0] > 0)
        mean = np.divide(their[:, measure], their[:, 0], out=np.zeros(len(weights)), where=both)
        above += np.where(both, my[:, 0] * mean, 0)
        below += np.where(both, my[:, measure], 0)
    ratios: NDArray[Any] = np.divide(above, below, out=np.full(len(weights), otherwise), where=below > 0)
    return ratios


def _figures(name: str, point: float, drawn: NDArray[Any]) -> dict[str, Any]:
    """The fields of one multiplier, rounded: what is shown is what is multiplied by."""
    import numpy as np

    low, high = np.quantile(drawn, (0.1, 0.9))
    return {
        name: usd(Decimal(point).quantize(PLACES)),
        f"{name}_low": usd(Decimal(min(float(low), point)).quantize(PLACES)),
        f"{name}_high": usd(Decimal(max(float(high), point)).quantize(PLACES)),
        f"{name}_standard_error": float(drawn.std(ddof=1)),
    }
