"""The command line: each command parses, calls one function of the API and hands the result to one renderer."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import __version__
from .errors import CostsimError, InputError, OutputError, UnpricedError

if TYPE_CHECKING:
    from .analysis.results import Projection
    from .pricing.book import PriceBook

app = typer.Typer(
    name="costsim",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done; 2 bad input, or a model has no price (one line says what, where, how to mend it).",
)
prices_app = typer.Typer(
    no_args_is_help=True, help="Look into the price books: what a model costs, since when, says who."
)
app.add_typer(prices_app, name="prices")

EXAMPLES = Path(__file__).parent / "examples"
EXAMPLE = EXAMPLES / "c-suite" / "architecture.yaml"


class Format(StrEnum):
    """How `costsim run` prints."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"costsim {__version__}")
        raise typer.Exit


@app.callback()
def _costsim(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """What a fleet of LLM agents will cost, before it runs; exact, dated, explained.

    Start with [bold]costsim run[/bold]: without a file it costs the shipped example, a ten-part C-suite of agents.
    Then write your own [bold]architecture.yaml[/bold] ([bold]costsim schema[/bold] helps your editor) and run
    [bold]costsim run architecture.yaml --report plan.html[/bold].
    """


@app.command()
def run(
    architecture: Annotated[
        Path | None,
        typer.Argument(help="Architecture file: YAML, JSON or TOML. Default: the shipped example."),
    ] = None,
    format: Annotated[Format, typer.Option("--format", "-f", help="How to print the result.")] = Format.table,
    days: Annotated[int, typer.Option(help="Days to project.")] = 30,
    start: Annotated[
        str | None, typer.Option(metavar="DATE", help="First day, YYYY-MM-DD. Default: today.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulation: same seed, same ranges.")] = 1,
    trials: Annotated[int, typer.Option(help="Draws behind P10, P50 and P90.")] = 10_000,
    book: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Base prices: list, article-2026 or a book file.")
    ] = None,
    naive: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The baseline's one model. Default: the dearest one named."),
    ] = None,
    db: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Store the projection in this DuckDB file too.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="Write the report as one HTML file.")
    ] = None,
) -> None:
    """Cost an architecture before it runs: every plan, per day and month, with a range.

    Compares [bold]naive[/bold] (every task on one model) with [bold]routed[/bold] (the routing) and every plan
    that the file names.

        costsim run

        costsim run architecture.yaml --days 90 --start 2026-12-01 --report plan.html

        costsim run architecture.yaml --format json | jq '.savings[0].percent'
    """
    from .analysis.architecture import read_architecture
    from .analysis.project import Settings, project

    settings = Settings(_day(start), days, trials, seed, book, naive)
    wanted = read_architecture(architecture or EXAMPLE)
    rows: list[Any] = []
    projection = _with_progress(
        f"simulating {wanted.name}",
        lambda progress: project(wanted, settings, progress, rows.extend if db else None),
    )
    if db:
        from .analysis.store import store_projection

        store_projection(db, projection, rows)
    if report:
        _write_report(projection, report)
    _print_projection(projection, format)
    if report:
        typer.echo(f"report: {report}", err=True)
    if projection.unpriced:
        raise UnpricedError(_unpriced_line(projection))


def _unpriced_line(projection: Projection) -> str:
    names = ", ".join(dict.fromkeys(repr(entry.model) for entry in projection.unpriced))
    layers = " + ".join(layer.name for layer in projection.price_book.layers)
    return (
        f"no price for {names} in {layers}; the totals leave those runs out. Check the name with "
        "`costsim prices list`, or add the model to an overlay that `prices:` names"
    )


def _moment(text: str | None) -> datetime:
    """The first UTC moment of a day, or now."""
    day = _day(text)
    return datetime.now(UTC) if text is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _day(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date; write it as 2026-12-31") from None


def _with_progress(says: str, work: Callable[[Callable[[int, int], None] | None], Projection]) -> Projection:
    """Run `work`, with a progress bar on a terminal; quiet elsewhere."""
    if not sys.stderr.isatty():
        return work(None)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(says)
        return work(lambda done, total: bar.update(task, completed=done, total=total))


def _write_report(projection: Projection, file: Path) -> None:
    from .documents import write_file

    try:
        from .reports.html import render_html
    except ImportError as error:
        raise OutputError(
            f"the report needs {error.name}; install it with: pip install 'costsim[report]'"
        ) from None
    write_file(file, render_html(projection))


def _print_projection(projection: Projection, format: Format) -> None:
    if format is Format.table:
        from .reports.terminal import print_projection

        print_projection(projection, _console())
        return
    from .reports import tables

    render = {Format.json: tables.as_json, Format.csv: tables.as_csv, Format.markdown: tables.as_markdown}[
        format
    ]
    sys.stdout.write(render(projection))


def _console() -> Any:
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160  # a pipe has no width of its own
    return Console(width=width, highlight=False)


BookOption = Annotated[
    str, typer.Option("--book", metavar="BOOK", help="Base prices: list, article-2026 or a book file.")
]
OverlayOption = Annotated[
    list[Path] | None,
    typer.Option("--prices", metavar="FILE", help="A price overlay on top; may be given again."),
]
AtOption = Annotated[
    str | None, typer.Option("--at", metavar="DATE", help="Prices of that day. Default: today.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@prices_app.command("list")
def list_(
    model: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="Models whose provider/model fits: a glob, or a part of it."),
    ] = None,
    at: AtOption = None,
    book: BookOption = "list",
    prices: OverlayOption = None,
    json: JsonOption = False,
) -> None:
    """List what models cost at a date: USD per million tokens by class.

    costsim prices list --model 'anthropic/*haiku*'

    costsim prices list --model gpt-5 --at 2026-01-01
    """
    from .pricing.book import open_book
    from .pricing.queries import list_prices
    from .reports.prices import print_list, rows_json

    stack = open_book(book, prices or [])
    rows = list_prices(stack, model, _moment(at))
    if json:
        sys.stdout.write(rows_json(rows))
    else:
        print_list(rows, stack, _console())


@prices_app.command()
def show(
    model: Annotated[str, typer.Argument(help="The model, as logs or people write it.")],
    book: BookOption = "list",
    prices: OverlayOption = None,
    json: JsonOption = False,
) -> None:
    """Show all prices of one model: every class, context tier, date, processing level, and the source.

    costsim prices show anthropic/claude-opus-4-6
    """
    from .pricing.book import open_book
    from .pricing.queries import show_model
    from .reports.prices import print_model, rows_json

    stack = open_book(book, prices or [])
    found = show_model(stack, model)
    if json:
        sys.stdout.write(rows_json(found.rows))
    else:
        print_model(found, stack, _console())


def _any_book(name: str) -> PriceBook:
    """A book by name; a file is compared as it works, laid on top of the list."""
    from .pricing.book import SHIPPED, open_book

    return open_book(name) if name == "list" or name in SHIPPED else open_book("list", [Path(name)])


@prices_app.command()
def diff(
    book_a: Annotated[str, typer.Argument(metavar="BOOK_A", help="list, article-2026 or a book file.")],
    book_b: Annotated[str, typer.Argument(metavar="BOOK_B", help="The book to compare with it.")],
    at: AtOption = None,
    model: Annotated[str | None, typer.Option(metavar="PATTERN", help="Only models that fit.")] = None,
    json: JsonOption = False,
) -> None:
    """Compare two price books at a date: what the second adds, lacks or prices otherwise.

    A file is compared as it works: laid on top of the list.

        costsim prices diff article-2026 list

        costsim prices diff list prices.yaml
    """
    from .pricing.queries import diff_books
    from .reports.prices import differences_json, print_diff

    differences = diff_books(_any_book(book_a), _any_book(book_b), _moment(at), model)
    if json:
        sys.stdout.write(differences_json(differences))
    else:
        print_diff(differences, _console())


@app.command()
def schema(
    output: Annotated[
        bool, typer.Option("--output", help="The schema of `run --format json` instead.")
    ] = False,
) -> None:
    """Print the JSON Schema of the architecture file, for your editor; or of the JSON output.

    costsim schema > architecture.schema.json
    """
    import json

    if output:
        from .analysis.results import Projection

        model: Any = Projection.model_json_schema(mode="serialization")
    else:
        from .analysis.architecture import Architecture

        model = Architecture.model_json_schema()
    typer.echo(json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **model}, indent=2))


def main() -> None:
    """The entry point: every error that costsim raises on purpose is one line and exit code 2."""
    debug = "--debug" in sys.argv
    try:
        app(prog_name="costsim")
    except CostsimError as error:
        if debug:
            raise
        sys.stderr.write(f"costsim: {_one_line(str(error))}\n")
        sys.exit(2)
    except BrokenPipeError:  # `costsim run | head` is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except KeyboardInterrupt:
        sys.exit(130)


def _one_line(message: str) -> str:
    """Untrusted names may hold line breaks and terminal escapes; an error is one harmless line."""
    return "".join(char if char.isprintable() else " " for char in message)
