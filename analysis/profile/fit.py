"""Fitting a session to logged turns: distributions by their moments, growth and cache by what sessions used in all.

With A = E[turns] and B = E[turns (turns - 1) / 2] of the fitted turns, a session of first context f and growth g per
turn sends f A + g B tokens in all. So g is solved from the logged total: it weighs late turns, which send the most, as
they count for the cost. What a turn's answer leaves in the context is regressed from the growth after it; the rest of
the growth is new input. With compaction the totals are those of drawn sessions, and g is found by the secant method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from ..architecture.distributions import Floats
from ..architecture.session import CACHE_SECONDS, Compaction, CompactionCall, Session, Ttl, distribution_of
from ..exact import total
from ..simulation.sessions.chances import survival
from ..simulation.sessions.profile import SessionProfile, draw_sessions
from ..simulation.sessions.rules import SessionRules
from .amounts import Amount, FittedAmount, by_moments, fit_gap, fit_turns, rounded
from .turns import LoggedPart

SECANTS = 5
NEAR = 1e-4
WALKED = 4096


@dataclass(frozen=True)
class SessionFit:
    """A session fitted to a part: `keys` by the session's key, in its order, and what it uses in all."""

    session: Session
    keys: dict[str, FittedAmount]

    @property
    def profile(self) -> SessionProfile:
        """The profile that `costsim run` makes of it."""
        return SessionProfile.of(self.session)


def fit_session(part: LoggedPart) -> SessionFit:
    """The session that uses what the part's conversations used, on average."""
    turns = fit_turns(part.sessions["turns"])
    shape = _Shape(part, turns.amount)
    growth = shape.growth()
    kept = shape.kept_answer(growth)
    cache, ttl = _cache(part)
    warm = shape.warm(growth) if ttl else 0.0
    keys = {
        "turns": turns,
        "prompt": _prompt(part, growth - kept),
        "input": _per_turn(part, growth - kept, shape.input_deviation),
        "output": _per_turn(part, kept, part.spread["output"] * shape.share_kept, "output"),
        "thinking": _per_turn(part, shape.answer - kept, 0.0, "output"),
        "gap": FittedAmount(
            fit_gap(part.spread["gap_median"] or 0.0, part.spread["gap_spread"], ttl, warm),
            part.spread["gap_median"] or 0.0, None,
        ),
    }  # fmt: skip
    said = {key: fitted.amount for key, fitted in keys.items() if fitted.amount or key in ("turns", "prompt")}
    begun = shape.begun if ttl else 0.0
    session = Session.model_validate(
        said | {"cache": cache, "prompt_cached": rounded(begun)} | _compaction(part, growth, kept)
    )
    return _calibrated(SessionFit(session, keys), part) if session.compaction else SessionFit(session, keys)


def _prompt(part: LoggedPart, new: float) -> FittedAmount:
    """The first context without the first turn's new input."""
    mean = max(part.mean("first") - new, 0.0)
    return FittedAmount(by_moments(mean, part.deviation("first")), mean, part.error("first"))


def _per_turn(part: LoggedPart, mean: float, deviation: float, of: str = "sent") -> FittedAmount:
    """An amount per turn, whose relative error is that of what sessions have of it per turn."""
    error = ratio_error(part.sessions[of], part.sessions["turns"])
    return FittedAmount(by_moments(mean, deviation), mean, None if error is None else error * mean)


def ratio_error(amounts: Floats, per: Floats) -> float | None:
    """The relative standard error of sum(amounts) / sum(per) over sessions; None for one session, or none of it."""
    if len(amounts) < 2 or not amounts.sum() or not per.sum():
        return None
    rest = amounts - amounts.sum() / per.sum() * per
    return float(np.sqrt((rest**2).sum() * len(amounts) / (len(amounts) - 1)) / amounts.sum())


@dataclass(frozen=True)
class _Shape:
    """Totals of the part's conversations, given how many turns the fitted sessions have."""

    part: LoggedPart
    turns: Amount

    @cached_property
    def moments(self) -> tuple[float, float]:
        """A and B: expected turns, and expected sum over turns of those before."""
        chances = survival(distribution_of(self.turns))
        return float(total(chances)), float(total(n * chance for n, chance in enumerate(chances)))

    @property
    def answer(self) -> float:
        """Output tokens per turn."""
        return float(self.part.sessions["output"].sum() / self.part.sessions["turns"].sum())

    @property
    def begun(self) -> float:
        """The share of the first context that was read from a cache."""
        first = float(self.part.sessions["first"].sum())
        return float(self.part.sessions["first_read"].sum()) / first if first else 0.0

    def growth(self) -> float:
        """Tokens that the context grows by per turn, solved from what sessions sent in all."""
        expected, later = self.moments
        if not later:
            return self.answer
        if self.part.sessions["compactions"].sum() and self.part.growth:  # between compactions, as logged
            return max(float(self.part.growth["mean"]), 1.0)
        return max((self.part.mean("sent") - self.part.mean("first") * expected) / later, 0.0)

    @property
    def share_kept(self) -> float:
        """The share of an answer that is in the next context: the slope of the growth over the answer before."""
        growth = self.part.growth
        if not growth or not growth["of_answers"]:
            return 1.0
        return min(max(float(growth["together"] / growth["of_answers"]), 0.0), 1.0)

    def kept_answer(self, growth: float) -> float:
        """Output tokens per turn that stay: no more than the growth."""
        return min(self.share_kept * self.answer, growth)

    @property
    def input_deviation(self) -> float:
        """The standard deviation of new input per turn: of the growth, without what answers make of it."""
        growth, share = self.part.growth, self.share_kept
        if not growth:
            return 0.0
        variance = growth["variance"] - 2 * share * growth["together"] + share**2 * growth["of_answers"]
        return math.sqrt(max(variance, 0.0))

    def warm(self, growth: float) -> float:
        """The chance of a warm cache: what later turns read, of what they would read if it always were."""
        read = float((self.part.sessions["cache_read"] - self.part.sessions["first_read"]).mean())
        expected, later = self.moments
        readable = self.part.mean("first") * (expected - 1) + growth * (later - (expected - 1))
        if self.part.sessions["compactions"].sum():
            readable = self.part.mean("readable")
        return min(max(read / readable, 0.0), 1.0) if readable > 0 else 1.0


def _cache(part: LoggedPart) -> tuple[Ttl, int | None]:
    """The cache that was written, or read where none states its writes."""
    sums = {name: float(part.sessions[name].sum()) for name in ("cache_read", "cache_write_5m", "cache_write_1h")}
    if not any(sums.values()):
        return "none", None
    ttl: Ttl = "1h" if sums["cache_write_1h"] > sums["cache_write_5m"] else "5m"
    return ttl, CACHE_SECONDS[ttl]


def _compaction(part: LoggedPart, growth: float, kept: float) -> dict[str, Any]:
    """The limit at which contexts fell, and what stayed of them; nothing where none did."""
    if not part.sessions["compactions"].sum():
        return {}
    limit = float(part.spread["compacts_at"])
    prompt = max(part.mean("first") - (growth - kept), 0.0)
    stays = min(max(float(part.spread["compacted_to"]) - prompt - (growth - kept), 0.0), 0.9 * (limit - prompt))
    if stays < 0 or limit <= prompt:
        return {}
    call = CompactionCall(output=Decimal(0))  # its answer is in no total of these conversations
    return {"compaction": Compaction(limit=rounded(limit), keep=rounded(stays), call=call)}


def _calibrated(fit: SessionFit, part: LoggedPart) -> SessionFit:
    """New input per turn and the chance of a warm cache, such that sessions send and read what logged ones did."""
    target, scale, before = part.mean("sent"), 1.0, (0.0, 0.0)
    for _ in range(SECANTS):
        trial = _with_input(fit, scale)
        sent, read, begun = _used(trial.session)
        if abs(sent / target - 1) < NEAR or scale == before[0]:  # as near as its bounds let it come
            break
        slope = (sent - before[1]) / (scale - before[0])
        before = (scale, sent)
        scale = min(max(scale + (target - sent) / slope, 0.02), 50.0) if slope > 0 else scale * target / sent
    ttl, warm = trial.session.ttl_seconds, float(SessionRules.of(trial.session).warm)
    if not ttl or read <= begun or not warm:
        return trial
    wanted = min(max((part.mean("cache_read") - begun) * sent / target * warm / (read - begun), 0.0), 1.0)
    gap = fit_gap(part.spread["gap_median"] or 0.0, part.spread["gap_spread"], ttl, wanted)
    keys = trial.keys | {"gap": replace(trial.keys["gap"], amount=gap)}
    return SessionFit(trial.session.model_copy(update={"gap": gap}), keys)


def _used(session: Session) -> tuple[float, float, float]:
    """Tokens that drawn sessions send, those they read from the cache, and of these what a session begins with."""
    rules = SessionRules.of(session)
    sums = draw_sessions(rules, (), WALKED).sums.mean(axis=(0, 1))
    used = dict(zip(rules.classes, sums.tolist(), strict=False))
    sent = sum(amount for name, amount in used.items() if name != "output")
    return sent, used.get("cache_read", 0.0), float(rules.begun * rules.prompt.mean)


def _with_input(fit: SessionFit, scale: float) -> SessionFit:
    new, old = fit.keys["input"], fit.keys["input"].mean
    deviation = math.sqrt(distribution_of(new.amount).variance)
    scaled = FittedAmount(by_moments(old * scale, deviation), old * scale, new.standard_error)
    session = fit.session.model_copy(update={"input": scaled.amount or Decimal(0)})
    return SessionFit(session, fit.keys | {"input": scaled})
