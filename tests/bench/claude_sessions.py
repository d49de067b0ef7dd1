"""Claude Code sessions as people have them, for the benchmarks: every field made, the mix taken from real folders.

Of 609,300 lines in 1,200 files (959 MB), 117,120 carry usage, of 53,940 calls: an answer is logged once for each of its
blocks. The other lines have 81 % of the bytes: what tools gave back, progress, snapshots, prompts. A third of the files
are of subagents.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

MODELS = ("claude-opus-4-6", "claude-sonnet-4-20250514", "claude-haiku-4-5-20251001")
REPLAYED = 0.02  # share of answers that repeat an earlier session's, as forks and resumed sessions do
TEXT = """
def return self import from class if not None for in assert value path file line test error result token usage
cost index name key data store load read write print while True False lambda yield with open raise except
"""


@dataclass(frozen=True)
class Mix:
    """How much of what: lines without usage for one with it, their mean size in bytes, and blocks of an answer."""

    others: float
    other_bytes: int
    answer_bytes: int
    blocks: tuple[int, ...]


REAL = Mix(others=4.2, other_bytes=1578, answer_bytes=1556, blocks=(1, 1, 2, 2, 3, 4))  # 2.17 entries an answer
SMALL = Mix(others=1, other_bytes=900, answer_bytes=1100, blocks=(1,))
DENSE = Mix(others=0, other_bytes=0, answer_bytes=1100, blocks=(1, 2, 2, 3))


def write_sessions(folder: Path, entries: int, files: int, mix: Mix = REAL, seed: int = 1) -> None:
    """Sessions with so many entries that carry usage under `folder`/projects, and what stands between these."""
    sessions = _Sessions(random.Random(seed), mix)
    spread = 0.9 if entries > files else 0  # with one entry a file, all are alike
    weights = [sessions.draw.lognormvariate(0, spread) for _ in range(files)]
    left, share = float(entries), sum(weights)
    for number, weight in enumerate(weights):
        count = round(left * weight / share)
        left, share = left - count, share - weight
        file = _path(folder / "projects" / f"-home-someone-project-{number % 20}", number)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as out:
            out.writelines(line + "\n" for line in sessions.lines(number, count))


def grow(folder: Path, draw: random.Random, entries: int = 200) -> None:
    """One session goes on."""
    file = next(iter(sorted(folder.rglob("*.jsonl"))))
    with file.open("a") as out:
        out.writelines(line + "\n" for line in _Sessions(draw, REAL).lines(0, entries))


def _path(project: Path, number: int) -> Path:
    """Every third file is a subagent's of the session before it."""
    if number % 3:
        return project / f"{_session(number)}.jsonl"
    return project / _session(max(0, number - 1)) / "subagents" / f"agent-{number:07x}.jsonl"


def _session(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


class _Sessions:
    def __init__(self, draw: random.Random, mix: Mix) -> None:
        self.draw, self.mix = draw, mix
        self.text, self.breaks = _pool(draw)
        self.replayable: list[list[str]] = []

    def lines(self, number: int, count: int) -> Iterator[str]:
        """The lines of one file, so many of them with usage."""
        when = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number * 3.6)
        written, owed = 0, 1.0
        while written < count:
            when += timedelta(seconds=self.draw.uniform(1, 30))
            if self.replayable and self.draw.random() < REPLAYED:
                answer = self.draw.choice(self.replayable)
            else:
                answer = self._answer(number, when)
                if self.draw.random() < 0.02:
                    self.replayable.append(answer)
            for line in answer[: count - written]:
                yield line
                written, owed = written + 1, owed + self.mix.others
                while owed >= 1:
                    yield self._other(number, when)
                    owed -= 1

    def _answer(self, number: int, when: datetime) -> list[str]:
        """One answer as it is logged: an entry for each of its blocks, the output counted so far."""
        draw = self.draw
        message, request = f"msg_01{draw.getrandbits(88):022x}", f"req_011C{draw.getrandbits(80):020x}"
        model, total, blocks = draw.choice(MODELS), draw.randrange(3, 3000), draw.choice(self.mix.blocks)
        written, read, fresh = draw.randrange(6000), draw.randrange(190_000), draw.randrange(12)
        lines = []
        for block in range(1, blocks + 1):
            output = total if block == blocks else draw.randrange(3)
            lines.append(
                f'{{{self._top(number, when + timedelta(seconds=block))},"message":{{"model":"{model}",'
                f'"id":"{message}","type":"message","role":"assistant",'
                f'"content":[{{"type":"text","text":"{self._said(self.mix.answer_bytes - 794)}"}}],'
                f'"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":{fresh},'
                f'"cache_creation_input_tokens":{written},"cache_read_input_tokens":{read},'
                f'"cache_creation":{{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":{written}}},'
                f'"output_tokens":{output},"service_tier":"standard","inference_geo":"global"}}}},'
                f'"requestId":"{request}","type":"assistant","uuid":"{draw.getrandbits(128):032x}"}}'
            )
        return lines

    def _other(self, number: int, when: datetime) -> str:
        """A line without usage: what a tool gave back, a prompt, progress, a snapshot."""
        top, kind = self._top(number, when), self.draw.random()
        if kind < 0.5:
            said = self._said(round((self.mix.other_bytes - 740) * self.draw.lognormvariate(-0.75, 1.225)))
            return (
                f'{{{top},"type":"user","message":{{"role":"user","content":[{{"tool_use_id":"toolu_01{number:020x}",'
                f'"type":"tool_result","content":"{said}"}}]}},"toolUseResult":{{"type":"text","file":{{'
                f'"filePath":"/home/someone/a.py","content":"{said}","numLines":{len(said) // 40},"startLine":1}}}}}}'
            )
        said = self._said(round(self.mix.other_bytes * 0.4 * self.draw.lognormvariate(-0.32, 0.8)))
        if kind < 0.8:
            return (
                f'{{{top},"type":"progress","data":{{"type":"bash_progress","output":"{said}","elapsedTimeSeconds":3,'
                f'"totalLines":{len(said) // 40}}},"toolUseID":"bash-progress-1"}}'
            )
        if kind < 0.9:
            return f'{{{top},"type":"user","message":{{"role":"user","content":"{said}"}}}}'
        if kind < 0.96:
            return f'{{{top},"type":"system","subtype":"turn_duration","durationMs":{len(said)},"content":"{said}"}}'
        return (
            f'{{"type":"file-history-snapshot","messageId":"{number:032x}","snapshot":{{"trackedFileBackups":{{'
            f'"{said}":{{"version":1}}}}}},"isSnapshotUpdate":false}}'
        )

    def _top(self, number: int, when: datetime) -> str:
        """The fields that every entry begins with."""
        stamp = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        side = "false" if number % 3 else "true"
        return (
            f'"parentUuid":"{self.draw.getrandbits(128):032x}","isSidechain":{side},"userType":"external",'
            f'"cwd":"/home/someone/project-{number % 20}","sessionId":"{_session(number)}","version":"2.1.39",'
            f'"gitBranch":"main","timestamp":"{stamp}"'
        )

    def _said(self, size: int) -> str:
        """About so many bytes of text, as JSON has it."""
        start = self.draw.randrange(len(self.breaks) // 2)
        place = self.breaks[start]
        return self.text[
            place : self.breaks[min(start + max(size, 0) * len(self.breaks) // len(self.text), len(self.breaks) - 1)]
        ]


def _pool(draw: random.Random) -> tuple[str, list[int]]:
    """A long text with quotes, line ends and code in it, escaped as JSON; and where it may be cut."""
    words = (
        TEXT.split() + [f"{draw.getrandbits(24):x}" for _ in range(3000)] + ['"name":', "\n    ", "é", "{}", "\t"] * 40
    )
    parts = [json.dumps(draw.choice(words) + " ", ensure_ascii=False)[1:-1] for _ in range(120_000)]
    breaks = [0]
    for part in parts:
        breaks.append(breaks[-1] + len(part))
    return "".join(parts), breaks
