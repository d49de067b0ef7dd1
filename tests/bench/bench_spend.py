"""How quick spend is: 50 million logged calls as Parquet to exact daily cost by component and model.

    python tests/bench/bench_spend.py [--events 50000000] [--file /tmp/events.parquet]

In one run: two floors, bare GROUP BYs in DuckDB (by the three columns that are asked for; and by all that a price or
another question may depend on, as the rollup keeps them), the rollup with its prices applied, and
`genai_prices.calc_price` call by call on a sample. Targets: at most 1.5 times the floor, under 4 GiB, and at least
1,000 times the calls per second of calc_price. Costs are checked: the rollup's sums are the floor's, to the token.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import genai_prices
from costsim.analysis.spend import Query, rollup_needs, spend
from costsim.pricing.book import open_book
from costsim.usage.rollup import sums
from costsim.usage.store import open_store

TARGET_RATIO, TARGET_GIB, TARGET_CALLS = 1.5, 4.0, 1_000
MODELS = (
    "claude-opus-4-6", "claude-sonnet-4-6", "claude-sonnet-4-5", "claude-haiku-4-5", "gemini-2.5-pro", "gpt-4o", "gpt-5",
)  # fmt: skip
CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "web_search", "request")

EVENTS = """
COPY (
    SELECT
        TIMESTAMP '2026-04-01' + to_milliseconds((i * 15811200000 // $events)::BIGINT) AS ts, -- 183 days
        'bench' AS source,
        'component-' || (hash(i) % 40) AS component,
        'agent-' || (hash(i) % 40 % 5) AS agent,
        'task-' || (hash(i) % 40 % 12) AS task,
        CASE WHEN hash(i + 1) % 7 < 4 THEN 'anthropic' WHEN hash(i + 1) % 7 = 4 THEN 'google' ELSE 'openai' END AS provider,
        $models[1 + (hash(i + 1) % 7)::INTEGER] AS model,
        'standard' AS processing, 'ok' AS status, FALSE AS aggregated, NULL::BIGINT AS context_tier,
        (hash(i + 2) % 20000)::BIGINT AS input,
        CASE WHEN hash(i + 3) % 50 = 0 THEN 210000 ELSE hash(i + 3) % 30000 END::BIGINT AS cache_read,
        (hash(i + 4) % 3000)::BIGINT AS cache_write_5m, 0::BIGINT AS cache_write_1h,
        (hash(i + 5) % 2000)::BIGINT AS output, 0::BIGINT AS web_search, 1::BIGINT AS request,
        NULL::DECIMAL(38, 18) AS recorded_usd
    FROM range($events) t(i)
) TO '{file}' (FORMAT parquet)
"""
KEPT = "source, component, agent, task, provider, model, processing, status, input + cache_read > 200000"
SUMS = ", ".join(f"sum({name})" for name in CLASSES)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, the better of two, and the result."""
    best, found = float("inf"), None
    for _ in range(2):
        began = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - began)
    return best, found


def make_events(file: Path, events: int) -> None:
    """Write the events, once."""
    if not file.exists():
        sql = EVENTS.replace("{file}", str(file))
        duckdb.connect().execute(sql, {"events": events, "models": list(MODELS)})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = given.file or Path(folder) / "events.parquet"
        make_events(file, given.events)
        measure(file, given.events, Path(folder))


def measure(file: Path, events: int, folder: Path) -> None:
    """The three ways, and their ratios."""
    book = open_book()
    with open_store(folder / "bench.duckdb") as store:
        store.execute("SET threads = 2")
        store.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{file}')")
        floor_sql = f"SELECT ts::DATE, component, model, {SUMS} FROM events GROUP BY ALL"
        floor, groups = timed(lambda: store.execute(floor_sql).fetchall())
        all_sql = f"SELECT ts::DATE, {KEPT}, {SUMS} FROM events GROUP BY ALL"
        all_columns, _ = timed(lambda: store.execute(all_sql).fetchall())
        pairs = store.execute("SELECT DISTINCT provider, model FROM events").fetchall()
        starts, slots = rollup_needs(book, pairs)

        def ours() -> Any:
            store.execute("DELETE FROM usage_daily")
            summed = sums("events", starts)
            store.execute(f"INSERT INTO usage_daily BY NAME {summed}", {"by_half_hour": slots})
            return spend(store, book, Query(("day", "component", "model")))

        took, found = timed(ours)
        rolled, _ = timed(lambda: spend(store, book, Query(("day", "component", "model"))))
    for place, name in enumerate(CLASSES):
        counted = found.total.calls if name == "request" else found.total.tokens[name]
        assert counted == sum(row[3 + place] for row in groups), name
    per_call = calc_price_seconds()
    gib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{events:,} calls, {len(found.rows):,} rows of daily cost, total ${found.total.computed_usd:,.2f}")
    print(f"floor: by the three columns  {floor:8.2f} s")
    print(f"floor: by all columns kept   {all_columns:8.2f} s")
    ratios = f"{took / floor:.2f} x the first, {took / all_columns:.2f} x the second (target {TARGET_RATIO})"
    print(f"ours: from the Parquet file  {took:8.2f} s   {ratios}")
    print(f"ours: from a built rollup    {rolled:8.2f} s   {rolled / floor:.2f} x the first")
    faster = per_call * events / took
    print(
        f"calc_price, call by call     {per_call * 1e6:8.1f} us   {faster:,.0f} times slower (target {TARGET_CALLS:,})"
    )
    print(f"peak memory                  {gib:8.2f} GiB (target {TARGET_GIB})")


def calc_price_seconds(calls: int = 2_000) -> float:
    """Seconds per call of genai_prices.calc_price on such usage."""
    usage = genai_prices.Usage(
        input_tokens=30_000, cache_read_tokens=15_000, cache_write_tokens=1_500, output_tokens=900
    )
    at = datetime(2026, 6, 1, tzinfo=UTC)
    began = time.perf_counter()
    for n in range(calls):
        genai_prices.calc_price(usage, MODELS[n % 7], genai_request_timestamp=at)
    return (time.perf_counter() - began) / calls


if __name__ == "__main__":
    main()
