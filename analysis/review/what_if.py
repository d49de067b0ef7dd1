"""The month's logged calls, each component and task on each model, at the same tokens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from ...money import strip
from ..move_results import WhatIf, WhatIfRow
from ..outcomes.costs import book_name
from .repricing import Ran, Shift, Shifted, price_shifts, ran

if TYPE_CHECKING:
    from ..spend.ledger import Ledger
    from .configured import Configured
    from .results import Headline

MODELS = 8
"""So many of the models in use stand beside those of the routing, the most called first."""
AS_LOGGED = "as logged"
NOTE = (
    "USD of the month's logged calls, each at the prices of its own moment, at the same tokens on every model; cached "
    "prefixes that a change of model within a session would write again are not counted (costsim replay counts them)."
)


def what_if(ledger: Ledger, configured: Configured | None, head: Headline, first: date, last: date) -> WhatIf | None:
    """The month from `first` to `last`, both included; None where no call of it has a price."""
    lines = ran(ledger, first, last)
    models = _models(lines, configured, ledger)
    if not models:
        return None
    shifts = [Shift(line.component, line.task, line.model, to) for line in lines for to in models]
    costs = iter(price_shifts(ledger, shifts, first, last))
    places: dict[tuple[str, str], list[list[Shifted]]] = defaultdict(list)
    for line in lines:
        places[line.component, line.task].append([next(costs) for _ in models])
    rows = [_row(*place, found, configured) for place, found in sorted(places.items())]
    if all(row.now_usd is None for row in rows):
        return None
    limits = {use.limit_usd: use.name for use in head.budgets if use.scope == "total"}
    limit = min(limits, default=None)
    return WhatIf(
        models=models,
        rows=rows,
        fixed_usd=Decimal(0),
        baseline=AS_LOGGED,
        baseline_usd=sum((row.now_usd or Decimal(0) for row in rows), Decimal(0)),
        limit=limits[limit] if limit is not None else "",
        limit_usd=limit,
        routing=dict(configured.routing) if configured else {},
        note=NOTE,
    )


def _models(lines: Sequence[Ran], configured: Configured | None, ledger: Ledger) -> list[str]:
    """The routing's models and those in use, by their book names."""
    calls: dict[str, int] = defaultdict(int)
    for line in lines:
        calls[line.model] += line.calls
    used = [model for model in sorted(calls, key=lambda m: (-calls[m], m)) if ledger.book.resolve(model)]
    named = [book_name(ledger.book, model) for model in configured.models] if configured else []
    return list(dict.fromkeys([*(name for name in named if name), *used[:MODELS]]))


def _row(component: str, task: str, found: Sequence[Sequence[Shifted]], configured: Configured | None) -> WhatIfRow:
    pinned = configured.components.get(component) if configured else None
    return WhatIfRow(
        component=component,
        task=task,
        now=AS_LOGGED,
        now_usd=_sum([of[0].usd for of in found]),
        usd=[_sum([_would(of[n]) for of in found]) for n in range(len(found[0]))],
        movable=bool(task) and not (pinned and pinned.model),
    )


def _would(cost: Shifted) -> Decimal | None:
    return None if cost.saving_usd is None or cost.usd is None else cost.usd - cost.saving_usd


def _sum(parts: Sequence[Decimal | None]) -> Decimal | None:
    known = [part for part in parts if part is not None]
    return strip(sum(known, Decimal(0))) if len(known) == len(parts) else None
