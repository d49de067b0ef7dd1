"""From a model reference, as logs and people write it, to a model key: exact, never a nearest name.

A provider's prefix decides whose price is meant: `openrouter/anthropic/claude-…` is OpenRouter's entry,
`vertex_ai/…` Google's (or the model maker's, where Google lists none), a Bedrock id AWS's, `azure/…` Azure's;
a bare `claude-…` is Anthropic's. A prefix that no book knows is unpriced: a proxy's name says nothing of
prices. Beyond prefixes, genai-prices' own match clauses decide (they know dated and abbreviated ids).
"""

from __future__ import annotations

import re
from functools import lru_cache

from . import snapshot
from .rows import ModelKey

PROVIDERS = {
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "amazon-bedrock": "aws",
    "vertex_ai": "google",
    "vertex": "google",
    "google-vertex": "google",
    "gemini": "google",
    "azure_ai": "azure",
    "azure-openai": "azure",
    "azure_openai": "azure",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "xai": "x-ai",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "moonshot": "moonshotai",
    "openai-codex": "openai",
}
"""Names of providers that genai-prices' own clauses miss or would give to another provider."""

_BEDROCK = re.compile(r"^(?:(?:us|eu|apac|ap|jp|au|ca|sa|global|us-gov)\.)?(?:anthropic|amazon|meta|mistral|cohere|deepseek|ai21|qwen|openai)\.")


def literal_key(name: str) -> ModelKey:
    """The key that a book file's model name means: the snapshot's where it knows the name, else as written."""
    found = canonical(name, None)
    if found:
        return found
    provider, _, model = name.strip().lower().rpartition("/")
    return ModelKey(provider, model)


@lru_cache(maxsize=65_536)
def canonical(model_ref: str, provider: str | None) -> ModelKey | None:
    """The snapshot's key for a reference, or None. Case does not matter."""
    reference = model_ref.strip().lower()
    head, slash, rest = reference.partition("/")
    if slash and (owner := provider_id(head)):
        return snapshot.find(_bare(rest), owner)
    if provider:
        owner = provider_id(provider)
        return snapshot.find(_bare(reference), owner) if owner else None
    if slash:
        return None
    if _BEDROCK.match(reference):
        return snapshot.find(reference, "aws")
    return snapshot.find(_bare(reference), None)


def provider_id(name: str) -> str | None:
    """The snapshot's id of a provider as logs call it (`aws.bedrock`, `vertex_ai`, `openai`), or None."""
    from genai_prices.data_snapshot import find_provider_by_id

    name = name.strip().lower()
    if not name:
        return None
    found = find_provider_by_id(snapshot.snapshot().providers, PROVIDERS.get(name, name))
    return found.id if found else None


def _bare(reference: str) -> str:
    """Without Vertex' version mark: `claude-opus-4-6@20260101` is `claude-opus-4-6`."""
    return reference.split("@", 1)[0] if not reference.startswith("@") else reference
