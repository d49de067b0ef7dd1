"""Soak: mutated logs of every format, loaded under kills, full disks, two writers and readers at once.

    python tests/bench/bench_soak.py                     # 5,000 files, about a million lines
    python tests/bench/bench_soak.py --files 60 --seed 7 # a part of it, as .ci/run does
    python tests/bench/bench_soak.py --seconds 20        # as many files as go into that time

The seed is that of the day (UTC) where none is given, and printed. Prints files and lines tried, rejects, crashes
(anything but exit code 0 or 2, or a traceback) and whether the totals equal those of a clean load of the same files.
Exits with 1 where there was a crash or totals differ. Disks are filled on a tmpfs of 24 MiB where mounting is allowed,
else by a limit on the size of files.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

DATA = Path(__file__).parent.parent / "data" / "usage"
TEXTS = (".jsonl", ".ndjson", ".json", ".csv", ".prom")
SMALL_DISK = "24m"
BATCH_FILES = 40
LINES_A_FILE = 200
COSTSIM = [sys.executable, "-m", "costsim"]
TOTALS = """
SELECT count(*), sum(input), sum(output), sum(cache_read), sum(cache_write_5m), sum(cache_write_1h), sum(request),
    bit_xor(hash(event_id, input, output))
FROM usage_event
"""


@dataclass
class Tally:
    """What was tried and what came of it."""

    files: int = 0
    lines: int = 0
    loads: int = 0
    kills: int = 0
    full: int = 0
    refused: int = 0
    crashes: list[str] = field(default_factory=list)


def mutated(text: str, dice: random.Random) -> str:
    """What disks, editors and other programs do to a text: some of its lines changed, cut, doubled, put elsewhere."""
    lines = text.splitlines(keepends=True)[:LINES_A_FILE] or [""]
    if len(lines) > 2:  # as a log that repeats itself; a document does not
        lines *= dice.choice([1, 1, 1, 200 // len(lines) + 1, 600 // len(lines) + 1])
    for _ in range(dice.randint(0, 4)):
        place = dice.randrange(len(lines))
        line = lines[place]
        cut = dice.randrange(len(line) + 1)
        lines[place] = dice.choice([
            line[:cut], line[:cut] + dice.choice('{}[]":,;\\\x00\x1b\x9bé\r\n') + line[cut + 1 :],
            line.replace(": ", f": {dice.choice(['-1', '1e400', 'null', 'true', '[]', '9' * 30])}, \"x\": ", 1),
            line * 2, line.upper(), "\ufeff" + line, line.replace("tokens", "tokens_", 1),
        ])  # fmt: skip
    return "".join(lines)[: dice.choice([10**9, 10**9, 10**9, 20_000])]


def run(arguments: list[str], tally: Tally, **settings: object) -> int:
    """One command; what is neither done nor refused in one line is a crash."""
    done = subprocess.run(
        [*COSTSIM, *arguments], check=False, capture_output=True, text=True, errors="replace", **settings
    )  # type: ignore[call-overload]
    if done.returncode not in (0, 2) or "Traceback" in done.stderr or done.stderr.count("\n") > 1:
        tally.crashes.append(f"{' '.join(arguments)[:200]}: {done.returncode} {done.stderr.strip()[-300:]}")
    tally.refused += done.returncode == 2
    return int(done.returncode)


def killed_load(folder: Path, db: Path, dice: random.Random, tally: Tally) -> None:
    """A load that is killed after some time."""
    process = subprocess.Popen([*COSTSIM, "load", str(folder), "--db", str(db)], stdout=-3, stderr=-3)
    time.sleep(dice.uniform(0.2, 1.5))
    process.send_signal(signal.SIGKILL)
    process.wait()
    tally.kills += 1


@contextmanager
def small_disk(work: Path) -> Iterator[tuple[Path, Callable[[], None] | None]]:
    """A folder that fills up soon: a tmpfs, else any, with a limit on the size of files for the commands."""
    disk = work / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(disk)]
    if shutil.which("mount") and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            yield disk, None
        finally:
            subprocess.run(["umount", str(disk)], check=False)
        return

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 2**20, 2 * 2**20))

    yield disk, limited


def full_load(folder: Path, work: Path, dice: random.Random, tally: Tally) -> None:
    """A load onto a disk that is full before it is done; it is refused, and works once there is room."""
    with small_disk(work) as (disk, limited):
        filler = disk / "filler"
        if limited is None:
            filler.write_bytes(bytes(24 * 2**20 - dice.randrange(2**10, 2**18)))
        db, env = disk / "costsim.duckdb", {**os.environ, "TMPDIR": str(disk)}
        code = run(["load", str(folder), "--db", str(db)], tally, env=env, preexec_fn=limited)
        tally.full += code == 2
        filler.unlink(missing_ok=True)
        run(["load", str(folder), "--db", str(db)], tally)
        tally.loads += 2
    shutil.rmtree(work / "disk", ignore_errors=True)


def at_once(folder: Path, db: Path, tally: Tally) -> None:
    """Two writers and two readers of one store."""
    commands = [["load", str(folder)], ["load", str(folder)], ["spend"], ["spend", "--by", "day"]]
    processes = [
        subprocess.Popen([*COSTSIM, *command, "--db", str(db)], stdout=-3, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    for command, process in zip(commands, processes, strict=True):
        _, err = process.communicate()
        if process.returncode not in (0, 2) or "Traceback" in err:
            tally.crashes.append(f"at once, {' '.join(command)[:100]}: {process.returncode} {err.strip()[-300:]}")
    tally.loads += 2


def totals(db: Path) -> object:
    """What a store holds, as one row."""
    with duckdb.connect(str(db), read_only=True) as store:
        return store.execute(TOTALS).fetchone(), store.execute("SELECT count(*) FROM reject").fetchone()


def batch(work: Path, dice: random.Random, count: int, tally: Tally) -> None:
    """Some files, loaded under faults and cleanly; both must hold the same."""
    samples = [file for file in sorted(DATA.glob("*/*")) if file.suffix in TEXTS]
    logs = work / "logs"
    logs.mkdir()
    for number in range(count):
        sample = dice.choice(samples)
        text = mutated(sample.read_text("utf-8", "replace"), dice)
        (logs / f"{number}-{sample.parent.name}{sample.suffix}").write_text(text, "utf-8", errors="replace")
        tally.files, tally.lines = tally.files + 1, tally.lines + text.count("\n") + 1
        os.utime(logs / f"{number}-{sample.parent.name}{sample.suffix}", (1_700_000_000, 1_700_000_000))
    faulty, clean = work / "faulty.duckdb", work / "clean.duckdb"
    killed_load(logs, faulty, dice, tally)
    at_once(logs, faulty, tally)
    run(["load", str(logs), "--db", str(faulty)], tally)
    run(["load", str(logs), "--db", str(clean)], tally)
    run(["store", "verify", "--db", str(faulty)], tally)
    full_load(logs, work, dice, tally)
    tally.loads += 2
    if totals(faulty) != totals(clean):
        kept = shutil.copytree(work, Path(tempfile.gettempdir()) / f"costsim-soak-{os.getpid()}", dirs_exist_ok=True)
        tally.crashes.append(f"totals differ: {totals(faulty)} and {totals(clean)}, kept in {kept}")


def main() -> int:
    """Run it; 1 where anything crashed or differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=int(f"{datetime.now(UTC):%Y%m%d}"))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    dice, tally, start = random.Random(asked.seed), Tally(), time.monotonic()
    while tally.files < asked.files and time.monotonic() - start < asked.seconds:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            batch(Path(folder), dice, min(BATCH_FILES, asked.files - tally.files), tally)
    print(
        f"{tally.files:,} files, {tally.lines:,} lines, {tally.loads:,} loads, {tally.kills:,} kills, {tally.full:,} full "
        f"disks, {tally.refused:,} refused, {len(tally.crashes):,} crashes or differences in {time.monotonic() - start:.0f} s"
    )
    for crash in tally.crashes[:10]:
        print(crash)
    return 1 if tally.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
