"""Many breached budgets: what is tried for one is not tried anew for another, and each gets what it would get alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.budgets import projected, tried
from costsim.analysis.budgets.check import CheckSettings, check
from costsim.analysis.budgets.results import BudgetCheck, CheckResult

Written = Callable[..., Path]
HAIKU, SONNET, OPUS = (f"anthropic/claude-{name}" for name in ("haiku-4-5", "sonnet-4-6", "opus-4-6"))
TRIALS = 200
SCOPES: list[Any] = ["total", {"agent": "a0"}, {"component": "c1"}, {"task": "brief"}, {"model": SONNET}]


def components(count: int = 6) -> list[dict[str, Any]]:
    """Single calls of two tasks; one spawns another, one is a session."""
    found: list[dict[str, Any]] = [
        {
            "name": f"c{n}", "agent": f"a{n % 2}", "task": ("brief", "scan")[n % 2], "runs_per_day": 5 + n,
            "tokens": {"input": {"p50": 1000, "p95": 3000}, "output": 100},
        }
        for n in range(count)
    ]  # fmt: skip
    found[0]["spawns"] = [{"component": f"c{count - 1}", "count": 2}]
    session = {"prompt": 5_000, "turns": 6, "input": 400, "output": 200, "gap": "1m", "cache": "5m"}
    found[2]["tokens"] = {"session": session}
    return found


def checked(written: Written, budgets: list[dict[str, Any]], parts: list[dict[str, Any]] | None = None) -> CheckResult:
    routing = {"brief": OPUS, "scan": SONNET, "fallback": HAIKU}
    data = {"model_routing": routing, "components": parts or components(), "budgets": budgets}
    return check(written(data), CheckSettings(date(2026, 11, 1), trials=TRIALS))


def budget(number: int, usd: float = 0.01, period: str = "month", **more: Any) -> dict[str, Any]:
    return {"name": f"b{number}", "usd": usd, "period": period, **more}


def draws_of(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> int:
    """How often components are drawn meanwhile."""
    drawn: list[str] = []
    own = projected.Projected.shares

    def counted(self: projected.Projected, name: str) -> list[projected.Share]:
        drawn.append(name)
        return own(self, name)

    with monkeypatch.context() as patch:
        patch.setattr(projected.Projected, "shares", counted)
        act()
    return len(drawn)


@pytest.mark.slow
def test_budgets_of_one_scope_are_tried_once(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their limits: forty draw no more than the two whose searches go furthest."""
    limits = [0.01, 1000.0, *(0.02 * n for n in range(1, 39))]
    both = draws_of(monkeypatch, lambda: checked(written, [budget(n, usd) for n, usd in enumerate(limits[:2])]))
    forty = draws_of(monkeypatch, lambda: checked(written, [budget(n, usd) for n, usd in enumerate(limits)]))
    assert forty <= 2 * both


@pytest.mark.slow
def test_a_component_is_drawn_once_for_a_change_whatever_the_scope(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scopes' changes are of the same components: ten scopes draw as often as each change of each asks for."""
    alone = draws_of(monkeypatch, lambda: checked(written, [budget(0)]))
    periods = ("day", "week", "month")
    ten = [budget(n, scope=SCOPES[n % 5], period=periods[n % 3]) for n in range(10)]
    assert draws_of(monkeypatch, lambda: checked(written, ten)) <= 2 * alone


@pytest.mark.slow
def test_a_budget_among_others_gets_the_change_that_it_gets_alone(written: Written) -> None:
    ways = [("month", "p90"), ("day", "mean"), ("week", "p50"), ("run", "p90")]
    budgets = [
        budget(n, usd, period, at=at, scope=scope)
        for n, (scope, (period, at), usd) in enumerate(
            (scope, way, usd) for scope in SCOPES for way in ways for usd in (0.0001, 0.02, 1.5)
        )
    ]
    together = {found.name: found for found in checked(written, budgets).budgets}
    breached = [one for one in budgets if together[one["name"]].breached]
    assert len(breached) > 20
    for one in breached:
        [alone] = checked(written, [one]).budgets
        assert together[one["name"]] == alone


@pytest.mark.slow
def test_little_that_is_kept_changes_no_figure(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    budgets = [budget(n, scope=scope) for n, scope in enumerate(SCOPES)]
    before = checked(written, budgets).budgets
    monkeypatch.setattr(tried, "KEPT_BYTES", 1)
    assert checked(written, budgets).budgets == before


@pytest.mark.slow
def test_beyond_a_number_of_scopes_no_change_is_sought_and_a_note_says_so(
    written: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tried, "MAX_SOUGHT", 2)
    budgets = [budget(n, scope=SCOPES[n % 3]) for n in range(6)]
    found = checked(written, budgets)
    assert [has_fix(one) for one in found.budgets] == [True, True, False] * 2
    assert {one.status for one in found.budgets} == {"fail"}
    assert "a change that would keep a budget is sought for 2 scopes and periods, not for all" in found.notes
    assert not [note for note in checked(written, budgets[:2]).notes if "sought" in note]


def has_fix(one: BudgetCheck) -> bool:
    return one.fix is not None
