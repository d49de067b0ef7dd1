"""How quick `costsim load` is on each format, beside Claude Code's: the shipped samples, multiplied to so many megabytes.

    python tests/bench/bench_formats.py [--mb 100] [--only otel,litellm]

Each format is loaded in a process of its own; the time that counts is the processor's (user and system), since others
may use the machine. Every copy of a sample has ids of its own, so that nothing is known already. `look` is what the
look at lines takes of it, and at the cells of tables (for Claude Code, none: the search that finds its entries sees
both). It does two things in one pass: it checks that whole numbers are some where a reader takes them, which a load has
to do anyway, and it looks for usage that is not counted. The watch's share is what that adds: beside each look, the
numbers alone are checked in the same bytes, and what this takes is subtracted from both the look and the load. The
clocks are read a few hundred times a load, which costs nothing; the time of cells is that of the whole process, since
DuckDB's threads look too, so it includes the hashing beside it. Where the text of cells says that nothing unknown is in
them (usage/known_cells.py), the look is part of DuckDB's statement and not seen here: about a twentieth of `langfuse csv`.
Targets: no format in wide use (*) slower than a third of Claude Code's megabytes a second, and a share of at most a tenth;
`!` marks what misses one. Claude Code's sample is a real session, with its texts; most others are a few
lines of usage, multiplied: all calls, as no real log is. So `codex` and `cline` are there twice: as shipped, and `with
texts`, in the shares of public logs (log_texts.py says which).
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from log_texts import with_texts  # type: ignore[import-not-found]

TARGET, MOST_WATCH = 1 / 3, 0.1
REFERENCE = "claude-code"
WITH_TEXTS = " with texts"
DATA = Path(__file__).parent.parent / "data" / "usage"
FILE_MB = 4  # of documents, which are read whole

LOAD = """
import resource, sys, threading, time
from pathlib import Path
import msgspec
from costsim.usage import line_shapes, tables
from costsim.usage.fits import has_numbers
from costsim.usage.line_watch import LineWatch
watched, alone, within = [], [], threading.local()
decoders = {}
def decoder(watch):
    if watch.reader.name not in decoders:
        numbers = {key: kind for key, kind in watch.columns.items() if has_numbers(kind)}
        fields = [(f"f{n}", line_shapes._numbers(kind), msgspec.field(default=None, name=key))
                  for n, (key, kind) in enumerate(numbers.items())]
        made = msgspec.defstruct("Numbers", fields, gc=False)
        decoders[watch.reader.name] = msgspec.json.Decoder(made).decode_lines if fields else None
    return decoders[watch.reader.name]
def check_alone(self, piece, newlines):
    start = time.thread_time()
    place, end, decode = piece.find(b"\\n") + 1, piece.rfind(b"\\n") + 1, decoder(self.watch)
    while decode and self.columns and place < end:
        stop = piece.find(b"\\n", place + line_shapes.PART, end) + 1 or end
        try:
            decode(memoryview(piece)[place:stop])
        except msgspec.DecodeError:
            pass
        place = stop
    alone.append(time.thread_time() - start)
def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
def timed(function, clock):
    def call(*arguments):
        if getattr(within, "watch", False):
            return function(*arguments)
        start, within.watch = clock(), True
        try:
            return function(*arguments)
        finally:
            watched.append(clock() - start)
            within.watch = False
    return call
feed = timed(LineWatch.feed, time.thread_time)
def feed_and_check(self, piece, newlines):
    feed(self, piece, newlines)
    if not getattr(within, "watch", False):
        check_alone(self, piece, newlines)
LineWatch.feed = feed_and_check
LineWatch.finish = timed(LineWatch.finish, time.thread_time)
tables.watch_cells = timed(tables.watch_cells, time.process_time)
from costsim.usage.load import load
from costsim.usage.store import open_store
with open_store(Path(sys.argv[2])) as store:
    before = used()
    report = load(store, [sys.argv[1]])
    print(used() - before - sum(alone), report.total("added"), report.total("rejected"), sum(watched), sum(alone))
"""

# What is an id in a record: each copy gets its own, in all places alike.
KEYS = [
    "uuid",
    "id",
    "requestId",
    "request_id",
    "messageId",
    "message_id",
    "response_id",
    "generation_id",
    "sessionId",
    "session_id",
    "traceId",
    "trace_id",
    "spanId",
    "span_id",
    "parentSpanId",
    "parent_id",
    "parentId",
    "parent_span_id",
    "root_span_id",
    "dotted_order",
    "parent_run_id",
    "correlationId",
    "callId",
    "litellm_call_id",
    "event_id",
    "session",
    "gen_ai.response.id",
    "gen_ai.conversation.id",
    "$ai_trace_id",
    "$ai_span_id",
    "$ai_parent_id",
]
ID = re.compile(rf'(\\?"(?:{"|".join(map(re.escape, KEYS))})\\?"\s*:\s*\\?")([^"\\]+)')
TIME = re.compile(r'("(?:timestamp|time)":\s*)(\d{10,13})(\.\d+)?')

# Documents: the list in them that grows. Other formats grow by lines or rows.
LISTS = {
    "amp/T-current.json": "messages",
    "cline/ui_messages.json": "",
    "cursor-events/events.json": "usageEvents",
    "langfuse/observations.json": "",
    "otel/trace.json": "resourceSpans",
}

FORMATS: dict[str, str] = {
    "claude-code": "claude-code/pd064254554.jsonl",
    "codex": "codex/codex_alpha.jsonl",
    "codex with texts": "codex/codex_alpha.jsonl",
    "copilot": "copilot/events.jsonl",
    "cline": "cline/ui_messages.json",
    "cline with texts": "cline/ui_messages.json",
    "gemini-cli": "gemini-cli/session-2026-04-23.jsonl",
    "qwen-code": "qwen-code/chat.jsonl",
    "kimi-cli": "kimi-cli/wire.jsonl",
    "kimi-code": "kimi-code/wire.jsonl",
    "openclaw": "openclaw/before-compaction.usage-only.jsonl",
    "opencode": "opencode/opencode.db",
    "amp": "amp/T-current.json",
    "cursor": "cursor/team-usage-events.csv",
    "cursor-events": "cursor-events/events.json",
    "otel lines": "otel/exports.jsonl",
    "otel console": "otel/console.jsonl",
    "otel document": "otel/trace.json",
    "langfuse": "langfuse/observations.jsonl",
    "langfuse document": "langfuse/observations.json",
    "langfuse csv": "langfuse/blob_export.csv",
    "litellm": "litellm/spend_logs.jsonl",
    "litellm csv": "litellm/spend_logs.csv",
    "openrouter": "openrouter/activity.csv",
    "helicone": "helicone/requests.jsonl",
    "weave": "weave/calls.jsonl",
    "bedrock": "bedrock/invocations.jsonl",
    "vertex": "vertex/request-response.jsonl",
    "azure-apim": "azure-apim/gateway.jsonl",
    "portkey": "portkey/logs.jsonl",
    "aws-cur": "aws-cur/bedrock.csv",
    "focus": "focus/tokens.csv",
}


NOT_MAIN = {
    "qwen-code",
    "kimi-cli",
    "kimi-code",
    "openclaw",
    "amp",
    "helicone",
    "weave",
    "vertex",
    "azure-apim",
    "portkey",
}


@dataclass(frozen=True)
class Loaded:
    """A format's load: megabytes, seconds of the processor, calls and rejects; of the seconds, those of the look at
    lines and cells, and those that the check of numbers alone would take."""

    mb: float
    seconds: float
    calls: int
    rejected: int
    looked: float
    numbers: float

    @property
    def look(self) -> float:
        """The part of the time that the look takes."""
        return self.looked / max(self.seconds, 1e-3)

    @property
    def share(self) -> float:
        """The watch's part of the time: what it adds to the check of numbers."""
        return max(self.looked - self.numbers, 0) / max(self.seconds, 1e-3)

    @property
    def speed(self) -> float:
        """Megabytes a second."""
        return self.mb / max(self.seconds, 1e-3)


def copies(text: str, size: int) -> Iterator[str]:
    """So many copies of a text as make up a size, each with ids of its own."""
    for number in range(max(size // len(text.encode()), 1)):
        named = ID.sub(lambda found, n=number: f"{found[1]}{found[2]}-{n:x}", text)  # type: ignore[misc]
        yield TIME.sub(lambda found, n=number: f"{found[1]}{int(found[2]) + n}{found[3] or ''}", named)  # type: ignore[misc]


def write(sample: Path, folder: Path, size: int) -> None:
    """The sample, multiplied to about `size` bytes in `folder`."""
    name = f"{sample.parent.name}/{sample.name}"
    match sample.suffix:
        case ".jsonl":
            (folder / "log.jsonl").write_text("".join(copies(sample.read_text().strip() + "\n", size)))
        case ".csv":
            head, _, rows = sample.read_text().partition("\n")
            with (folder / "log.csv").open("w") as out:
                out.write(head + "\n")
                out.writelines(_rows(rows.strip() + "\n", size))
        case ".db":
            _database(sample, folder / "log.db", size)
        case _:
            for number in range(max(size // (FILE_MB * 10**6), 1)):
                (folder / f"{number}.json").write_text(
                    _document(sample, LISTS[name], min(size, FILE_MB * 10**6), number)
                )


def _rows(rows: str, size: int) -> Iterator[str]:
    """Copies of rows; an id, or a time with milliseconds in the first column, is each copy's own."""
    ids = r"^[a-z][\w-]*-[\w-]*|^[a-z]+\d+(?=,)|\bchatcmpl-[\w-]+|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"
    start = re.compile(rf'({ids})|^("?\d{{4}}-\d\d-\d\dT)\d\d:\d\d:\d\d\.\d{{3}}', re.MULTILINE)
    for number in range(max(size // len(rows), 1)):
        time = f"{number // 3_600_000 % 24:02}:{number // 60_000 % 60:02}:{number // 1000 % 60:02}.{number % 1000:03}"
        yield start.sub(lambda at, n=number, t=time: f"{at[1]}-{n:x}" if at[1] else f"{at[2]}{t}", rows)  # type: ignore[misc]


def _document(sample: Path, at: str, size: int, file: int) -> str:
    document: Any = json.loads(sample.read_text())
    grown = [item for copy in copies(json.dumps(document[at] if at else document), size) for item in json.loads(copy)]
    if "ts" in grown[0]:  # a message has no id but its time
        grown = [{**item, "ts": item["ts"] + file * 10**7 + n} for n, item in enumerate(grown)]
    for n, item in enumerate(grown if at == "messages" else ()):  # likewise, with a fork of its thread too
        if "usage" in item:
            moment = datetime.fromtimestamp(1_768_822_930 + file * 1000 + n / 1000, UTC)
            item["usage"]["timestamp"] = moment.isoformat(timespec="milliseconds")
    return json.dumps({**document, at: grown, "id": f"T-{file}"} if at else grown, indent=1)


def _database(sample: Path, to: Path, size: int) -> None:
    shutil.copyfile(sample, to)
    with closing(sqlite3.connect(to)) as database:
        [row] = database.execute("SELECT * FROM message WHERE id = 'msg_02'").fetchall()
        created = json.loads(row[-1])["time"]["created"]  # a message of the same times is a fork's copy
        rows = (
            (f"msg_{n}", *row[1:-1], row[-1].replace(str(created), str(created + n)))
            for n in range(size // (len(row[-1]) + 60))
        )
        database.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)
        database.commit()


def measured(name: str, size: int) -> Loaded:
    """A format's sample multiplied, and loaded by a process of its own."""
    sample = DATA / FORMATS[name]
    with tempfile.TemporaryDirectory() as made:
        if name.endswith(WITH_TEXTS):
            sample = with_texts(name.removesuffix(WITH_TEXTS), sample, Path(made))
        folder = Path(made) / "logs" / sample.parent.name
        folder.mkdir(parents=True)
        write(sample, folder, size)
        mb = sum(file.stat().st_size for file in folder.iterdir()) / 10**6
        run = [sys.executable, "-c", LOAD, str(folder), str(Path(made) / "costsim.duckdb")]
        said = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()[-5:]  # after a bar
    return Loaded(mb, float(said[0]), int(said[1]), int(said[2]), float(said[3]), float(said[4]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=float, default=100, help="megabytes of each format")
    parser.add_argument("--only", default="", help="names of formats, with commas")
    parser.add_argument("--times", type=int, default=1, help="the quickest of so many loads counts")
    given = parser.parse_args()
    chosen = {name for name in given.only.split(",") if name} or set(FORMATS)
    reference: Loaded | None = None
    slow, heavy = [], []
    print(
        f"{'format':20} {'MB':>7} {'cpu s':>8} {'MB/s':>8} {'calls':>9} {'rejected':>9} {'ratio':>7}  {'look':>6} {'watch':>7}"
    )
    for name in [REFERENCE, *(name for name in FORMATS if name in chosen and name != REFERENCE)]:
        size = int(given.mb * 10**6)
        found = min((measured(name, size) for _ in range(given.times)), key=lambda one: one.seconds)
        reference = reference or found
        ratio = found.speed / reference.speed
        is_slow, is_heavy = ratio < TARGET, found.share > MOST_WATCH
        slow += [name] * (is_slow and name not in NOT_MAIN)
        heavy += [name] * is_heavy
        print(f"{name + ('' if name in NOT_MAIN else ' *'):20} {found.mb:7.1f} {found.seconds:8.2f} {found.speed:8.1f} "
              f"{found.calls:9,} {found.rejected:9,} {ratio:6.2f}{' !'[is_slow]} {found.look:6.1%} {found.share:6.1%}{' !'[is_heavy]}",
              flush=True)  # fmt: skip
    print(f"in wide use, and slower than a third of Claude Code's speed: {', '.join(slow) or 'none'}")
    print(f"the watch takes more than a tenth: {', '.join(heavy) or 'none'}")
    return 1 if slow or heavy else 0


if __name__ == "__main__":
    sys.exit(main())
