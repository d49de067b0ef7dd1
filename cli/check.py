"""`costsim check`: budgets and promises, compared with the projection and the logs, for CI."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..errors import ArchitectureError, InputError, OutputError
from ..usage import DEFAULT_STORE
from .arguments import HERE, DbOption, MonthOption, OverlayOption, day_of, existing, price_files
from .grouped import grouped
from .output import FORMAT_HELP, FindingsFormat, OutOption, emit, format_of
from .refused import refuses
from .screen import say, say_json, with_progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from duckdb import DuckDBPyConnection
    from rich.console import Console

    from ..analysis.budgets.check import CheckSettings
    from ..analysis.budgets.results import CheckResult
    from ..reports.ci import CiFormat


class NotifyFormat(StrEnum):
    """What `costsim check --notify` posts."""

    slack = "slack"
    json = "json"


@dataclass(frozen=True)
class CheckOptions:
    """What `costsim check` is asked for."""

    architecture: Annotated[Path | None, typer.Argument(help="Architecture file. Default: architecture.yaml here.")] = (
        None
    )
    usage: Annotated[
        bool, typer.Option("--usage", help="Check the store's usage too: the month so far, and its forecast.")
    ] = False
    db: DbOption = DEFAULT_STORE
    budgets: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Budgets, instead of those that the architecture states.")
    ] = None
    month: MonthOption = None
    max_rejected: Annotated[
        str, typer.Option(metavar="N", help="Log lines that may be unreadable: a number, or a share such as 0.5%.")
    ] = "0"
    book: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Base prices: list, article-2026 or a book file.")
    ] = None
    prices: OverlayOption = None
    trials: Annotated[int, typer.Option(help="Draws behind quantiles and chances.")] = 2_000
    seed: Annotated[int, typer.Option(help="Seed of the simulation: same seed, same figures.")] = 1
    today: Annotated[
        str | None, typer.Option(metavar="DATE", help="The day by which exceptions expire. Default: today.")
    ] = None
    format: Annotated[
        FindingsFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))
    ] = None
    out: OutOption = None
    notify: Annotated[
        str | None,
        typer.Option(
            metavar="VARIABLE", help="Unless all is within: notify the webhook whose URL that variable holds."
        ),
    ] = None
    notify_format: Annotated[
        NotifyFormat, typer.Option(help="What the webhook gets: a Slack message, or the result as JSON.")
    ] = NotifyFormat.slack
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what --notify would send; send nothing.")] = False


@refuses("db", "max_rejected", case=lambda asked: not asked["usage"], why="read only with --usage")
@refuses("notify_format", "dry_run", case=lambda asked: not asked["notify"], why="read only with --notify VARIABLE")
@grouped(CheckOptions)
def check(asked: CheckOptions) -> None:
    """Compare an architecture, and what was spent, with its budgets; for CI.

    Fails on a breached budget, a model without a price, an error in the routing, a claim that does not hold and
    log lines that cannot be read. Exit codes: 0 within, 1 breached, 2 bad input.

    \b
      costsim check architecture.yaml
      costsim check architecture.yaml --usage --format markdown
      costsim check --usage --budgets budgets.yaml
      costsim check --usage --notify COSTSIM_WEBHOOK_URL
    """
    file = asked.architecture or _found_here(needed=not (asked.usage and asked.budgets))
    result = _checked(asked, file)
    emit(_rendered(result, format_of(asked.format, asked.out, FindingsFormat.table)), asked.out)
    if asked.notify and result.status != "pass":
        _notify(result, asked.notify, asked.notify_format, asked.dry_run)
    elif asked.notify and not asked.dry_run:
        _say_if_nobody_could_be_notified(asked.notify)
    raise typer.Exit(result.exit_code)


def _checked(asked: CheckOptions, file: Path | None) -> CheckResult:
    """The verdicts: of the architecture in `file`, or of usage alone where there is none."""
    from ..analysis.budgets.check import check as compute

    settings = _settings(asked, file)
    with _store(asked.db if asked.usage else None) as store:
        return with_progress(
            "checking",
            lambda shown: compute(file, replace(settings, progress=shown), budgets=asked.budgets, usage=store),
        )


def _settings(asked: CheckOptions, file: Path | None) -> CheckSettings:
    """How to check; usage alone is priced by the architecture of the working folder, if there is one."""
    from ..analysis.budgets.check import CheckSettings
    from ..analysis.budgets.rejects import Rejects

    book: str | Path | None = asked.book
    prices = asked.prices or []
    if file is None and HERE.is_file():
        book, prices = price_files(asked.book, asked.prices, HERE)
    return CheckSettings(
        day_of(asked.today),
        _month(asked.month),
        asked.trials,
        asked.seed,
        None if book is None else str(book),
        tuple(prices),
        Rejects.parse(asked.max_rejected),
    )


def _month(month: str | None) -> date | None:
    if month is None:
        return None
    from ..months import month_span

    return month_span(month)[0]


def _found_here(*, needed: bool) -> Path | None:
    """The architecture of this folder; never the shipped example, which would pass for yours."""
    if needed and not HERE.exists():
        raise ArchitectureError(
            "there is no architecture.yaml here; name the file to check, or write one: costsim init"
        )
    return HERE if needed else None


def _store(db: Path | None) -> AbstractContextManager[DuckDBPyConnection | None]:
    """The store, opened; nothing where no usage is asked for."""
    if db is None:
        return nullcontext()
    from ..usage.store import open_store

    return open_store(existing(db), read_only=True)


def _rendered(result: CheckResult, format: FindingsFormat) -> str | Callable[[Console], None]:
    from ..reports import check as show
    from ..reports.ci import render
    from ..reports.ci.pull_request_comment import check_comment

    match format:
        case FindingsFormat.table:
            return partial(show.print_check, result)
        case FindingsFormat.json:
            return show.as_json(result)
        case FindingsFormat.markdown:
            return check_comment(result)
    return render(cast("CiFormat", format.value), show.headline(result), result.verdicts)


def _notify(result: CheckResult, variable: str, format: NotifyFormat, dry_run: bool) -> None:
    """Notify the webhook. A breach stays exit code 1 even where that failed; raises OutputError elsewhere."""
    from ..reports import check as show
    from ..reports.notify import notify, slack_message

    lines = [show.line(verdict) for verdict in show.not_passed(result)]
    slack = format is NotifyFormat.slack
    payload = slack_message(show.headline(result), lines) if slack else result.model_dump(mode="json")
    try:
        said = notify(payload, variable, dry_run=dry_run)
        say_json(said) if dry_run else say(said, err=True)
    except OutputError as error:
        if not result.exit_code:
            raise
        say(f"costsim: {error}", err=True)


def _say_if_nobody_could_be_notified(variable: str) -> None:
    """Now, while all is within: a secret that is missing would show only on the day of a breach."""
    from ..reports.notify import url_of

    try:
        url_of(variable)
    except InputError as error:
        say(f"note: {error.message}; of a breach nobody would be notified", err=True)
