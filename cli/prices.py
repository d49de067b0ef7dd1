"""`costsim prices`: what a model costs, since when, says who."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import AtOption, BookOption, OverlayOption, moment_of, stack_of
from .output import FORMAT_HELP, OutOption, emit, format_of

if TYPE_CHECKING:
    from ..pricing.book import PriceBook


class PricesFormat(StrEnum):
    """How `costsim prices` prints."""

    table = "table"
    json = "json"


FormatOption = Annotated[PricesFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))]

prices_app = typer.Typer(no_args_is_help=True, help="Look into price books: what a model costs, since when, says who.")


@prices_app.command("list")
def list_(
    model: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="Models whose provider/model fits: a glob, or a part of it."),
    ] = None,
    at: AtOption = None,
    book: BookOption = None,
    prices: OverlayOption = None,
    format: FormatOption = None,
    out: OutOption = None,
) -> None:
    """List what models cost at a date: USD per million tokens by class.

    costsim prices list --model 'anthropic/*haiku*'

    costsim prices list --model gpt-5 --at 2026-01-01
    """
    from ..pricing.queries import list_prices
    from ..reports.prices import print_list, rows_json

    stack = stack_of(book, prices)
    rows = list_prices(stack, model, moment_of(at))
    emit(rows_json(rows) if _as_json(format, out) else partial(print_list, rows, stack), out)


@prices_app.command()
def show(
    model: Annotated[str, typer.Argument(help="The model, as logs or people write it.")],
    book: BookOption = None,
    prices: OverlayOption = None,
    format: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Show all prices of one model: every class, context tier, date, processing level, and the source.

    costsim prices show anthropic/claude-opus-4-6
    """
    from ..pricing.queries import show_model
    from ..reports.prices import print_model, rows_json

    stack = stack_of(book, prices)
    found = show_model(stack, model)
    emit(rows_json(found.rows) if _as_json(format, out) else partial(print_model, found, stack), out)


def _as_json(format: PricesFormat | None, out: Path | None) -> bool:
    return format_of(format, out, PricesFormat.table) is PricesFormat.json


def _any_book(name: str) -> PriceBook:
    """A book by name; a file is compared as it works, laid on top of the list."""
    from ..pricing.book import SHIPPED, open_book

    return open_book(name) if name == "list" or name in SHIPPED else open_book("list", [Path(name)])


@prices_app.command()
def diff(
    book_a: Annotated[str, typer.Argument(metavar="BOOK_A", help="list, article-2026 or a book file.")],
    book_b: Annotated[str, typer.Argument(metavar="BOOK_B", help="The book to compare with it.")],
    at: AtOption = None,
    model: Annotated[str | None, typer.Option(metavar="PATTERN", help="Only models that fit.")] = None,
    format: FormatOption = None,
    out: OutOption = None,
) -> None:
    """Compare two price books at a date: what the second adds, lacks or prices otherwise.

    A file is compared as it works: laid on top of the list.

    \b
      costsim prices diff article-2026 list
      costsim prices diff list prices.yaml
    """
    from ..pricing.queries import diff_books
    from ..reports.prices import differences_json, print_diff

    differences = diff_books(_any_book(book_a), _any_book(book_b), moment_of(at), model)
    emit(differences_json(differences) if _as_json(format, out) else partial(print_diff, differences), out)
