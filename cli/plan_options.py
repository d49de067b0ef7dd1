"""The options of `costsim run`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .arguments import ArchitectureArgument, MonthOption, OverlayOption, SinceOption, UntilOption, on_disk
from .output import FORMAT_HELP, OutOption


class RunFormat(StrEnum):
    """How `costsim run` prints."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    html = "html"
    pdf = "pdf"


@dataclass(frozen=True)
class RunOptions:
    """What `costsim run` is asked for."""

    architecture: ArchitectureArgument = None
    format: Annotated[RunFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))] = None
    out: OutOption = None
    days: Annotated[int, typer.Option(help="Days to project.")] = 30
    start: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="First day. Default: today; with --from-usage, the day after the logs."),
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of the simulation: same seed, same ranges.")] = 1
    trials: Annotated[int, typer.Option(help="Draws behind P10, P50 and P90.")] = 10_000
    book: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Base prices: list, article-2026 or a book file.")
    ] = None
    naive: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="The baseline's one model. Default: the most expensive one named."),
    ] = None
    db: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Store the projection in this DuckDB file too.", callback=on_disk),
    ] = None
    from_usage: Annotated[
        bool, typer.Option("--from-usage", help="Project what the store's logs show (see costsim load).")
    ] = False
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --from-usage: keep the architecture built from the logs.")
    ] = None
    since: SinceOption = None
    until: UntilOption = None
    month: MonthOption = None
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write the HTML report too, or a PDF.")] = (
        None
    )
    details: Annotated[bool, typer.Option("--details", help="Claims, notes and price lists in full.")] = False
    scale: Annotated[
        list[str] | None,
        typer.Option(metavar="N|NAME=N", help="What if it ran N times as often: all, or one component."),
    ] = None
    prices: OverlayOption = None
    edits: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="What if a key were: components.triage.runs_per_day=300."),
    ] = None
    moves: Annotated[bool, typer.Option("--moves", help="Each task on each model: cost, fit and evidence.")] = False
    baseline: Annotated[str | None, typer.Option(metavar="PLAN|MODEL", help="What savings are compared with.")] = None
    uncertainty: Annotated[
        str | None,
        typer.Option(metavar="PERCENT", help="What if costs are up to 30% off, where components state no uncertainty."),
    ] = None
