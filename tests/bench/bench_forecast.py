"""What the forecast's ranges and chances are worth, on synthetic months whose truth is known, and how quick it is.

    python tests/bench/bench_forecast.py [--months 300] [--series 300] [--seed 2026] [--processes 2] [--cells]

Prints the tables of docs/forecast.md: (a) how often P10 to P90 held a month's total; (b) the same for the next day
and week; (c) how often a budget was breached where a chance was stated; (d) false alarms and spikes found;
(e) the built-in forecaster against statsforecast, where that is installed; (f) times; (g) coverage by cell, worst
first, with the misses below and above, the width of the range and the error of the forecast. `--cells` prints (g) alone,
with the processor time that it took.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from costsim.analysis.forecast.anomalies import anomalies, anomalies_by_component
from costsim.analysis.forecast.backtest import Scores, held_out
from costsim.analysis.forecast.daily import Model, draw_days
from costsim.analysis.forecast.history import Days, Floats
from costsim.analysis.forecast.month import forecast_month

sys.path.insert(0, str(Path(__file__).parents[1] / "analysis" / "forecast"))
from synthetic import (  # type: ignore[import-not-found]
    CELLS,
    REGIMES,
    UNTUNED,
    Trial,
    breaches,
    cell_forecast,
    history,
    log_error,
    missed,
    month_trial,
)

MONDAY = date(2026, 6, 1)
KNOWN = (3, 7, 14, 28, 60, 150)


def share(hits: Iterable[bool]) -> str:
    """A share in percent, with how many it is of."""
    counted = list(hits)
    return f"{100 * sum(counted) / len(counted):5.1f} % of {len(counted):4d}" if counted else "      -"


def month_table(months: list[Trial]) -> float:
    """Coverage of months, by regime, by days known and by days left; returns the overall share."""
    print("(a) month totals inside P10 to P90")
    print("all             ", share(month.inside for month in months))
    for name in REGIMES:
        print(f"{name:16s}", share(month.inside for month in months if month.regime == name))
    for known in sorted({month.known_days for month in months}):
        print(f"{known:3d} days known  ", share(month.inside for month in months if month.known_days == known))
    for low, high in ((2, 7), (8, 14), (15, 21), (22, 28)):
        these = [month.inside for month in months if low <= month.days_left <= high]
        print(f"{low:2d}-{high:2d} days left  ", share(these))
    return float(np.mean([month.inside for month in months]))


def ahead_table(series: int) -> None:
    """Coverage of the next day, week and four weeks, by days known."""
    print("\n(b) inside P10 to P90, all regimes together\ndays known   next day   next 7 days   next 28 days")
    for known in KNOWN:
        rng = np.random.default_rng(known)
        hits = np.array([_ahead(known, name, rng) for name in REGIMES for _ in range(max(1, series // 6))])
        print(f"{known:10d}" + "".join(f"{100 * part:10.1f} %" for part in hits.mean(axis=0)))


def _ahead(known: int, name: str, rng: np.random.Generator) -> list[bool]:
    start = int(rng.integers(7))
    costs = REGIMES[name].draw(start + known + 28, rng)[start:]
    if not costs[:known].any():
        return _ahead(known, name, rng)
    drawn = Model(costs[:known], start).draw(28, 500, rng)
    hits = []
    for days in (1, 7, 28):
        low, high = np.quantile(drawn[:, :days].sum(axis=1), (0.1, 0.9))
        hits.append(bool(low <= costs[known : known + days].sum() <= high))
    return hits


def reliability_table(months: list[Trial]) -> None:
    """The chance of breach that was stated, and how often a breach came."""
    rng = np.random.default_rng(5)
    said, came = np.array([breaches(month, rng) for month in months], dtype=float).T
    print("\n(c) chance of breach\nstated       budgets  mean stated  breached")
    for tenth in range(10):
        these = np.floor(np.minimum(said, 0.999) * 10) == tenth
        if these.any():
            print(
                f"{10 * tenth:3d}-{10 * tenth + 10:3d} % {these.sum():9d}"
                f" {100 * said[these].mean():12.1f} % {100 * came[these].mean():7.1f} %"
            )


def anomaly_table(series: int) -> None:
    """Months (31 days of 61) with a false alarm, and spikes found, by regime."""
    first, last = MONDAY + timedelta(30), MONDAY + timedelta(60)
    print("\n(d) months with a false alarm, spikes of 2x and 3x found")
    for name in [name for name in REGIMES if name != "spiky"]:
        rng = np.random.default_rng(9)
        alarms, found = [], {2: [], 3: []}  # type: tuple[list[bool], dict[int, list[bool]]]
        for _ in range(series):
            costs = REGIMES[name].draw(61, rng)
            alarms.append(bool(anomalies(history(costs, MONDAY), first, last)))
            day = int(rng.choice(30 + np.flatnonzero(costs[30:])))
            for factor, hits in found.items():
                spiked = costs * np.where(np.arange(61) == day, factor, 1)
                odd = anomalies(history(spiked, MONDAY), first, last)
                hits.append(any(anomaly.day == MONDAY + timedelta(day) for anomaly in odd))
        print(f"{name:16s}", share(alarms), "  2x", share(found[2]), "  3x", share(found[3]))


def contest(series: int) -> None:
    """Both forecasters on the last weeks of 13, by regime: quantile loss of weeks and coverage."""
    if find_spec("statsforecast") is None:
        print("\n(e) statsforecast is not installed: pip install statsforecast")
        return
    print("\n(e) quantile loss of statsforecast's AutoETS over the built-in's; P10 to P90 of the next week")
    for name in REGIMES:
        pairs = [_pair(name, seed) for seed in range(max(1, series // 30))]
        ratio = sum(theirs.loss for _, theirs in pairs) / sum(ours.loss for ours, _ in pairs)
        wins = sum(theirs.loss < 0.95 * ours.loss for ours, theirs in pairs)
        ours, theirs = (share(hit for pair in pairs for hit in pair[side].inside["next week"]) for side in (0, 1))
        print(f"{name:16s} {ratio:5.2f}  clear wins {wins:2d} of {len(pairs)}  built-in {ours}  AutoETS {theirs}")


def _auto_ets(known: Days, ahead: int, trials: int, rng: np.random.Generator) -> Floats:
    """Costs of the days to come by statsforecast's AutoETS with a weekly season: (trials, ahead), USD, none below 0."""
    models: Any = import_module("statsforecast.models")
    fitted = models.AutoETS(season_length=7 if len(known) > 14 else 1).fit(known.costs[-182:])
    paths = fitted.simulate(h=ahead, n_paths=trials, seed=int(rng.integers(2**31)))
    return np.maximum(np.nan_to_num(np.asarray(paths, dtype=np.float64), posinf=0.0), 0.0)


def _pair(name: str, seed: int) -> tuple[Scores, Scores]:
    days = Days.of(history(REGIMES[name].draw(91, np.random.default_rng(seed)), MONDAY))
    assert days
    ours, theirs = (held_out(days, draw, 500, 1, 5) for draw in (draw_days, _auto_ets))
    assert ours
    assert theirs
    return ours, theirs


def timed(what: str, run: Callable[[], object]) -> float:
    """The best of three runs, in seconds."""
    times = []
    for _ in range(3):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    print(f"{what}: {min(times):.3f} s")
    return min(times)


Cell = tuple[str, int, int]
"""A kind of month, the days known before it, and the day of the month known last."""


def cell_table(series: int, seed: int, processes: int) -> None:
    """Months of 30 days forecast on days 5, 10 and 20, with and without 60 days before them: worst cells first."""
    print("\n(g) month totals by cell: inside P10 to P90, below, above; P90 over P10 (median), error in logs")
    cells = [(kind, before, known) for kind in CELLS for before in (0, 60) for known in (5, 10, 20)]
    count = len(cells)
    if processes == 1:
        found = list(map(_measured, cells, [series] * count, [seed] * count))
    else:
        with ProcessPoolExecutor(processes) as pool:
            found = list(pool.map(_measured, cells, [series] * count, [seed] * count))
    rows = [(cell, *measured) for cell, measured in zip(cells, found, strict=True)]
    for (kind, before, known), below, above, sharp, _ in sorted(rows, key=lambda row: -abs(row[1] + row[2] - 0.2)):
        held = f"{100 * (1 - below - above):6.1f} % {100 * below:5.1f} {100 * above:5.1f}"
        print(f"{kind:32s} {before:3d} days before, day {known:2d} {held}   {sharp}")
    print(f"{count} cells of {series} months: {sum(row[-1] for row in rows):.0f} s of processor time")


def _measured(cell: Cell, series: int, seed: int) -> tuple[float, float, str, float]:
    """The shares of months below and above, how sharp the forecasts were, and the processor time, s."""
    start = time.process_time()
    kind, before, known = cell
    rng = np.random.default_rng([seed, CELLS.index(kind), before, known])
    forecasts = [cell_forecast(kind, before, known, rng) for _ in range(series)]
    below, above = np.mean([missed(*forecast) for forecast in forecasts], axis=0)
    return float(below), float(above), _sharpness(forecasts), time.process_time() - start


def _sharpness(forecasts: list[tuple[Floats, float]]) -> str:
    ends = np.array([np.quantile(drawn, (0.1, 0.9)) for drawn, _ in forecasts])
    ratio = float(np.median(ends[:, 1] / np.maximum(ends[:, 0], 1e-3)))
    return f"{ratio:6.2f} {np.mean([log_error(*forecast) for forecast in forecasts]):6.3f}"


def speed() -> tuple[float, float]:
    """A month with 10,000 trials from a year, and anomalies of 40 components over 60 days. Targets: 0.2 s, 0.3 s."""
    rng = np.random.default_rng(3)
    year = history(REGIMES["quiet weekends"].draw(365, rng), MONDAY)
    fleet: dict[str | None, list[tuple[date, Decimal]]] = {
        f"component-{n}": history(REGIMES["noisy days"].draw(60, rng), MONDAY) for n in range(40)
    }
    as_of = MONDAY + timedelta(364 - 30)
    print("\n(f) speed")
    return (
        timed("month, 10,000 trials, a year known", lambda: forecast_month(year, as_of + timedelta(1), as_of)),
        timed("anomalies, 40 x 60 days", lambda: anomalies_by_component(fleet, MONDAY, MONDAY + timedelta(59))),
    )


def main(arguments: list[str] | None = None) -> tuple[float, tuple[float, float]] | None:
    """Print the tables; returns the share of months inside P10 to P90, and the two times in seconds, None of cells alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=int, default=300, help="months per regime (default 300)")
    parser.add_argument("--series", type=int, default=300, help="series per regime (default 300)")
    parser.add_argument("--seed", type=int, default=2026, help="other months (default 2026)")
    parser.add_argument("--processes", type=int, default=2, help="for the cells (default 2)")
    parser.add_argument("--cells", action="store_true", help="the cells alone")
    options = parser.parse_args(arguments)
    if options.cells:
        cell_table(options.series, options.seed, options.processes)
        return None
    rng = np.random.default_rng(options.seed)
    months = [month_trial(name, rng) for name in REGIMES for _ in range(options.months)]
    inside = month_table(months)
    ahead_table(options.series)
    reliability_table(months)
    print("\nmonth totals of regimes that were not tuned on")
    for name in UNTUNED:
        print(f"{name:16s}", share(month_trial(name, rng).inside for _ in range(options.months)))
    anomaly_table(options.series)
    contest(options.series)
    cell_table(options.series, options.seed, options.processes)
    return inside, speed()


if __name__ == "__main__":
    main()
