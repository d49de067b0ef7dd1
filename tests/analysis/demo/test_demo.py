"""The worked month: drawn from the fleet as it stands, and a review of it finds what was planted, and nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.demo.calls import DemoCall, fleet_calls
from costsim.analysis.demo.files import architecture_file, attribution, log_files, outcomes, prices, usd
from costsim.analysis.demo.planted import DRIFT, MONTH, PRICE_CHANGE, RUNAWAY
from costsim.analysis.outcomes.store import load_outcomes
from costsim.analysis.review.results import Review
from costsim.analysis.review.review import review
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.analysis.spend.spend import Query, spend
from costsim.cli.arguments import EXAMPLE
from costsim.pricing.book import PriceBook, open_book
from costsim.usage.attribution import read_attribution
from costsim.usage.load import LoadReport, load
from costsim.usage.store import open_store

LIST_SONNET = {"input": Decimal(3), "output": Decimal(15)}
OPUS, HAIKU = {"input": Decimal(5), "output": Decimal(25)}, {"input": Decimal(1), "output": Decimal(5)}


@pytest.fixture(scope="module")
def fleet() -> Architecture:
    return read_architecture(EXAMPLE)


@pytest.fixture(scope="module")
def calls(fleet: Architecture) -> list[DemoCall]:
    return fleet_calls(fleet, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, fleet: Architecture, calls: list[DemoCall]) -> Path:
    out = tmp_path_factory.mktemp("demo")
    (out / "prices.yaml").write_text(prices((EXAMPLE.parent / "prices.yaml").read_text()))
    (out / "architecture.yaml").write_text(architecture_file(fleet))
    (out / "attribution.yaml").write_text(attribution(fleet))
    (out / "outcomes.csv").write_text(outcomes(calls, 1))
    (out / "logs").mkdir()
    for name, text in log_files(calls, open_book("list", [out / "prices.yaml"])).items():
        (out / name).write_text(text)
    return out


@pytest.fixture(scope="module")
def book(folder: Path) -> PriceBook:
    return open_book("list", [folder / "prices.yaml"])


@pytest.fixture(scope="module")
def loaded(folder: Path, book: PriceBook) -> Iterator[tuple[duckdb.DuckDBPyConnection, LoadReport]]:
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, [folder / "logs"], attribution=read_attribution(folder / "attribution.yaml"))
        load_outcomes(store, folder / "outcomes.csv")
        bring_up_to_date(store, book)
        yield store, report


@pytest.fixture(scope="module")
def found(folder: Path, book: PriceBook, loaded: tuple[duckdb.DuckDBPyConnection, LoadReport]) -> Review:
    architecture = read_architecture(folder / "architecture.yaml")
    return review(loaded[0], book, MONTH, today=date(2026, 11, 1), name="demo", architecture=architecture)


def cost(tokens: dict[str, int], usd_per_mtok: dict[str, Decimal]) -> Decimal:
    return sum((tokens[name] * usd_per_mtok[name] for name in tokens), Decimal(0)) / 10**6


def tokens_of(calls: list[DemoCall]) -> dict[str, int]:
    return {"input": sum(call.input for call in calls), "output": sum(call.output for call in calls)}


def test_scheduled_components_run_exactly_when_their_crons_say(calls: list[DemoCall]) -> None:
    runs = Counter(call.component for call in calls)
    # 61 days: every 30 minutes, every hour, 3 times and once a day
    expected = {
        "ceo-heartbeat": 48,
        "coo-heartbeat": 24,
        "cto-cron-monitor": 48,
        "cmo-curation": 3,
        "coo-morning-brief": 1,
    }
    assert {name: runs[name] for name in expected} == {name: 61 * times for name, times in expected.items()}


@pytest.mark.slow
def test_september_costs_what_the_architecture_expects(calls: list[DemoCall], folder: Path, book: PriceBook) -> None:
    architecture = read_architecture(folder / "architecture.yaml")
    expected = (
        project(architecture, Settings(date(2026, 9, 1), days=30, trials=100)).plan("routed").horizon.expected_usd
    )
    spent = sum((usd(call, book) for call in calls if call.at.month == 9), Decimal(0))
    assert abs(spent / expected - 1) < Decimal("0.10")  # 180 ad hoc runs: their number alone varies by 7 %


@pytest.mark.slow
def test_the_same_seed_draws_the_same_logs(fleet: Architecture, calls: list[DemoCall]) -> None:
    assert fleet_calls(fleet, 1) == calls
    assert fleet_calls(fleet, 2) != calls


@pytest.mark.slow
def test_every_line_loads_and_has_a_price_a_component_and_its_recorded_cost(
    loaded: tuple[duckdb.DuckDBPyConnection, LoadReport], book: PriceBook, calls: list[DemoCall]
) -> None:
    store, report = loaded
    total = spend(store, book, Query(("component",)))
    assert (report.total("added"), report.total("rejected")) == (len(calls), 0)
    assert total.unpriced_models == ()
    assert "unattributed" not in {row.keys[0] for row in total.rows}
    assert total.total.recorded_usd is not None
    assert abs(total.total.recorded_usd - total.total.computed_usd) < Decimal("1e-9")  # the log's floats


def test_outcomes_judge_no_run_that_drifted(calls: list[DemoCall]) -> None:
    rows = list(csv.DictReader(io.StringIO(outcomes(calls, 1))))
    assert not [row for row in rows if row["task"] == "monitoring" and row["model"] == DRIFT.went_to]


@pytest.mark.slow
def test_the_review_finds_the_drift(found: Review, calls: list[DemoCall]) -> None:
    (drift,) = found.drift
    off_route = [call for call in calls if call.model != call.configured]
    assert (drift.component, drift.went_to, drift.first) == (DRIFT.component, DRIFT.went_to, DRIFT.day)
    assert drift.calls == len(off_route) == 17 * 48
    tokens = tokens_of(off_route)
    assert drift.worth_usd == cost(tokens, OPUS) - cost(tokens, HAIKU)


@pytest.mark.slow
def test_the_review_finds_the_price_change(found: Review, calls: list[DemoCall]) -> None:
    moves = [move for move in found.prices.moves if move.kind == "changed" and move.in_use]
    assert {(move.model, move.at) for move in moves} == {(PRICE_CHANGE.model, PRICE_CHANGE.day)}
    assert {move.token_class: move.after_usd for move in moves} == PRICE_CHANGE.usd_per_mtok
    tokens = tokens_of([call for call in calls if call.model == PRICE_CHANGE.model and call.at.month == 10])
    worth = sum(move.worth_usd or Decimal(0) for move in moves)
    assert worth == cost(tokens, PRICE_CHANGE.usd_per_mtok) - cost(tokens, LIST_SONNET)


@pytest.mark.slow
def test_the_review_finds_the_runaway(found: Review) -> None:
    (odd,) = found.where.anomalies
    assert (odd.day, odd.component) == (RUNAWAY.day, RUNAWAY.component)
    assert odd.usd > 5 * odd.expected_usd


def test_the_review_finds_nothing_else(found: Review) -> None:
    assert sorted(decision.kind for decision in found.decisions) == ["anomaly", "drift", "price"]
    assert found.moves == []
    assert not [
        change for change in found.performance.changes if change.p_adjusted is not None and change.p_adjusted < 0.05
    ]
    assert (found.quality.unpriced, found.quality.rejected, found.quality.unattributed_calls) == ([], [], 0)
    assert not any(use.breached for use in found.headline.budgets)


def test_the_bridge_holds_the_planted_causes(found: Review) -> None:
    assert found.bridge is not None
    steps = {step.effect: step for step in found.bridge.steps}
    assert found.bridge.before_usd + sum(step.usd for step in steps.values()) == found.bridge.after_usd
    assert "new" not in steps
    assert "retired" not in steps
    assert steps["price"].usd < -10
    assert steps["volume"].components[0].component == RUNAWAY.component
    moved = {part.component for effect in ("mix", "routing") if effect in steps for part in steps[effect].components}
    assert moved == {DRIFT.component}


def test_logs_name_no_model_that_the_routing_has_not(calls: list[DemoCall], folder: Path) -> None:
    known = set(read_architecture(folder / "architecture.yaml").model_routing.values())
    assert {call.model for call in calls} <= known
    first = json.loads(next(iter(sorted((folder / "logs").iterdir()))).read_text().splitlines()[0])
    assert first["request_tags"][0].startswith("component:")
