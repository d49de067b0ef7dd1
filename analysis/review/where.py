"""Where it goes: the month's cells, who changed most, and every day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from ...money import strip
from ..compare.bridge_results import Bridge, Effect
from ..forecast.results import Anomaly
from .results import Cell, ClassCost, ComponentDay, Mover, OwnerCosts, Where


def where(
    cells: Iterable[tuple[Any, ...]],
    days: Iterable[tuple[Any, ...]],
    first: date,
    bridge: Bridge | None,
    anomalies: Sequence[Anomaly],
    classes: list[ClassCost],
    owners: list[OwnerCosts],
) -> Where:
    """The part, from the rows of its two queries (see queries.py). Movers need a month before."""
    daily = [
        ComponentDay(day=day, component=component, agent=agent, usd=strip(usd))
        for day, component, agent, usd in days
        if usd is not None
    ]
    return Where(
        cells=[_cell(*line) for line in cells],
        movers=_movers(daily, first, bridge) if bridge else [],
        days=daily,
        anomalies=list(anomalies),
        classes=classes,
        owners=owners,
        query="where",
    )


def _cell(component: str, agent: str, model: str, calls: int, tokens: int, usd: Decimal | None) -> Cell:
    spent = None if usd is None else strip(usd)
    return Cell(component=component, agent=agent, model=model, calls=calls, tokens=tokens, usd=spent)


def _movers(daily: Iterable[ComponentDay], first: date, bridge: Bridge) -> list[Mover]:
    """Every component by how much it changed over the bridge's days, the largest first; the unchanged left out."""
    before: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    after: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in daily:
        if first <= line.day <= bridge.after_last:
            after[line.component, line.agent] += line.usd
        elif line.day <= bridge.before_last:
            before[line.component, line.agent] += line.usd
    mostly = _largest_effects(bridge)
    movers = [
        Mover(
            component=component, agent=agent, mostly=mostly.get(component),
            before_usd=strip(was), after_usd=strip(now), change_usd=strip(now - was),
        )
        for component, agent in sorted({*before, *after})
        for was, now in [(before.get((component, agent), Decimal(0)), after.get((component, agent), Decimal(0)))]
        if was != now
    ]  # fmt: skip
    return sorted(movers, key=lambda mover: (-abs(mover.change_usd), mover.component, mover.agent))


def _largest_effects(bridge: Bridge) -> Mapping[str, Effect]:
    largest: dict[str, tuple[Decimal, Effect]] = {}
    for step in bridge.steps:
        for part in step.components:
            if part.usd and abs(part.usd) > largest.get(part.component, (Decimal(0), ""))[0]:
                largest[part.component] = (abs(part.usd), step.effect)
    return {component: effect for component, (_, effect) in largest.items()}
