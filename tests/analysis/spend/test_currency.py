"""Costs in another currency: each day keeps its own rate, and the rows add up to the total exactly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.currency import read_rates
from costsim.analysis.spend.query import Query, parse_where
from costsim.analysis.spend.spend import spend
from costsim.errors import InputError
from costsim.pricing.book import open_book
from costsim.reports.spend import as_csv, as_json, as_markdown, write_parquet
from costsim.usage.load import load
from costsim.usage.readers.mapped import parse_mapping
from emptied import open_store

# Haiku 4.5: $1 per million input tokens
CALLS = (
    "at,tokens,team\n2026-10-01T10:00:00Z,1000000,a\n2026-10-02T10:00:00Z,2000000,a\n2026-10-05T10:00:00Z,4000000,b\n"
)
WIDE = "date,EUR,GBP\n2026-10-01,0.9,0.8\n2026-10-02,0.95,\n2026-10-07,2,2\n"
LONG = "date,currency,rate\n2026-10-02,EUR,0.95\n2026-10-01,GBP,0.8\n2026-10-01,EUR,0.9\n"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    (tmp_path / "calls.csv").write_text(CALLS, "utf-8")
    with open_store(Path(":memory:")) as store:
        mapping = parse_mapping("ts=at,input=tokens,team=team,model=:anthropic/claude-haiku-4-5")
        load(store, [tmp_path / "calls.csv"], mapping=mapping)
        yield store


@pytest.mark.parametrize("rates", [WIDE, LONG])
def test_a_currency_is_the_same_in_small_letters(tmp_path: Path, rates: str) -> None:
    (tmp_path / "rates.csv").write_text(rates, "utf-8")
    assert read_rates(tmp_path / "rates.csv", "eur").days == read_rates(tmp_path / "rates.csv", "EUR").days


def in_currency(store: duckdb.DuckDBPyConnection, tmp_path: Path, rates: str, by: tuple[str, ...]) -> Any:
    (tmp_path / "rates.csv").write_text(rates, "utf-8")
    return spend(store, open_book(), Query(by), read_rates(tmp_path / "rates.csv", "EUR"))


@pytest.mark.slow
@pytest.mark.parametrize("rates", [WIDE, LONG])
def test_each_day_keeps_its_own_rate(store: duckdb.DuckDBPyConnection, tmp_path: Path, rates: str) -> None:
    found = in_currency(store, tmp_path, rates, ("team",))
    # a: $1 at .9 and $2 at .95; b: $4 at .95, which holds until the next rate
    assert {row.keys[0]: row.converted for row in found.rows} == {"a": Decimal("2.8"), "b": Decimal("3.8")}
    assert (found.currency, found.total.converted, found.total.computed_usd) == ("EUR", Decimal("6.6"), 7)


@pytest.mark.slow
@pytest.mark.parametrize("by", [(), ("day",), ("class", "team"), ("month", "model"), ("hour",)])
def test_rows_add_up_to_the_total(store: duckdb.DuckDBPyConnection, tmp_path: Path, by: tuple[str, ...]) -> None:
    found = in_currency(store, tmp_path, WIDE, by)
    assert sum(row.converted or 0 for row in found.rows) == found.total.converted == Decimal("6.6")


# Haiku: $1 and $0.003. Opus 4.6: $5 per million. No book has the other.
PARTLY = (
    "at,tokens,model\n2026-10-01T10:00:00Z,1000000,anthropic/claude-haiku-4-5\n"
    "2026-10-01T11:00:00Z,3000,anthropic/claude-haiku-4-5\n2026-10-03T10:00:00Z,1000000,anthropic/claude-opus-4-6\n"
    "2026-10-03T10:00:00Z,7000000,nosuch/model-x\n2026-10-03T11:00:00Z,5000000,nosuch/model-x\n"
)


@pytest.mark.slow
def test_what_is_unknown_in_usd_is_unknown_in_every_currency(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text(PARTLY, "utf-8")
    (tmp_path / "rates.csv").write_text("date,EUR\n2026-10-01,0.9\n2026-10-03,0.5\n")
    rates = read_rates(tmp_path / "rates.csv", "EUR")
    with open_store(Path(":memory:")) as opened:
        load(opened, [tmp_path / "calls.csv"], mapping=parse_mapping("ts=at,input=tokens,model=model"))
        by_hour, by_model, alone = (
            spend(opened, open_book(), Query((by,), where=parse_where(where)), rates)
            for by, where in (("hour", []), ("model", []), ("model", ["model=nosuch*"]))
        )

    def shown(found: Any) -> list[list[str]]:
        return [
            [line.split(" | ")[0][2:], line.split(" | ")[-1][:-2]]
            for line in as_markdown(found, "computed").splitlines()
            if line.startswith("| ") and "---" not in line
        ]

    # $1 at 0.9, $0.003 at 0.9 = 0.0027, $5 at 0.5; in all 0.9027 + 2.5 = 3.4027
    assert shown(by_hour) == [
        ["hour", "cost in EUR"],
        ["2026-10-03 10:00", "2.50 + unpriced"],
        ["2026-10-03 11:00", "unpriced"],
        ["2026-10-01 10:00", "0.90"],
        ["2026-10-01 11:00", "0.0027"],
        ["**total**", "**3.40 + unpriced**"],
    ]
    assert shown(alone)[1:] == [["nosuch/model-x", "unpriced"], ["**total**", "**unpriced**"]]
    assert (alone.total.converted, alone.total.computed_usd) == (None, 0)
    assert {row["model"]: row["computed_eur"] for row in json.loads(as_json(by_model))["rows"]} == {
        "nosuch/model-x": None, "anthropic/claude-haiku-4-5": "0.9027", "anthropic/claude-opus-4-6": "2.5",
    }  # fmt: skip
    assert as_csv(alone).splitlines()[1].endswith(",")


@pytest.mark.slow
def test_a_currency_is_text_in_every_form(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    """Its name is that of a column of a file."""
    name = "@eur | <b>;=x"
    (tmp_path / "rates.csv").write_text(f'date,"{name}"\n2026-10-01,0.5\n')
    found = spend(store, open_book(), Query(("team",)), read_rates(tmp_path / "rates.csv", name))
    assert as_csv(found).splitlines()[0].endswith(",computed_@eur | <b>;'=x")
    heading, ruler = as_markdown(found, "computed").splitlines()[:2]
    assert "<b>" not in heading
    assert "@eur" not in heading
    assert ruler.count("|") == heading.replace("\\|", "").count("|") == 6  # team, calls, input, cost, cost in it
    write_parquet(found, tmp_path / "spend.parquet")
    column = f'"computed_{name}"'
    # a: $1 and $2, b: $4, at 0.5
    assert store.execute(f"SELECT {column} FROM '{tmp_path}/spend.parquet' ORDER BY team").fetchall() == [
        (Decimal("1.5"),), (2,),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_tag_is_text_where_it_is_a_heading(store: duckdb.DuckDBPyConnection) -> None:
    found = spend(store, open_book(), Query(("tags.a;=1+1|<b>",)))
    assert as_csv(found).startswith("tags.a;'=1+1|<b>,calls,")
    heading = as_markdown(found, "computed").splitlines()[0]
    assert heading.startswith("| tags.a;=1+1\\|\\<b\\> | calls |")


def test_usd_is_no_other_currency(tmp_path: Path) -> None:
    """Its column would be `computed_usd`, in the place of the cost."""
    (tmp_path / "rates.csv").write_text("date,usd\n2026-10-01,0.5\n")
    with pytest.raises(InputError, match="every cost is in USD already"):
        read_rates(tmp_path / "rates.csv", "usd")


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ("date,EUR\n2026-10-02,1\n", "there is no rate of EUR for 2026-10-01; the first is later"),
        ("date,GBP\n2026-10-02,1\n", "there is no column 'EUR'"),
        ("day,EUR\n2026-10-02,1\n", "there is no column 'date'"),
        ("date,EUR\n2.10.2026,1\n", "'2.10.2026' is not a date"),
        ("date,EUR\n2026-10-02,0\n", "a rate is more than 0, not 0"),
        ("date,EUR\n2026-10-02,1\n2026-10-02,2\n", "EUR has two rates for 2026-10-02"),
        ("date,EUR\n2026-10-02,\n", "there is no rate of EUR"),
        ("date,EUR,eur\n2026-10-01,1,2\n", "EUR has two rates for 2026-10-01"),
        ("date,currency,rate\n2026-10-01,EUR,1\n2026-10-01,eur,2\n", "EUR has two rates for 2026-10-01"),
    ],
)
def test_rates_that_are_missing_or_wrong_are_one_line(
    store: duckdb.DuckDBPyConnection, tmp_path: Path, rates: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        in_currency(store, tmp_path, rates, ())
