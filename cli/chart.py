"""`costsim chart`: one chart of a projection or of a month's review, as a picture for a slide."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..usage import DEFAULT_STORE
from .arguments import BookOption, DbOption, MonthOption, OverlayOption, architecture_or_example, day_of
from .grouped import grouped
from .refused import Asked, refuses
from .reviewing import ArchitectureOption, ConfigOption, DecisionsOption, ReviewAsked, TodayOption, review_of
from .screen import say, with_progress


class Shade(StrEnum):
    """The colours of a picture."""

    light = "light"
    dark = "dark"


def _is_of_plan(asked: Asked) -> bool:
    """Whether the chart is of a projection: no month has it, or both do and no store is here."""
    from ..reports import plan_pictures
    from ..reports.review import pictures

    name, db = asked["name"], asked["db"]
    stored = asked["month"] or db != DEFAULT_STORE or db.exists()
    return name in plan_pictures.CHARTS and (name not in pictures.CHARTS or bool(asked["plan"]) or not stored)


@dataclass(frozen=True)
class ChartOptions:
    """What `costsim chart` is asked for."""

    name: Annotated[str | None, typer.Argument(help="The chart; without a name their list is printed.")] = None
    plan: Annotated[
        Path | None,
        typer.Argument(metavar="[ARCHITECTURE]", help="Draw the projection of this file, not the logged month."),
    ] = None
    month: MonthOption = None
    db: DbOption = DEFAULT_STORE
    architecture: ArchitectureOption = None
    config: ConfigOption = None
    decisions: DecisionsOption = None
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="A .png, .svg or .pdf file. Default: NAME.png.")
    ] = None
    theme: Annotated[Shade, typer.Option(help="The colours.")] = Shade.light
    width: Annotated[int, typer.Option(help="Width in pixels; a PNG has twice as many.", min=200, max=4000)] = 900
    days: Annotated[int, typer.Option(help="Days to project.")] = 30
    start: Annotated[str | None, typer.Option(metavar="DATE", help="First day to project. Default: today.")] = None
    baseline: Annotated[str | None, typer.Option(metavar="PLAN|MODEL", help="What savings are compared with.")] = None
    book: BookOption = None
    prices: OverlayOption = None
    today: TodayOption = None


@refuses(case=lambda asked: asked["name"] is None, why="read only for a chart; without a name their list is printed")
@refuses("architecture", case=lambda asked: asked["plan"], why="the architecture is named without it already")
@refuses("db", "month", "config", "decisions", "today", case=_is_of_plan, why="not read for a chart of a projection")
@refuses("days", "start", "baseline", case=lambda asked: not _is_of_plan(asked), why="not read for a chart of a month")
@grouped(ChartOptions)
def chart(asked: ChartOptions) -> None:
    """Write one chart as a picture with title, subtitle and source: of a projection, or of a month.

    Of a projection: plans, components, days, saving, what-if, waterfall, models, agents. Of a logged
    month: bridge, days, heat, outlook, success, what-if, forecasts. What both have is of the
    projection where an architecture is named or there is no store.

    \b
      costsim chart
      costsim chart plans architecture.yaml --out plans.svg
      costsim chart bridge --month 2026-10 --theme dark --out bridge.png
    """
    from ..reports.pictures import check_ending
    from ..writing import write_file

    if asked.name is None:
        for line in _listed():
            say(line)
        return
    _check_name(asked.name)
    target = asked.out or Path(f"{asked.name}.png")
    check_ending(target)
    ending = target.suffix.lower()
    picture, of = (
        _of_plan(asked, asked.name, ending) if _is_of_plan(vars(asked)) else _of_month(asked, asked.name, ending)
    )
    write_file(target, picture)
    say(f"{target}: {of}")


def _of_plan(asked: ChartOptions, name: str, ending: str) -> tuple[str | bytes, str]:
    """The picture of a projection, and what it is of."""
    from ..analysis.architecture.load import read_architecture
    from ..analysis.simulation.run import costs_of, project
    from ..analysis.simulation.settings import Settings
    from ..analysis.simulation.what_if import what_if
    from ..reports.plan_pictures import picture

    settings = Settings(
        day_of(asked.start), asked.days, book=asked.book, prices=tuple(asked.prices or ()), baseline=asked.baseline
    )
    wanted = read_architecture(architecture_or_example(asked.plan or asked.architecture))
    found = with_progress(f"simulating {wanted.name}", lambda progress: project(wanted, settings, progress))
    drawn = picture(
        found, lambda: what_if(costs_of(wanted, settings), found), name, ending, asked.theme.value, asked.width
    )
    return drawn, name


def _of_month(asked: ChartOptions, name: str, ending: str) -> tuple[str | bytes, str]:
    """The picture of a month's review, and what it is of."""
    from ..reports.review.pictures import picture

    review = ReviewAsked(
        asked.month, asked.db, asked.architecture or asked.plan, asked.config, asked.decisions, asked.book,
        asked.prices, asked.today,
    )  # fmt: skip
    found = review_of(review)
    return picture(found, name, ending, asked.theme.value, asked.width), f"{name}, {found.month}"


def _check_name(name: str) -> None:
    from ..documents import nearest
    from ..reports import plan_pictures
    from ..reports.review import pictures

    known = [*dict.fromkeys([*pictures.CHARTS, *plan_pictures.CHARTS])]
    if name not in known:
        raise InputError(f"there is no chart {name!r}{nearest(name, known)}; known: {', '.join(known)}")


def _listed() -> list[str]:
    from ..reports import plan_pictures
    from ..reports.review import pictures

    lines = ["of a projection (costsim chart NAME ARCHITECTURE):"]
    lines += [f"  {known}: {message}" for known, (_, message) in plan_pictures.CHARTS.items()]
    lines += ["of a logged month (costsim chart NAME --month 2026-10):"]
    return lines + [f"  {known}: {message}" for known, (_, message) in pictures.CHARTS.items()]
