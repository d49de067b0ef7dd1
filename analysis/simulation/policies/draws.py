"""Policies in the Monte Carlo: which runs happen, escalate, fail or find a warm cache is drawn.

Tokens are the draws of the component without policies wherever its runs and brackets are the same, so that plans
are compared on common random numbers; every policy has random numbers of its own. Of a day's runs in a bracket,
those that escalate or are tried again use as many tokens as its runs do on average.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from statistics import NormalDist

import numpy as np

from ...architecture.distributions import Floats
from ...architecture.policies import Retry
from ..costing import Costing
from ..monte_carlo import TokenSums, draw, price
from ..streams import generator
from .calls import Call, Costed, Way
from .spawns import binomial

Random = Callable[[str], np.random.Generator]


def draw_usd(costing: Costed, base: TokenSums, room: Floats, seed: int) -> Floats:
    """The drawn cost of a component as a plan has it: USD, (days, trials), or (days, 1) if nothing varies.

    `base` are the draws of the component without policies. The result is put into `room`, (days, trials), where
    it needs that much.
    """
    if not costing.has_policies and not costing.own_draws:
        return price(base, costing.plain, room)
    drawn = _drawn_parts(costing, base, room.shape[1], seed)
    return _total([part for _, parts in drawn for part in parts], room)


def draw_usd_by_model(costing: Costed, base: TokenSums, trials: int, seed: int) -> dict[str, Floats]:
    """As `draw_usd`, from the same draws, by the model that is called."""
    if not costing.has_policies and not costing.own_draws:
        return {costing.model: price(base, costing.plain, np.empty((costing.days, trials)))}
    by_model: dict[str, list[tuple[TokenSums, Costing]]] = {}
    for call, parts in _drawn_parts(costing, base, trials, seed):
        by_model.setdefault(call.model, []).extend(parts)
    return {model: _total(parts, np.empty((costing.days, trials))) for model, parts in by_model.items()}


def _drawn_parts(
    costing: Costed, base: TokenSums, trials: int, seed: int
) -> list[tuple[Call, list[tuple[TokenSums, Costing]]]]:
    """The drawn tokens of each call, and what they are priced by."""
    streams: dict[str, np.random.Generator] = {}

    def random(policy: str) -> np.random.Generator:
        return streams.setdefault(policy, generator(seed, f"{costing.work.component.name}\n{policy}"))

    sums = base
    if costing.own_draws:
        brackets = tuple(cut.bracket for cut in costing.cuts)
        sums = draw(
            costing.base, costing.profile, brackets, costing.days, trials, seed,
            lambda runs: costing.spawns.draw(runs, trials, random),
        )  # fmt: skip
    return [(call, _parts(call, costing, sums, trials, random)) for call in costing.calls]


def _total(parts: list[tuple[TokenSums, Costing]], room: Floats) -> Floats:
    """The sum of what the parts cost; in `room` as soon as one of them varies."""
    certain, varies, scratch = np.zeros((len(room), 1)), False, np.empty_like(room)
    for sums, costing in parts:
        usd = price(sums, costing, scratch)
        if usd.shape != room.shape:
            certain = certain + usd
        elif varies:
            room += usd
        else:
            room[:], varies = usd, True
    return np.add(room, certain, out=room) if varies else certain


def _parts(
    call: Call, costing: Costed, sums: TokenSums, trials: int, random: Random
) -> list[tuple[TokenSums, Costing]]:
    """The drawn tokens of each way in which the call goes."""
    retry = costing.work.component.retry if "retry" in costing.choice.policies else None
    chance = _chance(call, costing, trials, random)
    names = costing.profile.classes
    parts: list[list[tuple[Floats, list[Floats]]]] = [[] for _ in call.ways]
    for index in call.cuts:
        runs = sums.runs[index]
        calls = _made(runs, chance, retry, trials, random)
        tokens = dict(zip(names, _known(sums, index), strict=True))
        for part, made, way in zip(parts, _by_way(call, calls, trials, random), call.ways, strict=True):
            ratio = np.divide(made, runs, out=np.zeros(np.broadcast(made, runs).shape), where=runs > 0)
            sent = [_sum(shares, tokens, ratio) for shares in way.tokens.values()]
            part.append((made * sums.factors[-1], sent))
    return [(_sums(part, way), way.costing) for part, way in zip(parts, call.ways, strict=True)]


def _known(sums: TokenSums, index: int) -> list[Floats]:
    """The tokens of a bracket, with what we don't know about their mean."""
    return [amounts * factor for amounts, factor in zip(sums.tokens[index], sums.factors[:-1], strict=True)]


def _chance(call: Call, costing: Costed, trials: int, random: Random) -> Floats:
    """The chance of a run to make the call, (1, 1); (1, trials) where evidence leaves it open.

    Then it is drawn once per trial, from the beta distribution with the mean of the counts and the standard
    deviation of Wilson's interval. Nothing can be drawn around a mean of 0 or 1.
    """
    escalate = costing.work.component.escalate
    counted = escalate.evidence if escalate and call.kind == "escalated" else None
    if counted is None or not 0 < counted.escalated < counted.of:
        return np.array([[float(call.probability)]])
    mean, (low, high) = float(counted.share), counted.interval
    deviation = (high - low) / 2 / NormalDist().inv_cdf(0.975)
    size = mean * (1 - mean) / deviation**2 - 1
    return random("escalate.probability").beta(mean * size, (1 - mean) * size, (1, trials))


def _made(runs: Floats, chance: Floats, retry: Retry | None, trials: int, random: Random) -> Floats:
    """How many calls the runs of one bracket make, every attempt counted."""
    days = len(runs)
    if chance.min() < 1:
        runs = binomial(runs, chance, random("escalate"), trials)
    made = runs
    if retry and retry.failure_rate:
        for _ in range(retry.max_attempts - 1):
            runs = binomial(runs, np.full((days, 1), float(retry.failure_rate)), random("retry"), trials)
            made = made + runs
    return made


def _by_way(call: Call, made: Floats, trials: int, random: Random) -> list[Floats]:
    """The calls that find a warm cache, and those that don't; or just the calls."""
    if len(call.ways) == 1:
        return [made]
    shares = np.array([[float(share)] for share in call.ways[0].shares])
    warm = made * shares if call.certain else binomial(made, shares, random("cache"), trials)
    return [warm, made - warm]


def _sum(shares: Mapping[str, Fraction], tokens: Mapping[str, Floats], ratio: Floats) -> Floats:
    total = sum(float(share) * tokens[name] for name, share in shares.items() if share)
    return np.asarray(total * ratio)


def _sums(part: list[tuple[Floats, list[Floats]]], way: Way) -> TokenSums:
    known: list[Floats | float] = [1.0] * (len(way.tokens) + 1)
    return TokenSums([runs for runs, _ in part], [tokens for _, tokens in part], known)
