"""Anomalies of the month, of the total and of components, each cause reported once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from ...money import strip
from ..forecast.anomalies import anomalies_by_component
from ..forecast.daily_costs import Series
from ..forecast.results import Anomaly

BEFORE, AFTER = timedelta(days=70), timedelta(days=21)
"""How much around the month is read; more than the search for anomalies looks at."""


def through(series: Series, as_of: date) -> Series:
    """The days up to `as_of`, included."""
    return [(day, usd) for day, usd in series if day <= as_of]


def anomalies_of_month(series: Mapping[str | None, Series], first: date, last: date) -> list[Anomaly]:
    """The anomalies from `first` to `last`; later days help to judge them.

    A total that its components' anomalies account for is left out: one cause is reported once.
    """
    start, end = first - BEFORE, last + AFTER
    near = {name: [(day, usd) for day, usd in history if start <= day <= end] for name, history in series.items()}
    known = {name: history for name, history in near.items() if history}
    return [named(anomaly, known) for anomaly in one_cause(anomalies_by_component(known, first, last))]


def named(anomaly: Anomaly, series: Mapping[str | None, Series]) -> Anomaly:
    """An unusual total under the name of the component that makes at least half of its excess, where one does.

    A component may vary too much for its own day to be called an anomaly, and yet make the total's day so. Its usual
    cost is the median of its days.
    """
    if anomaly.component is not None:
        return anomaly
    excess = anomaly.usd - anomaly.expected_usd
    for name, history in series.items():
        own = dict(history).get(anomaly.day, Decimal(0))
        usual = strip(median(usd for _, usd in history))
        if name is not None and (own - usual) / excess >= Decimal("0.5"):
            times = f"{own / usual:.1f} times" if usual else "far more than"
            return anomaly.model_copy(
                update={
                    "component": name, "usd": strip(own), "expected_usd": usual,
                    "low_usd": strip(max(Decimal(0), usual - anomaly.expected_usd + anomaly.low_usd)),
                    "high_usd": strip(usual - anomaly.expected_usd + anomaly.high_usd),
                    "message": f"{anomaly.day:%A} {anomaly.day}: {name} cost {times} what is usual",
                }
            )  # fmt: skip
    return anomaly


def one_cause(found: Sequence[Anomaly]) -> list[Anomaly]:
    """Without totals that are as usual once the excess of their unusual components is taken out."""
    excess: dict[date, Decimal] = defaultdict(Decimal)
    for anomaly in found:
        if anomaly.component is not None:
            excess[anomaly.day] += anomaly.usd - anomaly.expected_usd
    return [
        anomaly
        for anomaly in found
        if anomaly.component is not None or not _explained(anomaly, excess.get(anomaly.day))
    ]


def _explained(total: Anomaly, excess: Decimal | None) -> bool:
    return excess is not None and total.low_usd <= total.usd - excess <= total.high_usd


def spells(found: Iterable[Anomaly]) -> list[list[Anomaly]]:
    """Anomalies of one component that follow each other, all too high or all too low: one cause."""
    runs: list[list[Anomaly]] = []
    for anomaly in sorted(found, key=lambda a: (a.component or "", a.day)):
        before = runs[-1][-1] if runs else None
        if before and _goes_on(before, anomaly):
            runs[-1].append(anomaly)
        else:
            runs.append([anomaly])
    return runs


def _goes_on(before: Anomaly, anomaly: Anomaly) -> bool:
    same_side = (before.usd > before.expected_usd) == (anomaly.usd > anomaly.expected_usd)
    return before.component == anomaly.component and same_side and anomaly.day - before.day <= timedelta(days=1)
