"""How quick `costsim load` is on Claude Code logs as they are: from nothing to the daily table, beside ccusage.

    npm install ccusage@20.0.24 --prefix /tmp/ccusage
    python tests/bench/bench_load.py --ccusage /tmp/ccusage/node_modules/.bin/ccusage [--folder /tmp/logs]

Each run is a process of its own, with its time from start to end, its processor time and its peak memory; medians are
printed, with the machine's load. The runs take turns, so that ratios hold on a busy machine:

- everything new; the same again with nothing changed; again after one file grew;
- ccusage over the same files, whose token sums must be ours;
- DuckDB alone: `read_json` of the needed columns, and all lines with those that contain `"usage"` kept;
- the same load without the watch for usage that is not counted: what the watch costs.

`--mix dense` writes a file in which every line is a call, `--mix small` many files of 2 kB. Targets: at most as long as
ccusage (dense: half of it), nothing changed at most 0.15 and one file grown at most 0.2 of the first load, 100,000
small files in 60 s, under 1.5 GiB, the watch at most 10 %.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent))
from claude_sessions import DENSE, REAL, SMALL, grow, write_sessions  # type: ignore[import-not-found]

TARGET_CCUSAGE = {"real": 1.0, "dense": 0.5, "small": 1.0}
TARGET_GIB, TARGET_SAME, TARGET_GROWN, TARGET_WATCH = 1.5, 0.15, 0.2, 1.1
MIXES = {"real": (REAL, 117_120, 1_200), "dense": (DENSE, 1_000_000, 100), "small": (SMALL, 100_000, 100_000)}

LOAD = """
import sys
from pathlib import Path
from costsim.usage.load import load
from costsim.usage.rollup import rollup
from costsim.usage.store import open_store
with open_store(Path(sys.argv[2])) as store:
    load(store, [sys.argv[1]])
    rollup(store, [200_000])
"""
UNWATCHED = (
    """
from costsim.usage import sieve
sieve.WORDS, sieve.ESCAPED = [], []
sieve.Sieve._usage = lambda self, block, place, start: place + 1
"""
    + LOAD
)
READ = """
import sys, duckdb
from costsim.usage.reader import struct
from costsim.usage.readers.claude_code import COLUMNS
scan = f"read_ndjson($1, columns = {struct(COLUMNS)}, compression = 'none')"
duckdb.execute(f"SELECT count(message.usage.output_tokens), max(requestId) FROM {scan}", [sys.argv[1] + "/**/*.jsonl"])
"""
LINES = """
import sys, duckdb
scan = '''read_csv($1, columns = {'line': 'VARCHAR'}, delim = '\\x01', quote = '', escape = '', header = false,
    auto_detect = false, max_line_size = 268435456, strict_mode = false)'''
duckdb.execute(f"SELECT sum(length(line)) FROM {scan} WHERE contains(line, '\\"usage\\"')", [sys.argv[1] + "/**/*.jsonl"])
"""
SUMS = """
SELECT sum(input)::BIGINT, sum(cache_write_5m + cache_write_1h)::BIGINT, sum(cache_read)::BIGINT, sum(output)::BIGINT
FROM usage_daily
"""


@dataclass(frozen=True)
class Run:
    """A process: how long it took, its processor time, its peak memory, what it printed."""

    seconds: float
    processor: float
    gib: float
    out: str


def timed(command: Sequence[str | Path], **environment: str) -> Run:
    """Run a command; raises RuntimeError where it fails. Modules keep their bytecode, as installed ones do."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=out, env={**inherited, **environment})
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command[0]} failed")
        return Run(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20, out.read().decode())


def _sums(store: Path) -> tuple[int, ...]:
    from costsim.usage.store import open_store

    with open_store(store, read_only=True) as connection:
        return tuple(connection.execute(SUMS).fetchall()[0])


def _ccusage_sums(out: str) -> tuple[int, ...]:
    totals = json.loads(out)["totals"]
    names = ("inputTokens", "cacheCreationTokens", "cacheReadTokens", "outputTokens")
    return tuple(int(totals[name]) for name in names)


def measure(folder: Path, ccusage: str | None, rounds: int) -> dict[str, list[Run]]:
    """The runs of some rounds, by what was run."""
    store, projects = folder / "bench.duckdb", folder / "projects"

    def script(text: str) -> Callable[[], Run]:
        return lambda: timed([sys.executable, "-c", text, projects, store])

    def fresh(text: str) -> Callable[[], Run]:
        def run() -> Run:
            store.unlink(missing_ok=True)
            return script(text)()

        return run

    def grown() -> Run:
        grow(folder, random.Random(time.time_ns()))
        return script(LOAD)()

    def theirs() -> Run:
        run = timed([str(ccusage), "claude", "daily", "--offline", "--json"], CLAUDE_CONFIG_DIR=str(folder))
        assert _ccusage_sums(run.out) == _sums(store), (_ccusage_sums(run.out), _sums(store))
        return run

    jobs = {"no watch": fresh(UNWATCHED), "everything new": fresh(LOAD), "nothing changed": script(LOAD)}
    jobs |= {"one file grown": grown, "DuckDB, read_json": script(READ), "DuckDB, lines": script(LINES)}
    jobs |= {"ccusage": theirs} if ccusage else {}
    runs: dict[str, list[Run]] = {name: [] for name in jobs}
    for _ in range(rounds):
        for name, job in jobs.items():
            runs[name].append(job())
    return runs


def _lines(runs: dict[str, list[Run]], mix: str) -> list[str]:
    """The medians, and the ratios of the runs of one round with their targets."""
    lines = [
        f"{name:18} {median(run.seconds for run in of):7.2f} s  processor {median(run.processor for run in of):7.2f} s"
        f"  {max(run.gib for run in of):.2f} GiB"
        for name, of in runs.items()
    ]
    targets = [("nothing changed", "everything new", TARGET_SAME), ("one file grown", "everything new", TARGET_GROWN)]
    targets += [("everything new", "no watch", TARGET_WATCH)]
    targets += [("everything new", "ccusage", TARGET_CCUSAGE[mix])] if "ccusage" in runs else []
    for name, other, target in targets:
        pairs = list(zip(runs[name], runs[other], strict=True))
        time_ratio = median(one.seconds / two.seconds for one, two in pairs)
        processor = median(one.processor / two.processor for one, two in pairs)
        lines.append(f"{name} / {other}: {time_ratio:.3f}, processor {processor:.3f} (at most {target})")
    return lines


def main(arguments: Sequence[str] | None = None) -> dict[str, list[Run]]:
    """Print the figures; returns the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mix", choices=MIXES, default="real")
    parser.add_argument("--entries", type=int, help="lines with usage")
    parser.add_argument("--files", type=int)
    parser.add_argument("--folder", type=Path, help="where the logs are, or are written; kept")
    parser.add_argument("--ccusage", help="the ccusage command to compare with")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    mix, entries, count = MIXES[given.mix]
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "projects").exists():
            write_sessions(folder, given.entries or entries, given.files or count, mix)
        logs = list(folder.rglob("*.jsonl"))
        size = sum(file.stat().st_size for file in logs)
        print(f"{size / 1e6:,.0f} MB in {len(logs):,} files; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        runs = measure(folder, given.ccusage, given.rounds)
    print("\n".join(_lines(runs, given.mix)))
    print(f"peak {max(run.gib for run in runs['everything new']):.2f} GiB (at most {TARGET_GIB})")
    return runs


if __name__ == "__main__":
    main()
