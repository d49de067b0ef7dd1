"""How quick `costsim load` is: a million Claude Code entries, from nothing to the daily table, beside ccusage.

    npm install ccusage@20.0.24 --prefix /tmp/ccusage
    python tests/bench/bench_load.py --ccusage /tmp/ccusage/node_modules/.bin/ccusage [--folder /tmp/logs]

Three runs, each a process of its own, timed from its start to its end with its peak memory: everything new; again
after one file grew; and ccusage over the same files, whose token sums must be ours. Targets: twice as fast as
ccusage, under 1.5 GiB, and the second run under a tenth of the first.
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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

TARGET_FASTER, TARGET_GIB, TARGET_AGAIN = 2.0, 1.5, 0.1
MODELS = ("claude-opus-4-6", "claude-sonnet-4-20250514", "claude-haiku-4-5-20251001")
CONTENT_WORDS = 34  # makes an entry about 1.1 kB long, as real ones without tool results are
REPLAYED = 0.05  # share of entries that repeat one of an earlier session, as forks and resumed sessions do

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
SUMS = """
SELECT sum(input)::BIGINT, sum(cache_write_5m + cache_write_1h)::BIGINT, sum(cache_read)::BIGINT, sum(output)::BIGINT
FROM usage_daily
"""


@dataclass(frozen=True)
class Run:
    """A process: how long it took, its peak memory, what it printed."""

    seconds: float
    gib: float
    out: str


def write_sessions(folder: Path, entries: int, files: int, seed: int = 1) -> None:
    """Sessions under `folder`/projects: one to three entries a call with growing usage, and replayed calls."""
    draw = random.Random(seed)
    words = [f"{draw.getrandbits(40):x}" for _ in range(4000)]
    replayable: list[str] = []
    for number in range(files):
        file = folder / "projects" / f"project-{number % 10}" / f"session-{number}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as out:
            for line in _lines(draw, words, number, entries // files, replayable):
                out.write(line + "\n")


def _lines(draw: random.Random, words: list[str], number: int, count: int, replayable: list[str]) -> Iterator[str]:
    told = 0
    when = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number * 1.8)
    while told < count:
        if replayable and draw.random() < REPLAYED:
            yield draw.choice(replayable)
            told += 1
            continue
        when += timedelta(seconds=draw.uniform(1, 30))
        for line in _call(draw, words, number, when)[: count - told]:
            yield line
            told += 1
        if draw.random() < 0.01:
            replayable.append(line)


def _call(draw: random.Random, words: list[str], number: int, when: datetime) -> list[str]:
    """One answer as it is logged: an entry for each of its blocks, the output counted so far."""
    message, request = f"msg_01{draw.getrandbits(88):022x}", f"req_011C{draw.getrandbits(80):020x}"
    model, total = draw.choice(MODELS), draw.randrange(3, 3000)
    written, read, fresh = draw.randrange(6000), draw.randrange(190_000), draw.randrange(12)
    blocks = draw.choice((1, 2, 2, 3))
    lines = []
    for block in range(1, blocks + 1):
        usage = {
            "input_tokens": fresh,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": written},
            "output_tokens": total if block == blocks else draw.randrange(3),
            "service_tier": "standard",
        }
        text = " ".join(draw.choices(words, k=CONTENT_WORDS))
        entry = {
            "parentUuid": f"{draw.getrandbits(128):032x}",
            "isSidechain": False,
            "userType": "external",
            "cwd": f"/home/someone/project-{number % 10}",
            "sessionId": f"00000000-0000-0000-0000-{number:012d}",
            "version": "2.1.39",
            "gitBranch": "main",
            "message": {
                "model": model,
                "id": message,
                "type": "message",
                "role": "assistant",
                "content": [{"type": "text", "text": text}],
                "stop_reason": None,
                "usage": usage,
            },
            "requestId": request,
            "type": "assistant",
            "uuid": f"{draw.getrandbits(128):032x}",
            "timestamp": (when + timedelta(seconds=block)).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        lines.append(json.dumps(entry, separators=(",", ":")))
    return lines


def append(folder: Path, entries: int = 200) -> None:
    """One session grows."""
    file = next(iter(sorted(folder.rglob("*.jsonl"))))
    with file.open("a") as out:
        draw = random.Random(time.time_ns())
        for line in _lines(draw, ["more"], 0, entries, []):
            out.write(line + "\n")


def timed(command: Sequence[str | Path], **environment: str) -> Run:
    """Run a command; raises RuntimeError where it fails."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=out, env={**os.environ, **environment})
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command[0]} failed")
        return Run(seconds, used.ru_maxrss / 2**20, out.read().decode())


def _sums(store: Path) -> tuple[int, ...]:
    from costsim.usage.store import open_store

    with open_store(store, read_only=True) as connection:
        return tuple(connection.execute(SUMS).fetchall()[0])


def _ccusage_sums(out: str) -> tuple[int, ...]:
    totals = json.loads(out)["totals"]
    names = ("inputTokens", "cacheCreationTokens", "cacheReadTokens", "outputTokens")
    return tuple(int(totals[name]) for name in names)


def measure(folder: Path, ccusage: str | None, rounds: int) -> list[Run]:
    """The best of some rounds: everything new, one file grown, and ccusage where it is named."""
    store = folder / "bench.duckdb"
    ours = [sys.executable, "-c", LOAD, folder / "projects", store]
    fresh, again, theirs = [], [], []
    for _ in range(rounds):
        store.unlink(missing_ok=True)
        fresh.append(timed(ours))  # type: ignore[arg-type]
        append(folder)
        again.append(timed(ours))  # type: ignore[arg-type]
        if ccusage:
            theirs.append(timed([ccusage, "claude", "daily", "--offline", "--json"], CLAUDE_CONFIG_DIR=str(folder)))
            assert _ccusage_sums(theirs[-1].out) == _sums(store), (_ccusage_sums(theirs[-1].out), _sums(store))
    return [min(runs, key=lambda run: run.seconds) for runs in (fresh, again, theirs) if runs]


def main(arguments: Sequence[str] | None = None) -> list[Run]:
    """Print the figures; returns the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="where the logs are, or are written; kept")
    parser.add_argument("--ccusage", help="the ccusage command to compare with")
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        if not (folder / "projects").exists():
            write_sessions(folder, given.entries, given.files)
        size = sum(file.stat().st_size for file in folder.rglob("*.jsonl"))
        runs = measure(folder, given.ccusage, given.rounds)
    fresh, again = runs[:2]
    print(f"{given.entries:,} entries, {size / 1e9:.2f} GB in {given.files} files")
    print(f"everything new  {fresh.seconds:6.2f} s  {fresh.gib:.2f} GiB  (at most {TARGET_GIB} GiB)")
    share = again.seconds / fresh.seconds
    print(f"one file grown  {again.seconds:6.2f} s  {again.gib:.2f} GiB  ratio {share:.3f} (at most {TARGET_AGAIN})")
    for run in runs[2:]:
        faster = run.seconds / fresh.seconds
        print(f"ccusage         {run.seconds:6.2f} s  {run.gib:.2f} GiB  ratio {faster:.2f} (at least {TARGET_FASTER})")
    return runs


if __name__ == "__main__":
    main()
