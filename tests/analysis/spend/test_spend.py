"""What logged usage cost, from the rollup: exact, each call at its own moment, adding up however it is grouped."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.spend.focus import MANDATORY, focus_rows
from costsim.analysis.spend.ledger import bring_up_to_date, rollup_needs
from costsim.analysis.spend.spend import Query, Spend, spend
from costsim.errors import CostsimError, UnpricedError
from costsim.months import month_span
from costsim.pricing.book import PriceBook, open_book
from costsim.reports.focus import write_focus
from costsim.tokens import TOKEN_CLASSES
from costsim.usage.store import insert_rows
from emptied import open_store
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

OPUS, HAIKU = "claude-opus-4-6", "claude-haiku-4-5"
COLUMNS = (
    "day", "slot", "source", "component", "agent", "task", "provider", "model", "processing", "status", "tier",
    "calls", *TOKEN_CLASSES, "recorded_usd", "recorded_calls",
)  # fmt: skip


def rollup_row(**given: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(TOKEN_CLASSES, 0)
    row |= {"day": date(2026, 10, 5), "slot": -1, "source": "test", "component": "monitor", "agent": "cto",
            "task": "monitoring", "provider": "anthropic", "model": HAIKU, "processing": "standard", "status": "ok",
            "tier": 0, "calls": 1, "request": 1, "recorded_usd": None, "recorded_calls": 0}  # fmt: skip
    return row | given


def fill(store: duckdb.DuckDBPyConnection, *rows: dict[str, Any]) -> None:
    store.execute("DELETE FROM usage_daily")
    insert_rows(store, "usage_daily", rows)


def test_a_days_tokens_cost_what_the_list_says(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, rollup_row(input=2_000_000, cache_read=500_000, output=100_000, calls=10, request=10))
    found = spend(store, book, Query(("component", "model")))
    # 2 x $1 + 0.5 x $0.10 + 0.1 x $5 = $2.55
    assert found.total.computed_usd == Decimal("2.55")
    assert found.rows[0].keys == ("monitor", "anthropic/claude-haiku-4-5")
    assert found.rows[0].calls == 10


def test_a_price_change_counts_from_its_own_day(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "book: p\nsource: s\nmodels: [{model: anthropic/claude-haiku-4-5, valid_from: 2026-10-06, "
        "usd_per_mtok: {input: 10}}]\n"
    )
    days = [rollup_row(day=date(2026, 10, day), input=1_000_000) for day in (5, 6)]
    fill(store, *days)
    found = spend(store, open_book("list", [tmp_path / "p.yaml"]), Query(("day",)))
    assert [(row.keys, row.computed_usd) for row in found.rows] == [(("2026-10-05",), 1), (("2026-10-06",), 10)]


def test_an_off_peak_price_counts_by_the_half_hour(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    # deepseek-chat: input $0.27 from 00:30 to 16:30 UTC, $0.135 else; slot 1 is 00:30, slot 0 is 00:00
    rows = [
        rollup_row(day=date(2025, 3, 1), provider="deepseek", model="deepseek-chat", slot=slot, input=1_000_000)
        for slot in (0, 1)
    ]
    fill(store, *rows)
    assert spend(store, book, Query(())).total.computed_usd == Decimal("0.405")
    assert rollup_needs(book, [("deepseek", "deepseek-chat"), ("anthropic", HAIKU)])[1] == ["deepseek-chat"]


def test_an_unknown_model_is_unpriced_and_first_never_zero(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, rollup_row(input=1_000_000), rollup_row(component="z", model="claude-nonesuch", input=7, output=3))
    found = spend(store, book, Query(("component",)))
    assert found.unpriced_models == ("anthropic/claude-nonesuch",)
    assert [(row.keys[0], row.unpriced_tokens) for row in found.rows] == [("z", 10), ("monitor", 0)]
    assert found.total.computed_usd == 1


def test_a_call_without_a_model_is_unpriced_too(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, rollup_row(model=None, input=5), rollup_row(provider=None, input=1_000_000))
    found = spend(store, book, Query(("model",)))
    assert found.total.unpriced_tokens == 5
    assert found.total.computed_usd == 1  # claude-… without a provider is Anthropic's
    assert found.total.calls == 2


def test_repricing_shows_both_costs(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, rollup_row(day=date(2026, 3, 1), model=OPUS, tier=200_001, input=1_000_000))
    found = spend(store, book, Query((), reprice=date(2026, 10, 1)))
    # Opus 4.6 above 200K tokens: $10 until 2026-03-13, $5 since
    assert (found.total.computed_usd, found.total.repriced_usd) == (10, 5)


@pytest.mark.slow
def test_a_recorded_cost_is_compared_and_the_difference_split(
    store: duckdb.DuckDBPyConnection, book: PriceBook
) -> None:
    # 1M 1-hour cache writes of Haiku: $2; recorded as 5-minute writes at $1.25, and $0.05 more
    fill(store, rollup_row(cache_write_1h=1_000_000, recorded_usd=Decimal("1.30"), recorded_calls=1))
    difference = spend(store, book, Query(("model",))).total.difference
    assert difference is not None
    assert (difference.usd, difference.tier_usd, difference.class_usd, difference.price_usd) == (
        Decimal("-0.70"),
        Decimal(0),
        Decimal("-0.75"),
        Decimal("0.05"),
    )


def test_a_recorded_cost_at_the_base_tier_is_named_as_such(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    long = rollup_row(day=date(2026, 3, 1), model=OPUS, tier=200_001, input=1_000_000)
    fill(store, long | {"recorded_usd": Decimal(5), "recorded_calls": 1})
    difference = spend(store, book, Query(())).total.difference
    assert difference is not None
    assert (difference.tier_usd, difference.class_usd, difference.price_usd) == (-5, 0, 0)
    assert difference.explained == "priced at the base context tier (-5)"


def test_costs_of_other_calls_are_not_compared(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, rollup_row(calls=2, input=9, recorded_usd=Decimal(1), recorded_calls=1))
    assert spend(store, book, Query(())).total.difference is None


@pytest.mark.slow
def test_days_are_chosen_both_ends_included(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, *(rollup_row(day=date(2026, 10, 1) + timedelta(days=n), input=1_000_000) for n in range(31)))
    chosen = Query((), date(2026, 10, 2), date(2026, 10, 4))
    assert spend(store, book, chosen).total.computed_usd == 3
    assert spend(store, book, Query((), *month_span("2026-10"))).total.computed_usd == 31
    assert spend(store, book, Query((), date(2027, 1, 1))).rows == (
        spend(store, book, Query((), date(2027, 1, 1))).total,
    )


def test_bad_questions_are_one_line(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    with pytest.raises(CostsimError, match="cannot group by 'modle'; did you mean 'model'"):
        spend(store, book, Query(("modle",)))
    with pytest.raises(CostsimError, match="until 2026-01-01 is before since"):
        spend(store, book, Query((), date(2026, 2, 1), date(2026, 1, 1)))
    with pytest.raises(CostsimError, match="is not a month"):
        month_span("2026-13")


usage_rows = st.lists(
    st.builds(
        rollup_row,
        day=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        component=st.sampled_from(["a", "b"]),
        agent=st.sampled_from([None, "x"]),
        model=st.sampled_from([OPUS, HAIKU, "claude-sonnet-4-6"]),
        processing=st.sampled_from(["standard", "batch", "flex"]),
        tier=st.sampled_from([0, 200_001]),
        **{name: st.integers(0, 10**13) for name in TOKEN_CLASSES[:5]},
        web_search=st.integers(0, 1000),
    ),
    max_size=12,
)


def reference_usd(book: PriceBook, row: dict[str, Any]) -> Fraction:
    key = book.resolve(row["model"], row["provider"])
    assert key
    at = datetime.combine(row["day"], datetime.min.time(), UTC)
    total = Fraction(0)
    for name in TOKEN_CLASSES:
        price = book.price(key, name, at=at, input_tokens=row["tier"], processing=row["processing"])
        total += row[name] * price.usd_per_unit if price else 0
    return total


@pytest.mark.slow
@settings(max_examples=examples(4, 10), deadline=None)
@given(usage_rows)
def test_sql_equals_plain_arithmetic_and_every_grouping_adds_up(rows: list[dict[str, Any]]) -> None:
    with open_store(Path(":memory:")) as store:
        book = open_book()
        fill(store, *rows)
        expected = sum((reference_usd(book, row) for row in rows), Fraction(0))
        for by in ((), ("day",), ("component", "agent"), ("model", "class"), ("processing", "month")):
            found = spend(store, book, Query(by))
            assert Fraction(found.total.computed_usd) == expected
            assert sum((Fraction(row.computed_usd) for row in found.rows), Fraction(0)) == expected
            assert sum(row.calls for row in found.rows) == len(rows)


def exported(store: duckdb.DuckDBPyConnection, book: PriceBook, folder: Path) -> tuple[Spend, list[dict[str, Any]]]:
    assert write_focus(focus_rows(store, book, None, None, "acme"), folder / "focus.parquet") > 0
    table = duckdb.sql(f"SELECT * FROM '{folder}/focus.parquet'")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]  # type: ignore[union-attr]
    return spend(store, book, Query(())), rows


@pytest.mark.slow
def test_a_focus_file_keeps_the_column_rules(store: duckdb.DuckDBPyConnection, book: PriceBook, tmp_path: Path) -> None:
    fill(
        store,
        rollup_row(input=2_000_000, output=300, web_search=3, calls=4, request=4),
        rollup_row(day=date(2026, 11, 1), model=OPUS, cache_read=12_345),
    )
    found, rows = exported(store, book, tmp_path)
    assert len(MANDATORY) == 21
    assert list(rows[0])[:21] == list(MANDATORY)
    assert sum(row["BilledCost"] for row in rows) == found.total.computed_usd
    for row in rows:
        not_null = set(MANDATORY) - {"ChargeClass"}  # null means: no correction of an earlier period
        assert all(row[name] is not None for name in not_null), row
        assert (row["BillingCurrency"], row["ChargeCategory"], row["ChargeClass"]) == ("USD", "Usage", None)
        assert row["ServiceCategory"] == "AI and Machine Learning"
        assert row["BillingPeriodStart"] <= row["ChargePeriodStart"] < row["ChargePeriodEnd"] <= row["BillingPeriodEnd"]
        assert datetime.fromisoformat(row["ChargePeriodStart"].replace("Z", "+00:00")).tzinfo is not None
        assert row["ConsumedQuantity"] > 0
        assert row["ConsumedUnit"] in ("Tokens", "Requests", "Searches")
        assert row["PricingQuantity"] * row["ContractedUnitPrice"] == row["ContractedCost"]
        assert row["PricingQuantity"] * row["ListUnitPrice"] == row["ListCost"]
        assert row["BilledCost"] >= 0
    tokens = {(row["x_Model"], row["x_TokenClass"]): row["ConsumedQuantity"] for row in rows}
    assert tokens["anthropic/claude-opus-4-6", "cache_read"] == 12_345
    assert rows[0]["PricingUnit"] == "1000000 Tokens"


@pytest.mark.slow
def test_versions_differ_by_the_columns_of_providers(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, rollup_row(input=2_000_000))
    newer, older = (focus_rows(store, book, None, None, "acme", version=version) for version in ("1.3", "1.2"))
    assert [name for name in newer.columns if name not in older.columns] == ["ServiceProviderName", "HostProviderName"]
    assert "Tags" in older.columns
    assert newer.columns[:21] == older.columns[:21] == list(MANDATORY)
    with pytest.raises(CostsimError, match=r"costsim writes FOCUS 1.2 and 1.3, not 1.1"):
        focus_rows(store, book, None, None, "acme", version="1.1")


@pytest.mark.slow
def test_tags_have_the_owners_and_what_is_asked_for(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    log(
        store,
        call("2026-10-05 10:00:00", input=1_000_000, agent="cto", team="growth", tags='{"env": "prod"}'),
        call("2026-10-05 11:00:00", input=1_000_000, agent="cto", team="data"),
    )
    bring_up_to_date(store, book)
    columns = "Tags, BilledCost::INTEGER"
    found = focus_rows(store, book, None, None, "acme", tags=("team", "tags.env")).project(columns).fetchall()
    stated = {json.dumps(json.loads(tags), sort_keys=True): usd for tags, usd in found if usd}
    assert stated == {
        '{"agent": "cto", "component": "monitor", "env": "prod", "team": "growth"}': 1,
        '{"agent": "cto", "component": "monitor", "team": "data"}': 1,
    }
    (plain,) = [row for row in focus_rows(store, book, None, None, "acme").project(columns).fetchall() if row[1]]
    assert (json.loads(plain[0]), plain[1]) == ({"agent": "cto", "component": "monitor"}, 2)


@pytest.mark.slow
def test_a_negotiated_price_stands_beside_the_list_price(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "book: p\nsource: s\nmultipliers: [{provider: anthropic, multiplier: 0.9, reason: contract}]\n"
    )
    fill(store, rollup_row(input=1_000_000))
    _, [row] = exported(store, open_book("list", [tmp_path / "p.yaml"]), tmp_path)
    assert (row["ListCost"], row["ContractedCost"], row["BilledCost"]) == (1, Decimal("0.9"), Decimal("0.9"))


@pytest.mark.slow
def test_a_price_has_one_id_whatever_else_is_exported(
    store: duckdb.DuckDBPyConnection, book: PriceBook, tmp_path: Path
) -> None:
    mini = rollup_row(provider="openai", model="gpt-4o-mini", input=1_000_000)
    fill(store, mini)
    _, [alone] = exported(store, book, tmp_path)
    fill(store, rollup_row(provider="openai", model="gpt-4o", input=1_000_000), mini)
    _, rows = exported(store, book, tmp_path)
    assert alone["SkuPriceId"] == "openai/gpt-4o-mini:input:standard:from 0:always:0.15 USD"
    assert alone["SkuPriceId"] in {row["SkuPriceId"] for row in rows}
    assert len({row["SkuPriceId"] for row in rows}) == 2


@pytest.mark.slow
def test_an_export_is_at_the_calls_own_prices_whatever_their_source_recorded(
    store: duckdb.DuckDBPyConnection, book: PriceBook, tmp_path: Path
) -> None:
    fill(store, rollup_row(cache_write_1h=1_000_000, recorded_usd=Decimal("1.25"), recorded_calls=1))
    found, [row] = exported(store, book, tmp_path)
    assert (
        row["BilledCost"] == found.total.computed_usd == 2
    )  # $2 per million, not the 5-minute price that was recorded


def test_what_has_no_price_is_not_exported_as_nothing(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, rollup_row(model="claude-nonesuch", input=5))
    with pytest.raises(UnpricedError, match="no price for 'anthropic/claude-nonesuch'"):
        focus_rows(store, book, None, None, "acme")


@pytest.mark.slow
def test_what_had_no_price_on_the_day_asked_for_is_unpriced_there_and_not_free(
    store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    overlay = tmp_path / "prices.yaml"
    model = "{model: openai/my-model, valid_from: 2026-01-01, usd_per_mtok: {input: 3}}"
    overlay.write_text(f"book: contract\nsource: a contract\nmodels: [{model}]\n")
    fill(
        store,
        rollup_row(provider="openai", model="my-model", input=1_000_000),
        rollup_row(provider="openai", model="gpt-4o", input=1_000_000),
    )
    found = spend(store, open_book("list", [overlay]), Query(("model",), reprice=date(2025, 12, 1)))
    assert (found.total.computed_usd, found.total.repriced_usd) == (Decimal("5.5"), Decimal("2.5"))
    assert found.total.repriced_unpriced_tokens == 1_000_000
    assert found.unpriced_models == ("openai/my-model on 2025-12-01",)


def test_a_processing_level_without_a_price_of_its_own_is_named(
    store: duckdb.DuckDBPyConnection, book: PriceBook
) -> None:
    turbo = {"provider": "openai", "model": "gpt-4o", "input": 1_000_000}
    fill(store, rollup_row(**turbo, processing="turbo"), rollup_row(**turbo))
    found = spend(store, book, Query())
    assert found.total.computed_usd == 5  # both at 2.50 USD per million
    assert found.notes == ("openai/gpt-4o has no price for processing 'turbo': those calls are at its standard price",)


def call(ts: str, **given: Any) -> dict[str, Any]:
    """A logged call, as `usage_event` has it."""
    row: dict[str, Any] = dict.fromkeys(TOKEN_CLASSES, 0)
    row |= {"event_id": ts, "ts": ts, "file_id": 1, "source": "test", "component": "monitor", "provider": "anthropic",
            "model": HAIKU, "processing": "standard", "status": "ok", "aggregated": False, "request": 1}  # fmt: skip
    return row | given


def log(store: duckdb.DuckDBPyConnection, *calls: dict[str, Any]) -> None:
    for row in calls:
        insert_rows(store, "usage_event", [row])


@pytest.mark.slow
def test_days_are_those_of_the_time_zone_asked_for_and_prices_those_of_the_moment(
    store: duckdb.DuckDBPyConnection, book: PriceBook
) -> None:
    # Opus 4.6 above 200K tokens: $10 until 2026-03-13 (UTC), $5 since. Both calls are on the 13th in Berlin.
    late, early = "2026-03-12 23:30:00", "2026-03-13 00:30:00"
    log(store, *(call(ts, model=OPUS, input=1_000_000) for ts in (late, early)))
    bring_up_to_date(store, book)
    in_utc = [(row.keys[0], row.computed_usd) for row in spend(store, book, Query(("day",))).rows]
    in_berlin = [
        (row.keys[0], row.computed_usd) for row in spend(store, book, Query(("day",), tz="Europe/Berlin")).rows
    ]
    assert in_utc == [("2026-03-12", 10), ("2026-03-13", 5)]
    assert in_berlin == [("2026-03-13", 15)]
    first = Query(("day",), until=date(2026, 3, 12), tz="America/New_York")
    assert [row.keys[0] for row in spend(store, book, first).rows] == ["2026-03-12"]
    with pytest.raises(CostsimError, match="there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'"):
        Query(tz="Europe/Berln").check()
