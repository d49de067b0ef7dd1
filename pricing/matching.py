"""From a model reference, as logs and people write it, to a model key: exact, never a nearest name.

A provider's prefix decides whose price is meant: `openrouter/anthropic/claude-…` is OpenRouter's entry,
`vertex_ai/…` Google's (or the model maker's, where Google lists none), a Bedrock id AWS's, `azure/…` Azure's;
a bare `claude-…` is Anthropic's. A prefix that no book knows is unpriced: a proxy's name says nothing of
prices. A bare name of an open model is taken for its maker's own API, if one alone lists it, and never where it is
spelt as servers of one's own spell it. Beyond that, genai-prices' own match clauses decide (they know dated and
abbreviated ids).
"""

from __future__ import annotations

import re
from functools import lru_cache

from . import snapshot
from .rows import ModelKey

_CALLED = {
    "aws": "amazon-bedrock amazon.bedrock amazon_bedrock aws-bedrock aws.bedrock aws_bedrock bedrock bedrock_converse",
    "azure": "az.ai.inference az.ai.openai azure-ai azure-cognitive-services azure-openai azure-openai-responses "
    "azure.ai.inference azure.ai.openai azure_ai azure_openai azure_text azureopenai",
    "cohere": "cohere_chat",
    "deepseek": "deepseek-ai",
    "fireworks": "fireworks-ai fireworks_ai",
    "github-copilot": "github_copilot",
    "google": "anthropic-vertex gcp gcp.gemini gcp.gen_ai gcp.vertex_ai gemini google-ai google-ai-studio "
    "google-gemini google-gemini-cli google-genai google-generative-ai google-gla google-vertex "
    "google-vertex-anthropic google-vertexai google.generative-ai google_ai google_anthropic_vertex "
    "google_gemini google_genai google_vertexai googleai models vertex vertex-ai vertex_ai "
    "vertex_ai-anthropic_models vertex_ai-language-models vertex_ai_beta vertex_anthropic vertexai",
    "ibm": "ibm.watsonx.ai",
    "mistral": "mistral-ai mistral_ai mistralai",
    "moonshotai": "moonshot moonshot_ai",
    "openai": "openai-codex openai-codex-responses openai-native openai-responses openai_responses "
    "text-completion-openai",
    "together": "together-ai together_ai togetherai",
    "x-ai": "x_ai xai",
}
PROVIDERS = {name: provider for provider, names in _CALLED.items() for name in names.split()}
"""What logs, gateways and SDKs call the snapshot's providers (the OpenTelemetry GenAI conventions, LiteLLM, LangChain,
models.dev, Portkey, pi, the Vercel AI SDK). A name that is neither here nor an id of the snapshot
says nothing of prices: `my-openai-proxy` is not OpenAI."""

VERCEL = ("gateway", "vercel", "vercel-ai-gateway", "vercel_ai_gateway")
"""Vercel's gateway, as its AI SDK and others call it: it bills the provider's list price for `provider/model`.

https://vercel.com/docs/ai-gateway/pricing
"""
GATEWAYS = ("litellm", "litellm_proxy", *VERCEL)
"""Proxies that write the provider into the model's name."""

ZHIPU = ("zai", "zhipuai")
"""One maker's two APIs, z.ai and bigmodel.cn: they sell models of the same names at prices of their own."""
OPEN_MAKERS = ("deepseek", "minimax", "mistral", "moonshotai", *ZHIPU)
"""Makers whose models others serve too, at other prices: without a stated provider, that it is the maker is assumed."""

# Ollama's tags (`deepseek-r1:70b`, `kimi-k2.5:cloud`; none is of Claude, whose `:thinking` is a variant), and weights
# that their makers publish and do not serve
_SELF_SERVED = re.compile(r"^(?!ft:|claude-)[^:]+:|^gpt-oss\b|-distill-")
_BEDROCK = re.compile(
    r"^(?:(?:us|eu|apac|ap|jp|au|ca|sa|global|us-gov)\.)?"
    r"(?:anthropic|amazon|meta|mistral|cohere|deepseek|ai21|qwen|openai|moonshotai|writer|zai|nvidia)\."
)
_VARIANT = re.compile(r":[a-z]+$")  # OpenRouter's: where or how it is served, not which model it is
_AGE_FIRST = re.compile(r"/claude-(\d(?:\.\d)?)-(opus|sonnet|haiku)")  # in OpenRouter's dated slugs
_FAST = re.compile(r"^gpt-.*-fast$")  # a model and how it is processed: see usage/project.py
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})(:[a-z]+)?$")
_LONG_CONTEXT = "[1m]"  # Claude Code's, for a model with its longer context: the prices are by the size of a request
_PUBLISHED = re.compile(r"^(?:projects/.*/)?publishers/[^/]+/models/")  # a model as Vertex AI names it in full
_REGION = re.compile(r"^[a-z]{2}(?:-gov)?-[a-z]+-\d/")


def literal_key(name: str) -> ModelKey:
    """The key that a book file's model name means: the snapshot's where it knows the name, else as written."""
    found = canonical(name, None)
    if found:
        return found
    provider, _, model = name.strip().lower().rpartition("/")
    return ModelKey(provider, model)


@lru_cache(maxsize=65_536)
def canonical(model_ref: str, provider: str | None) -> ModelKey | None:
    """The snapshot's key for a reference, or None. Case does not matter; a given provider is the one meant."""
    reference = model_ref.strip().lower().removesuffix(_LONG_CONTEXT)
    if reference.startswith("arn:aws") and "anthropic." in reference:  # the last part of an ARN names the model
        reference, provider = reference.rpartition("/")[2], "aws"
    if provider and provider.strip().lower() not in (GATEWAYS if "/" in reference else set(GATEWAYS) - set(VERCEL)):
        owner = provider_id(provider)
        if owner is None:
            return None
        head, slash, rest = reference.partition("/")
        named_twice = slash and provider_id(head) == owner
        return _find(reference, owner) or (_find(rest, owner) if named_twice else None)
    head, slash, rest = reference.partition("/")
    if head in GATEWAYS:
        head, slash, rest = rest.partition("/")
    if slash:
        owner = provider_id(head)
        return _find(rest, owner) if owner else None
    return _find(reference, "aws") if _BEDROCK.match(reference) else _find_at_maker(reference)


def _find_at_maker(reference: str) -> ModelKey | None:
    """A bare name: its maker's model, if that is certain."""
    if _SELF_SERVED.search(reference):
        return None
    found = _find(reference, None)
    name = found.model if found and found.provider in ZHIPU else reference
    sold = [key for api in ZHIPU if (key := snapshot.by_id(name, api))]
    return found if not sold else sold[0] if len(sold) == 1 else None


def _find(reference: str, owner: str | None) -> ModelKey | None:
    """By the exact id first, then by genai-prices' match clauses."""
    if owner == "openrouter":
        return _find_at_openrouter(reference)
    bare = _REGION.sub("", reference) if owner == "aws" else reference
    bare = _PUBLISHED.sub("", bare).split("@", 1)[0] if owner == "google" else bare  # Vertex marks versions with @
    # genai-prices knows OpenAI's embeddings only with their provider; nobody else serves them under that name alone
    found = snapshot.by_id(bare, owner) or snapshot.find(bare, owner) or snapshot.by_id(bare, owner or "openai")
    if found is None and owner == "aws":  # one region's price is that of the regions together
        found = snapshot.by_id(f"regional.{bare}", owner)
    return found or (_find(bare.removesuffix("-fast"), owner) if _FAST.match(bare) else None)


def is_free(key: ModelKey) -> bool:
    """Whether OpenRouter states that the model costs nothing: its free variants, and the router among them.

    https://openrouter.ai/docs/guides/routing/model-variants/free, https://openrouter.ai/openrouter/free (2026-11-29).
    """
    return key.provider == "openrouter" and (key.model.endswith(":free") or key.model in ("free", "openrouter/free"))


def _find_at_openrouter(reference: str) -> ModelKey | None:
    """As listed, else without date or variant: a variant without an entry of its own costs what its model does."""
    if reference.count("/") > 1:  # its own name before a maker's
        reference = reference.removeprefix("openrouter/")
    as_written = ModelKey("openrouter", reference)
    if is_free(as_written):
        return as_written
    undated = _DATED.sub(r"\1", reference)
    names = dict.fromkeys([reference, undated, _VARIANT.sub("", undated)])
    names |= dict.fromkeys([_AGE_FIRST.sub(r"/claude-\2-\1", name) for name in names])
    return next(filter(None, (snapshot.by_id(name, "openrouter") for name in names)), None) or next(
        filter(None, (snapshot.find(name, "openrouter") for name in names)), None
    )


def provider_id(name: str) -> str | None:
    """The snapshot's id of a provider as logs call it (`aws.bedrock`, `vertex_ai`, `openai`), or None."""
    name = name.strip().lower()
    found = PROVIDERS.get(name, name)
    return found if found in snapshot.provider_ids() else None
