"""RouterBench's and RouteLLM's figures: by hand, by property, and on RouteLLM's published outcomes."""

from __future__ import annotations

from decimal import Decimal as D
from fractions import Fraction as F
from itertools import pairwise, product
from pathlib import Path

import pytest
from costsim.analysis.router_eval.evaluation import (
    Evaluation,
    RouterScore,
    aiq,
    apgr,
    cpt,
    evaluate,
    interpolate,
    model_means,
    oracle_router,
    pgr,
    quality_at,
    score_router,
    threshold_curve,
    zero_router,
)
from costsim.analysis.router_eval.hull import Point, convex_hull
from costsim.analysis.router_eval.query_tables import BenchTable, PairTable, read_table
from costsim.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

ROUTING = Path(__file__).parents[2] / "data" / "routing"


def points(*pairs: tuple[float, float]) -> list[Point]:
    return [Point(F(str(cost)), F(str(quality))) for cost, quality in pairs]


def router(evaluation: Evaluation, name: str) -> RouterScore:
    return next(row for row in evaluation.routers if row.router == name)


# The hull and its area, by hand


def test_the_hull_leaves_out_what_costs_more_for_less_and_what_lies_under_a_chord() -> None:
    # (2, 0.4) costs more than (1, 0.5) for less; (3, 0.6) lies under the chord (1, 0.5)-(4, 0.9): 0.767 at 3
    assert convex_hull(points((4, 0.9), (1, 0.5), (2, 0.4), (3, 0.6))) == points((1, 0.5), (4, 0.9))


def test_of_two_routers_at_one_cost_the_better_is_on_the_hull() -> None:
    assert convex_hull(points((1, 0.3), (1, 0.5), (2, 0.5))) == points((1, 0.5))


def test_half_the_queries_to_each_of_two_routers_lands_in_the_middle() -> None:
    cheap, costly = points((1, 0.4), (3, 0.8))
    assert interpolate(cheap, costly, F(1, 2)) == Point(F(2), F("0.6"))


def test_money_beyond_the_most_expensive_point_buys_nothing() -> None:
    assert quality_at(points((1, 0.4), (3, 0.8)), F(10)) == F("0.8")


def test_below_the_cheapest_point_some_queries_go_unanswered() -> None:
    # 1.5 of 2 a query answers three queries in four: 0.75 x 0.8
    assert quality_at(points((2, 0.8)), F("1.5")) == F("0.6")


def test_aiq_is_the_mean_height_of_the_hull() -> None:
    # from 1 to 3 the mean of 0.4 and 0.8 is 0.6 over a width of 2; then 0.8 over 2: (1.2 + 1.6) / 4
    assert aiq(points((1, 0.4), (3, 0.8)), F(1), F(5)) == F("0.7")


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20))
def test_no_point_stands_above_the_hull_and_its_slopes_fall(pairs: list[tuple[int, int]]) -> None:
    known = [Point(F(cost), F(quality)) for cost, quality in pairs]
    hull = convex_hull(known)
    assert set(hull) <= set(known)
    assert all(quality_at(hull, point.cost) >= point.quality for point in known)
    slopes = [(b.quality - a.quality) / (b.cost - a.cost) for a, b in pairwise(hull)]
    assert slopes == sorted(set(slopes), reverse=True)
    assert all(slope > 0 for slope in slopes)


# RouterBench's form


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """`small` is right on one of two queries at 1 USD, `big` on both at 3, `waste` on one at 4 and 2."""
    file = tmp_path / "bench.csv"
    file.write_text(
        "query,model,quality,cost\na,small,1,1\na,big,1,3\na,waste,0,4\nb,small,0,1\nb,big,1,3\nb,waste,1,2\n"
    )
    return file


def test_the_zero_router_mixes_the_models_that_are_worth_their_cost(bench: Path) -> None:
    # means: small (1, 0.5), big (3, 1), waste (3, 0.5): waste is dominated
    table = read_table(bench)
    assert isinstance(table, BenchTable)
    assert zero_router(model_means(table)) == points((1, 0.5), (3, 1))


def test_an_oracle_pays_only_where_it_gains(bench: Path) -> None:
    # a stays on small (1 USD, right); b moves from small to waste (2 USD, right): means (1, 0.5) to (1.5, 1)
    table = read_table(bench)
    assert isinstance(table, BenchTable)
    assert oracle_router(table) == points((1, 0.5), (1.5, 1))


def test_routers_are_compared_over_the_range_of_the_models_costs(bench: Path) -> None:
    # zero: mean of 0.5 and 1 = 0.75. oracle: 0.75 over 0.5, then 1 over 1.5: (0.375 + 1.5) / 2 = 0.9375
    result = evaluate(read_table(bench))
    assert (result.cost_min, result.cost_max) == (D(1), D(3))
    assert router(result, "zero").aiq == D("0.75")
    assert router(result, "oracle").aiq == D("0.9375")
    assert router(result, "oracle").aiq_over_zero == D("0.1875")
    assert {m.model: m.on_hull for m in result.models} == {"small": True, "big": True, "waste": False}


def bench_tables() -> st.SearchStrategy[BenchTable]:
    cell = st.integers(0, 4).map(F)

    def rows(shape: tuple[int, int]) -> st.SearchStrategy[list[list[F]]]:
        return st.lists(st.lists(cell, min_size=shape[1], max_size=shape[1]), min_size=shape[0], max_size=shape[0])

    def table(shape: tuple[int, int]) -> st.SearchStrategy[BenchTable]:
        names = [f"q{i}" for i in range(shape[0])], [f"m{i}" for i in range(shape[1])]
        return st.builds(BenchTable, st.just(names[0]), st.just(names[1]), rows(shape), rows(shape), rows(shape))

    return st.tuples(st.integers(1, 4), st.integers(1, 3)).flatmap(table)


def every_router(table: BenchTable) -> list[Point]:
    count = len(table.queries)
    return [
        Point(
            sum((table.costs[q][m] for q, m in enumerate(choice)), F(0)) / count,
            sum((table.qualities[q][m] for q, m in enumerate(choice)), F(0)) / count,
        )
        for choice in product(range(len(table.models)), repeat=count)
    ]


@pytest.mark.slow
@given(bench_tables())
def test_the_oracle_is_the_hull_of_every_possible_router(table: BenchTable) -> None:
    assert convex_hull(oracle_router(table)) == convex_hull(every_router(table))


@pytest.mark.slow
@given(bench_tables())
def test_every_point_of_a_scored_router_is_a_router(table: BenchTable) -> None:
    assert table.scores is not None
    assert set(score_router(table, table.scores)) <= set(every_router(table))


@pytest.mark.slow
@given(bench_tables())
def test_scores_that_are_the_truth_make_an_oracle_where_costs_are_level(table: BenchTable) -> None:
    level = [[F(m) for m in range(len(table.models))] for _ in table.queries]
    known = BenchTable(table.queries, table.models, table.qualities, level)
    assert score_router(known, known.qualities) == oracle_router(known)


# RouteLLM's form


def test_half_the_gap_recovered_is_a_pgr_of_one_half() -> None:
    assert pgr(F("0.7"), F("0.6"), F("0.8")) == F(1, 2)


def test_apgr_and_cpt_of_a_small_curve_by_hand() -> None:
    # PGR 0, 0.75, 1 at 0, 0.5, 1: area 0.5*(0.375 + 0.875) = 0.625; PGR 0.5 at two thirds of the way to 0.5
    curve = points((0, 0.6), (0.5, 0.75), (1, 0.8))
    assert apgr(curve, F("0.6"), F("0.8")) == F("0.625")
    assert cpt(curve, F(1, 2), F("0.6"), F("0.8")) == F(1, 3)
    assert cpt(curve, F("0.8"), F("0.6"), F("0.8")) == F("0.6")  # 0.75 + 0.05 x 0.2 = 0.76 at a fifth of the way


def test_a_router_that_never_recovers_the_gap_has_no_threshold() -> None:
    assert cpt(points((0, 0.6), (1, 0.65)), F(1, 2), F("0.6"), F("0.8")) is None


def test_a_score_is_swept_over_its_quantiles_and_ties_move_together() -> None:
    # scores 1 2 2 4, halves: thresholds 1 (all strong), 2 (three strong), 4 strictly (none)
    table = PairTable([True, False, False, False], [True, True, True, False])
    curve = threshold_curve(table, [F(1), F(2), F(2), F(4)], steps=2)
    assert curve == [Point(F(0), F(1, 4)), Point(F(3, 4), F(3, 4)), Point(F(1), F(3, 4))]


@pytest.mark.parametrize(
    ("name", "accuracies", "cpt_50", "oracle_apgr"),
    [
        ("gsm8k", ["63.734", "85.769"], "11.018", "1.1309"),
        ("mmlu", ["68.091", "80.587"], "6.248", "1.2896"),
    ],
)
def test_the_oracle_reproduces_routellms_figures(
    name: str, accuracies: list[str], cpt_50: str, oracle_apgr: str
) -> None:
    result = evaluate(read_table(ROUTING / f"{name}_compact.csv"))
    assert [f"{100 * model.quality:.3f}" for model in result.models] == accuracies
    oracle = router(result, "oracle")
    assert oracle.cpt_50 is not None
    assert f"{100 * oracle.cpt_50:.3f}" == cpt_50
    assert f"{oracle.apgr:.4f}" == oracle_apgr


def test_a_coin_recovers_half_of_the_gap_with_half_of_the_calls() -> None:
    coin = router(evaluate(read_table(ROUTING / "gsm8k_compact.csv")), "random")
    assert (coin.apgr, coin.cpt_50, coin.cpt_80) == (D("0.5"), D("0.5"), D("0.8"))


def test_on_real_questions_sending_long_prompts_to_the_strong_model_beats_a_coin() -> None:
    result = evaluate(read_table(ROUTING / "gsm8k_compact.csv", score="prompt_chars"))
    scored = router(result, "score")
    assert scored.apgr is not None
    assert F(1, 2) < scored.apgr < 1


# Files that are not usable


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("a,b\n1,2\n", "t.csv:1: the columns must be weak_ok, strong_ok or query, model, quality, cost"),
        ("weak_ok,strong_ok\n1,0\nmaybe,1\n", "t.csv:3 weak_ok: 'maybe' is neither 1 nor 0"),
        ("weak_ok,strong_ok\n1\n", "t.csv:2: 1 fields, but the header names 2 columns"),
        ("weak_ok,strong_ok,score\n1,1,x\n", "t.csv:2 score: 'x' is not a number"),
        ("weak_ok,strong_ok\n", "the file has no questions"),
        ("weak_ok,weak_ok\n", "the column 'weak_ok' stands twice"),
        ("query,model,quality,cost\na,m,1,nan\n", "t.csv:2 cost: 'nan' is not a usable number"),
        ("query,model,quality,cost\na,m,1,-1\n", "t.csv:2 cost: '-1' is negative"),
        ("query,model,quality,cost\na,m,1,1\na,m,1,1\n", "t.csv:3: query 'a' has model 'm' twice"),
        ("query,model,quality,cost\na,m,1,1\nb,n,1,1\n", "query 'a' has no row for model 'n'"),
    ],
)
def test_an_unusable_table_is_one_line_that_says_where(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read_table(file)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_score_column_that_is_not_there_is_named_with_the_nearest_one() -> None:
    with pytest.raises(InputError, match="did you mean 'prompt_chars'"):
        read_table(ROUTING / "gsm8k_compact.csv", score="prompt_char")


def test_a_strong_model_that_is_no_better_leaves_no_gap_to_recover() -> None:
    with pytest.raises(InputError, match="no gap to recover"):
        evaluate(PairTable([True, False], [False, True]))


def test_models_that_all_cost_the_same_leave_no_trade(bench: Path) -> None:
    bench.write_text("query,model,quality,cost\na,m,1,2\na,n,0,2\n")
    with pytest.raises(InputError, match="no trade"):
        evaluate(read_table(bench))
