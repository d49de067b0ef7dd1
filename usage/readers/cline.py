"""Cline, Roo Code and Kilo Code: ui_messages.json of a task, a JSON list of what was said.

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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ..fast_json import with_texts
from ..reader import Reader, Sample
from ..unfold import no_objects, whole
from .cline_models import models
from .nested import priced

REQUESTS = {"cline": ("api_req_started", "deleted_api_reqs", "subagent_usage"), "roo": ("api_req_started",)}
STATED = {*REQUESTS["cline"], "api_req_finished"}
COUNTS = ("tokensIn", "tokensOut", "cacheReads", "cacheWrites")
COUNTED = (*COUNTS, "cost")
BEGINNINGS = ("{", "[", '"')  # of JSON that is looked at
NO_COUNTS = (0, 0, 0, 0)

# Cline's providers that hand on OpenAI's prompt_tokens as they are (src/core/api/providers).
INCLUSIVE = {"openai", "litellm", "doubao", "fireworks", "hicap", "lmstudio", "qwen", "xai", "zai"}
# Roo and Kilo: requests of Anthropic's protocol stated their input without cached tokens until Roo 3.29.5.
PROTOCOL_SINCE, TOTALS_SINCE = 1_751_328_000_000, 1_761_955_200_000  # 2025-07-01, 2025-11-01, in ms

NO_INFO: dict[str, Any] = {}

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

COLUMNS = {
    "call": """STRUCT(id VARCHAR, session VARCHAR, tool VARCHAR, provider VARCHAR, model VARCHAR, "time" VARCHAR,
        status VARCHAR, aggregated BOOLEAN, requests BIGINT, input BIGINT, cache_read BIGINT, cache_write BIGINT,
        "output" BIGINT, cost VARCHAR, "mode" VARCHAR, via VARCHAR)""",
}

SQL = f"""
SELECT file_id, line,
    call.id AS event_id,
    utc_epoch(call."time") AS ts,
    call.session AS session,
    call.provider AS provider,
    call.model AS model,
    call.status AS status,
    call.aggregated AS aggregated,
    call.input AS input,
    call.cache_read AS cache_read,
    call.cache_write AS cache_write_5m,
    call."output" AS output,
    call.requests AS request,
    {priced("call.cost")} AS recorded_usd,
    json_object('tool', call.tool, 'mode', call."mode", 'via', call.via) AS tags
FROM record WHERE call IS NOT NULL
"""  # noqa: S608 (constants only)


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str]:
    """The messages as they stand, those that have usage with their call; and what stands where usage is expected."""
    found, read = with_texts(content.read_bytes())
    listed = found if isinstance(found, list) else [found]
    messages = [item for item in listed if isinstance(item, dict)]
    task = _Task(messages, file, read)
    for message, said, usage, counts in zip(messages, task.said, task.usages, task.counts, strict=True):
        if call := task.call(message, said, usage, counts):
            message["call"] = call
        elif usage is None:
            yield from _passed_over(message, read)
        yield _without_words(message)
    if len(messages) < len(listed):
        yield from no_objects(*listed)


def _without_words(message: dict[str, Any]) -> dict[str, Any]:
    """A message without what was asked and said: most of its bytes, and nothing that is read of it."""
    text = message.get("text")
    if isinstance(text, str) and text.lstrip()[:1] not in (*BEGINNINGS, "d"):  # "data: {…" of a stream
        message["text"] = ""
    return message


def _passed_over(message: dict[str, Any], read: Callable[[str], Any]) -> Iterator[str]:
    """What a message states where usage is expected, and is no object; counts of another kind of message are named."""
    text, stated = message.get("text"), _said(message) in STATED
    yield from _elsewhere(message)
    if stated:
        yield from no_objects([text] if isinstance(text, dict) else _value(text, read))
    elif isinstance(text, str) and text[:1] == "{" and '"tokensIn"' in text:
        message["uncounted"] = {name: count for name, count in _object(text, read).items() if name in COUNTED}
    yield from no_objects(message.get("contextCondense"))
    if message.get("ask") == "tool" and "fastApplyResult" in str(text):
        yield from no_objects(_object(text, read).get("fastApplyResult"))


def _elsewhere(message: dict[str, Any]) -> Iterator[str]:
    """What has counts in a message under another name than its text's, or a level down."""
    others = (str(value) for key, value in message.items() if key != "text")
    yield from (other for other in others if other[:1] in ("{", "[") and "tokensIn" in other)


class _Task:
    """A task's messages, and what its files say of tool and model."""

    def __init__(self, messages: Sequence[dict[str, Any]], file: Path, read: Callable[[str], Any]) -> None:
        self.session = file.parent.name
        self.first = messages[0].get("ts") if messages else None
        self.read = read
        self.said = [_said(message) for message in messages]
        self.usages = [
            self._stated(message) if said in STATED else None for message, said in zip(messages, self.said, strict=True)
        ]
        self.tool = _tool(file, messages, [usage for usage in self.usages if usage])
        self.listed = REQUESTS.get(self.tool, REQUESTS["roo"])
        self.models = models(file)
        self.times = [time for time, _, _ in self.models]
        self.seen: dict[str, int] = {}
        _joined(self.said, self.usages)
        self.counts = [_counts(usage) if usage else NO_COUNTS for usage in self.usages]
        # the counts of no request can be a part of its input: then no request's are
        self.beside = any(
            max(reads, 0) + max(writes, 0) > inputs >= 0 and usage is not None and usage.get("tokensIn") is not None
            for (inputs, _, reads, writes), usage in zip(self.counts, self.usages, strict=True)
        )

    def _stated(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """The usage in a message's text, which stands there as an object from now on."""
        usage = _object(message.get("text"), self.read)
        if usage:
            message["text"] = {name: value for name, value in usage.items() if name != "request"}
        return usage or None

    def call(
        self, message: dict[str, Any], said: str, usage: dict[str, Any] | None, counts: tuple[int, ...]
    ) -> dict[str, Any] | None:
        """What a message counts; None where it has no usage."""
        if message.get("ask") == "tool":
            return self._fast_applied(message)
        if usage is None or message.get("type") != "say":
            return self._condensed(message) if said == "condense_context" and self.tool != "cline" else None
        request = said == "api_req_started"
        cost = usage.get("cost")
        if said not in self.listed or not (cost or any(counts) or (request and _ended(usage))):
            return None
        time, info = message.get("ts"), _info(message)
        provider, model = self._model(info, time)
        return {
            "id": self._name(time, said),
            "session": self.session,
            "tool": self.tool,
            "time": time,
            "mode": info.get("mode"),
            "provider": PROVIDERS.get(provider or "", provider),
            "model": model,
            "status": _status(usage),
            "aggregated": not request,
            "requests": int(request),
            "input": self._input(counts, usage, provider, time),
            "cache_read": counts[2],
            "cache_write": counts[3],
            "output": counts[1],
            "cost": cost,
            "via": usage.get("inferenceProvider"),
        }

    def _fast_applied(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """A model of its own that Kilo asked to apply an edit; it is not named."""
        applied = _object(message.get("text"), self.read).get("fastApplyResult")
        if not isinstance(applied, dict) or not (applied.get("tokensIn") or applied.get("cost")):
            return None
        counts = {"input": whole(applied.get("tokensIn")), "output": whole(applied.get("tokensOut"))}
        return {**self._head(message), **counts, "status": "ok", "requests": 1, "cost": applied.get("cost")}

    def _condensed(self, message: dict[str, Any]) -> dict[str, Any] | None:
        condensed = message.get("contextCondense")
        cost = condensed.get("cost") if isinstance(condensed, dict) else None
        if not cost:
            return None
        provider, model = self._model(_info(message), message.get("ts"))
        head = {**self._head(message), "provider": PROVIDERS.get(provider or "", provider), "model": model}
        return {**head, "status": "ok", "aggregated": True, "requests": 1, "cost": cost}

    def _head(self, message: dict[str, Any]) -> dict[str, Any]:
        """Who and when."""
        time, mode = message.get("ts"), _info(message).get("mode")
        name = self._name(time, _said(message) or message.get("ask"))
        return {"id": name, "session": self.session, "tool": self.tool, "time": time, "mode": mode}

    def _name(self, time: Any, kind: Any) -> str:
        """A call's id. The task's first time and the message's are the same in every copy of a task."""
        named = f"cline:{self.first}:{time}:{kind}"
        self.seen[named] = number = self.seen.get(named, 0) + 1
        return named if number == 1 else f"{named}:{number}"

    def _model(self, info: dict[str, Any], time: Any) -> tuple[str | None, str | None]:
        """The provider and model of a request: its own, else what the files beside said last."""
        if model := info.get("modelId"):
            provider = info.get("providerId")
            return provider if isinstance(provider, str) else None, model
        place = bisect_right(self.times, time if isinstance(time, int | float) else 0)
        return self.models[max(place - 1, 0)][1:] if self.models else (None, None)

    def _input(self, counts: tuple[int, ...], usage: dict[str, Any], provider: str | None, time: Any) -> int:
        inputs, output, reads, writes = counts
        cached = reads + writes
        if inputs < 0 or output < 0 or reads < 0 or writes < 0:
            return -1
        if not cached or self.beside or inputs < cached:
            return inputs
        return inputs - cached if includes_cached(self.tool, provider, usage.get("apiProtocol"), time) else inputs


def includes_cached(tool: str, provider: str | None, protocol: Any, time: Any) -> bool:
    """Whether `tokensIn` includes cached tokens, by who wrote it; `time` in ms.

    Cline writes them beside, but for providers that hand on OpenAI's count. Roo and Kilo write the total; between the
    versions that began to write `apiProtocol` and 3.29.5, only for those that are not of Anthropic's protocol.
    """
    if tool == "cline":
        return provider in INCLUSIVE
    between = isinstance(time, int | float) and PROTOCOL_SINCE <= time < TOTALS_SINCE
    return not (between and protocol == "anthropic")


def _object(text: Any, read: Callable[[str], Any]) -> dict[str, Any]:
    """The object in a text; empty where there is none."""
    found = _value(text, read)
    return found if isinstance(found, dict) and found is not text else {}


def _value(text: Any, read: Callable[[str], Any]) -> Any:
    """What JSON in a text states; the text where it is none; nothing where it is words."""
    if not isinstance(text, str):
        return text
    if text[:1] not in BEGINNINGS and text.lstrip()[:1] not in BEGINNINGS:
        return None
    try:
        return read(text)
    except (ValueError, RecursionError):
        return text


def _counts(usage: dict[str, Any]) -> tuple[int, ...]:
    """The counts of a request, in the order of COUNTS."""
    get = usage.get
    return whole(get("tokensIn")), whole(get("tokensOut")), whole(get("cacheReads")), whole(get("cacheWrites"))


def _joined(kinds: Sequence[str], usages: Sequence[dict[str, Any] | None]) -> None:
    """Older versions wrote a request's counts in an `api_req_finished` of its own: they belong to the request."""
    begun: dict[str, Any] | None = None
    for said, usage in zip(kinds, usages, strict=True):
        if said == "api_req_started":
            begun = usage
        elif said == "api_req_finished" and usage and begun is not None and "tokensIn" not in begun:
            begun.update(usage)


def _said(message: dict[str, Any]) -> str:
    """The kind of a message; "" where it states none."""
    said = message.get("say")
    return said if isinstance(said, str) else ""


def _info(message: dict[str, Any]) -> dict[str, Any]:
    """What a message states of its model."""
    info = message.get("modelInfo")
    return info if isinstance(info, dict) else NO_INFO


def _ended(usage: dict[str, Any]) -> bool:
    """Whether a request without counts is over: it failed, or counts of 0 stand there."""
    return bool(usage.get("cancelReason") or usage.get("streamingFailedMessage")) or "tokensIn" in usage


def _status(usage: dict[str, Any]) -> str:
    reason = usage.get("cancelReason")
    if not reason:
        return "ok"
    return "cancelled" if reason == "user_cancelled" else "error"


def _tool(file: Path, messages: Sequence[dict[str, Any]], usages: Any) -> str:
    """The tool that wrote a task: by the extension's folder, else by fields that only it writes."""
    for name, part in (("roo", "roo-cline"), ("kilo", "kilo-code"), ("cline", "claude-dev")):
        if any(part in folder for folder in file.parts):
            return name
    if any("inferenceProvider" in usage or "usageMissing" in usage for usage in usages):
        return "kilo"
    if any("modelInfo" in message or "conversationHistoryIndex" in message for message in messages):
        return "cline"
    condenses = any(_said(message) == "condense_context" for message in messages)
    return "roo" if any("apiProtocol" in usage for usage in usages) or condenses else "cline"


def recognises(sample: Sample) -> bool:
    """Messages with their kinds, one of them about a request."""
    kinds = {"api_req_started", "api_req_finished", "api_req_retried", "condense_context", "checkpoint_created"}
    said = {said for said in sample.values("say") if isinstance(said, str)}
    return sample.layout == "json" and sample.has("ts", "type", "say") and bool(kinds & said)


FAST_APPLY = tuple(f"text.fastApplyResult.{name}" for name in ("tokensIn", "tokensOut", "cost"))

READER = Reader(
    name="cline",
    origin="agent",
    doc="https://docs.cline.bot/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    own_tags=True,
    unfold=unfold,
    counted=(*(f"text.{name}" for name in COUNTS), "text.cost", "contextCondense.cost", *FAST_APPLY),
    own=("call",),
    left_out={
        **dict.fromkeys(
            (f"contextCondense.{name}ContextTokens" for name in ("prev", "new")), "not billed: the size of the context"
        ),
        "text.request": "what was asked",
        "text.contextWindow": "not billed: the size of the context",
        "text.contextUsagePercentage": "not billed: the size of the context",
        "contextTruncation": "not billed: the size of the context",
        "conversationHistoryIndex": "a name, no count",
    },
    unique_by="the task's first time, the message's time and its kind",
    sample="real: Cline 2025-10 and 2026-01, Roo Code 2026-08",
    kept_at="VS Code's globalStorage/{saoudrizwan.claude-dev,rooveterinaryinc.roo-cline,kilocode.kilo-code}/tasks/*/, "
    "~/.cline/data/tasks/*/ (CLINE_DIR)",
    undercounts="tokens of Roo's and Kilo's condensing (its cost is counted); reasoning that a provider bills beside",
    no_call="a task without a finished request",
)
