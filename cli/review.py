"""`costsim report`: the monthly routing review, as a page, as text, in the terminal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, UnpricedError
from ..json_text import json_text
from ..usage import DEFAULT_STORE
from .arguments import BookOption, DbOption, MonthOption, OverlayOption
from .grouped import grouped
from .output import emit
from .refused import refuses
from .reviewing import ArchitectureOption, ConfigOption, DecisionsOption, ReviewAsked, TodayOption, review_of
from .screen import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from ..analysis.review.results import Review


class ReportFormat(StrEnum):
    """How `costsim report` writes a review."""

    html = "html"
    table = "table"
    markdown = "markdown"
    json = "json"
    pdf = "pdf"


@dataclass(frozen=True)
class ReportOptions:
    """What `costsim report` is asked for."""

    month: MonthOption = None
    db: DbOption = DEFAULT_STORE
    architecture: ArchitectureOption = None
    config: ConfigOption = None
    decisions: DecisionsOption = None
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Where to. Default: review-YYYY-MM.html, or .pdf."),
    ] = None
    format: Annotated[
        ReportFormat | None, typer.Option("--format", "-f", help="Default: by the ending of --out, else html.")
    ] = None
    index: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Instead: write FOLDER/index.html over its review pages.")
    ] = None
    title: Annotated[
        str | None, typer.Option(help="The page's name. Default: the architecture's, else the store's.")
    ] = None
    book: BookOption = None
    prices: OverlayOption = None
    today: TodayOption = None


@refuses(case=lambda asked: asked["index"], read=("index",), why="not read with --index, which is made of pages only")
@grouped(ReportOptions)
def report(asked: ReportOptions) -> None:
    """Write the monthly routing review: what was spent, why it changed, what to decide.

    One HTML file that needs nothing else; also a table for the terminal, Markdown for a chat, JSON,
    or PDF through Chromium. Without --month the newest month of the store.

    \b
      costsim report --month 2026-10 --architecture architecture.yaml --out review.html
      costsim report --format markdown
      costsim report --index reviews
    """
    from ..writing import write_file

    if asked.index:
        from ..reports.review.index import NAME, render_index

        write_file(asked.index / NAME, render_index(asked.index))
        say(f"{asked.index / NAME}: the index")
        return
    chosen = _chosen(asked.format, asked.out)
    found = review_of(_review(asked))
    if chosen in (ReportFormat.html, ReportFormat.pdf):
        target = asked.out or Path(f"review-{found.month}.{chosen.value}")
        write_file(target, _page(found, chosen))
        say(f"{target}: {found.name}, {found.month}")
    else:
        emit(_text(found, chosen), asked.out)
    if found.quality.unpriced:
        raise UnpricedError.of(usage.model for usage in found.quality.unpriced)


def _review(asked: ReportOptions) -> ReviewAsked:
    return ReviewAsked(
        asked.month, asked.db, asked.architecture, asked.config, asked.decisions, asked.book, asked.prices,
        asked.today, asked.title,
    )  # fmt: skip


ENDINGS = {
    ".html": ReportFormat.html, ".htm": ReportFormat.html, ".md": ReportFormat.markdown, ".json": ReportFormat.json,
    ".pdf": ReportFormat.pdf, ".txt": ReportFormat.table,
}  # fmt: skip


def _chosen(format: ReportFormat | None, out: Path | None) -> ReportFormat:
    """The format that is asked for, or that the file's ending means; they may not differ."""
    if out is None:
        return format or ReportFormat.html
    meant = ENDINGS.get(out.suffix.lower())
    if format is None and meant is None:
        raise InputError(f"the ending names no format: {', '.join(ENDINGS)}; or give --format", file=out)
    if format and meant and format is not meant:
        raise InputError(f"--format {format.value} does not go with the ending {out.suffix}", file=out)
    return format or meant or ReportFormat.html


def _page(found: Review, chosen: ReportFormat) -> str | bytes:
    from ..reports.review.html import render_review

    html = render_review(found)
    if chosen is ReportFormat.html:
        return html
    from ..reports.pdf import print_pdf

    return print_pdf(html)


def _text(found: Review, chosen: ReportFormat) -> str | Callable[[Console], None]:
    if chosen is ReportFormat.table:
        from ..reports.review.terminal import print_review

        return partial(print_review, found)
    if chosen is ReportFormat.json:
        return json_text(found)
    from ..reports.review.markdown import as_markdown

    return as_markdown(found)
