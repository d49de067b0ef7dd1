"""Claims: stated figures against computed ones, at the books they name."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from costsim.analysis.projection import ClaimResult, Projection
from costsim.errors import ArchitectureError, CostsimError

Project = Callable[..., Projection]

OPUS, HAIKU, GPT4O = "anthropic/claude-opus-4-6", "anthropic/claude-haiku-4-5", "openai/gpt-4o"
ROW = {"name": "monitor", "model": HAIKU, "runs_per_day": 48, "tokens": {"input": 1000, "output": 100}}


def claims(projected: Project, *given: dict[str, Any], **more: Any) -> list[ClaimResult]:
    content = {"components": [ROW], "claims": [{"says": "x", "stated": 1} | claim for claim in given]} | more
    return projected(content, days=1, trials=1, naive=OPUS).claims


def claim(projected: Project, **words: Any) -> ClaimResult:
    (found,) = claims(projected, words)
    return found


def test_a_price_ratio_compares_two_models_at_a_split_of_tokens(projected: Project) -> None:
    # at list GPT-4o is 2.50 and 10, Haiku 1 and 5: (3 x 2.5 + 10) / (3 x 1 + 5) = 2.1875
    ratio = {"model": GPT4O, "to": HAIKU, "input_per_output": 3}
    assert claim(projected, price_ratio=ratio).computed == Decimal("2.1875")


def test_a_cost_ratio_compares_one_component_on_two_models(projected: Project) -> None:
    found = claim(projected, cost_ratio={"component": "monitor", "model": OPUS, "to": HAIKU})
    assert (found.computed, found.unit) == (Decimal(5), "ratio")


def test_a_plan_ratio_compares_two_plans(projected: Project) -> None:
    assert claim(projected, plan_ratio={"plan": "naive", "to": "routed"}).computed == Decimal(5)


def test_a_daily_cost_is_of_a_component_or_of_the_total(projected: Project) -> None:
    # 48 runs of 1,000 input and 100 output tokens on Haiku: 48 x 0.0015 = 0.072 USD; on Opus five times that
    found = claims(projected, {"daily_usd": {}}, {"daily_usd": {"of": "monitor", "plan": "naive"}})
    assert [(c.computed, c.unit) for c in found] == [
        (Decimal("0.072"), "usd_per_day"),
        (Decimal("0.36"), "usd_per_day"),
    ]


@pytest.mark.parametrize(
    ("stated", "tolerance", "holds", "said"),
    [
        (5, 0, True, "5"),
        ("4.6", "0.1", True, "4.6 ±10%"),  # 4.14 to 5.06
        ("4.5", "0.1", False, "4.5 ±10%"),  # 4.05 to 4.95
        ("5.6", "0.1", False, "5.6 ±10%"),  # 5.04 to 6.16
        ("5.5", "0.1", True, "5.5 ±10%"),  # 4.95 to 6.05
        ("5.01", "0.005", True, "5.01 ±0.5%"),
        ({"low": 4, "high": 7}, 0, True, "4-7"),
        ({"low": 5, "high": 7}, 0, True, "5-7"),  # the ends belong to it
        ({"low": 6, "high": 7}, 0, False, "6-7"),
        ({"low": 6, "high": 7}, "0.2", True, "6-7 ±20%"),
    ],
)
def test_a_claim_holds_within_its_tolerance(
    projected: Project, stated: Any, tolerance: Any, holds: bool, said: str
) -> None:
    ratio = {"model": OPUS, "to": HAIKU}  # exactly 5
    found = claim(projected, price_ratio=ratio, stated=stated, tolerance=tolerance)
    assert (found.holds, found.stated) == (holds, said)


def test_a_claim_is_checked_at_each_of_its_books(projected: Project) -> None:
    found = claims(projected, {"price_ratio": {"model": OPUS, "to": HAIKU}, "books": ["article-2026", "list"]})
    assert [(c.book, c.computed) for c in found] == [("article-2026", Decimal("18.75")), ("list", Decimal(5))]


@pytest.mark.parametrize(
    "kind",
    [
        {"price_ratio": {"model": "nobody/knows", "to": HAIKU}},
        {"cost_ratio": {"component": "monitor", "model": OPUS, "to": "nobody/knows"}},
    ],
)
def test_a_claim_about_what_has_no_price_is_neither_true_nor_false(projected: Project, kind: dict[str, Any]) -> None:
    found = claim(projected, **kind)
    assert (found.computed, found.holds) == (None, None)
    assert "no price" in found.note


def test_a_total_with_an_unpriced_part_is_unknown(projected: Project) -> None:
    more = ROW | {"name": "other", "model": "nobody/knows"}
    found = claims(projected, {"daily_usd": {}}, {"daily_usd": {"of": "monitor"}}, components=[ROW, more])
    assert [c.holds is None for c in found] == [True, False]


def test_a_claim_about_a_total_counts_subscriptions(projected: Project) -> None:
    overlay = {
        "book": "o",
        "source": "o",
        "subscriptions": [{"name": "s", "models": [HAIKU], "usd_per_day": "0.5"}],
    }
    content = {"prices": "o.yaml", "components": [ROW], "claims": [{"says": "x", "stated": 1, "daily_usd": {}}]}
    found = projected(content, {"o.yaml": overlay}, days=2, trials=1, naive=OPUS)
    assert found.claims[0].computed == found.plan("routed").expected_usd_per_day == Decimal("0.5")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ({"plan_ratio": {"plan": "naiv", "to": "routed"}}, "there is no plan 'naiv'; did you mean 'naive'?"),
        ({"daily_usd": {"plan": "route"}}, "there is no plan 'route'; did you mean 'routed'?"),
        ({"daily_usd": {"of": "moniter"}}, "there is no component 'moniter'; did you mean 'monitor'?"),
        (
            {"cost_ratio": {"component": "mon", "model": OPUS, "to": HAIKU}},
            "there is no component 'mon'; did you mean 'monitor'?",
        ),
    ],
)
def test_a_claim_about_an_unknown_name_is_an_error(projected: Project, kind: dict[str, Any], said: str) -> None:
    with pytest.raises(ArchitectureError, match="claim 'x'") as raised:
        claim(projected, **kind)
    assert said in str(raised.value)


def test_a_claim_at_an_unknown_book_is_an_error(projected: Project) -> None:
    with pytest.raises(CostsimError, match=r"claims\[0\].books\[0\]: this is not a price book"):
        claim(projected, daily_usd={}, books=["lst"])
