"""Growth: how many times the stated runs happen as time goes on, as a rate or in dated steps."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import AfterValidator, Field

from .amounts import Amount, Part

RATE = re.compile(r"\s*(?P<percent>[+-]?\d+(?:\.\d+)?)\s*%\s*(?:an?|per|/|every)?\s*(?P<unit>week|month|year)\s*")
MAX_FACTOR = 10**6
PLACES = 10**9


class GrowthStep(Part):
    """From that day on, so many times the stated runs; the last step that has begun counts."""

    day: date = Field(alias="from")
    times: Annotated[Amount, Field(le=MAX_FACTOR)]


def _checked(growth: str | list[GrowthStep]) -> str | list[GrowthStep]:
    if isinstance(growth, str):
        found = RATE.fullmatch(growth)
        if not found or not -100 < Decimal(found["percent"]) <= 1000:
            raise ValueError(f"{growth!r} is no rate; write it like 10% a month (week, year), or as steps")
    elif [step.day for step in growth] != sorted({step.day for step in growth}):
        raise ValueError("steps must be in the order of their days, each day once")
    return growth


Growth = Annotated[
    str | list[GrowthStep],
    AfterValidator(_checked),
    Field(description="10% a month, from the component's start; or steps, [{from: 2027-01-01, times: 1.5}]"),
]


def factors(growth: Growth, begins: date, days: Sequence[date]) -> list[Fraction]:
    """How many times the stated runs happen on each day: 1 on the day that it begins and before.

    A rate grows from day to day, and by exactly its percentage from a day of a month to the same day of the next.
    The factors of a rate are rounded to a billionth, and bounded by a million.
    """
    if isinstance(growth, str):
        return [_grown(growth, begins, day) for day in days]
    return [next((Fraction(step.times) for step in reversed(growth) if step.day <= day), Fraction(1)) for day in days]


def _grown(growth: str, begins: date, day: date) -> Fraction:
    found = RATE.fullmatch(growth)
    assert found  # noqa: S101 (the file's check)
    percent = Fraction(Decimal(found["percent"]))
    if day <= begins:
        return Fraction(1)
    match found["unit"]:
        case "week":
            periods = (day - begins).days / 7
        case "month":
            periods = _months(begins, day)
        case _:
            periods = _months(begins, day) / 12
    factor = float(1 + percent / 100) ** periods if float(1 + percent / 100) > 0 else 0.0
    return Fraction(round(min(factor, float(MAX_FACTOR)) * PLACES), PLACES)


def _months(begins: date, day: date) -> float:
    """Calendar months from one day to another: whole ones, and the share of the one begun."""
    whole = (day.year - begins.year) * 12 + day.month - begins.month
    last = _in_month(begins, whole)
    if last > day:
        whole -= 1
        last = _in_month(begins, whole)
    return whole + (day - last).days / (_in_month(begins, whole + 1) - last).days


def _in_month(begins: date, months: int) -> date:
    year, month = divmod(begins.year * 12 + begins.month - 1 + months, 12)
    return date(year, month + 1, min(begins.day, calendar.monthrange(year, month + 1)[1]))
