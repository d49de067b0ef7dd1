"""What people ask of a price book: list, show, compare."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.errors import UnpricedError
from costsim.pricing.book import PriceBook, open_book
from costsim.pricing.queries import diff_books, list_prices, show_model
from costsim.pricing.rows import ModelKey

WriteBook = Callable[..., Path]
MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


def names(book: PriceBook, pattern: str | None, at: datetime = MARCH) -> set[str]:
    return {f"{row.provider}/{row.model}" for row in list_prices(book, pattern, at)}


def test_a_pattern_is_a_glob_or_a_part_of_the_name_in_any_case(list_book: PriceBook) -> None:
    assert "anthropic/claude-haiku-4-5" in names(list_book, "Anthropic/*HAIKU*")
    assert {name.split("/")[0] for name in names(list_book, "anthropic/*haiku*")} == {"anthropic"}
    assert "openrouter/anthropic/claude-haiku-4.5" in names(list_book, "claude-haiku")
    assert names(list_book, "no such model") == set()


def test_the_list_shows_the_prices_in_force_at_a_date(tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(
        "book: b\nsource: x\nmodels:\n"
        "  - {model: acme/one, usd_per_mtok: {input: 1}, valid_to: 2026-03-01}\n"
        "  - {model: acme/one, usd_per_mtok: {input: 2}, valid_from: 2026-03-01}\n"
    )
    book = open_book(file)
    found = [
        [row.usd for row in list_prices(book, "acme/*", at) if row.token_class == "input"]
        for at in (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC))
    ]
    assert found == [[1], [2]]


@pytest.mark.slow
def test_the_whole_list_has_a_row_per_model_and_class(list_book: PriceBook) -> None:
    rows = list_prices(list_book, None, MARCH)
    keys = [(row.provider, row.model, row.token_class) for row in rows]
    assert len(keys) == len(set(keys)) > 5_000
    assert all(row.processing == "standard" and row.min_input_tokens == 0 for row in rows)


def test_show_tells_everything_of_a_model(list_book: PriceBook) -> None:
    assert show_model(list_book, "claude-haiku-4-5-20251001").context_window == 200_000
    found = show_model(list_book, "gemini-2.5-pro")
    assert found.key == ModelKey("google", "gemini-2.5-pro")
    assert set(found.rows) == set(list_book.rows(found.key))
    assert found.rows[0].token_class == "input"
    assert {row.min_input_tokens for row in found.rows} == {0, 200_001}


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("anthropic/claude-hiaku-4-5", "did you mean 'anthropic/claude-haiku-4-5'?"),
        ("claude-hiaku-4-5", "did you mean 'claude-haiku-4-5'?"),
    ],
)
def test_show_of_an_unknown_model_offers_a_near_name_and_prices_nothing(
    list_book: PriceBook, asked: str, near: str
) -> None:
    with pytest.raises(UnpricedError) as caught:
        show_model(list_book, asked)
    assert near in str(caught.value)
    assert list_book.resolve(asked) is None


@pytest.mark.slow
def test_a_book_does_not_differ_from_itself(list_book: PriceBook) -> None:
    assert diff_books(list_book, open_book(), MARCH) == []


@pytest.mark.slow
def test_a_difference_has_both_rows_and_a_percentage(list_book: PriceBook, write_book: WriteBook) -> None:
    """1.00 to 1.10 is +10 %; 5.00 to 4.00 is -20 %; cache prices stay."""
    file = write_book(
        "models: [{model: anthropic/claude-haiku-4-5, usd_per_mtok: {input: 1.1, output: 4}},"
        " {model: acme/one, usd_per_mtok: {output: 3}}]"
    )
    contract = open_book("list", [file])
    found = {
        (str(d.key), d.token_class): (
            d.kind,
            d.before.usd if d.before else None,
            d.after.usd if d.after else None,
            d.percent,
        )
        for d in diff_books(list_book, contract, MARCH)
    }
    haiku = "anthropic/claude-haiku-4-5"
    assert found == {
        (haiku, "input"): ("changed", Decimal(1), Decimal("1.1"), Decimal(10)),
        (haiku, "output"): ("changed", Decimal(5), Decimal(4), Decimal(-20)),
        ("acme/one", "output"): ("added", None, Decimal(3), None),
    }
    back = diff_books(contract, list_book, MARCH, "acme/*")
    assert [(d.kind, str(d.key)) for d in back] == [("removed", "acme/one")]


def test_from_free_to_a_price_there_is_no_percentage(write_book: WriteBook) -> None:
    free = open_book(write_book("models: [{model: a/b, usd_per_mtok: {output: 0}}]", "free.yaml"))
    paid = open_book(write_book("models: [{model: a/b, usd_per_mtok: {output: 1}}]", "paid.yaml"))
    assert [d.percent for d in diff_books(free, paid, MARCH)] == [None]
    assert [d.percent for d in diff_books(paid, free, MARCH)] == [-100]
