"""Stacks of price books by worked examples: what an overlay adds, overrides, multiplies and makes flat."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from costsim.pricing.book import PriceBook, open_book
from costsim.pricing.rows import ModelKey, PriceRow
from hypothesis import given
from hypothesis import strategies as st

WriteBook = Callable[..., Path]

HAIKU = ModelKey("anthropic", "claude-haiku-4-5")
OURS = ModelKey("acme", "one")
FREE = Decimal(0)
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


def usd(book: PriceBook, key: ModelKey, token_class: str = "input", **how: object) -> Decimal | None:
    at, processing = how.get("at", MARCH), str(how.get("processing", "standard"))
    assert isinstance(at, datetime)
    size = int(str(how.get("input_tokens", 0)))
    row = book.price(key, token_class, at=at, input_tokens=size, processing=processing)
    return row.usd if row else None


# Adding and overriding


def test_an_overlay_adds_a_model(write_book: WriteBook) -> None:
    file = write_book("models: [{model: acme/one, usd_per_mtok: {input: 2, output: 8}, context_window: 9000}]")
    book = open_book("list", [file])
    assert book.resolve("ACME/One") == OURS
    assert book.resolve("one", "acme") == OURS
    assert (usd(book, OURS), usd(book, OURS, "output"), usd(book, OURS, "web_search")) == (Decimal(2), Decimal(8), None)
    assert book.context_window(OURS) == 9000
    assert usd(book, HAIKU) == 1


def test_cached_tokens_of_a_model_without_cache_prices_cost_what_input_costs(write_book: WriteBook) -> None:
    book = open_book("list", [write_book("models: [{model: acme/one, usd_per_mtok: {input: 2}}]")])
    assert {usd(book, OURS, name) for name in ("cache_read", "cache_write_5m", "cache_write_1h")} == {Decimal(2)}


def test_a_stated_cache_price_is_kept_and_the_others_fall_back(write_book: WriteBook) -> None:
    book = open_book("list", [write_book("models: [{model: a/b, usd_per_mtok: {input: 2, cache_read: 0.2}}]")])
    key = ModelKey("a", "b")
    assert usd(book, key, "cache_read") == Decimal("0.2")
    assert usd(book, key, "cache_write_5m") == 2


def test_an_override_leaves_the_cache_prices_of_the_list(write_book: WriteBook) -> None:
    book = open_book("list", [write_book(f"models: [{{model: {HAIKU}, usd_per_mtok: {{input: 0.5}}}}]")])
    assert usd(book, HAIKU) == Decimal("0.5")
    assert usd(book, HAIKU, "cache_read") == Decimal("0.1")


def test_a_dated_override_begins_and_ends_at_midnight_utc(write_book: WriteBook) -> None:
    file = write_book(
        f"models: [{{model: {HAIKU}, usd_per_mtok: {{input: 0.5}}, valid_from: 2026-03-01, valid_to: 2026-04-01}}]"
    )
    book = open_book("list", [file])
    edges = [
        datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 3, 1, tzinfo=UTC),
        datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 4, 1, tzinfo=UTC),
    ]
    assert [usd(book, HAIKU, at=at) for at in edges] == [1, Decimal("0.5"), Decimal("0.5"), 1]
    year = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 9, 1, tzinfo=UTC)
    assert [edges[1], edges[3]] == [at for at in book.boundaries(HAIKU, "standard", *year) if at.month in (3, 4)]


def test_a_zone_is_taken_as_it_is_given(write_book: WriteBook) -> None:
    """Midnight in Tokyo is 15:00 UTC of the day before."""
    file = write_book('models: [{model: acme/one, usd_per_mtok: {input: 1}, valid_from: "2026-03-02T00:00:00+09:00"}]')
    book = open_book("list", [file])
    assert usd(book, OURS, at=datetime(2026, 3, 1, 14, 59, tzinfo=UTC)) is None
    assert usd(book, OURS, at=datetime(2026, 3, 1, 15, 0, tzinfo=UTC)) == 1


def test_an_overlays_tier_begins_at_its_size(write_book: WriteBook) -> None:
    file = write_book(
        "models: [{model: acme/one, usd_per_mtok: {input: 1},"
        " tiers: [{min_input_tokens: 1000, usd_per_mtok: {input: 2}}]}]"
    )
    book = open_book("list", [file])
    assert [usd(book, OURS, input_tokens=size) for size in (0, 999, 1000, 10**9)] == [1, 1, 2, 2]
    assert book.thresholds(OURS, "standard") == (1000,)


def test_a_processing_level_without_prices_costs_the_standard_price(write_book: WriteBook) -> None:
    file = write_book(
        "models: [{model: a/b, usd_per_mtok: {input: 4}}, {model: a/b, processing: batch, usd_per_mtok: {input: 2}}]"
    )
    book, key = open_book(file), ModelKey("a", "b")
    assert [usd(book, key, processing=level) for level in ("standard", "batch", "flex")] == [4, 2, 4]


def test_searches_and_requests_are_priced_by_the_thousand(write_book: WriteBook) -> None:
    file = write_book("models: [{model: a/b, usd_per_thousand: {web_search: 10, request: 5}}]")
    row = open_book(file).price(ModelKey("a", "b"), "web_search", at=MARCH)
    assert row is not None
    assert (row.usd, row.per) == (Decimal(10), 1_000)
    assert row.usd_per_unit == Decimal("0.01")


def test_the_later_overlay_wins(write_book: WriteBook) -> None:
    files = [
        write_book(f"models: [{{model: acme/one, usd_per_mtok: {{input: {price}}}}}]", f"v{price}.yaml")
        for price in (2, 3)
    ]
    assert usd(open_book("list", files), OURS) == 3
    assert usd(open_book("list", files[::-1]), OURS) == 2


# Multipliers


def test_a_regions_multiplier_scales_every_class_processing_and_tier(
    list_book: PriceBook, write_book: WriteBook
) -> None:
    file = write_book("multipliers: [{provider: google, multiplier: 1.1, reason: EU}]")
    book, key = open_book("list", [file]), ModelKey("google", "gemini-2.5-pro")
    for token_class in ("input", "output", "cache_read"):
        for size in (1_000, 200_000, 200_001):
            for processing in ("standard", "batch"):
                how = {"input_tokens": size, "processing": processing}
                before = usd(list_book, key, token_class, **how)
                assert before
                assert usd(book, key, token_class, **how) == before * Decimal("1.1")
    assert usd(book, HAIKU) == usd(list_book, HAIKU)
    assert book.thresholds(key, "standard") == (200_001,)


def test_a_multiplier_scales_all_layers_beneath_and_keeps_their_order(write_book: WriteBook) -> None:
    """List 1.00, from June the contract's 0.80; x 1.5 in the EU: 1.50, then 1.20."""
    contract = write_book(
        f"models: [{{model: {HAIKU}, usd_per_mtok: {{input: 0.8}}, valid_from: 2026-06-01}}]", "contract.yaml"
    )
    region = write_book("multipliers: [{provider: anthropic, multiplier: 1.5, reason: EU}]", "region.yaml")
    book = open_book("list", [contract, region])
    june = datetime(2026, 6, 1, tzinfo=UTC)
    assert [usd(book, HAIKU), usd(book, HAIKU, at=june)] == [Decimal("1.5"), Decimal("1.2")]


def test_a_layer_above_a_multiplier_is_not_scaled(write_book: WriteBook) -> None:
    region = write_book("multipliers: [{provider: anthropic, multiplier: 1.5, reason: EU}]", "region.yaml")
    contract = write_book(f"models: [{{model: {HAIKU}, usd_per_mtok: {{input: 0.8}}}}]", "contract.yaml")
    book = open_book("list", [region, contract])
    assert [usd(book, HAIKU), usd(book, HAIKU, "output")] == [Decimal("0.8"), Decimal("7.5")]


def test_multipliers_of_one_book_multiply(write_book: WriteBook) -> None:
    """1.00 x 1.1 (region) x 0.9 (discount) = 0.99; output is not discounted: 5.00 x 1.1 = 5.50."""
    file = write_book(
        "multipliers:\n"
        "  - {provider: anthropic, multiplier: 1.1, reason: EU}\n"
        f"  - {{model: {HAIKU}, multiplier: 0.9, reason: discount, classes: [input]}}\n"
    )
    book = open_book("list", [file])
    assert [usd(book, HAIKU), usd(book, HAIKU, "output")] == [Decimal("0.99"), Decimal("5.5")]


def test_a_dated_multiplier_ends(write_book: WriteBook) -> None:
    file = write_book(
        "multipliers: [{provider: anthropic, multiplier: 2, reason: x, valid_from: 2026-03-01, valid_to: 2026-03-02}]"
    )
    book = open_book("list", [file])
    days = [datetime(2026, 2, 28, tzinfo=UTC), MARCH, datetime(2026, 3, 2, tzinfo=UTC)]
    assert [usd(book, HAIKU, at=at) for at in days] == [1, 2, 1]


def test_a_multiplied_price_names_its_reason_and_its_source(write_book: WriteBook) -> None:
    file = write_book("multipliers: [{provider: anthropic, multiplier: 1.1, reason: EU residency}]")
    row = open_book("list", [file]).price(HAIKU, "input", at=MARCH)
    assert row is not None
    assert row.source.startswith("genai-prices ")
    assert row.source.endswith("input_mtok x 1.1 (EU residency)")


def test_a_rate_for_every_month_keeps_the_stack_small(write_book: WriteBook) -> None:
    """Rows of spans that do not meet are not multiplied with each other; layers stay numbers that a table holds."""
    months = [f"{2020 + n // 12}-{n % 12 + 1:02}-01" for n in range(97)]
    lines = [
        f"  - {{provider: anthropic, multiplier: 1.{n:02}, reason: rate, valid_from: {start}, valid_to: {end}}}\n"
        for n, (start, end) in enumerate(pairwise(months))
    ]
    book = open_book("list", [write_book("multipliers:\n" + "".join(lines))])
    assert usd(book, HAIKU) == Decimal("1.74")  # 2026-03 is month 74 from 2020-01
    assert len(book.rows(HAIKU)) < 97 * 40
    assert max(row.layer for row in book.rows(HAIKU)) < 200


def test_twenty_multipliers_on_everything_keep_the_stack_small(write_book: WriteBook) -> None:
    file = write_book("multipliers:\n" + '  - {provider: "*", multiplier: 1.1, reason: again}\n' * 20)
    book, bare = open_book("list", [file]), open_book()
    assert len(book.rows(HAIKU)) == len(bare.rows(HAIKU))


# Subscriptions

PLAN = f"""
subscriptions:
  - name: max
    models: [{HAIKU}]
    usd_per_day: 3.3
    valid_from: 2026-03-01
    valid_to: 2026-04-01
"""


def test_a_subscriptions_calls_cost_nothing_and_keep_the_list_price_as_shadow(write_book: WriteBook) -> None:
    book = open_book("list", [write_book(PLAN)])
    row = book.price(HAIKU, "output", at=MARCH)
    assert row is not None
    assert (row.usd, row.shadow_usd) == (FREE, Decimal(5))
    (subscription,) = book.subscriptions
    assert subscription.covers(HAIKU)
    assert subscription.usd_per_day == Decimal("3.3")


def test_outside_its_dates_a_subscription_is_not_there(write_book: WriteBook) -> None:
    book, april = open_book("list", [write_book(PLAN)]), datetime(2026, 4, 1, tzinfo=UTC)
    row = book.price(HAIKU, "output", at=april)
    assert row is not None
    assert (row.usd, row.shadow_usd) == (Decimal(5), None)
    assert not any(subscription.valid_at(april) for subscription in book.subscriptions)


def test_a_renewed_subscription_keeps_the_shadow_price(write_book: WriteBook) -> None:
    book = open_book("list", [write_book(PLAN, "a.yaml"), write_book(PLAN, "b.yaml")])
    row = book.price(HAIKU, "output", at=MARCH)
    assert row is not None
    assert (row.usd, row.shadow_usd) == (FREE, Decimal(5))


def test_a_subscription_to_a_model_that_nobody_prices(write_book: WriteBook) -> None:
    """Input has the stated shadow price, cached input that of input, output none: still no cost at the margin."""
    file = write_book(
        "subscriptions: [{name: s, models: [acme/one], usd_per_day: 1, shadow_usd_per_mtok: {input: 0.3}}]"
    )
    book = open_book("list", [file])
    assert book.resolve("acme/one") == OURS
    rows = [book.price(OURS, name, at=MARCH) for name in ("input", "cache_read", "output")]
    found = [(row.usd, row.shadow_usd) for row in rows if row]
    assert found == [(FREE, Decimal("0.3")), (FREE, Decimal("0.3")), (FREE, None)]


def test_a_subscription_wins_over_its_own_books_prices(write_book: WriteBook) -> None:
    file = write_book(
        "models: [{model: acme/one, usd_per_mtok: {input: 2}}]\n"
        "subscriptions: [{name: s, models: [acme/one], usd_per_day: 1}]"
    )
    row = open_book("list", [file]).price(OURS, "input", at=MARCH, processing="batch")
    assert row is not None
    assert (row.usd, row.shadow_usd) == (FREE, Decimal(2))


# Daily windows


def window(start: time, end: time) -> PriceRow:
    return PriceRow("a", "b", "input", "standard", 0, None, None, start, end, Decimal(1), 1, "", "")


@given(st.times(), st.times(), st.times())
def test_a_daily_window_and_its_complement_cover_the_day_once(start: time, end: time, clock: time) -> None:
    at = datetime.combine(MARCH.date(), clock, UTC)
    if start != end:
        assert window(start, end).applies(at) != window(end, start).applies(at)


# The article's book

ARTICLE = {  # "Current approximate pricing per million tokens (input/output)"
    "anthropic/claude-opus-4-6": ("15", "75"),
    "anthropic/claude-sonnet-4-6": ("3", "15"),
    "anthropic/claude-sonnet-4-5": ("3", "15"),
    "anthropic/claude-haiku-4-5": ("0.80", "4"),
    "kimi-coding/kimi-for-coding": ("0.30", "1.50"),
    "google/gemini-2.5-pro": ("1.25", "10"),
    "openai/gpt-4o": ("5", "15"),
}


def test_the_articles_book_is_its_table_verbatim() -> None:
    book = open_book("article-2026")
    assert book.layers[0].stale
    found = {str(key): (usd(book, key), usd(book, key, "output")) for key in book.keys()}
    assert found == {name: (Decimal(a), Decimal(b)) for name, (a, b) in ARTICLE.items()}


def test_a_model_that_the_article_does_not_name_is_unpriced_in_its_book() -> None:
    assert open_book("article-2026").resolve("openai/gpt-5") is None


# Hashes


def test_the_same_stack_has_the_same_hash(write_book: WriteBook) -> None:
    file = write_book(PLAN)
    assert open_book("list", [file]).hash == open_book("list", [file]).hash
    assert len(open_book().hash) == 64


def test_any_change_of_content_or_order_changes_the_hash(write_book: WriteBook) -> None:
    a = write_book("models: [{model: acme/one, usd_per_mtok: {input: 2}}]", "a.yaml")
    b = write_book("models: [{model: acme/one, usd_per_mtok: {input: 3}}]", "b.yaml")
    stacks: list[tuple[str, list[Path]]] = [
        ("list", []),
        ("article-2026", []),
        ("list", [a]),
        ("list", [b]),
        ("list", [a, b]),
        ("list", [b, a]),
    ]
    assert len({open_book(base, overlays).hash for base, overlays in stacks}) == len(stacks)


def test_a_hash_does_not_depend_on_where_the_file_lies(tmp_path: Path) -> None:
    hashes = set()
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / "prices.yaml"
        file.write_text("book: ours\nsource: x\nmodels: [{model: a/b, usd_per_mtok: {input: 1}}]", "utf-8")
        hashes.add(open_book("list", [file]).hash)
    assert len(hashes) == 1


def test_a_moment_without_a_zone_is_utc(list_book: PriceBook) -> None:
    key = ModelKey("deepseek", "deepseek-chat")
    aware, naive = datetime(2025, 5, 1, 16, 29, tzinfo=UTC), datetime(2025, 5, 1, 16, 29)
    assert usd(list_book, key, at=naive) == usd(list_book, key, at=aware)
