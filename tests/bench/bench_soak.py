"""Soak: mutated logs of every format, loaded under kills, full disks, two writers and readers at once.

    python tests/bench/bench_soak.py                     # 5,000 files, about a million lines
    python tests/bench/bench_soak.py --files 60 --seed 7 # a part of it
    python tests/bench/bench_soak.py --seconds 60 --batch 20   # as many as go into that time, as .ci/run does

The seed is that of the day (UTC) where none is given, and printed. Each batch of files (texts, some of them packed,
databases, Parquet) is loaded cleanly, and into a store on a small disk by loads that are killed, that run out of
space, that run two at once with two readers beside them. Prints files and lines tried, rejects, crashes (anything but
exit code 0 or 2, or a traceback) and in how many batches the totals equal those of the clean load. Exits with 1 where
there was a crash or totals differ. The disk is a tmpfs of 48 MiB where mounting is allowed, else there is a limit on the
size of files.
"""

from __future__ import annotations

import argparse
import gzip
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
import zstandard

DATA = Path(__file__).parent.parent / "data" / "usage"
TEXTS = (".jsonl", ".ndjson", ".json", ".csv", ".prom")
DATABASES = (".db", ".sqlite", ".parquet")
PACKED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstandard.compress}
SMALL_DISK_BYTES = 48 * 2**20
BATCH_FILES = 1_250
LINES_A_FILE = 200
LONG_AGO = 1_700_000_000  # of the files' last change: they are at rest
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
    rejects: int = 0
    calls: int = 0
    loads: int = 0
    kills: int = 0
    full: int = 0
    refused: int = 0
    equal: int = 0
    batches: int = 0
    crashes: list[str] = field(default_factory=list)


def mutated(text: str, dice: random.Random) -> str:
    """What disks, editors and other programs do to a text: some of its lines changed, cut, doubled, put elsewhere."""
    lines = text.splitlines(keepends=True)[:LINES_A_FILE] or [""]
    if len(lines) > 2:  # as a log that repeats itself; a document does not
        lines *= dice.choice([1, 1, 1, 200 // len(lines) + 1, *[600 // len(lines) + 1] * 2])
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


def mutated_bytes(content: bytes, dice: random.Random) -> bytes:
    """The same for what is no text: a byte changed, the end cut off, or nothing."""
    place = dice.randrange(len(content) or 1)
    changed = content[:place] + bytes([dice.randrange(256)]) + content[place + 1 :]
    return dice.choice([content, content, changed, content[:place]])


def write_log(file: Path, sample: Path, dice: random.Random) -> int:
    """A mutated copy of a sample, one text in ten packed; how many lines it has."""
    if sample.suffix in DATABASES:
        content, lines = mutated_bytes(sample.read_bytes(), dice), 0
    else:
        text = mutated(sample.read_text("utf-8", "replace"), dice)
        content, lines = text.encode("utf-8", "replace"), text.count("\n") + 1
        if dice.random() < 0.1:
            ending = dice.choice([*PACKED])
            file, content = file.with_name(file.name + ending), mutated_bytes(PACKED[ending](content), dice)
    file.write_bytes(content)
    os.utime(file, (LONG_AGO, LONG_AGO))
    return lines


def run(arguments: list[str], tally: Tally, **settings: object) -> int:
    """One command; what is neither done nor refused in one line is a crash."""
    done = subprocess.run(
        [*COSTSIM, *arguments], check=False, capture_output=True, text=True, errors="replace", **settings
    )  # type: ignore[call-overload]
    if done.returncode not in (0, 2) or "Traceback" in done.stderr or done.stderr.count("\n") > 1:
        tally.crashes.append(f"{' '.join(arguments)[:200]}: {done.returncode} {done.stderr.strip()[-300:]}")
    tally.refused += done.returncode == 2
    tally.loads += arguments[0] == "load"
    return int(done.returncode)


def killed_load(load: list[str], seconds: float, tally: Tally) -> None:
    """A load that is killed after some time, if it is not done by then."""
    process = subprocess.Popen([*COSTSIM, *load], stdout=-3, stderr=-3)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        tally.kills += 1
    tally.loads += 1


@contextmanager
def small_disk(disk: Path) -> Iterator[Callable[[], None] | None]:
    """A folder that fills up soon: a tmpfs, else any, with a limit on the size of files for the commands."""
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_BYTES}", "tmpfs", str(disk)]
    if shutil.which("mount") and subprocess.run(mount, check=False, capture_output=True).returncode == 0:
        try:
            yield None
        finally:
            subprocess.run(["umount", str(disk)], check=False)
        return

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 2**20, 2 * 2**20))

    yield limited


def full_load(
    load: list[str], disk: Path, limited: Callable[[], None] | None, dice: random.Random, tally: Tally
) -> None:
    """A load onto a disk that is full before it is done, temporary files there too: it is refused."""
    filler = disk / "filler"
    if limited is None:
        filler.write_bytes(bytes(shutil.disk_usage(disk).free - int(2 ** dice.uniform(10, 20))))
    code = run(load, tally, env={**os.environ, "TMPDIR": str(disk)}, preexec_fn=limited)
    tally.full += code == 2
    filler.unlink(missing_ok=True)


def at_once(load: list[str], db: Path, tally: Tally) -> None:
    """Two writers and two readers of one store."""
    commands = [load, load, ["spend", "--db", str(db)], ["spend", "--by", "day", "--db", str(db)]]
    processes = [
        subprocess.Popen([*COSTSIM, *command], stdout=-3, stderr=subprocess.PIPE, text=True) for command in commands
    ]
    for command, process in zip(commands, processes, strict=True):
        _, err = process.communicate()
        if process.returncode not in (0, 2) or "Traceback" in err:
            tally.crashes.append(f"at once, {' '.join(command)[:100]}: {process.returncode} {err.strip()[-300:]}")
    tally.loads += 2


def totals(db: Path) -> tuple[tuple[int, ...], int]:
    """What a store holds, and how many rejects."""
    with duckdb.connect(str(db), read_only=True) as store:
        held, rejects = store.execute(TOTALS).fetchone(), store.execute("SELECT count(*) FROM reject").fetchone()
    assert held
    assert rejects
    return held, rejects[0]


def under_faults(logs: Path, faulty: Path, seconds: float, dice: random.Random, tally: Tally) -> object:
    """Load into a store on a small disk under kills, a full disk, two writers and readers; what it holds in the end.

    `seconds` is how long a load of these files takes.
    """
    load = ["load", str(logs), "--db", str(faulty)]
    with small_disk(faulty.parent) as limited:
        for fault in dice.sample(("kill",) * 5 + ("full",), 6):
            if fault == "kill":
                killed_load(load, dice.uniform(0.1, 0.8) * seconds, tally)
            else:
                full_load(load, faulty.parent, limited, dice, tally)
        at_once(load, faulty, tally)
        run(load, tally)
        run(["store", "verify", "--db", str(faulty)], tally)
        return totals(faulty)


def batch(work: Path, dice: random.Random, count: int, tally: Tally) -> None:
    """Some files, loaded cleanly and under faults; both must hold the same."""
    samples = [file for file in sorted(DATA.glob("*/*")) if file.suffix in (*TEXTS, *DATABASES)]
    logs = work / "logs"
    logs.mkdir()
    for number in range(count):
        sample = dice.choice(samples)
        tally.lines += write_log(logs / f"{number}-{sample.parent.name}{sample.suffix}", sample, dice)
    tally.files, tally.batches = tally.files + count, tally.batches + 1
    clean, start = work / "clean.duckdb", time.monotonic()
    run(["load", str(logs), "--db", str(clean)], tally)
    expected = totals(clean)
    held = under_faults(logs, work / "disk" / "faulty.duckdb", time.monotonic() - start, dice, tally)
    tally.calls, tally.rejects = tally.calls + expected[0][0], tally.rejects + expected[1]
    tally.equal += held == expected
    if held != expected:
        kept = shutil.copytree(work, Path(tempfile.mkdtemp(prefix="costsim-soak-")), dirs_exist_ok=True)
        tally.crashes.append(f"totals differ: {held} under faults, {expected} cleanly; kept in {kept}")


def summary(tally: Tally, seconds: float) -> str:
    """One line of figures, one of the verdict."""
    return (
        f"{tally.files:,} files, {tally.lines:,} lines tried: {tally.calls:,} calls, {tally.rejects:,} rejects; "
        f"{tally.loads:,} loads, {tally.kills:,} kills, {tally.full:,} full disks, {tally.refused:,} refused "
        f"in {seconds:.0f} s\n{len(tally.crashes):,} crashes or differences; "
        f"totals equal a clean load's in {tally.equal:,} of {tally.batches:,} batches"
    )


def main() -> int:
    """Run it; 1 where anything crashed or differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--batch", type=int, default=BATCH_FILES, help="files that are loaded together")
    parser.add_argument("--seed", type=int, default=int(f"{datetime.now(UTC):%Y%m%d}"))
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    dice, tally, start = random.Random(asked.seed), Tally(), time.monotonic()
    while tally.files < asked.files and time.monotonic() - start < asked.seconds:
        known = len(tally.crashes)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            batch(Path(folder), dice, min(asked.batch, asked.files - tally.files), tally)
        print(summary(tally, time.monotonic() - start), flush=True)
        for crash in tally.crashes[known:]:
            print(crash, flush=True)
    return 1 if tally.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
