"""What a plan pays for: its expected cost by token class adds up to its total."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.projection import Projection
from costsim.analysis.simulation.run import project
from costsim.analysis.simulation.settings import Settings
from costsim.cli.arguments import EXAMPLES

Project = Callable[..., Projection]

PRICES = {
    "book": "lab",
    "source": "made for this test",
    "models": [
        {
            "model": "lab/large",
            "usd_per_mtok": {"input": 10, "cache_read": 1, "cache_write_5m": "12.5", "output": 50},
            "usd_per_thousand": {"request": 2},
        }
    ],
    "subscriptions": [{"name": "seat", "models": ["lab/seat"], "usd_per_day": 3}],
}


def fleet(*components: dict[str, Any]) -> dict[str, Any]:
    return {"name": "fleet", "prices": "prices.yaml", "components": list(components)}


def by_class(projection: Projection) -> dict[str, Decimal]:
    return {part.token_class: part.expected_usd_per_day for part in projection.plans[-1].classes}


def part(**given: Any) -> dict[str, Any]:
    tokens = {"input": 3000, "cache_read": 20000, "cache_write_5m": 1000, "output": 400}
    return {"name": "a", "agent": "x", "task": "t", "model": "lab/large", "runs_per_day": 100, "tokens": tokens} | given


def test_each_class_by_hand(projected: Project) -> None:
    # 100 runs per day: input 300,000 x $10 = $3; cache reads 2,000,000 x $1 = $2; writes 100,000 x $12.50 = $1.25;
    # output 40,000 x $50 = $2; 100 requests at $2 per thousand = $0.20; $8.45 together
    found = projected(fleet(part()), {"prices.yaml": PRICES}).plans[0]
    assert [(row.token_class, row.expected_usd_per_day) for row in found.classes] == [
        ("input", 3), ("cache_read", 2), ("output", 2), ("cache_write_5m", Decimal("1.25")), ("request", Decimal("0.2")),
    ]  # fmt: skip
    assert sum(row.expected_usd_per_day for row in found.classes) == found.expected_usd_per_day == Decimal("8.45")
    assert found.classes[0].percent == Decimal("35.502959")  # 3 / 8.45


def test_a_subscription_is_no_class_of_tokens(projected: Project) -> None:
    found = by_class(projected(fleet(part(name="b", model="lab/seat"), part()), {"prices.yaml": PRICES}))
    assert found["subscription"] == 3
    assert found["input"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("example", ["agent-fleet", "spawning-c-suite"])
def test_the_classes_of_the_examples_add_up_to_their_plans(example: str) -> None:
    architecture = read_architecture(EXAMPLES / example / "architecture.yaml")
    for plan in project(architecture, Settings(start=date(2026, 12, 1), trials=20, days=2)).plans:
        assert sum(row.expected_usd_per_day for row in plan.classes) == pytest.approx(plan.expected_usd_per_day)
        assert sum(row.percent for row in plan.classes) == pytest.approx(100)
