"""Logs that are known and have no usage. They are refused by name, for a count of 0 would be wrong.

`refusal` is for stores of a tool that has usage nowhere, or elsewhere: an error, in a folder too. `companion` is for
files that stand beside a log of usage in the same folder: an error only where one is named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..reader import Sample
from .litellm import other_daily

Known = tuple[Callable[[Sample], bool], str]
EVENTS = "load ~/.copilot/session-state/*/events.jsonl, an OpenTelemetry file export or GitHub's billing report"


def _azure_diagnostics(sample: Sample) -> bool:
    """https://learn.microsoft.com/azure/ai-foundry/openai/how-to/monitor-openai: lengths, times and the deployment."""
    return sample.has("operationName", "properties") and any(
        category in ("RequestResponse", "AzureOpenAIRequestUsage") for category in sample.values("category")
    )


def _copilot_store(sample: Sample) -> bool:
    """session-store.db of the CLI before the table of requests: conversations only."""
    return sample.layout == "sqlite" and sample.has("sessions", "turns") and not sample.has("assistant_usage_events")


def _copilot_chats(sample: Sample) -> bool:
    """Chat sessions of VS Code: a document, or a journal of changes to one."""
    documents = [*sample.records, *(record.get("v") for record in sample.records)]
    return any(
        isinstance(one, dict) and {"requests", "sessionId"} <= one.keys() and _of_copilot(one) for one in documents
    )


def _of_copilot(session: dict[str, object]) -> bool:
    return bool({"responderUsername", "initialLocation", "requesterUsername", "creationDate"} & session.keys())


def _copilot_transcript(sample: Sample) -> bool:
    """Transcripts of Copilot Chat in VS Code: events without counts."""
    return "copilot-chat" in {
        producer
        for path in ("data.producer", "producer")
        for producer in sample.values(path)
        if isinstance(producer, str)
    }


def _copilot_jetbrains(sample: Sample) -> bool:
    """Sessions of the plugin for JetBrains' editors: a Nitrite database."""
    return sample.head.startswith("H:2,block") and "copilot" in sample.path.lower()


def _cursor_state(sample: Sample) -> bool:
    """state.vscdb: conversations and settings."""
    return sample.layout == "sqlite" and sample.has("ItemTable", "cursorDiskKV")


def _goose_run(sample: Sample) -> bool:
    """What `goose run --output-format json` (or stream-json) prints: crates/goose-cli/src/session/mod.rs."""
    document = any(record.keys() == {"messages", "metadata"} for record in sample.records)
    ended = any(record.keys() == {"type", "total_tokens"} for record in sample.records)
    return (document and sample.has("metadata.status")) or (ended and "complete" in sample.values("type"))


def _warp(sample: Sample) -> bool:
    """warp.sqlite: conversations with the sum of their tokens by model, and the credits they took."""
    return sample.layout == "sqlite" and sample.has("agent_conversations", "ai_queries")


def _antigravity(sample: Sample) -> bool:
    """A conversation of Google's Antigravity: protocol buffers of no published schema, models under placeholders."""
    return sample.layout == "sqlite" and sample.has("gen_metadata", "steps")


def _kiro(sample: Sample) -> bool:
    """Kiro's stores: its CLI's database, sessions of its CLI (lines and what stands beside them) and of its IDE."""
    if sample.layout == "sqlite":
        return sample.has("conversations_v2")
    return (
        (sample.has("version", "kind", "data.message_id") and _any_of(sample, "kind", KIRO_KINDS))
        or sample.has("session_id", "session_state.conversation_metadata.user_turn_metadatas")
        or (sample.has("id", "timestamp", "payload.executionId") and _any_of(sample, "payload.type", KIRO_EVENTS))
        or any(sample.has("executionId", *own) for own in (["usageSummary.unit"], ["chat.role", "metadata.workflow"]))
    )


KIRO_KINDS = ("Prompt", "AssistantMessage", "ToolResults")
KIRO_EVENTS = ("turn_start", "turn_end", "usage_summary", "tool_call", "session_metadata")


def _any_of(sample: Sample, path: str, words: Sequence[str]) -> bool:
    return any(isinstance(value, str) and value in words for value in sample.values(path))


REFUSED: tuple[Known, ...] = (
    (
        _warp,
        "Warp's database has one sum of tokens for each conversation, without classes; of models with keys of your own "
        "load the provider's usage export, instead (what its credits cost, only Warp's own usage page says)",
    ),
    (
        _antigravity,
        "Antigravity's conversations are in a form that is not published, with no model's name to price; with a key or "
        "project of your own load Google Cloud's bill (its FOCUS export), instead",
    ),
    (
        _kiro,
        "Kiro states credits and no tokens; load AWS's bill (a Cost and Usage Report or its FOCUS export), instead",
    ),
    (
        _azure_diagnostics,
        "Azure OpenAI's diagnostic log has no tokens (only lengths and times); load API Management's gateway log "
        "or a cost export by meter, instead",
    ),
    (_copilot_store, f"this store of Copilot is older than its table of requests and has no tokens; {EVENTS}, instead"),
    (_copilot_chats, f"VS Code's chat sessions do not have all tokens of Copilot's requests; {EVENTS}, instead"),
    (_copilot_transcript, f"transcripts of Copilot Chat have no tokens; {EVENTS}, instead"),
    (_copilot_jetbrains, f"Copilot's sessions of JetBrains' editors have no tokens; {EVENTS}, instead"),
    (_goose_run, "what goose run prints has one total, without classes, a model or a time; load "
                 "~/.local/share/goose/sessions/sessions.db or an export of the session, instead"),
    (_cursor_state, "Cursor's local store has no counts to rely on; load its usage export (CSV) or the Admin API's "
                    "usage events, instead"),
)  # fmt: skip


def _cline_history(sample: Sample) -> bool:
    return sample.layout == "json" and sample.has("role", "content") and not sample.has("usage")


def _droid_session(sample: Sample) -> bool:
    return sample.layout == "ndjson" and sample.has("type", "id") and "session_start" in sample.values("type")


def _bedrock_manifest(sample: Sample) -> bool:
    return sample.has("totalRecordCount", "processedRecordCount", "inputTokenCount")


def _vibe_messages(sample: Sample) -> bool:
    return sample.path.endswith("messages.jsonl") and sample.has("role", "message_id")


def _mux_sums(sample: Sample) -> bool:
    return sample.path.endswith("session-usage.json") and sample.has("byModel", "version")


def _grok_signals(sample: Sample) -> bool:
    return sample.layout == "json" and sample.has("contextTokensUsed", "contextWindowTokens")


def _aider_history(sample: Sample) -> bool:
    return sample.head.lstrip().startswith("# aider chat started at")


def _codebuff_state(sample: Sample) -> bool:
    return sample.layout == "json" and sample.has("sessionState.mainAgentState")


COMPANIONS: tuple[Known, ...] = (
    (_aider_history, "aider's chat history, whose figures are rounded; load the log of aider --analytics-log, instead"),
    (_codebuff_state, "the state of a chat of Codebuff; its messages are in chat-messages.json beside it"),
    (_grok_signals, "signals of a session of Grok: the size of its context; its usage is in updates.jsonl beside it"),
    (_mux_sums, "the sums of a workspace of Mux, of no time; its calls are in chat.jsonl beside it"),
    (_vibe_messages, "a conversation of Mistral Vibe; its usage is in meta.json beside it"),
    (_cline_history, "a conversation without usage; Cline, Roo and Kilo have it in ui_messages.json beside it"),
    (_bedrock_manifest, "the sums of a batch job of Bedrock, of no named model; its calls are in the .jsonl.out files "
                        "beside it"),
    (_droid_session, "a conversation of Droid; its usage is in the .settings.json file of the same name"),
)  # fmt: skip


def refusal(sample: Sample) -> str | None:
    """Why a file that no reader takes cannot be counted, and what can; None for an unknown file."""
    table = other_daily(sample)
    if table:
        return f"{table} has the same requests as LiteLLM_DailyUserSpend: load one of the two, that table"
    return _why(REFUSED, sample)


def companion(sample: Sample) -> str | None:
    """The same of a file beside a log of usage."""
    return _why(COMPANIONS, sample)


def _why(known: Sequence[Known], sample: Sample) -> str | None:
    return next((why for recognises, why in known if recognises(sample)), None)
