"""What `costsim reconcile` finds: the typed result, and the contract of its JSON. Money is USD, exact."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from pydantic import Field

from ..result import Result, Usd

Part = Literal["missing_in_ours", "missing_in_theirs", "timing", "tokens", "price", "credits", "unexplained"]
Reason = Literal[
    "missing calls", "another day", "tokens", "rate", "tier", "region", "batch", "processing", "discount", "credit",
    "allowance", "rounding", "charge without tokens", "no price", "unknown",
]  # fmt: skip


class CallExample(Result):
    """One call that shows a cause: its id in `usage_event`, time (UTC), model and tokens of all classes."""

    event_id: str
    source: str
    ts: datetime
    model: str
    tokens: int


class DifferenceCause(Result):
    """One cause of a difference: its part, what it is and the amount, theirs less ours."""

    part: Part
    reason: Reason
    subject: str = Field(description="the model or provider that it is about; empty for several")
    usd: Usd
    size_usd: Usd = Field(description="the amount concerned, without sign; of calls on another day, what moved")
    message: str
    first: date | None = None
    last: date | None = None
    examples: list[CallExample] = Field(default_factory=list)


class PartAmounts(Result):
    """The difference, split: the parts add up to it exactly.

    `missing_in_ours` are calls that only theirs has (positive), `missing_in_theirs` calls that only ours has
    (negative), `timing` calls that theirs has on another day (0 over days that both have whole).
    """

    missing_in_ours: Usd = Decimal(0)
    missing_in_theirs: Usd = Decimal(0)
    timing: Usd = Decimal(0)
    tokens: Usd = Decimal(0)
    price: Usd = Decimal(0)
    credits: Usd = Decimal(0)
    unexplained: Usd = Decimal(0)


class ComparedGroup(Result):
    """One group of `--by`: `keys` in its order, both amounts, and the difference split."""

    keys: list[str]
    ours_usd: Usd
    theirs_usd: Usd
    difference_usd: Usd
    parts: PartAmounts


class SourcePair(Result):
    """Two sources of the same spend: `ours` computed at the price book, `theirs` as it states, else computed too.

    Completeness is the share, in percent, of what either of them has: 100 where no call is missing.
    """

    ours: str
    theirs: str
    role: Literal["calls", "bill"] = Field(description="what theirs is")
    matched_by: Literal["ids", "days"]
    providers: list[str]
    first: date
    last: date
    ours_usd: Usd
    theirs_usd: Usd
    difference_usd: Usd
    percent: Usd = Field(description="the difference in percent of theirs")
    within: bool = Field(description="whether the difference is within the tolerance")
    parts: PartAmounts
    causes: list[DifferenceCause] = Field(description="largest first")
    completeness: dict[str, Usd]
    groups: list[ComparedGroup]
    notes: list[str] = Field(default_factory=list)


class Reconciliation(Result):
    """All pairs of sources, the largest difference first."""

    by: list[str]
    first: date | None
    last: date | None
    tolerance: str
    pairs: list[SourcePair]
    notes: list[str]
    book_hash: str
    costsim_version: str

    @property
    def exit_code(self) -> int:
        """1 where a pair differs beyond the tolerance, else 0."""
        return int(any(not pair.within for pair in self.pairs))
