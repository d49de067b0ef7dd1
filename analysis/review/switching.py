"""What a move within sessions takes back: prefixes that sessions shared with other tasks would write again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ..replay.replay import replay_sums
from ..replay.reroute import Reroute
from ..replay.together import shared_tasks
from .downgrades import PossibleDowngrade, Priced
from .repricing import MeasuredSaving

if TYPE_CHECKING:
    from ..spend.ledger import Ledger


def with_switching(ledger: Ledger, priced: Iterable[Priced], days: tuple[date, date]) -> list[Priced]:
    """The moves, each less what its task alone would write again in the month (from the first to the last of `days`).

    Asked only of tasks that share sessions with others, and of moves that would save without it.
    """
    wanted = [one for one in priced if one.saving.low_usd > 0]
    shared = shared_tasks(ledger) if wanted else set()
    return [
        _less(one, _switch_usd(ledger, one, days) if one.candidate.task in shared else Decimal(0)) for one in wanted
    ]


def _less(one: Priced, switch_usd: Decimal) -> Priced:
    saving = MeasuredSaving(*(amount - switch_usd for amount in one.saving))
    return one._replace(saving=saving, switch_usd=switch_usd)


def _switch_usd(ledger: Ledger, one: Priced, days: tuple[date, date]) -> Decimal:
    found = replay_sums(ledger, _moved(one.candidate), since=days[0], until=days[1])
    return found.total.switch_usd


def _moved(candidate: PossibleDowngrade) -> Reroute:
    places = {(line.component, line.task) for line in candidate.ran}
    return Reroute(
        candidate.to,
        f"{candidate.task} on {candidate.to}",
        lambda component, task: candidate.to if (component, task) in places else None,
    )
