"""The book `list`: the snapshot, and rows of our own that it lacks."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.pricing import book, snapshot, sources
from costsim.pricing.book import open_book
from costsim.pricing.overlay import read_book
from costsim.pricing.rows import ModelKey, processings
from costsim.pricing.sources import own_rows

OPUS = ModelKey("anthropic", "claude-opus-4-6")


def usd(key: ModelKey, name: str, processing: str, day: str = "2026-10-05", tokens: int = 0, *files: Path) -> Decimal:
    at = datetime.fromisoformat(day).replace(tzinfo=UTC)
    row = open_book("list", files).price(key, name, at=at, input_tokens=tokens, processing=processing)
    assert row is not None
    return row.usd


def test_every_row_of_ours_names_its_page_and_when_it_was_read() -> None:
    content = own_rows().content
    sources = [entry.source for entry in content.models] + [region.source for region in content.regions]
    for source in sources:
        assert source.startswith("https://")
        assert "read 20" in source


def test_the_snapshot_wins_where_it_has_a_row() -> None:
    for key, rows in own_rows().rows.items():
        known = {(row.processing, row.token_class) for row in snapshot.rows(key)}
        assert not known & {(row.processing, row.token_class) for row in rows}, f"{key} is in genai-prices now"


def test_a_model_that_the_snapshot_lacks_is_priced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rows.yaml"
    file.write_text(
        "book: own\nsource: page\nmodels: [{model: openai/gpt-99-new, usd_per_mtok: {input: 7, output: 9}, source: page}]\n"
    )
    monkeypatch.setattr(sources, "own_rows", lambda: read_book(file))
    for module in (sources, book):  # nothing of it may be kept for later runs
        monkeypatch.setattr(module, "kept", lambda kind, asked, compute, *to_json: compute())
    new, prices = ModelKey("openai", "gpt-99-new"), open_book()
    assert new in prices.keys()
    assert prices.resolve("gpt-99-new", "openai") == prices.resolve("OpenAI/gpt-99-new") == new
    assert prices.resolve("openai/gpt-99-newer") is None
    found = prices.price(new, "input", at=datetime(2026, 10, 5, tzinfo=UTC))
    assert found is not None
    assert found.usd == 7
    sources.rows.cache_clear()


@pytest.mark.parametrize(
    ("day", "tokens", "price"), [("2026-02-10", 0, 30), ("2026-02-10", 200_001, 60), ("2026-04-20", 900_000, 30)]
)
def test_fast_opus_cost_twice_above_200k_until_march(day: str, tokens: int, price: int) -> None:
    assert usd(OPUS, "input", "fast", day, tokens) == price


@pytest.mark.parametrize(
    ("processing", "price"),
    [("standard/us", "5.5"), ("fast/us", "33"), ("standard/eu", "5"), ("priority/us", "5.5")],
)
def test_a_region_multiplies_whatever_the_level(processing: str, price: str) -> None:
    assert usd(OPUS, "input", processing) == Decimal(price)


def test_a_region_multiplies_a_negotiated_price_too(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "book: ours\nsource: contract\nmodels: [{model: anthropic/claude-opus-4-6, usd_per_mtok: {input: 4}}]\n"
    )
    assert usd(OPUS, "input", "standard/us", "2026-10-05", 0, tmp_path / "p.yaml") == Decimal("4.4")


def test_a_model_from_before_has_no_regional_price() -> None:
    assert usd(ModelKey("anthropic", "claude-haiku-4-5"), "input", "standard/us") == 1


def test_searches_cost_the_same_everywhere() -> None:
    assert usd(OPUS, "web_search", "standard/us") == 10


def test_the_next_best_row_keeps_the_level_before_the_region() -> None:
    assert processings("fast/us") == ("fast/us", "fast", "standard/us", "standard")
    assert processings("batch") == ("batch", "standard")
    assert processings("standard") == ("standard",)


def test_audio_that_the_snapshot_prices_as_text_has_rows_of_ours() -> None:
    audio, mini = (ModelKey("openai", name) for name in ("gpt-4o-audio-preview", "gpt-4o-mini-audio-preview"))
    assert (usd(audio, "input_audio", "standard"), usd(audio, "output_audio", "standard")) == (40, 80)
    assert (usd(mini, "input_audio", "standard"), usd(mini, "output_audio", "standard")) == (10, 20)
    # before the page's prices, and of images, the text's: no row says another
    assert (
        usd(audio, "input_audio", "standard", "2024-11-01") == usd(audio, "input_image", "standard") == Decimal("2.5")
    )
