"""The names that usage has in traces: one table per kind of source, from which the readers' SQL is made.

A name is an attribute of a span or a log record, or a key of Langfuse's `usageDetails`. Each says which emitter writes
it and whether it stands inside another figure: cached tokens in the input, reasoning in the output. Sources: the
OpenTelemetry GenAI conventions (and their renamings), the conventions of OpenInference, OpenLLMetry, the Vercel AI SDK
and Sentry, and what pydantic-ai, Claude Code, Codex and Gemini CLI emit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Measure = Literal[
    "input", "cached", "written", "written_1h", "output", "reasoning", "tool", "total", "search", "cost",
    "audio_in", "image_in", "audio_read", "image_read", "audio_out", "image_out",
]  # fmt: skip
"""What a name counts. `written` holds all cache writes (`written_1h` is a part of it), `tool` the input of tools that
the provider ran, `total` everything, `cost` USD; the last six are parts of input, cached and output (see media.py)."""


@dataclass(frozen=True)
class Alias:
    """One name of one measure. `only` limits it to an emitter of that name: it is too plain to mean usage elsewhere.

    `beside` says that the figure is not part of the one it belongs to: reasoning beside the output, or (of an input)
    the cached tokens beside it. Where a source contradicts that, the arithmetic of the record decides.
    """

    measure: Measure
    name: str
    emitter: str
    only: str | None = None
    beside: bool = False


def _aliases(emitter: str, names: dict[Measure, str], only: str | None = None, beside: str = "") -> tuple[Alias, ...]:
    return tuple(
        Alias(measure, name, emitter, only, name in beside.split())
        for measure, listed in names.items()
        for name in listed.split()
    )


_G = "gen_ai.usage."

ATTRIBUTES: tuple[Alias, ...] = (
    *_aliases(
        "OpenTelemetry GenAI",
        {
            "input": f"{_G}input_tokens {_G}prompt_tokens",
            "cached": f"{_G}cache_read.input_tokens",
            "written": f"{_G}cache_write.input_tokens {_G}cache_creation.input_tokens",
            "output": f"{_G}output_tokens {_G}completion_tokens",
            "reasoning": f"{_G}reasoning.output_tokens",
            "total": f"{_G}total_tokens",
        },
    ),
    *_aliases(
        "OpenLLMetry",
        {
            "input": "llm.usage.prompt_tokens",
            "cached": f"{_G}cache_read_input_tokens llm.usage.cache_read_input_tokens",
            "written": f"{_G}cache_creation_input_tokens {_G}cache_write_input_tokens "
            "llm.usage.cache_creation_input_tokens",
            "output": "llm.usage.completion_tokens",
            "reasoning": f"{_G}reasoning_tokens {_G}reasoning_output_tokens llm.usage.reasoning_tokens",
            "total": "llm.usage.total_tokens",
        },
    ),
    *_aliases(
        "pydantic-ai",
        {
            "cached": f"{_G}cache_read_tokens {_G}details.cache_read_tokens {_G}details.cache_read_input_tokens "
            f"{_G}details.cached_tokens {_G}details.cached_content_tokens",
            "written": f"{_G}cache_write_tokens {_G}cache_creation_tokens {_G}details.cache_write_tokens "
            f"{_G}details.cache_creation_input_tokens {_G}details.cache_creation_tokens",
            "written_1h": f"{_G}details.ephemeral_1h_input_tokens {_G}details.cache_write_1h_tokens "
            f"{_G}cache_creation.ephemeral_1h_input_tokens {_G}ephemeral_1h_input_tokens "
            f"{_G}cache_write_1h.input_tokens {_G}cache_write_1h_tokens",
            "reasoning": f"{_G}details.reasoning_tokens {_G}details.thoughts_tokens {_G}details.thinking_tokens",
            # of OpenAI's API it keeps the details of the completion as they are, of Gemini's each modality
            "audio_in": f"{_G}details.input_audio_tokens {_G}input_audio_tokens {_G}details.audio_prompt_tokens",
            "audio_read": f"{_G}details.cache_audio_read_tokens {_G}cache_audio_read_tokens "
            f"{_G}details.audio_cache_tokens",
            "audio_out": f"{_G}details.output_audio_tokens {_G}output_audio_tokens {_G}details.audio_tokens "
            f"{_G}details.audio_candidates_tokens",
            "image_in": f"{_G}details.input_image_tokens {_G}input_image_tokens {_G}details.image_prompt_tokens",
            "image_read": f"{_G}details.image_cache_tokens",
            "image_out": f"{_G}details.output_image_tokens {_G}output_image_tokens {_G}details.image_candidates_tokens",
            "search": f"{_G}details.web_search_requests",
            "cost": "operation.cost",
        },
    ),
    *_aliases(
        "Semantic Kernel",
        {"input": "gen_ai.response.prompt_tokens", "output": "gen_ai.response.completion_tokens"},
    ),
    *_aliases("LiteLLM", {"cost": "gen_ai.cost.total_cost"}),
    *_aliases(
        "Sentry, ADK, LangSmith and others",
        {
            "cached": f"{_G}input_tokens.cached {_G}cached_input_tokens {_G}cached_tokens {_G}input_cached_tokens "
            f"{_G}prompt_tokens_details.cached_tokens",
            "written": f"{_G}input_tokens.cache_write",
            "reasoning": f"{_G}output_tokens.reasoning {_G}thinking_tokens {_G}thoughts_tokens "
            f"{_G}experimental.reasoning_tokens {_G}completion_tokens_details.reasoning_tokens",
            "cost": f"{_G}cost {_G}total_cost",
        },
    ),
    *_aliases(
        "OpenInference",
        {
            "input": "llm.token_count.prompt",
            "cached": "llm.token_count.prompt_details.cache_read llm.token_count.prompt_details.cache_input",
            "written": "llm.token_count.prompt_details.cache_write llm.token_count.prompt_details.cache_creation",
            "written_1h": "llm.token_count.prompt_details.cache_write_1h "
            "llm.token_count.prompt_details.cache_creation_1h",
            "output": "llm.token_count.completion",
            "reasoning": "llm.token_count.completion_details.reasoning",
            "audio_in": "llm.token_count.prompt_details.audio",
            "audio_out": "llm.token_count.completion_details.audio",
            "total": "llm.token_count.total",
            "cost": "llm.cost.total",
        },
    ),
    *_aliases(
        "Vercel AI SDK",
        {
            "input": "ai.usage.inputTokens ai.usage.promptTokens ai.usage.tokens",
            "cached": "ai.usage.inputTokenDetails.cacheReadTokens ai.usage.cachedInputTokens",
            "written": "ai.usage.inputTokenDetails.cacheWriteTokens",
            "output": "ai.usage.outputTokens ai.usage.completionTokens",
            "reasoning": "ai.usage.outputTokenDetails.reasoningTokens ai.usage.reasoningTokens",
            "total": "ai.usage.totalTokens",
        },
    ),
    *_aliases(
        "Claude Code",
        {
            "input": "input_tokens",
            "cached": "cache_read_tokens cache_read_input_tokens",
            "written": "cache_creation_tokens cache_creation_input_tokens",
            "written_1h": "cache_creation_1h_tokens ephemeral_1h_input_tokens",
            "output": "output_tokens",
            "cost": "cost_usd",
        },
        only="claude-code",
        beside="input_tokens",
    ),
    *_aliases(
        "Codex",
        {
            "input": "input_token_count",
            "cached": "cached_token_count",
            "written": "cache_write_token_count",
            "output": "output_token_count",
            "reasoning": "reasoning_token_count",
        },
        only="codex",
    ),
    *_aliases(
        "Gemini CLI and its forks",
        {
            "input": "input_token_count",
            "cached": "cached_content_token_count",
            "output": "output_token_count",
            "reasoning": "thoughts_token_count",
            "tool": "tool_token_count",
            "total": "total_token_count",
        },
        only="gemini-cli",
        beside="thoughts_token_count",
    ),
)

ATTRIBUTES_LEFT_OUT: dict[str, str] = {
    "ai.usage.inputTokenDetails.noCacheTokens": "the input less what was cached: counted by these",
    "ai.usage.outputTokenDetails.textTokens": "a part of the output",
    **{
        f"{_G}details.{medium}_{side}_tokens": "a part of the input or output"
        for medium in ("text", "video", "document")
        for side in ("prompt", "cache", "candidates")
    },
    "llm.cost.prompt": "a part of llm.cost.total",
    "llm.cost.completion": "a part of llm.cost.total",
    "llm.cost.prompt_details.*": "a part of llm.cost.prompt",
    "llm.cost.completion_details.*": "a part of llm.cost.completion",
    "gen_ai.cost.*": "a part of gen_ai.cost.total_cost, or what it is before discounts",
    "cost_usd_micros": "cost_usd in millionths",
    "codex.turn.token_usage.*": "the sum of the turn's codex.sse_event records",
    "gen_ai.aggregated_usage.*": "the sum of an agent's calls, which have spans of their own",
}


def names(aliases: tuple[Alias, ...] = ATTRIBUTES) -> tuple[str, ...]:
    """Every name once, in the table's order."""
    return tuple(dict.fromkeys(alias.name for alias in aliases))


_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_OUT_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")
API_MEDIA: dict[str, tuple[str, ...]] = {
    "audio_in": tuple(f"{details}.audio_tokens" for details in _DETAILS),
    "image_in": tuple(f"{details}.image_tokens" for details in _DETAILS),
    "audio_read": tuple(f"{details}.cached_tokens_details.audio_tokens" for details in _DETAILS),
    "image_read": tuple(f"{details}.cached_tokens_details.image_tokens" for details in _DETAILS),
    "audio_out": tuple(f"{details}.audio_tokens" for details in _OUT_DETAILS),
    "image_out": tuple(f"{details}.image_tokens" for details in _OUT_DETAILS),
}
"""Audio and images (PARTS of media.py) in a usage of OpenAI's APIs: of Chat Completions, of Responses and Images, and
of Realtime, which alone says which of them were cached. They are within the prompt and the output, cached ones in both
`cached_tokens` and their medium. https://platform.openai.com/docs/api-reference/realtime-server-events/response/done"""
API_MEDIA_TEXT = tuple(
    f"{details}.{name}"
    for details in (*_DETAILS, *_OUT_DETAILS)
    for name in ("text_tokens", "cached_tokens_details.text_tokens")
)
"""The rest of them, which is text."""

GEMINI_LISTS: dict[str, tuple[str, ...]] = {
    "in": (
        "promptTokensDetails",
        "prompt_tokens_details",
        "toolUsePromptTokensDetails",
        "tool_use_prompt_tokens_details",
    ),
    "read": ("cacheTokensDetails", "cache_tokens_details"),
    "out": ("candidatesTokensDetails", "candidates_tokens_details", "responseTokensDetails", "response_tokens_details"),
}
"""Lists by modality in a usage of Gemini's API, each `[{modality, tokenCount}]`: of the prompt, with its cached tokens,
and of what tools add to it; of the cached tokens; of the answer. https://ai.google.dev/api/generate-content"""
GEMINI_MEDIA = {"audio": ("AUDIO", "4"), "image": ("IMAGE", "2")}
"""The modalities that have a class, by name and as Vertex AI's libraries number them; video and documents have none."""


@dataclass(frozen=True)
class Key:
    """A key of Langfuse's `usageDetails`. It stands beside `input` or inside it, or is a `part` of the writes."""

    measure: Literal["cached", "written", "written_5m", "written_1h"]
    name: str
    where: Literal["beside", "inside"]
    emitter: str


def _langfuse(where: Literal["beside", "inside"], emitter: str, **listed: str) -> tuple[Key, ...]:
    return tuple(
        Key(measure, name, where, emitter)
        for measure in ("cached", "written", "written_5m", "written_1h")
        for name in listed.get(measure, "").split()
    )


LANGFUSE: tuple[Key, ...] = (
    *_langfuse(
        "beside",
        "Langfuse's SDKs and its OpenTelemetry endpoint",
        cached="input_cached_tokens input_cache_read input_cache_read_tokens input_cached",
        written="input_cache_creation input_cache_write input_cache_creation_tokens input_cache_write_tokens",
        written_5m="input_cache_creation_5m input_cache_write_5m",
        written_1h="input_cache_creation_1h input_cache_write_1h",
    ),
    *_langfuse(
        "beside",
        "LangChain's callback",
        cached="input_flex_cache_read input_priority_cache_read",
        written_5m="input_ephemeral_5m_input_tokens input_cache_creation_ephemeral_5m_input_tokens",
        written_1h="input_ephemeral_1h_input_tokens input_cache_creation_ephemeral_1h_input_tokens",
    ),
    *_langfuse(
        "beside",
        "Anthropic's API as it is",
        cached="cache_read_input_tokens",
        written="cache_creation_input_tokens",
    ),
    *_langfuse(
        "inside",
        "OpenTelemetry attributes that Langfuse does not map",
        cached="cache_read.input_tokens cache_read_tokens details.cache_read_tokens details.cache_read_input_tokens "
        "cached_tokens details.cached_tokens input_tokens.cached cached_input_tokens",
        written="cache_write.input_tokens cache_creation.input_tokens cache_write_tokens cache_creation_tokens "
        "details.cache_write_tokens details.cache_creation_input_tokens cache_write_input_tokens "
        "input_tokens.cache_write",
        written_1h="cache_creation.ephemeral_1h_input_tokens ephemeral_1h_input_tokens",
    ),
    *_langfuse(
        "inside",
        "Gemini's API as it is",
        cached="cached_content_token_count cachedContentTokenCount",
    ),
    *_langfuse(
        "inside",
        "OpenInference, OpenAI and LangChain as they are",
        cached="prompt_details.cache_read prompt_details.cache_input prompt_tokens_details.cached_tokens "
        "input_tokens_details.cached_tokens input_token_details.cache_read",
        written="prompt_details.cache_write prompt_details.cache_creation input_token_details.cache_creation "
        "prompt_tokens_details.cache_write_tokens input_tokens_details.cache_write_tokens",
        written_1h="prompt_details.cache_write_1h input_token_details.ephemeral_1h_input_tokens",
    ),
)

LANGFUSE_TOTALS = ("total", "total_tokens", "totalTokens", "total_token_count", "totalTokenCount")
LANGFUSE_INPUTS = (
    *("input", "input_tokens", "prompt_tokens", "promptTokens", "prompt"),
    *("prompt_token_count", "promptTokenCount"),
)
LANGFUSE_OUTPUTS = (
    *("output", "output_tokens", "completion_tokens", "completionTokens", "completion"),
    *("candidates_token_count", "candidatesTokenCount"),
)
LANGFUSE_CACHED_PARTS = ("input_cached_text_tokens", "input_cached_audio_tokens", "input_cached_image_tokens")
"""What OpenAI's realtime models read from the cache, by medium: beside `input`, and parts of `input_cached_tokens`."""
_KINDS = {"audio": ("audio_tokens", "audio", "modality_4", "modality_AUDIO"),
          "image": ("image_tokens", "image", "modality_2", "modality_IMAGE")}  # fmt: skip
LANGFUSE_MEDIA: dict[str, tuple[str, ...]] = {
    **{f"{medium}_fresh": tuple(f"input_{kind}" for kind in kinds) for medium, kinds in _KINDS.items()},
    **{
        f"{medium}_read": (f"input_cached_{kinds[0]}", *(f"cached_{kind}" for kind in kinds[2:]))
        for medium, kinds in _KINDS.items()
    },
    **{f"{medium}_answered": tuple(f"output_{kind}" for kind in kinds) for medium, kinds in _KINDS.items()},
    "audio_in_input": ("prompt_details.audio", "input_token_details.audio", "details.input_audio_tokens",
                       *API_MEDIA["audio_in"][:2]),
    "image_in_input": API_MEDIA["image_in"][:2],
    "audio_in_output": ("completion_details.audio", "output_token_details.audio", "details.output_audio_tokens",
                        *API_MEDIA["audio_out"][:2]),
    "image_in_output": API_MEDIA["image_out"][:2],
}  # fmt: skip
"""Audio and images: beside `input`, beside the other cached tokens, beside `output`, of Langfuse's SDKs and (numbered)
LangChain's callback; as emitters' own keys within `input` and `output`."""
LANGFUSE_CACHED_MODALITIES = tuple(
    f"cached_modality_{kind}" for kind in (*range(6), "TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT")
)
"""Cached tokens by modality, which LangChain's callback takes out of `input`."""
LANGFUSE_THOUGHTS = ("thoughts_token_count", "thoughtsTokenCount")
"""Gemini's thinking, beside its candidates."""
LANGFUSE_TOOL_INPUTS = ("tool_use_prompt_token_count", "toolUsePromptTokenCount")
"""What Gemini's tools put into the prompt, beside it."""
LANGFUSE_REASONING = ("reasoning_tokens", "thinking_tokens")
"""A part of the output, unless the total says that it stands beside."""
LANGFUSE_TIERS = tuple(f"{part}_{tier}" for tier in ("flex", "priority") for part in ("input", "output")) + tuple(
    f"output_{tier}_reasoning" for tier in ("flex", "priority")
)
"""What LangChain's callback names after the service tier: beside `input` and `output`, as it takes these out."""
LANGFUSE_SEARCHES = ("web_search_queries", "webSearchQueries", "web_search_requests")
