"""`from_usage` by session: every run draws one logged session, its calls together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.costs import Costs
from costsim.analysis.simulation.profiles import Joint
from costsim.analysis.simulation.sessions.few import mean_factors, widening
from costsim.analysis.simulation.sessions.measured import LoggedSessions
from costsim.analysis.simulation.workload import Horizon, Work
from costsim.errors import ArchitectureError
from costsim.store import open_store
from costsim.usage import store as usage_store
from costsim.usage.readers.mapped import parse_mapping

Read = Callable[..., Architecture]
Project = Callable[..., Projection]

OPUS = "anthropic/claude-opus-4-6"  # $5 and $25 per million tokens
COLUMNS = {"ts": "at", "session": "who", "input": "i", "output": "o"}
# a has three calls, b one; the one without a session is a run of its own
LOG = "at,who,i,o\n3,a,300,30\n1,a,100,10\n2,b,500,50\n2,a,200,20\n9,,700,70\n"


@pytest.fixture(autouse=True)
def _stores_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Stores that lie in another folder than the architecture."""
    monkeypatch.setenv("COSTSIM_ALLOW", str(tmp_path_factory.getbasetemp()))


def fleet(log: dict[str, Any], **words: Any) -> dict[str, Any]:
    source = {"file": "log.csv", "columns": COLUMNS, **log}
    row = {"name": "a", "model": OPUS, "runs_per_day": 10, "tokens": {"from_usage": source}}
    return {"components": [row | words]}


def work(read: Read, log: dict[str, Any], text: str = LOG, **words: Any) -> Work:
    architecture = read(fleet(log, **words), {"log.csv": text})
    return Costs.of(architecture, Horizon.of(date(2026, 6, 1), 7, ZoneInfo("UTC")), "list").works["a"]


def test_a_run_is_a_session_where_the_log_has_sessions(read: Read) -> None:
    found = work(read, {})
    assert isinstance(found.profile, LoggedSessions)
    # (600 + 500 + 700) / 3 sessions, and a tenth of it in output
    assert found.profile.count == 3
    assert found.profile.mean == {"input": 600, "output": 60}
    assert found.profile.rows[:3, 0].tolist() == [100, 200, 300]  # in the order of time
    assert found.explained.startswith("a: a run is one of 3 logged sessions, 1.7 calls on average.")


def test_by_call_a_run_is_a_call(read: Read) -> None:
    found = work(read, {"by": "call"})
    assert isinstance(found.profile, Joint)
    assert found.profile.mean == {"input": 360, "output": 36}  # 1,800 of five calls


def test_the_expected_cost_is_exactly_that_of_the_mean_session(projected: Project) -> None:
    plan = projected(fleet({}), {"log.csv": LOG}, start=date(2026, 6, 1)).plan("routed")
    # 10 runs x (600 x $5 + 60 x $25) / 10^6 = $0.045 per day
    assert plan.expected_usd_per_day == Decimal("0.045")
    facts = plan.components[0].session
    assert facts
    assert (round(facts.turns, 6), facts.usd_per_session) == (Decimal("1.666667"), Decimal("0.0045"))


def test_a_rate_from_the_log_counts_its_sessions(read: Read) -> None:
    assert work(read, {}, runs_per_day={"from_usage": 2}).runs.expected[0] == 6
    assert work(read, {"by": "call"}, runs_per_day={"from_usage": 2}).runs.expected[0] == 10


def test_sessions_that_come_in_bursts_have_a_wider_range_than_their_calls(projected: Project) -> None:
    # 40 sessions of 1 to 40 calls of 1,000 tokens: 820 calls
    rows = [f"{n},{session},1000,100" for session in range(40) for n in range(session + 1)]
    log = {"log.csv": "at,who,i,o\n" + "\n".join(rows) + "\n"}
    sessions = projected(fleet({}), log).plan("routed").horizon
    calls = projected(fleet({"by": "call"}, runs_per_day=205), log).plan("routed").horizon
    assert sessions.expected_usd == calls.expected_usd  # 10 sessions of 20.5 calls are 205 calls
    assert calls.p90_usd == calls.p10_usd  # all calls are alike
    # the mean of 40 sessions is known to 9 %, 300 sessions of them vary by 3 %: 1.28 x sqrt(0.09^2 + 0.03^2) = 12 %
    assert Decimal("1.2") < sessions.p90_usd / sessions.p10_usd < Decimal("1.35")


def test_every_call_of_a_session_has_its_own_context_tier(read: Read) -> None:
    found = work(read, {}).profile
    assert isinstance(found, LoggedSessions)
    low, high = found.brackets((400,))
    assert [low.probability, low.mean["input"]] == [1, 200]  # three calls of 100 to 300 in three sessions
    assert [high.probability, high.mean["input"]] == [Fraction(2, 3), 600]
    drawn = found.sample([low, high])
    assert drawn.sums[:, :, 0].tolist() == [[600, 0], [0, 500], [0, 700]]
    assert drawn.sums[:, :, -1].tolist() == [[3, 0], [0, 1], [0, 1]]


def test_a_switch_to_another_model_writes_what_its_cache_lacks() -> None:
    # the contexts 100, 500 and 120 of one session, the last two read from a cache but for 10
    rows = np.array([[0, 100], [490, 10], [110, 10]])
    found = LoggedSessions(("cache_read", "cache_write_5m"), rows, np.zeros(3, dtype=np.int64))
    assert found.switching(400).rows.tolist() == [[0, 100], [0, 500], [0, 120]]
    assert found.switching(1000) is found


def test_policies_of_single_calls_draw_calls_unless_sessions_are_asked_for(read: Read) -> None:
    cache: dict[str, Any] = {"cache": {"hit_rate": 0.5, "share": 0.5}}
    assert isinstance(work(read, {}, **cache).profile, Joint)
    with pytest.raises(ArchitectureError, match="a session cannot state cache"):
        work(read, {"by": "session"}, **cache)


def test_sessions_that_a_log_does_not_have_are_an_error(read: Read) -> None:
    with pytest.raises(ArchitectureError, match=r"by: session needs columns: \{session"):
        work(read, {"by": "session", "columns": {"input": "i"}})
    with pytest.raises(ArchitectureError, match="no call of the log has a session"):
        work(read, {"by": "session"}, "at,who,i,o\n1,,5,5\n")


def test_the_fewer_the_sessions_the_less_is_their_mean_known() -> None:
    rng = np.random.default_rng(1)
    amounts = rng.lognormal(0, 1, (500, 1))
    widths = []
    for count in (3, 20, 150, 500):
        factors = mean_factors(amounts[:count], rng, 4000)
        assert factors.mean() == pytest.approx(1)
        widths.append(float(np.quantile(factors, 0.9) - np.quantile(factors, 0.1)))
    assert widths == sorted(widths, reverse=True)
    assert mean_factors(amounts[:1], rng, 10).tolist() == [[1.0] * 10]
    assert widening(2) == pytest.approx(3.0777 / 1.2816 * 2**0.5, rel=1e-3)  # Student's t of 1 degree
    assert widening(10_000) == pytest.approx(1, abs=1e-3)


def test_sessions_of_which_one_is_most_of_it_say_little_about_their_mean() -> None:
    rng = np.random.default_rng(1)
    alike, one = (
        mean_factors(np.array([[size] for size in sizes], dtype=np.float64), rng, 4000)
        for sizes in ([9, 10, 10, 11] * 5, [1] * 19 + [500])
    )
    assert np.quantile(alike, 0.9) < 1.1
    assert np.quantile(one, 0.9) > 2
    assert (alike.mean(), one.mean()) == (pytest.approx(1), pytest.approx(1))


@pytest.mark.slow
def test_observed_components_draw_whole_sessions_and_cost_the_same(tmp_path: Path, projected: Project) -> None:
    log = tmp_path / "log.csv"
    lines = ["ts,session,input,output,component,model"]
    # Monday to Wednesday: s1 of four calls over two days, s2 of two, and three calls without a session
    for ts, session in (
        ("2026-06-01T09:00:00Z", "s1"), ("2026-06-01T10:00:00Z", "s1"), ("2026-06-02T09:00:00Z", "s1"),
        ("2026-06-02T09:30:00Z", "s1"), ("2026-06-02T11:00:00Z", "s2"), ("2026-06-02T11:05:00Z", "s2"),
        ("2026-06-03T08:00:00Z", ""), ("2026-06-03T08:10:00Z", ""), ("2026-06-03T08:20:00Z", ""),
    ):  # fmt: skip
        lines.append(f"{ts},{session},1000,200,bot,{OPUS}")
    log.write_text("\n".join(lines) + "\n")
    path = tmp_path / "store.duckdb"
    mapping = ",".join(f"{name}={name}" for name in ("ts", "session", "input", "output", "component", "model"))
    with open_store(path) as store:
        store.load([log], mapping=parse_mapping(mapping))
        data: Any = store.observed(path)
    (bot,) = data["components"]
    assert bot["tokens"]["from_usage"]["by"] == "session"
    hourly = bot["runs_per_day"]["hourly"]
    # s1 is half a run on each of its two days; s2 one, the others three: 5 runs in all
    assert [sum(hourly[day]) for day in ("mon", "tue", "wed")] == pytest.approx([0.5, 1.5, 3])
    assert hourly["mon"][9] == 0.25
    assert sum(hourly["thu"]) == pytest.approx(5 / 3)  # not seen: not idle
    del data["forecast"]
    week = projected(data, start=date(2026, 6, 1), days=3).plan("routed").horizon
    # nine calls of $0.01: 1,000 x $5 + 200 x $25 per million
    assert float(week.expected_usd) == pytest.approx(0.09, abs=1e-9)


def test_a_store_is_opened_once_for_all_components(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An opening looks at everything in the store: opened for each component, a run would take their product."""
    rows = "".join(f"2026-10-0{n}T00:00:00Z,{OPUS},100,10,{name}\n" for name in "ab" for n in (1, 2))
    (tmp_path / "calls.csv").write_text("ts,model,input,output,component\n" + rows)
    named = {name: name for name in ("ts", "model", "input", "output", "component")}
    with open_store(tmp_path / "costsim.duckdb") as store:
        store.load([tmp_path / "calls.csv"], mapping=parse_mapping(",".join(f"{k}={v}" for k, v in named.items())))
    opened: list[Path] = []
    really = usage_store.open_store

    def counted(path: Path, read_only: bool = False) -> Any:
        opened.append(path)
        return really(path, read_only)

    monkeypatch.setattr(usage_store, "open_store", counted)
    source = {"store": str(tmp_path / "costsim.duckdb")}
    rows_of = [
        {
            "name": name,
            "model": OPUS,
            "runs_per_day": 1,
            "tokens": {"from_usage": source | {"where": {"component": name}}},
        }
        for name in "ab"
    ]
    architecture = read({"components": rows_of})
    costs = Costs.of(architecture, Horizon.of(date(2026, 11, 1), 7, ZoneInfo("UTC")), "list")
    assert [work.profile.mean["input"] for work in costs.works.values()] == [100, 100]
    assert len(opened) == 1
