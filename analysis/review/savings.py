"""What routing saved: the month as it was, against one model for everything, and against the configured plan.

The naive plan is replayed (analysis/replay/replay.py), tokens scaled as measured. The configured plan moves the calls
that are off-policy, and only them: calls that a large context or an escalation sent elsewhere are as configured. It is
priced at the same tokens, so that what was missed is the sum of the drifts' worths; the range is widened by what the
measured token multipliers say.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ...money import strip
from ...tokens import COLUMNS, UNIT_CLASSES
from ..replay.replay import replay_sums
from ..replay.reroute import reroute_to_model
from ..replay.results import Replay
from .repricing import MeasuredSaving, Shifted
from .results import RoutingSaving

if TYPE_CHECKING:
    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture
    from ..spend.ledger import Ledger
    from .drift import OffPolicy

TOKENS = f"""
SELECT processing, tier, token_class, sum(units)::HUGEINT
FROM (
    UNPIVOT chosen ON {COLUMNS}
    INTO NAME token_class VALUE units
)
WHERE units > 0 GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 (token classes)


def naive_model(
    ledger: Ledger, used: Sequence[str], architecture: Architecture | None, first: date, last: date
) -> str | None:
    """The most expensive model: the one of the architecture's naive plan, else of those in use from `first` to `last`.

    Without an architecture: the one on which the month's tokens would cost most at the prices of the day `last`.
    None where none of them has a price for all of these tokens.
    """
    if architecture:
        from ..simulation.run import baseline_model
        from ..simulation.settings import Settings

        return baseline_model(architecture, Settings(last))
    ledger.choose(first, last)
    tokens = ledger.connection.execute(TOKENS).fetchall()
    costs = {model: _cost(ledger.book, model, tokens, last) for model in used}
    priced = [(cost, model) for model, cost in costs.items() if cost is not None]
    return max(priced)[1] if priced else None


def _cost(book: PriceBook, model: str, tokens: Sequence[tuple[str, int, str, int]], at: date) -> float | None:
    """For comparison only: what these tokens would cost on a model."""
    from datetime import UTC, datetime, time

    key, moment = book.resolve(model), datetime.combine(at, time(), UTC)
    total = 0.0
    for processing, tier, token_class, units in tokens:
        price = key and book.price(key, token_class, at=moment, input_tokens=tier, processing=processing)
        if price:
            total += units * float(price.usd_per_unit)
        elif token_class not in UNIT_CLASSES:
            return None
    return total


def replay_naive(ledger: Ledger, model: str, first: date, last: date) -> Replay:
    """The month on one model."""
    return replay_sums(ledger, reroute_to_model(model), since=first, until=last)


def routing_saving(
    actual_usd: Decimal,
    model: str,
    naive: Replay,
    plan: str | None,
    missed: MeasuredSaving | None,
    off_policy: Sequence[OffPolicy],
    priced: Sequence[Shifted],
) -> RoutingSaving:
    """The two savings beside the month's cost. `missed` is at measured multipliers; None without a plan."""
    saved = naive.total.difference_usd
    same_tokens = sum((s.saving_usd or Decimal(0) for s in priced), Decimal(0)) if missed else None
    return RoutingSaving(
        actual_usd=actual_usd,
        naive_model=naive.moves[0].to if naive.moves else model,
        naive_usd=strip(actual_usd + saved),
        saved_usd=strip(saved),
        saved_low_usd=strip(naive.total.low_usd - naive.total.spent_usd),
        saved_high_usd=strip(naive.total.high_usd - naive.total.spent_usd),
        plan=plan,
        planned_usd=None if same_tokens is None else strip(actual_usd - same_tokens),
        missed_usd=None if same_tokens is None else strip(same_tokens),
        missed_low_usd=None if missed is None or same_tokens is None else strip(min(same_tokens, missed.low_usd)),
        missed_high_usd=None if missed is None or same_tokens is None else strip(max(same_tokens, missed.high_usd)),
        notes=_notes(naive, off_policy, priced),
        query="routing",
    )


def _notes(naive: Replay, off_policy: Sequence[OffPolicy], priced: Sequence[Shifted]) -> list[str]:
    notes = list(naive.notes)
    if naive.total.unpriced_calls:
        notes.append(
            f"{naive.total.unpriced_calls:,} calls have no price, as they ran or on {naive.plan}: they are in no saving"
        )
    lost = sum(s.ran.calls for s, costs in zip(off_policy, priced, strict=True) if costs.saving_usd is None)
    if lost:
        notes.append(f"{lost:,} calls that went to another model than configured have no price on one of the two")
    return notes
