"""The log formats, most specific first: the first reader that recognises a file reads it."""

from __future__ import annotations

from ..reader import Reader
from . import (
    anthropic_organization,
    bedrock,
    braintrust,
    claude_code,
    codex,
    datadog,
    helicone,
    langfuse,
    langsmith,
    litellm,
    mlflow,
    openai_organization,
    openclaw,
    openrouter,
    otel,
    posthog,
    vertex,
    weave,
)

READERS: tuple[Reader, ...] = (
    claude_code.READER,
    codex.READER,
    openclaw.READER,
    litellm.READER,
    litellm.DAILY,
    otel.READER,
    langfuse.READER,
    openai_organization.USAGE,
    openai_organization.COSTS,
    anthropic_organization.USAGE,
    anthropic_organization.COSTS,
    openrouter.READER,
    helicone.READER,
    langsmith.READER,
    posthog.READER,
    mlflow.READER,
    weave.READER,
    datadog.READER,
    braintrust.READER,
    bedrock.READER,
    vertex.READER,
)
