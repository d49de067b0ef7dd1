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
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..page import by_column, from_columns
from .words import labels

if TYPE_CHECKING:
    from decimal import Decimal

    from ...analysis.review.results import Review, Where

Column = tuple[str, str]
"""A component and its agent."""
JSON = re.compile(r'<script type="application/json" id="review">(.*?)</script>', re.DOTALL)
WHAT_IF = re.compile(r'<script type="application/json" id="what-if-data">(.*?)</script>', re.DOTALL)
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
    """The review that a page carries; None where it carries none. Raises ValueError where it cannot be read."""
    from ...analysis.review.results import Review

    found = JSON.search(page)
    if not found:
        return None
    data = json.loads(found[1])
    try:
        where = data["where"]
        if isinstance(where["cells"], dict):
            where["cells"] = from_columns(where["cells"]["columns"])
        if where["days"]:
            where["days"] = _days(unquote((CSV.search(page) or [""])[1]), where["days"])
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("this is no review") from error
    choices = WHAT_IF.search(page)
    return Review.model_validate(data | ({"what_if": json.loads(choices[1])} if choices else {}))


def _days(text: str, keys: Sequence[Column]) -> list[dict[str, str | Decimal]]:
    _, *rows = csv.reader(io.StringIO(text))
    return [
        {"day": day, "component": component, "agent": agent, "usd": usd}
        for day, *amounts in rows
        for (component, agent), usd in zip(keys, amounts, strict=True)
        if usd
    ]
