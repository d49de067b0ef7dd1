"""Amp threads: one JSON document each, usage in its messages.

https://ampcode.com/manual: `inputTokens` excludes cache. `usageLedger.events` repeats the same usage or a part of
it, so it is left out. Credits are not USD.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..fast_json import parsed
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
    'amp:' || nullif(thread, '') || ':' || place AS event_id,
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
    head: dict[str, Any] = {"of_thread": _but(thread, "messages", "usageLedger")}
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
                   "message": _but(message, "usage", "content"), **head}  # fmt: skip
            head = {}
            yield from no_objects(message.get("usage"))
        else:
            yield from no_objects(message)
    if head:
        yield head


def _but(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    """An object without some keys: texts, and what is counted or repeated."""
    return {key: item for key, item in value.items() if key not in keys}


def recognises(sample: Sample) -> bool:
    """A thread with usage in its messages."""
    return sample.layout in ("json", "ndjson") and sample.has(
        "id", "created", "messages.usage.inputTokens", "messages.messageId"
    )


READER = Reader(
    name="amp",
    doc="https://ampcode.com/manual",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    own_tags=True,
    unfold=unfold,
    counted=tuple(
        f"usage.{name}" for name in ("inputTokens", "outputTokens", "cacheCreationInputTokens", "cacheReadInputTokens")
    ),
    left_out={"usage.totalInputTokens": "the sum", "usage.credits": "not USD; kept as a tag"},
    unique_by="the thread's id and the message's",
    kept_at="~/.local/share/amp/threads",
    no_call="a thread with no usage",
    sample="made: on the real shape of 2026",
)
