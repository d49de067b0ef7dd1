"""Tokens of a bill's quantity: as exact as decimals, which only quantities near a half token need."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import duckdb
import pytest
from costsim.usage.readers.meters import numbers, per_unit, tokens, unreadable


def value(sql: str, quantity: str, factor: str = "1") -> object:
    """What SQL says of a quantity, in units of `factor` (SQL) tokens."""
    numbered = f"SELECT *, {numbers('quantity')} FROM (SELECT $quantity AS quantity, {factor} AS factor)"
    with duckdb.connect() as connection:
        [(found,)] = connection.execute(f"SELECT {sql} FROM ({numbered})", {"quantity": quantity}).fetchall()
    return found


def tokens_of(quantity: str, unit: str) -> object:
    return value(tokens("quantity", "factor"), quantity, per_unit(f"'{unit}'"))


@pytest.mark.parametrize(
    ("quantity", "unit", "factor"),
    [
        ("2000", "1K Tokens", 1000),
        ("0.0005", "1K Tokens", 1000),  # half a token is one
        ("0.0004999999", "1K Tokens", 1000),
        ("1200.5004999", "1K Tokens", 1000),  # 1,200,500.4999
        ("0.0000005", "1M tokens", 10**6),
        ("0.4999999999", "Tokens", 1),
        ("33333333333.5", "Tokens", 1),
        ("123456.789012345678", "1M tokens", 10**6),  # 123,456,789,012.345678: over 10^11
        ("999999999999.5", "Tokens", 1),
        ("0.0000000005", "10000000000 Tokens", 10**10),  # more in a unit than a DOUBLE is sure of
    ],
)
def test_a_count_is_that_of_the_exact_product(quantity: str, unit: str, factor: int) -> None:
    exact = Decimal(quantity) * factor
    assert tokens_of(quantity, unit) == int(exact.to_integral_value(ROUND_HALF_UP))


@pytest.mark.parametrize("quantity", ["inf", "1e39", "1e16", "nan"])
def test_more_than_any_count_is_more_than_the_loader_takes(quantity: str) -> None:
    assert tokens_of(quantity, "Tokens") == 10**15


@pytest.mark.parametrize(("quantity", "unit"), [("-1", "Tokens"), ("7", "Bundles"), ("2.000,5", "Tokens")])
def test_what_counts_no_tokens_has_none(quantity: str, unit: str) -> None:
    assert tokens_of(quantity, unit) is None


@pytest.mark.parametrize(
    ("quantity", "why"),
    [("2.000,5", "a quantity that is no number"), ("nan", "a quantity that is no number"), ("7", None)],
)
def test_a_quantity_that_should_count_and_is_no_number_has_a_reason(quantity: str, why: str | None) -> None:
    assert value(unreadable("quantity", "TRUE"), quantity) == why
