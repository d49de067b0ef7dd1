"""Usage in attributes that hold JSON as text: of the Vercel AI SDK, LangSmith and Genkit."""

from __future__ import annotations

from ..aliases import Measure

IN_JSON: dict[Measure, tuple[str, ...]] = {
    "input": ("TRY_CAST(genkit AS JSON) ->> '$.usage.inputTokens'",),
    "output": ("TRY_CAST(genkit AS JSON) ->> '$.usage.outputTokens'",),
    "total": ("TRY_CAST(genkit AS JSON) ->> '$.usage.totalTokens'",),
    "cached": (
        "TRY_CAST(genkit AS JSON) ->> '$.usage.cachedContentTokens'",
        "metadata ->> '$.anthropic.usage.cache_read_input_tokens'",
        "metadata ->> '$.anthropic.cacheReadInputTokens'",
        "metadata ->> '$.bedrock.usage.cacheReadInputTokens'",
        "metadata ->> '$.openai.cachedPromptTokens'",
        "TRY_CAST(input_details AS JSON) ->> '$.cache_read'",
    ),
    "written": (
        "metadata ->> '$.anthropic.usage.cache_creation_input_tokens'",
        "metadata ->> '$.anthropic.cacheCreationInputTokens'",
        "metadata ->> '$.bedrock.usage.cacheWriteInputTokens'",
        "TRY_CAST(input_details AS JSON) ->> '$.cache_creation'",
    ),
    "written_1h": (
        "metadata ->> '$.anthropic.usage.cache_creation.ephemeral_1h_input_tokens'",
        "TRY_CAST(input_details AS JSON) ->> '$.ephemeral_1h_input_tokens'",
    ),
    "reasoning": (
        "TRY_CAST(output_details AS JSON) ->> '$.reasoning'",
        "TRY_CAST(genkit AS JSON) ->> '$.usage.thoughtsTokens'",
    ),
    "audio_in": ("TRY_CAST(input_details AS JSON) ->> '$.audio'",),
    "audio_out": ("TRY_CAST(output_details AS JSON) ->> '$.audio'",),
    # 10^11 nano AI units of GitHub's are a dollar
    "cost": ("(TRY_CAST(nano_aiu AS DECIMAL(18, 0)) * CAST('1e-11' AS DECIMAL(12, 11)))::VARCHAR",),
}
"""By measure, SQL over a record's attributes under their short names (`FIELDS` of otel_items.py)."""
