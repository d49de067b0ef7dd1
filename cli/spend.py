"""`costsim spend`: what logged usage cost, by any dimension, per unit, in any currency."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CostsimError, UnpricedError
from ..usage import DEFAULT_STORE
from .arguments import (
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
from .grouped import grouped
from .output import FORMAT_HELP, OutOption, emit, format_of
from .refused import Asked, refuses
from .screen import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from ..analysis.spend.currency import Rates
    from ..analysis.spend.query import Query
    from ..analysis.spend.spend import Spend
    from ..analysis.spend.units import UnitEconomics, Units
    from ..pricing.book import PriceBook

MAX_TOP = 10**9


class SpendFormat(StrEnum):
    """How `costsim spend` prints."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
    parquet = "parquet"


WITH_CHOICE = (SpendFormat.table, SpendFormat.markdown)
"""The forms that leave out the costs that are not asked for."""


class ShownCosts(StrEnum):
    """Which costs `costsim spend` shows."""

    recorded = "recorded"
    computed = "computed"
    both = "both"


def _form(asked: Asked) -> SpendFormat:
    """How to print; Parquet goes to a file of that ending, and nothing else does."""
    out: Path | None = asked["out"]
    chosen: SpendFormat = format_of(asked["format"], out, SpendFormat.table)
    if (chosen is SpendFormat.parquet) != (out is not None and out.suffix == ".parquet"):
        raise CostsimError("parquet goes to a file: --format parquet --out spend.parquet")
    return chosen


@dataclass(frozen=True)
class SpendOptions:
    """What `costsim spend` is asked for."""

    db: DbOption = DEFAULT_STORE
    events: Annotated[
        list[str] | None,
        typer.Option(
            "--events",
            metavar="FILE",
            help="Price Parquet files, folders or globs of calls (s3:// too) where they lie, without a store: columns "
            "as in usage_event, at least ts, model and a count. Rows with one event_id are one call.",
        ),
    ] = None
    by: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help="Group by: hour, day, week, month, component, agent, task, model, provider, class, source, "
            "processing, status, session, user, team, project, repository, branch, tags.NAME; several with commas. "
            "Default: component,model.",
        ),
    ] = None
    per: Annotated[
        str | None,
        typer.Option(
            metavar="UNITS",
            help="Instead: cost per unit. A CSV of units (columns such as branch are keys, others count), "
            "or one of the words, such as session.",
        ),
    ] = None
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONDITIONS",
            help="Only calls for which all hold: agent=cto,model=*opus*; the words of --by, values may be globs.",
        ),
    ] = None
    top: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="The N most expensive groups, and what is unattributed; the rest as others.",
            min=1,
            max=MAX_TOP,
        ),
    ] = None
    since: SinceOption = None
    until: UntilOption = None
    month: MonthOption = None
    tz: Annotated[str, typer.Option(metavar="ZONE", help="Whose days and months: an IANA time zone.")] = "UTC"
    format: Annotated[
        SpendFormat | None,
        typer.Option("--format", "-f", help=FORMAT_HELP.format(default="table") + " parquet needs --out."),
    ] = None
    costs: Annotated[ShownCosts, typer.Option(help="Costs that sources recorded, computed ones, or both.")] = (
        ShownCosts.both
    )
    currency: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Show costs in that currency too, each day at its rate."),
    ] = None
    rates: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV of dated rates, units per USD: date,EUR,GBP or date,currency,rate."),
    ] = None
    reprice: Annotated[str | None, typer.Option(metavar="DATE", help="Show the cost at that day's prices too.")] = None
    book: BookOption = None
    prices: OverlayOption = None
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Usage that is in no total, contradicts itself or may be counted twice is an error."
        ),
    ] = False
    out: OutOption = None


@refuses(
    "by", "top", "reprice", "costs", "currency", "rates", case=lambda asked: asked["per"], why="not read with --per"
)
@refuses(
    "costs",
    case=lambda asked: _form(asked) not in WITH_CHOICE,
    why="read only for a table or markdown; others have both",
)
@refuses("db", case=lambda asked: asked["events"], why="not read with --events FILE, which needs no store")
@grouped(SpendOptions)
def spend(asked: SpendOptions) -> None:
    """Say what logged usage cost: each call at the prices of its own moment, exact; unpriced models first.

    \b
      costsim spend --month 2026-10
      costsim spend --by day,model --format csv
      costsim spend --by component --reprice 2026-11-01
      costsim spend --by team,user --top 10 --where "month=2026-10,model=*opus*"
      costsim spend --per units.csv --where team=growth
      costsim spend --by month --currency EUR --rates rates.csv
      costsim spend --events calls.parquet --by day,model
    """
    from ..analysis.spend.units import unit_economics, units_of

    units = _units(asked)
    query = _query(asked, units)
    chosen = _form(vars(asked))
    found = _spent(
        query, asked.events, asked.db, stack_of(asked.book, asked.prices), _rates(asked.currency, asked.rates)
    )
    if asked.per:
        _show_units(unit_economics(found, units or units_of(asked.per, found)), chosen, asked.out)
    else:
        _show(found, chosen, asked.costs, asked.out)
    if chosen in (SpendFormat.csv, SpendFormat.parquet):
        _say_quality(found)
    _raise_faults(found, asked.strict)


def _units(asked: SpendOptions) -> Units | None:
    """The units of a file; none where `--per` is a dimension, or is not asked for."""
    from ..analysis.spend.units import is_dimension, read_units

    return read_units(Path(asked.per)) if asked.per and not is_dimension(asked.per) else None


def _query(asked: SpendOptions, units: Units | None) -> Query:
    """Which calls, grouped by what: the keys of the units, the dimension of `--per`, or the words of `--by`."""
    from ..analysis.spend.query import Query, parse_by, parse_where

    words = "component,model" if asked.by is None else asked.by
    grouped = units.keys if units else (asked.per,) if asked.per else parse_by(words)
    repriced = day_of(asked.reprice) if asked.reprice else None
    days = days_of(asked.since, asked.until, asked.month)
    query = Query(grouped, *days, repriced, asked.tz, parse_where(asked.where or ()), asked.top)
    query.check()
    return query


def _say_quality(found: Spend) -> None:
    """What is not counted: beside a form that has no place for it."""
    from ..reports.beside_spend import quality_lines

    for line in quality_lines(found):
        say(line, err=True)


def _raise_faults(found: Spend, strict: bool) -> None:
    """Raises UnpricedError where a model has no price; with `strict`, CostsimError where anything is not counted."""
    if found.unpriced_models:
        raise UnpricedError.of(found.unpriced_models)
    if strict and (faults := (*(overlap.message for overlap in found.sources.overlaps), *found.quality.messages)):
        raise CostsimError(f"{faults[0]}" + (f"; and {len(faults) - 1} more" if len(faults) > 1 else ""))


def _rates(currency: str | None, file: Path | None) -> Rates | None:
    if (currency is None) != (file is None):
        raise CostsimError("--currency EUR and --rates FILE go together: costsim knows no rates of its own")
    from ..analysis.spend.currency import read_rates

    return read_rates(file, currency) if file and currency else None


def _spent(query: Query, events: list[str] | None, db: Path, stack: PriceBook, rates: Rates | None) -> Spend:
    """What the calls in files cost where they lie, else those of the store."""
    from ..analysis.spend.spend import spend, spend_calls
    from ..store import open_store

    if events:
        return spend_calls(events, stack, query, rates)
    with open_store(existing(db), stack, read_only=True) as store:
        return spend(store.connection, stack, query, rates)


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
