"""Cline, Roo Code and Kilo Code: ui_messages.json of a task, a JSON list of what was said.

Which messages are calls, and what each counts, is what `cline_task` knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..fast_json import parsed, with_texts
from ..reader import Reader, Sample
from ..unfold import no_objects
from .cline_messages import (
    COUNTS,
    STATED,
    PlainMessage,
    Read,
    RequestUsage,
    TaskMessage,
    json_object,
    json_value,
    may_be_json,
    plain_messages,
    plain_usages,
    stated_message,
    stated_usage,
)
from .cline_task import ClineTask, TaskCall
from .nested import priced

COUNTED = (*COUNTS, "cost")

encode_lines = msgspec.json.Encoder().encode_lines

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

REPLACED = """
now.session = before.session AND contains(now.event_id, ':deleted_api_reqs') AND now.ts >= before.ts
    AND split_part(now.event_id, ':', 2) = split_part(before.event_id, ':', 2)
"""
"""Where messages are deleted, Cline puts the sum of their requests in their place."""


class _Counted(msgspec.Struct, gc=False):
    """A record of a message of which nothing is to be seen but its call."""

    call: TaskCall | None


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str | bytes]:
    """The messages, those that have usage with their call; and what stands where usage is expected.

    Of a message that can hold no other usage, its call is all that is handed on.
    """
    document = content.read_bytes()
    plain = plain_messages(document)
    yield from _of_any(document, file) if plain is None else _of_plain(plain, file)


def _of_plain(messages: Sequence[PlainMessage], file: Path) -> Iterator[dict[str, Any] | str | bytes]:
    usages = plain_usages(messages)
    records = {
        number: msgspec.to_builtins(message)
        for number, (message, usage) in enumerate(zip(messages, usages, strict=True))
        if usage is None and not message.is_silent
    }
    for number, record in records.items():
        usages[number] = _opened(record, messages[number].say, parsed)
    task = ClineTask(messages, usages, file, parsed)
    counted: list[_Counted] = []
    for number, (message, usage) in enumerate(zip(messages, usages, strict=True)):
        call = task.call(message, usage)
        if number in records:
            yield encode_lines(counted)
            counted.clear()
            yield from _seen(records[number], message, usage, call, parsed)
        else:
            counted.append(_Counted(call))
    yield encode_lines(counted)


def _of_any(document: bytes, file: Path) -> Iterator[dict[str, Any] | str]:
    found, read = with_texts(document)
    listed = found if isinstance(found, list) else [found]
    records = [item for item in listed if isinstance(item, dict)]
    messages = list(map(stated_message, records))
    usages = [_opened(record, message.say, read) for record, message in zip(records, messages, strict=True)]
    task = ClineTask(messages, usages, file, read)
    for record, message, usage in zip(records, messages, usages, strict=True):
        yield from _seen(record, message, usage, task.call(message, usage), read)
    if len(records) < len(listed):
        yield from no_objects(*listed)


def _opened(record: dict[str, Any], said: str, read: Read) -> RequestUsage | None:
    """The usage in a message's text, which stands there as an object from now on."""
    stated = json_object(record.get("text"), read) if said in STATED else {}
    if stated:
        record["text"] = {name: value for name, value in stated.items() if name != "request"}
    return stated_usage(stated)


def _seen(
    record: dict[str, Any], message: TaskMessage, usage: RequestUsage | None, call: TaskCall | None, read: Read
) -> Iterator[dict[str, Any] | str]:
    """A message as it is looked at, with its call; without what was asked and said, most of its bytes."""
    if call:
        record["call"] = {name: of for name, of in msgspec.structs.asdict(call).items() if of is not msgspec.UNSET}
    elif usage is None:
        yield from _passed_over(record, message.say in STATED, read)
    text = record.get("text")
    if isinstance(text, str) and not may_be_json(text):
        record["text"] = ""
    yield record


def _passed_over(message: dict[str, Any], stated: bool, read: Read) -> Iterator[str]:
    """What a message states where usage is expected, and is no object; counts of another kind of message are named."""
    text = message.get("text")
    yield from _elsewhere(message)
    if stated:
        yield from no_objects([text] if isinstance(text, dict) else json_value(text, read))
    elif isinstance(text, str) and text[:1] == "{" and '"tokensIn"' in text:
        message["uncounted"] = {name: count for name, count in json_object(text, read).items() if name in COUNTED}
    yield from no_objects(message.get("contextCondense"))
    if message.get("ask") == "tool" and "fastApplyResult" in str(text):
        yield from no_objects(json_object(text, read).get("fastApplyResult"))


def _elsewhere(message: dict[str, Any]) -> Iterator[str]:
    """What has counts in a message under another name than its text's, or a level down."""
    others = (str(value) for key, value in message.items() if key != "text")
    yield from (other for other in others if other[:1] in ("{", "[") and "tokensIn" in other)


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
    replaced=(REPLACED,),
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
