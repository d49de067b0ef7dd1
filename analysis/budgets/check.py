"""`costsim check`: budgets, prices, routing, claims and logs compared with what was promised.

Every finding is a verdict; a check fails if one of them does. Costs are computed once and shared by all that look
at them; without usage, no database is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ArchitectureError, CostsimError
from ...version import __version__
from ..findings import Finding, Status
from ..projection import PriceBookRef
from ..simulation.summary import book_ref
from .judge import Judged, expired_exceptions
from .rejects import Rejects
from .results import CheckResult
from .scopes import NAMED, StatedBudget, check_names, known_names, of_calls, read_budgets, stated_budgets

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from ..architecture.load import LoadedArchitecture
    from ..architecture.model import Architecture
    from ..simulation.settings import Progress
    from ..spend.ledger import Ledger
    from .projected import Projected
    from .projection import LastPeriod
    from .spent import Usage

TRIALS = 2_000
"""Enough that P90 is known to about 1% of the spread, and a check takes less than a second."""


_STALE = timedelta(2)


@dataclass(frozen=True)
class CheckSettings:
    """How to check: the month in which `month` lies, as of `today`, by which budgets and exceptions expire.

    `month` None is this month; with usage, the month of the last whole day that the logs know. `book` overrides the
    architecture's base book (`list` without one), `prices` are overlays on top of its own. `progress` is called with
    (components done, components in all).
    """

    today: date
    month: date | None = None
    trials: int = TRIALS
    seed: int = 1
    book: str | None = None
    prices: tuple[Path, ...] = ()
    max_rejected: Rejects = field(default_factory=Rejects)
    progress: Progress | None = field(default=None, compare=False)


@dataclass
class _Check:
    """What is gathered on the way to the result."""

    settings: CheckSettings
    stated: list[StatedBudget]
    judged: list[Judged]
    verdicts: list[Finding]
    notes: list[str]
    overlaps: list[Finding] = field(default_factory=list)

    def result(self, name: str, month: date, as_of: date | None, book: PriceBookRef) -> CheckResult:
        verdicts = [
            *self.overlaps,
            *(judged.verdict() for judged in self.judged),
            *expired_exceptions(self.stated, self.settings.today),
            *self.verdicts,
        ]
        return CheckResult(
            name=name,
            month=f"{month:%Y-%m}",
            today=self.settings.today,
            as_of=as_of,
            trials=self.settings.trials,
            seed=self.settings.seed,
            price_book=book,
            status=worst(verdicts),
            budgets=[judged.result() for judged in self.judged],
            verdicts=verdicts,
            notes=self.notes,
            costsim_version=__version__,
        )


def worst(verdicts: Sequence[Finding]) -> Status:
    """Fail where one fails, else warn where one warns."""
    statuses = {verdict.status for verdict in verdicts}
    return "fail" if "fail" in statuses else "warn" if "warn" in statuses else "pass"


def check(
    file: Path | None,
    settings: CheckSettings,
    *,
    budgets: Path | None = None,
    usage: DuckDBPyConnection | None = None,
) -> CheckResult:
    """Check the architecture in `file`, the logged usage in an open store, or both, against their budgets.

    `budgets` is a file whose budgets are taken instead of the architecture's own. Raises CostsimError and its
    kinds on bad input: an unknown key or name, a book or store that is not usable.
    """
    if file is None and usage is None:
        raise CostsimError("there is nothing to check: name an architecture, or give --usage")
    loaded = _load(file, settings.prices)
    architecture = loaded.architecture if loaded else None
    stated = read_budgets(budgets) if budgets else []
    if loaded and not budgets:
        stated = stated_budgets(loaded.architecture, loaded.document)
    book = _book(architecture, settings)
    logged = _logged(usage, architecture, book, settings, stated) if usage is not None else None
    month = logged.month if logged else (settings.month or settings.today).replace(day=1)
    found = _Check(settings, stated, [], [], [] if stated else ["no budget is stated; nothing limits what is spent"])
    projected = _projected(architecture, month, settings, book) if architecture else None
    _check_scopes(stated, projected, logged, book)
    if projected and loaded:
        _judge_projected(found, projected, loaded, logged, month)
    if logged and usage is not None:
        _judge_logged(found, logged, usage, projected)
    name = architecture.name if architecture else "usage"
    return found.result(name, month, logged.as_of if logged else None, book_ref(book))


def _load(file: Path | None, overlays: tuple[Path, ...]) -> LoadedArchitecture | None:
    """The architecture with further overlays on its own."""
    from ..architecture.load import load_architecture

    if file is None:
        return None
    loaded = load_architecture(file)
    given = [path.resolve() for path in overlays]  # each once: a discount must not count twice
    prices = [*(path for path in loaded.architecture.prices if path.resolve() not in given), *overlays]
    return replace(loaded, architecture=loaded.architecture.model_copy(update={"prices": prices}))


def _book(architecture: Architecture | None, settings: CheckSettings) -> PriceBook:
    from ...pricing.book import open_book

    if architecture is None:
        return open_book(settings.book or "list", list(settings.prices))
    return open_book(settings.book or architecture.book, architecture.prices)


def _projected(architecture: Architecture, month: date, settings: CheckSettings, book: PriceBook) -> Projected:
    """The architecture under its routing, over the days of the month."""
    from ..simulation.plans import plans_of
    from ..simulation.run import costs_of
    from ..simulation.settings import Settings
    from .projected import Projected
    from .windows import days_of_month

    days = len(list(days_of_month(month)))
    costs = costs_of(architecture, Settings(month, days, settings.trials, settings.seed, settings.book), book)
    plan = plans_of(architecture, _any_model(architecture))[1]
    return Projected(costs, plan, settings.trials, settings.seed, progress=settings.progress)


def _any_model(architecture: Architecture) -> str:
    """Something for the naive plan, which a check does not cost."""
    from ..simulation.plans import named_models

    names = named_models(architecture)
    if not names:
        raise ArchitectureError("no model is named; give model_routing, or a model to a component")
    return names[0]


def _check_scopes(
    stated: Sequence[StatedBudget], projected: Projected | None, logged: Usage | None, book: PriceBook
) -> None:
    labels = projected.labels() if projected else []
    labels += [row.labels for row in logged.rows] if logged else []
    check_names(stated, known_names(labels, stated), book, logs_read=logged is not None)


def _judge_projected(
    found: _Check, projected: Projected, loaded: LoadedArchitecture, logged: Usage | None, month: date
) -> None:
    from ..simulation.fleets import METHOD, is_large
    from .checks import broken_claims, routing_errors, unpriced_models
    from .projection import judge_projection
    from .tried import MAX_SOUGHT

    last_period = _last_period(logged)
    seen, unseen = _projectable(found.stated, projected)
    found.judged += judge_projection(seen, projected, month, found.settings.today, last_period)
    if any(not entry.sought for entry in found.judged):
        found.notes.append(
            f"a change that would keep a budget is sought for {MAX_SOUGHT} scopes and periods, not for all"
        )
    if unseen:
        found.notes.append(f"no component says these scopes: {', '.join(unseen)} compared with the logs only (--usage)")
    if is_large(projected.costs.architecture, projected.trials):
        found.notes.append(METHOD)
    unpriced = unpriced_models(projected, loaded)
    found.verdicts += unpriced
    found.verdicts += routing_errors(projected, loaded, {verdict.name for verdict in unpriced})
    found.verdicts += broken_claims(projected, loaded)


def _projectable(stated: Sequence[StatedBudget], projected: Projected) -> tuple[list[StatedBudget], list[str]]:
    """The budgets whose scope the architecture can know, and the names of those that only logs can."""
    known = known_names(projected.labels(), stated)

    def only_logs(entry: StatedBudget) -> bool:
        scope = entry.budget.scope
        return scope != "total" and scope.kind not in NAMED and not known[scope.dimension]

    return [entry for entry in stated if not only_logs(entry)], [e.budget.name for e in stated if only_logs(e)]


def _last_period(logged: Usage | None) -> LastPeriod:
    """What the logs say that a budget's last period cost; without them, nobody knows."""
    if logged is None:
        return lambda _: None
    from .spent import last_period_usd

    return lambda entry: last_period_usd(entry.budget, logged)


def _logged(
    connection: DuckDBPyConnection,
    architecture: Architecture | None,
    book: PriceBook,
    settings: CheckSettings,
    stated: Sequence[StatedBudget],
) -> Usage:
    """The usage of the month. Raises CostsimError where the store is empty or knows nothing before the month ends."""
    from ..spend.ledger import Ledger
    from .spent import last_whole_day, read_usage

    as_of = last_whole_day(Ledger.open(connection, book), settings.today)
    if as_of is None:
        raise CostsimError("the store has no usage yet; load some with costsim load")
    month = settings.month or as_of
    tags = {component.name: component.tags for component in architecture.components} if architecture else {}
    return read_usage(connection, book, month, as_of, tags, of_calls(stated))


def _judge_logged(found: _Check, logged: Usage, connection: DuckDBPyConnection, projected: Projected | None) -> None:
    from ..spend.ledger import Ledger
    from .checks import overlaps, rejected_lines, unpriced_usage
    from .projection import fix_rest
    from .spent import judge_usage
    from .tried import Tried

    settings = found.settings
    judged = judge_usage(found.stated, logged, settings.today, settings.seed)
    tried = Tried(projected) if projected else None
    found.judged += [fix_rest(entry, tried, logged.as_of) for entry in judged] if tried else judged
    found.overlaps = overlaps(Ledger.open(connection, logged.book), logged.month, logged.as_of)
    found.verdicts += unpriced_usage(logged)
    found.verdicts.append(rejected_lines(connection, settings.max_rejected))
    runs = [entry.budget.name for entry in found.stated if entry.budget.period == "run"]
    if runs:
        found.notes.append(f"logs do not distinguish runs: {', '.join(runs)} compared with the projection only")
    found.notes += _subscribed(Ledger.open(connection, logged.book), logged, settings.today)
    if logged.doubt:
        found.notes.append(logged.doubt)
    if settings.today - logged.as_of > _STALE and logged.as_of < logged.last_day:
        found.notes.append(f"the logs end on {logged.as_of}: what was spent since is a forecast")


def _subscribed(ledger: Ledger, logged: Usage, today: date) -> list[str]:
    """What subscriptions cost in the month to today, as in `spend`: in no row of usage, nor in its budgets."""
    from ...money import format_cents
    from ..spend.allowances import allowances

    if not logged.book.subscriptions:
        return []
    days = logged.month, min(logged.last_day, today)
    ledger.choose(*days)
    ledger.price_rows()
    parts = [
        f"{entry.name} {format_cents(entry.fee_usd)} in fees and {format_cents(entry.overage_usd)} in overage"
        for entry in allowances(ledger.connection, logged.book, *days, today)
        if entry.fee_usd or entry.overage_usd
    ]
    return (
        [f"no figure of usage has what subscriptions cost ({logged.month:%Y-%m}): {', '.join(parts)}"] if parts else []
    )
