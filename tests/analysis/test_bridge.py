"""Why a month cost more: effects that add up to the last digit, and are nothing where nothing changed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.review.bridge import Sum, bridge, split
from costsim.analysis.review.cells import fill_cells
from costsim.analysis.review.results import Bridge
from costsim.analysis.spend import Query, bring_up_to_date, spend
from costsim.pricing.book import open_book
from costsim.usage.load import load
from costsim.usage.store import open_store
from hypothesis import given, settings
from hypothesis import strategies as st

SESSIONS = Path(__file__).parent.parent / "data" / "usage" / "claude-code"
SEPTEMBER, OCTOBER = "2026-09", "2026-10"


def used(
    month: str,
    calls: int,
    tokens: int,
    usd: object,
    model: str = "haiku",
    component: str = "desk",
    task: str = "triage",
) -> list[Sum]:
    """A month of a component on a model: its calls, its input tokens and what they cost."""
    return [
        Sum(month, component, task, model, "0 input", False, tokens, Decimal(str(usd))),
        Sum(month, component, task, model, "0 request", True, calls, Decimal(0)),
    ]


def of(*lines: Iterable[Sum]) -> Bridge:
    return split(SEPTEMBER, OCTOBER, [line for part in lines for line in part])


def effects(found: Bridge) -> dict[str, Decimal]:
    return {step.effect: step.usd for step in found.steps}


def test_a_price_change_alone_is_all_price() -> None:
    # 1M tokens at $1, then at $1.50
    found = of(used(SEPTEMBER, 100, 1_000_000, 1), used(OCTOBER, 100, 1_000_000, "1.5"))
    assert effects(found) == {"price": Decimal("0.5")}


def test_twice_the_calls_is_all_volume() -> None:
    found = of(used(SEPTEMBER, 100, 1_000_000, 1), used(OCTOBER, 200, 2_000_000, 2))
    assert effects(found) == {"volume": Decimal(1)}


def test_longer_prompts_are_all_tokens() -> None:
    found = of(used(SEPTEMBER, 100, 1_000_000, 1), used(OCTOBER, 100, 3_000_000, 3))
    assert effects(found) == {"tokens": Decimal(2)}


def test_a_task_that_goes_to_another_model_is_all_routing() -> None:
    # same tokens a call, $5 per million instead of $1
    found = of(used(SEPTEMBER, 100, 1_000_000, 1), used(OCTOBER, 100, 1_000_000, 5, model="opus"))
    assert effects(found) == {"routing": Decimal(4)}


def test_more_of_a_dearer_task_is_all_mix() -> None:
    # of 100 calls 20, then 60 are code reviews at $0.05; the others cost $0.01: 80 x .01 + 20 x .05 = 1.80; then 3.40
    before = [used(SEPTEMBER, 80, 800_000, "0.8"), used(SEPTEMBER, 20, 200_000, 1, model="opus", task="review")]
    after = [used(OCTOBER, 40, 400_000, "0.4"), used(OCTOBER, 60, 600_000, 3, model="opus", task="review")]
    assert effects(of(*before, *after)) == {"mix": Decimal("1.6")}


def test_two_changes_at_once_share_what_they_do_together() -> None:
    # calls x2 and price x3 on $1: $6. Volume first adds 1, last adds 3: (1 + 3) / 2 = 2; price 2 or 4: 3.
    found = of(used(SEPTEMBER, 100, 1_000_000, 1), used(OCTOBER, 200, 2_000_000, 6))
    assert effects(found) == {"volume": Decimal(2), "price": Decimal(3)}


def test_new_and_retired_components_stand_apart() -> None:
    found = of(used(SEPTEMBER, 10, 100, 7, component="old"), used(OCTOBER, 10, 100, 3, component="young"))
    assert effects(found) == {"new": Decimal(3), "retired": Decimal(-7)}
    assert [(part.component, part.usd) for step in found.steps for part in step.components] == [
        ("young", Decimal(3)),
        ("old", Decimal(-7)),
    ]


def test_thirds_are_rounded_so_that_the_steps_still_add_up_to_the_last_digit() -> None:
    found = of(used(SEPTEMBER, 3, 7, "0.1"), used(OCTOBER, 7, 3, "0.000000000000000000000001"))
    assert sum(effects(found).values()) == found.after_usd - found.before_usd
    assert found.after_usd - found.before_usd == Decimal("-0.099999999999999999999999")


def test_the_same_month_twice_has_no_effect() -> None:
    assert of(used(SEPTEMBER, 3, 7, "0.1"), used(OCTOBER, 3, 7, "0.1")).steps == []


usages = st.lists(
    st.tuples(
        st.sampled_from([SEPTEMBER, OCTOBER]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["triage", "code"]),
        st.sampled_from(["haiku", "opus"]),
        st.integers(0, 50),
        st.integers(1, 10**7),
        st.decimals(0, 100, places=9),
    ),
    max_size=12,
)


def sums(drawn: list[tuple[Any, ...]], rename: dict[str, str] | None = None, scale: int = 1) -> list[list[Sum]]:
    return [
        used(month, calls, tokens, usd * scale, model, (rename or {}).get(name, name), task)
        for month, name, task, model, calls, tokens, usd in drawn
    ]


@settings(max_examples=60, deadline=None)
@given(usages)
def test_effects_add_up_exactly_for_the_whole_and_for_every_component(drawn: list[tuple[Any, ...]]) -> None:
    found = of(*sums(drawn))
    assert found.before_usd + sum(effects(found).values()) == found.after_usd
    for name in "abc":
        parts = sum(part.usd for step in found.steps for part in step.components if part.component == name)
        own = {month: sum(d[6] for d in drawn if d[:2] == (month, name)) for month in (SEPTEMBER, OCTOBER)}
        assert own[SEPTEMBER] + parts == own[OCTOBER]
    assert all(step.usd == sum(part.usd for part in step.components) for step in found.steps)


@settings(max_examples=30, deadline=None)
@given(usages, st.permutations(["a", "b", "c"]))
def test_the_order_and_names_of_components_change_nothing(drawn: list[tuple[Any, ...]], names: list[str]) -> None:
    renamed = of(*sums(drawn[::-1], dict(zip("abc", names, strict=True))))
    assert effects(renamed) == effects(of(*sums(drawn)))


@settings(max_examples=30, deadline=None)
@given(usages)
def test_looking_back_negates_every_effect(drawn: list[tuple[Any, ...]]) -> None:
    there, back = of(*sums(drawn)), split(OCTOBER, SEPTEMBER, [line for part in sums(drawn) for line in part])
    turned = {"new": "retired", "retired": "new"}
    assert {turned.get(effect, effect): -usd for effect, usd in effects(back).items()} == effects(there)


def test_a_bridge_of_real_sessions_ends_at_what_spend_says(tmp_path: Path) -> None:
    book = open_book()
    with open_store(tmp_path / "costsim.duckdb") as store:
        load(store, sorted(SESSIONS.glob("p*.jsonl")))
        bring_up_to_date(store, book)
        fill_cells(store, book)
        found = bridge(store, "2026-01", "2026-02")
        total = spend(store, book, Query()).total.computed_usd
        assert store.execute("SELECT sum(usd) FROM spend_cell").fetchone() == (total,)
    assert found.after_usd == total == Decimal("11.97894430")
    assert effects(found) == {"new": total}


@pytest.mark.parametrize("components", [40])
def test_a_large_fleet_takes_moments(components: int) -> None:
    lines = [
        used(month, 100 + n, 10_000 + 37 * n * m, f"{n}.{m}1", f"model-{m}", f"component-{n}", f"task-{m % 3}")
        for month in (SEPTEMBER, OCTOBER)
        for n in range(components)
        for m in range(7)
    ]
    began = time.perf_counter()
    found = of(*lines)
    assert time.perf_counter() - began < 5
    assert found.steps == []
