"""Costs in another currency: each day at the rate of that day, from a file of dated rates.

    date,EUR,GBP                      or     date,currency,rate
    2026-10-01,0.91,0.79                     2026-10-01,EUR,0.91

A rate is how much of the currency one US dollar was worth; it holds until the next date. History keeps its own rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ...csv_reading import decimal_of, read_csv
from ...documents import did_you_mean, plain_names
from ...errors import InputError
from ...money import strip
from .groups import keyed

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from .query import Query

RATE = "CREATE OR REPLACE TEMP TABLE currency_rate AS SELECT unnest($days) AS since, unnest($rates) AS rate"
FIRST_DAY = "SELECT min(shown_day) FROM priced WHERE usd <> 0"


@dataclass(frozen=True)
class Rates:
    """What a US dollar was worth in `currency`, from each day on; in the order of the days."""

    currency: str
    days: tuple[tuple[date, Decimal], ...]
    file: Path


def read_rates(file: Path, currency: str) -> Rates:
    """The rates of one currency. Raises InputError: no such currency, or USD, a date or rate that is none, or a day
    that stands twice.
    """
    header, rows = read_csv(file)
    if currency.casefold() == "usd":  # its column would be that of the cost itself
        raise InputError("every cost is in USD already; name another currency", file=file)
    if "date" not in header:
        raise InputError("there is no column 'date'", file=file, line=1)
    found: dict[date, Decimal] = {}
    for line, day, text, column in _stated(file, header, rows, currency):
        rate = decimal_of(text, file, line, column)
        if rate <= 0:
            raise InputError(f"a rate is more than 0, not {text}", file=file, line=line, key=column)
        if day in found:
            raise InputError(f"{currency} has two rates for {day}", file=file, line=line, key="date")
        found[day] = rate
    if not found:
        raise InputError(f"there is no rate of {currency}", file=file)
    return Rates(currency, tuple(sorted(found.items())), file)


def _stated(
    file: Path, header: list[str], rows: Iterator[tuple[int, dict[str, str]]], currency: str
) -> Iterator[tuple[int, date, str, str]]:
    """Line, day, rate and columns of the currency's rates, from either layout; `EUR` and `eur` are one."""
    long = {"currency", "rate"} <= {*header}
    own = [name for name in header if name.casefold() == currency.casefold()]
    if not long and not own:
        raise InputError(
            f"there is no column {currency!r}{did_you_mean(currency, plain_names(header))}", file=file, line=1
        )
    for line, row in rows:
        for column in ["rate"] if long else own:
            if row[column] and (not long or row["currency"].casefold() == currency.casefold()):
                yield line, _day(row["date"], file, line), row[column], column


def _day(text: str, file: Path, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is not a date; write it as 2026-12-31", file=file, line=line, key="date") from None


def converted(connection: DuckDBPyConnection, query: Query, rates: Rates) -> dict[tuple[str, ...], Decimal]:
    """The cost of every group in the currency, exact; of the priced rows that `query` chose.

    Raises InputError where there was a cost before the first rate.
    """
    (first,) = connection.execute(FIRST_DAY).fetchone() or (None,)
    if first and first < rates.days[0][0]:
        raise InputError(f"there is no rate of {rates.currency} for {first}; the first is later", file=rates.file)
    days, values = zip(*rates.days, strict=True)
    connection.execute(RATE, {"days": list(days), "rates": [f"{value:f}" for value in values]})
    keys = "".join(f"key_{n}, " for n in range(len(query.by)))
    sql = f"""
    SELECT {keys} rate, sum(usd)::VARCHAR FROM ({keyed(query)}) AS line
    ASOF JOIN currency_rate ON line.shown_day >= currency_rate.since WHERE usd IS NOT NULL GROUP BY ALL
    """  # noqa: S608 (names of ours)
    found: dict[tuple[str, ...], Decimal] = {}
    with exact():
        for *key, rate, usd in connection.execute(sql).fetchall():
            found[(*key,)] = found.get((*key,), Decimal(0)) + Decimal(rate) * strip(Decimal(usd))
    return found


def exact() -> AbstractContextManager[Context]:
    """Arithmetic that keeps all digits of a cost times a rate."""
    return localcontext(prec=100)
