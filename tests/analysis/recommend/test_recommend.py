"""Which model each task should run on: by hand, against every plan there is, and as an edit of a routing file."""

from __future__ import annotations

import json
from decimal import Decimal as D
from fractions import Fraction as F
from itertools import product

import pytest
from costsim.analysis.outcomes.outcomes import Evidence
from costsim.analysis.recommend import allocation
from costsim.analysis.recommend.allocation import Choice, best_within, front
from costsim.analysis.recommend.budgeted import expected_rate
from costsim.analysis.recommend.candidates import Candidate, MonthlyCost, Task, candidates_from
from costsim.analysis.recommend.recommend import recommend
from costsim.analysis.recommend.results import Recommendation, TaskAdvice
from costsim.analysis.router_eval.hull import Point, convex_hull
from costsim.analysis.routing.edit import rewrite_routing, routing_diff
from costsim.errors import ArchitectureError, InputError
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

OPUS, SONNET, HAIKU = "anthropic/claude-opus-4-6", "anthropic/claude-sonnet-4-5", "anthropic/claude-haiku-4-5"
PRICES = {OPUS: 75, SONNET: 15, HAIKU: 4}


def candidate(task: str, model: str, successes: int = 0, trials: int = 0, usd: int | None = None) -> Candidate:
    return Candidate(task, model, MonthlyCost(F(usd or PRICES[model])), Evidence(successes, trials))


def advice(result: Recommendation, task: str) -> TaskAdvice:
    return next(row for row in result.tasks if row.task == task)


def message(row: TaskAdvice) -> dict[str, str]:
    return {considered.model: considered.message for considered in row.considered}


CURATION = Task("curation", F(100), OPUS)


# The floor


def test_the_cheapest_model_whose_interval_clears_the_floor_is_recommended() -> None:
    # Wilson's low end of 990/1000 is 0.982, of 900/1000 0.880
    result = recommend(
        [CURATION],
        [
            candidate("curation", OPUS, 1000, 1000),
            candidate("curation", SONNET, 990, 1000),
            candidate("curation", HAIKU, 900, 1000),
        ],
    )
    row = advice(result, "curation")
    assert (row.advice, row.model, row.saving_usd_per_month) == ("move", SONNET, D(60))
    assert message(row) == {HAIKU: "below the floor", SONNET: "clears the floor", OPUS: "clears the floor"}
    assert result.changes == {"curation": SONNET}
    assert (result.saving.expected_usd, result.saving.percent) == (D(60), D(80))


def test_twenty_successes_in_twenty_runs_are_not_enough_for_a_floor_of_95_percent() -> None:
    # the low end of 20/20 is 0.839; it takes 73 of 73 (0.950)
    for trials, word in ((20, "below the floor"), (72, "below the floor"), (73, "clears the floor")):
        result = recommend([CURATION], [candidate("curation", HAIKU, trials, trials)])
        assert message(advice(result, "curation"))[HAIKU] == word


def test_a_model_without_evidence_is_never_recommended() -> None:
    result = recommend([CURATION], [candidate("curation", OPUS, 500, 500), candidate("curation", HAIKU)])
    row = advice(result, "curation")
    assert (row.advice, row.model) == ("keep", OPUS)
    assert message(row)[HAIKU] == "no evidence"


def test_a_task_without_any_evidence_stays_where_it_is() -> None:
    result = recommend([CURATION], [candidate("curation", OPUS), candidate("curation", HAIKU)])
    assert (advice(result, "curation").advice, result.changes) == ("no evidence", {})


def test_where_no_model_clears_the_floor_the_task_stays_and_says_so() -> None:
    result = recommend([CURATION], [candidate("curation", OPUS, 5, 10), candidate("curation", HAIKU, 4, 10)])
    assert advice(result, "curation").advice == "no model clears the floor"


def test_a_model_without_a_price_is_never_recommended_and_never_free() -> None:
    unpriced = Candidate("curation", HAIKU, None, Evidence(500, 500))
    result = recommend([CURATION], [candidate("curation", OPUS, 500, 500), unpriced])
    assert advice(result, "curation").model == OPUS
    assert message(advice(result, "curation"))[HAIKU] == "unpriced"


def test_an_unpriced_present_model_leaves_the_saving_unknown_not_zero() -> None:
    result = recommend([CURATION], [candidate("curation", HAIKU, 500, 500)])
    row = advice(result, "curation")
    assert (row.advice, row.present_usd_per_month, row.saving_usd_per_month) == ("move", None, None)
    assert (result.saving.present_usd, result.saving.percent) == (D(0), None)


def test_at_one_price_the_present_model_stands() -> None:
    result = recommend(
        [CURATION], [candidate("curation", HAIKU, 500, 500, usd=4), candidate("curation", OPUS, 500, 500, usd=4)]
    )
    assert advice(result, "curation").advice == "keep"


# The range of the saving


def priced(model: str, cost: MonthlyCost) -> Candidate:
    return Candidate("curation", model, cost, Evidence(500, 500))


def test_with_draws_the_saving_is_a_quantile_of_the_paired_difference() -> None:
    # differences 9, 18, …, 99: P10 and P90 of eleven equally spaced draws are the second and the tenth
    draws = [float(i) for i in range(1, 12)]
    result = recommend(
        [CURATION],
        [
            priced(OPUS, MonthlyCost(F(60), draws=[10 * d for d in draws])),
            priced(HAIKU, MonthlyCost(F(6), draws=draws)),
        ],
    )
    assert (result.saving.p10_usd, result.saving.p90_usd, result.saving.range_from) == (D(18), D(90), "draws")


def test_with_quantiles_only_the_range_is_of_cheap_and_dear_months_together() -> None:
    result = recommend(
        [CURATION],
        [priced(OPUS, MonthlyCost(F(60), F(40), F(90))), priced(HAIKU, MonthlyCost(F(6), F(4), F(9)))],
    )
    assert (result.saving.p10_usd, result.saving.p90_usd) == (D(36), D(81))  # 40 - 4 and 90 - 9
    assert result.saving.range_from == "p10/p90"


def test_without_either_there_is_no_range() -> None:
    result = recommend([CURATION], [candidate("curation", OPUS), candidate("curation", HAIKU, 500, 500)])
    assert (result.saving.p10_usd, result.saving.range_from) == (None, None)


def test_one_success_in_one_run_is_not_certainty() -> None:
    assert expected_rate(Evidence(1, 1)) == F(3, 4)  # (1 + 1/2) / (1 + 1)


def test_expected_successes_come_with_what_the_evidence_leaves_open() -> None:
    # rate 9.5/11 = 0.8636; sd = sqrt(0.8636 x 0.1364 / 12) = 0.0991; 100 runs: 86.4 ± 1.2816 x 9.91 = 73.7 … 99.1
    result = recommend([CURATION], [candidate("curation", OPUS, 9, 10)])
    assert [round(float(x), 1) for x in (result.successes.p10, result.successes.expected, result.successes.p90)] == [
        73.7,
        86.4,
        99.1,
    ]


# A budget


def two_tasks() -> tuple[list[Task], list[Candidate]]:
    """Opus instead of Haiku buys 30 more of 100 curations, or 10 more of 100 codings, for 71 USD each."""
    tasks = [Task("coding", F(100), OPUS), Task("curation", F(100), OPUS)]
    return tasks, [
        candidate("coding", OPUS, 99, 99),
        candidate("coding", HAIKU, 89, 99),
        candidate("curation", OPUS, 99, 99),
        candidate("curation", HAIKU, 69, 99),
    ]


def test_a_budget_goes_where_it_buys_the_most_successes() -> None:
    tasks, candidates = two_tasks()
    result = recommend(tasks, candidates, budget_usd=F(79))  # 75 + 4
    assert {row.task: row.model for row in result.tasks} == {"coding": HAIKU, "curation": OPUS}
    assert (result.usd_per_month, result.could_gain_successes) == (D(79), D(0))


def test_a_budget_a_cent_too_small_buys_the_next_best_plan() -> None:
    tasks, candidates = two_tasks()
    result = recommend(tasks, candidates, budget_usd=F("78.99"))
    assert {row.model for row in result.tasks} == {HAIKU}


def test_a_budget_below_the_cheapest_plan_says_what_that_costs() -> None:
    tasks, candidates = two_tasks()
    with pytest.raises(InputError, match="7 USD a month is too little: the cheapest plan with evidence costs 8"):
        recommend(tasks, candidates, budget_usd=F(7))


def test_a_task_without_evidence_keeps_its_model_and_its_share_of_the_budget() -> None:
    tasks, candidates = two_tasks()
    result = recommend(
        [*tasks, Task("scan", F(10), SONNET)], [*candidates, candidate("scan", SONNET)], budget_usd=F(94)
    )
    assert advice(result, "scan").advice == "no evidence"
    assert (advice(result, "curation").model, result.usd_per_month) == (OPUS, D(94))


def test_the_front_says_where_the_next_dollar_does_most() -> None:
    tasks, candidates = two_tasks()
    result = recommend(tasks, candidates)
    assert [(p.task, p.after, p.usd_per_month) for p in result.front] == [
        (None, None, D(8)),
        ("curation", OPUS, D(79)),
        ("coding", OPUS, D(150)),
    ]
    assert round(result.front[1].usd_per_success or 0, 4) == round(F(71, 30), 4)  # 99.5/100 less 69.5/100 of 100


def test_candidates_are_every_task_on_every_model_with_what_is_known() -> None:
    costs = {("curation", HAIKU): MonthlyCost(F(4))}
    known = candidates_from([CURATION], [HAIKU], costs, {("curation", OPUS): Evidence(1, 2)})
    assert known == [
        Candidate("curation", OPUS, None, Evidence(1, 2)),
        Candidate("curation", HAIKU, MonthlyCost(F(4)), Evidence(0, 0)),
    ]


# Against every plan there is


def choices() -> st.SearchStrategy[list[Choice]]:
    amount = st.fractions(min_value=0, max_value=20, max_denominator=9) | st.integers(0, 3).map(F)

    def choice(options: int) -> st.SearchStrategy[Choice]:
        amounts = st.lists(amount, min_size=options, max_size=options)
        return st.builds(Choice, amounts, amounts)

    return st.lists(st.integers(1, 4).flatmap(choice), min_size=1, max_size=4)


def every_plan(problem: list[Choice]) -> list[Point]:
    plans = product(*(range(len(choice.costs)) for choice in problem))
    return [point_of(problem, plan) for plan in plans]


def point_of(problem: list[Choice], plan: tuple[int, ...] | list[int]) -> Point:
    cost = sum((choice.costs[i] for choice, i in zip(problem, plan, strict=True)), F(0))
    return Point(cost, sum((choice.values[i] for choice, i in zip(problem, plan, strict=True)), F(0)))


def best_of(plans: list[Point], budget: F) -> Point | None:
    return max((p for p in plans if p.cost <= budget), key=lambda p: (p.quality, -p.cost), default=None)


@pytest.mark.slow
@settings(max_examples=examples(30, 100), deadline=None)
@given(choices(), st.fractions(0, 1, max_denominator=7))
def test_the_plan_for_a_budget_is_the_best_of_all_plans(problem: list[Choice], share: F) -> None:
    budget = share * sum(max(choice.costs) for choice in problem)
    found = best_within(problem, budget)
    assert (None if found is None else point_of(problem, found.options)) == best_of(every_plan(problem), budget)
    assert found is None or found.short_by == 0


@pytest.mark.slow
@settings(max_examples=examples(20, 60), deadline=None)
@given(choices(), st.fractions(0, 1, max_denominator=7))
def test_without_time_for_a_proof_the_solver_keeps_to_the_budget_and_says_what_may_be_missing(
    problem: list[Choice], share: F
) -> None:
    budget = share * sum(max(choice.costs) for choice in problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(allocation, "MAX_PARTIAL_PLANS", -1)
        found = best_within(problem, budget)
    best = best_of(every_plan(problem), budget)
    assert (found is None) == (best is None)
    if found is not None and best is not None:
        point = point_of(problem, found.options)
        assert point.cost <= budget
        assert point.quality <= best.quality <= point.quality + found.short_by
        assert float(point.quality) == pytest.approx(float(best.quality), rel=1e-4, abs=1e-4)


@pytest.mark.slow
@settings(max_examples=examples(30, 100), deadline=None)
@given(choices())
def test_the_front_is_the_convex_hull_of_all_plans(problem: list[Choice]) -> None:
    points = [Point(vertex.cost, vertex.value) for vertex in front(problem)]
    plans = every_plan(problem)
    assert set(points) <= set(plans)
    assert convex_hull(points) == convex_hull(plans)


def test_prices_that_a_float_cannot_tell_apart_are_distinguished() -> None:
    # the second plan costs 1e-24 USD more than the budget
    problem = [Choice([F(1), F(1) + F("1e-24")], [F(1), F(2)])]
    found = best_within(problem, F(1))
    assert found is not None
    assert found.options == [0]


def test_the_solver_prints_nothing(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(allocation, "MAX_PARTIAL_PLANS", -1)
    problem = [Choice([F(i * j % 17) for j in range(9)], [F(i * j % 13) for j in range(9)]) for i in range(1, 40)]
    assert best_within(problem, F(200)) is not None
    assert capfd.readouterr().out == ""


# The routing file


ROUTING = """\
{
  "model_routing": {
    "strategic_decision": "anthropic/claude-opus-4-6",
    "curation":   "anthropic/claude-opus-4-6",
    "fallback": "anthropic/claude-sonnet-4-5"
  },
  "large_context": {"over": 50000, "curation": "anthropic/claude-opus-4-6"}
}
"""


def test_only_the_moved_tasks_change_in_the_routing_file() -> None:
    edited = rewrite_routing(ROUTING, {"curation": HAIKU})
    assert edited == ROUTING.replace('"curation":   "anthropic/claude-opus-4-6",\n', f'"curation":   "{HAIKU}",\n')
    assert routing_diff(ROUTING, edited, "model-routing.json") == (
        "--- a/model-routing.json\n"
        "+++ b/model-routing.json\n"
        "@@ -3,3 +3,3 @@\n"
        '     "strategic_decision": "anthropic/claude-opus-4-6",\n'
        '-    "curation":   "anthropic/claude-opus-4-6",\n'
        '+    "curation":   "anthropic/claude-haiku-4-5",\n'
        '     "fallback": "anthropic/claude-sonnet-4-5"\n'
    )


def test_a_task_that_ran_on_the_fallback_gets_a_key_of_its_own() -> None:
    edited = rewrite_routing(ROUTING, {"scan": HAIKU})
    assert f'"fallback": "anthropic/claude-sonnet-4-5",\n    "scan": "{HAIKU}"\n  }},' in edited


def test_no_change_leaves_every_character_and_no_diff() -> None:
    assert rewrite_routing(ROUTING, {}) == ROUTING
    assert routing_diff(ROUTING, ROUTING, "r.json") == ""


def test_a_file_without_a_last_newline_diffs_as_git_does() -> None:
    diff = routing_diff('{"a": 1}', '{"a": 2}', "r.json")
    assert diff.endswith('-{"a": 1}\n\\ No newline at end of file\n+{"a": 2}\n\\ No newline at end of file\n')


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5),
    st.sampled_from([None, 2]),
    st.booleans(),
)
def test_whatever_the_names_the_new_file_means_the_new_routing(
    routing: dict[str, str], changes: dict[str, str], indent: int | None, ascii_only: bool
) -> None:
    before = {"note": {"model_routing": {}}, "model_routing": routing, "last": [1]}
    text = json.dumps(before, indent=indent, ensure_ascii=ascii_only)
    assert json.loads(rewrite_routing(text, changes)) == {**before, "model_routing": routing | changes}


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"model_routing": []}'])
def test_a_file_that_is_no_routing_is_refused(text: str) -> None:
    with pytest.raises(ArchitectureError, match=r"^routing\.json: th"):
        rewrite_routing(text, {}, "routing.json")
