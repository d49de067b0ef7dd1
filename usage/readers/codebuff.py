"""Codebuff (formerly Manicode; Freebuff writes the same): a chat's messages (chat-messages.json).

https://github.com/CodebuffAI/freebuff (cli/src/hooks/helpers/send-message.ts, cli/src/types/chat.ts): as the CLI of
August 2026 writes it, a message has the credits of its run, a cent each by its price list, and no tokens: such a
message is rejected, for it is neither free nor USD. Tokens are read where a message states them (`metadata.usage`, or
that of `codebuff`), else where answers in its run's history do: peers read these places, but no public code was found
that writes them. A run's history is the whole chat's, so each message repeats it: of equal answers count as many as one
history has. `promptTokens` include what was cached, `inputTokens` only what their own details state of it. A message
has but the time of day, its id when it began (`ai-MILLISECONDS-RANDOM`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..fast_json import line_of, parsed
from ..members import but, object_at
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import no_objects, whole
from .counts import count_in_text
from .nested import JsonTexts, uncached

PROMPT, INPUT = ("promptTokens", "prompt_tokens"), ("inputTokens", "input_tokens")
OUTPUT = ("outputTokens", "output_tokens", "completionTokens", "completion_tokens")
READ = ("cacheReadInputTokens", "cache_read_input_tokens")
PART = ("promptTokensDetails.cachedTokens", "prompt_tokens_details.cached_tokens", "cachedInputTokens")
WRITTEN = ("cacheCreationInputTokens", "cache_creation_input_tokens", "cacheCreationTokens", "cache_creation_tokens",
           "cachedTokensCreated", "cached_tokens_created")  # fmt: skip
TOTAL = ("totalTokens", "total_tokens")
COUNTED = (*PROMPT, *INPUT, *OUTPUT, *READ, *PART, *WRITTEN)
USED = JsonTexts("stated", (*COUNTED, *TOTAL))
OWN = ("key", "session", "moment", "model", "agent", "credits", "cwd", "folder", "without_tokens")
COLUMNS = {**dict.fromkeys(OWN, "VARCHAR"), "without_tokens": "BOOLEAN", "usage": "JSON"}

SAID = ("metadata", "content", "blocks", "credits")
DETAILS = ("promptTokensDetails", "prompt_tokens_details")
AI = ("ai", "agent", "assistant")
OF_ITS_OWN = re.compile(r"ai-(\d{13})-[0-9a-f]{6,}")
CHAT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)(.*)")
DATED = re.compile(r"\d{4}-\d\d-\d\d[T ]|\d{9,}(\.\d+)?$")
NO_TOKENS = "a message of Codebuff with credits (a cent each by its price list) and no tokens"

NAMED = {"whole": (*PROMPT, *INPUT), "output": OUTPUT, "read": READ, "part": PART, "written": WRITTEN, "total": TOTAL}
SQL = f"""
WITH counted AS (
    SELECT *, {USED.text(*PROMPT)} IS NOT NULL AS of_prompt,
        {", ".join(f"{count_in_text(USED.text(*names))} AS {column}" for column, names in NAMED.items())}
    FROM (SELECT *, {USED.listed("usage")} FROM record)
)
SELECT file_id, line,
    'codebuff:' || "key" AS event_id,
    coalesce(utc(moment), utc_epoch(moment), modified) AS ts,
    agent,
    session,
    model,
    CASE WHEN of_prompt THEN {uncached("whole", '"output"', "total", 'greatest("read", part)', "written")}
        WHEN "read" > 0 THEN whole
        ELSE {uncached("whole", '"output"', "total", "part")} END AS input,
    CASE WHEN least("read", part) < 0 THEN -1 ELSE greatest("read", part) END AS cache_read,
    written AS cache_write_5m,
    "output",
    coalesce({project_of("cwd")}, nullif(folder, '')) AS project,
    json_object('credits', credits, 'cwd', cwd) AS tags,
    CASE WHEN without_tokens THEN '{NO_TOKENS}' END AS fault
FROM counted JOIN file_time USING (file_id)
WHERE without_tokens OR greatest(whole, "output", "read", part, written) > 0
    OR least(whole, "output", "read", part, written) < 0
"""  # noqa: S608 (constants only)


@dataclass
class _Chat:
    """Where a chat's file is, and how many equal answers one of its histories had up to a message."""

    file: Path
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def began(self) -> str:
        """When it began, by its folder's name; empty where that says no time."""
        name = CHAT.fullmatch(self.file.parent.name)
        return f"{name[1]}:{name[2]}:{name[3]}{name[4]}" if name else ""

    @property
    def session(self) -> str:
        return self.file.parent.name if self.began else "/".join(self.file.parent.parts[-3:])

    @property
    def folder(self) -> str:
        """The project that the chat's folder is in."""
        chats = self.file.parent.parent
        return chats.parent.name if chats.name == "chats" else ""

    def new_answers(self, history: Any) -> list[tuple[str, dict[str, Any]]]:
        """The answers of a history that none before had, each with a key."""
        found: Counter[str] = Counter()
        new = []
        for answer in history if isinstance(history, list) else []:
            if isinstance(answer, dict) and answer.get("role") == "assistant":
                stated = _stated(object_at(answer, "providerOptions"), "")
                text = line_of({**but(answer, "providerOptions", "tags"), **but(stated, "")})
                digest = sha256(text).hexdigest()[:32]
                found[digest] += 1
                if found[digest] > self.seen[digest]:
                    new.append((f"{answer.get('sentAt') or self.session}:{digest}:{found[digest]}", answer))
        self.seen |= found
        return new


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str]:
    """The model's messages and the answers of their runs' histories, without what was said."""
    messages = parsed(content.read_bytes())
    if not isinstance(messages, list):
        raise ValueError
    chat = _Chat(file)
    for place, message in enumerate(messages):
        yield from no_objects(message)
        if isinstance(message, dict) and (message.get("variant") or message.get("role")) in AI:
            yield from _records(chat, message, str(message.get("id") or f"#{place}"))


def _records(chat: _Chat, message: dict[str, Any], id: str) -> Iterator[dict[str, Any] | str]:
    """A message, and the answers that its history has beyond those before. Its own usage is that of these answers."""
    metadata, own = object_at(message, "metadata"), OF_ITS_OWN.fullmatch(id)
    state = object_at(metadata, "runState", "sessionState")
    agent = object_at(state, "mainAgentState")
    head: dict[str, Any] = {
        "key": id if own else f"{chat.session}:{id}",
        "session": chat.session,
        "moment": _moment(message, metadata) or (own[1] if own else chat.began),
        "model": metadata.get("model") or metadata.get("modelId"),
        "agent": agent.get("agentType"),
        "cwd": object_at(state, "projectContext").get("cwd") or object_at(state, "fileContext").get("cwd"),
        "folder": chat.folder,
    }
    records: list[dict[str, Any]] = [{**head, "message": but(message, *SAID), **_stated(metadata, "metadata")}]
    for key, answer in chat.new_answers(agent.get("messageHistory")):
        moment = answer.get("sentAt") or head["moment"]
        stated = _stated(object_at(answer, "providerOptions"), "providerOptions")
        records.append({**head, "key": key, "moment": moment, **stated})
    if records[0]["usage"]:
        records = records[:1]
    counted = [record for record in records if record["usage"]]
    (counted or records)[0].update(credits=message.get("credits"), without_tokens=not counted and _is_some(message))
    yield from records
    yield from no_objects(metadata.get("usage"), message.get("metadata"))


def _stated(holder: dict[str, Any], name: str) -> dict[str, Any]:
    """The usage that an object or its `codebuff` states, the first that has a count; its model; what else it has."""
    ours = object_at(holder, "codebuff")
    found = next((usage for usage in (object_at(holder, "usage"), object_at(ours, "usage")) if _has_count(usage)), None)
    model = ours.get("model") or (found or {}).get("model")
    rest = {**but(holder, "runState", "usage", "codebuff"), "codebuff": but(ours, "usage")}
    return {"usage": found, name: rest, **({"model": model} if model else {})}


def _has_count(usage: dict[str, Any]) -> bool:
    """Whether a usage states tokens, readable or not."""
    flat = {**usage, **{f"{name}.{key}": count for name in DETAILS for key, count in object_at(usage, name).items()}}
    return any(whole(flat.get(name)) for name in COUNTED)


def _is_some(message: dict[str, Any]) -> bool:
    """Whether a message states credits."""
    return message.get("credits") not in (None, 0, "", False)


def _moment(*holders: dict[str, Any]) -> str | None:
    """The first time of these that has a date."""
    times = (str(holder.get(name) or "") for holder in holders for name in ("timestamp", "createdAt"))
    return next((time for time in times if DATED.match(time)), None)


def recognises(sample: Sample) -> bool:
    """Messages with what only Codebuff's have, or any in a file of its name."""
    own = ("metadata.runState", "metadata.usage", "metadata.codebuff", "credits", "isComplete", "completionTime")
    return sample.layout in ("json", "ndjson") and (
        any(sample.has("id", "variant", name) for name in own)
        or (sample.path.endswith("chat-messages.json") and (sample.has("variant") or sample.has("role", "metadata")))
    )


READER = Reader(
    name="codebuff",
    origin="agent",
    doc="https://github.com/CodebuffAI/freebuff",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    unfold=unfold,
    counted=tuple(f"usage.{name}" for name in COUNTED),
    left_out={f"usage.{name}": "the sum" for name in TOTAL},
    own=OWN,
    unique_by="the message's id, with its chat's where it is not unique by itself; an answer of a run's history",
    kept_at="~/.config/manicode/projects/PROJECT/chats/TIME/chat-messages.json (CODEBUFF_DATA_DIR)",
    undercounts="tokens, of which messages as a rule state none: they have credits alone",
    no_call="a chat with no message that states tokens or credits",
    sample="made: on the shape that its code writes, with the usage that peers read",
)
