"""What the bridge between two months says: effects in USD that add up to the difference."""

from __future__ import annotations

from datetime import date
from typing import Literal

from ..result import Result, Usd

Effect = Literal["new", "retired", "volume", "tokens", "mix", "routing", "decisions", "price", "billed"]


class ComponentEffect(Result):
    """A component's part in an effect."""

    component: str
    usd: Usd


class BridgeStep(Result):
    """One effect: what it adds to the month's cost (negative where it saves), and each component's part in it."""

    effect: Effect
    usd: Usd
    components: list[ComponentEffect]


class Bridge(Result):
    """Why it changed: `before_usd` plus all steps is `after_usd`, to the last digit. `method` is the formula.

    `before_last` and `after_last` are the last days that are compared with one another: those of the months, or of a
    running month its last day known whole and the same day of the month before.
    """

    before: str
    after: str
    before_last: date
    after_last: date
    before_usd: Usd
    after_usd: Usd
    steps: list[BridgeStep]
    method: str
    query: str
