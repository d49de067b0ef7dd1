"""How long a replay of a large rollup takes: 300,000 sums, as 50 million calls of a year leave them.

The floor is the bare GROUP BY of the rollup by component and day.

python tests/bench/bench_replay.py [ROWS]
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import duckdb
from costsim.analysis.replay.replay import Replay, replay
from costsim.analysis.replay.reroute import reroute_to_model
from costsim.pricing.book import open_book
from costsim.usage.store import open_store

ROWS, ROUNDS, TARGET_SECONDS = 300_000, 5, 1.0
MODELS = ["claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5"]

# A year of days, 40 components of 20 tasks, three models of which every task is served by each.
SYNTHETIC = """
INSERT INTO usage_daily
SELECT
    DATE '2025-11-01' + (n % 365)::INTEGER, -1, 'bench', 'component ' || ((n // 365) % 40), 'agent',
    'task ' || ((n // 365) % 20), 'anthropic', $models[1 + (n // 14600) % 3],
    CASE WHEN hash(n) % 10 = 0 THEN 'batch' ELSE 'standard' END,
    CASE WHEN hash(n) % 50 = 1 THEN 'error' ELSE 'ok' END,
    CASE WHEN hash(n) % 7 = 0 THEN 200000 ELSE 0 END,
    166, 100000 + hash(n) % 90000, hash(n + 1) % 900000, hash(n + 2) % 50000, 0, 20000 + hash(n + 3) % 9000,
    hash(n) % 3, 166, NULL, 0
FROM range($rows) AS numbers(n)
"""
BARE = "SELECT component, day, sum(input), sum(output), sum(cache_read), sum(request) FROM usage_daily GROUP BY ALL"


def seconds(work: Callable[[], object]) -> float:
    """The median time of the rounds."""
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return median(times)


def fill(store: duckdb.DuckDBPyConnection, rows: int) -> None:
    """The synthetic rollup."""
    store.execute(SYNTHETIC, {"models": MODELS, "rows": rows})


def main(rows: int = ROWS) -> None:
    """Print the median replay, with and without measured multipliers, against the bare GROUP BY."""
    book = open_book()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "bench.duckdb") as store:
        fill(store, rows)
        bare = seconds(lambda: store.execute(BARE).fetchall())
        print(f"replay of {rows:,} sums, median of {ROUNDS} (target {TARGET_SECONDS} s); bare GROUP BY {bare:.3f} s")
        for as_logged in (True, False):

            def run(as_logged: bool = as_logged) -> Replay:
                return replay(store, book, reroute_to_model(f"anthropic/{MODELS[2]}"), as_logged=as_logged)

            time = seconds(run)
            name = "tokens as logged" if as_logged else "tokens measured"
            print(f"  {name:<17} {time:.3f} s   {time / bare:.1f}x the bare GROUP BY")


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
