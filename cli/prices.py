"""`costsim prices`: what a model costs, since when, says who."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .arguments import AtOption, BookOption, JsonOption, OverlayOption, moment_of
from .screen import console

if TYPE_CHECKING:
    from ..pricing.book import PriceBook

prices_app = typer.Typer(no_args_is_help=True, help="Look into price books: what a model costs, since when, says who.")


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
    from ..pricing.book import open_book
    from ..pricing.queries import list_prices
    from ..reports.prices import print_list, rows_json

    stack = open_book(book, prices or [])
    rows = list_prices(stack, model, moment_of(at))
    if json:
        sys.stdout.write(rows_json(rows))
    else:
        print_list(rows, stack, console())


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
    from ..pricing.book import open_book
    from ..pricing.queries import show_model
    from ..reports.prices import print_model, rows_json

    stack = open_book(book, prices or [])
    found = show_model(stack, model)
    if json:
        sys.stdout.write(rows_json(found.rows))
    else:
        print_model(found, stack, console())


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
    json: JsonOption = False,
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
    if json:
        sys.stdout.write(differences_json(differences))
    else:
        print_diff(differences, console())
