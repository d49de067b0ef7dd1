"""The cheapest fix of a budget: model, processing, cache and batching together, verified by drawing it anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.budgets.check import CheckSettings, check
from costsim.analysis.budgets.results import BudgetCheck
from costsim.analysis.routing.kinds import can_replace, model_kind

Written = Callable[..., Path]

LARGE, SMALL = "lab/large", "lab/small"
OVERLAY = {
    "book": "lab",
    "source": "made for this test",
    "models": [
        {"model": model, "processing": name, "usd_per_mtok": {"input": usd * share, "cache_read": usd * share / 10}}
        for model, usd in ((LARGE, 3.0), (SMALL, 1.0), ("lab/text-moderation", 0.01))
        for name, share in (("standard", 1), ("batch", 0.5))
    ],
}
BESIDE = {"prices.yaml": OVERLAY}
NOVEMBER = date(2026, 11, 1)  # 30 days
ROUTING = {"fallback": LARGE, "small": SMALL, "guard": "lab/text-moderation"}


def part(name: str, usd_per_day: int, **more: Any) -> dict[str, Any]:
    """A component that costs that on the large model at standard prices: a third on the small one, half as batch."""
    return {"name": name, "schedule": "17 3 1-30 * *", "tokens": {"input": usd_per_day * 1_000_000 // 3}, **more}


def judged(written: Written, usd: float, *components: dict[str, Any]) -> BudgetCheck:
    budget = {"name": "fleet", "usd": usd, "period": "month"}
    data = {"prices": "prices.yaml", "model_routing": ROUTING, "components": components, "budgets": [budget]}
    return check(written(data, BESIDE), CheckSettings(NOVEMBER)).budgets[0]


def test_a_smaller_model_as_batch_is_found_where_neither_is_enough_alone(written: Written) -> None:
    # 900 a month; 300 on the small model, 450 as batch, 150 as both
    found = judged(written, 200, part("digest", 30)).fix
    assert found
    assert found.changes == [f"move digest to {SMALL}", "run digest as batch (processing: batch)"]
    assert (found.sufficient, found.value_usd, found.saved_usd) == (True, 150, 750)


def test_a_model_without_a_price_is_never_proposed(written: Written) -> None:
    """It would save all that the component costs, and nobody knows what it takes."""
    data = {
        "prices": "prices.yaml",
        "model_routing": {"fallback": LARGE, "new": "lab/unpriced"},
        "plans": {"other": {"model": "acme/no-such-model"}},
        "components": [part("digest", 30)],
        "budgets": [{"name": "fleet", "usd": 200, "period": "month"}],
    }
    fix = check(written(data, BESIDE), CheckSettings(NOVEMBER)).budgets[0].fix
    assert fix
    assert not any("unpriced" in change or "no-such-model" in change for change in fix.changes)
    assert (fix.sufficient, fix.value_usd) == (False, 450)  # batch is half of 900 a month


def test_a_chat_bot_is_never_offered_batch(written: Written) -> None:
    alone = judged(written, 200, part("bot", 30, interactive=True)).fix
    assert alone
    assert not any("batch" in change for change in alone.changes)
    both = judged(written, 310, part("bot", 15, interactive=True), part("digest", 30)).fix
    # the bot on the small model 150, the digest on it as batch 150: together 300
    assert both
    assert (both.sufficient, both.value_usd) == (True, 300)
    assert not any("bot as batch" in change for change in both.changes)


HAIKU, SONNET = "anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-6"  # $1 and $5, $3 and $15; half as batch


def desk(written: Written, usd: float, **bot: Any) -> BudgetCheck:
    """A digest of $150 a month on Haiku (1,500 runs of $0.10), a chat bot of $44 (220 runs of $0.20); both on Sonnet."""
    components = [
        {"name": "digest", "runs_per_day": 50, "tokens": {"input": 50_000, "output": 10_000}},
        {"name": "bot", "schedule": "0 9-19 1-20 * *", "tokens": {"input": 100_000, "output": 20_000}, **bot},
    ]
    budget = {"name": "fleet", "usd": usd, "period": "month"}
    routing = {"fallback": SONNET, "small": HAIKU, "guard": "openai/omni-moderation-latest"}
    data = {"model_routing": routing, "components": components, "budgets": [budget]}
    return check(written(data), CheckSettings(NOVEMBER)).budgets[0]


def test_the_worked_example_finds_haiku_with_batch_for_what_nobody_waits_for(written: Written) -> None:
    # On Sonnet 450 + 132 = 582. All on Haiku 150 + 44 = 194, too much for 150. The digest as batch too: 75 + 44 = 119.
    found = desk(written, 150, interactive=True)
    assert found.value_usd == 582
    assert found.fix
    assert sorted(found.fix.changes) == [
        f"move bot to {HAIKU}",
        f"move digest to {HAIKU}",
        "run digest as batch (processing: batch)",
    ]
    assert (found.fix.value_usd, found.fix.sufficient) == (119, True)


def test_the_worked_example_needs_no_batch_for_a_budget_that_haiku_keeps(written: Written) -> None:
    found = desk(written, 194, interactive=True).fix
    assert found
    assert (found.changes, found.value_usd) == ([f"route the task fallback to {HAIKU}"], 194)


def test_the_worked_example_batches_the_bot_where_nobody_waits_for_it(written: Written) -> None:
    # all on Haiku as batch: 97; nothing less is enough for 100, and with people who wait nothing is
    found = desk(written, 100).fix
    assert found
    assert (found.value_usd, found.sufficient) == (97, True)
    waiting = desk(written, 100, interactive=True).fix
    assert waiting
    assert not any("bot as batch" in change for change in waiting.changes)
    assert (waiting.value_usd, waiting.sufficient) == (119, False)


def test_a_session_is_offered_a_cache_and_no_batch(written: Written) -> None:
    session = {"turns": 20, "prompt": 99_000, "input": 10, "cache": "none"}
    found = judged(written, 50, {"name": "coder", "model": LARGE, "runs_per_day": 1, "session": session}).fix
    # 20 x 99,000 x 3 = 6 USD per day without a cache; with one the prompt is written once and read 19 times
    assert found
    assert found.sufficient
    assert any("session.cache" in change for change in found.changes)
    assert not any("processing" in change for change in found.changes)


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ("openai/omni-moderation-latest", "moderation"),
        ("openai/text-embedding-3-small", "embedding"),
        ("cohere/rerank-v3.5", "rerank"),
        ("openai/whisper-1", "speech"),
        ("anthropic/claude-haiku-4-5", "chat"),
        ("in-house/guard", "moderation"),
    ],
)
def test_a_models_kind_is_in_its_name(model: str, kind: str) -> None:
    assert model_kind(model) == kind


def test_only_a_model_of_the_same_kind_can_take_over() -> None:
    assert not can_replace("openai/omni-moderation-latest", "anthropic/claude-haiku-4-5")
    assert not can_replace("anthropic/claude-haiku-4-5", "openai/text-embedding-3-small")
    assert can_replace("anthropic/claude-haiku-4-5", "in-house/guard")
