"""`costsim reconcile`: whether the sources of the store agree with one another and with the bill."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import Annotated

import typer

from ..usage import DEFAULT_STORE
from .arguments import (
    BookOption,
    DbOption,
    MonthOption,
    OverlayOption,
    SinceOption,
    UntilOption,
    days_of,
    existing,
    stack_of,
)
from .output import FORMAT_HELP, OutOption, emit, format_of


class ReconcileFormat(StrEnum):
    """How `costsim reconcile` prints."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


def reconcile(
    db: DbOption = DEFAULT_STORE,
    by: Annotated[
        str, typer.Option(metavar="WORDS", help="Group each pair too by: day, month, provider, model, class.")
    ] = "",
    since: SinceOption = None,
    until: UntilOption = None,
    month: MonthOption = None,
    tolerance: Annotated[
        str, typer.Option(metavar="SHARE", help="What may differ: a share such as 1%, or USD such as 5.")
    ] = "1%",
    format: Annotated[
        ReconcileFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))
    ] = None,
    book: BookOption = None,
    prices: OverlayOption = None,
    out: OutOption = None,
) -> None:
    """Compare logs with gateways and bills: the difference, split exactly, and its causes, largest first.

    Calls missing on either side, tokens, price (rate, tier, region, batch, discount), credits, unexplained. Exit code 1
    where a pair differs beyond the tolerance.

    \b
      costsim reconcile --month 2026-10
      costsim reconcile --by day,model --tolerance 0.5%
      costsim reconcile --format csv --out differences.csv
    """
    from ..analysis.reconcile.reconcile import ReconcileQuery, Tolerance
    from ..reports import reconcile as show
    from ..store import open_store

    first, last = days_of(since, until, month)
    query = ReconcileQuery(tuple(filter(None, by.split(","))), first, last, Tolerance.parse(tolerance))
    query.check()
    with open_store(existing(db), stack_of(book, prices), read_only=True) as store:
        result = store.reconcile(by=query.by, since=first, until=last, tolerance=tolerance)
    match format_of(format, out, ReconcileFormat.table):
        case ReconcileFormat.json:
            emit(show.as_json(result), out)
        case ReconcileFormat.csv:
            emit(show.as_csv(result), out)
        case ReconcileFormat.markdown:
            emit(show.as_markdown(result), out)
        case ReconcileFormat.table:
            emit(partial(show.print_reconciliation, result), out)
    if result.exit_code:
        raise typer.Exit(result.exit_code)
