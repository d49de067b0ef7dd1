"""All that the month's routing is asked, priced together: off-policy calls, possible downgrades, the naive cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ..outcomes.outcomes import Criteria
from ..replay.results import Replay
from ..replay.token_ratios import Draws, Pair, TokenRatio, measure_multipliers
from .downgrades import Known, PossibleDowngrade, Priced, candidates, read_evidence
from .drift import OffPolicy, drift_of, off_policy_calls
from .repricing import MeasuredSaving, Ran, Shift, Shifted, measured_saving, price_shifts, ran
from .results import Drift, MoveDown, RoutingSaving
from .savings import naive_model, replay_naive, routing_saving
from .switching import moves_together

if TYPE_CHECKING:
    from ..architecture.model import Architecture
    from ..spend.ledger import Ledger
    from .configured import Configured

WITHOUT = MeasuredSaving(Decimal(0), Decimal(0), Decimal(0))


@dataclass(frozen=True)
class Routes:
    """What the month's routing comes to. `ranges` are of `drift`, each P10 and P90; None where nothing was measured."""

    configured: Configured | None
    off_policy: Sequence[OffPolicy]
    priced: Sequence[Shifted]
    missed: MeasuredSaving
    drift: list[Drift]
    ranges: list[tuple[Decimal, Decimal] | None]
    moves: list[MoveDown]
    naive: tuple[str, Replay] | None
    notes: list[str]

    def saving(self, actual_usd: Decimal) -> RoutingSaving | None:
        """What routing saved of a month that cost `actual_usd`; None where nothing of it has a price."""
        if self.naive is None or self.naive[1].total.calls == self.naive[1].total.unpriced_calls:
            return None
        plan, missed = (self.configured.name, self.missed) if self.configured else (None, None)
        return routing_saving(actual_usd, *self.naive, plan, missed, self.off_policy, self.priced)


@dataclass(frozen=True)
class _Measured:
    """Multipliers of the pairs of models, and their draws."""

    known: dict[Pair, TokenRatio]
    draws: dict[Pair, Draws]

    def saving(self, shifts: Iterable[Shift], priced: Iterable[Shifted]) -> MeasuredSaving | None:
        """What the priced ones of these shifts save; None where none is."""
        parts = [((s.model, s.to), c) for s, c in zip(shifts, priced, strict=True) if c.saving_usd is not None]
        return measured_saving(parts, self.known, self.draws) if parts else None


def routes(
    ledger: Ledger,
    configured: Configured | None,
    architecture: Architecture | None,
    days: tuple[date, date],
    criteria: Criteria,
) -> Routes:
    """Everything about the routing from the first to the last of `days`, both included."""
    connection, book = ledger.connection, ledger.book
    lines = ran(ledger, *days)
    known = Known(read_evidence(connection, book, days[1]), criteria)
    off_policy = off_policy_calls(lines, configured, book)
    options = candidates(lines, configured, known, book)
    shifts = [*(calls.shift for calls in off_policy), *(shift for option in options for shift in option.shifts)]
    costs = price_shifts(ledger, shifts, *days)
    measured = _Measured(*measure_multipliers(connection, {(s.model, s.to) for s in shifts}, as_logged=False))
    priced = costs[: len(off_policy)]
    drift = drift_of(off_policy, priced)
    return Routes(
        configured,
        off_policy,
        priced,
        measured.saving([calls.shift for calls in off_policy], priced) or WITHOUT,
        drift,
        _ranges(drift, off_policy, priced, measured),
        moves_together(ledger, _priced(options, costs[len(off_policy) :], measured), known, days),
        _naive(ledger, lines, architecture, days),
        _notes(lines, configured),
    )


def _ranges(
    drift: Iterable[Drift], off_policy: Sequence[OffPolicy], priced: Sequence[Shifted], measured: _Measured
) -> list[tuple[Decimal, Decimal] | None]:
    """P10 and P90 of each drift's worth, widened to hold the worth at the same tokens."""
    by_place = {
        (calls.ran.component, calls.ran.task, calls.ran.model): measured.saving([calls.shift], [costs])
        for calls, costs in zip(off_policy, priced, strict=True)
    }
    found: list[tuple[Decimal, Decimal] | None] = []
    for d in drift:
        of = by_place[d.component, d.task, d.went_to]
        if of is None or d.worth_usd is None or of.low_usd == of.high_usd:
            found.append(None)
        else:
            found.append((min(of.low_usd, d.worth_usd), max(of.high_usd, d.worth_usd)))
    return found


def _priced(options: Sequence[PossibleDowngrade], costs: Sequence[Shifted], measured: _Measured) -> list[Priced]:
    """The candidates of which all calls have a price both ways."""
    found, start = [], 0
    for option in options:
        own = costs[start : start + len(option.shifts)]
        start += len(option.shifts)
        saving = measured.saving(option.shifts, own)
        if saving and all(cost.saving_usd is not None for cost in own):
            found.append(Priced(option, sum((cost.usd or Decimal(0) for cost in own), Decimal(0)), saving))
    return found


def _naive(
    ledger: Ledger,
    lines: Iterable[Ran],
    architecture: Architecture | None,
    days: tuple[date, date],
) -> tuple[str, Replay] | None:
    used = sorted({line.model for line in lines if ledger.book.resolve(line.model)})
    model = naive_model(ledger, used, architecture, *days)
    return (model, replay_naive(ledger, model, *days)) if model and used else None


def _notes(lines: Iterable[Ran], configured: Configured | None) -> list[str]:
    if configured is None:
        return ["no routing is configured: no call can be off-policy"]
    unknown = sum(line.calls for line in lines if configured.model(line.component, line.task) is None)
    message = "carry neither a component nor a task that the routing knows: whether they went where they should is open"
    return [f"{unknown:,} calls {message}"] if unknown else []
