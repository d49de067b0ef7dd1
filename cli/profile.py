"""`costsim profile`: sessions fitted to logs, as an architecture file that a person can edit."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..usage import DEFAULT_STORE
from .arguments import HERE, DbOption, MonthOption, SinceOption, UntilOption, days_of
from .output import FORMAT_HELP, OutOption, emit, format_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from ..analysis.profile.results import Profiles


class ProfileFormat(StrEnum):
    """How `costsim profile` prints."""

    table = "table"
    yaml = "yaml"
    json = "json"


class ProfileBy(StrEnum):
    """What a profile is fitted to."""

    component = "component"
    task = "task"


def profile(
    db: DbOption = DEFAULT_STORE,
    by: Annotated[ProfileBy, typer.Option(help="Fit a profile per component, or per task.")] = ProfileBy.component,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Only calls of that value, such as component=triage or model=*opus*."),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    month: MonthOption = None,
    format: Annotated[
        ProfileFormat | None, typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table"))
    ] = None,
    out: OutOption = None,
) -> None:
    """Fit sessions to logged ones (turns, growth, gaps, cache, compaction), and say how good each fit is.

    --out sessions.yaml writes an architecture file with a comment beside every key; costsim run takes it as it is.

    \b
      costsim profile
      costsim profile --where component=coding-agent --out sessions.yaml
      costsim profile --by task --month 2026-10 --format json
    """
    from ..analysis.architecture.load import readable_again
    from ..analysis.profile.profile import profile as fit
    from ..analysis.spend.query import parse_where
    from ..store import open_store
    from .observed import folders_prices

    form = format_of(format, out, ProfileFormat.table)
    first, last = days_of(since, until, month)
    prices: dict[str, Any] = {
        key: str(said) if key == "book" else [str(path) for path in said] for key, said in folders_prices().items()
    }
    with open_store(db, read_only=True) as store:
        found = fit(
            store.connection, db.stem, by=by.value, where=parse_where(where or ()), since=first, until=last,
            prices=prices,
        )  # fmt: skip
    if form is ProfileFormat.yaml:
        readable_again(out or HERE, found.yaml)
    emit(_rendered(found, form), out)


def _rendered(found: Profiles, form: ProfileFormat) -> str | Callable[[Console], None]:
    from ..reports import profile as show

    match form:
        case ProfileFormat.table:
            return partial(show.print_profiles, found)
        case ProfileFormat.json:
            return show.as_json(found)
        case ProfileFormat.yaml:
            return found.yaml
