"""The base book `list`: half-price levels hold on the days before genai-prices began to list them too."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from costsim.pricing.book import open_book

BEFORE = datetime(2026, 10, 5, tzinfo=UTC)  # genai-prices 0.2.3 lists flex from 12 October, batch from 14 October 2026


@pytest.mark.parametrize(
    ("model", "level", "token_class", "usd"),
    [
        ("openai/gpt-5-nano", "flex", "input", "0.025"),  # half of 0.05
        ("openai/gpt-5-nano", "flex", "output", "0.2"),  # half of 0.4
        ("openai/gpt-5", "batch", "cache_read", "0.0625"),  # half of 0.125
        ("openai/gpt-5", "batch", "web_search", "10"),  # searches have no discount
        ("anthropic/claude-haiku-4-5", "batch", "output", "2.5"),  # half of 5
        ("google/gemini-2.5-pro", "batch", "input", "0.625"),  # half of 1.25
    ],
)
def test_a_half_price_level_is_older_than_its_listing(model: str, level: str, token_class: str, usd: str) -> None:
    book = open_book("list")
    key = book.resolve(model)
    assert key
    row = book.price(key, token_class, at=BEFORE, processing=level)
    assert row
    assert (row.processing, row.usd) == (level, Decimal(usd))


def test_bedrocks_batches_cost_half_though_no_list_has_them() -> None:
    """Nova Lite: 0.06, 0.24 and, where a bill has them in a batch, 0.015 a million for cached tokens."""
    book = open_book("list")
    key = book.resolve("aws/amazon.nova-lite-v1:0")
    assert key
    found = {name: book.price(key, name, at=BEFORE, processing="batch") for name in ("input", "output", "cache_read")}
    assert {name: row and (row.processing, row.usd) for name, row in found.items()} == {
        "input": ("batch", Decimal("0.03")),
        "output": ("batch", Decimal("0.12")),
        "cache_read": ("batch", Decimal("0.0075")),
    }


def test_moderations_are_free_and_not_unknown() -> None:
    book = open_book("list")
    key = book.resolve("openai/omni-moderation-latest")
    assert key
    row = book.price(key, "input", at=BEFORE)
    assert row
    assert row.usd == 0


def test_half_price_rows_follow_the_standard_tiers() -> None:
    book = open_book("list")
    key = book.resolve("google/gemini-2.5-pro")
    assert key
    # over 200,000 input tokens the standard price is 2.50
    row = book.price(key, "input", at=BEFORE, processing="batch", input_tokens=300_000)
    assert row
    assert row.usd == Decimal("1.25")


def test_a_surcharge_is_as_many_times_the_standard_price_before_its_listing() -> None:
    # gpt-5 at 1.25, priority at 2.5; gpt-5.6-sol at 5 until 2026-08-21, then 4, priority at 8: twice the standard price
    book = open_book("list")
    for model, at, usd in (("gpt-5", BEFORE, "2.5"), ("gpt-5.6-sol", datetime(2026, 8, 1, tzinfo=UTC), "10")):
        key = book.resolve(f"openai/{model}")
        assert key
        row = book.price(key, "input", at=at, processing="priority")
        assert row
        assert (row.processing, row.usd) == ("priority", Decimal(usd))
