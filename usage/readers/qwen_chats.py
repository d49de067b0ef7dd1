"""Qwen Code chats: JSON lines, an entry each, with the usage of the model's response; its subagents' transcripts too.

https://github.com/QwenLM/qwen-code (packages/core/src/services/chatRecordingService.ts, telemetry/loggers.ts,
agents/agent-transcript.ts): fragments of one response repeat `uuid`, the last counts. `promptTokenCount` includes
cached tokens. `candidatesTokenCount` includes thoughts, unless the total is the sum with them beside.
Lists say how many tokens are audio or images.

Lines of subtype `ui_telemetry` have every response of the session: those of its entries again, and those that have no
entry (a compression, a subagent). The prompt's size tells which are which; a response that states no input is
rejected, since it may be one of an entry. A subagent's transcript has some of its calls once more, without a model:
where the chat stands in the folder `chats` above, they have its response's id.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..reader import Reader, Sample
from ..unfold import beside, json_lines, loaded, state
from .nested import JsonTexts, by_modality

COLUMNS = {
    **dict.fromkeys(
        ("uuid", "sessionId", "timestamp", "type", "subtype", "model", "cwd", "gitBranch", "agentId", "response"),
        "VARCHAR",
    ),
    "usageMetadata": """STRUCT(promptTokenCount HUGEINT, candidatesTokenCount HUGEINT, totalTokenCount HUGEINT,
        cachedContentTokenCount HUGEINT, thoughtsTokenCount HUGEINT, promptTokensDetails JSON, cacheTokensDetails JSON,
        candidatesTokensDetails JSON)""",
    "systemPayload": "JSON",
}
COUNTS = {
    "prompt": "input_token_count",
    "candidates": "output_token_count",
    "cached": "cached_content_token_count",
    "thoughts": "thoughts_token_count",
    "total": "total_token_count",
}
STATED = JsonTexts(
    "stated", tuple(f"uiEvent.{name}" for name in (*COUNTS.values(), "response_id", "model", "subagent_id"))
)
RESPONSE = '"qwen-code.api_response"'

SQL = f"""
WITH entry AS (
    SELECT file_id, line, uuid, response, sessionId, "timestamp", model, agentId, cwd, gitBranch,
        usageMetadata.promptTokenCount AS prompt,
        coalesce(usageMetadata.candidatesTokenCount, 0) AS candidates,
        coalesce(usageMetadata.cachedContentTokenCount, 0) AS cached,
        coalesce(usageMetadata.thoughtsTokenCount, 0) AS thoughts,
        usageMetadata.totalTokenCount AS total, to_json(usageMetadata) AS lists
    FROM record WHERE "type" = 'assistant' AND (usageMetadata IS NOT NULL OR model <> '')
    QUALIFY row_number() OVER (PARTITION BY file_id, coalesce(uuid, line::VARCHAR)
        ORDER BY usageMetadata IS NOT NULL DESC, line DESC) = 1
),
told AS (  -- by the session's telemetry
    SELECT file_id, line, sessionId, "timestamp", cwd, gitBranch, {STATED.text("uiEvent.response_id")} AS response,
        {STATED.text("uiEvent.model")} AS model, {STATED.text("uiEvent.subagent_id")} AS agentId,
        {", ".join(f"{STATED.count(f'uiEvent.{name}')} AS {kind}" for kind, name in COUNTS.items())}
    FROM (SELECT *, {STATED.listed("systemPayload")} FROM record
        WHERE subtype = 'ui_telemetry' AND contains(systemPayload::VARCHAR, '{RESPONSE}'))
),
entries AS (SELECT file_id, prompt, count(*) AS entries FROM entry GROUP BY ALL),
call AS (
    SELECT * FROM entry
    UNION ALL BY NAME
    SELECT told.*, told.prompt = 0 AND candidates > 0 AS unplaced FROM told LEFT JOIN entries USING (file_id, prompt)
    QUALIFY row_number() OVER (PARTITION BY told.file_id, told.prompt ORDER BY told.agentId IS NOT NULL, told.line)
        > coalesce(entries, 0)
)
SELECT file_id, line,
    'qwen-code:' || coalesce('response:' || nullif(response, ''), nullif(uuid, '')) AS event_id,
    utc("timestamp") AS ts,
    sessionId AS session,
    CASE WHEN agentId IS NOT NULL THEN 'subagent' END AS agent,
    model,
    prompt - cached AS input,
    cached AS cache_read,
    {by_modality("lists")},
    candidates + CASE WHEN total = prompt + candidates + thoughts THEN thoughts ELSE 0 END AS output,
    nullif(total, 0) AS stated_total,
    CASE WHEN unplaced THEN 'a response without its input: it may be one that has an entry' END AS fault,
    json_object('cwd', cwd, 'gitBranch', gitBranch) AS tags
FROM call
"""  # noqa: S608 (constants only)


def unfold(content: Path, file: Path) -> Iterator[dict[str, Any] | str]:
    """The lines of a chat as they stand; those of a subagent with the model and the response that its chat names."""
    with content.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines:
        first = loaded(lines.readline())
        if isinstance(first, dict) and first.get("isSidechain") is True and first.get("agentId"):
            yield from _of_agent(content, file, str(first.get("sessionId")))
            return
        lines.seek(0)
        yield from (line.rstrip("\r\n") for line in lines)


def _of_agent(content: Path, file: Path, session: str) -> Iterator[dict[str, Any] | str]:
    responses = _responses(file, session)
    meta = beside(file, file.name.removesuffix(".jsonl") + ".meta.json")
    named = loaded(meta.read_text("utf-8-sig", "replace")) if meta else {}
    model = named.get("model") if isinstance(named, dict) else None
    for record in json_lines(content):
        usage = record.get("usageMetadata") if isinstance(record, dict) else None
        if isinstance(record, dict) and isinstance(usage, dict):
            told = responses.get(str(usage.get("promptTokenCount")))
            event = told.pop(0) if told else {}
            yield {"model": event.get("model") or model, **record, "response": event.get("response_id")}
        else:
            yield record


def _responses(file: Path, session: str) -> dict[str, list[dict[str, Any]]]:
    """What the session's telemetry says of its subagents' responses, by the size of the prompt."""
    parents = file.parents
    chat = beside(parents[2] / "chats" / "chat", f"{session}.jsonl", whole=False) if len(parents) > 2 else None
    told = _told(chat, state(chat)) if chat else {}
    return {prompt: list(events) for prompt, events in told.items()}


@lru_cache(1)
def _told(chat: Path, _state: tuple[int, int]) -> dict[str, list[dict[str, Any]]]:
    """The same of the last chat that was asked for: read once for all of its subagents."""
    found: dict[str, list[dict[str, Any]]] = {}
    for record in json_lines(chat):
        payload = record.get("systemPayload") if isinstance(record, dict) else None
        event = payload.get("uiEvent") if isinstance(payload, dict) else None
        if isinstance(event, dict) and "response_id" in event and event.get("subagent_id"):
            kept = {name: event.get(name) for name in ("model", "response_id")}
            found.setdefault(str(event.get("input_token_count")), []).append(kept)
    return found


def recognises(sample: Sample) -> bool:
    """Entries with the ids of a chat, and usage as Gemini's API names it; or its system entries."""
    return sample.layout in ("ndjson", "json") and (
        sample.has("uuid", "sessionId", "usageMetadata.promptTokenCount")
        or sample.has("uuid", "sessionId", "subtype", "systemPayload")
        or sample.has("uuid", "sessionId", "provenance", "message.parts")
    )


READER = Reader(
    name="qwen-code",
    origin="agent",
    doc="https://github.com/QwenLM/qwen-code",
    columns=COLUMNS,
    sql=SQL,
    recognises=recognises,
    input_includes_cached=True,
    ordered=True,
    whole=True,
    unfold=unfold,
    counted=(
        *(
            f"usageMetadata.{name}"
            for name in (
                *("promptTokenCount", "candidatesTokenCount", "cachedContentTokenCount", "thoughtsTokenCount"),
                *(f"{side}TokensDetails[].tokenCount" for side in ("prompt", "cache", "candidates")),
            )
        ),
        *(f"systemPayload.uiEvent.{COUNTS[kind]}" for kind in ("prompt", "candidates", "cached", "thoughts")),
    ),
    own=("response",),
    left_out={
        "usageMetadata.totalTokenCount": "the sum",
        "systemPayload.uiEvent.total_token_count": "the sum",
        "systemPayload.uiEvent.tool_token_count": "part of the input",
        "systemPayload": "about the context, or what a tool gave back",
    },
    unique_by="the entry's uuid, the last of which counts; the response's id where it has no entry",
    kept_at="~/.qwen/projects/PROJECT/chats, and subagents beside it",
    no_call="a session with no answer of the model",
    sample="made: on the shape of v0.24.7",
    undercounts="suggestions of prompts and forked queries, which are not recorded",
)
