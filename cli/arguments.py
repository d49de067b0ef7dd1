"""Options that several commands share, and how their words are read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CostsimError, InputError, StoreError
from .screen import say_at_end

if TYPE_CHECKING:
    from ..pricing.book import PriceBook

EXAMPLES = Path(__file__).parent.parent / "examples"
EXAMPLE = EXAMPLES / "c-suite" / "architecture.yaml"
HERE = Path("architecture.yaml")
"""The architecture of the working folder."""

ArchitectureArgument = Annotated[
    Path | None,
    typer.Argument(help="Architecture: YAML, JSON or TOML. Default: architecture.yaml here, else the shipped example."),
]
BookOption = Annotated[
    str | None,
    typer.Option(
        "--book",
        metavar="BOOK",
        help="Base prices: list, article-2026 or a book file. Default: the book of architecture.yaml here, else list.",
    ),
]
OverlayOption = Annotated[
    list[Path] | None,
    typer.Option("--prices", metavar="FILE", help="A price overlay on top; may be given again."),
]
AtOption = Annotated[str | None, typer.Option("--at", metavar="DATE", help="Prices of that day. Default: today.")]


def on_disk(db: Path | None) -> Path | None:
    """A store's file. Raises InputError for DuckDB's name of a database that is gone when the command ends."""
    if str(db) == ":memory:":
        raise InputError("--db :memory: would be gone when the command ends; name a file")
    return db


DbOption = Annotated[Path, typer.Option("--db", metavar="FILE", help="The store: a DuckDB file.", callback=on_disk)]
SinceOption = Annotated[str | None, typer.Option("--since", metavar="DATE", help="First day.")]
UntilOption = Annotated[str | None, typer.Option("--until", metavar="DATE", help="Last day, included.")]
MonthOption = Annotated[str | None, typer.Option("--month", metavar="YYYY-MM", help="One whole month.")]


def architecture_or_example(given: Path | None) -> Path:
    """The architecture that is named, else the working folder's, else the shipped example."""
    return given or (HERE if HERE.is_file() else EXAMPLE)


def stack_of(book: str | None, prices: Sequence[Path] | None, architecture: Path | None = None) -> PriceBook:
    """The price stack of a command: in a folder with an architecture it is that one's, and standard error says so.

    Arguments as `price_files`. Raises ArchitectureError, PriceBookError.
    """
    from ..pricing.book import open_book

    file = architecture or (HERE if HERE.is_file() else None)
    stack = open_book(*price_files(book, prices, file))
    if file:
        names = " + ".join(layer.name for layer in stack.layers)
        say_at_end(f"prices of {file}: {names} ({stack.hash[:12]})")
    return stack


def price_files(
    book: str | None, prices: Sequence[Path] | None, architecture: Path | None
) -> tuple[str | Path, list[Path]]:
    """The base book and the overlays: `book`, else the architecture's, else the list; `prices` on the architecture's.

    An overlay that both name is stacked once: a discount must not count twice.
    """
    if architecture is None:
        return book or "list", [*(prices or ())]
    from ..analysis.architecture.load import read_price_keys

    keys, given = read_price_keys(architecture), [path.resolve() for path in prices or ()]
    own = [path for path in keys.prices if path.resolve() not in given]
    return book or keys.book, [*own, *(prices or ())]


def existing(db: Path) -> Path:
    """The store that a command reads; raises StoreError where there is none, and makes none."""
    if not db.exists():
        raise StoreError(f"{db}: there is no store here; `costsim load` makes one")
    return db


def moment_of(text: str | None) -> datetime:
    """The first UTC moment of a day, or now."""
    day = day_of(text)
    return datetime.now(UTC) if text is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def day_of(text: str | None) -> date:
    """The day written 2026-12-31; today (UTC) where none is. Raises InputError, also for one out of YEARS."""
    if text is None:
        return datetime.now(UTC).date()
    from ..months import YEARS

    day = _date(text)
    if day.year not in YEARS:
        raise InputError(f"{text!r} is out of bounds; give a date from {YEARS[0]} to {YEARS[-1]}")
    return day


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date; write it as 2026-12-31") from None


def days_of(since: str | None, until: str | None, month: str | None) -> tuple[date | None, date | None]:
    """The days that --since, --until and --month choose, both included; None without a bound. Raises CostsimError."""
    from ..months import month_span

    if month and (since or until):
        raise CostsimError("give either --month, or --since and --until")
    if month:
        return month_span(month)
    return _date(since) if since else None, _date(until) if until else None
