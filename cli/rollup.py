"""`costsim rollup`: sum calls where they are, and load the sums."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import CostsimError
from .arguments import BookOption, OverlayOption, stack_of
from .grouped import grouped
from .refused import refuses
from .screen import say

if TYPE_CHECKING:
    from ..analysis.spend.rollup_file import Wanted
    from ..pricing.book import PriceBook


@dataclass(frozen=True)
class RollupOptions:
    """What `costsim rollup` is asked for."""

    source: Annotated[
        str,
        typer.Argument(
            help="The calls: a Parquet file, folder or glob, or a store; with --engine or --print-sql, the table."
        ),
    ]
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="The rollup, a Parquet file for costsim load.")
    ] = None
    engine: Annotated[
        str,
        typer.Option(
            metavar="ENGINE", help="What sums: local (DuckDB), spark, clickhouse://HOST/DB or postgresql://HOST/DB."
        ),
    ] = "local"
    print_sql: Annotated[
        bool, typer.Option("--print-sql", help="Print the statement for an engine of your own, and run nothing.")
    ] = False
    dialect: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With --print-sql: bigquery, snowflake, trino, databricks, spark, clickhouse, postgres, redshift, "
            "athena or duckdb.",
        ),
    ] = None
    map: Annotated[
        str | None,
        typer.Option(metavar="MAP", help="The table's own columns, as for costsim load: ts=TIME,input=TOKENS_IN."),
    ] = None
    keep: Annotated[
        str,
        typer.Option(
            metavar="WORDS", help="Dimensions to keep apart too: session, user, team, project, repository, branch."
        ),
    ] = ""
    role: Annotated[
        str | None, typer.Option(metavar="ROLE", help="What the source is: calls, or bill. Default: its column role.")
    ] = None
    unique_by: Annotated[
        str | None,
        typer.Option(
            "--unique-by",
            metavar="COLUMN",
            help="Rows with one value of it are one call; none: every row is a call. Default: event_id, if any.",
        ),
    ] = None
    book: BookOption = None
    prices: OverlayOption = None


@refuses("engine", case=lambda asked: asked["print_sql"], why="what runs; with --print-sql name the --dialect")
@refuses(
    "dialect",
    case=lambda asked: not asked["print_sql"],
    why="read only with --print-sql; what runs is named by --engine",
)
@grouped(RollupOptions)
def rollup(asked: RollupOptions) -> None:
    """Sum calls where they are, exactly, into a small file that costsim load takes. See docs/scale.md.

    \b
      costsim rollup lake/calls --out rollup.parquet
      costsim rollup calls --engine clickhouse://localhost/llm --out rollup.parquet
      costsim rollup project.llm.calls --print-sql --dialect bigquery
      costsim load rollup.parquet
    """
    wanted = _wanted(asked)
    stack = stack_of(asked.book, asked.prices)
    if asked.print_sql:
        _print_sql(asked, stack, wanted)
        return
    if asked.out is None or asked.out.suffix.lower() != ".parquet":
        raise CostsimError("say where the rollup goes: --out FILE.parquet")
    _make(asked, stack, asked.out, wanted)


def _wanted(asked: RollupOptions) -> Wanted:
    """Of which columns, apart by what, in which role, once per what."""
    from ..analysis.spend.rollup_file import Wanted
    from ..usage.readers.mapped import parse_mapping
    from ..usage.roles import parse_roles

    given, of_sources = parse_roles([asked.role] if asked.role else ())
    if of_sources:
        raise CostsimError("--role of a rollup is calls or bill")
    words = [word.strip() for word in asked.keep.split(",") if word.strip()]
    return Wanted(parse_mapping(asked.map) if asked.map else None, words, given, asked.unique_by)


def _print_sql(asked: RollupOptions, stack: PriceBook, wanted: Wanted) -> None:
    from ..analysis.spend.rollup_file import printed_rollup
    from ..usage.engines.dialects import written
    from .output import emit

    emit(written(printed_rollup(asked.source, stack, wanted), asked.source, asked.dialect or "duckdb"), asked.out)


def _make(asked: RollupOptions, stack: PriceBook, out: Path, wanted: Wanted) -> None:
    """Sum in the engine, and say what came of it."""
    from ..analysis.spend.rollup_file import make_rollup
    from ..usage.engines.named import engine_of

    made = make_rollup(engine_of(asked.engine, asked.source), stack, out, wanted)
    say(f"{out}: {made.rows:,} sums of {made.calls:,} calls, {made.first} to {made.last} (UTC)")
    for fault, calls in made.faults:
        say(f"not counted: {calls:,} calls with {fault}", err=True)
    say(f"Load it with costsim load {out}")
