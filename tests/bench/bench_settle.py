"""How long it takes to settle which calls two sources both have, and how much memory.

    PYTHONPATH=.. python tests/bench/bench_settle.py [CALLS]

Two sources of the same calls: with the provider's ids in both, and with ids in one of them and sessions in both.
Processor time is printed beside the time that passed: other work on the machine changes the latter.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

from costsim.analysis.spend.same_calls import settle
from costsim.usage.store import open_store

CALLS = 500_000
FILL = """
INSERT INTO usage_event BY NAME
SELECT $source || ':' || i AS event_id, TIMESTAMP '2026-09-01' + to_seconds(i * 2592000 // $calls) AS ts,
    1 AS file_id, $source AS source, 'calls' AS role,
    CASE WHEN $ids THEN 'msg_01' || lpad(i::VARCHAR, 20, '0') END AS response_id,
    CASE WHEN $source = 'claude-code' THEN 'req_01' || lpad(i::VARCHAR, 20, '0') END AS request_id,
    'unattributed' AS component, 'session-' || (i // 100) AS session, 'anthropic' AS provider,
    'claude-haiku-4-5' AS model, 'standard' AS processing, 'ok' AS status, FALSE AS aggregated,
    1000 + i % 977 AS input, 20000 + i % 7919 AS cache_read, i % 500 AS cache_write_5m, 0 AS cache_write_1h,
    300 + i % 331 AS output, 0 AS web_search, 1 AS request
FROM range($calls) AS numbers (i)
"""
TOUCH = "INSERT INTO touched_day SELECT DISTINCT ts::DATE FROM usage_event"
COUNTED = "SELECT count(*) FROM usage_event WHERE covered_by IS NULL"


def measure(name: str, calls: int, *, ids_in_both: bool) -> None:
    """Settle two sources and print what it took."""
    with open_store(Path(":memory:")) as store:
        for source in ("claude-code", "litellm"):
            ids = ids_in_both or source == "claude-code"
            store.execute(FILL, {"source": source, "calls": calls, "ids": ids})
        store.execute(TOUCH)
        began, busy = time.perf_counter(), time.process_time()
        settle(store)
        passed, used = time.perf_counter() - began, time.process_time() - busy
        [counted] = store.execute(COUNTED).fetchone() or (0,)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name}: {passed:.1f} s ({used:.1f} s of processor), {counted:,} of {2 * calls:,} count, peak {most:,.0f} MiB"
    )


def main() -> None:
    """Measure both."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else CALLS
    measure("ids in both", calls, ids_in_both=True)
    measure("ids in one, sessions in both", calls, ids_in_both=False)


if __name__ == "__main__":
    main()
