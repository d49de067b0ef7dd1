"""Reachability against brute force: a proof that a rule never fires, or a task on which it does."""

from __future__ import annotations

import tracemalloc
from itertools import product

import pytest
from costsim.analysis.routing import covers
from costsim.analysis.routing.conditions import Attributes, Condition, Span, Test, Value
from costsim.analysis.routing.reachability import firing_rule, reach
from costsim.analysis.routing.routing import RoutingRule, shipped_routing
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

KINDS = ("code", "prose", "watch")
Span.__test__ = False  # type: ignore[attr-defined]

spans = st.builds(Span, st.none() | st.integers(0, 2), st.none() | st.integers(0, 2)).filter(
    lambda span: span != Span()
)
tests: dict[str, st.SearchStrategy[Test]] = {
    "kind": st.frozensets(st.sampled_from(KINDS), min_size=1),
    "needs_web": st.booleans(),
    "strategic": st.booleans(),
    "context_tokens": spans,
    "runs_per_day": spans,
}
conditions = st.fixed_dictionaries({}, optional=tests).filter(bool).map(Condition)
trees = st.lists(st.builds(RoutingRule, st.just("p/m"), st.lists(conditions, max_size=3).map(tuple)), max_size=6)

# Thresholds are at most 2, so 0…3 holds a number from every stretch that they make.
EVERY_TASK: list[Attributes] = [
    {"kind": kind, "needs_web": web, "strategic": strategic, "context_tokens": context, "runs_per_day": runs}
    for kind, web, strategic, context, runs in product(
        (*KINDS, "anything else"), (False, True), (False, True), range(4), range(4)
    )
]


def fires(tree: list[RoutingRule], attributes: Attributes) -> int:
    """The number of the rule that decides; one past the last for the fallback."""
    return next((n for n, rule in enumerate(tree, 1) if rule.holds(attributes)), len(tree) + 1)


def rule(use: str = "p/m", **asked: Test) -> RoutingRule:
    return RoutingRule(use, (Condition(asked),))


@pytest.mark.slow
@settings(max_examples=examples(25, 60), deadline=None)
@given(trees)
def test_a_rule_is_declared_reachable_exactly_if_some_task_makes_it_fire(tree: list[RoutingRule]) -> None:
    fired = {fires(tree, task) for task in EVERY_TASK}
    assert {found.number for found in reach(tree) if found.witness is not None} == fired


@pytest.mark.slow
@settings(max_examples=examples(25, 60), deadline=None)
@given(trees)
def test_a_witness_makes_its_rule_fire(tree: list[RoutingRule]) -> None:
    for found in reach(tree):
        assert found.witness is None or fires(tree, found.witness) == found.number


@pytest.mark.slow
@settings(max_examples=examples(25, 60), deadline=None)
@given(trees)
def test_a_word_is_declared_shadowed_exactly_if_no_such_task_reaches_its_condition(tree: list[RoutingRule]) -> None:
    for found, own in zip(reach(tree), tree, strict=False):
        dead = {(shadow.condition, shadow.word) for shadow in found.shadows}
        for index, condition in enumerate(own.when):
            caught = [task for task in EVERY_TASK if fires(tree, task) == found.number and condition.holds(task)]
            words = condition.tests.get("kind", frozenset())
            assert isinstance(words, frozenset)
            if found.witness is None or (index, "") in dead:
                assert not caught
            else:
                assert {w for w in words if (index, w) in dead} == words - {task["kind"] for task in caught}


@pytest.mark.slow
@settings(max_examples=examples(25, 50), deadline=None)
@given(trees)
def test_the_rules_named_as_takers_take_every_task_between_them(tree: list[RoutingRule]) -> None:
    for found in reach(tree)[:-1]:
        if found.witness is None:
            alone = [tree[number - 1] for number in found.takers]
            asked = [task for task in EVERY_TASK if tree[found.number - 1].holds(task)]
            assert all(any(taker.holds(task) for taker in alone) for task in asked)


def test_two_rules_together_hide_a_third() -> None:
    tree = [rule(needs_web=True), rule(needs_web=False), rule(kind=frozenset({"code"}))]
    assert reach(tree)[2].witness is None
    assert reach(tree)[2].takers == (1, 2)


def test_two_spans_that_meet_leave_no_gap() -> None:
    tree = [rule(context_tokens=Span(at_most=50)), rule(context_tokens=Span(over=50)), rule(needs_web=True)]
    assert reach(tree)[2].witness is None


def test_two_spans_that_do_not_meet_leave_one_number() -> None:
    tree = [rule(context_tokens=Span(at_most=50)), rule(context_tokens=Span(over=51)), rule(needs_web=True)]
    assert reach(tree)[2].witness == {"context_tokens": 51, "needs_web": True}


def test_a_condition_that_contradicts_itself_is_nobodys_fault() -> None:
    found = reach([rule(context_tokens=Span(over=50, at_most=50))])[0]
    assert found.witness is None
    assert found.takers == ()


def test_nothing_comes_after_a_rule_without_a_condition() -> None:
    found = reach([RoutingRule("p/m"), rule(needs_web=True)])
    assert [one.witness for one in found] == [{}, None, None]


def test_the_articles_kimi_rule_never_sees_code_writing_but_does_see_a_code_review() -> None:
    kimi = reach(shipped_routing().decision_tree)[3]
    assert kimi.witness is not None
    assert [(shadow.word, shadow.takers) for shadow in kimi.shadows] == [("code_writing", (3,))]
    review: dict[str, Value] = {"kind": "code_review", "context_tokens": 50_001}
    assert fires(list(shipped_routing().decision_tree), review) == 4


@pytest.mark.slow
@settings(max_examples=examples(25, 60), deadline=None)
@given(trees)
def test_a_task_is_looked_up_as_the_rules_are_asked_in_order(tree: list[RoutingRule]) -> None:
    firing = firing_rule(tree)
    assert all(firing(task) == fires(tree, task) for task in EVERY_TASK)


def test_what_a_task_does_not_say_is_no_nothing_or_any_other_word() -> None:
    firing = firing_rule([rule(kind=frozenset({"code"})), rule(strategic=True), rule(context_tokens=Span(at_most=5))])
    tasks: list[Attributes] = [{}, {"kind": "prose", "context_tokens": 6}, {"kind": "code"}]
    assert [firing(task) for task in tasks] == [3, 4, 1]


def test_conditions_are_looked_up_by_their_words_and_not_each_compared_with_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = [[frozenset({f"k{number}_{n}"}) for n in range(20)] for number in range(50)]
    tree = [RoutingRule("p/m", tuple(Condition({"kind": word}) for word in own)) for own in words]
    # of 1,000 conditions: one look at each, one at its word, and two at each for the fallback; each with all is 500,000
    monkeypatch.setattr(covers, "MAX_STEPS", 5_000)
    assert [found.witness for found in reach(tree)] == [*({"kind": f"k{number}_0"} for number in range(50)), {}]


def test_thresholds_take_memory_by_bits_of_their_number() -> None:
    tree = [RoutingRule("p/m", tuple(Condition({"context_tokens": Span(over=n)}) for n in range(2_000)))]
    tracemalloc.start()
    found = reach(tree)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[0].witness == {"context_tokens": 1}
    assert peak < 8 * 2**20  # as sets of whole numbers: 2,000 x 2,000 / 2 of them, over 100 MB


def test_the_list_ends_before_a_rule_that_takes_too_many_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = [rule(kind=frozenset({"a"})), rule(needs_web=True), rule(needs_web=False)]
    monkeypatch.setattr(covers, "MAX_STEPS", 5)  # 1 for each of the first's box and word, 3 for the second
    assert [found.number for found in reach(tree)] == [1, 2]


def test_a_hundred_rules_over_every_attribute_are_decided_at_once() -> None:
    tree = [
        rule(kind=frozenset({f"kind{n % 40}"}), context_tokens=Span(n, n + 40), runs_per_day=Span(at_most=n % 7))
        for n in range(99)
    ]
    assert len(reach([*tree, rule(strategic=True)])) == 101
