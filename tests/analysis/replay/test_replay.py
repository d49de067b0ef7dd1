"""What the logged calls would have cost under another routing: exact, and equal to what was spent if nothing moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.replay.replay import replay, replay_sums
from costsim.analysis.replay.reroute import Reroute, reroute_by_plan, reroute_by_routing, reroute_to_model
from costsim.analysis.routing.routing import read_routing
from costsim.analysis.spend.ledger import Ledger, bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.errors import ArchitectureError
from costsim.pricing.book import PriceBook, open_book
from costsim.tokens import TOKEN_CLASSES
from costsim.usage.store import insert_rows, open_store
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

OPUS, SONNET, HAIKU = (f"anthropic/claude-{name}" for name in ("opus-4-6", "sonnet-4-5", "haiku-4-5"))
GEMINI = "google/gemini-2.5-pro"
COLUMNS = (
    "day", "slot", "source", "component", "agent", "task", "provider", "model", "processing", "status", "tier",
    "calls", *TOKEN_CLASSES, "recorded_usd", "recorded_calls",
)  # fmt: skip
STAYS = Reroute("as it ran", "as it ran", lambda component, task: None)


def summed(model: str = HAIKU, **given: Any) -> dict[str, Any]:
    """A row of the rollup: calls of a component on a day."""
    provider, name = model.split("/")
    row: dict[str, Any] = dict.fromkeys(TOKEN_CLASSES, 0)
    row |= {"day": date(2026, 10, 5), "slot": -1, "source": "test", "component": "monitor", "agent": "cto",
            "task": "monitoring", "provider": provider, "model": name, "processing": "standard", "status": "ok",
            "tier": 0, "calls": 1, "request": 1, "recorded_usd": None, "recorded_calls": 0}  # fmt: skip
    return row | given


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(tmp_path_factory.mktemp("replay") / "costsim.duckdb") as connection:
        yield connection


def fill(store: duckdb.DuckDBPyConnection, *rows: dict[str, Any]) -> None:
    store.execute("DELETE FROM usage_daily")
    insert_rows(store, "usage_daily", rows)


def plain_cost(book: PriceBook, row: dict[str, Any], model: str) -> Fraction:
    """What a sum costs on a model, class by class from the book, without SQL."""
    key = book.resolve(model)
    assert key
    minutes = 0 if row["slot"] < 0 else row["slot"] * 30
    at = datetime(row["day"].year, row["day"].month, row["day"].day, tzinfo=UTC) + timedelta(minutes=minutes)
    total = Fraction(0)
    for name in TOKEN_CLASSES:
        price = book.price(key, name, at=at, input_tokens=row["tier"], processing=row["processing"])
        if row[name] and (price or name != "request"):
            assert price, (model, name)
            total += row[name] * price.usd_per_unit
    return total


# Exact


@pytest.mark.slow
def test_calls_cost_what_the_other_model_asks(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, summed(OPUS, input=1_000_000, cache_read=2_000_000, output=100_000))
    found = replay(store, book, reroute_to_model(HAIKU)).total
    # Opus 1 x $5 + 2 x $0.50 + 0.1 x $25 = $8.50; Haiku 1 x $1 + 2 x $0.10 + 0.1 x $5 = $1.70
    assert (found.spent_usd, found.replayed_usd, found.difference_usd) == (
        Decimal("8.5"), Decimal("1.7"), Decimal("-6.8"),
    )  # fmt: skip
    assert found.low_usd == found.high_usd == found.replayed_usd


ROWS = st.lists(
    st.builds(
        summed,
        st.sampled_from([OPUS, SONNET, HAIKU, GEMINI, "deepseek/deepseek-chat"]),
        day=st.dates(date(2025, 6, 1), date(2026, 11, 1)),
        slot=st.integers(-1, 47),
        component=st.sampled_from(["monitor", "brief"]),
        task=st.sampled_from([None, "monitoring", "orchestration"]),
        processing=st.sampled_from(["standard", "batch"]),
        tier=st.sampled_from([0, 128_000, 200_000]),
        request=st.integers(1, 10**6),
        **{name: st.integers(0, 10**12) for name in TOKEN_CLASSES if name not in ("request", "web_search")},
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.slow
@settings(max_examples=examples(5, 15), deadline=None)
@given(rows=ROWS, target=st.sampled_from([OPUS, HAIKU, GEMINI, "openai/gpt-4o", "deepseek/deepseek-chat"]))
def test_a_replay_equals_plain_arithmetic_and_adds_up(
    store: duckdb.DuckDBPyConnection, book: PriceBook, rows: list[dict[str, Any]], target: str
) -> None:
    fill(store, *rows)
    found = replay(store, book, reroute_to_model(target), as_logged=True)
    spent = sum(plain_cost(book, row, f"{row['provider']}/{row['model']}") for row in rows)
    wanted = sum(plain_cost(book, row, target) for row in rows)
    scale = 10**12  # results are rounded to 12 places, and shown no finer
    assert Fraction(found.total.spent_usd) == Fraction(round(spent * scale), scale)
    assert Fraction(found.total.replayed_usd) == Fraction(round(wanted * scale), scale)
    for groups in (found.components, found.days, found.moves):
        assert abs(sum(group.replayed_usd for group in groups) - found.total.replayed_usd) < Decimal("1e-10")
        assert sum(group.calls for group in groups) == found.total.calls


@pytest.mark.slow
@settings(max_examples=examples(3, 8), deadline=None)
@given(rows=ROWS)
def test_replaying_what_ran_costs_what_was_spent(
    store: duckdb.DuckDBPyConnection, book: PriceBook, rows: list[dict[str, Any]]
) -> None:
    rows = [row | {"model": HAIKU.split("/")[1], "provider": "anthropic"} for row in rows]
    fill(store, *rows)
    spent = spend(store, book, Query(("component",))).total.computed_usd
    for reroute in (STAYS, reroute_to_model(HAIKU)):
        found = replay(store, book, reroute)
        assert found.total.difference_usd == 0
        assert abs(found.total.spent_usd - spent) < Decimal("1e-12")
        assert all(row.low_usd == row.high_usd == row.spent_usd for row in (*found.components, *found.days))


def test_only_the_days_asked_for_are_replayed(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    fill(store, *(summed(OPUS, day=date(2026, 10, day), output=1_000_000) for day in (5, 6, 7)))
    found = replay(store, book, reroute_to_model(HAIKU), since=date(2026, 10, 6), until=date(2026, 10, 6))
    assert (found.since, found.until, found.total.spent_usd) == (date(2026, 10, 6), date(2026, 10, 6), 25)


def test_a_price_change_counts_on_its_own_day(store: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "book: p\nsource: s\nmodels: [{model: anthropic/claude-haiku-4-5, valid_from: 2026-10-06, "
        "usd_per_mtok: {input: 10}}]\n"
    )
    fill(store, *(summed(OPUS, day=date(2026, 10, day), input=1_000_000) for day in (5, 6)))
    found = replay(store, open_book("list", [tmp_path / "p.yaml"]), reroute_to_model(HAIKU))
    assert [(row.name, row.replayed_usd) for row in found.days] == [("2026-10-05", 1), ("2026-10-06", 10)]


# Unpriced


def test_calls_without_a_price_either_way_are_in_neither_figure(
    store: duckdb.DuckDBPyConnection, book: PriceBook
) -> None:
    fill(
        store,
        summed(OPUS, input=1_000_000),
        summed("acme/nonesuch", input=5, request=3),
        summed(OPUS, task="search", web_search=2, input=1_000_000, request=2),
    )
    found = replay(store, book, reroute_to_model("deepseek/deepseek-chat"))  # deepseek has no price of a search
    assert found.total.spent_usd == 5
    assert (found.total.calls, found.total.unpriced_calls) == (6, 5)
    assert [(row.model, row.message, row.calls) for row in found.unpriced] == [
        ("deepseek/deepseek-chat", "as replayed", 2),
        ("nonesuch", "as it ran", 3),
    ]


# Which model


def test_a_plan_moves_components_it_has_and_other_calls_by_task(
    store: duckdb.DuckDBPyConnection, book: PriceBook, read: Callable[..., Architecture]
) -> None:
    architecture = read({
        "model_routing": {"monitoring": HAIKU, "orchestration": SONNET, "fallback": OPUS},
        "components": [
            {"name": "brief", "task": "orchestration", "runs_per_day": 1, "tokens": {"input": 1, "output": 1}},
            {"name": "pinned", "model": GEMINI, "runs_per_day": 1, "tokens": {"input": 1, "output": 1}},
        ],
        "plans": {"cheap": {"model": HAIKU, "components": {"brief": GEMINI}},
                  "costly": {"model_routing": {"monitoring": OPUS}}},
    })  # fmt: skip
    day = date(2026, 10, 5)
    routed, cheap, costly = (reroute_by_plan(architecture, name, day).choose for name in ("routed", "cheap", "costly"))
    assert [routed("brief", ""), routed("x", "monitoring"), routed("x", ""), routed("pinned", "")] == [
        SONNET, HAIKU, OPUS, GEMINI,
    ]  # fmt: skip
    assert [cheap("brief", ""), cheap("x", "monitoring"), cheap("pinned", "")] == [GEMINI, HAIKU, HAIKU]
    assert [costly("x", "monitoring"), costly("brief", "")] == [OPUS, SONNET]
    assert reroute_by_plan(architecture, "naive", day).choose("x", "monitoring") == OPUS
    with pytest.raises(ArchitectureError, match="no plan 'chaep'; did you mean 'cheap'"):
        reroute_by_plan(architecture, "chaep", day)


def test_a_routing_file_moves_each_task_and_the_rest_to_its_fallback(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(f'{{"model_routing": {{"monitoring": "{HAIKU}", "fallback": "{SONNET}"}}}}')
    choose = reroute_by_routing(read_routing(tmp_path / "r.json")).choose
    assert [choose("a", "monitoring"), choose("a", "curation"), choose("a", "")] == [HAIKU, SONNET, SONNET]


# Large contexts


@pytest.fixture
def sizes(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A store with one call of each size on Haiku."""
    with open_store(tmp_path / "sizes.duckdb") as connection:
        rows = [
            {"event_id": str(n), "source": "test", "ts": datetime(2026, 10, 5, n), "component": "coder", "agent": "cto",
             "task": "code_generation", "provider": "anthropic", "model": HAIKU.split("/")[1], "processing": "standard",
             "status": "ok", "aggregated": False, "file_id": 1, **dict.fromkeys(TOKEN_CLASSES, 0), "input": tokens,
             "request": 1}
            for n, tokens in enumerate((10_000, 50_000, 50_001, 128_000, 128_001, 300_000))
        ]  # fmt: skip
        insert_rows(connection, "usage_event", rows)
        yield connection


def routing_with(tmp_path: Path, span: str) -> Reroute:
    file = tmp_path / "large.json"
    large = f'{{{span}, "use": "{OPUS}", "tasks": ["code_generation"]}}'
    file.write_text(f'{{"model_routing": {{"fallback": "{SONNET}"}}, "large_context": {large}}}')
    return reroute_by_routing(read_routing(file))


@pytest.mark.slow
@pytest.mark.parametrize(("span", "large"), [
    ('"over": 50000', 50_001 + 128_000 + 128_001 + 300_000),
    ('"over": 50000, "at_most": 128000', 50_001 + 128_000),
    ('"over": 250000', 300_000),
])  # fmt: skip
def test_calls_over_a_threshold_go_where_the_routing_sends_large_contexts(
    sizes: duckdb.DuckDBPyConnection, book: PriceBook, tmp_path: Path, span: str, large: int
) -> None:
    reroute = routing_with(tmp_path, span)
    found = replay(sizes, book, reroute)
    # list prices per million input tokens: Haiku $1; Sonnet 4.5 $3, over 200,000 $6; Opus 4.6 $5 at any size
    whole = 666_002
    rest = whole - large
    costly = 300_000 if large == 178_001 else 0
    sonnet = (rest - costly) * 3 + costly * 6
    assert found.total.spent_usd == Decimal(whole) / 10**6
    assert found.total.replayed_usd == Decimal(sonnet + large * 5) / 10**6
    assert {move.to: move.calls for move in found.moves}[OPUS] == {478_001 + 128_001: 4, 178_001: 2, 300_000: 1}[large]
    assert not [note for note in found.notes if "distinguish" in note]


@pytest.mark.slow
def test_a_threshold_once_distinguished_stays_so_and_changes_no_cost(
    sizes: duckdb.DuckDBPyConnection, book: PriceBook
) -> None:
    bring_up_to_date(sizes, book)
    before = spend(sizes, book, Query(("component",))).total.computed_usd
    bring_up_to_date(sizes, book, [50_001])
    parted = sizes.execute("SELECT parameters FROM rollup_state").fetchone()
    bring_up_to_date(sizes, book)
    assert sizes.execute("SELECT parameters FROM rollup_state").fetchone() == parted
    assert sizes.execute("SELECT count(*) FROM usage_daily WHERE tier = 50001").fetchone() == (1,)
    assert spend(sizes, book, Query(("component",))).total.computed_usd == before


@pytest.mark.slow
def test_a_plans_large_contexts_are_replayed_for_its_components(
    sizes: duckdb.DuckDBPyConnection, book: PriceBook, read: Callable[..., Architecture]
) -> None:
    architecture = read({
        "model_routing": {"code_generation": HAIKU, "large": OPUS, "fallback": SONNET},
        "components": [{"name": "coder", "task": "code_generation", "runs_per_day": 6, "tokens": {"input": 1},
                        "large_context": {"over": 100_000, "use": "large"}, "retry": {"failure_rate": 0.1}}],
        "plans": {"without": {"policies": []}, "one": {"model": HAIKU},
                  "one_large": {"model": HAIKU, "policies": ["large_context"]}},
    })  # fmt: skip
    day = date(2026, 10, 5)
    routed, without, one, one_large = (
        reroute_by_plan(architecture, name, day) for name in ("routed", "without", "one", "one_large")
    )
    found = replay(sizes, book, routed)
    # Haiku keeps 110,001 tokens; 556,001 go to Opus at $5
    assert found.total.replayed_usd == (Decimal(110_001) + 5 * Decimal(556_001)) / 10**6
    assert "not replayed, as the logged calls are what happened: retry" in found.notes
    # in a plan of one model the key "large" stands for that model too, as in a run
    assert [large.model for large in (routed.large("coder", ""), one_large.large("coder", "")) if large] == [
        OPUS,
        HAIKU,
    ]
    for plan in (without, one, one_large):
        assert replay(sizes, book, plan).total.difference_usd == 0


def test_sums_that_reach_across_a_threshold_are_noted(
    sizes: duckdb.DuckDBPyConnection, book: PriceBook, tmp_path: Path
) -> None:
    bring_up_to_date(sizes, book)
    notes = replay_sums(Ledger.open(sizes, book), routing_with(tmp_path, '"over": 50000')).notes
    assert "calls over 50,000 input tokens are not distinguished: the sums were not parted there" in notes


# Token multipliers


def served(days: int, haiku_output: int = 30) -> list[dict[str, Any]]:
    """Ten calls per day of each model on one task; Haiku's answers are of another length, its prompts the same."""
    first = date(2026, 10, 1)
    return [
        summed(model, day=first + timedelta(days=n), input=1000 + 10 * (n % 3), output=output * (10 + n % 3), request=10)
        for n in range(days)
        for model, output in ((OPUS, 20), (HAIKU, haiku_output))
    ]  # fmt: skip


@pytest.mark.slow
def test_tokens_are_scaled_by_what_both_models_used_on_a_task(
    store: duckdb.DuckDBPyConnection, book: PriceBook
) -> None:
    fill(store, *served(14))
    found = replay(store, book, reroute_to_model(HAIKU))
    move = next(move for move in found.moves if move.model == OPUS)
    assert (move.multiplier.basis, move.multiplier.prompt, move.multiplier.output) == ("measured", 1, Decimal("1.5"))
    assert (move.multiplier.days, move.multiplier.calls, move.multiplier.tasks) == (14, 140, ("monitoring",))
    own = next(move for move in found.moves if move.model == HAIKU)
    assert move.replayed_usd == own.spent_usd  # scaled, the calls are what Haiku's own are
    assert replay(store, book, reroute_to_model(HAIKU), as_logged=True).total.replayed_usd < found.total.replayed_usd


def test_another_components_calls_say_nothing_of_a_components_tokens(
    store: duckdb.DuckDBPyConnection, book: PriceBook
) -> None:
    """Six times the tokens, by a component that shares nothing but the word for its task."""
    scanners = [row | {"component": "scan", "input": 6 * row["input"]} for row in served(14) if row["model"] == HAIKU]
    fill(store, *served(14), *scanners)
    move = next(move for move in replay(store, book, reroute_to_model(HAIKU)).moves if move.model == OPUS)
    assert (move.multiplier.basis, move.multiplier.prompt, move.multiplier.output) == ("measured", 1, Decimal("1.5"))


@pytest.mark.slow
def test_a_measured_multiplier_carries_its_uncertainty(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    rows = served(14)
    for number, row in enumerate(rows):
        row["output"] += 60 * (number % 5)
    fill(store, *rows)
    total = replay(store, book, reroute_to_model(HAIKU)).total
    assert total.low_usd < total.replayed_usd < total.high_usd
    assert total == replay(store, book, reroute_to_model(HAIKU)).total  # the same store, the same range


@pytest.mark.parametrize(
    "rows",
    [
        served(6),
        [row | {"status": "error"} for row in served(14)],
        [row | {"task": row["model"]} for row in served(14)],
    ],
    ids=["fewer days than a week", "failed calls only", "no task in common"],
)
def test_without_evidence_tokens_stay_as_logged(
    store: duckdb.DuckDBPyConnection, book: PriceBook, rows: list[dict[str, Any]]
) -> None:
    fill(store, *rows)
    found = replay(store, book, reroute_to_model(HAIKU))
    assert {move.multiplier.basis for move in found.moves} == {"no evidence", "same model"}
    assert found.total.low_usd == found.total.high_usd


def test_a_ratio_is_of_the_tasks_as_the_moved_calls_mix_them(store: duckdb.DuckDBPyConnection, book: PriceBook) -> None:
    # per day Opus: 9 calls of "a" at 10 tokens, 1 of "b" at 100; Haiku: 1 of "a" at 20, 9 of "b" at 100
    days = [date(2026, 10, 1) + timedelta(days=n) for n in range(8)]
    mix = [(OPUS, "a", 9, 90), (OPUS, "b", 1, 100), (HAIKU, "a", 1, 20), (HAIKU, "b", 9, 900)]
    fill(
        store,
        *(
            summed(model, day=day, task=task, request=calls, output=output)
            for day in days
            for model, task, calls, output in mix
        ),
    )
    move = next(m for m in replay(store, book, reroute_to_model(HAIKU)).moves if m.model == OPUS)
    # (9 x 20 + 1 x 100) / (9 x 10 + 1 x 100) = 280 / 190; the bare means, 92 / 19, would mix the tasks
    assert move.multiplier.output == Decimal("1.473684")
