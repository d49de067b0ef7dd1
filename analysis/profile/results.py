"""What `costsim profile` finds: per part of the logs the component that it wrote, and how well that fits."""

from __future__ import annotations

from datetime import date
from typing import Any

from ..result import Result, Usd


class FittedKey(Result):
    """One key of a session: what was written, and the logged mean with its standard error (null: one session only).

    `distance` is the largest distance between the cumulative distributions, where it was measured.
    """

    key: str
    written: str
    mean: float
    standard_error: float | None
    distance: float | None = None
    unit: str = "tokens"


class GapHits(Result):
    """Turns after gaps of a length, and the percent of the context before that they read from the cache."""

    gap: str
    turns: int
    read_percent: float


class ClassFit(Result):
    """Mean tokens of a session by class, as logged and as fitted. `new_input` is uncached and written to a cache."""

    token_class: str
    logged: Usd
    fitted: Usd
    difference_percent: float | None


class ProfileFit(Result):
    """The profile of one part of the logs.

    `explained_percent` of the logged sessions use as many tokens (at usual price ratios) as lie within the profile's
    P10 to P90: 80 would be if sessions were like it. `cost_error_percent` is the standard error of a session's mean
    cost, `rate_error_percent` that of the sessions per day. `component` is what the file has.
    """

    name: str
    agent: str
    model: str
    sessions: int
    calls: int
    first: date
    last: date
    keys: list[FittedKey]
    gaps: list[GapHits]
    classes: list[ClassFit]
    compactions: int
    largest_context: int
    explained_percent: float | None
    cost_error_percent: float | None
    rate_error_percent: float | None
    notes: list[str]
    component: dict[str, Any]


class Profiles(Result):
    """`costsim profile`: the fits, and `yaml`, the architecture file that has them."""

    store: str
    by: str
    fits: list[ProfileFit]
    yaml: str
    costsim_version: str
