"""Functions of the public API that put others together; the rest of it is where `costsim.__init__` says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .analysis.budgets.results import CheckResult
    from .analysis.compare.results import ArchitectureDifference
    from .analysis.forecast.results import MonthForecast
    from .analysis.reconcile.results import Reconciliation
    from .analysis.routing.routing import RouteDecision
    from .analysis.simulation.settings import Settings
    from .store import Store


def check(
    file: Path | None = None,
    *,
    store: Store | None = None,
    budgets: Path | None = None,
    month: date | None = None,
    today: date | None = None,
    book: str | None = None,
) -> CheckResult:
    """Whether the architecture in `file`, the usage in `store`, or both, keep their budgets (USD).

    `budgets` is a file of budgets, instead of the architecture's own; `month` any day of the month that is checked
    (default: this one; with usage, the newest of the logs), `today` the day by which exceptions expire. `book`
    overrides the architecture's base book. `exit_code` of the result is 1 where a budget is breached. Raises
    CostsimError and its kinds for a file, name or book that is not usable.
    """
    from .analysis.budgets.check import CheckSettings
    from .analysis.budgets.check import check as compute

    settings = CheckSettings(today or datetime.now(UTC).date(), month, book=book)
    return compute(file, settings, budgets=budgets, usage=store.connection if store else None)


def diff(base: Path, head: Path, settings: Settings, *, plan: str = "routed") -> ArchitectureDifference:
    """What the architecture `head` costs more than `base` over the settings' days: by component, with its cause, USD.

    Both are costed under their plan of that name. Each amount is exact; the range is of the paired difference. Raises
    ArchitectureError for a file or plan that is not usable, CostsimError for settings out of bounds.
    """
    from .analysis.architecture.load import load_architecture
    from .analysis.compare.architectures import difference
    from .analysis.compare.sides import Side

    settings.check()
    loaded = load_architecture(base), load_architecture(head)
    first, second = (
        Side(str(file), side.architecture, settings.book or side.architecture.book, plan, replace(settings))
        for file, side in zip((base, head), loaded, strict=True)
    )
    return difference(first, second, loaded=loaded[1])


def reconcile(
    store: Store,
    *,
    by: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    tolerance: str = "1%",
) -> Reconciliation:
    """Whether the sources in `store` agree with one another and with the bill, as `Store.reconcile` says (USD, exact).

    `exit_code` of the result is 1 where a pair differs beyond the `tolerance`. Raises CostsimError.
    """
    return store.reconcile(by=by, since=since, until=until, tolerance=tolerance)


def route(
    task: str | None = None,
    *,
    config: Path | None = None,
    attributes: Mapping[str, object] | None = None,
    context_tokens: int | None = None,
    strict: bool = False,
) -> RouteDecision:
    """The model for a task: a key of the routing, or described by `attributes` as the decision tree asks for them.

    `config` is a routing file or an architecture (default: the shipped routing); `context_tokens` how much context
    the task needs. An unknown task gets the fallback and a warning; where `strict`, InputError. Raises
    ArchitectureError for a routing that is not usable.
    """
    from .analysis.routing.conditions import parse_attributes
    from .analysis.routing.routing import decide, read_routing, shipped_routing

    routing = read_routing(config) if config else shipped_routing()
    described = parse_attributes([f"{key}={_word(value)}" for key, value in (attributes or {}).items()])
    return decide(routing, task, described, context_tokens, strict=strict)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def forecast(
    history: Iterable[tuple[date, Decimal]], month: date, as_of: date, *, trials: int = 10_000, seed: int = 1
) -> MonthForecast:
    """What the month in which `month` lies will have cost: what is spent, and the days to come by weekday, USD.

    `history` holds (day, USD) pairs, in any order; `as_of` is the last whole day known. Days without a pair cost
    nothing. P10, P50 and P90 come from `trials` draws seeded with `seed`. Raises CostsimError where no cost is known.
    """
    from .analysis.forecast.month import forecast_month

    return forecast_month(list(history), month, as_of, trials=trials, seed=seed).forecast
