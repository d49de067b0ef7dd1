"""What a dimension that the rollup has not costs: spend by it is summed from the calls when it is asked for.

    python tests/bench/bench_dimensions.py [--calls 2000000]

Calls of 20,000 sessions, 200 users, 12 teams and 400 branches, tags as JSON. Prints the seconds of spend by component
(from the rollup), by each dimension of the calls, and by two of them; the totals must be the same to the last digit.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from costsim.analysis.spend.query import Query, parse_where
from costsim.analysis.spend.spend import spend
from costsim.pricing.book import open_book
from costsim.usage.store import open_store

FILL = """
INSERT INTO usage_event BY NAME
SELECT i::VARCHAR AS event_id, TIMESTAMP '2026-08-01' + to_seconds((i * 7776000 // $calls)::BIGINT) AS ts, 1 AS file_id,
    'bench' AS source, 'component-' || (hash(i) % 40) AS component, 'session-' || (hash(i // 100) % 20000) AS session,
    'user-' || (hash(i // 100) % 200) AS "user", 'team-' || (hash(i // 100) % 12) AS team,
    'branch-' || (hash(i // 100) % 400) AS branch, 'anthropic' AS provider,
    ['claude-opus-4-6', 'claude-haiku-4-5', 'claude-sonnet-4-6'][1 + (hash(i) % 3)::INTEGER] AS model,
    'standard' AS processing, 'ok' AS status, FALSE AS aggregated, (hash(i + 1) % 20000)::BIGINT AS input,
    (hash(i + 2) % 30000)::BIGINT AS cache_read, 0 AS cache_write_5m, 0 AS cache_write_1h,
    (hash(i + 3) % 2000)::BIGINT AS output, 0 AS web_search, 1 AS request,
    json_object('env', 'env-' || (hash(i // 100) % 3), 'cwd', '/work/' || (hash(i // 100) % 50)) AS tags
FROM range($calls) t(i)
"""
ASKED = (("component",), ("component", "model"), ("day",), ("team",), ("user",), ("branch",), ("session",), ("hour",),
         ("tags.env",), ("team", "model"))  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=2_000_000)
    calls = parser.parse_args().calls
    book = open_book()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "bench.duckdb") as store:
        store.execute(FILL, {"calls": calls})
        store.execute("INSERT INTO touched_day SELECT DISTINCT ts::DATE FROM usage_event")
        total = spend(store, book, Query(())).total.computed_usd
        print(
            f"{calls:,} calls, ${total:,.2f}; the rollup has {store.execute('SELECT count(*) FROM usage_daily').fetchone()} rows"
        )
        for by in ASKED:
            began = time.perf_counter()
            found = spend(store, book, Query(by, top=10))
            assert sum(row.computed_usd for row in found.rows) == total, by
            print(f"by {','.join(by):20} {time.perf_counter() - began:6.2f} s")
        began = time.perf_counter()
        spend(store, book, Query(("user",), where=parse_where(["team=team-3,tags.env=env-1"])))
        print(f"of one team and tag     {time.perf_counter() - began:6.2f} s")


if __name__ == "__main__":
    main()
