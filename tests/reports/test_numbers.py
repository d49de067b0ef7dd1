"""Numbers as people read them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from costsim.money import format_amount, format_cents, format_exact, format_price, format_range, format_usd
from costsim.reports.numbers import count, percent
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0"),
        ("0.0000004", "<$0.000001"),
        ("0.00123", "$0.0012"),
        ("0.05", "$0.05"),
        ("0.0281", "$0.028"),
        ("0.1", "$0.10"),
        ("0.996", "$1.00"),
        ("1.234", "$1.23"),
        ("313.125", "$313.12"),
        ("999.994", "$999.99"),
        ("999.996", "$1.0k"),
        ("1234", "$1.2k"),
        ("12345", "$12.3k"),
        ("123456", "$123k"),
        ("999999", "$1.0M"),
        ("1234567890", "$1.2B"),
        ("123e18", "$123,000,000T"),
        ("-1.2", "−$1.20"),
        ("-0.0000004", ">−$0.000001"),
    ],
)
def test_usd_shows_as_many_digits_as_matter(amount: str, shown: str) -> None:
    assert format_usd(Decimal(amount)) == shown


def test_a_table_of_costs_shows_the_cents() -> None:
    shown = [format_cents(Decimal(text)) for text in ("10194.6049", "-1.2", "0.0281")]
    assert shown == ["$10,194.60", "−$1.20", "$0.028"]


def test_an_unpriced_cost_is_never_shown_as_zero() -> None:
    assert format_usd(None) == "unpriced"
    assert format_exact(None) == "unpriced"


@pytest.mark.parametrize(("amount", "shown"), [("0.125", "$0.12"), ("0.135", "$0.14"), ("2.675", "$2.68")])
def test_a_tie_goes_to_the_even_digit_and_no_float_bends_it(amount: str, shown: str) -> None:
    assert format_usd(Decimal(amount)) == shown  # as a float 2.675 is 2.67499…, which would show $2.67


def test_the_exact_amount_keeps_every_digit() -> None:
    assert format_exact(Decimal("-1.962500000001")) == "−$1.962500000001"
    assert format_exact(Decimal("1E+3")) == "$1000"


def test_a_price_keeps_every_digit_and_an_amount_in_a_sentence_has_its_sign() -> None:
    prices = map(Decimal, ("3.00", "2.7", "0.0833", "1234.5"))
    assert [format_price(price) for price in prices] == ["$3", "$2.70", "$0.0833", "$1,234.50"]
    assert format_price(None) == "unpriced"
    assert [format_amount(Decimal(text)) for text in ("-20", "-0.0123", "12340")] == ["−$20", "−$0.012", "$12,340"]


def test_a_range_of_equal_amounts_is_said_once() -> None:
    assert format_range(Decimal("1.2"), Decimal("3.4")) == "$1.20 to $3.40"
    assert format_range(Decimal("1.201"), Decimal("1.199")) == "$1.20"
    assert format_range(Decimal("6712.4"), Decimal("6749.9")) == "$6,712.40 to $6,749.90"  # not $6.7k to $6.7k
    assert format_range(Decimal("1434.5"), Decimal("1549.9")) == "$1,434.50 to $1,549.90"  # not $1.4k to $1.5k


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("71.93", "71.9%"),
        ("-8.25", "−8.2%"),
        ("0", "0.0%"),
        ("0.04", "<0.1%"),
        ("-0.04", ">−0.1%"),
        ("1234.5", "1,234.5%"),
    ],
)
def test_percent_is_given_in_parts_of_a_hundred(amount: str, shown: str) -> None:
    assert percent(Decimal(amount)) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "0"),
        ("0.142857", "0.14"),
        ("2.5", "2.5"),
        ("48", "48"),
        ("1440", "1,440"),
        ("18.75", "18.75"),
        ("1234567", "1.2M"),
        ("1e12", "1.0T"),
        ("-5", "−5"),
    ],
)
def test_a_count_is_grouped_and_has_no_idle_zeros(amount: str, shown: str) -> None:
    assert count(Decimal(amount)) == shown


@given(st.decimals(min_value="0.01", max_value="1e15", places=12))
def test_what_is_shown_is_within_five_percent_of_what_is_meant(amount: Decimal) -> None:
    text = format_usd(amount).removeprefix("$").replace(",", "")
    factor = {"k": 3, "M": 6, "B": 9, "T": 12}.get(text[-1])
    shown = Decimal(text[:-1]).scaleb(factor) if factor else Decimal(text)
    assert abs(shown - amount) <= amount * Decimal("0.05")  # worst: $1.05k shown as $1.0k


@given(st.decimals(min_value="-1e15", max_value="1e15", places=12))
def test_a_saving_and_its_loss_differ_by_the_sign_alone(amount: Decimal) -> None:
    small = 0 < abs(amount) < Decimal("0.000001")
    assert amount == 0 or small or format_usd(-abs(amount)) == f"−{format_usd(abs(amount))}"
