"""The calls of the article's fleet, drawn from its own schedules, run rates and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from ..architecture.schedule import moment
from ..simulation.costs import Costs
from ..simulation.plans import plans_of
from ..simulation.streams import generator
from ..simulation.workload import Horizon, Work
from .planted import DRIFT, FIRST, LAST, RUNAWAY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..architecture.model import Architecture

TOKEN_SIGMA = 0.12
"""Tokens vary from run to run: lognormal around the component's mean, as prompts do."""
WORKING_HOURS = (8, 19)
"""When runs without a schedule happen, UTC."""
DAYS = (LAST - FIRST).days + 1


@dataclass(frozen=True)
class DemoCall:
    """One logged call; `configured` is the model that the routing names, `model` the one that was called."""

    at: datetime
    component: str
    agent: str
    task: str
    configured: str
    model: str
    input: int
    output: int


def works_of(architecture: Architecture) -> dict[str, Work]:
    """The components' runs and tokens over the demo's two months."""
    horizon = Horizon.of(FIRST, DAYS, ZoneInfo(architecture.timezone))
    return Costs.of(architecture, horizon, architecture.book).works


def fleet_calls(architecture: Architecture, seed: int) -> list[DemoCall]:
    """Every call of the two months, in the order of time; the same seed draws the same."""
    routed = plans_of(architecture, "unused")[1].models
    found = [
        call for work in works_of(architecture).values() for call in _calls(work, routed[work.component.name], seed)
    ]
    return sorted(found, key=lambda call: (call.at, call.component))


def _calls(work: Work, configured: str, seed: int) -> Iterator[DemoCall]:
    component, rng = work.component, generator(seed, f"demo\n{work.component.name}")
    means = work.profile.mean
    moments = _moments(work, rng)
    noise = rng.lognormal(-(TOKEN_SIGMA**2) / 2, TOKEN_SIGMA, (len(moments), 2))
    for at, (more_input, more_output) in zip(moments, noise, strict=True):
        drifts = component.name == DRIFT.component and at.date() >= DRIFT.day
        yield DemoCall(
            at, component.name, component.agent, component.task, configured, DRIFT.went_to if drifts else configured,
            max(1, round(float(means["input"]) * more_input)), max(1, round(float(means["output"]) * more_output)),
        )  # fmt: skip


def _moments(work: Work, rng: np.random.Generator) -> list[datetime]:
    """When the runs begin: at the schedule's minutes, a few seconds late; else in working hours."""
    if work.runs.instants is not None:
        late: NDArray[np.float64] = rng.uniform(0.5, 20, len(work.runs.instants))
        pairs = zip(work.runs.instants, late, strict=True)
        return [_naive(moment(int(minute)) + timedelta(seconds=float(seconds))) for minute, seconds in pairs]
    first, last = WORKING_HOURS
    found: list[datetime] = []
    for day, expected in enumerate(work.runs.expected):
        date_ = FIRST + timedelta(days=day)
        runaway = work.component.name == RUNAWAY.component and date_ == RUNAWAY.day
        count = round(float(expected)) * RUNAWAY.times if runaway else int(rng.poisson(float(expected)))
        hours = np.sort(rng.uniform(first, last, count))
        found += [datetime(date_.year, date_.month, date_.day) + timedelta(hours=float(hour)) for hour in hours]
    return found


def _naive(at: datetime) -> datetime:
    return at.replace(tzinfo=None)
