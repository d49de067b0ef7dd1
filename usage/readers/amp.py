"""Amp threads: one JSON document each, usage in its messages.

https://ampcode.com/manual: `inputTokens` excludes cache. `usageLedger.events` repeats the messages' usage or a part of
it; an event that no message states (a tool that asked a model, such as the oracle) is a call of its own. Credits are
not USD.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..members import but
from ..reader import Reader, Sample
from ..unfold import no_objects

COLUMNS = {
    "thread": "VARCHAR",
    "created": "VARCHAR",
    "place": "VARCHAR",
    "usage": """STRUCT(model VARCHAR, inputTokens BIGINT, outputTokens BIGINT, cacheCreationInputTokens BIGINT,
        cacheReadInputTokens BIGINT, totalInputTokens HUGEINT, "timestamp" VARCHAR, credits VARCHAR)""",
}

SQL = """
SELECT file_id, line,
    'amp:' || concat_ws(':', CASE WHEN usage."timestamp" <> '' THEN concat_ws(':', usage."timestamp", usage.model,
        usage.inputTokens, usage.cacheReadInputTokens, usage.outputTokens) ELSE nullif(thread, '') END, place)
        AS event_id,
    coalesce(utc(usage."timestamp"), utc_epoch(created)) AS ts,
    thread AS session,
    usage.model AS model,
    usage.inputTokens AS input,
    usage.cacheReadInputTokens AS cache_read,
    usage.cacheCreationInputTokens AS cache_write_5m,
    usage.outputTokens AS output,
    usage.totalInputTokens::HUGEINT + usage.outputTokens AS stated_total,
    json_object('credits', usage.credits) AS tags
FROM record WHERE usage IS NOT NULL
"""


_OF_MESSAGE = r"regexp_extract({}.event_id, '([^:]*)(:ledger:[^:]*)?$', 1)"
REPEATED = f"""
now.session = before.session AND contains(now.event_id, ':ledger:') <> contains(before.event_id, ':ledger:')
    AND ({_OF_MESSAGE.format("now")} = {_OF_MESSAGE.format("before")}
        OR (now.model, now.input, now.output) = (before.model, before.input, before.output))
"""
"""A message and its event of the ledger are one call, whichever of them stated it first."""

_PLACE = r"regexp_extract({}.event_id, '[^:]*(:ledger:[^:]*)?$')"
_NUMBERED = r"regexp_extract({}.event_id, '(#|:ledger:)\d*$', 1)"
_TIMELESS = "starts_with({0}.event_id, 'amp:' || {0}.session || ':')"
CONTINUED = f"""
now.session = before.session AND {_NUMBERED.format("now")} = {_NUMBERED.format("before")}
    AND CASE WHEN {_NUMBERED.format("now")} = '' OR {_TIMELESS.format("now")} OR {_TIMELESS.format("before")}
        THEN {_PLACE.format("now")} = {_PLACE.format("before")} ELSE now.ts = before.ts END
"""
"""A message that is still answered has other figures in the next state of its thread. The figures are a part of its id
because a fork has the message under another thread. What has a number for an id has another number once something
before it is deleted: there the time decides."""

LEDGER = {
    "input": "inputTokens",
    "output": "outputTokens",
    "cacheCreationInputTokens": "cacheCreationInputTokens",
    "cacheReadInputTokens": "cacheReadInputTokens",
}
"""The tokens of a ledger's event, and what a message calls them."""

WITHOUT_USAGE = {"role", "messageId", "content"}
"""The keys of a message that is nothing but text."""


def unfold(content: Path, _file: Path) -> Iterator[dict[str, Any] | str]:
    """The messages of a thread or a list of threads, with what they and the threads state but texts.

    Messages without usage too: what they have in another form, or under another name, is looked at.
    """
    found = parsed(content.read_bytes())
    for thread in found if isinstance(found, list) else [found]:
        if isinstance(thread, dict):
            yield from _messages(thread)
        else:
            yield from no_objects(thread)


def _messages(thread: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    messages = thread.get("messages")
    head: dict[str, Any] = {"of_thread": but(thread, "messages", "usageLedger")}
    if not isinstance(messages, list):
        yield {**head, "usage_in_messages": messages}
        return
    stated = {"thread": thread.get("id"), "created": thread.get("created")}
    for number, message in enumerate(messages):
        if isinstance(message, dict):
            if message.keys() <= WITHOUT_USAGE:
                continue
            place = str(message.get("messageId", f"#{number}"))
            yield {**stated, "place": place, "usage": message.get("usage"),
                   "message": but(message, "usage", "content"), **head}  # fmt: skip
            head = {}
            yield from no_objects(message.get("usage"))
        else:
            yield from no_objects(message)
    for event, usage, others in _beyond(thread.get("usageLedger"), [m for m in messages if isinstance(m, dict)]):
        yield {**stated, "place": event, "usage": usage, "tokens": others, **head}
        head = {}
    if head:
        yield head


def _beyond(ledger: Any, messages: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """What the ledger has and no message states: its place, the usage as in a message, other tokens.

    The place is the message that it is of, then its id, else its number.
    """
    events = ledger.get("events") if isinstance(ledger, dict) else None
    if not isinstance(events, list) or not events:
        return
    stated = [m for m in messages if isinstance(m.get("usage"), dict)]
    ids = {str(message["messageId"]) for message in stated if message.get("messageId") is not None}
    left = Counter(_figures(message["usage"]) for message in stated)
    for number, event in enumerate(events):
        if not isinstance(event, dict) or not isinstance(event.get("tokens"), dict):
            continue
        usage = {
            **{key: event.get(key) for key in ("model", "timestamp", "credits")},
            **{name: event["tokens"].get(key) for key, name in LEDGER.items()},
        }
        if str(event.get("toMessageId")) in ids:
            continue
        if left[_figures(usage)] > 0:
            left[_figures(usage)] -= 1
        else:
            message = "" if event.get("toMessageId") is None else event["toMessageId"]
            place = f"{message}:ledger:{event.get('id') or number}"
            yield place, usage, but(event["tokens"], *LEDGER, "total")


def _figures(usage: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(usage.get(name) or 0) for name in ("model", "inputTokens", "outputTokens"))


def recognises(sample: Sample) -> bool:
    """A thread with usage in its messages, or in its ledger alone."""
    return sample.layout in ("json", "ndjson") and (
        sample.has("id", "created", "messages.usage.inputTokens", "messages.messageId")
        or sample.has("id", "created", "messages.messageId", "usageLedger.events.tokens.input")
    )


READER = Reader(
    name="amp",
    origin="agent",
    doc="https://ampcode.com/manual",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    own_tags=True,
    unfold=unfold,
    replaced=(REPEATED, CONTINUED),
    counted=tuple(
        f"usage.{name}" for name in ("inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")
    ),
    left_out={
        "usage.totalInputTokens": "the sum",
        "usage.credits": "not USD; kept as a tag",
        "usage.maxInputTokens": "the size of a model's context",
    },
    unique_by="the message's id with its time and figures, else with the thread's; in its thread the id alone",
    kept_at="~/.local/share/amp/threads",
    no_call="a thread with no usage",
    sample="made: on the real shape of 2026",
)
