"""`costsim diff`: what a change of an architecture costs a month."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from os.path import exists, isdir
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ..errors import InputError
from .arguments import HERE, day_of
from .grouped import grouped
from .output import FORMAT_HELP, FindingsFormat, OutOption, emit, format_of
from .refused import Asked, refuses
from .screen import say_at_end, with_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from ..analysis.architecture.load import LoadedArchitecture
    from ..analysis.compare.architectures import IncreaseLimit
    from ..analysis.compare.results import ArchitectureDifference
    from ..analysis.compare.sides import Side
    from ..analysis.simulation.settings import Settings

RANGE = re.compile(r"(.*?)(\.\.\.?)((?!/).*)", re.DOTALL)
"""Two revisions, and whether it is since their merge base (three dots); `../a.yaml` is a path."""


def _is_file(side: str) -> bool:
    """Whether a side is a file or a pipe; the whole name of a commit is one, though there is a file of that name."""
    from ..analysis.compare.repository import HASH

    return exists(side) and not isdir(side) and not HASH.fullmatch(side)


def _compares_files(asked: Asked) -> bool:
    return asked["head"] is not None and _is_file(asked["base"]) and _is_file(asked["head"])


@dataclass(frozen=True)
class DiffOptions:
    """What `costsim diff` is asked for."""

    base: Annotated[
        str,
        typer.Argument(help="A file or a git revision; or both revisions, main..HEAD or main...HEAD."),
    ]
    head: Annotated[
        str | None, typer.Argument(help="A file or a git revision. Default: the file in the working folder.")
    ] = None
    file: Annotated[
        Path, typer.Option("--file", metavar="FILE", help="The architecture to compare at the revisions.")
    ] = HERE
    plan: Annotated[str, typer.Option(metavar="NAME", help="The plan to compare.")] = "routed"
    days: Annotated[int, typer.Option(help="Days to compare over: a month.")] = 30
    start: Annotated[str | None, typer.Option(metavar="DATE", help="First day, YYYY-MM-DD. Default: today.")] = None
    book: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Base prices of both: list, article-2026 or a book file.")
    ] = None
    base_book: Annotated[
        str | None, typer.Option(metavar="BOOK", help="Base prices of the base only: compare price books.")
    ] = None
    naive: Annotated[str | None, typer.Option(metavar="MODEL", help="The one model of the plan naive.")] = None
    trials: Annotated[int, typer.Option(help="Draws behind the range of the difference.")] = 2_000
    seed: Annotated[int, typer.Option(help="Seed of the simulation: same seed, same range.")] = 1
    max_increase: Annotated[str | None, typer.Option(metavar="USD|PERCENT", help="Fail beyond this: 50, or 10%.")] = (
        None
    )
    format: Annotated[
        FindingsFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))
    ] = None
    out: OutOption = None


@refuses("file", case=_compares_files, why="read only where a side is a git revision, or the second is not named")
@grouped(DiffOptions)
def diff(asked: DiffOptions) -> None:
    """Say what a change of an architecture, its routing or its prices costs a month, component by component.

    Added, removed, re-scheduled, moved to another model, re-priced: each exact, with the range of the paired
    difference. Exit codes: 0, 1 where an increase is beyond --max-increase or a model has no price, 2 bad input.

    \b
      costsim diff before.yaml after.yaml
      costsim diff main...HEAD --file architecture.yaml --format markdown
      costsim diff main --max-increase 10%
    """
    from ..analysis.simulation.settings import Settings

    settings = Settings(day_of(asked.start), asked.days, asked.trials, asked.seed, asked.book, asked.naive)
    settings.check()
    limit = _limit(asked.max_increase)
    with ExitStack() as stack:
        before, after = (_located(named, asked.file, stack) for named in _sides(asked.base, asked.head, asked.file))
        loaded = _loaded(before), _loaded(after)
        sides = _read(before, after, loaded, settings, asked.plan, asked.base_book)
        chosen = format_of(asked.format, asked.out, FindingsFormat.table)
        found = _compared(sides, None if chosen is FindingsFormat.table else loaded[1], limit)
    emit(_rendered(found, chosen, after.shown), asked.out)
    raise typer.Exit(found.exit_code)


def _compared(
    sides: tuple[Side, Side], lines_of: LoadedArchitecture | None, limit: IncreaseLimit | None
) -> ArchitectureDifference:
    """The difference, with its progress; `lines_of` is the head where its lines are named."""
    from ..analysis.compare.architectures import difference
    from ..analysis.simulation.fleets import method

    largest = max((side.architecture for side in sides), key=lambda known: len(known.components))
    say_at_end(method(largest, sides[0].settings.trials))
    return with_progress("comparing", lambda shown: difference(*sides, loaded=lines_of, limit=limit, progress=shown))


@dataclass(frozen=True)
class Located:
    """A side: how people call it, its file if there is one, and where that lies in the working tree."""

    label: str
    file: Path | None
    shown: Path


@dataclass(frozen=True)
class SideName:
    """A side as it is asked for: a file, a revision, or the merge base of a revision and a `second` one."""

    text: str
    is_file: bool = False
    second: str | None = None


def _sides(base: str, head: str | None, file: Path) -> tuple[SideName, SideName]:
    ends = RANGE.fullmatch(base)
    if ends and not exists(base):
        if head is not None:
            raise InputError(f"{base!r} names both revisions; give the architecture with --file")
        first, second = ends[1] or "HEAD", ends[3] or "HEAD"
        return SideName(first, second=second if ends[2] == "..." else None), SideName(second)
    return _named(base, file), _named(head, file) if head is not None else SideName(str(file), is_file=True)


def _named(text: str, file: Path) -> SideName:
    """What one word names. Raises InputError where it is a file and a revision: whoever adds a file of a branch's name
    would choose what is compared."""
    if not _is_file(text):
        return SideName(text)
    ends = RANGE.fullmatch(text)
    revisions = [end for end in (ends[1], ends[3]) if end] if ends else [text]
    if not os.path.isabs(text) and revisions and all(_is_revision(each, file) for each in revisions):
        raise InputError(f"{text!r} is both a file and a revision; write ./{text} for the file, or move it away")
    return SideName(text, is_file=True)


def _is_revision(text: str, file: Path) -> bool:
    from ..analysis.compare.repository import repository_of

    try:
        return repository_of(file).has(text)
    except InputError:
        return False


def _located(named: SideName, file: Path, stack: ExitStack) -> Located:
    from ..analysis.compare.repository import repository_of
    from ..analysis.compare.revisions import at_commit

    text = named.text
    if named.is_file:
        return Located(text, Path(text), Path(text))
    repository = repository_of(file)
    if named.second is None:
        commit = repository.commit(text)
    else:
        commit, *others = repository.merge_bases(text, named.second)
        text = f"merge-base({text}, {named.second})"
        say_at_end(f"{text} is {commit[:12]} of {1 + len(others)}, as git diff takes it" if others else "")
    return Located(f"{text}:{file}", stack.enter_context(at_commit(commit, repository)), file)


def _loaded(side: Located) -> LoadedArchitecture | None:
    from ..analysis.architecture.load import load_architecture

    return load_architecture(side.file) if side.file else None


def _read(
    before: Located,
    after: Located,
    loaded: tuple[LoadedArchitecture | None, LoadedArchitecture | None],
    settings: Settings,
    plan: str,
    base_book: str | None,
) -> tuple[Side, Side]:
    """Both sides; one whose file is not there is an architecture without components."""
    from ..analysis.compare.sides import Side

    read = [side.architecture if side else None for side in loaded]
    known = read[0] or read[1]
    if known is None:
        raise InputError("neither side has the file", file=after.shown)
    nothing = known.model_copy(update={"components": []})
    books = [base_book or settings.book, settings.book]
    sides = [
        Side(side.label, architecture or nothing, book or known.book if not architecture else book or architecture.book,
             plan, settings)
        for side, architecture, book in zip((before, after), read, books, strict=True)
    ]  # fmt: skip
    return sides[0], sides[1]


def _limit(text: str | None) -> IncreaseLimit | None:
    from ..analysis.compare.architectures import IncreaseLimit

    if text is None:
        return None
    try:
        amount = Decimal(text.removeprefix("$").removesuffix("%"))
    except InvalidOperation:
        raise InputError(f"{text!r} is neither USD nor percent; write it as 50 or 10%", key="max-increase") from None
    if not (amount.is_finite() and 0 <= amount < 10**12):
        raise InputError(f"{text!r} is out of bounds", key="max-increase")
    return IncreaseLimit(percent=amount) if text.endswith("%") else IncreaseLimit(usd=amount)


def _rendered(found: ArchitectureDifference, format: FindingsFormat, shown: Path) -> str | Callable[[Console], None]:
    from ..reports import ci
    from ..reports import diff as show
    from ..reports.ci.pull_request_comment import diff_comment

    match format:
        case FindingsFormat.table:
            return partial(show.print_diff, found)
        case FindingsFormat.json:
            return show.as_json(found)
        case FindingsFormat.markdown:
            return diff_comment(found)
    findings = [finding.model_copy(update={"file": shown}) for finding in found.verdicts]
    return ci.render(cast(ci.CiFormat, format.value), f"{found.base} -> {found.head}", findings)
