"""`costsim chart`: one chart of a projection or of a month's review, as a picture for a slide."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CostsimError, InputError
from ..usage import DEFAULT_STORE
from .arguments import BookOption, DbOption, MonthOption, OverlayOption, architecture_or_example, day_of
from .reviewing import ArchitectureOption, ConfigOption, DecisionsOption, ReviewAsked, TodayOption, review_of
from .screen import say, with_progress

if TYPE_CHECKING:
    from ..analysis.simulation.settings import Settings


class Shade(StrEnum):
    """The colours of a picture."""

    light = "light"
    dark = "dark"


def chart(
    name: Annotated[str | None, typer.Argument(help="The chart; without a name their list is printed.")] = None,
    plan: Annotated[
        Path | None,
        typer.Argument(metavar="[ARCHITECTURE]", help="Draw the projection of this file, not the logged month."),
    ] = None,
    month: MonthOption = None,
    db: DbOption = DEFAULT_STORE,
    architecture: ArchitectureOption = None,
    config: ConfigOption = None,
    decisions: DecisionsOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="A .png, .svg or .pdf file. Default: NAME.png.")
    ] = None,
    theme: Annotated[Shade, typer.Option(help="The colours.")] = Shade.light,
    width: Annotated[int, typer.Option(help="Width in pixels; a PNG has twice as many.", min=200, max=4000)] = 900,
    days: Annotated[int, typer.Option(help="Days to project.")] = 30,
    start: Annotated[str | None, typer.Option(metavar="DATE", help="First day to project. Default: today.")] = None,
    baseline: Annotated[str | None, typer.Option(metavar="PLAN|MODEL", help="What savings are compared with.")] = None,
    book: BookOption = None,
    prices: OverlayOption = None,
    today: TodayOption = None,
) -> None:
    """Write one chart as a picture with title, subtitle and source: of a projection, or of a month.

    Of a projection: plans, components, days, saving, what-if, waterfall, models, agents. Of a logged
    month: bridge, days, heat, outlook, success, what-if, forecasts. What both have is of the
    projection where an architecture is named or there is no store.

    \b
      costsim chart
      costsim chart plans architecture.yaml --out plans.svg
      costsim chart bridge --month 2026-10 --theme dark --out bridge.png
    """
    from ..reports import plan_pictures
    from ..reports.pictures import check_ending
    from ..reports.review import pictures
    from ..writing import write_file

    if name is None:
        say("\n".join(_listed()))
        return
    _check_name(name)
    target = out or Path(f"{name}.png")
    check_ending(target)
    ending = target.suffix.lower()
    stored = month or db != DEFAULT_STORE or db.exists()
    if db != DEFAULT_STORE and (plan or name not in pictures.CHARTS):
        raise CostsimError("--db names the store of a month's chart; a chart of a projection reads none")
    if name not in pictures.CHARTS or (name in plan_pictures.CHARTS and (plan or not stored)):
        from ..analysis.simulation.settings import Settings

        settings = Settings(day_of(start), days, book=book, prices=tuple(prices or ()), baseline=baseline)
        file = plan or architecture
        write_file(target, _of_plan(architecture_or_example(file), settings, name, ending, theme, width))
        say(f"{target}: {name}")
        return
    found = review_of(ReviewAsked(month, db, architecture or plan, config, decisions, book, prices, today))
    write_file(target, pictures.picture(found, name, ending, theme.value, width))
    say(f"{target}: {name}, {found.month}")


def _of_plan(file: Path, settings: Settings, name: str, ending: str, theme: Shade, width: int) -> str | bytes:
    from ..analysis.architecture.load import read_architecture
    from ..analysis.simulation.run import costs_of, project
    from ..analysis.simulation.what_if import what_if
    from ..reports.plan_pictures import picture

    wanted = read_architecture(file)
    found = with_progress(f"simulating {wanted.name}", lambda progress: project(wanted, settings, progress))
    return picture(found, lambda: what_if(costs_of(wanted, settings), found), name, ending, theme.value, width)


def _check_name(name: str) -> None:
    from ..documents import did_you_mean
    from ..reports import plan_pictures
    from ..reports.review import pictures

    known = [*dict.fromkeys([*pictures.CHARTS, *plan_pictures.CHARTS])]
    if name not in known:
        raise InputError(f"there is no chart {name!r}{did_you_mean(name, known)}; known: {', '.join(known)}")


def _listed() -> list[str]:
    from ..reports import plan_pictures
    from ..reports.review import pictures

    lines = ["of a projection (costsim chart NAME ARCHITECTURE):"]
    lines += [f"  {known}: {message}" for known, (_, message) in plan_pictures.CHARTS.items()]
    lines += ["of a logged month (costsim chart NAME --month 2026-10):"]
    return lines + [f"  {known}: {message}" for known, (_, message) in pictures.CHARTS.items()]
