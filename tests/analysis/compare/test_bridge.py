"""Why a month cost more: effects that add up to the last digit, and are nothing where nothing changed."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.compare.bridge import Asks, bridge, split
from costsim.analysis.compare.bridge_effects import Asked, Kind, Route, Used, component_effects
from costsim.analysis.compare.bridge_results import Bridge
from costsim.analysis.compare.reverted import Reverted
from costsim.analysis.review.cells import fill_cells
from costsim.analysis.shapley import shapley
from costsim.analysis.spend.ledger import bring_up_to_date
from costsim.months import month_span
from costsim.pricing.book import open_book
from costsim.usage.load import load
from emptied import open_store
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

SESSIONS = Path(__file__).parents[2] / "data" / "usage" / "claude-code"
SEPTEMBER, OCTOBER = month_span("2026-09"), month_span("2026-10")
HAIKU, OPUS, FLASH = "anthropic/haiku", "anthropic/opus", "google/flash"


def used(
    calls: int,
    tokens: int,
    usd: object,
    model: str = HAIKU,
    task: str = "",
    tier: int = 0,
    processing: str = "standard",
) -> list[Used]:
    """Calls of a task on a model, their input tokens and what these cost."""
    route = Route(model, processing)
    return [
        Used(task, route, Kind("request"), calls, Decimal(0)),
        Used(task, route, Kind("input", tier), tokens, Decimal(str(usd))),
    ]


def effects(before: list[Used], after: list[Used], asked: dict[str, Asked] | None = None) -> dict[str, Fraction]:
    """The effects that are not nothing."""
    return {effect: usd for effect, usd in component_effects(before, after, asked).items() if usd}


def steps(found: Bridge) -> dict[str, Decimal]:
    return {step.effect: step.usd for step in found.steps}


def test_a_price_change_alone_is_all_price() -> None:
    # 1M tokens at $1, then at $1.50
    assert effects(used(100, 1_000_000, 1), used(100, 1_000_000, "1.5")) == {"price": Fraction(1, 2)}


def test_twice_the_calls_is_all_volume() -> None:
    assert effects(used(100, 1_000_000, 1), used(200, 2_000_000, 2)) == {"volume": 1}


def test_longer_prompts_are_all_tokens() -> None:
    assert effects(used(100, 1_000_000, 1), used(100, 3_000_000, 3)) == {"tokens": 2}


def test_prompts_that_grow_into_a_dearer_context_tier_are_all_tokens() -> None:
    # 1M tokens at $1; then half of them from requests over 200K, at $2: 0.5 + 1
    after = [*used(100, 500_000, "0.5"), *used(0, 500_000, 1, tier=200_001)]
    assert effects(used(100, 1_000_000, 1), after) == {"tokens": Fraction(1, 2)}


def test_a_model_that_nobody_asked_for_is_all_mix() -> None:
    # same tokens a call, $5 per million instead of $1
    assert effects(used(100, 1_000_000, 1), used(100, 1_000_000, 5, OPUS)) == {"mix": 4}


def test_a_model_that_the_routing_asked_for_is_all_routing() -> None:
    asked = {"": Asked(after=frozenset({OPUS}))}
    assert effects(used(100, 1_000_000, 1), used(100, 1_000_000, 5, OPUS), asked) == {"routing": 4}


def test_calls_that_stray_from_an_unchanged_routing_are_mix_and_so_is_their_return() -> None:
    haiku = {"": Asked(frozenset({HAIKU}), frozenset({HAIKU}))}
    off_route = [*used(70, 700_000, "0.7"), *used(30, 300_000, "1.5", OPUS)]
    assert effects(used(100, 1_000_000, 1), off_route, haiku) == {"mix": Fraction("1.2")}
    assert effects(off_route, used(100, 1_000_000, 1), haiku) == {"mix": Fraction("-1.2")}


def test_a_new_routing_and_a_drift_from_it_are_distinguished() -> None:
    # 100 calls on Haiku ($0.01 a call); the routing then asks for Flash ($0.002), but 25 go to Opus ($0.05).
    # routing: 75 x (0.002 - 0.01) = -0.6; mix: 25 x (0.05 - 0.01) = 1
    asked = {"": Asked(frozenset({HAIKU}), frozenset({FLASH}))}
    after = [*used(75, 750_000, "0.15", FLASH), *used(25, 250_000, "1.25", OPUS)]
    assert effects(used(100, 1_000_000, 1), after, asked) == {"routing": Fraction("-0.6"), "mix": 1}


def test_more_of_a_dearer_task_is_all_mix() -> None:
    # of 100 calls 20, then 60 are code reviews at $0.05; the others cost $0.01: 80 x .01 + 20 x .05 = 1.80; then 3.40
    before = [*used(80, 800_000, "0.8"), *used(20, 200_000, 1, OPUS, "review")]
    after = [*used(40, 400_000, "0.4"), *used(60, 600_000, 3, OPUS, "review")]
    asked = {"": Asked(after=frozenset({HAIKU})), "review": Asked(after=frozenset({OPUS}))}
    assert effects(before, after, asked) == {"mix": Fraction("1.6")}


def test_moving_to_batch_is_a_change_of_route_at_an_unchanged_price() -> None:
    batch = used(100, 1_000_000, "0.5", processing="batch")
    assert effects(used(100, 1_000_000, 1), batch) == {"mix": Fraction(-1, 2)}


def test_two_changes_at_once_share_what_they_do_together() -> None:
    # calls x2 and price x3 on $1: $6. Volume adds 1 if first and 3 if last: 2 on average; price 2 or 4: 3.
    assert effects(used(100, 1_000_000, 1), used(200, 2_000_000, 6)) == {"volume": 2, "price": 3}


def test_a_mixed_month_by_hand() -> None:
    # Calls 100 -> 200; 0 -> 1/4 of them on Opus; Haiku's tokens per call 10,000 -> 20,000; its price $1 -> $2 per
    # million. USD per call on Haiku: 0.01, with more tokens or the new price 0.02, with both 0.04; Opus 0.1 throughout.
    #   before: 100 x 0.01 = 1; after: 200 x (3/4 x 0.04 + 1/4 x 0.1) = 11; difference 10
    # Tokens and price are alike to Haiku; h = 1, 2, 2, 4 cents by how many of the two have changed. Shapley of four:
    # a factor comes after no other in 6 of 24 orders, after a given one in 2, after a given two in 2, after all in 6.
    before = used(100, 1_000_000, 1)
    after = [*used(150, 3_000_000, 6), *used(50, 1_000_000, 5, OPUS)]

    def cost(volume: int, mix: int, tokens: int, price: int) -> Fraction:
        haiku = Fraction(2 ** (tokens + price), 100)
        return (100 + 100 * volume) * (haiku + mix * Fraction(1, 4) * (Fraction(1, 10) - haiku))

    orders = list(permutations(range(4)))
    mean = [Fraction(0)] * 4
    for order in orders:
        state = [0, 0, 0, 0]
        for factor in order:
            was = cost(*state)
            state[factor] = 1
            mean[factor] += (cost(*state) - was) / len(orders)
    assert sum(mean) == 10
    assert effects(before, after) == dict(zip(("volume", "mix", "tokens", "price"), mean, strict=True))
    # by hand: volume adds half of what the others make of a call: 100 x (1/4 (0.01 + 0.055) + 1/12 (0.0325 + 0.02 +
    # 0.02 + 0.04 + 0.04 + 0.04)), in which 0.0325 = 0.01 + 1/4 x 0.09 and 0.04 = 0.02 + 1/4 x 0.08
    assert mean[0] == 100 * (Fraction("0.065") / 4 + Fraction("0.1925") / 12)


def test_a_price_that_nobody_paid_before_is_no_change_of_price() -> None:
    # a model used in one month alone: whatever it cost elsewhere, its coming is a change of shares
    before = used(100, 1_000_000, 1)
    after = [*used(50, 500_000, 1), *used(50, 500_000, 4, OPUS)]  # Haiku at $2: the only price that changed
    found = effects(before, after)
    assert found["price"] == Fraction(3, 4)  # $1 per million more, on 1M tokens if first, on 0.5M if last
    assert set(found) == {"price", "mix"}


def test_tokens_stand_for_calls_where_a_source_counts_none() -> None:
    assert effects(used(0, 1_000_000, 1), used(0, 3_000_000, 3)) == {"volume": 2}


def test_new_and_retired_components_stand_apart() -> None:
    found = split(SEPTEMBER, OCTOBER, {"old": used(10, 100, 7)}, {"young": used(10, 100, 3)})
    assert steps(found) == {"new": Decimal(3), "retired": Decimal(-7)}
    assert [(part.component, part.usd) for step in found.steps for part in step.components] == [
        ("young", Decimal(3)),
        ("old", Decimal(-7)),
    ]


def test_thirds_are_rounded_so_that_the_steps_still_add_up_to_the_last_digit() -> None:
    after = used(7, 3, "0.000000000000000000000001")
    found = split(SEPTEMBER, OCTOBER, {"a": used(3, 7, "0.1")}, {"a": after})
    assert found.after_usd - found.before_usd == Decimal("-0.099999999999999999999999")
    assert sum(steps(found).values()) == found.after_usd - found.before_usd


def test_the_same_month_twice_has_no_step() -> None:
    month = {"a": used(3, 7, "0.1"), "b": used(5, 11, "0.3", OPUS)}
    assert split(SEPTEMBER, OCTOBER, month, month).steps == []


def test_shapley_is_the_mean_over_all_orders() -> None:
    costs = {state: Fraction(n * n, 7) for n, state in enumerate(product((0, 1), repeat=3))}
    means = [Fraction(0)] * 3
    for order in permutations(range(3)):
        state: tuple[int, ...] = (0, 0, 0)
        for factor in order:
            now = (*state[:factor], 1, *state[factor + 1 :])
            means[factor] += (costs[now] - costs[state]) / 6
            state = now
    assert shapley(costs) == means


months = st.lists(
    st.builds(
        Used,
        st.sampled_from(["", "triage", "code"]),
        st.builds(Route, st.sampled_from([HAIKU, OPUS, FLASH]), st.sampled_from(["standard", "batch"])),
        st.builds(Kind, st.sampled_from(["request", "input", "output"]), st.sampled_from([0, 200_001])),
        st.integers(0, 10**9),
        st.decimals(0, 1000, places=12),
    ).map(lambda line: line if line.units else line._replace(usd=Decimal(0))),
    max_size=8,
)
fleets = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), months, max_size=4)
models = st.frozensets(st.sampled_from([HAIKU, OPUS, FLASH]), min_size=1)
routings = st.dictionaries(st.sampled_from(["", "triage", "code"]), st.builds(Asked, models, models))
TURNED: dict[str, str] = {"new": "retired", "retired": "new"}


def cost(month: list[Used]) -> Fraction:
    return sum((Fraction(line.usd) for line in month), Fraction(0))


@pytest.mark.slow
@settings(max_examples=examples(20, 60), deadline=None)
@given(months, months, routings)
def test_effects_add_up_exactly(before: list[Used], after: list[Used], asked: dict[str, Asked]) -> None:
    assert sum(effects(before, after, asked).values()) == cost(after) - cost(before)


@settings(max_examples=examples(15, 30), deadline=None)
@given(months, routings)
def test_nothing_changed_is_no_effect(month: list[Used], asked: dict[str, Asked]) -> None:
    assert effects(month, month, asked) == {}


@settings(max_examples=examples(15, 30), deadline=None)
@given(months, months, routings)
def test_looking_back_negates_every_effect(before: list[Used], after: list[Used], asked: dict[str, Asked]) -> None:
    turned = {task: Asked(of.after, of.before) for task, of in asked.items()}
    back = {TURNED.get(effect, effect): -usd for effect, usd in effects(after, before, turned).items()}
    assert back == effects(before, after, asked)


@settings(max_examples=examples(15, 30), deadline=None)
@given(months, months, routings, st.integers(1, 10**6))
def test_other_money_scales_every_effect(
    before: list[Used], after: list[Used], asked: dict[str, Asked], times: int
) -> None:
    scaled = [[line._replace(usd=line.usd * times) for line in month] for month in (before, after)]
    expected = {effect: usd * times for effect, usd in effects(before, after, asked).items()}
    assert effects(scaled[0], scaled[1], asked) == expected


@settings(max_examples=examples(15, 30), deadline=None)
@given(months, months, st.data())
def test_the_order_and_split_of_rows_change_nothing(before: list[Used], after: list[Used], data: st.DataObject) -> None:
    halves = [half for line in after for half in (line._replace(units=line.units - 1), line._replace(units=1, usd=Decimal(0)))
              if line.units > 1] + [line for line in after if line.units <= 1]  # fmt: skip
    assert effects(before, data.draw(st.permutations(halves))) == effects(before, after)


@settings(max_examples=examples(15, 30), deadline=None)
@given(months, months, routings)
def test_routing_only_takes_from_mix(before: list[Used], after: list[Used], asked: dict[str, Asked]) -> None:
    known, unknown = effects(before, after, asked), effects(before, after)
    together = known.pop("routing", Fraction(0)) + known.pop("mix", Fraction(0))
    assert together == unknown.pop("mix", Fraction(0))
    assert known == unknown


@settings(max_examples=examples(15, 30), deadline=None)
@given(fleets, fleets)
def test_steps_and_components_add_up_to_the_last_digit(was: dict[str, list[Used]], now: dict[str, list[Used]]) -> None:
    found = split(SEPTEMBER, OCTOBER, was, now)
    assert found.before_usd + sum(steps(found).values()) == found.after_usd
    assert all(step.usd == sum(part.usd for part in step.components) for step in found.steps)
    for name in {*was, *now}:
        own = sum(part.usd for step in found.steps for part in step.components if part.component == name)
        assert own == cost(now.get(name, [])) - cost(was.get(name, []))


@settings(max_examples=examples(15, 30), deadline=None)
@given(fleets, fleets, st.permutations(["a", "b", "c", "d"]))
def test_the_order_and_names_of_components_change_nothing(
    was: dict[str, list[Used]], now: dict[str, list[Used]], names: list[str]
) -> None:
    new = dict(zip("abcd", names, strict=True))
    renamed = [{new[name]: of for name, of in reversed(month.items())} for month in (was, now)]
    assert steps(split(SEPTEMBER, OCTOBER, renamed[0], renamed[1])) == steps(split(SEPTEMBER, OCTOBER, was, now))


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(fleets, fleets)
def test_a_components_effects_depend_on_nothing_but_its_own_usage(
    was: dict[str, list[Used]], now: dict[str, list[Used]]
) -> None:
    def of_a(found: Bridge) -> dict[str, Decimal]:
        return {step.effect: part.usd for step in found.steps for part in step.components if part.component == "a"}

    alone = split(SEPTEMBER, OCTOBER, {"a": was.get("a", [])}, {"a": now.get("a", [])})
    assert of_a(split(SEPTEMBER, OCTOBER, was, now)) == of_a(alone)


@pytest.mark.slow
@pytest.mark.parametrize(("asks", "effect"), [(None, "mix"), (lambda *_: ["anthropic/claude-opus-4-6"], "routing")])
def test_a_bridge_of_real_sessions(asks: Asks | None, effect: str) -> None:
    """One real session ran 18 calls on Haiku for $0.1250208, the other 152 on Opus for $11.8539235."""
    book = open_book()
    with open_store(Path(":memory:")) as store:
        load(store, sorted(SESSIONS.glob("p*.jsonl")))
        bring_up_to_date(store, book)
        fill_cells(store, book)
        store.execute("UPDATE spend_cell SET day = DATE '2026-01-31' WHERE model = 'claude-haiku-4-5'")
        found = bridge(store, month_span("2026-01"), month_span("2026-02"), asks)
    assert (found.before_usd, found.after_usd) == (Decimal("0.1250208"), Decimal("11.8539235"))
    # per call a = 0.1250208 / 18 and b = 11.8539235 / 152; volume (152 - 18)(a + b)/2, the model (152 + 18)/2 (b - a)
    a, b = Fraction("0.1250208") / 18, Fraction("11.8539235") / 152
    expected = {"volume": 67 * (a + b), effect: 85 * (b - a)}
    assert set(steps(found)) == set(expected)
    for name, usd in steps(found).items():
        assert abs(Fraction(usd) - expected[name]) <= Fraction(1, 10**12)
    assert sum(steps(found).values()) == Decimal("11.7289027")


def cell(day: date, units: int, usd: Decimal | None, token_class: str = "input", **given: Any) -> tuple[Any, ...]:
    row = {"day": day, "component": "desk", "agent": None, "task": None, "provider": "anthropic", "model": "haiku",
           "processing": "standard", "status": "ok", "tier": 0, "token_class": token_class,
           "units": units, "usd": usd, "price_id": None} | given  # fmt: skip
    return tuple(row.values())


def test_unpriced_usage_is_in_no_effect() -> None:
    september, october = date(2026, 9, 5), date(2026, 10, 5)
    rows = [
        cell(september, 1000, Decimal(1)), cell(september, 10, Decimal(0), "request"),
        cell(october, 1000, Decimal(1)), cell(october, 10, Decimal(0), "request"),
        cell(october, 5000, None, model="nonesuch"), cell(october, 90, Decimal(0), "request", model="nonesuch"),
    ]  # fmt: skip
    with open_store(Path(":memory:")) as store:
        fill_cells(store, open_book())
        store.executemany(f"INSERT INTO spend_cell VALUES ({', '.join('?' * 13)})", rows)
        found = bridge(store, SEPTEMBER, OCTOBER)
    assert (found.before_usd, found.after_usd, found.steps) == (1, 1, [])


def test_what_only_a_bill_states_is_a_step_of_its_own() -> None:
    """$1 of tokens in both months; on the bill alone nothing in September, $2.50 and a credit of $0.75 in October."""
    september, october = date(2026, 9, 5), date(2026, 10, 5)
    rows = [
        cell(september, 1000, Decimal(1)), cell(september, 10, Decimal(0), "request"),
        cell(october, 1000, Decimal(1)), cell(october, 10, Decimal(0), "request"),
        cell(october, 0, Decimal("2.5"), "as billed"), cell(october, 0, Decimal("-0.75"), "as billed", component="b"),
    ]  # fmt: skip
    with open_store(Path(":memory:")) as store:
        fill_cells(store, open_book())
        store.executemany(f"INSERT INTO spend_cell VALUES ({', '.join('?' * 13)})", rows)
        found = bridge(store, SEPTEMBER, OCTOBER)
    assert (found.before_usd, found.after_usd) == (Decimal(1), Decimal("2.75"))
    assert [(s.effect, s.usd, [(part.component, part.usd) for part in s.components]) for s in found.steps] == [
        ("billed", Decimal("1.75"), [("desk", Decimal("2.5")), ("b", Decimal("-0.75"))])
    ]


def test_a_large_fleet_takes_moments() -> None:
    """40 components on 7 models, 6 kinds each, everything changed."""
    was, now = (
        {
            f"component-{n}": [
                Used("", Route(f"model-{m}"), Kind(name), 10**6 + 37 * n * m * size, Decimal(f"{n * size}.{m}1"))
                for m in range(7)
                for name in ("request", "input", "cache_read", "cache_write_5m", "output", "web_search")
            ]
            for n in range(1, 41)
        }
        for size in (2, 3)
    )
    began = time.perf_counter()
    found = split(SEPTEMBER, OCTOBER, was, now)
    assert time.perf_counter() - began < 5
    assert found.before_usd + sum(steps(found).values()) == found.after_usd


def test_each_decision_is_looked_at_once_however_many_components_there_are() -> None:
    class Saved(dict[str, Fraction]):
        looks = 0

        def items(self) -> Any:
            Saved.looks += 1
            return super().items()

        def get(self, *given: Any) -> Any:
            Saved.looks += 1
            return super().get(*given)

    month = {f"c{n}": used(1, 1_000_000, 1) for n in range(50)}
    decisions = [
        Reverted({name: lines}, {name: used(1, 1_000_000, 1 + n)}, Saved({name: Fraction(n)}))
        for n, (name, lines) in enumerate(month.items())
    ]
    found = split(SEPTEMBER, OCTOBER, month, month, decisions=([], decisions))
    # without them the nth component would have cost n more, as if prices had risen: 0 + 1 + ... + 49
    assert steps(found) == {"price": 1225, "decisions": -1225}
    assert Saved.looks == 50
