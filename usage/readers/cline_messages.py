"""What Cline, Roo Code and Kilo Code state in the messages of a task, as far as calls are made of it.

A task whose messages have nothing but fields that are known, of which none but `text` can hold usage, is decoded into
types of these: several times as fast as to look at every field. Any other is read field by field into the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ..unfold import whole

STATED = {"api_req_started", "deleted_api_reqs", "subagent_usage", "api_req_finished"}
COUNTS = ("tokensIn", "tokensOut", "cacheReads", "cacheWrites")
BEGINNINGS = ("{", "[", '"')  # of JSON that is looked at

Read = Callable[[str], Any]
Count = Annotated[int, Meta(ge=0, lt=2**60)]
Word = Annotated[str, Meta(pattern=r"\A[A-Za-z]")]  # neither a number nor JSON
NoJson = Annotated[str, Meta(pattern=r"\A(?![\[{])")]
Nothing = Annotated[list[str], Meta(max_length=0)]


class Info(Struct, gc=False):
    """What a message states of its model."""

    providerId: Any = None
    modelId: Any = None
    mode: Any = None


class RequestUsage(Struct, gc=False):
    """What the text of a message states of requests; a count is -1 where it is no whole number."""

    tokensIn: int | UnsetType | None = UNSET
    tokensOut: int | UnsetType | None = UNSET
    cacheReads: int | UnsetType | None = UNSET
    cacheWrites: int | UnsetType | None = UNSET
    cost: Any = UNSET
    cancelReason: Any = UNSET
    streamingFailedMessage: Any = UNSET
    apiProtocol: Any = UNSET
    inferenceProvider: Any = UNSET
    usageMissing: Any = UNSET

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """In the order of COUNTS."""
        return self.tokensIn or 0, self.tokensOut or 0, self.cacheReads or 0, self.cacheWrites or 0

    @property
    def is_beside(self) -> bool:
        """Whether the cached tokens cannot be a part of the input."""
        cached = max(self.cacheReads or 0, 0) + max(self.cacheWrites or 0, 0)
        return isinstance(self.tokensIn, int) and cached > self.tokensIn >= 0

    def add(self, other: RequestUsage) -> None:
        """Take over what another one states."""
        for name in RequestUsage.__struct_fields__:
            if (value := getattr(other, name)) is not UNSET:
                setattr(self, name, value)


class TaskMessage(Struct, gc=False):
    """A message; `say` is "" where it is no text."""

    ts: Any = None
    type: Any = None
    say: str = ""
    ask: Any = None
    text: Any = None
    modelInfo: Info | UnsetType | None = UNSET
    contextCondense: Any = None
    conversationHistoryIndex: Any = UNSET


class _PlainInfo(Info, gc=False, forbid_unknown_fields=True):
    providerId: str = ""
    modelId: str = ""
    mode: str | None = None


class _Truncation(Struct, gc=False, forbid_unknown_fields=True):
    """What was left out of the context: nothing that is billed."""

    truncationId: NoJson | UnsetType = UNSET
    messagesRemoved: Count | UnsetType = UNSET
    prevContextTokens: Count | UnsetType = UNSET
    newContextTokens: Count | UnsetType = UNSET


class _PlainUsage(RequestUsage, gc=False, forbid_unknown_fields=True):
    """A usage of which nothing else is to be seen."""

    tokensIn: Count | UnsetType = UNSET
    tokensOut: Count | UnsetType = UNSET
    cacheReads: Count | UnsetType = UNSET
    cacheWrites: Count | UnsetType = UNSET
    cost: Count | float | UnsetType = UNSET
    cancelReason: Literal["user_cancelled", "streaming_failed", "retries_exhausted"] | UnsetType = UNSET
    streamingFailedMessage: Word | UnsetType = UNSET
    apiProtocol: Literal["anthropic", "openai"] | UnsetType = UNSET
    inferenceProvider: Word | UnsetType = UNSET
    usageMissing: bool | UnsetType = UNSET
    source: Literal["subagents"] | UnsetType = UNSET
    request: str | UnsetType = UNSET


class PlainMessage(TaskMessage, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A message whose fields are known."""

    ts: Count
    type: str
    say: str = ""
    ask: str | None = None
    text: str | None = None
    modelInfo: _PlainInfo | UnsetType = UNSET
    contextCondense: None = None
    conversationHistoryIndex: int | UnsetType = UNSET
    contextTruncation: _Truncation | UnsetType = UNSET
    conversationHistoryDeletedRange: tuple[int, int] | UnsetType = UNSET
    partial: bool | UnsetType = UNSET
    images: Nothing | UnsetType = UNSET
    files: Nothing | UnsetType = UNSET
    reasoning: NoJson | UnsetType = UNSET
    lastCheckpointHash: NoJson | UnsetType = UNSET
    isCheckpointCheckedOut: bool | UnsetType = UNSET
    isOperationOutsideWorkspace: bool | UnsetType = UNSET
    commandCompleted: bool | UnsetType = UNSET
    isAnswered: bool | UnsetType = UNSET
    isProtected: bool | UnsetType = UNSET

    @property
    def is_silent(self) -> bool:
        """Whether nothing in it can be usage, where its text states none of requests."""
        info = self.modelInfo or _NO_INFO
        words = (self.type, self.say, self.ask, info.providerId, info.modelId, info.mode)
        return not may_be_json(self.text) and not any(word and "tokensIn" in word for word in words)


_NO_INFO = _PlainInfo()
_NO_USAGE = _PlainUsage()
_messages = msgspec.json.Decoder(list[PlainMessage]).decode
_usage = msgspec.json.Decoder(_PlainUsage).decode
_usages = msgspec.json.Decoder(_PlainUsage).decode_lines


def plain_messages(document: bytes) -> list[PlainMessage] | None:
    """The messages of a task; None where one has a field that is not known, or another value than is expected."""
    try:
        return _messages(document)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def plain_usages(messages: Sequence[PlainMessage]) -> list[RequestUsage | None]:
    """What each message states of requests, if it is one that does, and states nothing else."""
    texts = [message.text or "" for message in messages if message.say in STATED]
    found = iter(_all_usages(texts))
    return [next(found) if message.say in STATED else None for message in messages]


def _all_usages(texts: list[str]) -> Sequence[RequestUsage | None]:
    lines = "\n".join(texts)
    if lines.count("\n") < len(texts):
        try:
            found = _usages(lines)
        except (msgspec.DecodeError, UnicodeError):
            found = []
        if len(found) == len(texts) and _NO_USAGE not in found:
            return found
    return list(map(_one_usage, texts))


def _one_usage(text: str) -> RequestUsage | None:
    try:
        found = _usage(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return found if found != _NO_USAGE else None


def stated_message(message: dict[str, Any]) -> TaskMessage:
    """A message of any fields."""
    info, say = message.get("modelInfo", UNSET), message.get("say")
    if isinstance(info, dict):
        info = Info(info.get("providerId"), info.get("modelId"), info.get("mode"))
    return TaskMessage(
        message.get("ts"),
        message.get("type"),
        say if isinstance(say, str) else "",
        message.get("ask"),
        message.get("text"),
        info if isinstance(info, Info) or info is UNSET else None,
        message.get("contextCondense"),
        message.get("conversationHistoryIndex", UNSET),
    )


def stated_usage(usage: dict[str, Any]) -> RequestUsage | None:
    """A usage of any fields; None of an empty one."""
    if not usage:
        return None
    given = {name: usage[name] for name in RequestUsage.__struct_fields__ if name in usage}
    return RequestUsage(
        **{name: whole(value) if name in COUNTS and value is not None else value for name, value in given.items()}
    )


def json_object(text: Any, read: Read) -> dict[str, Any]:
    """The object in a text; empty where there is none."""
    found = json_value(text, read)
    return found if isinstance(found, dict) and found is not text else {}


def json_value(text: Any, read: Read) -> Any:
    """What JSON in a text states; the text where it is none; nothing where it is words."""
    if not isinstance(text, str):
        return text
    if text[:1] not in BEGINNINGS and text.lstrip()[:1] not in BEGINNINGS:
        return None
    try:
        return read(text)
    except (ValueError, RecursionError):
        return text


def may_be_json(text: str | None) -> bool:
    """Whether JSON in a text is looked at: an event of a stream too, `data: {`."""
    return text is not None and text.lstrip()[:1] in (*BEGINNINGS, "d")
