"""How quick `costsim report` is on a large store: months of calls in a built rollup, and how large its page is.

    python tests/bench/bench_review.py [--events 50000000] [--file /tmp/events.parquet]

In one run: the bare sum over the rollup's rows (the floor), the review, and its page, in seconds of the processor.
Targets: the review with its page in under 5 s, the page under 3 MB. Events are those of bench_spend.py.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_spend import make_events  # type: ignore[import-not-found]
from costsim.analysis.review.review import review
from costsim.analysis.spend.ledger import rollup_needs
from costsim.pricing.book import open_book
from costsim.reports.review.html import render_review
from costsim.usage.rollup import sums
from costsim.usage.store import open_store

TARGET_SECONDS, TARGET_BYTES = 5.0, 3_000_000
FLOOR = "SELECT component, model, sum(input), sum(output), sum(request) FROM usage_daily GROUP BY ALL"


def main(arguments: Sequence[str] | None = None) -> float:
    """Print the figures; returns the seconds of review and page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50_000_000)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args(arguments)
    book = open_book()
    with tempfile.TemporaryDirectory() as folder, open_store(Path(folder) / "bench.duckdb") as store:
        file = given.file or Path(folder) / "events.parquet"
        make_events(file, given.events)
        store.execute(f"CREATE VIEW events AS SELECT *, 'calls' AS role FROM read_parquet('{file}')")
        starts, slots = rollup_needs(book, store.execute("SELECT DISTINCT provider, model FROM events").fetchall())
        store.execute(f"INSERT INTO usage_daily BY NAME {sums('events', starts)}", {"by_half_hour": slots})
        rows = (store.execute("SELECT count(*) FROM usage_daily").fetchone() or (0,))[0]
        marks = [time.process_time()]
        store.execute(FLOOR).fetchall()
        marks.append(time.process_time())
        found = review(store, book, "2026-08", today=date(2026, 10, 1), name="bench")
        marks.append(time.process_time())
        page = render_review(found)
        marks.append(time.process_time())
    floor, reviewed, drawn = (later - earlier for earlier, later in pairwise(marks))
    print(f"{given.events:,} calls, {rows:,} rows of the rollup")
    print(f"floor: sums of the rollup  {floor:6.2f} s")
    print(f"review                     {reviewed:6.2f} s")
    print(
        f"page                       {drawn:6.2f} s   {len(page.encode()) / 1e6:.2f} MB (under {TARGET_BYTES / 1e6:.0f})"
    )
    print(f"together                   {reviewed + drawn:6.2f} s   (under {TARGET_SECONDS} s)")
    return reviewed + drawn


if __name__ == "__main__":
    main()
