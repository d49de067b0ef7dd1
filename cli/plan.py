"""`costsim run` and `costsim schema`: an architecture before it runs."""

from __future__ import annotations

from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import CostsimError, InputError, UnpricedError
from ..json_text import json_text
from ..plurals import quoted_names
from ..usage import DEFAULT_STORE
from .arguments import (
    ArchitectureArgument,
    MonthOption,
    OverlayOption,
    SinceOption,
    UntilOption,
    architecture_or_example,
    day_of,
    days_of,
)
from .output import FORMAT_HELP, OutOption, emit, format_of
from .screen import say, say_at_end, with_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from pydantic import BaseModel
    from rich.console import Console

    from ..analysis.architecture.model import Architecture
    from ..analysis.results import Projection
    from ..analysis.simulation.settings import Settings
    from ..pricing.book import PriceBook


class RunFormat(StrEnum):
    """How `costsim run` prints."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    html = "html"
    pdf = "pdf"


def run(
    architecture: ArchitectureArgument = None,
    format: Annotated[
        RunFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))
    ] = None,
    out: OutOption = None,
    days: Annotated[int, typer.Option(help="Days to project.")] = 30,
    start: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="First day. Default: today; with --from-usage, the day after the logs."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulation: same seed, same ranges.")] = 1,
    trials: Annotated[int, typer.Option(help="Draws behind P10, P50 and P90.")] = 10_000,
    book: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Base prices: list, article-2026 or a book file.")
    ] = None,
    naive: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The baseline's one model. Default: the most expensive one named."),
    ] = None,
    db: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Store the projection in this DuckDB file too.")
    ] = None,
    from_usage: Annotated[
        bool, typer.Option("--from-usage", help="Project what the store's logs show (see costsim load).")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --from-usage: keep the architecture built from the logs.")
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    month: MonthOption = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write the HTML report too, or a PDF.")
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Claims, notes and price lists in full.")] = False,
    scale: Annotated[
        list[str] | None,
        typer.Option(metavar="N|NAME=N", help="What if it ran N times as often: all, or one component."),
    ] = None,
    prices: OverlayOption = None,
    edits: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="What if a key were: components.triage.runs_per_day=300."),
    ] = None,
    moves: Annotated[bool, typer.Option("--moves", help="Each task on each model: cost, fit and evidence.")] = False,
    baseline: Annotated[str | None, typer.Option(metavar="PLAN|MODEL", help="What savings are compared with.")] = None,
    uncertainty: Annotated[
        str | None,
        typer.Option(metavar="PERCENT", help="What if costs are up to 30% off, where components state no uncertainty."),
    ] = None,
) -> None:
    """Cost an architecture before it runs: every plan, per day and month, with a range.

    Compares naive (every task on one model) with routed (the routing) and every plan
    that the file names.

    \b
      costsim run
      costsim run architecture.yaml --days 90 --start 2026-12-01 --report plan.html
      costsim run --from-usage --db costsim.duckdb --month 2026-10 --save observed.yaml
      costsim run architecture.yaml --scale triage=2 --set defaults.cache=null --baseline routed
      costsim run architecture.yaml --format json | jq '.savings[0].percent'
    """
    from ..analysis.simulation.guessed import parse_share
    from ..analysis.simulation.scale import Scale
    from ..analysis.simulation.settings import Settings

    form = _form(format, out, report)
    what_if = _what_if(scale=scale, prices=prices, set=edits, uncertainty=[uncertainty] if uncertainty else None)
    if from_usage:
        wanted, first = _observed(architecture, db, save, days_of(since, until, month), edits)
    elif save or since or until or month:
        raise CostsimError("--save, --since, --until and --month go with --from-usage")
    else:
        wanted, first = _written(architecture, edits), None
    settings = Settings(
        day_of(start) if start or not first else first, days, trials, seed, book, naive, tuple(prices or ()),
        Scale.parse(scale or ()), baseline, what_if, parse_share(uncertainty) if uncertainty else None,
    )  # fmt: skip
    if moves:
        emit(_moves(wanted, settings, db or DEFAULT_STORE, form), out)
        return
    projection = _projected(wanted, settings, db)
    page = cache(partial(_page, projection, wanted, settings))
    if report:
        emit(_printed(page()) if report.suffix.lower() == ".pdf" else page(), report)
    emit(_rendered(projection, form, details, page), out)
    if report:
        say(f"report: {report}", err=True)
    if projection.unpriced:
        raise UnpricedError(_unpriced_line(projection))


def _form(format: RunFormat | None, out: Path | None, report: Path | None) -> RunFormat:
    """How to print; says at once what cannot be written."""
    form = format_of(format, out, RunFormat.table)
    if form is RunFormat.pdf and not out:
        raise CostsimError("a PDF is written to a file: give --out plan.pdf")
    if report and report.suffix.lower() not in (".html", ".htm", ".pdf"):
        raise InputError("the report is a page: name a .html or a .pdf file", file=report)
    return form


def _observed(
    architecture: Path | None,
    db: Path | None,
    save: Path | None,
    days: tuple[date | None, date | None],
    edits: Sequence[str] | None,
) -> tuple[Architecture, date]:
    """The architecture that the store's logs show, and the day after them."""
    from .observed import observed

    if edits:
        raise CostsimError("--set changes an architecture file; with --from-usage, --save it first")
    return observed(architecture, db or DEFAULT_STORE, save, *days)


def _written(architecture: Path | None, edits: Sequence[str] | None) -> Architecture:
    """The architecture file as `--set` changes it."""
    from ..analysis.architecture.edits import edited
    from ..analysis.architecture.load import load_architecture

    file = architecture_or_example(architecture)
    return load_architecture(file, edited(file, edits or ())).architecture


def _projected(wanted: Architecture, settings: Settings, db: Path | None) -> Projection:
    """The projection, with its progress; kept in a DuckDB file where one is named."""
    from ..analysis.simulation.fleets import method
    from ..analysis.simulation.run import project

    if db:
        from ..usage.store import check_database  # loads DuckDB

        check_database(db)
    say_at_end(method(wanted, settings.trials))
    rows: list[Any] = []
    projection = with_progress(
        f"simulating {wanted.name}",
        lambda progress: project(wanted, settings, progress, rows.extend if db else None),
    )
    if db:
        from ..analysis.simulation.table import store_projection

        store_projection(db, projection, rows)
    return projection


def _moves(wanted: Architecture, settings: Settings, store: Path, format: RunFormat) -> str | Callable[[Console], None]:
    """Each task on each model, with what outcomes the store has, if there is one."""
    from ..analysis.simulation.moves import moves
    from ..analysis.simulation.run import costs_of
    from ..reports import moves as show

    costs = costs_of(wanted, settings)
    found = moves(costs, _outcomes(store, costs.book(costs.run_book)))
    match format:
        case RunFormat.table:
            return partial(show.print_moves, found)
        case RunFormat.json:
            return show.as_json(found)
        case RunFormat.csv:
            return show.as_csv(found)
        case RunFormat.markdown:
            return show.as_markdown(found)
    raise CostsimError("--moves has no page; write it as table, json, csv or markdown")


def _outcomes(store: Path, book: PriceBook) -> dict[tuple[str, str], tuple[int, int]]:
    """Runs and solved ones by task and model; none where there is no store, or no outcome in it."""
    from ..analysis.outcomes.costs import book_name
    from ..analysis.outcomes.store import count_outcomes
    from ..usage.store import open_store

    found: dict[tuple[str, str], tuple[int, int]] = {}
    if not store.is_file():
        return found
    with open_store(store, read_only=True) as connection:
        if not connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'outcome'").fetchone():
            return found
        for row in count_outcomes(connection):
            key = (row.task, book_name(book, row.model))
            runs, solved = found.get(key, (0, 0))
            found[key] = (runs + row.trials, solved + row.successes)
    return found


def _what_if(**given: Sequence[object] | None) -> tuple[str, ...]:
    """The options that say what is otherwise than in the file, as they were written."""
    return tuple(f"--{name} {text}" for name, texts in given.items() for text in texts or ())


def _unpriced_line(projection: Projection) -> str:
    names = quoted_names(entry.model for entry in projection.unpriced)
    layers = " + ".join(layer.name for layer in projection.price_book.layers)
    return (
        f"no price for {names} in {layers}; the totals leave those runs out. Check the name with "
        "`costsim prices list`, or add the model to an overlay that `prices:` names"
    )


def _page(projection: Projection, wanted: Architecture, settings: Settings) -> str:
    from ..analysis.simulation.run import costs_of
    from ..analysis.simulation.what_if import what_if
    from ..reports.html import render_html

    return render_html(projection, what_if(costs_of(wanted, settings), projection))


def _printed(page: str) -> bytes:
    from ..reports.pdf import print_pdf

    return print_pdf(page)


def _rendered(
    projection: Projection, format: RunFormat, details: bool, page: Callable[[], str]
) -> str | bytes | Callable[[Console], None]:
    from ..reports import tables

    match format:
        case RunFormat.table:
            from ..reports.terminal import print_projection

            return partial(print_projection, projection, details=details)
        case RunFormat.json:
            return tables.as_json(projection)
        case RunFormat.csv:
            return tables.as_csv(projection)
        case RunFormat.markdown:
            return tables.as_markdown(projection)
        case RunFormat.html:
            return page()
        case RunFormat.pdf:
            return _printed(page())


class Output(StrEnum):
    """The commands whose JSON output is a contract."""

    run = "run"
    check = "check"
    diff = "diff"
    report = "report"


def schema(
    of: Annotated[
        Output | None, typer.Argument(help="The command whose --format json is meant. Default: the architecture file.")
    ] = None,
    out: OutOption = None,
) -> None:
    """Print the JSON Schema of the architecture file, for your editor; or of a command's JSON output.

    \b
      costsim schema --out architecture.schema.json
      costsim schema check
    """
    contract = _contract(of) if of else _architecture()
    emit(json_text({"$schema": "https://json-schema.org/draft/2020-12/schema", **contract}), out)


def _architecture() -> dict[str, Any]:

    from ..analysis.architecture.model import Architecture

    return Architecture.model_json_schema()


def _contract(of: Output) -> dict[str, Any]:
    from ..analysis.budgets.results import CheckResult
    from ..analysis.compare.results import ArchitectureDifference
    from ..analysis.results import Projection
    from ..analysis.review.results import Review

    models: dict[Output, type[BaseModel]] = {
        Output.run: Projection, Output.check: CheckResult, Output.diff: ArchitectureDifference, Output.report: Review,
    }  # fmt: skip
    return models[of].model_json_schema(mode="serialization")
