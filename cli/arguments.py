"""Options that several commands share, and how their words are read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError

EXAMPLES = Path(__file__).parent.parent / "examples"
EXAMPLE = EXAMPLES / "c-suite" / "architecture.yaml"

BookOption = Annotated[
    str, typer.Option("--book", metavar="BOOK", help="Base prices: list, article-2026 or a book file.")
]
OverlayOption = Annotated[
    list[Path] | None,
    typer.Option("--prices", metavar="FILE", help="A price overlay on top; may be given again."),
]
AtOption = Annotated[str | None, typer.Option("--at", metavar="DATE", help="Prices of that day. Default: today.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def moment_of(text: str | None) -> datetime:
    """The first UTC moment of a day, or now."""
    day = day_of(text)
    return datetime.now(UTC) if text is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def day_of(text: str | None) -> date:
    if text is None:
        return datetime.now(UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date; write it as 2026-12-31") from None
