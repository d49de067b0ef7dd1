"""Linting policies: what they send where, and whether they ever have an effect."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.findings import Finding
from costsim.analysis.lint import exit_code, lint

CHEAP, COSTLY, SMALL = "lab/cheap", "lab/costly", "lab/small"
OVERLAY = {
    "book": "lab",
    "source": "made for this test",
    "models": [
        {"model": CHEAP, "usd_per_mtok": {"input": 1, "cache_read": "0.1", "cache_write_5m": "1.25", "output": 5}},
        {"model": COSTLY, "usd_per_mtok": {"input": 5, "output": 25}},
        {"model": SMALL, "usd_per_mtok": {"input": 2, "output": 10}, "context_window": 128_000},
    ],
}
ROUTING = {"cheap": CHEAP, "costly": COSTLY, "small": SMALL, "fallback": CHEAP}
HALF_HOURLY: dict[str, Any] = {"schedule": "*/30 * * * *"}
RUN: dict[str, Any] = {"tokens": {"input": 10_000, "output": 2_000}}

Check = Callable[..., list[Finding]]


@pytest.fixture
def found(written: Callable[..., Path]) -> Check:
    """The findings for one component's policies, by a half-hourly run on the cheap model unless stated otherwise."""

    def check(more: dict[str, Any] | None = None, **policies: Any) -> list[Finding]:
        component = {"name": "part", "task": "cheap", **HALF_HOURLY, **RUN, **policies}
        data = {"prices": "prices.yaml", "model_routing": ROUTING, "components": [component]} | (more or {})
        return lint(written(data, {"prices.yaml": OVERLAY}), start=date(2026, 6, 1))

    return check


def test_policies_that_help_raise_no_finding(found: Check) -> None:
    escalate = {"probability": "0.2", "to": "costly"}
    assert found(escalate=escalate, fresh_for="2h", batch_with={"tasks": 4, "overhead_tokens": 5_000}) == []


def test_a_half_hourly_run_never_hits_a_five_minute_cache(found: Check) -> None:
    [finding] = found(cache={"share": "0.8"})
    assert (finding.rule, finding.severity, finding.key) == ("cold-cache", "warning", "components[0].cache")
    assert "never finds its 5m cache warm" in finding.message
    assert exit_code([finding]) == 0


@pytest.mark.parametrize(("task", "to", "message"), [
    ("cheap", "fallback", "from lab/cheap to lab/cheap, the same model"),
    ("costly", "cheap", "from lab/costly to lab/cheap, which costs no more for the same tokens"),
])  # fmt: skip
def test_escalating_to_the_same_or_a_cheaper_model_is_pointless(found: Check, task: str, to: str, message: str) -> None:
    findings = found(task=task, escalate={"probability": "0.2", "to": to})
    [finding] = [finding for finding in findings if finding.rule == "pointless-escalation"]
    assert message in finding.message
    assert finding.key == "components[0].escalate"


def test_escalating_so_often_that_the_dear_model_alone_is_cheaper_loses(found: Check) -> None:
    # pays below 72.7%: see test_policies.py
    [finding] = found(escalate={"probability": "0.9", "to": "costly"})
    assert finding.rule == "losing-policy"
    assert "72.7%" in finding.message


@pytest.mark.parametrize(("policy", "key"), [
    ({"escalate": {"probability": "0.2", "to": "lab/nobody"}}, "components[0].escalate.to"),
    ({"escalate": {"probability": "0.2", "start": "lab/nobody"}}, "components[0].escalate.start"),
    ({"large_context": {"over": 5_000, "use": "lab/nobody"}}, "components[0].large_context.use"),
])  # fmt: skip
def test_a_target_without_a_price_is_an_error(found: Check, policy: dict[str, Any], key: str) -> None:
    [finding] = found(**policy)
    assert (finding.rule, finding.key) == ("unpriced-model", key)
    assert "'lab/nobody' has no price in" in finding.message
    assert exit_code([finding]) == 1


@pytest.mark.parametrize(("over", "rule"), [(128_000, "context-window"), (100_000, "open-ended-context")])
def test_a_large_context_must_fit_the_window_of_its_target(found: Check, over: int, rule: str) -> None:
    tokens = {"input": {"low": 0, "high": 200_000}, "output": 100}
    [finding] = found(tokens=tokens, large_context={"over": over, "use": "small"})
    assert finding.rule == rule
    assert "window of 128,000 tokens" in finding.message


def test_what_goes_elsewhere_need_not_fit_the_components_own_model(found: Check) -> None:
    tokens = {"input": {"low": 0, "high": 200_000}, "output": 100}
    assert [finding.rule for finding in found(task="small", tokens=tokens)] == ["context-window"]
    assert found(task="small", tokens=tokens, large_context={"over": 50_000, "use": "costly"}) == []


def test_a_threshold_above_every_run_is_idle(found: Check) -> None:
    [finding] = found(large_context={"over": 50_000, "use": "costly"})
    assert finding.rule == "idle-policy"
    assert "no run has more than 50,000 input tokens" in finding.message


def test_a_result_that_is_stale_before_the_next_run_is_never_reused(found: Check) -> None:
    assert [finding.rule for finding in found(fresh_for="30m")] == ["idle-policy"]
    assert found(fresh_for="31m") == []


def test_a_batch_of_runs_that_hardly_meet_takes_days(found: Check) -> None:
    [finding] = found(schedule="0 9 * * *", batch_with={"tasks": 4, "overhead_tokens": 100})
    assert finding.rule == "slow-batch"
    assert "a batch of 4 runs gathers for 4.0 days, at 1 runs per day" in finding.message


def test_a_default_policy_is_found_at_the_component_that_it_does_not_suit(found: Check) -> None:
    [finding] = found({"defaults": {"cache": {"share": "0.8"}}})
    assert (finding.rule, finding.key) == ("cold-cache", "components[0]")
