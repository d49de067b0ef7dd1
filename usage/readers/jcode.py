"""jcode: a session's snapshot (session_NAME_TIME_HEX.json), and the journal beside it that goes on from it.

https://github.com/1jehuang/jcode (crates/jcode-session-types/src/lib.rs, crates/jcode-base/src/session): each answer
has `token_usage` as its provider's API stated it. Anthropic's input excludes what was cached, others' includes what was
read; jcode itself tells them apart by the provider's name, and by writes or reads beyond the input. A journal is
removed when its messages are in the snapshot, and a session split off may repeat them: the message's id names its call.
A message has no model: it is the one of the last look at the surroundings before it (`env_snapshots`), else the
session's, in a journal its line's. Of Bedrock and Copilot no cached tokens are stated, of Gemini no thoughts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

from ..fast_json import parsed
from ..members import but, listed
from ..reader import Reader, Sample
from ..tags import project_of
from ..unfold import json_lines, no_objects
from .nested import less

TOKENS = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
INPUT, OUTPUT, READ, WRITTEN = (f"coalesce(token_usage.{name}, 0)" for name in TOKENS)
OWN = ("session", "model", "provider", "cwd")
COLUMNS = {
    **dict.fromkeys(("id", "timestamp", *OWN), "VARCHAR"),
    "token_usage": f"STRUCT({', '.join(f'{name} HUGEINT' for name in TOKENS)})",
}
BESIDE = f"""(regexp_matches(coalesce(provider, model), '(?i)anthropic|claude') OR {WRITTEN} > 0 OR {READ} > {INPUT})"""

SQL = f"""
SELECT file_id, line,
    'jcode:' || coalesce(nullif(id, ''), concat_ws(':', session, "timestamp", {INPUT}, {OUTPUT})) AS event_id,
    coalesce(utc("timestamp"), modified) AS ts,
    session,
    CASE WHEN regexp_matches(provider, '(?i)^(anthropic|claude)') THEN 'anthropic'
        WHEN provider ILIKE 'openai%' AND provider NOT ILIKE 'openai-compatible%' THEN 'openai'
        WHEN lower(provider) IN ('gemini', 'antigravity') THEN 'google'
        WHEN lower(provider) LIKE '%copilot' THEN 'github-copilot'
        WHEN provider <> '' THEN lower(provider) END AS provider,
    model,
    CASE WHEN {BESIDE} THEN {INPUT} ELSE {less(INPUT, READ)} END AS input,
    {READ} AS cache_read,
    {WRITTEN} AS cache_write_5m,
    {OUTPUT} AS output,
    {project_of("cwd")} AS project,
    json_object('cwd', cwd, 'provider', provider) AS tags
FROM record JOIN file_time USING (file_id)
WHERE {INPUT} <> 0 OR {OUTPUT} <> 0 OR {READ} <> 0 OR {WRITTEN} <> 0
"""  # noqa: S608 (constants only)

LISTS = ("messages", "append_messages", "env_snapshots", "append_env_snapshots", "memory_injections",
         "append_memory_injections", "replay_events", "append_replay_events")  # fmt: skip


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str]:
    """The messages of a session without what was said, each with the model that was set."""
    try:
        found = parsed(content.read_bytes())
    except ValueError:
        found = None
    if isinstance(found, dict) and "messages" in found:
        yield from _snapshot(found)
        return
    session = file.name.removesuffix(".journal.jsonl")
    for entry in [found] if isinstance(found, dict) else json_lines(content):
        yield from _journaled(entry, session) if isinstance(entry, dict) else [entry]


def _snapshot(session: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    looks = Looks(listed(session, "env_snapshots"))
    head = {"session": session.get("id"), "cwd": session.get("working_dir")}
    own = {"model": session.get("model"), "provider": session.get("provider_key")}
    yield {"of_session": but(session, *LISTS)}
    for message in listed(session, "messages"):
        yield from _message(message, {**head, **(looks.seen_by(message) or own)})


class Looks:
    """The looks at the surroundings of a session, by their times, so that each message finds its own at once."""

    def __init__(self, looks: list[Any]) -> None:
        last: dict[str, int] = {}
        self.looks = [look for look in looks if isinstance(look, dict) and look.get("model")]
        for place, look in enumerate(self.looks):
            last[_moment(look, "captured_at")] = place
        self.moments = sorted(last)
        self.places = list(accumulate((last[moment] for moment in self.moments), max))  # the last listed up to a time

    def seen_by(self, message: Any) -> dict[str, Any] | None:
        """The model and the provider at a message's time: of the last look before it, else of the first."""
        if not self.looks:
            return None
        moment = _moment(message, "timestamp")
        before = bisect_right(self.moments, moment) if moment else 0
        look = self.looks[self.places[before - 1] if before else 0]
        return {"model": look.get("model"), "provider": look.get("provider")}


def _moment(holder: Any, name: str) -> str:
    """A time as it sorts: with or without a fraction of a second."""
    return str(holder.get(name) or "").removesuffix("Z") if isinstance(holder, dict) else ""


def _journaled(entry: dict[str, Any], session: str) -> Iterator[dict[str, Any] | str]:
    meta = entry.get("meta")
    yield from no_objects(meta)
    meta = meta if isinstance(meta, dict) else {}
    own = {"session": session, "cwd": meta.get("working_dir"), "model": meta.get("model"),
           "provider": meta.get("provider_key")}  # fmt: skip
    yield {"of_session": but(entry, *LISTS)}
    for message in listed(entry, "append_messages"):
        yield from _message(message, own)


def _message(message: Any, own: dict[str, Any]) -> Iterator[dict[str, Any] | str]:
    yield from no_objects(message)
    if isinstance(message, dict):
        yield from no_objects(message.get("token_usage"))
        yield {**but(message, "content"), **own}


def recognises(sample: Sample) -> bool:
    """A session's head with what jcode alone keeps in it, or lines that go on from one."""
    return sample.layout in ("ndjson", "json") and (
        sample.has("id", "created_at", "updated_at", "is_canary")
        or sample.has("messages.token_usage.input_tokens")
        or sample.has("meta.updated_at", "meta.is_canary")
        or sample.has("meta", "append_messages.token_usage")
    )


READER = Reader(
    name="jcode",
    origin="agent",
    doc="https://github.com/1jehuang/jcode",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=None,
    unfold=unfold,
    counted=tuple(f"token_usage.{name}" for name in TOKENS),
    left_out={"token_usage.reasoning_output_tokens": "part of the output"},
    own=OWN,
    unique_by="the message's id",
    kept_at="~/.jcode/sessions (JCODE_HOME)",
    undercounts="calls without an answer to keep, and summaries of compactions; what providers state and it does not",
    no_call="a session with no answer that states usage",
    sample="made: after the code that writes it",
)
