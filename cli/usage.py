"""`costsim load`, `costsim spend` and `costsim export`: logged usage in, exact spend out."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CostsimError, UnpricedError
from ..usage import DEFAULT_STORE
from .arguments import (
    HERE,
    BookOption,
    DbOption,
    MonthOption,
    OverlayOption,
    SinceOption,
    UntilOption,
    day_of,
    days_of,
    existing,
    stack_of,
)
from .output import FORMAT_HELP, OutOption, emit, format_of
from .screen import say, with_progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from ..analysis.spend.query import Query
    from ..analysis.spend.spend import Spend
    from ..analysis.spend.units import UnitEconomics
    from ..pricing.book import PriceBook


class SpendFormat(StrEnum):
    """How `costsim spend` prints."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    parquet = "parquet"


class ShownCosts(StrEnum):
    """Which costs `costsim spend` shows."""

    recorded = "recorded"
    computed = "computed"
    both = "both"


def load(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders or globs; .gz and .zst too; - for stdin. Without any: the logs of coding agents on "
            "this machine are listed, and loaded with --all."
        ),
    ] = None,
    all_known: Annotated[
        bool, typer.Option("--all", help="Load the logs of known coding agents that are on this machine.")
    ] = False,
    db: DbOption = DEFAULT_STORE,
    log_format: Annotated[
        str | None, typer.Option("--log-format", metavar="NAME", help="The logs' format. Default: by their content.")
    ] = None,
    map: Annotated[
        str | None,
        typer.Option(
            metavar="MAP",
            help="Columns of a log of your own: ts=TIME,input=TOKENS_IN,model=:gpt-4o (after a colon, a constant), "
            "or a mapping file (YAML, JSON, TOML: columns, constants).",
        ),
    ] = None,
    attribution: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rules that give calls their component, agent and task.")
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="A line that cannot be read, usage that is not counted, a total that contradicts its parts, or a file "
            "of a folder that may be a log and is none is an error.",
        ),
    ] = False,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE",
            help="What these files are: calls, or bill (what the provider charged, never added to calls of the days "
            "and models); SOURCE=ROLE for all of a source, such as litellm-daily=bill. Default: by the format.",
        ),
    ] = None,
    acknowledge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="A field known not to be usage (by its path): it is reported no more. Also the key acknowledged of "
            "architecture.yaml or of the file of rules.",
        ),
    ] = None,
) -> None:
    """Load usage logs into the store. Loading again counts nothing twice; the same call in two files counts once.

    \b
      costsim load
      costsim load --all
      costsim load ~/.claude/projects
      costsim load spend_logs.csv --attribution attribution.yaml
      costsim load --role litellm-daily=bill
      costsim load trace.csv --map ts=TIMESTAMP,input=ContextTokens,output=GeneratedTokens
    """
    from ..store import open_store
    from ..usage.acknowledged import read_acknowledged
    from ..usage.attribution import read_attribution
    from ..usage.readers.mapped import parse_mapping
    from ..usage.roles import parse_roles
    from ..usage.roles_file import has_rules, read_roles

    of_files, of_sources = parse_roles(role or ())
    named = [*(paths or [])]
    if all_known or not (named or of_sources):
        named += _known(all_known)
    if not (named or of_sources):
        return
    rules = read_attribution(attribution) if attribution and has_rules(attribution) else None
    roles = {**(read_roles(attribution) if attribution else {}), **of_sources}
    known = [field for file in (attribution, HERE) if file and file.is_file() for field in read_acknowledged(file)]
    mapping = parse_mapping(map) if map else None
    with open_store(db) as store:
        report = with_progress(
            "loading",
            lambda progress: store.load(
                named,
                format=log_format,
                mapping=mapping,
                attribution=rules,
                strict=strict,
                acknowledged=[*known, *(acknowledge or ())],
                role=of_files,
                roles=roles,
                progress=progress,
            ),
        )
    for line in report.lines():
        say(line)


def _known(chosen: bool) -> list[str]:
    """Print which known logs are on this machine; those to load, if they are wanted."""
    from ..reports.known_logs import lines
    from ..usage.known_logs import known_logs
    from ..usage.listing import FoundPath

    found = known_logs()
    for line in lines(found, Path.home()):
        say(line)
    if not found and chosen:
        raise CostsimError("--all found nothing to load")
    if found and not chosen:
        say("Load them with costsim load --all, or some by their path: costsim load PATH")
    return [FoundPath(file) for logs in found if chosen and not logs.repeats for file in logs.files]


def spend(
    db: DbOption = DEFAULT_STORE,
    events: Annotated[
        list[Path] | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="Price Parquet files, folders or globs of calls where they lie, without a store: columns as in "
            "usage_event, at least ts, model and a count. Calls are taken as they stand; none is counted twice.",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Group by: hour, day, week, month, component, agent, task, model, provider, class, source, "
            "processing, status, session, user, team, project, repository, branch, tags.NAME; several with commas. "
            "Default: component,model.",
        ),
    ] = None,
    per: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS",
            help="Instead: cost per unit. A CSV of units (columns such as branch are keys, others count), "
            "or one of the words, such as session.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITIONS",
            help="Only calls for which all hold: agent=cto,model=*opus*; the words of --by, values may be globs.",
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="The N most expensive groups, and what is unattributed; the rest as others.", min=1
        ),
    ] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    month: MonthOption = None,
    tz: Annotated[str, typer.Option(metavar="ZONE", help="Whose days and months: an IANA time zone.")] = "UTC",
    format: Annotated[
        SpendFormat | None,
        typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table") + " parquet needs --out."),
    ] = None,
    costs: Annotated[
        ShownCosts, typer.Option(help="Costs that sources recorded, computed ones, or both.")
    ] = ShownCosts.both,
    reprice: Annotated[str | None, typer.Option(metavar="DATE", help="Show the cost at that day's prices too.")] = None,
    book: BookOption = None,
    prices: OverlayOption = None,
    out: OutOption = None,
) -> None:
    """Say what logged usage cost: each call at the prices of its own moment, exact; unpriced models first.

    \b
      costsim spend --month 2026-10
      costsim spend --by day,model --format csv
      costsim spend --by component --reprice 2026-11-01
      costsim spend --by team,user --top 10 --where "month=2026-10,model=*opus*"
      costsim spend --per units.csv --where team=growth
      costsim spend --events calls.parquet --by day,model
    """
    from ..analysis.spend.query import Query, parse_by, parse_where
    from ..analysis.spend.units import is_dimension, read_units, unit_economics, units_of

    if per and (by or top or reprice):
        raise CostsimError("give --per without --by, --top and --reprice")
    repriced = day_of(reprice) if reprice else None
    units = read_units(Path(per)) if per and not is_dimension(per) else None
    grouped = units.keys if units else (per,) if per else parse_by("component,model" if by is None else by)
    query = Query(grouped, *days_of(since, until, month), repriced, tz, parse_where(where or ()), top)
    query.check()
    chosen = format_of(format, out, SpendFormat.table)
    if (chosen is SpendFormat.parquet) != (out is not None and out.suffix == ".parquet"):
        raise CostsimError("parquet goes to a file: --format parquet --out spend.parquet")
    found = _spent(query, events, db, stack_of(book, prices))
    if per:
        _show_units(unit_economics(found, units or units_of(per, found)), chosen, out)
    else:
        _show(found, chosen, costs, out)
    if found.unpriced_models:
        names = ", ".join(repr(name) for name in found.unpriced_models)
        raise UnpricedError(f"no price for {names}; their tokens are in no cost. Add them to an overlay: --prices FILE")


def _spent(query: Query, events: list[Path] | None, db: Path, stack: PriceBook) -> Spend:
    """What the calls in files cost where they lie, else those of the store."""
    from ..analysis.spend.spend import spend, spend_calls
    from ..store import open_store

    if events:
        return spend_calls(events, stack, query)
    with open_store(existing(db), stack, read_only=True) as store:
        return spend(store.connection, stack, query)


def _show(found: Spend, format: SpendFormat, costs: ShownCosts, out: Path | None) -> None:
    if format is SpendFormat.parquet and out:
        from ..reports.spend import write_parquet

        write_parquet(found, out)
    else:
        emit(_rendered(found, format, costs), out)


def _show_units(found: UnitEconomics, format: SpendFormat, out: Path | None) -> None:
    from ..reports import units as show

    if format is SpendFormat.parquet:
        raise CostsimError("units are a table, json, csv or markdown")
    render = {SpendFormat.json: show.as_json, SpendFormat.csv: show.as_csv, SpendFormat.markdown: show.as_markdown}
    emit(render[format](found) if format in render else partial(show.print_units, found), out)


def _rendered(found: Spend, format: SpendFormat, costs: ShownCosts) -> str | Callable[[Console], None]:
    from ..reports import spend as show

    match format:
        case SpendFormat.json:
            return show.as_json(found)
        case SpendFormat.csv:
            return show.as_csv(found)
        case SpendFormat.markdown:
            return show.as_markdown(found, costs.value)
    return partial(show.print_spend, found, costs.value)


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
