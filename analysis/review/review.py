"""The monthly review: every part of it, computed from an open store whose rollup is up to date."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import localcontext
from typing import TYPE_CHECKING, Any

from ...errors import CostsimError
from ...months import month_bounds, month_span
from ...usage.future import future_of_days
from ...version import __version__
from ..compare.bridge import Asks, bridge, same_days
from ..compare.bridge_results import Bridge
from ..decided.measure import Measured, measure
from ..decided.results import DecisionRecord
from ..forecast.backtest import backtest
from ..forecast.calibration import calibrate
from ..forecast.daily_costs import Series, daily_costs
from ..forecast.results import Anomaly
from ..outcomes.outcomes import Criteria
from ..reconcile.reconcile import ReconcileQuery, reconcile
from ..reconcile.results import SourcePair
from ..replay.replay import MAX_DIGITS
from ..spend.completeness import DataQuality
from ..spend.ledger import Ledger
from ..spend.sources import sources_of
from .anomalies import anomalies_of_month, through
from .budgets import budgets_used
from .cells import fill_cells
from .configured import Configured, book_names, configured_by
from .decisions import decisions
from .headline import forecast, headline, months_of, too_little
from .notes import notes_of
from .owners import class_costs, owners
from .performance import has_outcomes, performance
from .price_changes import price_moves, used_units
from .prices_used import prices
from .quality import Compared, compare_recorded, quality
from .queries import queries
from .repricing import ran
from .results import FigureQuery, Headline, Month, OwnerCosts, Performance, PriceMove, Review
from .routing_analysis import Routes, routes
from .what_if import what_if
from .where import where

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture
    from ..budgets.results import BudgetUse
    from ..compare.bridge import Span
    from ..routing.routing import RoutingConfig

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""

STEPS = 5
BACKTEST_DAYS = 91
"""What the forecast is compared with: it forecasts the last six weeks from what was known then."""
READ = ("headline", "where", "days", "classes", "prices", "quality")
"""The queries whose rows the parts are made of; the others are for readers alone."""
SPAN = "SELECT min(day), max(day), count(*) FILTER (day >= ? AND day <= ?) FROM usage_daily"


def review(
    connection: DuckDBPyConnection,
    book: PriceBook,
    month: str,
    *,
    today: date,
    name: str,
    architecture: Architecture | None = None,
    routing: RoutingConfig | None = None,
    records: Sequence[DecisionRecord] = (),
    calibrated: bool = True,
    progress: Progress | None = None,
) -> Review:
    """The review of a month (2026-10) of an open store; `today` ends a running month.

    The routing compared with is the architecture's, with the mapping of `routing` in its place where given; the
    budgets are the architecture's. `records` are the decisions that were taken: they are measured, and no longer
    among those to take. `calibrated` compares past forecasts with what happened, which takes a second or two.

    Leaves `spend_cell` (of this month and the one before), `spend_price` and `spend_call` in the store, which the
    review's queries read (see cells.py). Raises CostsimError where the month is none, or has no usage.
    """
    ledger = Ledger.open(connection, book, models=[r.change.from_model for r in records if r.change])
    days = _days_of(connection, month, today)
    scope = _Scope(ledger, days, today, name, architecture, configured_by(architecture, routing))
    done = _counter(progress)
    with localcontext(prec=MAX_DIGITS):  # the usual 28 digits would round sums of DECIMAL(38, 24)
        sources = _sources(scope)
        done()
        series = daily_costs(connection, book, today - timedelta(days=1))
        anomalies = anomalies_of_month(series, scope.first, min(scope.last, days.as_of))
        done()
        moved = price_moves(
            book, used_units(ledger, *days.month), scope.configured.models if scope.configured else (), *days.month
        )
        routed = routes(ledger, scope.configured, architecture, days.month, Criteria())
        done()
        measured = measure(ledger, records, days.compared)
        texts, rows = _queried(scope)
        done()
        found = _Found(sources, series, anomalies, moved, routed, measured, texts, rows)
        made = _made(scope, found, calibrated=calibrated)
        done()
        return made


@dataclass(frozen=True)
class _Scope:
    """What is reviewed, by whose prices and against which routing."""

    ledger: Ledger
    days: _Days
    today: date
    name: str
    architecture: Architecture | None
    configured: Configured | None

    @property
    def first(self) -> date:
        return self.days.month[0]

    @property
    def last(self) -> date:
        return self.days.month[1]

    @property
    def month(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True)
class _Sources:
    """How the month's sources agree with one another, with the costs that they recorded, and with the budgets."""

    recorded: tuple[Compared | None, list[str], DataQuality]
    overlaps: list[str]
    agreement: list[SourcePair]
    outcomes: Performance
    limits: list[BudgetUse]
    owners: list[OwnerCosts]


@dataclass(frozen=True)
class _Found:
    """What the analyses found, before it is put in a review's words."""

    sources: _Sources
    series: Mapping[str | None, Series]
    anomalies: list[Anomaly]
    moved: list[PriceMove]
    routed: Routes
    measured: Measured
    queries: list[FigureQuery]
    rows: dict[str, list[tuple[Any, ...]]]


def _sources(scope: _Scope) -> _Sources:
    ledger, (first, last) = scope.ledger, scope.days.month
    connection, book = ledger.connection, ledger.book
    return _Sources(
        recorded=compare_recorded(connection, book, first, last),
        overlaps=[found.message for found in sources_of(ledger, first, last).overlaps],
        agreement=reconcile(connection, book, ReconcileQuery(since=first, until=last)).pairs,
        outcomes=performance(connection, book, first, last, Criteria()),
        limits=budgets_used(connection, book, scope.architecture, (first, scope.days.as_of), scope.today),
        owners=owners(ledger, first, last),
    )


def _queried(scope: _Scope) -> tuple[list[FigureQuery], dict[str, list[tuple[Any, ...]]]]:
    """All queries of the review, and the rows of those that its parts are made of."""
    connection, days = scope.ledger.connection, scope.days
    fill_cells(connection, scope.ledger.book, days.before[0], max(scope.last, days.newest))
    texts = queries(days.before[0], days.month, days.compared, outcomes=has_outcomes(connection))
    return texts, {text.id: connection.execute(text.sql).fetchall() for text in texts if text.id in READ}


def _made(scope: _Scope, found: _Found, *, calibrated: bool) -> Review:
    """The review, of what was found."""
    sources, routed, rows, days = found.sources, found.routed, found.rows, scope.days
    head, changed = _headline(scope, found)
    future = future_of_days(scope.ledger.connection, "usage_daily", scope.today)
    trust = quality(scope.ledger.connection, rows["quality"], scope.first, scope.last, *sources.recorded)
    open_ones = decisions(
        head, routed.drift, routed.moves, found.anomalies, sources.outcomes.changes, found.moved, trust,
        routed.ranges, changed,
    )  # fmt: skip
    taken = found.measured.taken
    known = {one.record.id for one in taken}
    decided = [decision for decision in open_ones if decision.id not in known]
    spent = where(
        rows["where"], rows["days"], scope.first, changed, found.anomalies, class_costs(rows["classes"]), sources.owners
    )
    return Review(
        name=scope.name,
        month=scope.month,
        made_on=scope.today,
        headline=head,
        bridge=changed,
        where=spent,
        routing=routed.saving(head.month.usd),
        drift=routed.drift,
        moves=routed.moves,
        what_if=what_if(scope.ledger, scope.configured, head, scope.first, scope.last),
        performance=sources.outcomes,
        prices=prices(rows["prices"], scope.ledger.book, found.moved),
        quality=trust,
        decisions=decided,
        taken=taken if changed else [one.model_copy(update={"bridge_usd": None}) for one in taken],
        overlaps=sources.overlaps,
        agreement=sources.agreement,
        backtest=backtest(through(found.series[None], days.as_of)[-BACKTEST_DAYS:]),
        calibration=calibrate(found.series, scope.month, days.as_of) if calibrated else None,
        queries=found.queries,
        notes=notes_of(head, changed, routed, open_ones, decided, days.as_of, future),
        costsim_version=__version__,
    )


@dataclass(frozen=True)
class _Days:
    """The days of a review: the month, the one before, the last day known whole and the newest that has usage."""

    month: Span
    before: Span
    as_of: date
    newest: date

    @property
    def compared(self) -> tuple[Span, Span]:
        """The days of the month that are known, and as many of the month before."""
        return same_days(self.before, self.month, self.as_of), (self.month[0], self.as_of)


def _days_of(connection: DuckDBPyConnection, month: str, today: date) -> _Days:
    """Raises CostsimError where the month is none, or has no usage."""
    first, last = month_span(month)
    newest = _newest(connection, month, first, last)
    if first > today:
        raise CostsimError(f"{month} has not begun on {today}: its calls lie in the future; name an earlier month")
    as_of = last if last < today else min(today - timedelta(days=1), newest)
    return _Days((first, last), month_bounds(first - timedelta(days=1)), as_of, newest)


def _headline(scope: _Scope, found: _Found) -> tuple[Headline, Bridge | None]:
    """The headline, and why the cost changed; no reason is given where there is too little to compare."""
    ledger, days = scope.ledger, scope.days
    months = months_of(found.rows["headline"], scope.today)
    this, previous = months[scope.month], months.get(f"{days.before[0]:%Y-%m}")
    little = too_little(this, previous, _calls_compared(ledger, previous, days.compared))
    asks = _asks(ledger.book, scope.configured)
    changed = None if little else _changed(ledger.connection, previous, days.compared, asks, found.measured)
    outlook = forecast(this, found.series[None], days.as_of)
    return headline(this, previous, found.sources.limits, outlook, changed, little), changed


def _calls_compared(ledger: Ledger, previous: Month | None, held: tuple[Span, Span]) -> tuple[int, int] | None:
    """The calls of the days that are compared, of the month before and of the month; None where none are."""
    if not _comparable(previous, held):
        return None
    was, now = (sum(line.calls for line in ran(ledger, *span)) for span in held)
    return was, now


def _comparable(previous: Month | None, held: tuple[Span, Span]) -> bool:
    """Whether both sides have days: not on a month's first, nor where the logs begin after the days compared."""
    was, now = held
    return previous is not None and previous.first <= was[1] and now[0] <= now[1]


def _asks(book: PriceBook, configured: Configured | None) -> Asks | None:
    """The models that the routing asks for, by the book's names; None without a routing."""
    if configured is None:
        return None
    return lambda component, task: book_names(book, configured.allowed(component, task))


def _newest(connection: DuckDBPyConnection, month: str, first: date, last: date) -> date:
    """The last day of the store. Raises CostsimError where the month has none."""
    start, newest, days = connection.execute(SPAN, [first, last]).fetchone() or (None, None, 0)
    if newest is None:
        raise CostsimError(f"there is no usage in {month}: the store is empty; load logs with `costsim load`")
    if not days:
        raise CostsimError(f"there is no usage in {month}; the store has {start:%Y-%m} to {newest:%Y-%m}")
    found: date = newest
    return found


def _counter(progress: Progress | None) -> Callable[[], None]:
    steps = iter(range(1, STEPS + 1))
    return lambda: progress(next(steps), STEPS) if progress else None


def _changed(
    connection: DuckDBPyConnection,
    previous: Month | None,
    held: tuple[Span, Span],
    asks: Asks | None,
    measured: Measured,
) -> Bridge | None:
    """The bridge; None where one side has no days."""
    return bridge(connection, *held, asks, measured.reverted) if _comparable(previous, held) else None
