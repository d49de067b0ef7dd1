"""What a model can do: from the price list's data where they say it, else from its name, else unknown."""

from __future__ import annotations

from pathlib import Path

import pytest
from costsim.analysis.routing.kinds import can_replace, model_kind, takes
from costsim.pricing.book import open_book
from costsim.pricing.overlay import read_book

BOOK = open_book("list")
HAIKU = "anthropic/claude-haiku-4-5"


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("voyageai/voyage-3.5", "embedding"),  # its description says so, its name does not
        ("groq/canopylabs/orpheus-v1-english", "speech"),  # priced per million characters
        ("openai/gpt-live-1", "speech"),  # priced per hour of audio
        ("mistral/mistral-ocr-latest", "document"),  # priced per thousand pages
        ("perplexity/pplx-decider-v1.2", "other"),  # a price for input and none for output: it answers no text
        ("google/gemini-omni-flash-preview", "video"),
        ("openai/moderation", "moderation"),
        (HAIKU, "chat"),
    ],
)
def test_a_models_kind_is_what_the_price_list_shows(model: str, kind: str) -> None:
    assert model_kind(model, BOOK) == kind
    assert can_replace(model, HAIKU, BOOK) == (kind == "chat")


def test_tools_and_images_are_known_where_the_price_list_says_so() -> None:
    assert takes("x-ai/grok-4.5", "tools", BOOK) is True  # "text and image inputs …, function calling"
    assert takes("x-ai/grok-4.5", "images", BOOK) is True
    assert takes("aws/amazon.nova-micro-v1:0", "images", BOOK) is False  # "a text-only model"
    assert takes(HAIKU, "tools", BOOK) is None
    assert takes("openai/text-embedding-3-small", "tools", BOOK) is False


def test_a_price_file_states_what_a_model_is_and_takes(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(
        "book: ours\nsource: test\nmodels:\n"
        "  - {model: lab/plain, kind: moderation, usd_per_mtok: {input: 1, output: 1}}\n"
        f"  - {{model: {HAIKU}, takes: [tools], usd_per_mtok: {{input: 1, output: 5}}}}\n"
    )
    book = open_book("list", [file])
    assert model_kind("lab/plain", book) == "moderation"
    assert not can_replace("lab/plain", HAIKU, book)
    assert (takes(HAIKU, "tools", book), takes(HAIKU, "images", book)) == (True, False)
    assert read_book(file).kinds


def test_a_kind_that_nobody_knows_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text("book: ours\nsource: test\nmodels: [{model: lab/plain, kind: chatty, usd_per_mtok: {input: 1}}]\n")
    with pytest.raises(Exception, match=r"prices\.yaml:3.*kind"):
        read_book(file)
