"""Which model a logged name means: exact after normalisation, never a nearest name; the rest is unpriced."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from costsim.pricing.book import PriceBook, open_book
from costsim.pricing.matching import canonical
from costsim.pricing.rows import ModelKey


@pytest.mark.parametrize(
    ("logged", "meant"),
    [
        # by the id
        ("anthropic/claude-opus-4-6", "anthropic/claude-opus-4-6"),
        ("claude-opus-4-6", "anthropic/claude-opus-4-6"),
        ("  CLAUDE-Opus-4-6 ", "anthropic/claude-opus-4-6"),
        ("text-embedding-3-small", "openai/text-embedding-3-small"),
        # dated ids, by genai-prices' match clauses
        ("claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5"),
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o"),
        # Bedrock, with and without its region and its prefix
        ("us.anthropic.claude-opus-4-6-v1", "aws/regional.anthropic.claude-opus-4-6-v1:0"),
        (
            "bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "aws/regional.anthropic.claude-haiku-4-5-20251001-v1:0",
        ),
        # Vertex marks versions with @
        ("vertex_ai/claude-opus-4-6@20260101", "google/claude-opus-4-6"),
        ("vertex_ai/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("gemini/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        # OpenRouter has its own entries; Azure OpenAI's prices are OpenAI's
        ("openrouter/anthropic/claude-sonnet-4.5", "openrouter/anthropic/claude-sonnet-4.5"),
        ("azure/gpt-4o", "openai/gpt-4o"),
        # LiteLLM writes the provider into the name
        ("litellm_proxy/openai/gpt-4o", "openai/gpt-4o"),
        ("xai/grok-4", "x-ai/grok-4-0709"),
        # open models, whose makers sell them under these names
        ("glm-4.6", "zai/GLM-4.6"),
        ("glm-4.5-airx", "zai/GLM-4.5-AirX"),
        ("kimi-k2-turbo-preview", "moonshotai/kimi-k2-turbo-preview"),
        ("MiniMax-M2", "minimax/MiniMax-M2"),
        ("deepseek-chat", "deepseek/deepseek-chat"),
        ("claude-3-7-sonnet:thinking", "anthropic/claude-3-7-sonnet-latest"),  # a variant, and no server of one's own
    ],
)
def test_names_as_logs_write_them(list_book: PriceBook, logged: str, meant: str) -> None:
    assert str(list_book.resolve(logged)) == meant


@pytest.mark.parametrize(
    ("provider", "logged", "meant"),
    [
        ("openai", "gpt-4o", "openai/gpt-4o"),
        ("openai", "openai/gpt-4o", "openai/gpt-4o"),
        ("openrouter", "openai/gpt-4o", "openrouter/openai/gpt-4o"),
        ("aws.bedrock", "anthropic.claude-3-haiku-20240307-v1:0", None),
        ("gcp.vertex_ai", "claude-opus-4-6", "google/claude-opus-4-6"),
        ("litellm", "anthropic/claude-opus-4-6", "anthropic/claude-opus-4-6"),
        ("", "gpt-4o", "openai/gpt-4o"),
        ("openai", "claude-opus-4-6", "unpriced"),
        ("x_ai", "grok-4", "x-ai/grok-4-0709"),  # as the OpenTelemetry conventions name it
        ("google_genai", "gemini-2.5-flash", "google/gemini-2.5-flash"),  # LangChain
        ("google_vertexai", "claude-opus-4-6", "google/claude-opus-4-6"),
        ("amazon_bedrock", "anthropic.claude-3-haiku-20240307-v1:0", None),
        ("vertex-ai", "gemini-2.5-flash", "google/gemini-2.5-flash"),  # Portkey
        ("azure-openai-responses", "gpt-4o", "openai/gpt-4o"),  # pi
        ("vercel", "anthropic/claude-opus-4.6", "anthropic/claude-opus-4-6"),  # at the provider's list price
        ("gateway", "xai/grok-4", "x-ai/grok-4-0709"),
        ("gateway", "gpt-4o", "unpriced"),  # anybody's gateway
    ],
)
def test_a_stated_provider_is_the_one_meant(
    list_book: PriceBook, provider: str, logged: str, meant: str | None
) -> None:
    found = list_book.resolve(logged, provider)
    if meant is None:  # which of Bedrock's entries is genai-prices' business; that it is Bedrock's is ours
        assert found is not None
        assert found.provider == "aws"
    else:
        assert (str(found) if found else "unpriced") == meant


@pytest.mark.parametrize(
    "logged",
    [
        "myproxy/gpt-4o",  # a proxy's name says nothing of prices
        "claude-unknown-9",
        "anthropic/claude-quux-7",
        "openrouter/anthropic/claude-opus-4-6",  # OpenRouter spells it 4.6
        "gpt-4o-my-finetune",
        "ft:gpt-4o:acme",
        "azure/my-deployment",
        "kimi-for-coding",
        "kimi-coding/kimi-for-coding",
        "glm-4.7",  # z.ai and bigmodel.cn, of the same maker, sell it at two prices
        "deepseek-r1:70b",  # Ollama's tags
        "kimi-k2.5:cloud",
        "gemini-2.5-pro:cloud",
        "gpt-oss-20b",  # OpenAI publishes it and does not serve it
        "deepseek-r1-distill-qwen-7b",
        "qwen3-coder-plus",
        "anthropic/",
        "/",
        "",
    ],
)
def test_an_unknown_name_is_unpriced_and_never_the_nearest(list_book: PriceBook, logged: str) -> None:
    assert list_book.resolve(logged) is None


def test_what_a_suffix_means_is_for_genai_prices_own_clauses_to_say(list_book: PriceBook) -> None:
    """Its clause for Opus 4.6 is "starts with": a variant that it does not know yet is priced as that model."""
    assert str(list_book.resolve("claude-opus-4-6-some-variant")) == "anthropic/claude-opus-4-6"
    assert list_book.resolve("gpt-5-some-variant") is None


def test_a_free_variant_costs_nothing_until_an_overlay_says_otherwise(tmp_path: Path, list_book: PriceBook) -> None:
    name = "openrouter/deepseek/deepseek-chat-v3-0324:free"
    key = list_book.resolve(name)
    assert key == ModelKey("openrouter", "deepseek/deepseek-chat-v3-0324:free")
    assert {row.usd for row in list_book.rows(key)} == {0}
    file = tmp_path / "sold.yaml"
    file.write_text(f'book: sold\nsource: x\nmodels: [{{model: "{name}", usd_per_mtok: {{input: 1, output: 2}}}}]')
    book = open_book("list", [file])
    found = book.price(key, "input", at=datetime(2026, 10, 5, tzinfo=UTC))
    assert found
    assert found.usd == 1


def test_a_proxys_provider_is_unpriced(list_book: PriceBook) -> None:
    assert list_book.resolve("gpt-4o", "my-openai-proxy") is None


def test_kimi_for_coding_is_never_priced_at_moonshots_prices() -> None:
    """Moonshot sells Kimi K2 per token; Kimi for Coding is another product."""
    for book in (open_book(), open_book("article-2026")):
        for provider in ("moonshotai", "moonshot"):
            assert book.resolve("kimi-for-coding", provider) is None
    assert str(open_book("article-2026").resolve("kimi-for-coding", "kimi-coding")) == "kimi-coding/kimi-for-coding"


@pytest.mark.slow
def test_every_priced_key_of_the_list_finds_itself(list_book: PriceBook) -> None:
    for key in filter(list_book.rows, list_book.keys()):
        assert list_book.resolve(str(key)) == key, key
        assert list_book.resolve(key.model, key.provider) == key, key


@pytest.mark.parametrize(
    ("model", "priced"),
    [
        ("openai/gpt-5.5-20260424", "openai/gpt-5.5"),
        ("openai/gpt-5.5:nitro", "openai/gpt-5.5"),
        ("anthropic/claude-opus-4.7:floor", "anthropic/claude-opus-4.7"),
        ("anthropic/claude-opus-4.7:online", "anthropic/claude-opus-4.7"),
        ("anthropic/claude-3.7-sonnet:thinking", "anthropic/claude-3.7-sonnet"),
        ("openai/gpt-4o:extended", "openai/gpt-4o:extended"),  # at a price of its own
        ("anthropic/claude-4-opus-20250522", "anthropic/claude-opus-4"),
        ("anthropic/claude-4.6-opus-fast-20260205", "anthropic/claude-opus-4.6-fast"),
        ("anthropic/claude-opus-4.6-fast", "anthropic/claude-opus-4.6-fast"),
    ],
)
def test_openrouters_dated_and_routed_names_are_the_model(model: str, priced: str) -> None:
    assert canonical(model, "openrouter") == ModelKey("openrouter", priced)


def test_what_openrouter_gives_for_nothing_is_not_priced_as_what_it_sells() -> None:
    for name in ("openai/gpt-5.5:free", "openrouter/openai/gpt-5.5:free"):
        assert canonical(name, "openrouter") == ModelKey("openrouter", "openai/gpt-5.5:free")


def test_an_arn_of_an_inference_profile_names_its_model() -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-7-v1:0"
    assert canonical(arn, "aws") == ModelKey("aws", "regional.anthropic.claude-opus-4-7-v1:0")


@pytest.mark.parametrize(
    ("provider", "model", "meant"),
    [
        ("aws", "amazon.nova-2-lite-v1:0", "aws/regional.amazon.nova-2-lite-v1:0"),
        (None, "us.moonshotai.kimi-k3", "aws/regional.moonshotai.kimi-k3"),
        ("google", "publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("google", "projects/p/locations/global/publishers/anthropic/models/claude-sonnet-4-5@20250929",
         "google/claude-sonnet-4-5"),
    ],
)  # fmt: skip
def test_clouds_full_names_and_models_of_one_region(provider: str | None, model: str, meant: str) -> None:
    assert str(canonical(model, provider)) == meant
