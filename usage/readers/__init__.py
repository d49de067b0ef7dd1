"""The log formats, most specific first: the first reader that recognises a file reads it.

A reader's module is loaded when it is first asked for: to write fifty statements takes as long as to read many files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from ..reader import Reader

ORDER = (
    "rollup.READER",
    "qwen_chats.READER",
    "claude_code.READER",
    "qwen_print.READER",
    "claude_print.READER",
    "codex.READER",
    "codex_exec.READER",
    "dsh.READER",
    "command_code.READER",
    "openclaw.READER",
    "litellm.READER",
    "litellm.DAILY",
    "litellm_activity.READER",
    "otel.READER",
    "otel_exports.READER",
    "langfuse.READER",
    "langfuse_days.READER",
    "openai_organization.USAGE",
    "openai_organization.COSTS",
    "openai_batch.READER",
    "anthropic_batch.READER",
    "gemini_batch.READER",
    "anthropic_organization.USAGE",
    "anthropic_organization.COSTS",
    "claude_code_analytics.READER",
    "anthropic_console.USAGE",
    "anthropic_console.COSTS",
    "openrouter.READER",
    "openrouter.DAYS",
    "openrouter.GENERATION",
    "helicone.READER",
    "langsmith.READER",
    "posthog.READER",
    "mlflow.READER",
    "weave.READER",
    "datadog.READER",
    "braintrust.READER",
    "bedrock.READER",
    "bedrock_batch.READER",
    "vertex.READER",
    "azure.GATEWAY",
    "azure.TABLE",
    "azure_llm.READER",
    "azure.METERS",
    "aws_cur.READER",
    "focus.READER",
    "portkey.READER",
    "cc_switch.READER",
    "new_api.READER",
    "new_api.EXPORT",
    "vllm.READER",
    "copilot.READER",
    "copilot.STORED",
    "copilot_traces.READER",
    "copilot_bill.READER",
    "copilot_usage.READER",
    "copilot_usage.ALL",
    "aider.READER",
    "gptme.READER",
    "grok.READER",
    "llm.READER",
    "openhands.READER",
    "codebuff.READER",
    "jcode.READER",
    "atif.READER",
    "junie.READER",
    "piebald.READER",
    "shelley.READER",
    "zcode.READER",
    "crush.READER",
    "amp.READER",
    "cursor.READER",
    "cursor_events.READER",
    "cline.READER",
    "cline_sessions.READER",
    "droid.READER",
    "forge.READER",
    "gemini_chats.READER",
    "gemini_print.READER",
    "goose.READER",
    "hermes.READER",
    "kimi.CLI",
    "kimi.CODE",
    "mux.READER",
    "opencode.READER",
    "opencode_run.READER",
    "vibe.READER",
    "zed.READER",
)


class _Readers(Sequence["Reader"]):
    """The readers in their order."""

    def __len__(self) -> int:
        return len(ORDER)

    def __iter__(self) -> Iterator[Reader]:
        return map(_reader, ORDER)

    @overload
    def __getitem__(self, place: int) -> Reader: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Reader]: ...
    def __getitem__(self, place: int | slice) -> Reader | Sequence[Reader]:
        return _reader(ORDER[place]) if isinstance(place, int) else tuple(map(_reader, ORDER[place]))


@lru_cache(None)
def _reader(where: str) -> Reader:
    module, _, name = where.partition(".")
    reader: Reader = getattr(import_module(f".{module}", __name__), name)
    return reader


READERS = _Readers()
