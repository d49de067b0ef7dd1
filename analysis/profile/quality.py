"""How well a fitted session, or a call's tokens, stand for the logged ones; and what is not known of their mean."""

from __future__ import annotations

import math
from decimal import Decimal
from statistics import NormalDist

import numpy as np

from ...money import to_usd
from ..architecture.distributions import Floats
from ..simulation.sessions.expected import RATIOS
from ..simulation.sessions.few import mean_factors, widening
from .results import ClassFit
from .turns import LoggedPart

TRIALS = 4000
P90_TO_P10 = 2 * NormalDist().inv_cdf(0.9)
LOGGED = ("cache_read", "cache_write_5m", "cache_write_1h", "input", "output")
MOST_ERROR = math.sqrt(0.5)
"""The largest relative error that an `uncertainty` of mean 1 can state: {low: 0, mode: 0, high: 3}."""


def weighed(tokens: dict[str, Floats]) -> Floats:
    """Tokens of sessions at usual price ratios: cost, but for the price of a token."""
    total: Floats = np.sum([RATIOS[name] * amounts for name, amounts in tokens.items()], axis=0)
    return total


def logged_tokens(part: LoggedPart) -> dict[str, Floats]:
    """Tokens of the logged conversations by class."""
    return {name: part.sessions[name] for name in LOGGED}


def explained_percent(part: LoggedPart, drawn: dict[str, Floats]) -> float | None:
    """The percent of logged sessions within P10 to P90 of drawn ones; None for a single one."""
    if part.count < 2:
        return None
    low, high = np.quantile(weighed(drawn), (0.1, 0.9))
    logged = weighed(logged_tokens(part))
    return round(100 * float(np.mean((logged >= low) & (logged <= high))), 1)


def class_fits(part: LoggedPart, fitted: dict[str, float]) -> list[ClassFit]:
    """Mean tokens of a session by class; what is uncached and what is written to a cache are new input together."""
    logged = {name: part.mean(name) for name in LOGGED}
    pairs = [
        (name, sum(logged.get(key, 0.0) for key in keys), sum(fitted.get(key, 0.0) for key in keys))
        for name, keys in (
            ("cache_read", ("cache_read",)),
            ("new_input", ("input", "cache_write_5m", "cache_write_1h")),
            ("output", ("output",)),
        )
    ]
    return [
        ClassFit(
            token_class=name, logged=to_usd(round(was, 3)), fitted=to_usd(round(now, 3)),
            difference_percent=round(100 * (now / was - 1), 2) if was else None,
        )
        for name, was, now in pairs
    ]  # fmt: skip


def cost_error(part: LoggedPart) -> float | None:
    """The relative error of a session's mean cost, as its P10 to P90 has it, wider for few; None for one session."""
    if part.count < 2:
        return None
    tokens = weighed(logged_tokens(part))[:, None]
    factors = mean_factors(tokens, np.random.default_rng(0), TRIALS)[0]
    low, high = np.quantile(factors, (0.1, 0.9))
    return float(np.log(high / low) / P90_TO_P10) if low > 0 else MOST_ERROR


def rate_error(part: LoggedPart) -> float:
    """The relative error of the sessions per day: chance at least, else as days differ from one another."""
    by_day = np.bincount((part.sessions["day"] - part.sessions["day"].min()).astype(np.int64), minlength=part.days)
    chance = 1 / math.sqrt(part.count)
    if part.days < 2:
        return chance
    days = float(by_day.std(ddof=1)) / math.sqrt(part.days) / float(by_day.mean())
    return max(chance, days * widening(part.days))


def uncertainty(error: float) -> dict[str, Decimal]:
    """A triangular factor of mean 1 with that relative standard deviation (at most 0.71)."""
    error = min(error, MOST_ERROR)
    half = math.sqrt(6) * error
    if half <= 1:
        return {"low": _two(1 - half), "mode": Decimal(1), "high": Decimal(2) - _two(1 - half)}
    mode = _two((9 - math.sqrt(max(216 * error**2 - 27, 0.0))) / 6)
    return {"low": Decimal(0), "mode": mode, "high": 3 - mode}


def _two(value: float) -> Decimal:
    return Decimal(f"{max(value, 0.0):.2f}").normalize() + Decimal(0)
