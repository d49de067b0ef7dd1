"""`costsim route` and `costsim lint`: which model a task runs on, and what is wrong with a routing."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from .arguments import day_of
from .output import FORMAT_HELP, OutOption, emit, format_of
from .refused import Asked, refuses

if TYPE_CHECKING:
    from ..analysis.findings import Finding
    from ..reports.ci import CiFormat


class LintFormat(StrEnum):
    """How `costsim lint` prints."""

    text = "text"
    json = "json"
    github = "github"
    junit = "junit"
    sarif = "sarif"
    gitlab = "gitlab"


def _target(asked: Asked) -> str:
    from ..analysis.lint import target_of

    return target_of(asked["path"])


def route(context: typer.Context) -> None:
    """Print the model for a task: the model's id alone, for a shell. See costsim route --help."""
    from .route import route as answer

    raise typer.Exit(answer(context.args))


@refuses("config", "exclude", case=lambda asked: _target(asked) != "code", why="read only where code is looked at")
@refuses(
    "prices", case=lambda asked: _target(asked) == "architecture", why="not read: an architecture has its own prices"
)
def lint(
    path: Annotated[
        Path | None,
        typer.Argument(help="A routing, an architecture, or code: a file or a folder. Default: the shipped routing."),
    ] = None,
    config: Annotated[Path | None, typer.Option(metavar="FILE", help="The routing whose keys code should use.")] = None,
    book: Annotated[str | None, typer.Option(metavar="BOOK", help="Base prices: list, article-2026 or a file.")] = None,
    prices: Annotated[
        list[Path] | None, typer.Option("--prices", metavar="FILE", help="A price overlay; may be given again.")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option(metavar="GLOB", help="Leave these out of a folder; may be given again.")
    ] = None,
    format: Annotated[
        LintFormat | None,
        typer.Option("--format", "-f", help=FORMAT_HELP.format(default="text")),
    ] = None,
    out: OutOption = None,
) -> None:
    """Find what is wrong: rules that can never fire, models misused or without a price, names in code.

    Exit code 1 where an error was found; warnings and notes alone are 0.

    \b
      costsim lint
      costsim lint architecture.yaml
      costsim lint src --config model-routing.json --format sarif
    """
    from ..analysis.lint import exit_code
    from ..analysis.lint import lint as find

    findings = find(path, config=config, book=book, prices=prices or (), start=day_of(None), exclude=exclude or ())
    emit(_rendered(findings, format_of(format, out, LintFormat.text), path), out)
    raise typer.Exit(exit_code(findings))


def _rendered(findings: list[Finding], format: LintFormat, path: Path | None) -> str:
    from ..reports import lint as show
    from ..reports.ci import render

    match format:
        case LintFormat.text:
            return show.as_text(findings)
        case LintFormat.json:
            return show.as_json(findings)
    return render(cast("CiFormat", format.value), f"lint {path or 'of the shipped routing'}", findings, "lint")
