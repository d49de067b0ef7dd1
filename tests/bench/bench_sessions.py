"""Do sessions fitted to one half of real Claude Code sessions foretell the other half?

    python tests/bench/bench_sessions.py [FOLDER ...] [--splits 10] [--trials 2000]

FOLDER has logs of Claude Code; default: COSTSIM_SESSIONS, else the nine real sessions of tests/data/sessions. In every
split half of the sessions are the logs that are known; the other half, of which only the number of sessions is known, is
projected in two ways: `whole sessions` (from_usage by session) and `costsim profile` (the file as it is written). Counted
is how often token totals by class, and the cost, lie within the stated P10 to P90. Target: 8 of 10 splits. The same calls
replayed onto their own models must cost what they cost, to the digit.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import yaml
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.profile.quality import uncertainty
from costsim.analysis.replay.reroute import reroute_to_model
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.monte_carlo import draw, price
from costsim.analysis.simulation.plans import routed_plan
from costsim.analysis.simulation.workload import Horizon
from costsim.analysis.spend.observe import observed_architecture
from costsim.store import open_store
from numpy.typing import NDArray

DATA = Path(__file__).parents[1] / "data" / "sessions"
CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
NEW = ("input", "cache_write_5m", "cache_write_1h")
WAYS = ("whole sessions", "costsim profile")
SPAN = "SELECT min(ts)::DATE, max(ts)::DATE FROM usage_event"
COUNTS = "SELECT agent, model, count(DISTINCT session) FROM usage_event GROUP BY 1, 2"
Floats = NDArray[np.float64]


@dataclass
class Coverage:
    """How many splits' totals were within P10 to P90: by way, then by total."""

    splits: int
    inside: dict[tuple[str, str], int] = field(default_factory=dict)
    widths: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def count(self, way: str, drawn: Mapping[str, Floats], actual: Mapping[str, float]) -> None:
        for name, values in drawn.items():
            low, high = np.quantile(values, (0.1, 0.9))
            key = way, name
            self.inside[key] = self.inside.get(key, 0) + int(low <= actual[name] <= high)
            self.widths.setdefault(key, []).append(float(high / low) if low else float("inf"))

    @property
    def worst(self) -> float:
        """The smallest share of splits within."""
        return min(self.inside.values()) / self.splits


def main(arguments: list[str] | None = None) -> tuple[Coverage, Decimal]:
    """Prints the table; the coverage, and the largest difference of a replay onto its own model, USD."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", default=_given())
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--way", choices=WAYS, action="append", help="default: both")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "all.duckdb"
        with open_store(store) as opened:
            opened.load(asked.folders)
        sessions = _sessions(store)
        print(f"{len(sessions)} sessions, {sum(s['calls'] for s in sessions.values()):,} calls")
        coverage = Coverage(asked.splits)
        for split in range(asked.splits):
            _split(Path(folder), store, sessions, split, asked, coverage)
        _print(coverage)
        apart = _replayed(Path(folder), asked.folders)
    print(f"replayed onto their own models: {apart} USD apart")
    return coverage, apart


def _given() -> list[str]:
    return [os.environ.get("COSTSIM_SESSIONS") or str(DATA)]


def _sessions(store: Path) -> dict[str, dict[str, Any]]:
    """Each session's token totals, calls and cost."""
    with open_store(store) as opened:
        usd = {row.keys[0]: float(row.computed_usd) for row in opened.spend(by=("session",)).rows}
    sums = ", ".join(f"sum({name})::DOUBLE AS {name}" for name in CLASSES)
    with duckdb.connect(str(store), read_only=True) as connection:
        rows = connection.execute(
            f"SELECT session, count(*) AS calls, {sums} FROM usage_event WHERE covered_by IS NULL GROUP BY 1 ORDER BY 1"
        ).fetchall()
    return {name: dict(zip(("calls", *CLASSES), rest, strict=True)) | {"usd": usd[name]} for name, *rest in rows}


def _split(
    folder: Path,
    store: Path,
    sessions: dict[str, dict[str, Any]],
    split: int,
    given: argparse.Namespace,
    coverage: Coverage,
) -> None:
    names = list(sessions)
    random.Random(split).shuffle(names)
    known, asked = names[: len(names) // 2], names[len(names) // 2 :]
    half = folder / f"half-{split}.duckdb"
    shutil.copy(store, half)
    with duckdb.connect(str(half)) as connection:
        connection.execute("DELETE FROM usage_event WHERE NOT list_contains($known, session)", {"known": known})
    times = Fraction(len(asked), len(known))
    actual = {name: sum(sessions[each][name] for each in asked) for name in (*CLASSES, "usd")}
    actual["new_input"] = sum(actual[name] for name in NEW)
    for way in given.way or WAYS:
        file, days = (_whole if way == WAYS[0] else _fitted)(folder, half)
        totals = ("cache_read", "new_input", "output", "usd") if way == WAYS[1] else (*CLASSES, "new_input", "usd")
        drawn = projected(file, days, times, given.trials, split)
        coverage.count(way, {name: drawn[name] for name in totals}, actual)


def _whole(folder: Path, half: Path) -> tuple[Path, int]:
    """The architecture of the known half's whole sessions, in a file; and the days of its logs."""
    file = folder / "whole.yaml"
    with open_store(half, read_only=True) as opened:
        data = observed_architecture(opened.connection, half, half.stem)
        first, last = opened.connection.execute(SPAN).fetchone() or (None, None)
        counts = {(agent, model): count for agent, model, count in opened.connection.execute(COUNTS).fetchall()}
    days = (last - first).days + 1
    del data["forecast"]
    for part in data["components"]:
        where = part["tokens"]["from_usage"]["where"]
        sessions = counts[where["agent"], where["model"]]
        part["runs_per_day"] = {"poisson": sessions / days}
        part["uncertainty"] = {key: float(share) for key, share in uncertainty(sessions**-0.5).items()}
    file.write_text(yaml.safe_dump(data))
    return file, days


def _fitted(folder: Path, half: Path) -> tuple[Path, int]:
    """The file that `costsim profile` writes of the known half, as it is; and the days of its logs."""
    file = folder / "profile.yaml"
    with open_store(half, read_only=True) as opened:
        found = opened.profile(half.stem)
    file.write_text(found.yaml)
    return file, (max(fit.last for fit in found.fits) - min(fit.first for fit in found.fits)).days + 1


def projected(file: Path, days: int, times: Fraction, trials: int, seed: int) -> dict[str, Floats]:
    """Drawn totals of an architecture over so many days, its rates that many times."""
    architecture = read_architecture(file)
    costs = Costs.of(architecture, Horizon.of(date(2026, 3, 2), days, ZoneInfo("UTC")), "list")
    plan = routed_plan(architecture)
    found = {name: np.zeros(trials) for name in (*CLASSES, "usd")}
    for name, work in list(costs.works.items()):
        runs = replace(work.runs, expected=tuple(count * times for count in work.runs.expected))
        own = costs.with_work(replace(work, runs=runs)).planned(name, plan).plain
        sums = draw(own.work, own.profile, own.brackets, days, trials, seed)
        for tokens in sums.tokens:
            for kind, amounts, factor in zip(own.profile.classes, tokens, sums.factors, strict=False):
                if kind in found:
                    found[kind] += (amounts * factor).sum(axis=0) * np.ones(trials)
        found["usd"] += price(sums, own, np.empty((days, trials))).sum(axis=0)
    found["new_input"] = np.sum([found[name] for name in NEW], axis=0)
    return found


def _replayed(folder: Path, logs: list[str]) -> Decimal:
    """The largest difference between what a model's calls cost and what they cost replayed onto that model."""
    worst = Decimal(0)
    with open_store(folder / "replay.duckdb") as store:
        store.load(logs)
        for row in store.spend(by=("model",)).rows:
            moves = store.replay(reroute_to_model(row.keys[0])).moves
            own = [move for move in moves if move.model == move.to == row.keys[0]]
            assert own
            worst = max([worst, *(abs(move.replayed_usd - row.computed_usd) for move in own)])
    return worst


def _print(coverage: Coverage) -> None:
    print(f"{'way':<18}{'total':<16}{'within P10 to P90':>18}{'P90 / P10 (median)':>22}")
    for (way, name), inside in coverage.inside.items():
        width = float(np.median(coverage.widths[way, name]))
        print(f"{way:<18}{name:<16}{f'{inside} of {coverage.splits}':>18}{width:>22.1f}")


if __name__ == "__main__":
    main()
