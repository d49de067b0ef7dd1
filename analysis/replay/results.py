"""What `costsim replay` computes: the typed result, and the contract of its JSON."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from ..result import Result, Usd
from .token_ratios import TokenRatio

PaysFrom = int | Literal["never"] | None
"""Turns that a session must stay on the other model before switching to it pays; None where no call moves."""


class ReplayRow(Result):
    """One component, task or day, or all: what was spent, and what the replayed routing would have cost.

    `replayed_usd` moves call by call; `switch_usd` of it is for cached prefixes that have to be written again where a
    session changes its model. `whole_sessions_usd` moves whole sessions instead, each to the model that the routing
    gives most of its tokens: nothing is written again (None where that model has no price for some calls).
    `difference_usd` is replayed less spent: negative where the other routing saves. `low_usd` and `high_usd` are P10
    and P90 of the replayed cost over what the measured token multipliers leave open (equal to it where none was
    measured). `unpriced_calls` are in no figure. `pays_from_turns`: the prefix's extra cost at a switch, over what a
    moved call saves, rounded up; "never" where moved calls save nothing.
    """

    name: str
    calls: int
    spent_usd: Usd
    replayed_usd: Usd
    low_usd: Usd
    high_usd: Usd
    difference_usd: Usd
    unpriced_calls: int
    switch_usd: Usd
    whole_sessions_usd: Usd | None
    pays_from_turns: PaysFrom


NOTHING = ReplayRow(
    name="total", calls=0, unpriced_calls=0, pays_from_turns=None,
    **dict.fromkeys(("spent_usd", "replayed_usd", "low_usd", "high_usd", "difference_usd", "switch_usd",
                     "whole_sessions_usd"), Decimal(0)),
)  # fmt: skip


class Move(Result):
    """The calls of one model under another (or the same, where nothing moves), and the multipliers used.

    `switches` of them found less in the cache than as logged, and wrote `again_tokens` again for `switch_usd` more (in
    `replayed_usd`). `pays_from_turns` as in ReplayRow: of the mean prefix at these switches; where there is none, of a
    mean call's cached prefix.
    """

    model: str
    to: str
    calls: int
    spent_usd: Usd
    replayed_usd: Usd
    multiplier: TokenRatio
    switches: int
    again_tokens: int
    switch_usd: Usd
    pays_from_turns: PaysFrom


class UnpricedCalls(Result):
    """Calls that are in neither figure, because `model` has no price for a class of token that they have."""

    model: str
    message: str
    calls: int
    tokens: int


class Replay(Result):
    """What `costsim replay` computes. `since` and `until` are the first and last day with calls.

    `cache_effects` says whether switches within sessions are in the figures: for all calls, for those of which the
    session is known, or for none; `calls_without_session` are the others.
    """

    plan: str
    message: str
    since: date | None
    until: date | None
    total: ReplayRow
    components: list[ReplayRow]
    tasks: list[ReplayRow]
    days: list[ReplayRow]
    moves: list[Move]
    unpriced: list[UnpricedCalls]
    notes: list[str]
    cache_effects: Literal["counted", "partly counted", "not counted"]
    calls_without_session: int
    price_book_hash: str
