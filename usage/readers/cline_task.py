"""The calls of a task of Cline, Roo Code or Kilo Code: what each message counts, by whoever wrote it.

https://github.com/cline/cline (src/shared/getApiMetrics.ts), https://github.com/RooCodeInc/Roo-Code
(packages/core/src/message-utils), https://github.com/Kilo-Org/kilocode (src/shared): `api_req_started` is one request,
its `text` is JSON and is rewritten in place; for Cline, `deleted_api_reqs` and `subagent_usage` are sums of others; for
Roo and Kilo, `condense_context` has a cost alone, and what Kilo's tool states as `fastApplyResult` is a call of another
model, which is not named. Whether `tokensIn` includes cached tokens depends on the tool, the provider and the time: see
`includes_cached`. The model stands in `modelInfo`, else in the files beside. Cost is USD, from the price that the tool
knows; 0 means that it knows none.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import UNSET, Struct

from ..file_names import shown
from ..unfold import whole
from .cline_messages import Info, Read, RequestUsage, TaskMessage, json_object
from .cline_models import models

REQUESTS = {"cline": ("api_req_started", "deleted_api_reqs", "subagent_usage"), "roo": ("api_req_started",)}
NO_INFO = Info()

# Cline's providers that hand on OpenAI's prompt_tokens as they are (src/core/api/providers).
INCLUSIVE = {"openai", "litellm", "doubao", "fireworks", "hicap", "lmstudio", "qwen", "xai", "zai"}
# Roo and Kilo: requests of Anthropic's protocol stated their input without cached tokens until Roo 3.29.5.
PROTOCOL_SINCE, TOTALS_SINCE = 1_751_328_000_000, 1_761_955_200_000  # 2025-07-01, 2025-11-01, in ms

PROVIDERS = {
    "cline": "openrouter",
    "kilocode": "openrouter",
    "gemini": "google",
    "openai-native": "openai",
    "openai-codex": "openai",
    "bedrock": "aws",
    "vertex": "google",
    "claude-code": "anthropic",
}


class TaskCall(Struct, gc=False, omit_defaults=True):
    """A call, as it is written for the reader's SQL, which takes what is left out for the default."""

    id: str
    session: str
    tool: str
    time: Any
    mode: Any = None
    provider: Any = None
    model: Any = None
    status: str = "ok"
    aggregated: bool = False
    requests: int = 0
    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0
    cost: Any = UNSET
    via: Any = UNSET


class ClineTask:
    """A task's messages with their usages, and what its files say of tool and model."""

    def __init__(
        self, messages: Sequence[TaskMessage], usages: Sequence[RequestUsage | None], file: Path, read: Read
    ) -> None:
        self.session = shown(file.parent.name)
        self.first = messages[0].ts if messages else None
        self.read = read
        self.tool = _tool(file, messages, [usage for usage in usages if usage])
        self.listed = REQUESTS.get(self.tool, REQUESTS["roo"])
        self.models = models(file)
        self.times = [time for time, _, _ in self.models]
        self.seen: dict[str, int] = {}
        _joined(messages, usages)
        # the counts of no request can be a part of its input: then no request's are
        self.beside = any(usage.is_beside for usage in usages if usage)

    def call(self, message: TaskMessage, usage: RequestUsage | None) -> TaskCall | None:
        """What a message counts; None where it has no usage."""
        if message.ask == "tool":
            return self._fast_applied(message) if message.text and usage is None else None
        said = message.say
        if usage is None or message.type != "say":
            return self._condensed(message) if said == "condense_context" and self.tool != "cline" else None
        request, counts = said == "api_req_started", usage.counts
        if said not in self.listed or not (usage.cost or any(counts) or (request and _ended(usage))):
            return None
        time, info = message.ts, message.modelInfo or NO_INFO
        provider, model = self._model(info, time)
        return TaskCall(
            self._name(time, said),
            self.session,
            self.tool,
            time,
            info.mode,
            PROVIDERS.get(provider or "", provider),
            model,
            _status(usage),
            not request,
            int(request),
            self._input(counts, usage, provider, time),
            counts[2],
            counts[3],
            counts[1],
            usage.cost,
            usage.inferenceProvider,
        )

    def _fast_applied(self, message: TaskMessage) -> TaskCall | None:
        """A model of its own that Kilo asked to apply an edit; it is not named."""
        applied = json_object(message.text, self.read).get("fastApplyResult")
        if not isinstance(applied, dict) or not (applied.get("tokensIn") or applied.get("cost")):
            return None
        inputs, outputs = whole(applied.get("tokensIn")), whole(applied.get("tokensOut"))
        return TaskCall(*self._head(message), requests=1, input=inputs, output=outputs, cost=applied.get("cost"))

    def _condensed(self, message: TaskMessage) -> TaskCall | None:
        condensed = message.contextCondense
        cost = condensed.get("cost") if isinstance(condensed, dict) else None
        if not cost:
            return None
        provider, model = self._model(message.modelInfo or NO_INFO, message.ts)
        of_model = PROVIDERS.get(provider or "", provider), model
        return TaskCall(*self._head(message), *of_model, aggregated=True, requests=1, cost=cost)

    def _head(self, message: TaskMessage) -> tuple[str, str, str, Any, Any]:
        """Who and when, as the beginning of a call."""
        mode = (message.modelInfo or NO_INFO).mode
        return self._name(message.ts, message.say or message.ask), self.session, self.tool, message.ts, mode

    def _name(self, time: Any, kind: Any) -> str:
        """A call's id. The task's first time and the message's are the same in every copy of a task."""
        named = f"cline:{self.first}:{time}:{kind}"
        self.seen[named] = number = self.seen.get(named, 0) + 1
        return named if number == 1 else f"{named}:{number}"

    def _model(self, info: Info, time: Any) -> tuple[str | None, str | None]:
        """The provider and model of a request: its own, else what the files beside said last."""
        if model := info.modelId:
            provider = info.providerId
            return provider if isinstance(provider, str) else None, model
        place = bisect_right(self.times, time if isinstance(time, int | float) else 0)
        return self.models[max(place - 1, 0)][1:] if self.models else (None, None)

    def _input(self, counts: tuple[int, ...], usage: RequestUsage, provider: str | None, time: Any) -> int:
        inputs, output, reads, writes = counts
        cached = reads + writes
        if inputs < 0 or output < 0 or reads < 0 or writes < 0:
            return -1
        if not cached or self.beside or inputs < cached:
            return inputs
        return inputs - cached if includes_cached(self.tool, provider, usage.apiProtocol, time) else inputs


def includes_cached(tool: str, provider: str | None, protocol: Any, time: Any) -> bool:
    """Whether `tokensIn` includes cached tokens, by who wrote it; `time` in ms.

    Cline writes them beside, but for providers that hand on OpenAI's count. Roo and Kilo write the total; between the
    versions that began to write `apiProtocol` and 3.29.5, only for those that are not of Anthropic's protocol.
    """
    if tool == "cline":
        return provider in INCLUSIVE
    between = isinstance(time, int | float) and PROTOCOL_SINCE <= time < TOTALS_SINCE
    return not (between and protocol == "anthropic")


def _joined(messages: Sequence[TaskMessage], usages: Sequence[RequestUsage | None]) -> None:
    """Older versions wrote a request's counts in an `api_req_finished` of its own: they belong to the request."""
    begun: RequestUsage | None = None
    for message, usage in zip(messages, usages, strict=True):
        if message.say == "api_req_started":
            begun = usage
        elif message.say == "api_req_finished" and usage and begun is not None and begun.tokensIn is UNSET:
            begun.add(usage)


def _ended(usage: RequestUsage) -> bool:
    """Whether a request without counts is over: it failed, or counts of 0 stand there."""
    return bool(usage.cancelReason or usage.streamingFailedMessage) or usage.tokensIn is not UNSET


def _status(usage: RequestUsage) -> str:
    reason = usage.cancelReason
    if not reason:
        return "ok"
    return "cancelled" if reason == "user_cancelled" else "error"


def _tool(file: Path, messages: Sequence[TaskMessage], usages: Sequence[RequestUsage]) -> str:
    """The tool that wrote a task: by the extension's folder, else by fields that only it writes."""
    for name, part in (("roo", "roo-cline"), ("kilo", "kilo-code"), ("cline", "claude-dev")):
        if any(part in folder for folder in file.parts):
            return name
    if any(usage.inferenceProvider is not UNSET or usage.usageMissing is not UNSET for usage in usages):
        return "kilo"
    if any(message.modelInfo is not UNSET or message.conversationHistoryIndex is not UNSET for message in messages):
        return "cline"
    condenses = any(message.say == "condense_context" for message in messages)
    return "roo" if any(usage.apiProtocol is not UNSET for usage in usages) or condenses else "cline"
