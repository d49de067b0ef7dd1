"""The monthly review: every part of it, computed from an open store whose rollup is up to date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import localcontext
from typing import TYPE_CHECKING, Any

from ...errors import CostsimError
from ...money import format_cents
from ...months import month_bounds, month_span
from ...version import __version__
from ..compare.month_results import Bridge
from ..compare.months import Asks, bridge, same_days
from ..decided.measure import Measured, measure
from ..decided.results import DecisionRecord
from ..forecast.backtest import backtest
from ..forecast.calibration import calibrate
from ..forecast.daily_costs import daily_costs
from ..outcomes.outcomes import Criteria
from ..reconcile.reconcile import ReconcileQuery, reconcile
from ..replay.replay import MAX_DIGITS
from ..spend.ledger import Ledger
from ..spend.sources import sources_of
from .anomalies import anomalies_of_month, through
from .budgets import budgets_used
from .cells import fill_cells
from .configured import Configured, book_names, configured_by
from .decisions import decisions, threshold_usd
from .headline import forecast, headline, months_of, too_little
from .owners import class_costs, owners
from .performance import has_outcomes, performance
from .price_changes import price_moves, used_units
from .prices_used import prices
from .quality import compare_recorded, quality
from .queries import queries
from .repricing import ran
from .results import Decision, Headline, Month, Review
from .routing_analysis import Routes, routes
from .what_if import what_if
from .where import where

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from ...pricing.book import PriceBook
    from ..architecture.model import Architecture
    from ..budgets.results import BudgetUse
    from ..compare.months import Span
    from ..forecast.history import History
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
    first, last = days.month
    done = _counter(progress)
    with localcontext(prec=MAX_DIGITS):  # the usual 28 digits would round sums of DECIMAL(38, 24)
        compared, doubts, data = compare_recorded(connection, book, first, last)
        overlaps = [found.message for found in sources_of(ledger, first, last).overlaps]
        agreement = reconcile(connection, book, ReconcileQuery(since=first, until=last)).pairs
        outcomes = performance(connection, book, first, last, Criteria())
        limits = budgets_used(connection, book, architecture, (first, days.as_of), today)
        by_owner = owners(ledger, first, last)
        done()
        series = daily_costs(connection, book, today - timedelta(days=1))
        anomalies = anomalies_of_month(series, first, min(last, days.as_of))
        done()
        configured = configured_by(architecture, routing)
        moved = price_moves(book, used_units(ledger, first, last), configured.models if configured else (), first, last)
        routed = routes(ledger, configured, architecture, (first, last), Criteria())
        done()
        measured = measure(ledger, records, days.compared)
        fill_cells(connection, book, days.before[0], max(last, days.newest))
        texts = queries(days.before[0], days.month, days.compared, outcomes=has_outcomes(connection))
        rows = {text.id: connection.execute(text.sql).fetchall() for text in texts if text.id in READ}
        done()
        head, changed = _headline(ledger, rows["headline"], days, limits, series[None], configured, measured, today)
        trust = quality(connection, rows["quality"], first, last, compared, doubts, data)
        found = decisions(
            head, routed.drift, routed.moves, anomalies, outcomes.changes, moved, trust, routed.ranges, changed
        )
        known = {taken.record.id for taken in measured.taken}
        decided = [decision for decision in found if decision.id not in known]
        done()
        return Review(
            name=name,
            month=month,
            made_on=today,
            headline=head,
            bridge=changed,
            where=where(rows["where"], rows["days"], first, changed, anomalies, class_costs(rows["classes"]), by_owner),
            routing=routed.saving(head.month.usd),
            drift=routed.drift,
            moves=routed.moves,
            what_if=what_if(ledger, configured, head, first, last),
            performance=outcomes,
            prices=prices(rows["prices"], book, moved),
            quality=trust,
            decisions=decided,
            taken=measured.taken if changed else [t.model_copy(update={"bridge_usd": None}) for t in measured.taken],
            overlaps=overlaps,
            agreement=agreement,
            backtest=backtest(through(series[None], days.as_of)[-BACKTEST_DAYS:]),
            calibration=calibrate(series, month, days.as_of) if calibrated else None,
            queries=texts,
            notes=_notes(head, changed, routed, found, decided, days.as_of),
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
    as_of = last if last < today else min(today - timedelta(days=1), newest)
    return _Days((first, last), month_bounds(first - timedelta(days=1)), as_of, newest)


def _headline(
    ledger: Ledger,
    rows: Sequence[tuple[Any, ...]],
    days: _Days,
    limits: list[BudgetUse],
    history: History,
    configured: Configured | None,
    measured: Measured,
    today: date,
) -> tuple[Headline, Bridge | None]:
    """The headline, and why the cost changed; no reason is given where there is too little to compare."""
    months = months_of(rows, today)
    this, previous = months[f"{days.month[0]:%Y-%m}"], months.get(f"{days.before[0]:%Y-%m}")
    little = too_little(this, previous, _calls_compared(ledger, previous, days.compared))
    asks = _asks(ledger.book, configured)
    changed = None if little else _changed(ledger.connection, previous, days.compared, asks, measured)
    return headline(this, previous, limits, forecast(this, history, days.as_of), changed, little), changed


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


def _notes(
    head: Headline,
    changed: Bridge | None,
    routed: Routes,
    found: Sequence[Decision],
    decided: Sequence[Decision],
    as_of: date,
) -> list[str]:
    month, previous = head.month, head.previous
    notes = list(routed.notes)
    if not month.complete:
        notes.append(f"the month is running: {_known(month, previous, changed, as_of)}")
    if previous is None:
        notes.append("the store has no month before: nothing says why the cost changed")
    if head.too_little:
        notes.append(head.too_little)
    if month.only_billed_usd:
        billed = format_cents(month.only_billed_usd)
        notes.append(f"{billed} of the month is only on a bill: in the total and by component, in no routing figure")
    if month.unpriced_tokens:
        notes.append(f"{month.unpriced_tokens:,} tokens have no price: they are in no cost (see data quality)")
    if found and not decided:
        notes.append("nothing is left to decide: all that was found has been accepted or rejected")
    if not found:
        notes.append(
            f"nothing to decide: nothing found is worth {format_cents(threshold_usd(month.usd))} a month or more"
        )
    return notes


def _known(month: Month, previous: Month | None, changed: Bridge | None, as_of: date) -> str:
    """What of a running month is compared with which days."""
    if f"{as_of:%Y-%m}" < month.month:
        return "no day of it is known whole yet"
    if changed:
        return f"whole days are known through {as_of}; compared with the month before through {changed.before_last}"
    began = f", and the store's month before begins on {previous.first}" if previous else ""
    return f"whole days are known through {as_of}{began}"
