"""Sessions fitted to logs: what was put in comes out, and its cost is that of the logs."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import yaml
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.architecture.session import distribution_of
from costsim.analysis.profile.amounts import by_moments, fit_gap, fit_turns
from costsim.analysis.profile.quality import uncertainty
from costsim.analysis.profile.results import ProfileFit, Profiles
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.sessions.chances import at_most, mean_turns
from costsim.analysis.simulation.settings import Settings
from costsim.errors import CostsimError
from costsim.store import open_store
from costsim.usage.readers.mapped import parse_mapping

OPUS = "anthropic/claude-opus-4-6"  # $5, $25, read $0.50, written $6.25 per million tokens
HEAD = "ts,session,component,task,model,input,cache_read,cache_write_5m,output"
MAPPING = ",".join(f"{name}={name}" for name in HEAD.split(","))
START = datetime(2026, 6, 1, 9, tzinfo=UTC)


def session(name: str, turns: int, prompt: int, new: Callable[[], int], answer: Callable[[], int], stays: float = 1,
            gap: Callable[[], int] = lambda: 20, component: str = "coder", at: datetime = START) -> list[str]:  # fmt: skip
    """Lines of a session whose context grows by its input, and by what stays of its answers."""
    lines, context = [], prompt
    before = 0
    for k in range(turns):
        wait = gap() if k else 0
        at += timedelta(seconds=wait)
        context += new()
        read = before if wait <= 300 else 0
        said = answer()
        lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{name},{component},review,{OPUS},0,{read},{context - read},{said}")
        before = context
        context += round(said * stays)
    return lines


def profiled(folder: Path, lines: list[str], **how: object) -> Profiles:
    log, path = folder / "log.csv", folder / "store.duckdb"
    log.write_text("\n".join([HEAD, *lines]) + "\n")
    with open_store(path) as store:
        store.load([log], mapping=parse_mapping(MAPPING))
        return store.profile("logs", **how)  # type: ignore[arg-type]


def only(found: Profiles) -> ProfileFit:
    (fit,) = found.fits
    return fit


def test_sessions_that_are_all_alike_come_out_as_they_are(tmp_path: Path) -> None:
    lines = [line for n in range(4) for line in session(f"s{n}", 10, 8000, lambda: 500, lambda: 200)]
    fit = only(profiled(tmp_path, lines))
    stated = fit.component["session"]
    assert {key: stated[key] for key in ("turns", "prompt", "input", "output", "gap")} == {
        "turns": 10, "prompt": 8000, "input": 500, "output": 200, "gap": 20,
    }  # fmt: skip
    assert (stated["cache"], "compaction" in stated, "prompt_cached" in stated) == ("5m", False, False)
    assert fit.component["runs_per_day"] == {"poisson": 4}
    assert all(part.difference_percent == 0 for part in fit.classes)
    assert (fit.model, fit.component["task"]) == (OPUS, "review")


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Profiles]:
    """Sixty sessions over 20 days: 3 to 40 turns, of whose answers a third stays, one gap in ten over five minutes."""
    draw = random.Random(5)
    folder = tmp_path_factory.mktemp("varied")
    lines = []
    for n in range(60):
        lines += session(
            f"s{n}", draw.randint(3, 40), draw.randint(9000, 11000), lambda: round(draw.lognormvariate(6, 0.8)),
            lambda: round(draw.lognormvariate(5.5, 0.6)), 1 / 3, lambda: 900 if draw.random() < 0.1 else 30,
            at=START + timedelta(days=n % 20),
        )  # fmt: skip
    return folder, profiled(folder, lines)


@pytest.mark.slow
def test_what_varies_keeps_its_mean_and_its_totals(varied: tuple[Path, Profiles]) -> None:
    fit = only(varied[1])
    assert (fit.sessions, fit.component["runs_per_day"]) == (60, {"poisson": 3})
    for part in fit.classes:
        assert part.difference_percent == pytest.approx(0, abs=2.5), part.token_class
    keys = {key.key: key for key in fit.keys}
    assert keys["turns"].standard_error is not None
    # a third of an answer stays: two thirds of its mean of exp(5.5 + 0.18) = 293 tokens are thinking
    assert keys["output"].mean / (keys["output"].mean + keys["thinking"].mean) == pytest.approx(1 / 3, abs=0.1)
    assert keys["input"].mean == pytest.approx(np.exp(6.32), rel=0.15)
    hits = {gap.gap: gap.read_percent for gap in fit.gaps}
    assert hits == {"under 1 minute": 100, "5 minutes to 1 hour": 0}
    assert fit.explained_percent
    assert 60 < fit.explained_percent <= 100


@pytest.mark.slow
def test_the_file_runs_as_it_is_and_costs_what_the_logs_did(varied: tuple[Path, Profiles]) -> None:
    folder, found = varied
    file = folder / "sessions.yaml"
    file.write_text(found.yaml)
    assert "# " in found.yaml
    plan = project(read_architecture(file), Settings(date(2026, 7, 1), 20, trials=500)).plan("routed")
    logs = {
        "components": [
            {"name": "coder", "model": OPUS, "runs_per_day": 3,
             "tokens": {"from_usage": {"store": "store.duckdb", "by": "session"}}}
        ]
    }  # fmt: skip
    (folder / "logs.yaml").write_text(yaml.safe_dump(logs))
    logged = project(read_architecture(folder / "logs.yaml"), Settings(date(2026, 7, 1), 20, trials=500)).plan("routed")
    assert float(plan.horizon.expected_usd / logged.horizon.expected_usd) == pytest.approx(1, abs=0.02)
    assert plan.horizon.p10_usd < logged.horizon.expected_usd < plan.horizon.p90_usd


def test_a_compaction_is_found_with_its_limit(tmp_path: Path) -> None:
    def compacted(name: str) -> list[str]:
        first = session(name, 30, 10_000, lambda: 3000, lambda: 500)  # grows by 3,500 to 114,500 at turn 30
        return first + session(name, 20, 20_000, lambda: 3000, lambda: 500, at=START + timedelta(hours=1))

    fit = only(profiled(tmp_path, [line for n in range(3) for line in compacted(f"s{n}")]))
    compaction = fit.component["session"]["compaction"]
    assert fit.compactions == 3
    assert float(compaction["limit"]) == pytest.approx(115_000, rel=0.01)  # the 114,500 and the answer of 500
    assert float(compaction["keep"]) == pytest.approx(
        10_000, rel=0.1
    )  # 23,000 after it, of which 13,000 is a first turn
    for part in fit.classes:
        assert part.difference_percent == pytest.approx(0, abs=12), part.token_class


def test_single_calls_are_tokens_and_no_session(tmp_path: Path) -> None:
    lines = [f"2026-06-0{1 + n % 3}T08:00:00Z,,tag,label,{OPUS},{1000 + n},0,0,50" for n in range(9)]
    fit = only(profiled(tmp_path, lines))
    assert "session" not in fit.component
    assert fit.component["tokens"] == {"input": 1004, "output": 50}
    assert fit.component["runs_per_day"] == {"poisson": 3}


@pytest.mark.slow
def test_parts_are_of_components_or_of_tasks_and_can_be_chosen(tmp_path: Path) -> None:
    lines = session("a", 3, 900, lambda: 10, lambda: 5) + session("b", 3, 900, lambda: 10, lambda: 5, component="bot")
    assert {fit.name for fit in profiled(tmp_path, lines).fits} == {"coder", "bot"}
    assert [fit.name for fit in profiled(tmp_path, lines, by="task").fits] == ["review"]
    assert [fit.name for fit in profiled(tmp_path, lines, where=["component=b*"]).fits] == ["bot"]
    with pytest.raises(CostsimError, match="no single call of component=x"):
        profiled(tmp_path, lines, where=["component=x"])
    with pytest.raises(CostsimError, match="cannot choose by 'compnent'"):
        profiled(tmp_path, lines, where=["compnent=x"])


def test_turns_keep_the_mean_of_their_whole_numbers() -> None:
    turns = np.array([1, 2, 2, 3, 3, 4, 5, 9, 12, 30], dtype=np.float64)
    fitted = fit_turns(turns)
    assert float(mean_turns(distribution_of(fitted.amount))) == pytest.approx(7.1, rel=1e-3)
    assert fitted.distance is not None
    assert fitted.distance < 0.25


def test_a_lognormal_has_the_mean_and_deviation_of_the_log() -> None:
    part = distribution_of(by_moments(1000, 500))
    assert float(part.mean) == pytest.approx(1000, rel=1e-3)
    assert part.variance**0.5 == pytest.approx(500, rel=1e-3)
    assert by_moments(1000, 5) == 1000
    assert by_moments(0, 5) == 0


def test_gaps_leave_the_cache_as_warm_as_it_was() -> None:
    for warm in (0.2, 0.9, 0.995):
        chance = float(at_most(distribution_of(fit_gap(40, 1.2, 300, warm)), 300))  # type: ignore[arg-type]
        assert chance == pytest.approx(warm, abs=1e-3)
    assert fit_gap(40, 1.2, 300, 1) == 40
    assert fit_gap(40, 1.2, 300, 0) == 600


def test_a_gap_of_centuries_is_as_long_as_a_session_may_state() -> None:
    century, year = 100 * 365 * 86_400, 366 * 86_400
    found = fit_gap(century, 1.2, None, 0)
    assert (found.p50, found.p95) == (year, year)  # type: ignore[union-attr]


@pytest.mark.parametrize("error", [0.05, 0.3, 0.4, 0.5, 0.7, 3])
def test_an_uncertainty_has_mean_one_and_the_error_it_states(error: float) -> None:
    stated = uncertainty(error)
    low, mode, high = (float(stated[key]) for key in ("low", "mode", "high"))
    assert (low + mode + high) / 3 == pytest.approx(1)
    variance = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18
    assert variance**0.5 == pytest.approx(min(error, 0.5**0.5), abs=0.01)
    assert stated["low"] >= Decimal(0)


def test_contexts_that_start_anew_with_every_call_are_fitted_as_near_as_they_can_be(tmp_path: Path) -> None:
    """Two models in one session whose contexts never build on each other: no input per turn gives their totals."""
    calls = [
        {"ts": f"2026-09-{day:02}T{hour}:00:00Z", "input": size + 10 * day, "output": 1500, "model": model,
         "component": "c2", "session": "s2"}
        for day in range(1, 29) for hour, size, model in ((12, 30_000, "claude-sonnet-4-6"), (15, 60_000, "claude-opus-4-6"))
    ]  # fmt: skip
    log = tmp_path / "calls.jsonl"
    log.write_text("".join(json.dumps(call) + "\n" for call in calls))
    names = ("ts", "input", "output", "model", "component", "session")
    with open_store(tmp_path / "costsim.duckdb") as store:
        store.load([log], mapping=parse_mapping(",".join(f"{name}={name}" for name in names)))
        found = store.profile("logs")
    assert [fit.sessions for fit in found.fits] == [1, 1]
