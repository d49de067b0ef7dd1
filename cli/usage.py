"""`costsim load` and `costsim export`: logged usage in, FOCUS rows out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, TypedDict

import typer

from ..errors import CostsimError
from ..usage import DEFAULT_STORE
from .arguments import (
    HERE,
    BookOption,
    DbOption,
    MonthOption,
    OverlayOption,
    SinceOption,
    UntilOption,
    days_of,
    existing,
    stack_of,
)
from .brought import brought_by, first_overlap
from .grouped import grouped
from .refused import Asked, refuses
from .screen import say, with_progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..usage.attribution import Rule
    from ..usage.reader import Role
    from ..usage.readers.mapped import Mapping
    from ..usage.roles import SourceRoles

OF_LOGS = "read only with a PATH or --all"


def _names_none(asked: Asked) -> bool:
    return not (asked["paths"] or asked["all_known"])


def _roles(asked: Asked) -> tuple[Role | None, dict[str, Role]]:
    from ..usage.roles import parse_roles

    return parse_roles(asked["role"] or ())


def _is_of_store(asked: Asked) -> bool:
    """Whether something is said of what was loaded before, too."""
    return bool(_roles(asked)[1] or asked["attribution"] or asked["acknowledge"])


@dataclass(frozen=True)
class LoadOptions:
    """What `costsim load` is asked for."""

    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders or globs; .gz and .zst too; - for stdin; s3://, gs:// and az://; postgresql://HOST/DB "
            "for LiteLLM's table. "
            "Without any: the logs of coding agents on this machine are listed, and loaded with --all."
        ),
    ] = None
    all_known: Annotated[
        bool, typer.Option("--all", help="Load the logs of known coding agents that are on this machine.")
    ] = False
    db: DbOption = DEFAULT_STORE
    log_format: Annotated[
        str | None, typer.Option("--log-format", metavar="NAME", help="The logs' format. Default: by their content.")
    ] = None
    map: Annotated[
        str | None,
        typer.Option(
            metavar="MAP",
            help="Columns of a log of your own: ts=TIME,input=TOKENS_IN,model=:gpt-4o (after a colon, a constant), "
            "or a mapping file (YAML, JSON, TOML: columns, constants).",
        ),
    ] = None
    attribution: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rules that give calls their component, agent and task.")
    ] = None
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="A line that cannot be read, usage that is not counted, a total that contradicts its parts, a file "
            "of a folder that may be a log and is none, or calls that two sources may both have is an error.",
        ),
    ] = False
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="What these files are: calls, or bill (what the provider charged, never added to calls of the days "
            "and models); SOURCE=ROLE for all of a source, such as litellm-daily=bill. Default: by the format.",
        ),
    ] = None
    acknowledge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="A field known not to be usage (by its path): it is reported no more. Also the key acknowledged of "
            "architecture.yaml or of the file of rules.",
        ),
    ] = None


@refuses("map", "log_format", case=_names_none, why=OF_LOGS)
@refuses("role", case=lambda asked: _names_none(asked) and _roles(asked)[0], why=f"calls and bill are {OF_LOGS}")
@refuses("strict", case=lambda asked: _names_none(asked) and not _is_of_store(asked), why=OF_LOGS)
@grouped(LoadOptions)
def load(asked: LoadOptions) -> None:
    """Load usage logs into the store. Loading again counts nothing twice; the same call in two files counts once.

    \b
      costsim load
      costsim load --all
      costsim load ~/.claude/projects
      costsim load spend_logs.csv --attribution attribution.yaml
      costsim load --role litellm-daily=bill
      costsim load trace.csv --map ts=TIMESTAMP,input=ContextTokens,output=GeneratedTokens
    """
    from ..reports.loaded import lines
    from ..store import open_store

    of_files, of_sources = _roles(vars(asked))
    named = [*(asked.paths or [])]
    of_store = _is_of_store(vars(asked))
    if asked.all_known or not (named or of_store):
        named += _known(asked.all_known, asked.db)
    if not (named or of_store):
        return
    given = _given(asked, of_sources)
    with open_store(asked.db if named else existing(asked.db)) as store:
        report = with_progress(
            "loading",
            lambda progress: store.load(
                named, format=asked.log_format, strict=asked.strict, role=of_files, progress=progress, **given
            ),
        )
        brought = brought_by(store.connection, report)
        overlap = first_overlap(store.connection) if asked.strict else None
    for line in lines(report, brought):
        say(line)
    if overlap:
        raise CostsimError(f"{overlap.statement}, and loaded. {overlap.choice}")


class _Given(TypedDict):
    """What the user says of the logs in files and options, as `Store.load` takes it."""

    mapping: Mapping | None
    attribution: Sequence[Rule] | None
    acknowledged: Sequence[str]
    roles: SourceRoles


def _given(asked: LoadOptions, of_sources: SourceRoles) -> _Given:
    """The mapping, rules, roles and acknowledged fields; the file of rules may state all but the first."""
    from ..usage.acknowledged import read_acknowledged
    from ..usage.attribution import read_attribution
    from ..usage.readers.mapped import parse_mapping
    from ..usage.roles_file import has_rules, read_roles

    rules = asked.attribution
    known = [field for file in (rules, HERE) if file and file.is_file() for field in read_acknowledged(file)]
    return {
        "mapping": parse_mapping(asked.map) if asked.map else None,
        "attribution": read_attribution(rules) if rules and has_rules(rules) else None,
        "acknowledged": [*known, *(asked.acknowledge or ())],
        "roles": {**(read_roles(rules) if rules else {}), **of_sources},
    }


def _known(chosen: bool, db: Path) -> list[str]:
    """Print which known logs are on this machine; those to load, if they are wanted."""
    from ..reports.known_logs import lines as known_lines
    from ..usage.known_logs import known_logs
    from ..usage.listing import FoundPath

    found = known_logs()
    for line in known_lines(found, Path.home()):
        say(line)
    if not found and chosen:
        raise CostsimError("--all found nothing to load")
    if found and not chosen:
        into = "" if db == DEFAULT_STORE else f" --db {quote(str(db))}"
        say(f"Load them with costsim load --all{into}, or some by their path: costsim load PATH{into}")
    return [FoundPath(file) for logs in found if chosen and not logs.repeats for file in logs.files]


def export(
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file: .csv or .parquet.")],
    db: DbOption = DEFAULT_STORE,
    since: SinceOption = None,
    until: UntilOption = None,
    month: MonthOption = None,
    account: Annotated[str, typer.Option(metavar="ID", help="BillingAccountId and BillingAccountName.")] = "costsim",
    focus_version: Annotated[str, typer.Option(metavar="VERSION", help="FOCUS 1.3, or 1.2.")] = "1.3",
    tags: Annotated[
        str,
        typer.Option(metavar="WORDS", help="Dimensions to put into Tags beside component, agent and task: team,user."),
    ] = "",
    book: BookOption = None,
    prices: OverlayOption = None,
) -> None:
    """Export logged usage as FOCUS rows, for FinOps tools: a row per day, component, model and token class.

    \b
      costsim export --out focus.csv --month 2026-10
      costsim export --out focus.parquet --tags team,project,tags.env --focus-version 1.2
    """
    from ..analysis.spend.query import parse_by
    from ..store import open_store

    if out.suffix.lower() not in (".csv", ".parquet"):
        raise CostsimError(f"{out}: an export ends in .csv or .parquet")
    first, last = days_of(since, until, month)
    with open_store(existing(db), stack_of(book, prices), read_only=True) as store:
        rows = store.export_focus(
            out, since=first, until=last, account=account, version=focus_version, tags=parse_by(tags)
        )
    say(f"{out}: {rows:,} rows")
