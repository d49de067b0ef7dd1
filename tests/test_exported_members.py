"""The public API: these names, each documented and annotated, loaded only when used."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import costsim
import pytest
from costsim import _MODULES

NAMES = [
    "Architecture", "ArchitectureDifference", "CheckResult", "CostsimError", "Finding", "LoadReport", "MonthForecast",
    "PriceBook", "Projection", "Reconciliation", "Replay", "Review", "RouteDecision", "Settings", "Spend", "Store", "check", "diff",
    "forecast", "lint", "list_prices", "open_book", "open_store", "project", "read_architecture", "reconcile", "route",
]  # fmt: skip
LOG = (
    '{"type": "assistant", "timestamp": "2026-10-05T10:00:00Z", "sessionId": "s", "requestId": "%s", "message": '
    '{"id": "%s", "model": "claude-haiku-4-5", "usage": {"input_tokens": 1000, "output_tokens": 200}}}\n'
)


def public_functions() -> dict[str, Any]:
    """The exported functions, and the public methods of the store."""
    functions = {name: getattr(costsim, name) for name in NAMES if name[0].islower()}
    methods = {f"Store.{name}": member for name, member in inspect.getmembers(costsim.Store, inspect.isfunction)}
    return functions | {name: member for name, member in methods.items() if not name.startswith("Store._")}


def test_the_public_names_are_these() -> None:
    assert costsim.__all__ == NAMES
    assert sorted(_MODULES) == NAMES
    assert {*NAMES} <= {*dir(costsim)}


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_documented(name: str) -> None:
    documented = inspect.getdoc(getattr(costsim, name)) or ""
    assert len(documented) > 30, name
    assert not documented.startswith(f"{name}("), "a dataclass's own signature says nothing"


@pytest.mark.parametrize("name", sorted(public_functions()))
def test_a_public_function_is_documented_and_annotated(name: str) -> None:
    function = inspect.unwrap(public_functions()[name])
    assert len(inspect.getdoc(function) or "") > 60
    parameters = [parameter for key, parameter in inspect.signature(function).parameters.items() if key != "self"]
    assert [parameter.name for parameter in parameters if parameter.annotation is inspect.Parameter.empty] == []
    assert function.__annotations__["return"]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'costsim' has no attribute 'spned'"):
        _ = costsim.spned


def test_importing_costsim_loads_nothing_but_its_version() -> None:
    code = "import sys; before = {*sys.modules}; import costsim; print(*sorted({*sys.modules} - before - {'costsim'}))"
    command = [sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {code}"]
    loaded = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    assert [name for name in loaded if name != "__future__"] == ["costsim.version"]


@pytest.mark.slow
def test_a_store_needs_no_order_of_calls(tmp_path: Path) -> None:
    """1,000 tokens in at $1 and 200 out at $5 a million are $0.002 a call; each load is in the next answer."""
    log = tmp_path / "session.jsonl"
    with costsim.open_store(tmp_path / "s.duckdb") as store:
        assert store.newest_month() is None
        for calls in (1, 2):
            log.write_text("".join(LOG % (n, n) for n in range(calls)), "utf-8")
            store.load([log])
            assert store.spend(by=("model",)).total.computed_usd == calls * Decimal("0.002")
        assert store.newest_month() == "2026-10"
        assert store.export_focus(tmp_path / "focus.csv") == 2  # input and output, of one day and model
    with costsim.open_store(tmp_path / "s.duckdb", read_only=True) as store:
        assert store.spend().total.computed_usd == Decimal("0.004")


@pytest.mark.slow
def test_a_call_in_the_future_makes_no_newest_month(tmp_path: Path) -> None:
    for number, moment in enumerate(("2026-10", "2199-12")):
        log = (LOG % (number, number)).replace("2026-10", moment)
        (tmp_path / f"{moment}.jsonl").write_text(log, "utf-8")
    with costsim.open_store(tmp_path / "s.duckdb") as store:
        store.load([tmp_path / "2026-10.jsonl", tmp_path / "2199-12.jsonl"])
        assert store.newest_month(date(2026, 11, 2)) == "2026-10"
        assert store.newest_month(date(2026, 9, 30)) == "2199-12"  # all of it lies in the future
        with pytest.raises(costsim.CostsimError, match="2199-12 has not begun on 2026-11-02"):
            store.review("2199-12", today=date(2026, 11, 2), name="fleet")


def test_a_store_that_is_not_there_is_no_traceback(tmp_path: Path) -> None:
    with (
        pytest.raises(costsim.CostsimError, match="there is no store here"),
        costsim.open_store(tmp_path / "none.duckdb", read_only=True),
    ):
        pass


def test_a_task_is_routed_and_a_month_forecast() -> None:
    assert costsim.route("code_generation").key == "code_generation"
    assert costsim.route(attributes={"kind": "monitoring"}).model
    # thirty days at $2: the month of December 2026 costs 31 x $2
    history = [(date(2026, 11, day), Decimal(2)) for day in range(1, 31)]
    found = costsim.forecast(history, date(2026, 12, 1), date(2026, 11, 30), trials=100)
    assert abs(found.expected_usd - 62) < 7


def test_an_architecture_is_checked_and_compared(tmp_path: Path) -> None:
    """A hundred runs per day of 100,000 tokens in at $1 a million are $10; two hundred are $10 per day more."""
    files = []
    for runs in (100, 200):
        files.append(tmp_path / f"{runs}.yaml")
        files[-1].write_text(
            "name: desk\nmodel_routing: {fallback: anthropic/claude-haiku-4-5}\n"
            "budgets: [{name: day, usd: 15, period: day}]\n"
            f"components: [{{name: a, agent: a, task: t, runs_per_day: {runs}, tokens: {{input: 100000, output: 0}}}}]\n",
            "utf-8",
        )
    assert [costsim.check(file, today=date(2026, 11, 2)).exit_code for file in files] == [0, 1]
    found = costsim.diff(files[0], files[1], costsim.Settings(date(2026, 11, 2), days=30, trials=10))
    assert found.difference_usd == 300
