"""A store of logged usage under one price book, as programs use it: open it, load logs, ask.

    with costsim.open_store(Path("costsim.duckdb")) as store:
        store.load(["logs"])
        print(store.spend(by=("component", "model")).total.computed_usd)

No order of calls matters: what was loaded since is summed and priced when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .usage import DEFAULT_STORE
from .usage.rollup import TOUCHED
from .usage.store import open_store as open_connection
from .usage.store import scalar

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .analysis.architecture.model import Architecture
    from .analysis.decided.results import DecisionRecord
    from .analysis.profile.results import Profiles
    from .analysis.reconcile.results import Reconciliation
    from .analysis.replay.reroute import Reroute
    from .analysis.replay.results import Replay
    from .analysis.review.results import Review
    from .analysis.review.review import Progress as ReviewProgress
    from .analysis.routing.routing import RoutingConfig
    from .analysis.spend.spend import Spend
    from .pricing.book import PriceBook
    from .usage.attribution import Rule
    from .usage.load import LoadReport
    from .usage.load import Progress as LoadProgress
    from .usage.reader import Role
    from .usage.readers.mapped import Mapping
    from .usage.roles import SourceRoles

NEWEST = "SELECT strftime(coalesce(max(day) FILTER (day <= ?), max(day)), '%Y-%m') FROM usage_daily"


@contextmanager
def open_store(
    path: Path = DEFAULT_STORE, book: PriceBook | None = None, *, read_only: bool = False
) -> Iterator[Store]:
    """The store at `path`, priced by `book` (default: the list prices); made where there is none.

    `read_only` opens a store that exists beside other readers, and keeps in memory what is to be summed yet.
    Raises StoreError: no store, another process writes to it, or it is no DuckDB file.
    """
    from .analysis.spend.ledger import open_ledger
    from .pricing.book import open_book

    prices = book or open_book()
    if read_only:
        with open_ledger(path, prices) as ledger:
            yield Store(ledger.connection, prices)
        return
    with open_connection(path) as connection:
        yield Store(connection, prices)


@dataclass(frozen=True)
class Store:
    """An open store of logged calls and the price book they are priced by: make one with `open_store`.

    `connection` is DuckDB's, open to any SQL: the tables are usage_event, usage_daily, load, reject, unread and
    outcome.
    """

    connection: DuckDBPyConnection
    book: PriceBook

    def load(
        self,
        paths: Sequence[str | Path],
        *,
        format: str | None = None,
        mapping: Mapping | None = None,
        attribution: Sequence[Rule] | None = None,
        strict: bool = False,
        acknowledged: Sequence[str] = (),
        role: Role | None = None,
        roles: SourceRoles | None = None,
        progress: LoadProgress | None = None,
    ) -> LoadReport:
        """Load files, folders, globs or the standard input (`-`); a call in several of them counts once.

        `format` names a log format (default: recognised from content), `mapping` the columns of one of your own,
        `attribution` rules give calls their component, agent and task. What is known not to be usage is
        `acknowledged`. `role` says that these files are calls, or what the provider billed; `roles` says it of sources
        by their name. Returns what was read, rejected and not counted. Raises UsageLogError for a path that is not
        usable, and where `strict` for a line that cannot be read or usage that is not counted.
        """
        from .usage.load import load

        report = load(
            self.connection, paths, format=format, mapping=mapping, attribution=attribution, strict=strict,
            acknowledged=acknowledged, role=role, roles=roles, progress=progress,
        )  # fmt: skip
        if scalar(self.connection, TOUCHED):  # sum now, while the store is open for writing: readers need no lock
            from .analysis.spend.ledger import bring_up_to_date

            bring_up_to_date(self.connection, self.book)
        return report

    def spend(
        self,
        *,
        by: Sequence[str] = ("day",),
        since: date | None = None,
        until: date | None = None,
        reprice: date | None = None,
        tz: str = "UTC",
        where: str | Sequence[str] = (),
        top: int | None = None,
    ) -> Spend:
        """What the calls from `since` to `until` (both included; None: no bound) cost, USD, exact.

        `by` are the words of `costsim spend --by`: a row each combination, models without a price first. `reprice`
        adds the cost at that day's prices; days and months are those of `tz`, an IANA name. `where` limits it to calls
        for which all hold, as `agent=cto,model=*opus*`; `top` keeps that many of the most expensive groups apart.
        Raises CostsimError for an unknown word or zone.
        """
        from .analysis.spend.query import Query, parse_where
        from .analysis.spend.spend import spend

        conditions = parse_where([where] if isinstance(where, str) else where)
        query = Query(tuple(by), since, until, reprice, tz, conditions, top)
        query.check()
        return spend(self.connection, self.book, query)

    def reconcile(
        self,
        *,
        by: Sequence[str] = (),
        since: date | None = None,
        until: date | None = None,
        tolerance: str = "1%",
    ) -> Reconciliation:
        """Whether the sources of the days from `since` to `until` agree, and with the bill: USD, exact.

        Every pair of sources with the same spend, its difference split into calls missing on either side, calls on
        another day, tokens, price, credits and what is unexplained; grouped `by` day, month, provider, model, class.
        `tolerance` is a share of the larger amount (`1%`) or USD (`5`). Raises CostsimError for words that mean
        neither.
        """
        from .analysis.reconcile.reconcile import ReconcileQuery, Tolerance, reconcile

        query = ReconcileQuery(tuple(by), since, until, Tolerance.parse(tolerance))
        return reconcile(self.connection, self.book, query)

    def export_focus(
        self,
        file: Path,
        *,
        since: date | None = None,
        until: date | None = None,
        account: str = "costsim",
        version: str = "1.3",
        tags: Sequence[str] = (),
    ) -> int:
        """Write FOCUS rows, a row per day, component, model and token class, as CSV or (.parquet) Parquet.

        `account` is the BillingAccountId, `version` 1.3 or 1.2, `tags` are dimensions to put into Tags. Returns the
        number of rows. Raises UnpricedError where a model has no
        price, OutputError where the file cannot be written; then nothing is.
        """
        from .analysis.spend.focus import focus_rows
        from .reports.focus import write_focus

        return write_focus(
            focus_rows(self.connection, self.book, since, until, account, version=version, tags=tags), file
        )

    def newest_month(self, today: date | None = None) -> str | None:
        """The newest month that has usage up to `today` (default: the day, UTC), as 2026-10; None without any.

        A call with a date in the future, of a clock that was wrong, makes no month; where all are, the last one does.
        """
        from .analysis.spend.ledger import Ledger

        connection = Ledger.open(self.connection, self.book).connection
        found = connection.execute(NEWEST, [today or datetime.now(UTC).date()]).fetchone()
        return found[0] if found else None

    def review(
        self,
        month: str,
        *,
        today: date,
        name: str,
        architecture: Architecture | None = None,
        routing: RoutingConfig | None = None,
        records: Sequence[DecisionRecord] = (),
        calibrated: bool = True,
        progress: ReviewProgress | None = None,
    ) -> Review:
        """The monthly routing review of a month written 2026-10: what was spent, why it changed, what to decide.

        `today` ends a running month; budgets and the planned routing are the architecture's, the mapping of `routing`
        in place of its own; `records` are decisions that were taken, and measured; `calibrated` compares past
        forecasts with what happened. USD, exact, ranges apart. Raises CostsimError where the month has no usage.
        """
        from .analysis.review.review import review

        return review(
            self.connection, self.book, month, today=today, name=name, architecture=architecture, routing=routing,
            records=records, calibrated=calibrated, progress=progress,
        )  # fmt: skip

    def replay(
        self, reroute: Reroute, *, since: date | None = None, until: date | None = None, as_logged: bool = False
    ) -> Replay:
        """The calls from `since` to `until` priced as `reroute` would have sent them, against what was spent, USD.

        A reroute is made by `costsim.analysis.replay.reroute`: to one model, by a routing file, by a plan. Token
        counts are scaled by what the store measured, unless `as_logged`. Models without a price are in `unpriced`.
        """
        from .analysis.replay.replay import replay

        return replay(self.connection, self.book, reroute, since=since, until=until, as_logged=as_logged)

    def profile(
        self,
        name: str,
        *,
        by: Literal["component", "task"] = "component",
        where: Sequence[str] = (),
        since: date | None = None,
        until: date | None = None,
    ) -> Profiles:
        """The `session` that each component's (or task's) calls of those days (UTC) show, with the errors of the fit.

        `name` is what the file calls the store; `where` chooses calls as in spend (`component=triage`). The result's
        `yaml` is an architecture file. Tokens are means per session. Raises CostsimError where no call is chosen.
        """
        from .analysis.profile.profile import profile
        from .analysis.spend.query import parse_where

        return profile(self.connection, name, by=by, where=parse_where(where), since=since, until=until)

    def observed(self, path: Path, *, since: date | None = None, until: date | None = None) -> dict[str, object]:
        """The architecture that the calls of those days (UTC) show, as the data of an architecture file.

        `path` is the store's own: the architecture draws its tokens from there. Raises CostsimError without calls.
        """
        from .analysis.spend.observe import observed_architecture

        return observed_architecture(self.connection, path, path.stem, since, until)
