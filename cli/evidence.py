"""`costsim evaluate`, `outcomes`, `recommend` and `replay`: what routing is worth, from evidence."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from ..errors import CostsimError, InputError, OutputError, StoreError, UnpricedError
from ..json_text import json_text
from ..usage import DEFAULT_STORE
from .arguments import (
    EXAMPLES,
    HERE,
    ArchitectureArgument,
    BookOption,
    DbOption,
    MonthOption,
    OverlayOption,
    SinceOption,
    UntilOption,
    architecture_or_example,
    day_of,
    days_of,
    existing,
    stack_of,
)
from .output import FORMAT_HELP, OutOption, emit, format_of
from .refused import refuses
from .screen import say

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from duckdb import DuckDBPyConnection
    from pydantic import BaseModel
    from rich.console import Console

    from ..analysis.outcomes.outcomes import Evidence, OutcomeReport, TaskModel
    from ..analysis.replay.reroute import Reroute
    from ..pricing.book import PriceBook

Found = TypeVar("Found", bound="BaseModel")


EXAMPLE_TABLE = EXAMPLES / "routers" / "gsm8k.csv"


class EvidenceFormat(StrEnum):
    """How evidence is printed."""

    table = "table"
    json = "json"


class TableFormat(StrEnum):
    """How `costsim replay` and `costsim recommend` print."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


FormatOption = Annotated[
    EvidenceFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))
]
TableFormatOption = Annotated[
    TableFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))
]
MinSuccessOption = Annotated[
    float, typer.Option("--min-success", min=0, max=1, help="The success rate that a model must surely reach.")
]


def evaluate(
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV: weak_ok,strong_ok or query,model,quality,cost. Default: the shipped GSM8K table."),
    ] = None,
    score: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The router's score. Default: the column score, if any.")
    ] = None,
    format: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Measure routers on a per-query table: cost-quality curve, AIQ, and RouteLLM's APGR and CPT.

    Beside the router whose scores the table has stand the one that knows nothing and the
    one that knows every outcome.

    \b
      costsim evaluate
      costsim evaluate outcomes.csv --score predicted --format json
    """
    from ..analysis.router_eval.evaluation import evaluate as measure
    from ..analysis.router_eval.query_tables import read_table

    found = measure(read_table(file or EXAMPLE_TABLE, score))
    from ..reports.evidence import print_evaluation

    name = (file or EXAMPLE_TABLE).name
    _emit(found, lambda console: print_evaluation(found, name, console), format, out)


def _emit(
    found: BaseModel, print_on: Callable[[Console], None], format: EvidenceFormat | None, out: Path | None
) -> None:
    as_json = format_of(format, out, EvidenceFormat.table) is EvidenceFormat.json
    emit(json_text(found) if as_json else print_on, out)


@refuses("architecture", case=lambda asked: asked["plan"] is None, why="read only with --plan NAME")
def replay(
    plan: Annotated[
        str | None, typer.Option(metavar="NAME", help="A plan of the architecture: routed, naive or a named one.")
    ] = None,
    architecture: Annotated[Path, typer.Option(metavar="FILE", help="The architecture that --plan is of.")] = HERE,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Instead: a routing file, each task on its model.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help="Instead: every call on this model.")] = None,
    db: DbOption = DEFAULT_STORE,
    since: SinceOption = None,
    until: UntilOption = None,
    month: MonthOption = None,
    as_logged: Annotated[
        bool, typer.Option("--as-logged", help="Keep token counts as logged: no measured multipliers.")
    ] = False,
    format: TableFormatOption = None,
    out: OutOption = None,
    book: BookOption = None,
    prices: OverlayOption = None,
) -> None:
    """Price the logged calls as if another routing had sent them, against what was spent.

    Each call keeps its moment and its tokens; where the store has both models on a task,
    tokens are scaled by what was measured there, and the range says how sure that is.
    Within a session, a cached prefix is written again at every switch of model; moving
    whole sessions is shown beside it, and from how many turns on a switch pays.

    \b
      costsim replay --plan routed --architecture architecture.yaml --month 2026-10
      costsim replay --config model-routing.json --format json
      costsim replay --model anthropic/claude-haiku-4-5 --as-logged
    """
    from ..reports import replay as show
    from ..store import open_store

    first, last = days_of(since, until, month)
    reroute = _reroute(plan, architecture, config, model)
    stack = stack_of(book, prices, architecture if plan else None)
    with open_store(existing(db), stack, read_only=True) as store:
        found = store.replay(reroute, since=first, until=last, as_logged=as_logged)
    chosen = format_of(format, out, TableFormat.table)
    emit(in_table_format(found, chosen, table=show.print_replay, csv=show.as_csv, markdown=show.as_markdown), out)
    if found.unpriced:
        raise UnpricedError.of((row.model for row in found.unpriced), "those calls are in neither figure")


def _reroute(plan: str | None, architecture: Path, config: Path | None, model: str | None) -> Reroute:
    from ..analysis.architecture.load import read_architecture
    from ..analysis.replay.reroute import reroute_by_plan, reroute_by_routing, reroute_to_model
    from ..analysis.routing.routing import read_routing

    if sum(given is not None for given in (plan, config, model)) != 1:
        raise CostsimError("say what to replay, one of: --plan NAME, --config FILE, --model MODEL")
    if model:
        return reroute_to_model(model)
    if config:
        return reroute_by_routing(read_routing(config))
    return reroute_by_plan(read_architecture(architecture), plan or "", day_of(None))


@refuses("min_success", case=lambda asked: asked["from_usage"], why="not read with --from-usage")
def outcomes(
    file: Annotated[
        Path | None, typer.Argument(help="CSV or JSON lines: ts,task,model,success[,escalated,human_score,usd,…].")
    ] = None,
    db: DbOption = DEFAULT_STORE,
    from_usage: Annotated[
        bool, typer.Option("--from-usage", help="Instead: how often logged calls failed, by task and model.")
    ] = False,
    month: MonthOption = None,
    min_success: MinSuccessOption = 0.95,
    format: FormatOption = None,
    out: OutOption = None,
    book: BookOption = None,
    prices: OverlayOption = None,
) -> None:
    """Track how models do: success per task and model, what changed since last month, cost per solved task.

    Loads the file (again: replaces its rows), then shows all outcomes of the store, or of a
    month. Rates have their Wilson interval; a change against the month before counts only
    where Fisher's exact test, adjusted for all tests, says so.

    \b
      costsim outcomes outcomes.csv
      costsim outcomes --from-usage --month 2026-10
    """
    from ..reports.evidence import print_outcomes

    since, until = days_of(None, None, month)
    stack = stack_of(book, prices)
    if from_usage:
        if file:
            raise InputError("give either a file of outcomes or --from-usage")
        _print_error_rates(existing(db), stack, since, until, format, out)
        return
    if not file and not db.exists():
        raise StoreError(f"{db}: there are no outcomes; load them first: costsim outcomes FILE")
    report = _reported(file, db, stack, since, until, min_success)
    _emit(report, partial(print_outcomes, report), format, out)


def _reported(
    file: Path | None, db: Path, stack: PriceBook, since: date | None, until: date | None, min_success: float
) -> OutcomeReport:
    """The outcomes of the store, those of `file` loaded before."""
    from ..analysis.outcomes.costs import paid_usd, report_month, under_book_names
    from ..analysis.outcomes.outcomes import Criteria, report_outcomes
    from ..analysis.outcomes.store import count_outcomes, load_outcomes
    from ..csv_reading import last_line_waits
    from ..months import moments
    from ..usage.store import open_store

    with open_store(db, read_only=not file) as store:
        if file:
            say(f"{file}: {load_outcomes(store, file):,} outcomes", err=True)
            if last_line_waits(file):
                say(f"{file}: the last line has no line end and may be half written; load it again", err=True)
        counts = under_book_names(count_outcomes(store, None, moments(since, until)[1]), stack)
        paid = paid_usd(store, stack, since, until)
    criteria = Criteria(min_success=min_success)
    return report_month(counts, since, paid, criteria) if since else report_outcomes(counts, paid, criteria)


def _print_error_rates(
    db: Path, book: PriceBook, since: date | None, until: date | None, format: EvidenceFormat | None, out: Path | None
) -> None:
    from ..analysis.outcomes.error_rates import error_rates
    from ..reports.evidence import print_error_rates
    from ..usage.store import open_store

    with open_store(db, read_only=True) as store:
        found = error_rates(store, book, since, until)
    _emit(found, partial(print_error_rates, found), format, out)


def recommend(
    architecture: ArchitectureArgument = None,
    db: DbOption = DEFAULT_STORE,
    min_success: MinSuccessOption = 0.95,
    budget: Annotated[
        str | None, typer.Option(metavar="USD", help="Instead: the most successes for so much a month (30 days).")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The routing file to change. Default: the architecture's.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the new routing here; an existing file only if --config.")
    ] = None,
    format: TableFormatOption = None,
    out: OutOption = None,
    book: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Base prices: list, article-2026 or a book file.")
    ] = None,
) -> None:
    """Recommend a routing: for each task the cheapest model whose success surely clears the floor.

    The evidence is the store's outcomes (costsim outcomes FILE); a model without any is never
    recommended. That logged calls returned is no evidence. Costs are the architecture's
    over 30 days, with the cached prefixes that a move would write again where the store's
    calls show tasks to share their sessions. Prints the diff of the routing.

    \b
      costsim recommend architecture.yaml
      costsim recommend architecture.yaml --budget 250
      costsim recommend architecture.yaml --config model-routing.json --save model-routing.json
    """
    from ..analysis.architecture.load import read_architecture
    from ..analysis.recommend.task_costs import advise, routing_text
    from ..analysis.spend.ledger import open_ledger
    from ..pricing.book import open_book
    from ..reports import recommendation as show
    from ..writing import write_file

    usd = _budget(budget)
    wanted = read_architecture(architecture_or_example(architecture))
    if save and save.exists() and not (config and save.resolve() == config.resolve()):
        raise OutputError(f"{save}: there is a file already; give it as --config too, or name another for --save")
    text, stack = routing_text(wanted, config), open_book(book or wanted.book, wanted.prices)
    with open_ledger(db, stack) as ledger:
        evidence = evidence_in(ledger.connection, stack)
        found = advise(
            wanted, text, evidence, day_of(None), book=book, min_success=min_success, budget_usd=usd, log=ledger
        )
    chosen = format_of(format, out, TableFormat.table)
    emit(in_table_format(found, chosen, table=show.print_advice, csv=show.as_csv, markdown=show.as_markdown), out)
    if save:
        write_file(save, found.routing)
        say(f"routing: {save}", err=True)


def evidence_in(store: DuckDBPyConnection, stack: PriceBook) -> dict[TaskModel, Evidence]:
    """The outcomes of an open store, by task and model."""
    from ..analysis.outcomes.costs import under_book_names
    from ..analysis.outcomes.outcomes import evidence_of
    from ..analysis.outcomes.store import count_outcomes

    return evidence_of(under_book_names(count_outcomes(store), stack))


def in_table_format(
    found: Found,
    format: TableFormat,
    *,
    table: Callable[[Found, Console], None],
    csv: Callable[[Found], str],
    markdown: Callable[[Found], str],
) -> str | Callable[[Console], None]:
    """A result in the form that is asked for; JSON is the result itself."""
    match format:
        case TableFormat.table:
            return partial(table, found)
        case TableFormat.json:
            return json_text(found)
        case TableFormat.csv:
            return csv(found)
        case TableFormat.markdown:
            return markdown(found)


def _budget(text: str | None) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$"))
    except InvalidOperation:
        raise InputError(f"{text!r} is not an amount in USD", key="budget") from None
    if not (amount.is_finite() and 0 <= amount < 10**12):
        raise InputError(f"{text!r} is not an amount in USD", key="budget")
    return amount
