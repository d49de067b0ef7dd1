"""One store and one question: run --from-usage, check --usage, the review and report give one figure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.compare.architectures import difference
from costsim.analysis.compare.sides import Side
from costsim.analysis.projection import Projection
from costsim.analysis.review.review import review
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.scale import Scale
from costsim.analysis.simulation.settings import Settings
from costsim.api import check
from costsim.cli.app import app
from costsim.pricing.book import open_book
from costsim.store import Store, open_store
from typer.testing import CliRunner

pytestmark = pytest.mark.slow

MONDAY = date(2026, 6, 1)
TODAY = MONDAY + timedelta(3)
CALLS = (40, 60, 50)
"""Calls of Monday to Wednesday: of $0.01 each at $5 and $25 per million tokens (1,000 input, 200 output)."""


@pytest.fixture(autouse=True)
def _stores_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Stores that lie in another folder than the architecture."""
    monkeypatch.setenv("COSTSIM_ALLOW", str(tmp_path_factory.getbasetemp()))


def log(folder: Path, calls: tuple[int, ...]) -> Path:
    rows = ["ts,input,output,component,model"]
    for day, count in enumerate(calls):
        at = MONDAY + timedelta(day)
        rows += [
            f"{at}T{8 + n % 12:02}:{n % 60:02}:00Z,1000,200,{'a' if n % 4 else 'b'},anthropic/claude-opus-4-6"
            for n in range(count)
        ]
    file = folder / "log.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


def load(folder: Path, calls: tuple[int, ...]) -> Path:
    path = folder / "store.duckdb"
    mapping = "ts=ts,input=input,output=output,component=component,model=model"
    outcome = CliRunner().invoke(app, ["load", str(log(folder, calls)), "--map", mapping, "--db", str(path)])
    assert outcome.exit_code == 0, outcome.output
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of three days."""
    return load(tmp_path_factory.mktemp("store"), CALLS)


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with open_store(path, read_only=True) as opened:
        yield opened


def observed(path: Path, folder: Path) -> Path:
    with open_store(path, read_only=True) as opened:
        data = opened.observed(path)
    file = folder / "observed.yaml"
    file.write_text(yaml.safe_dump(data))
    return file


def projected(file: Path, first: date, days: int, **settings: Any) -> Projection:
    return project(read_architecture(file), Settings(first, days, **settings))


def test_four_ways_to_ask_for_a_month_give_one_figure(path: Path, store: Store, tmp_path: Path) -> None:
    run = projected(observed(path, tmp_path), MONDAY, 30).plan("routed").horizon
    budgets = tmp_path / "budgets.yaml"
    budgets.write_text(
        "budgets:\n" + "".join(f"  - {{name: {at}, usd: 9999, period: month, at: {at}}}\n" for at in ("p50", "p90"))
    )
    checked = check(store=store, budgets=budgets, month=MONDAY, today=TODAY)
    reviewed = review(store.connection, open_book("list"), "2026-06", today=TODAY, name="x").headline.forecast
    assert reviewed
    # $0.01 a call: 1,000 x $5 + 200 x $25 per million
    assert reviewed.spent_usd == Decimal("1.5")
    assert {budget.name: round(budget.value_usd, 6) for budget in checked.budgets} == {
        "p50": round(reviewed.p50_usd, 6), "p90": round(reviewed.p90_usd, 6),
    }  # fmt: skip
    for name in ("expected_usd", "p10_usd", "p50_usd", "p90_usd"):
        assert round(getattr(run, name), 4) == round(getattr(reviewed, name), 4), name


def test_the_commands_themselves_agree(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "budgets.yaml").write_text("budgets: [{name: month, usd: 9999, period: month, at: p90}]\n")

    def result(*arguments: str) -> Any:
        outcome = CliRunner().invoke(app, [*arguments, "--db", str(path), "--format", "json"])
        assert outcome.exit_code == 0, outcome.output
        return json.loads(outcome.stdout)

    run = result("run", "--from-usage", "--start", "2026-06-01", "--days", "30")
    checked = result("check", "--usage", "--budgets", "budgets.yaml", "--today", str(TODAY))
    report = result("report", "--month", "2026-06", "--today", str(TODAY))["headline"]["forecast"]
    figures = {
        "run": run["plans"][1]["horizon"]["p90_usd"],
        "check": checked["budgets"][0]["value_usd"],
        "report": report["p90_usd"],
    }
    assert len({round(Decimal(usd), 4) for usd in figures.values()}) == 1, figures
    for sentence in (run["forecast"], checked["notes"][0], report["message"]):
        assert "from only 3 days (2026-06-01 to 2026-06-03)" in sentence
        assert "14 days, each weekday twice, would do" in sentence


def test_a_weekday_that_was_not_seen_is_not_a_day_of_no_cost(path: Path, tmp_path: Path) -> None:
    plan = projected(observed(path, tmp_path), TODAY, 7).plan("routed")
    # Thursday to Wednesday, of which only the last three weekdays are logged, at $0.40 to $0.60
    assert all(day.expected_usd > Decimal("0.2") for day in plan.days)
    assert all(row.runs_per_day > 0 for row in plan.components)


def test_three_days_leave_the_mean_of_a_month_open(path: Path, tmp_path: Path) -> None:
    month = projected(observed(path, tmp_path), TODAY, 30).plan("routed").horizon
    assert month.p90_usd > Decimal("1.3") * month.p10_usd


def test_known_days_cost_what_they_did_and_components_share_it(path: Path, tmp_path: Path) -> None:
    plan = projected(observed(path, tmp_path), MONDAY, 3).plan("routed")
    assert [day.expected_usd for day in plan.days] == [Decimal("0.4"), Decimal("0.6"), Decimal("0.5")]
    assert plan.horizon.p10_usd == plan.horizon.p90_usd == Decimal("1.5")
    shares = {row.name: row.expected_usd_per_day for row in plan.components}
    # b has one call in four: 10 + 15 + 13 of 150 (every fourth, the first included)
    assert shares["b"] is not None
    assert float(shares["b"]) == pytest.approx(0.5 * 38 / 150, abs=0.002)


def test_what_if_changes_what_the_forecast_costs_in_proportion(path: Path, tmp_path: Path) -> None:
    file = observed(path, tmp_path)
    once, twice = (projected(file, TODAY, 30, scale=scale) for scale in (Scale(), Scale.parse(["2"])))
    for name in ("expected_usd", "p10_usd", "p90_usd"):
        ratio = getattr(twice.plan("routed").horizon, name) / getattr(once.plan("routed").horizon, name)
        assert float(ratio) == pytest.approx(2)


def test_diff_compares_the_runs_that_the_forecast_has(path: Path, tmp_path: Path) -> None:
    base = read_architecture(observed(path, tmp_path))
    moved = [
        part.model_copy(update={"model": "anthropic/claude-haiku-4-5"}) if part.name == "a" else part
        for part in base.components
    ]
    settings = Settings(TODAY, 30)
    sides = [
        Side(name, architecture, "list", "routed", settings)
        for name, architecture in (("base", base), ("head", base.model_copy(update={"components": moved})))
    ]
    found = difference(*sides)
    runs = [project(side.architecture, settings).plan("routed").horizon.expected_usd for side in sides]
    assert [round(found.before_usd, 6), round(found.after_usd, 6)] == [round(usd, 6) for usd in runs]
    # haiku costs a fifth of opus for input and output alike
    (row,) = found.components
    assert row.before_usd
    assert row.after_usd
    assert float(row.after_usd / row.before_usd) == pytest.approx(0.2)
    assert row.p10_usd
    assert row.p90_usd
    assert row.p10_usd < Decimal("1.5") * row.p90_usd  # three days leave the number of runs open (both are savings)


def test_a_saved_architecture_without_forecast_has_the_average_hour_of_the_logs(path: Path, tmp_path: Path) -> None:
    file = observed(path, tmp_path)
    data = yaml.safe_load(file.read_text())
    del data["forecast"]
    file.write_text(yaml.safe_dump(data))
    plan = projected(file, TODAY, 7).plan("routed")
    # Mondays to Wednesdays as logged, the other days at their mean of 50 calls: 40 + 60 + 50 + 4 x 50 = 350
    assert round(plan.horizon.expected_usd, 4) == Decimal("3.5")
