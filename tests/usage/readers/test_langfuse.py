"""Langfuse observations: kinds of usage are disjoint there, and reasoning is output."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.usage.load import LoadReport, load
from costsim.usage.reader import Sample
from costsim.usage.readers import READERS
from emptied import open_store

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[2] / "data" / "usage" / "langfuse"
SHAPES = ["observations.jsonl", "observations.json", "blob_export.csv"]
ROWS = [json.loads(line) for line in (DATA / "observations.jsonl").read_text().splitlines()]


def loaded(folder: Path, *files: Path, sql: str) -> tuple[LoadReport, list[tuple[Any, ...]]]:
    with open_store(folder / "costsim.duckdb") as store:
        report = load(store, files)
        return report, store.execute(sql).fetchall()


def one(folder: Path, sql: str, **changed: Any) -> tuple[Any, ...]:
    """What the first observation gives with other fields."""
    file = folder / "one.jsonl"
    file.write_text(json.dumps({**ROWS[0], **changed}))
    return loaded(folder, file, sql=sql)[1][0]


@pytest.mark.parametrize("shape", SHAPES)
def test_input_leaves_out_what_was_cached_and_reasoning_is_output(tmp_path: Path, shape: str) -> None:
    sql = "SELECT input, cache_read, cache_write_5m, output, recorded_usd FROM usage_event ORDER BY ts"
    report, rows = loaded(tmp_path, DATA / shape, sql=sql)
    assert report.files[0].reader == "langfuse"
    assert report.total("rejected") == 0
    assert rows == [
        (86, 1920, 0, 300, Decimal("0.005615")),
        (44, 1000, 1051, 503, Decimal("0.01191825")),
        (100, 0, 0, 882, Decimal("0.0039908")),  # 50 + 832 of reasoning
        (10, 0, 0, 5, None),  # Langfuse has no price for it
        (0, 0, 0, 0, None),  # failed
    ]


@pytest.mark.parametrize("shape", SHAPES)
def test_who_called_what(tmp_path: Path, shape: str) -> None:
    sql = "SELECT task, session, provider, model, status, tags FROM usage_event ORDER BY ts"
    _, rows = loaded(tmp_path, DATA / shape, sql=sql)
    assert rows[0][:5] == ("answer", "a3f1c0de5b1e4c0f9d2e7a6b8c9d0e1f", "openai", "gpt-4o", "ok")
    assert json.loads(rows[0][5]) == {"ls_provider": "openai", "desk": "research", "environment": "production"}
    assert [row[4] for row in rows] == ["ok", "ok", "ok", "ok", "error"]


@pytest.mark.slow
def test_an_observation_in_three_exports_is_one_call(tmp_path: Path) -> None:
    report, rows = loaded(tmp_path, *(DATA / shape for shape in SHAPES), sql="SELECT count(*) FROM usage_event")
    assert (report.total("entries"), report.total("added")) == (15, 5)
    assert rows == [(5,)]


def test_other_names_of_cached_tokens(tmp_path: Path) -> None:
    usage = {"input": 1, "input_cache_read": 2, "input_cache_creation_5m": 3, "input_cache_creation_1h": 4, "output": 5}
    sql = "SELECT input, cache_read, cache_write_5m, cache_write_1h, output FROM usage_event"
    assert one(tmp_path, sql, usageDetails=usage) == (1, 2, 3, 4, 5)


def test_audio_stands_beside_input_and_output(tmp_path: Path) -> None:
    usage = {"input": 1, "input_audio_tokens": 2, "output": 3, "output_audio_tokens": 4, "total": 10}
    sql = "SELECT input, input_audio, output, output_audio FROM usage_event"
    assert one(tmp_path, sql, usageDetails=usage) == (1, 2, 3, 4)


@pytest.mark.slow
def test_older_usage_counts_only_in_tokens(tmp_path: Path) -> None:
    sql = "SELECT input, output FROM usage_event"
    tokens, characters = ({"input": 7, "output": 8, "total": 15, "unit": unit} for unit in ("TOKENS", "CHARACTERS"))
    assert one(tmp_path, sql, usageDetails={}, usage=tokens) == (7, 8)
    assert one(tmp_path, f"{sql} WHERE event_id = 'langfuse:c'", id="c", usageDetails={}, usage=characters) == (0, 0)


def test_the_total_of_the_cost_details_stands_in_for_the_cost(tmp_path: Path) -> None:
    row = one(tmp_path, "SELECT recorded_usd FROM usage_event", totalCost=None, costDetails={"total": 5e-06})
    assert row == (Decimal("0.000005"),)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"usageDetails": {"input": "many"}},
        {"usageDetails": {"input": "many", "input_audio_tokens": 9}},
        {"usageDetails": {"input_cache_creation": -4, "input_cache_creation_5m": 9}},
        {"usageDetails": {"input": 5, "input_cached_tokens": 1.5}},
        {"usageDetails": {"output": -1}},
        {"usageDetails": {"input": 10**13}},
        {"totalCost": "free"},
        {"startTime": "yesterday"},
    ],
)
def test_a_count_that_is_none_is_a_reject_and_nothing_else_is_lost(tmp_path: Path, wrong: dict[str, Any]) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in [ROWS[0], {**ROWS[1], **wrong}, ROWS[2]]))
    report, rows = loaded(tmp_path, file, sql="SELECT count(*), sum(input) FROM usage_event")
    assert report.total("rejected") == 1
    assert rows == [(2, 186)]


def test_counts_under_openais_names_are_counts(tmp_path: Path) -> None:
    details = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
    assert one(tmp_path, "SELECT input, output FROM usage_event", usageDetails=details) == (100, 7)


@pytest.mark.parametrize("nothing", [{}, {"input": 0, "output": 0}, {"input": None, "output": None}])
def test_a_total_alone_is_no_usage_and_not_free(tmp_path: Path, nothing: dict[str, Any]) -> None:
    sql = "SELECT reason FROM reject"
    stated = nothing | {"total": 500}
    assert one(tmp_path, sql, usageDetails=stated) == ("a total of tokens that does not say what they were",)


def test_a_name_without_a_count_hides_no_other_name(tmp_path: Path) -> None:
    details = {"input": None, "output": None, "prompt_tokens": 100, "completion_tokens": 7}
    assert one(tmp_path, "SELECT input, output FROM usage_event", usageDetails=details) == (100, 7)


def test_no_other_reader_takes_it() -> None:
    sample = Sample("x", "ndjson", tuple(ROWS))
    assert [reader.name for reader in READERS if reader.recognises(sample)] == ["langfuse"]


CLASSES = "input, cache_read, cache_write_5m, cache_write_1h, output"


@pytest.mark.parametrize(
    ("usage", "classes"),
    [
        # LangChain's callback: 10 + 4,000 + 500 = 4,510, so the writes stand beside the input
        (
            {
                "input": 10,
                "input_cache_read": 0,
                "input_cache_creation": 0,
                "input_ephemeral_5m_input_tokens": 0,
                "input_ephemeral_1h_input_tokens": 4000,
                "output": 500,
                "total": 4510,
            },
            (10, 0, 0, 4000, 500),
        ),
        # the same with the sum of writes, which the total counts once: 10 + 4,000 + 500
        (
            {
                "input": 10,
                "input_cache_creation": 4000,
                "input_ephemeral_1h_input_tokens": 3000,
                "output": 500,
                "total": 4510,
            },
            (10, 0, 1000, 3000, 500),
        ),
        ({"input": 10, "input_cache_creation": 70, "input_cache_creation_1h": 30, "output": 5}, (10, 0, 70, 30, 5)),
        # an attribute that Langfuse does not map stands inside the input: 360 - 35
        (
            {"input": 360, "input_cached_tokens": 60, "cache_write.input_tokens": 35, "output": 9},
            (325, 60, 35, 0, 9),
        ),
        ({"input": 360, "cache_read_tokens": 300, "output": 9}, (60, 300, 0, 0, 9)),
        # one more name of the same cached tokens
        ({"input": 60, "input_cached_tokens": 300, "cached_tokens": 300, "output": 9}, (60, 300, 0, 0, 9)),
        # OpenInference: inside input and output
        (
            {
                "input": 13,
                "prompt_details.cache_read": 8,
                "output": 80,
                "completion_details.reasoning": 30,
                "total": 93,
            },
            (5, 8, 0, 0, 80),
        ),
        # the total says that cached and reasoning stand inside: 100 + 20 = 120
        (
            {"input": 100, "input_cached_tokens": 40, "output": 20, "output_reasoning_tokens": 15, "total": 120},
            (60, 40, 0, 0, 20),
        ),
        # and here that they stand beside: 100 + 40 + 20 + 15 = 175
        (
            {"input": 100, "input_cached_tokens": 40, "output": 20, "output_reasoning_tokens": 15, "total": 175},
            (100, 40, 0, 0, 35),
        ),
    ],
)
def test_what_stands_beside_and_what_inside(tmp_path: Path, usage: dict[str, Any], classes: tuple[int, ...]) -> None:
    assert one(tmp_path, f"SELECT {CLASSES} FROM usage_event", usageDetails=usage) == classes


def test_geminis_thinking_may_stand_in_the_total_only(tmp_path: Path) -> None:
    # 3,000 - 700 - 200 = 2,100 of thinking, which is output: 2,100 + 200
    usage = {"input": 700, "output": 200, "total": 3000}
    sql = "SELECT input, output, model FROM usage_event"
    assert one(tmp_path, sql, usageDetails=usage, model="gemini-2.5-flash") == (700, 2300, "gemini-2.5-flash")


def test_on_vertex_the_rest_of_the_total_may_be_prompts_of_tools_so_it_has_no_class(tmp_path: Path) -> None:
    model = "projects/p/locations/europe-west1/publishers/google/models/gemini-2.5-flash"
    usage = {"input": 700, "output": 200, "total": 3000}
    sql = "SELECT input, output, model FROM usage_event"
    assert one(tmp_path, sql, usageDetails=usage, model=model) == (700, 200, "gemini-2.5-flash")


def observation(id: str, parent: str | None, kind: str, input: int, output: int) -> dict[str, Any]:
    usage = {"input": input, "output": output, "total": input + output}
    return {
        "id": id,
        "traceId": "t",
        "parentObservationId": parent,
        "type": kind,
        "startTime": "2026-10-05T10:00:00Z",
        "model": "gpt-5-mini",
        "usageDetails": usage,
    }


def trace(folder: Path, *observations: dict[str, Any]) -> list[tuple[Any, ...]]:
    file = folder / "trace.json"
    stated = {"id": "t", "name": "desk", "sessionId": "s", "userId": "u"}
    file.write_text(json.dumps({"trace": stated, "observations": observations}, indent=1))
    return loaded(folder, file, sql="SELECT session, sum(input), sum(output), count(*) FROM usage_event GROUP BY 1")[1]


def test_a_downloaded_trace_counts_its_generations_and_not_the_agent_over_them(tmp_path: Path) -> None:
    agent = observation("a", None, "AGENT", 40, 180)  # no sum of the two below it
    calls = [observation("b", "a", "GENERATION", 70, 80), observation("c", "a", "GENERATION", 210, 20)]
    assert trace(tmp_path, agent, *calls) == [("s", 280, 100, 2)]


def test_an_agent_whose_calls_were_not_exported_counts_itself(tmp_path: Path) -> None:
    assert trace(tmp_path, observation("a", None, "AGENT", 40, 180)) == [("s", 40, 180, 1)]


def test_a_generation_over_another_that_repeats_it_is_one_call(tmp_path: Path) -> None:
    outer, inner = observation("a", None, "GENERATION", 900, 70), observation("b", "a", "GENERATION", 900, 95)
    assert trace(tmp_path, outer, inner) == [("s", 900, 95, 1)]


@pytest.mark.parametrize("nested", [True, False])
def test_cached_tokens_may_stand_in_an_object_of_their_own(tmp_path: Path, nested: bool) -> None:
    details = (
        {"prompt_tokens_details": {"cached_tokens": 40}} if nested else {"prompt_tokens_details.cached_tokens": 40}
    )
    counts = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110, **details}
    assert one(tmp_path, "SELECT input, cache_read, output FROM usage_event", usageDetails=counts) == (60, 40, 10)


OLD: dict[str, Any] = {"metadata": None, "usageDetails": None, "costDetails": None, "totalCost": None}


@pytest.mark.slow
@pytest.mark.parametrize("unit", ["CHARACTERS", "SECONDS", "IMAGES", "MILLISECONDS", "REQUESTS"])
@pytest.mark.parametrize("cost", [None, 0.01])
def test_what_is_not_measured_in_tokens_is_named_and_its_cost_kept(
    tmp_path: Path, unit: str, cost: float | None
) -> None:
    row = {**ROWS[0], **OLD, "usage": {"unit": unit, "input": 1000, "output": 200}, "calculatedTotalCost": cost}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    sql = "SELECT input, output, recorded_usd FROM usage_event"
    report, rows = loaded(tmp_path, tmp_path / "a.jsonl", sql=sql)
    assert rows == ([(0, 0, Decimal("0.01"))] if cost else [])
    assert report.total("rejected") == 1
    assert [sign.kind for sign in report.signs] == (["a cost without tokens"] if cost else [])
    with open_store(tmp_path / "costsim.duckdb") as store:
        (reason,) = store.execute("SELECT reason FROM reject").fetchone() or ("",)
    assert reason.startswith(f"usage in {unit}, not in tokens: not counted")


@pytest.mark.parametrize(
    "counts",
    [
        {"usage": {"unit": "TOKENS", "input": 1000, "output": 200, "total": 1200}},
        {"usage": {"promptTokens": 1000, "completionTokens": 200, "totalTokens": 1200}},
        {"promptTokens": 1000, "completionTokens": 200, "totalTokens": 1200, "unit": "TOKENS"},
        {"inputUsage": 1000, "outputUsage": 200, "totalUsage": 1200, "usage": {"unit": "TOKENS", "input": 0}},
    ],
)
@pytest.mark.parametrize("without", [True, False])
def test_usage_of_before_usage_details_is_counted(tmp_path: Path, counts: dict[str, Any], without: bool) -> None:
    row = {**ROWS[0], **OLD, "usage": None, **counts, "calculatedInputCost": 0.0025, "calculatedOutputCost": 0.002}
    if without:
        row = {key: value for key, value in row.items() if value is not None}
    (tmp_path / "a.jsonl").write_text(json.dumps(row))
    sql = "SELECT input, output, recorded_usd FROM usage_event"
    report, rows = loaded(tmp_path, tmp_path / "a.jsonl", sql=sql)
    assert (report.total("rejected"), report.unread, rows) == (0, [], [(1000, 200, Decimal("0.0045"))])


def test_a_calculated_cost_alone_is_named(tmp_path: Path) -> None:
    row = {**ROWS[0], **OLD, "usage": None, "calculatedTotalCost": 0.5}
    (tmp_path / "a.jsonl").write_text(json.dumps({key: value for key, value in row.items() if value is not None}))
    report, rows = loaded(tmp_path, tmp_path / "a.jsonl", sql="SELECT input + output, recorded_usd FROM usage_event")
    assert rows == [(0, Decimal("0.5"))]
    assert [sign.message for sign in report.signs] == [
        "1 of 1 call has a recorded cost and no tokens: it is in no computed cost"
    ]


SHARED = Path(__file__).parents[4] / "shared" / "data" / "langfuse"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the downloads are not here")
def test_real_downloads(tmp_path: Path) -> None:
    sql = "SELECT model, count(*), sum(input), sum(output), sum(recorded_usd) FROM usage_event GROUP BY 1 ORDER BY 1"
    _, rows = loaded(tmp_path, SHARED, sql=sql)
    assert rows == [
        # 6 + 5; 2,055 + 845; the total's 1,173 more (2,023 - 5 - 845) have no class
        ("gemini-2.5-flash", 2, 11, 2900, Decimal("0.005989299999")),
        ("gpt-4o", 1, 13, 81, Decimal("0.000842499999")),
        ("gpt-4o-mini", 5, 5542, 0, Decimal("0.0008313")),
        ("gpt-5-mini-2025-08-07", 4, 614, 229, Decimal("0.0006115")),  # 321 + 293; 123 + 106
    ]


def test_a_trace_that_has_its_observations_twice_has_nothing_unread(tmp_path: Path) -> None:
    sent = {"providedCostDetails": {"total": 0.000025}, "modelParameters": {"top_p": 1, "num_output": -1}}
    observed = [{**row, **sent} for row in ROWS]
    file = tmp_path / "trace.json"
    file.write_text(json.dumps({"trace": {"id": "t", "observations": observed}, "observations": observed}))
    report, [(calls, read)] = loaded(tmp_path, file, sql="SELECT count(*), sum(input) FROM usage_event")
    assert (calls, read) == (5, 86 + 44 + 100 + 10)
    assert [unread.field for unread in report.unread if "attributes" not in unread.field] == []
