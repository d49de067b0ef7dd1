"""Per-query outcomes, as the field publishes them: RouterBench's long form and RouteLLM's pair form.

    query,model,quality,cost[,score]      every model answered every query; cost in USD, quality any number
    weak_ok,strong_ok[,score]             one question a row, 1 or 0: was the weak, was the strong model right

A score is what a router thought before the call: of a pair, how much the question needs the strong model;
of a query and model, the quality that it predicts. Other columns are left alone, so any column can be named
as the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ...csv_reading import Row, decimal_of, read_csv
from ...documents import did_you_mean, plain_names, shown_name
from ...errors import InputError

PAIR_COLUMNS = ("weak_ok", "strong_ok")
BENCH_COLUMNS = ("query", "model", "quality", "cost")
Cells = dict[str, dict[str, list[Fraction]]]
"""The numbers of a query and model, in the order of the columns."""

_TRUTH = {"1": True, "0": False, "true": True, "false": False}


@dataclass(frozen=True)
class PairTable:
    """RouteLLM's form: lists of one length, an entry per question; `scores` is None without a column."""

    weak_ok: list[bool]
    strong_ok: list[bool]
    scores: list[Fraction] | None = None


@dataclass(frozen=True)
class BenchTable:
    """RouterBench's form. `costs[query][model]` in USD and so on, in the order of `queries` and `models`."""

    queries: list[str]
    models: list[str]
    qualities: list[list[Fraction]]
    costs: list[list[Fraction]]
    scores: list[list[Fraction]] | None = None


def read_table(file: Path, score: str | None = None) -> PairTable | BenchTable:
    """The table in the CSV `file`, distinguished by its columns; `score` names the score column.

    A column called "score" is taken as the score unasked. Raises InputError: file, line, column and how to
    fix it.
    """
    header, rows = read_csv(file)
    column = score or ("score" if "score" in header else None)
    if column is not None and column not in header:
        raise InputError(f"there is no column {column!r}{did_you_mean(column, plain_names(header))}", file=file, line=1)
    if set(PAIR_COLUMNS) <= set(header):
        return _pair_table(file, rows, column)
    if set(BENCH_COLUMNS) <= set(header):
        return _bench_table(file, rows, column)
    wanted = f"{', '.join(PAIR_COLUMNS)} or {', '.join(BENCH_COLUMNS)}"
    known = {*PAIR_COLUMNS, *BENCH_COLUMNS} & {*header}  # else it is another file than is meant: nothing of it is shown
    are = f", but are {', '.join(map(shown_name, header))}" if known else "; none of its columns is one of these"
    raise InputError(f"the columns must be {wanted}{are}", file=file, line=1)


def _pair_table(file: Path, rows: Iterator[tuple[int, Row]], score: str | None) -> PairTable:
    table = PairTable([], [], None if score is None else [])
    for line, row in rows:
        table.weak_ok.append(_truth(row, "weak_ok", file, line))
        table.strong_ok.append(_truth(row, "strong_ok", file, line))
        if table.scores is not None and score is not None:
            table.scores.append(Fraction(decimal_of(row[score], file, line, score)))
    if not table.weak_ok:
        raise InputError("the file has no questions", file=file)
    return table


def _truth(row: Row, column: str, file: Path, line: int) -> bool:
    try:
        return _TRUTH[row[column].lower()]
    except KeyError:
        raise InputError(f"{row[column]!r} is neither 1 nor 0", file=file, line=line, key=column) from None


def _bench_table(file: Path, rows: Iterator[tuple[int, Row]], score: str | None) -> BenchTable:
    columns = ["quality", "cost"] + ([score] if score else [])
    cells: Cells = {}
    models: dict[str, None] = {}
    for line, row in rows:
        query, model = row["query"], row["model"]
        if model in cells.setdefault(query, {}):
            raise InputError(f"query {query!r} has model {model!r} twice", file=file, line=line)
        numbers = [Fraction(decimal_of(row[column], file, line, column)) for column in columns]
        if numbers[1] < 0:
            raise InputError(f"{row['cost']!r} is negative", file=file, line=line, key="cost")
        cells[query][model] = numbers
        models[model] = None
    if not cells:
        raise InputError("the file has no queries", file=file)
    _demand_every_model(file, cells, models)
    quality, cost, *scores = (
        [[answers[model][i] for model in models] for answers in cells.values()] for i in range(len(columns))
    )
    return BenchTable(list(cells), list(models), quality, cost, scores[0] if scores else None)


def _demand_every_model(file: Path, cells: Cells, models: Iterable[str]) -> None:
    for query, answers in cells.items():
        missing = next((model for model in models if model not in answers), None)
        if missing is not None:
            message = f"query {query!r} has no row for model {missing!r}; every model must answer every query"
            raise InputError(message, file=file)
