"""How long a replay of a large rollup takes, and one that walks sessions call by call.

Rollup: 300,000 sums, as 50 million calls of a year leave them; the floor is the bare GROUP BY by component and day.
Sessions: calls in sessions of 20 turns on three models, every session with calls of three tasks, a third of which move,
so that every session is walked: the worst case. Target: 50 million calls in 60 s and 4 GiB (DuckDB gets 3 of them).

python tests/bench/bench_replay.py [ROWS]
python tests/bench/bench_replay.py sessions [CALLS ...]      (default 1000000 5000000)
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from statistics import median
from time import perf_counter

import duckdb
from costsim.analysis.replay.replay import replay
from costsim.analysis.replay.reroute import Reroute, reroute_to_model
from costsim.analysis.replay.results import Replay
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.pricing.book import open_book
from costsim.usage.store import open_store

ROWS, ROUNDS, TARGET_SECONDS = 300_000, 5, 1.0
MODELS = ["claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5"]

# A year of days, 40 components of 20 tasks, three models of which every task is served by each.
SYNTHETIC = """
INSERT INTO usage_daily (
    day, slot, source, role, component, agent, task, provider, model, processing, status, tier, calls, input,
    cache_read, cache_write_5m, cache_write_1h, output, web_search, request, recorded_usd, recorded_calls
)
SELECT
    DATE '2025-11-01' + (n % 365)::INTEGER, -1, 'bench', 'calls', 'component ' || ((n // 365) % 40), 'agent',
    'task ' || ((n // 365) % 20), 'anthropic', $models[1 + (n // 14600) % 3],
    CASE WHEN hash(n) % 10 = 0 THEN 'batch' ELSE 'standard' END,
    CASE WHEN hash(n) % 50 = 1 THEN 'error' ELSE 'ok' END,
    CASE WHEN hash(n) % 7 = 0 THEN 200000 ELSE 0 END,
    166, 100000 + hash(n) % 90000, hash(n + 1) % 900000, hash(n + 2) % 50000, 0, 20000 + hash(n + 3) % 9000,
    hash(n) % 3, 166, NULL, 0
FROM range($rows) AS numbers(n)
"""
TURNS = 20
# Turn k reads what the turns before have written; a turn a minute, sessions one after another over 100 days.
SESSIONS = """
INSERT INTO usage_event BY NAME
SELECT
    n::VARCHAR AS event_id, 1 AS file_id, 'bench' AS source, 'component ' || (s % 10) AS component,
    'task ' || (n % 3) AS task, 'session ' || s AS session, 'anthropic' AS provider, $models[1 + s % 3] AS model,
    TIMESTAMP '2026-07-01' + to_seconds(s * 8640000 // $sessions + turn * 60) AS ts,
    'standard' AS processing, 'ok' AS status, false AS aggregated, 3 AS input, turn * 2000 AS cache_read,
    2000 AS cache_write_5m, 0 AS cache_write_1h, 500 AS output, 0 AS web_search, 1 AS request
FROM (SELECT n, n // $turns AS s, n % $turns AS turn FROM range($calls) AS numbers(n))
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


def walk(calls: int) -> None:
    """Print the time and memory of a replay that moves a task of every session. In a process of its own."""
    book = open_book()
    reroute = Reroute("routed", "task 0 moved", lambda _, task: f"anthropic/{MODELS[2]}" if task == "task 0" else None)
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "bench.duckdb") as store:
        store.execute("SET memory_limit = '3GiB'")
        store.execute(SESSIONS, {"models": MODELS, "calls": calls, "turns": TURNS, "sessions": calls // TURNS})
        bring_up_to_date(store, book)
        before, start = getrusage(RUSAGE_SELF), perf_counter()
        found = replay(store, book, reroute, as_logged=True)
        wall, after = perf_counter() - start, getrusage(RUSAGE_SELF)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    print(
        f"{calls:>11,} calls in sessions: {wall:6.1f} s (user {user:.1f} s, system {system:.1f} s); "
        f"peak {after.ru_maxrss / 2**20:.2f} GiB with the filling of the store; "
        f"{sum(move.switches for move in found.moves):,} prefixes written again",
        flush=True,
    )


def in_child(work: Callable[[int], None], calls: int) -> None:
    """Memory peaks are a process's own."""
    if child := os.fork():
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit(f"{calls:,} calls: failed")
        return
    work(calls)
    os._exit(0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["sessions"]:
        for number in [int(word) for word in sys.argv[2:]] or [1_000_000, 5_000_000]:
            in_child(walk, number)
    else:
        main(*(int(word) for word in sys.argv[1:]))
