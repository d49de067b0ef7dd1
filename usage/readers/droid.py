"""Droid (Factory): the settings file of a session, which has its totals; they are overwritten as the session runs.

https://docs.factory.ai/: `tokenUsage` has the sums of the session, not one call's: `thinkingTokens` stand beside
`outputTokens` unless a total says otherwise. The session's messages (.jsonl of the same name) have no usage, but its
last time and its folder. A model may be written `custom:Claude-Opus-4.5-Thinking-[Anthropic]-0`. Credits are not USD.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..file_names import shown
from ..reader import Reader, Sample
from ..unfold import beside, json_lines, no_objects, whole

BRACKETED = re.compile(r"-?\[[^\]]*+(?:\](?:-\d+)?|(?P<open>\Z))")
NAMES = ("inputTokens", "cacheReadTokens", "cacheCreationTokens", "outputTokens", "thinkingTokens")
PROVIDERS = {"claude": "anthropic", "gemini": "google", "google_ai": "google", "vertex": "google", "grok": "x-ai",
             "xai": "x-ai", "factory": None, "generic-chat-completion-api": None}  # fmt: skip

COLUMNS = {
    "session": "VARCHAR",
    "model": "VARCHAR",
    "named": "VARCHAR",
    "provider": "VARCHAR",
    "last": "VARCHAR",
    "locked": "VARCHAR",
    "cwd": "VARCHAR",
    "credits": "VARCHAR",
    "sums": 'STRUCT(input BIGINT, cache_read BIGINT, cache_write BIGINT, "output" BIGINT)',
}

SQL = """
SELECT record.file_id, line,
    'droid:' || coalesce(nullif(session, ''), 'locked ' || locked) AS event_id,
    coalesce(utc("last"), modified) AS ts,
    nullif(session, '') AS session, provider, model,
    TRUE AS aggregated,
    0 AS request,
    sums.input AS input,
    sums.cache_read AS cache_read,
    sums.cache_write AS cache_write_5m,
    sums."output" AS output,
    cwd AS project,
    json_object('named', named, 'credits', credits) AS tags
FROM record JOIN file_time USING (file_id)
WHERE sums.input + sums.cache_read + sums.cache_write + sums."output" <> 0
"""


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str]:
    """The settings, with the sums and what the messages beside say."""
    settings = json.loads(content.read_bytes())
    if not isinstance(settings, dict):
        raise ValueError
    usage = settings.get("tokenUsage")
    usage = usage if isinstance(usage, dict) else {}
    named = settings.get("model") if isinstance(settings.get("model"), str) else ""
    last, cwd = _messages(file)
    provider = str(settings.get("providerLock") or "").lower() or None
    yield {
        **settings,
        "session": shown(_session(file)),
        "model": plain(str(named)) or None,
        "named": named,
        "provider": PROVIDERS.get(provider or "", provider),
        "last": last or settings.get("providerLockTimestamp"),
        "locked": settings.get("providerLockTimestamp"),  # once, when the session began
        "cwd": cwd,
        "credits": usage.get("factoryCredits"),
        "sums": _sums(usage),
    }
    yield from no_objects(settings.get("tokenUsage"))


def _session(file: Path) -> str:
    return file.name.removesuffix(".json").removesuffix(".settings")


def _sums(usage: dict[str, Any]) -> dict[str, int]:
    inputs, read, write, output, thinking = (whole(usage.get(name)) for name in NAMES)
    total = whole(usage.get("totalTokens"))
    apart = not (thinking and total == inputs + read + write + output)
    outputs = -1 if min(output, thinking) < 0 else output + (thinking if apart else 0)
    return {"input": inputs, "cache_read": read, "cache_write": write, "output": outputs}


def plain(model: str) -> str:
    """A model's name without what Droid puts around it."""
    bare = BRACKETED.sub(lambda found: "" if found["open"] is None else found[0], model.removeprefix("custom:"))
    return re.sub(r"-thinking$", "", re.sub(r"[\s_]+", "-", bare.strip()).lower().strip("-"))


def _messages(file: Path) -> tuple[str | None, str | None]:
    """The last time and the folder of the session's messages."""
    path = beside(file, f"{_session(file)}.jsonl", whole=False)
    last: str | None = None
    cwd: str | None = None
    for line in json_lines(path) if path else ():
        if isinstance(line, dict):
            last = line["timestamp"] if isinstance(line.get("timestamp"), str) else last
            cwd = cwd or (line["cwd"] if isinstance(line.get("cwd"), str) else None)
    return last, cwd


def recognises(sample: Sample) -> bool:
    """Settings with the sums of a session."""
    counts = ("tokenUsage.thinkingTokens", "tokenUsage.cacheCreationTokens", "providerLock", "assistantActiveTimeMs")
    one = sample.layout in ("json", "ndjson") and len(sample.records) == 1
    return one and sample.has("tokenUsage.inputTokens", "tokenUsage.outputTokens") and any(map(sample.has, counts))


READER = Reader(
    name="droid",
    origin="agent",
    doc="https://docs.factory.ai/",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=False,
    unfold=unfold,
    counted=(*(f"tokenUsage.{name}" for name in NAMES),
             *(f"sums.{name}" for name in ("input", "cache_read", "cache_write", "output"))),
    read_as={"tokenUsage": "JSON"},
    left_out={
        "tokenUsage.totalTokens": "the sum",
        "inclusiveTokenUsage": "with what its child sessions used, who have settings of their own",
        "tokenUsage.factoryCredits": "not USD; kept as a tag",
        "credits": "not USD; kept as a tag",
    },
    unique_by="the session's name; of what comes through a pipe, the time that it began",
    sample="made: two public tests",
    kept_at="~/.factory/sessions/*/*.settings.json (FACTORY_DIR, DROID_SESSIONS_DIR)",
    undercounts="totals of sessions only: no call has usage of its own",
    no_call="a session that has used nothing yet",
)  # fmt: skip
