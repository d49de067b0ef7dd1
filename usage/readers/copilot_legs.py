"""What the legs of a Copilot CLI session used: from its events, in order, to sums by model.

A session that is resumed ends in several `session.shutdown` events. Each counts its own leg, or (from about CLI 1.0.80)
runs on over the session, and some begin anew when the context is compacted. Which it is, the messages between say:
their `outputTokens` are the outputs that the shutdown counted. Messages that no shutdown counted (a crash, a compaction
that reset the counters) are kept with the output that they state; nothing states their input.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ..unfold import whole

COUNTS = ("requests", "input", "cache_read", "cache_write", "output", "nano_aiu")
DETAILS = ("input", "cache_read", "cache_write", "output")
RUNS_ON_SINCE = (1, 0, 80)

Counts = dict[str, int]
"""A count for each of COUNTS; nano_aiu are billionths of AI units."""

Metrics = dict[str, Counts]
"""Counts by model; under "" what a session's total has beyond them."""


@dataclass(frozen=True)
class Message:
    """A response of a model, and the output that it states; None where it states none."""

    id: str
    model: str
    time: str
    output: int | None


@dataclass(frozen=True)
class Sum:
    """What one model used in one leg; `stated` is False for messages that no shutdown counted."""

    id: str
    model: str
    begun: str
    time: str
    counts: Counts
    stated: bool = True
    premium: str | None = None


@dataclass
class Legs:
    """The state of a session while its events are read."""

    model: str = ""
    version: tuple[int, ...] = ()
    before: Metrics = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    starts: dict[int, str] = field(default_factory=lambda: {0: ""})  # messages where a count may have begun, and when
    any_message: bool = False

    def read(self, events: Iterable[dict[str, Any]]) -> Iterator[Sum]:
        """The sums of all events."""
        for event in events:
            data = event.get("data")
            if isinstance(data, dict):
                yield from self._event(str(event.get("type")), event, data)
        yield from self._uncounted(len(self.messages))

    def _event(self, kind: str, event: dict[str, Any], data: dict[str, Any]) -> Iterator[Sum]:
        time = str(event.get("timestamp") or "")
        self.version = _version(data.get("copilotVersion")) or self.version
        if kind == "assistant.message":
            self._message(event, data, time)
        elif kind == "session.shutdown":
            yield from self._shutdown(str(event.get("id") or time), data, time)
        elif kind == "session.resume" or (kind == "session.compaction_complete" and data.get("success") is True):
            self.starts[len(self.messages)] = time
        model = data.get("newModel") or data.get("selectedModel") or data.get("currentModel")
        self.model = str(model or self.model)

    def _message(self, event: dict[str, Any], data: dict[str, Any], time: str) -> None:
        output = data.get("outputTokens")
        name = str(data.get("messageId") or event.get("id") or len(self.messages))
        model = str(data.get("model") or self.model)
        self.messages.append(Message(name, model, time, None if output is None else whole(output)))
        self.any_message = True

    def _shutdown(self, name: str, data: dict[str, Any], time: str) -> Iterator[Sum]:
        now = metrics(data)
        base, start = self._counted(now)
        yield from self._uncounted(start)
        for model, counts in now.items():
            used = _less(counts, base.get(model, {}))
            if any(used.values()):
                yield Sum(f"{name}:{model}", model, self.starts[start], time, used)
        self.before, self.messages, self.starts = now, [], {0: time}

    def _counted(self, now: Metrics) -> tuple[Metrics, int]:
        """What the counters held before this leg, and the first message that they counted."""
        bases: list[Metrics] = [{}, self.before] if self.before and _runs_on(now, self.before) else [{}]
        if not self.any_message:
            return (self.before if len(bases) > 1 and self.version >= RUNS_ON_SINCE else {}), 0
        used = [self._used(now, base) for base in bases]
        after = self._messages_after()
        tried = product(range(len(bases)), sorted(self.starts))
        base, start = min(tried, key=lambda one: (_difference(*used[one[0]], *after[one[1]]), one))
        return bases[base], start

    @staticmethod
    def _used(now: Metrics, base: Metrics) -> tuple[int, int]:
        """The requests and outputs that the counters have beyond a base."""
        used = Counter[str]()
        for model, counts in now.items():
            used.update(_less(counts, base.get(model, {})))
        return used["requests"], used["output"]

    def _messages_after(self) -> list[tuple[int, int | None]]:
        """How many messages there are from each place on, and the sum of their outputs; None where none states one."""
        after: list[tuple[int, int | None]] = [(0, 0)]
        total: int | None = None
        for number, message in enumerate(reversed(self.messages), 1):
            total = total if message.output is None else (total or 0) + message.output
            after.append((number, total))
        return after[::-1]

    def _uncounted(self, end: int) -> Iterator[Sum]:
        """The messages up to `end`, by model: their outputs and number."""
        found: dict[str, list[Message]] = {}
        for message in self.messages[:end]:
            if message.output is not None:
                found.setdefault(message.model, []).append(message)
        for model, messages in found.items():
            outputs = [message.output or 0 for message in messages]
            output = -1 if min(outputs) < 0 else sum(outputs)
            counts = {**dict.fromkeys(COUNTS, 0), "output": output, "requests": len(messages)}
            yield Sum(f"message:{messages[0].id}", model, self.starts[0], messages[-1].time, counts, stated=False)


def _difference(requests: int, output: int, messages: int, stated: int | None) -> int:
    """How far the counters' requests and outputs are from those of the messages."""
    return abs(requests - messages) + (0 if stated is None else abs(output - stated))


def metrics(data: dict[str, Any]) -> Metrics:
    """The counters of a shutdown, by model; its input without what was cached."""
    found = {model: _counts(_dict(one)) for model, one in _dict(data.get("modelMetrics")).items()}
    beyond = whole(data.get("totalNanoAiu")) - sum(max(counts["nano_aiu"], 0) for counts in found.values())
    if beyond > 0:
        found[""] = {**dict.fromkeys(COUNTS, 0), "nano_aiu": beyond}
    return found


def _counts(model: dict[str, Any]) -> Counts:
    usage, details = _dict(model.get("usage")), _dict(model.get("tokenDetails"))
    classes = {name: _dict(details.get(name)).get("tokenCount") for name in DETAILS}
    read = whole(usage.get("cacheReadTokens", classes["cache_read"]))
    write = whole(usage.get("cacheWriteTokens", classes["cache_write"]))
    return {
        "requests": whole(_dict(model.get("requests")).get("count")),
        "input": _uncached(whole(usage.get("inputTokens")), read, write, classes["input"]),
        "cache_read": read,
        "cache_write": write,
        "output": whole(usage.get("outputTokens", classes["output"])),
        "nano_aiu": whole(model.get("totalNanoAiu")),
    }


def _uncached(inputs: int, read: int, write: int, stated: Any) -> int:
    """The input without what was cached: as the details state it, else the rest, unless that cannot be."""
    if stated is not None:
        return whole(stated)
    if min(inputs, read, write) < 0:
        return -1
    return inputs - read - write if inputs >= read + write else inputs


def _less(counts: Counts, base: Counts) -> Counts:
    return {name: -1 if value < 0 else value - base.get(name, 0) for name, value in counts.items()}


def _runs_on(now: Metrics, before: Metrics) -> bool:
    """Whether no counter has fallen."""
    return all(
        model in now and all(now[model][name] >= count >= 0 for name, count in counts.items())
        for model, counts in before.items()
        if model
    )


def _version(text: Any) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d{1,9}", text)[:3]) if isinstance(text, str) else ()


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
