"""A review within its page: the JSON of `costsim report --format json`, which other programs may read from there.

What every component cost on every day is the bulk of it, and is written once: as the CSV of the chart of days, with
a row for each day and a column for each component. In the JSON, `where.days` only names the columns; the chart's
specification does too. The what-if's figures stand beside its form.
`where.cells`, where there are many, come by column.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ...errors import CostsimError
from ...months import YEARS, month_span
from ..page import by_column, from_columns
from .words import labels

if TYPE_CHECKING:
    from ...analysis.review.results import Review, Where

Column = tuple[str, str]
"""A component and its agent."""
SCRIPT = '<script type="application/json" id="{}">'
POWERS = range(-100, 31)
"""Of ten, that amounts are near: others are none that a page could show."""
MOST = 10**30
CSV = re.compile(r'<a href="data:text/csv;charset=utf-8,([^"]*)" download="days.csv">')


def columns(where: Where) -> list[Column]:
    """The columns of the table of days."""
    return sorted({(d.component, d.agent) for d in where.days})


def day_table(where: Where) -> tuple[list[str], list[list[Any]]]:
    """Its header and its rows, the earliest first; nothing where a component had no calls on a day."""
    keys = columns(where)
    place = {key: n for n, key in enumerate(keys, 1)}
    rows: dict[str, list[Any]] = {}
    for d in where.days:
        row = rows.setdefault(day := d.day.isoformat(), [day, *[None] * len(keys)])
        row[place[d.component, d.agent]] = d.usd
    names = labels(keys)
    return ["day", *(names[key] for key in keys)], [rows[day] for day in sorted(rows)]


def embed(review: Review) -> dict[str, Any]:
    """What of the review stands in its page as JSON."""
    data = review.model_dump(mode="json", exclude={"where": {"days"}, "what_if": True})
    where = data["where"]
    return {**data, "where": {**where, "cells": by_column(where["cells"]), "days": columns(review.where)}}


def read(page: str) -> Review | None:
    """The review that a page carries; None where it carries none. Raises ValueError where it cannot be read.

    Pages come from anywhere: what they say is checked as far as a report shows it.
    """
    from ...analysis.review.results import Review

    found = _script(page, "review")
    if found is None:
        return None
    try:
        data = json.loads(found)
        where = data["where"]
        if isinstance(where["cells"], dict):
            where["cells"] = from_columns(where["cells"]["columns"])
        if where["days"]:
            where["days"] = _days(unquote((CSV.search(page) or [""])[1]), where["days"])
        choices = _script(page, "what-if-data")
        review = Review.model_validate(data | ({"what_if": json.loads(choices)} if choices else {}))
        _check(review)
    except (LookupError, TypeError, AttributeError, RecursionError, csv.Error, CostsimError) as error:
        raise ValueError("this is no review") from error
    return review


def _script(page: str, name: str) -> str | None:
    """What a script of JSON in the page holds."""
    _, opened, rest = page.partition(SCRIPT.format(name))
    text, closed, _after = rest.partition("</script>")
    return text if opened and closed else None


def _check(review: Review) -> None:
    """Raises ValueError or CostsimError where a month, a day or a figure is none that a review has."""
    month_span(review.month)
    month_span(review.headline.month.month)
    for value in _leaves(review.model_dump(exclude={"where", "what_if"})):
        if isinstance(value, date) and value.year not in YEARS:
            raise ValueError(f"{value} is no day of a review")
        if isinstance(value, Decimal) and value.adjusted() not in POWERS:
            raise ValueError("an amount is out of bounds")
        if isinstance(value, int | float) and not -MOST < value < MOST:
            raise ValueError("a figure is out of bounds")


def _leaves(value: Any) -> Iterator[Any]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else None
    if parts is None:
        yield value
    else:
        for part in parts:
            yield from _leaves(part)


def _days(text: str, keys: Sequence[Column]) -> list[dict[str, str | Decimal]]:
    _, *rows = csv.reader(io.StringIO(text))
    return [
        {"day": day, "component": component, "agent": agent, "usd": usd}
        for day, *amounts in rows
        for (component, agent), usd in zip(keys, amounts, strict=True)
        if usd
    ]
