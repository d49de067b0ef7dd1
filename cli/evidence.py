"""`costsim evaluate`, `outcomes`, `recommend` and `replay`: what routing is worth, from evidence."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .arguments import EXAMPLES
from .screen import console

EXAMPLE_TABLE = EXAMPLES / "routers" / "gsm8k.csv"


class EvidenceFormat(StrEnum):
    """How evidence is printed."""

    table = "table"
    json = "json"


FormatOption = Annotated[EvidenceFormat, typer.Option("--format", "-f", help="How to print.")]


def evaluate(
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV: weak_ok,strong_ok or query,model,quality,cost. Default: the shipped GSM8K table."),
    ] = None,
    score: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The router's score. Default: the column score, if any.")
    ] = None,
    format: FormatOption = EvidenceFormat.table,
) -> None:
    """Measure routers on a per-query table: cost-quality curve, AIQ, and RouteLLM's APGR and CPT.

    Beside the router whose scores the table has stand the one that knows nothing and the
    one that knows every outcome.

    \b
      costsim evaluate
      costsim evaluate outcomes.csv --score predicted --format json
    """
    from ..analysis.evaluation import evaluate as measure
    from ..analysis.query_tables import read_table

    found = measure(read_table(file or EXAMPLE_TABLE, score))
    if format is EvidenceFormat.json:
        sys.stdout.write(found.model_dump_json(indent=2) + "\n")
    else:
        from ..reports.evidence import print_evaluation

        print_evaluation(found, (file or EXAMPLE_TABLE).name, console())
