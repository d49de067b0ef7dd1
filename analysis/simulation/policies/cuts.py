"""Cuts: brackets of the runs' tokens within which no call's price tier changes."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....tokens import PROMPT_CLASSES
from ...architecture.distributions import Constant
from ...architecture.policies import Escalate
from ..brackets import Bracket
from ..profiles import Independent, Joint, Profile, practical_upper
from ..sessions.measured import Sessions

Tokens = dict[str, dict[str, Fraction]]
"""What a call sends: by its token class, how much of each of the run's classes."""


class Cut(NamedTuple):
    """A bracket of the spawns, and the tier start of the escalated call's total input."""

    bracket: Bracket
    escalated_min_input_tokens: int


def sends(cut: Cut, tokens: Tokens, escalated: bool) -> Bracket:
    """The call's tokens on average, given the cut, at the tier of its own total input."""
    tier = cut.escalated_min_input_tokens if escalated else cut.bracket.min_input_tokens
    mean = {name: linear(parts, cut.bracket.mean) for name, parts in tokens.items()}
    return Bracket(tier, cut.bracket.probability, mean, replicates=_replicated(cut.bracket, tokens))


def _replicated(bracket: Bracket, tokens: Tokens) -> NDArray[np.float64] | None:
    """The estimates of what the call sends, from those of the run's tokens."""
    if bracket.replicates is None:
        return None
    column = dict(zip(bracket.mean, bracket.replicates.T, strict=False))
    sent = [sum(float(share) * column[name] for name, share in parts.items()) for parts in tokens.values()]
    return np.column_stack([*sent, bracket.replicates[:, -1]])


def linear(parts: Mapping[str, Fraction], amounts: Mapping[str, Fraction]) -> Fraction:
    """The sum of the parts of the amounts."""
    return sum((share * amounts[name] for name, share in parts.items()), Fraction(0))


def cut(profile: Profile, starts: tuple[int, ...], escalate: Escalate | None) -> tuple[Profile, tuple[Cut, ...]]:
    """Brackets within which no call's price tier changes, and the profile that they are of."""
    profile = profile.on_tiers(starts)
    if isinstance(profile, Sessions):
        return profile, tuple(Cut(bracket, bracket.min_input_tokens) for bracket in profile.brackets(starts))
    carry = Fraction(escalate.carry) if escalate else Fraction(0)
    if not carry or not starts or "output" not in profile.classes:
        return profile, tuple(Cut(bracket, bracket.min_input_tokens) for bracket in profile.brackets(starts))
    if isinstance(profile, Independent):
        inputs = [part for name, part in profile.parts.items() if name in PROMPT_CLASSES]
        output = profile.parts["output"]
        if all(isinstance(part, Constant) for part in (*inputs, output)):
            total = sum((part.mean for part in inputs), carry * output.mean)
            tier = max((start for start in starts if start <= total), default=0)
            return profile, tuple(Cut(bracket, tier) for bracket in profile.brackets(starts))
        if sum(map(practical_upper, inputs)) + float(carry) * practical_upper(output) < starts[0]:
            return profile, tuple(Cut(bracket, 0) for bracket in profile.brackets(starts))
        profile = Joint.from_grid(profile)
    return profile, _cut_rows(profile, starts, carry)


def _cut_rows(profile: Joint, starts: tuple[int, ...], carry: Fraction) -> tuple[Cut, ...]:
    output = profile.rows[:, profile.classes.index("output")]
    own = np.searchsorted(np.array(starts), profile.total_input, side="right")
    carried = profile.total_input + np.floor(output * float(carry)).astype(np.int64)
    second = np.searchsorted(np.array(starts), carried, side="right")
    labels = own * (len(starts) + 1) + second
    begin = (0, *starts)
    return tuple(
        Cut(profile.bracket(labels == label, begin[label // len(begin)]), begin[label % len(begin)])
        for label in np.unique(labels).tolist()
    )
