"""`costsim run` and `costsim schema`: an architecture before it runs."""

from __future__ import annotations

from enum import StrEnum
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import CostsimError, InputError, UnpricedError
from ..json_text import json_text
from ..usage import DEFAULT_STORE
from .arguments import architecture_or_example, day_of, days_of
from .grouped import grouped
from .output import OutOption, emit, format_of
from .plan_options import RunFormat, RunOptions
from .refused import refuses
from .screen import say, say_at_end, with_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from pydantic import BaseModel
    from rich.console import Console

    from ..analysis.architecture.model import Architecture
    from ..analysis.projection import Projection
    from ..analysis.simulation.settings import Settings
    from ..pricing.book import PriceBook


@refuses(
    "save", "since", "until", "month", case=lambda asked: not asked["from_usage"], why="read only with --from-usage"
)
@refuses("report", "details", case=lambda asked: asked["moves"], why="not read with --moves")
@grouped(RunOptions)
def run(asked: RunOptions) -> None:
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
    form = _form(asked)
    wanted, settings = _wanted(asked)
    if asked.moves:
        emit(_moves(wanted, settings, asked.db or DEFAULT_STORE, form), asked.out)
        return
    projection = _projected(wanted, settings, asked.db)
    page = cache(partial(_page, projection, wanted, settings))
    if asked.report:
        emit(_printed(page()) if asked.report.suffix.lower() == ".pdf" else page(), asked.report)
    emit(_rendered(projection, form, asked.details, page), asked.out)
    if asked.report:
        say(f"report: {asked.report}", err=True)
    if projection.unpriced:
        book = " + ".join(layer.name for layer in projection.price_book.layers)
        models = (entry.model for entry in projection.unpriced)
        raise UnpricedError.of(models, "the totals leave those runs out", book)


def _form(asked: RunOptions) -> RunFormat:
    """How to print; says at once what cannot be written."""
    form = format_of(asked.format, asked.out, RunFormat.table)
    if form is RunFormat.pdf and not asked.out:
        raise CostsimError("a PDF is written to a file: give --out plan.pdf")
    if asked.report and asked.report.suffix.lower() not in (".html", ".htm", ".pdf"):
        raise InputError("the report is a page: name a .html or a .pdf file", file=asked.report)
    return form


def _wanted(asked: RunOptions) -> tuple[Architecture, Settings]:
    """The architecture, of a file or of the store's logs, and how it is projected."""
    from ..analysis.simulation.guessed import parse_share
    from ..analysis.simulation.scale import Scale
    from ..analysis.simulation.settings import Settings

    if asked.from_usage:
        wanted, first = _observed(asked)
    else:
        wanted, first = _written(asked), None
    settings = Settings(
        first if first and not asked.start else day_of(asked.start),
        asked.days,
        asked.trials,
        asked.seed,
        asked.book,
        asked.naive,
        tuple(asked.prices or ()),
        Scale.parse(asked.scale or ()),
        asked.baseline,
        _what_if(asked),
        parse_share(asked.uncertainty) if asked.uncertainty else None,
    )
    return wanted, settings


def _observed(asked: RunOptions) -> tuple[Architecture, date]:
    """The architecture that the store's logs show, and the day after them."""
    from .observed import observed

    days = days_of(asked.since, asked.until, asked.month)
    if asked.edits:
        raise CostsimError("--set changes an architecture file; with --from-usage, --save it first")
    return observed(asked.architecture, asked.db or DEFAULT_STORE, asked.save, *days)


def _written(asked: RunOptions) -> Architecture:
    """The architecture file as `--set` changes it."""
    from ..analysis.architecture.edits import edited
    from ..analysis.architecture.load import load_architecture

    file = architecture_or_example(asked.architecture)
    return load_architecture(file, edited(file, asked.edits or ())).architecture


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


def _what_if(asked: RunOptions) -> tuple[str, ...]:
    """The options that say what is otherwise than in the file, as they were written."""
    given: dict[str, Sequence[object] | None] = {
        "scale": asked.scale,
        "prices": asked.prices,
        "set": asked.edits,
        "uncertainty": [asked.uncertainty] if asked.uncertainty else None,
    }
    return tuple(f"--{name} {text}" for name, texts in given.items() for text in texts or ())


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
    from ..analysis.projection import Projection
    from ..analysis.review.results import Review

    models: dict[Output, type[BaseModel]] = {
        Output.run: Projection, Output.check: CheckResult, Output.diff: ArchitectureDifference, Output.report: Review,
    }  # fmt: skip
    return models[of].model_json_schema(mode="serialization")
