"""`costsim check`: budgets and promises, held against the projection and the logs, for CI."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ArchitectureError
from ..usage import DEFAULT_STORE
from .arguments import DbOption, MonthOption, OverlayOption, day_of

if TYPE_CHECKING:
    from datetime import date

    from duckdb import DuckDBPyConnection

    from ..analysis.budgets.results import CheckResult

HERE = Path("architecture.yaml")


class CheckFormat(StrEnum):
    """How `costsim check` prints."""

    table = "table"
    json = "json"
    markdown = "markdown"


def check(
    architecture: Annotated[
        Path | None, typer.Argument(help="Architecture file. Default: architecture.yaml here.")
    ] = None,
    usage: Annotated[
        bool, typer.Option("--usage", help="Check the store's usage too: the month so far, and its forecast.")
    ] = False,
    db: DbOption = DEFAULT_STORE,
    budgets: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Budgets, instead of those that the architecture states.")
    ] = None,
    month: MonthOption = None,
    max_rejected: Annotated[
        str, typer.Option(metavar="N", help="Log lines that may be unreadable: a number, or a share such as 0.5%.")
    ] = "0",
    book: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Base prices: list, article-2026 or a book file.")
    ] = None,
    prices: OverlayOption = None,
    trials: Annotated[int, typer.Option(help="Draws behind quantiles and chances.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation: same seed, same figures.")] = 1,
    today: Annotated[
        str | None, typer.Option(metavar="DATE", help="The day by which exceptions expire. Default: today.")
    ] = None,
    format: Annotated[CheckFormat, typer.Option("--format", "-f", help="How to print.")] = CheckFormat.table,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here instead of printing.")
    ] = None,
) -> None:
    """Hold an architecture, and what was spent, to its budgets; for CI.

    Fails on a breached budget, a model without a price, an error in the routing, a claim that does not hold and
    log lines that cannot be read. Exit codes: 0 within, 1 breached, 2 bad input.

    \b
      costsim check architecture.yaml
      costsim check architecture.yaml --usage --format markdown
      costsim check --usage --budgets budgets.yaml
    """
    from ..analysis.budgets.check import CheckSettings, Rejects
    from ..analysis.budgets.check import check as compute

    settings = CheckSettings(
        day_of(today), _month(month), trials, seed, book, tuple(prices or ()), Rejects.parse(max_rejected)
    )
    file = architecture or _found_here(needed=not (usage and budgets))
    with _store(db if usage else None) as store:
        result = compute(file, settings, budgets=budgets, usage=store)
    _print(result, format, output)
    raise typer.Exit(result.exit_code)


def _month(month: str | None) -> date | None:
    if month is None:
        return None
    from ..analysis.spend import month_span

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

    return open_store(db)


def _print(result: CheckResult, format: CheckFormat, output: Path | None) -> None:
    from ..documents import write_file
    from ..reports import check as show

    if format is CheckFormat.table and not output:
        from .screen import console

        show.print_check(result, console())
        return
    text = show.as_json(result) if format is CheckFormat.json else show.as_markdown(result)
    if output:
        write_file(output, text)
    else:
        sys.stdout.write(text)
