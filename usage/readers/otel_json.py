"""Usage in attributes that hold JSON as text: of the Vercel AI SDK, LangSmith, Genkit, Langfuse, MLflow and Braintrust.

Langfuse's SDKs write `langfuse.observation.usage_details` (https://langfuse.com/integrations/native/opentelemetry):
beside an `input` of its own name cached tokens stand apart, in a provider's usage as that provider has them.
"""

from __future__ import annotations

from ..aliases import Measure

LANGFUSE_BESIDE = """(lf ->> '$.input' = input::VARCHAR AND coalesce(lf ->> '$.input_cached_tokens',
    lf ->> '$.input_cache_read', lf ->> '$.input_cache_read_tokens', lf ->> '$.cache_read_input_tokens',
    lf ->> '$.input_cache_creation', lf ->> '$.input_cache_creation_tokens', lf ->> '$.cache_creation_input_tokens')
    IS NOT NULL)"""
"""SQL for whether the cached tokens of Langfuse's keys stand beside the input that counts."""
LANGFUSE_REASONING_BESIDE = """(lf ->> '$.output' = output::VARCHAR
    AND coalesce(lf ->> '$.output_reasoning_tokens', lf ->> '$.output_reasoning') IS NOT NULL)"""


def _of(holder: str, *paths: str) -> tuple[str, ...]:
    return tuple(f"{holder} ->> '$.{path}'" for path in paths)


IN_JSON: dict[Measure, tuple[str, ...]] = {
    "input": (
        "TRY_CAST(genkit AS JSON) ->> '$.usage.inputTokens'",
        *_of("lf", "input", "input_tokens", "prompt_tokens"),
        *_of("ml", "input_tokens"),
        *_of("bt", "prompt_tokens"),
    ),
    "output": (
        "TRY_CAST(genkit AS JSON) ->> '$.usage.outputTokens'",
        *_of("lf", "output", "output_tokens", "completion_tokens"),
        *_of("ml", "output_tokens"),
        *_of("bt", "completion_tokens"),
    ),
    "total": (
        "TRY_CAST(genkit AS JSON) ->> '$.usage.totalTokens'",
        *_of("lf", "total", "total_tokens"),
        *_of("ml", "total_tokens"),
        *_of("bt", "tokens"),
    ),
    "cached": (
        "TRY_CAST(genkit AS JSON) ->> '$.usage.cachedContentTokens'",
        "metadata ->> '$.anthropic.usage.cache_read_input_tokens'",
        "metadata ->> '$.anthropic.cacheReadInputTokens'",
        "metadata ->> '$.bedrock.usage.cacheReadInputTokens'",
        "metadata ->> '$.openai.cachedPromptTokens'",
        "TRY_CAST(input_details AS JSON) ->> '$.cache_read'",
        *_of("lf", "input_cached_tokens", "input_cache_read", "input_cache_read_tokens", "cache_read_input_tokens"),
        *_of("lf", "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
        *_of("ml", "cache_read_input_tokens"),
        *_of("bt", "prompt_cached_tokens"),
    ),
    "written": (
        "metadata ->> '$.anthropic.usage.cache_creation_input_tokens'",
        "metadata ->> '$.anthropic.cacheCreationInputTokens'",
        "metadata ->> '$.bedrock.usage.cacheWriteInputTokens'",
        "TRY_CAST(input_details AS JSON) ->> '$.cache_creation'",
        *_of("lf", "input_cache_creation", "input_cache_creation_tokens", "cache_creation_input_tokens"),
        *_of("ml", "cache_creation_input_tokens"),
        *_of("bt", "prompt_cache_creation_tokens"),
    ),
    "written_1h": (
        "metadata ->> '$.anthropic.usage.cache_creation.ephemeral_1h_input_tokens'",
        "TRY_CAST(input_details AS JSON) ->> '$.ephemeral_1h_input_tokens'",
        *_of("bt", "prompt_cache_creation_1h_tokens"),
    ),
    "reasoning": (
        *_of("lf", "output_reasoning_tokens", "output_reasoning", "completion_tokens_details.reasoning_tokens"),
        *_of("lf", "output_tokens_details.reasoning_tokens"),
        *_of("bt", "completion_reasoning_tokens"),
        "TRY_CAST(output_details AS JSON) ->> '$.reasoning'",
        "TRY_CAST(genkit AS JSON) ->> '$.usage.thoughtsTokens'",
    ),
    "audio_in": ("TRY_CAST(input_details AS JSON) ->> '$.audio'",),
    "audio_out": ("TRY_CAST(output_details AS JSON) ->> '$.audio'",),
    # 10^11 nano AI units of GitHub's are a dollar
    "cost": (
        "(TRY_CAST(nano_aiu AS DECIMAL(18, 0)) * CAST('1e-11' AS DECIMAL(12, 11)))::VARCHAR",
        "TRY_CAST(langfuse_cost AS JSON) ->> '$.total'",
        "TRY_CAST(mlflow_cost AS JSON) ->> '$.total_cost'",
        *_of("bt", "estimated_cost"),
    ),
}
"""By measure, SQL over a record's attributes under their short names (`FIELDS` of otel_fields.py)."""
JSON_TEXTS = ("genkit", "metadata", "input_details", "output_details", "lf", "ml", "bt", "nano_aiu", "langfuse_cost",
              "mlflow_cost")  # fmt: skip
"""The attributes that it reads."""

_HELD = {"lf": "langfuse.observation.usage_details", "ml": "mlflow.chat.tokenUsage", "bt": "braintrust.metrics"}
IN_JSON_COUNTED = (
    *(f"genkit:output.usage.{n}Tokens" for n in ("input", "output", "total", "cachedContent", "thoughts")),
    *(f"gen_ai.usage.input_token_details.{n}" for n in ("cache_read", "cache_creation", "ephemeral_1h_input_tokens")),
    "gen_ai.usage.output_token_details.reasoning",
    *(f"gen_ai.usage.{side}_token_details.audio" for side in ("input", "output")),
    *(
        text.replace(f"{holder} ->> '$", name).rstrip("'")
        for texts in IN_JSON.values()
        for text in texts
        for holder, name in _HELD.items()
        if text.startswith(f"{holder} ")
    ),
    "langfuse.observation.cost_details.total",
    "mlflow.llm.cost.total_cost",
)
"""The attributes, each with the path in its JSON, that reach a token class or a cost."""

IN_JSON_LEFT_OUT = {
    "langfuse.observation.cost_details.*": "a part of its total",
    **{f"mlflow.llm.cost.{side}_cost": "a part of total_cost" for side in ("input", "output")},
    "mlflow.spanOutputs": "what was answered; its usage is in mlflow.chat.tokenUsage",
    "mlflow.trace.tokenUsage": "the sum of the spans",
    **{f"braintrust.metrics.{name}": "a time" for name in ("start", "end", "duration", "time_to_first_token")},
}
