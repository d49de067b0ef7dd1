"""FOCUS exports keep the published rules of their version, cell by cell.

https://focus.finops.org/focus-specification/v1-3/ and v1-2: null handling, formats, and which columns go together. The
FinOps Foundation's validator (2.2.1) has rules of 1.2 only; a 1.2 export passes them but InvoiceId-C-005-C, which it
asks of every row: the specification asks it of charges that an invoice has, and of others (InvoiceId-C-004-C) the
opposite.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from costsim.analysis.spend.focus import VERSIONS, focus_rows
from costsim.pricing.book import open_book
from costsim.reports.focus import write_focus
from costsim.usage.load import load
from emptied import open_store
from witnessed import claude_log, cost_page, truth, written

Row = dict[str, str]
MONEY = ("BilledCost", "EffectiveCost", "ContractedCost", "ListCost")
NUMBERS = (
    *MONEY, "PricingQuantity", "ConsumedQuantity", "ContractedUnitPrice", "ListUnitPrice",
)  # fmt: skip
TIMES = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")
NEVER_NULL = (
    *MONEY, *TIMES, "BillingAccountId", "BillingCurrency", "ChargeCategory", "ChargeFrequency", "InvoiceIssuerName",
    "ProviderName", "PublisherName", "ServiceCategory", "ServiceName", "ServiceSubcategory",
)  # fmt: skip
OF_VERSION = {"1.2": (), "1.3": ("ServiceProviderName", "HostProviderName")}
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Row]]:
    """Calls of two days, and a bill of a third with a credit, in each version."""
    folder = tmp_path_factory.mktemp("focus")
    calls = truth()
    page = cost_page(calls, amount="-50", currency="USD", description="credit", model=None)
    found = {}
    with open_store(Path(":memory:")) as store:
        load(store, written(folder, log=claude_log(calls[:24]), page=page))
        for version in VERSIONS:
            file = folder / f"{version}.csv"
            write_focus(focus_rows(store, open_book(), None, None, "acme", version=version), file)
            found[version] = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    return found


def usage(row: Row) -> bool:
    return row["ChargeCategory"] == "Usage"


RULES: dict[str, Callable[[Row], bool]] = {
    "numbers are plain decimals": lambda r: all(re.fullmatch(r"-?\d+(\.\d+)?", r[n]) for n in NUMBERS if r[n]),
    "times are UTC, ISO 8601": lambda r: all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r[n]) for n in TIMES),
    "the charge lies in its billing period": lambda r: (
        r["BillingPeriodStart"] <= r["ChargePeriodStart"] < r["ChargePeriodEnd"] <= r["BillingPeriodEnd"]
    ),
    "a billing period is a month": lambda r: (
        datetime.fromisoformat(r["BillingPeriodStart"]).day == datetime.fromisoformat(r["BillingPeriodEnd"]).day == 1
    ),
    "categories are of the list": lambda r: r["ChargeCategory"] in CATEGORIES,
    "no correction of an earlier period": lambda r: r["ChargeClass"] == "",
    "the currency is a code": lambda r: r["BillingCurrency"] == "USD",
    "what no invoice has yet has no invoice's id": lambda r: r["InvoiceId"] == "",
    "usage has a quantity and a unit of pricing": lambda r: (
        not usage(r) or bool(r["PricingQuantity"] and r["PricingUnit"])
    ),
    "usage has a quantity and a unit consumed": lambda r: not usage(r) or bool(r["ConsumedQuantity"] and r["ConsumedUnit"]),
    "quantities have units": lambda r: (
        bool(r["PricingQuantity"]) == bool(r["PricingUnit"]) and bool(r["ConsumedQuantity"]) == bool(r["ConsumedUnit"])
    ),
    "usage has its SKU": lambda r: not usage(r) or bool(r["SkuId"] and r["SkuPriceId"] and r["SkuMeter"]),
    "a unit price needs a SKU price": lambda r: bool(r["ListUnitPrice"]) <= bool(r["SkuPriceId"]),
    "usage has a pricing category": lambda r: (r["PricingCategory"] == "Standard") == usage(r),
    "quantity times unit price is the cost": lambda r: not usage(r) or all(
        Decimal(r["PricingQuantity"]) * Decimal(r[price]) == Decimal(r[cost])
        for price, cost in (("ContractedUnitPrice", "ContractedCost"), ("ListUnitPrice", "ListCost"))
    ),
    "a credit is below zero": lambda r: (r["ChargeCategory"] == "Credit") == (Decimal(r["BilledCost"]) < 0),
    "tags are an object of texts": lambda r: all(isinstance(v, str) for v in json.loads(r["Tags"]).values()),
}  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("rule", RULES)
def test_every_row_keeps_the_rule(exports: dict[str, list[Row]], version: str, rule: str) -> None:
    assert [row for row in exports[version] if not RULES[rule](row)] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_what_may_not_be_null_is_not(exports: dict[str, list[Row]], version: str) -> None:
    rows = exports[version]
    assert {row["ChargeCategory"] for row in rows} == {"Usage", "Adjustment", "Credit"}
    for name in (*NEVER_NULL, *OF_VERSION[version]):
        assert all(row[name] for row in rows), name


@pytest.mark.parametrize("version", VERSIONS)
def test_columns_are_named_as_the_specification_asks(exports: dict[str, list[Row]], version: str) -> None:
    """PascalCase, at most 50 letters; ours with x_."""
    names = list(exports[version][0])
    assert len({*names}) == len(names)
    assert all(re.fullmatch(r"(x_)?[A-Z][A-Za-z0-9]{0,49}", name) for name in names)
    assert {*OF_VERSION["1.3"]} & {*names} == {*OF_VERSION[version]}
