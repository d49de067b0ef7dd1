"""Samples with texts beside their usage, in the shares that real logs have: the shipped ones are nearly all usage.

The shares were measured in public logs, of which only lines and sizes were looked at (2026-11-30):
* Codex: five rollouts of September 2025 in github.com/jnarowski/agentcmd (packages/agent-cli-sdk/tests/fixtures/codex):
  328 counts of tokens in 2,013 lines and 2,526,039 bytes, of which the counts are 195,043.
* Cline: the tasks that the shipped samples are the usage of, with their texts (ui_messages.json in
  github.com/haram-333/fineye and github.com/Jeehunter/mcp-vscode-server): 92 requests in 649 messages and 1,124,322
  bytes, of which 44 % are what was asked (`request`, in a request's own text).
The texts are made here.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WORDS = (
    "def",
    "return",
    "self.",
    "the",
    "file",
    "path",
    "=",
    "(x, y)",
    "\n    ",
    '"name"',
    "tests",
    "import",
    "error:",
    "–",
)


@dataclass(frozen=True)
class Share:
    """What a log holds for each call: its lines or messages, its bytes, and the part of these that is the request's."""

    lines: float
    bytes: float
    asked: float = 0


SHARES = {"codex": Share(2013 / 328, 2_526_039 / 328), "cline": Share(649 / 92, 1_124_322 / 92, 0.44)}


def with_texts(name: str, sample: Path, folder: Path) -> Path:
    """A sample of this format with texts, under the same name in `folder`."""
    made = folder / sample.parent.name / sample.name
    made.parent.mkdir()
    drawn = random.Random(13)
    write = {"codex": _rollout, "cline": _task}[name]
    made.write_text(write(sample.read_text(), SHARES[name], drawn))
    return made


def _rollout(sample: str, share: Share, drawn: random.Random) -> str:
    """After each count of tokens, the answer and the results of its tools."""
    lines = sample.strip().splitlines()
    calls = [line for line in lines if '"token_count"' in line]
    more = round(share.lines * len(calls)) - len(lines)
    size = (share.bytes * len(calls) - len(sample)) / more
    time = json.loads(lines[0])["timestamp"]
    payloads = [{"type": "function_call_output", "call_id": f"call_{n}"} for n in range(more)]
    texts = [
        json.dumps({"timestamp": time, "type": "response_item", "payload": {**payload, "output": _text(size, drawn)}})
        for payload in payloads
    ]
    return "\n".join([*lines, *texts]) + "\n"


def _task(sample: str, share: Share, drawn: random.Random) -> str:
    """What each request asked, and messages between them."""
    messages: list[dict[str, Any]] = json.loads(sample)
    requests = [message for message in messages if "tokensIn" in message.get("text", "")]
    more = round(share.lines * len(requests)) - len(messages)
    for message in requests:
        asked = _text(share.bytes * share.asked, drawn)
        message["text"] = json.dumps({**json.loads(message["text"]), "request": asked})
    size = share.bytes * len(requests) * (1 - share.asked) / more
    first = messages[0]["ts"]
    says = [{"ts": first + n, "type": "say", "say": "tool", "text": _text(size, drawn)} for n in range(1, more + 1)]
    return json.dumps([*messages, *says])


def _text(size: float, drawn: random.Random) -> str:
    """About so many bytes of what looks like code and prose, once it is written as JSON."""
    return " ".join(drawn.choices(WORDS, k=max(int(size / 6.55), 1)))
