"""The monthly review: what it finds in a month of a small fleet, and that readers can run its every query."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.outcomes.store import load_outcomes
from costsim.analysis.review.price_changes import Spot, price_moves
from costsim.analysis.review.results import Review
from costsim.analysis.review.review import review
from costsim.analysis.routing.routing import read_routing
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.errors import CostsimError
from costsim.months import month_span
from costsim.pricing.book import PriceBook, open_book
from costsim.pricing.rows import ModelKey
from costsim.usage.load import load
from emptied import open_store
from fleet_days import FLEET, HAIKU, OPUS, SONNET, Row, brief, calm, days, fill, summed

pytestmark = pytest.mark.slow

SESSIONS = Path(__file__).parents[2] / "data" / "usage" / "claude-code"
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def fleet(read: Callable[..., Architecture]) -> Architecture:
    return read(FLEET)


Reviewed = Callable[..., Review]


@pytest.fixture
def reviewed(store: duckdb.DuckDBPyConnection, book: PriceBook, fleet: Architecture) -> Reviewed:
    """The review of these rows: October 2026, the fleet's routing, on 23 November, unless stated otherwise."""

    def run(rows: list[Row], month: str = "2026-10", **given: Any) -> Review:
        fill(store, rows)
        stated: dict[str, Any] = {"today": TODAY, "name": "fleet", "architecture": fleet, "calibrated": False} | given
        prices: PriceBook = stated.pop("book", book)
        return review(store, prices, month, **stated)

    return run


def overlay(folder: Path, text: str) -> PriceBook:
    (folder / "prices.yaml").write_text(f"book: p\nsource: a contract\n{text}\n")
    return open_book("list", [folder / "prices.yaml"])


# Calm


def test_a_calm_month_has_nothing_to_decide_and_says_so(reviewed: Reviewed) -> None:
    found = reviewed(calm("2026-09", "2026-10"))
    assert (found.decisions, found.drift, found.moves, found.where.anomalies) == ([], [], [], [])
    assert "nothing to decide: nothing found is worth $1.24 a month or more" in found.notes  # 1 % of 31 x $4
    head = found.headline
    assert (head.month.usd, head.previous and head.previous.usd) == (124, 120)
    assert (head.change_usd, head.change_percent) == (4, Decimal("3.333333333333"))
    assert (head.month.calls, head.month.tokens, head.month.complete) == (3100, 62_000_000, True)
    assert found.bridge
    assert sum(step.usd for step in found.bridge.steps) == 4
    assert [(m.component, m.change_usd, m.mostly) for m in found.where.movers] == [
        ("brief", 3, "volume"), ("monitor", 1, "volume"),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_noise_with_a_weekday_pattern_is_no_alarm(reviewed: Reviewed, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = [
        row | {"input": int(calls) * 20_000, "request": int(calls), "calls": int(calls)}
        for row in calm("2026-08", "2026-09", "2026-10", "2026-11")
        for calls in [random.poisson(25 if row["day"].weekday() > 4 else 60)]
    ]
    found = reviewed([row for row in rows if row["day"] <= TODAY])
    assert (found.decisions, found.where.anomalies) == ([], [])


# The three findings, each once


def test_a_price_change_a_drift_and_an_odd_day_are_found_and_nothing_else(reviewed: Reviewed, tmp_path: Path) -> None:
    book = overlay(
        tmp_path, f"models: [{{model: {SONNET}, valid_from: 2026-10-10, usd_per_mtok: {{input: 4, output: 15}}}}]"
    )
    rows = calm("2026-09", "2026-10", "2026-11")
    for row in rows:
        if row["component"] == "monitor" and date(2026, 10, 12) <= row["day"] <= date(2026, 10, 23):
            row["model"] = "claude-opus-4-6"
        if row["component"] == "brief" and row["day"] == date(2026, 10, 28):
            row["input"] = 6_000_000
    found = reviewed([row for row in rows if row["day"] < TODAY], book=book)
    # drift: 12 days x 1M x ($5 - $1) = $48; price: 36M tokens x $1 = $36; anomaly: 5M x $4 = $20
    assert [(d.kind, d.worth_usd) for d in found.decisions] == [("drift", 48), ("price", 36), ("anomaly", 20)]
    [drift], [anomaly] = found.drift, found.where.anomalies
    assert (drift.configured, drift.went_to, drift.calls, drift.share) == (HAIKU, OPUS, 600, 600 / 1550)
    assert (drift.first, drift.last, drift.usd) == (date(2026, 10, 12), date(2026, 10, 23), 60)
    assert (anomaly.component, anomaly.day, anomaly.usd) == ("brief", date(2026, 10, 28), 24)
    [changed] = [move for move in found.prices.moves if move.in_use]
    assert (changed.kind, changed.at, changed.before_usd, changed.after_usd) == ("changed", date(2026, 10, 10), 3, 4)
    assert found.routing
    assert (found.routing.missed_usd, found.routing.planned_usd) == (48, found.headline.month.usd - 48)


def test_a_rivals_price_of_next_year_is_no_news_and_one_of_a_model_in_use_is(tmp_path: Path) -> None:
    gpt, o3 = "openai/gpt-4o", "openai/o3"
    rows = [
        f"{{model: {model}, valid_from: {day}, usd_per_mtok: {{input: 9}}}}"
        for model, day in ((gpt, "2027-01-29"), (o3, "2027-01-30"), (SONNET, "2027-10-01"))
    ]
    book = overlay(tmp_path, f"models: [{', '.join(rows)}]")
    units = {Spot(ModelKey("anthropic", "claude-sonnet-4-6"), "input", "standard", 0): 1_000_000}
    moves = price_moves(book, units, [gpt, o3], date(2026, 10, 1), date(2026, 10, 31))
    stated = [(m.kind, m.model, m.at) for m in moves if m.model in (gpt, o3, SONNET)]
    # 1 November and 90 days are 30 January: from then on a rival's price is left out
    assert stated == [("upcoming", SONNET, date(2027, 10, 1)), ("rival", gpt, date(2027, 1, 29))]


def test_escalation_and_large_context_are_no_drift(reviewed: Reviewed, read: Callable[..., Architecture]) -> None:
    monitor = FLEET["components"][0] | {"escalate": {"to": "fallback", "probability": 0.1}}  # type: ignore[index]
    fleet = read(FLEET | {"components": [monitor, FLEET["components"][1] | {"large_context": {"use": OPUS}}]})  # type: ignore[index]
    day = date(2026, 10, 7)
    rows = [*calm("2026-10"), summed(OPUS, day), brief(day) | {"model": "claude-opus-4-6"}]
    assert reviewed(rows, architecture=fleet).drift == []
    assert [d.component for d in reviewed(rows).drift] == ["monitor", "brief"]  # $4 and $2


def test_names_of_one_model_are_one(reviewed: Reviewed) -> None:
    dated = [row | {"model": "claude-haiku-4-5-20251001"} for row in calm("2026-10") if row["component"] == "monitor"]
    assert reviewed(dated).drift == []


def test_calls_of_which_nothing_is_known_are_not_judged(reviewed: Reviewed, tmp_path: Path) -> None:
    rows = [summed(OPUS, day, component="unattributed", task=None) for day in days("2026-10")]
    unknown = [summed(HAIKU, day, component="other", task="translation") for day in days("2026-10")]
    found = reviewed(rows + unknown)
    # a task that the routing does not name is the fallback's: Opus
    assert [(d.component, d.configured) for d in found.drift] == [("other", OPUS)]
    assert found.drift[0].worth_usd == -124  # 31 x 1M x ($1 - $5): it cost less
    assert [(d.group, d.kind) for d in found.decisions] == [("information", "drift")]  # already saved
    assert any("1,550 calls carry neither" in note for note in found.notes)


def test_a_price_cut_of_the_month_comes_last_and_agrees_with_the_bridge(reviewed: Reviewed, tmp_path: Path) -> None:
    book = overlay(
        tmp_path, f"models: [{{model: {SONNET}, valid_from: 2026-10-12, usd_per_mtok: {{input: 2, output: 15}}}}]"
    )
    found = reviewed(calm("2026-09", "2026-10"), book=book)
    [cut] = found.decisions
    # 20 of 31 days at $2 in place of $3; the tokens of all 31 days would cost $31 less
    price = next(step.usd for step in found.bridge.steps if step.effect == "price") if found.bridge else None
    assert (cut.group, cut.kind, cut.worth_usd) == ("information", "price", price)
    assert price is not None
    assert -21 < price < -19
    assert "$31.00 on all of its tokens" in cut.message


def test_a_price_cut_comes_after_what_costs_less_by_drift_whatever_it_is_worth(
    reviewed: Reviewed, tmp_path: Path
) -> None:
    book = overlay(
        tmp_path, f"models: [{{model: {SONNET}, valid_from: 2026-10-12, usd_per_mtok: {{input: 2, output: 15}}}}]"
    )
    rows = calm("2026-09", "2026-10")
    for row in rows:
        if row["component"] == "brief" and date(2026, 10, 1) <= row["day"] <= date(2026, 10, 3):
            row["model"] = "claude-haiku-4-5"
    found = [d for d in reviewed(rows, book=book).decisions if d.group == "information"]
    # three days at $1 in place of $3 cost $6 less; the cut takes some $20 off
    assert [d.kind for d in found] == ["drift", "price"]
    assert found[0].worth_usd == -6
    assert found[0].change is None  # it saves already: there is nothing to promise


def test_a_routing_file_takes_the_mappings_place(reviewed: Reviewed, tmp_path: Path) -> None:
    (tmp_path / "routing.json").write_text(f'{{"model_routing": {{"monitoring": "{OPUS}", "fallback": "{SONNET}"}}}}')
    found = reviewed(calm("2026-10"), routing=read_routing(tmp_path / "routing.json"), architecture=None)
    assert [(d.component, d.configured, d.worth_usd) for d in found.drift] == [("monitor", OPUS, -124)]


# Savings and moves


def test_naive_is_the_most_expensive_model_in_use_for_everything(reviewed: Reviewed) -> None:
    found = reviewed(calm("2026-10"), architecture=None).routing
    assert found
    # all on Sonnet: 62M x $3 = $186 against $124
    assert (found.naive_model, found.naive_usd, found.saved_usd, found.plan) == (SONNET, 186, 62, None)


def outcomes(folder: Path, successes: int, runs: int, task: str = "orchestration", model: str = HAIKU) -> Path:
    lines = [f"2026-10-{1 + n % 28:02d}T08:00:00Z,{task},{model},{n < successes}" for n in range(runs)]
    (folder / "outcomes.csv").write_text("\n".join(["ts,task,model,success", *lines]) + "\n")
    return folder / "outcomes.csv"


def test_a_task_moves_down_where_a_cheaper_model_surely_clears_the_floor(
    reviewed: Reviewed, store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load_outcomes(store, outcomes(tmp_path, 200, 200))
    found = reviewed(calm("2026-10"))
    # 200 of 200: Wilson from 98.1 %. 31M tokens at $1 in place of $3 save $62
    [move] = found.moves
    assert (move.task, move.model, move.to, move.proven) == ("orchestration", SONNET, HAIKU, True)
    assert (move.usd, move.saving_usd, move.calls) == (93, 62, 1550)
    assert [(d.kind, d.worth_usd) for d in found.decisions] == [("move", 62)]
    assert [o.success.trials for o in found.performance.tasks] == [200, 200]


def test_a_move_on_few_outcomes_is_to_be_investigated(
    reviewed: Reviewed, store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load_outcomes(store, outcomes(tmp_path, 20, 20))
    found = reviewed(calm("2026-10"))
    [move] = found.moves  # 20 of 20: Wilson from 83.9 %
    assert not move.proven
    assert move.message == "20 of 20 runs succeeded: surely 83.9% or more, not yet the floor of 95%"
    # the page never says that nothing is worth a decision above a move worth $62
    assert [(d.group, d.kind, d.worth_usd) for d in found.decisions] == [("investigate", "move", 62)]
    assert found.decisions[0].message == f"Try {HAIKU} for orchestration in place of {SONNET}: {move.message}"


def test_a_model_that_failed_is_no_candidate(
    reviewed: Reviewed, store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load_outcomes(store, outcomes(tmp_path, 100, 200))
    assert reviewed(calm("2026-10")).moves == []


def test_without_outcomes_only_a_model_that_ran_the_task_is_worth_a_trial(reviewed: Reviewed) -> None:
    tried = [brief(date(2026, 10, 7)) | {"model": "claude-haiku-4-5"}]
    [move] = reviewed([*calm("2026-10"), *tried]).moves
    assert (move.task, move.to, move.proven, move.success) == ("orchestration", HAIKU, False, None)
    assert move.message.startswith("it already answered 50 calls")
    assert reviewed(calm("2026-10")).moves == []


# Quality


def test_what_has_no_price_is_named_and_to_be_decided_never_zero(reviewed: Reviewed) -> None:
    found = reviewed([summed("acme/nonesuch", day, component="unattributed", task=None) for day in days("2026-10")])
    assert found.headline.month.usd == 0
    assert found.headline.month.unpriced_tokens == 31_000_000
    assert (found.routing, found.where.cells[0].usd) == (None, None)
    [usage] = found.quality.unpriced
    assert (usage.model, usage.calls, usage.tokens, usage.components) == (
        "acme/nonesuch", 1550, 31_000_000, ["unattributed"],
    )  # fmt: skip
    assert [(d.kind, d.worth_usd) for d in found.decisions] == [("quality", None)]


def test_recorded_costs_are_held_against_computed_ones(reviewed: Reviewed) -> None:
    # 1M one-hour cache writes of Haiku are $2; recorded as five-minute ones at $1.25
    rows = [
        summed(HAIKU, day, input=0, cache_write_1h=1_000_000, recorded_usd=Decimal("1.25"), recorded_calls=50)
        for day in days("2026-10")
    ]
    found = reviewed([*rows, brief(date(2026, 10, 7))]).quality
    assert (found.recorded_usd, found.computed_usd, found.difference_usd) == (Decimal("38.75"), 62, Decimal("-23.25"))
    assert found.recorded_calls == 1550
    assert found.explained == "1-hour cache writes at the 5-minute price (-23.25)"


# Months


def test_a_month_without_usage_is_one_clear_line(reviewed: Reviewed) -> None:
    with pytest.raises(CostsimError, match=r"^there is no usage in 2026-12; the store has 2026-09 to 2026-10$"):
        reviewed(calm("2026-09", "2026-10"), "2026-12")
    with pytest.raises(CostsimError, match="the store is empty; load logs"):
        reviewed([])
    with pytest.raises(CostsimError, match="is not a month"):
        reviewed(calm("2026-10"), "2026-13")


def test_the_first_month_has_nothing_before_it(reviewed: Reviewed) -> None:
    found = reviewed(calm("2026-10"))
    assert (found.headline.previous, found.headline.change_usd, found.bridge, found.where.movers) == (
        None, None, None, [],
    )  # fmt: skip
    assert "the store has no month before: nothing says why the cost changed" in found.notes


def test_a_running_month_is_forecast_and_a_past_one_is_not(reviewed: Reviewed) -> None:
    rows = [row for row in calm("2026-09", "2026-10", "2026-11") if row["day"] <= TODAY]
    running = reviewed(rows, "2026-11")
    assert running.headline.forecast
    assert running.headline.forecast.as_of == TODAY - timedelta(1)  # today is not over
    assert abs(running.headline.forecast.expected_usd - 120) < 3  # 30 days of $4
    assert running.backtest is None or running.backtest.coverage
    assert not running.headline.month.complete
    past = reviewed(rows)
    assert past.headline.forecast is None
    assert past.backtest


def test_a_running_month_is_compared_with_the_same_days_of_the_month_before(
    reviewed: Reviewed, store: duckdb.DuckDBPyConnection
) -> None:
    """1 to 22 November, $7 per day, against 1 to 22 October, $4 per day; the 23rd is not over and in neither."""
    more = [brief(day) | {"task": "coding"} for day in days("2026-11")]
    rows = [row for row in [*calm("2026-10", "2026-11"), *more] if row["day"] <= TODAY]
    found = reviewed(rows, "2026-11")
    assert (found.headline.month.usd, found.headline.change_usd, found.headline.change_percent) == (161, 66, 75)
    assert found.bridge
    assert (found.bridge.before_last, found.bridge.after_last) == (date(2026, 10, 22), date(2026, 11, 22))
    assert (found.bridge.before_usd, found.bridge.after_usd) == (88, 154)
    assert sum(step.usd for step in found.bridge.steps) == 66
    assert [(m.component, m.before_usd, m.after_usd) for m in found.where.movers] == [("brief", 66, 132)]
    [bridged] = [query.sql for query in found.queries if query.id == "bridge"]
    assert total([{"usd": row[-1]} for row in store.execute(bridged).fetchall()], "usd") == 88 + 154
    assert (
        "whole days are known through 2026-11-22; compared with the month before through 2026-10-22" in found.notes[0]
    )


def test_a_longer_running_month_is_compared_with_all_of_a_shorter_one(reviewed: Reviewed) -> None:
    rows = [row for row in calm("2026-02", "2026-03") if row["day"] <= date(2026, 3, 30)]
    found = reviewed(rows, "2026-03", today=date(2026, 3, 31)).bridge
    assert found
    assert (found.before_last, found.after_last) == (date(2026, 2, 28), date(2026, 3, 30))
    assert (found.before_usd, found.after_usd) == (28 * 4, 30 * 4)


def test_three_calls_are_too_little_to_compare_with(reviewed: Reviewed) -> None:
    found = reviewed([summed(HAIKU, date(2026, 9, 30), calls=3, request=3), *calm("2026-10")])
    message = "too little to compare: 2026-09 has 3 calls, and a comparison needs 30 in both months"
    assert found.headline.too_little == message
    assert message in found.notes
    assert (found.headline.change_usd, found.headline.change_percent, found.bridge) == (None, None, None)
    assert found.where.movers == []


def test_three_calls_of_the_same_days_are_too_little_in_a_running_month(reviewed: Reviewed) -> None:
    few = [row | {"request": 1, "calls": 1} if row["day"] <= date(2026, 10, 3) else row for row in calm("2026-10")]
    known = [row for row in calm("2026-11") if row["day"] <= date(2026, 11, 3)]
    found = reviewed(few + known, "2026-11", today=date(2026, 11, 4))
    # October has 2,806 calls, but 6 on its first three days; November 300
    message = "too little to compare yet: on these days 2026-10 has 6 calls, and a comparison needs 30 in both months"
    assert (found.headline.too_little, found.bridge, found.headline.change_percent) == (message, None, None)


def test_token_classes_add_up_to_the_month(reviewed: Reviewed) -> None:
    found = reviewed([row | {"cache_read": 2_000_000} for row in calm("2026-10")])
    # 31 days: input 1M x ($1 + $3), cache reads 2M x ($0.10 + $0.30)
    assert [(c.token_class, c.units, c.usd) for c in found.where.classes] == [
        ("input", 62_000_000, 124),
        ("cache_read", 124_000_000, Decimal("24.8")),
    ]
    assert sum(c.usd or 0 for c in found.where.classes) == found.headline.month.usd


def test_on_its_first_day_a_month_is_compared_with_nothing(reviewed: Reviewed) -> None:
    first = date(2026, 11, 1)
    found = reviewed([row for row in calm("2026-10", "2026-11") if row["day"] <= first], "2026-11", today=first)
    assert (found.headline.month.usd, found.headline.change_usd, found.bridge, found.where.movers) == (
        4,
        None,
        None,
        [],
    )
    assert found.notes[0] == "the month is running: no day of it is known whole yet"


def test_a_running_month_is_not_held_against_days_before_the_logs_begin(reviewed: Reviewed) -> None:
    """The store begins on 25 October: nothing is known of its first 22 days, which would make all of November new."""
    rows = [row for row in calm("2026-10", "2026-11") if date(2026, 10, 25) <= row["day"] <= TODAY]
    found = reviewed(rows, "2026-11")
    assert (found.headline.change_usd, found.bridge) == (None, None)
    assert found.notes[0].endswith("known through 2026-11-22, and the store's month before begins on 2026-10-25")


def test_a_review_as_of_a_day_before_the_last_logged_one_is_refused(reviewed: Reviewed) -> None:
    """Else the forecast would know less than the month that it stands beside."""
    rows = calm("2026-09", "2026-10")
    with pytest.raises(CostsimError, match="there is usage of 2026-10-31, after 2026-10-20: give --today 2026-10-31"):
        reviewed(rows, today=date(2026, 10, 20))
    assert not reviewed(rows, today=date(2026, 10, 31)).headline.month.complete
    assert reviewed([*rows, *calm("2026-11")], today=date(2026, 11, 1)).headline.month.complete


def test_a_budget_that_is_exceeded_is_a_decision(reviewed: Reviewed, read: Callable[..., Architecture]) -> None:
    fleet = read(
        FLEET | {"budgets": [{"name": "all", "usd": 100}, {"name": "cto", "usd": 50, "scope": {"agent": "cto"}}]}
    )
    found = reviewed(calm("2026-09", "2026-10"), architecture=fleet)
    assert [(b.name, b.spent_usd, b.breached) for b in found.headline.budgets] == [
        ("all", 124, True),
        ("cto", 31, False),
    ]
    assert [(d.kind, d.worth_usd) for d in found.decisions] == [("budget", 24)]


# Queries


def total(rows: list[dict[str, Any]], name: str, **of: Any) -> Decimal:
    picked = [row for row in rows if all(row[key] == value for key, value in of.items())]
    return sum((row[name] for row in picked if row[name] is not None), Decimal(0))


def test_every_query_runs_on_the_store_and_yields_the_figures(
    reviewed: Reviewed, store: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load_outcomes(store, outcomes(tmp_path, 20, 20))
    once = [summed(OPUS, date(2026, 10, 7), output=1_234_567), summed("acme/nonesuch", date(2026, 10, 8))]
    stray = summed(HAIKU, date(2026, 10, 9), component="unattributed", recorded_usd=Decimal(1), recorded_calls=50)
    found = reviewed([*calm("2026-09", "2026-10"), *once, stray])
    ran: dict[str, list[dict[str, Any]]] = {}
    for query in found.queries:
        result = store.execute(query.sql)
        names = [column[0] for column in result.description or ()]
        ran[query.id] = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    october = found.headline.month.usd
    assert found.bridge
    assert found.bridge.before_usd == total(ran["bridge"], "usd", month="2026-09") == 120
    assert found.bridge.after_usd == total(ran["bridge"], "usd", month="2026-10") == october
    assert total(ran["headline"], "usd", month="2026-10") == october
    assert total(ran["where"], "usd") == october == sum(cell.usd or 0 for cell in found.where.cells)
    assert total(ran["days"], "usd") == october + 120 == sum(day.usd for day in found.where.days)
    assert total(ran["routing"], "usd", model=OPUS) == found.drift[0].usd
    assert total(ran["routing"], "calls", component="monitor") == 1550 + 100
    assert total(ran["prices"], "cost_usd") == october == sum(price.cost_usd for price in found.prices.used)
    assert total(ran["quality"], "unpriced_tokens") == found.quality.unpriced[0].tokens == 1_000_000
    assert total(ran["quality"], "usd", component="unattributed") == found.quality.unattributed_usd == 1
    assert total(ran["recorded"], "recorded_usd") == found.quality.recorded_usd == 1
    assert total(ran["performance"], "runs") == 20
    assert ran["rejected"] == []
    parts = [found.headline, found.bridge, found.where, found.routing, found.performance, found.prices, found.quality]
    assert {part.query for part in parts if part} <= {query.id for query in found.queries}


def test_a_name_in_the_logs_never_enters_a_query(reviewed: Reviewed, store: duckdb.DuckDBPyConnection) -> None:
    evil = "x'; DROP TABLE usage_daily; --"
    found = reviewed([row | {"component": evil, "task": evil} for row in calm("2026-10")], architecture=None)
    assert all(evil not in query.sql for query in found.queries)
    assert found.where.cells[0].component == evil


# Real logs


def test_real_sessions_cost_in_review_what_spend_says(book: PriceBook, tmp_path: Path) -> None:
    with open_store(tmp_path / "real.duckdb") as store:
        load(store, [SESSIONS])
        bring_up_to_date(store, book)
        found = review(store, book, "2026-02", today=TODAY, name="sessions")
        spent = spend(store, book, Query((), *month_span("2026-02"))).total.computed_usd
        for query in found.queries:
            store.execute(query.sql).fetchall()
    assert found.headline.month.usd == spent == sum(price.cost_usd for price in found.prices.used)
    assert found.quality.unattributed_usd == spent  # no rules were given
    assert found.decisions == []
    assert "session" in [by.dimension for by in found.where.owners]
    for by in found.where.owners:  # the top, the others and the unattributed are the month
        assert sum(row.usd or 0 for row in by.rows) == spent
        assert sum(row.calls for row in by.rows) == found.headline.month.calls
    assert Review.model_validate_json(found.model_dump_json()) == found
