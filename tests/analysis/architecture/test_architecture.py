"""The architecture file: what it takes, in three formats, and how it says what is wrong, where, and how to fix it."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import costsim
import pytest
from costsim.analysis.architecture.amounts import Range
from costsim.analysis.architecture.load import read_architecture
from costsim.analysis.architecture.model import Architecture, TokenProfile
from costsim.errors import ArchitectureError

Read = Callable[..., Architecture]
Written = Callable[..., Path]

HAIKU = "anthropic/claude-haiku-4-5"
EXAMPLE = Path(costsim.__file__).parent / "examples" / "c-suite"

# The article's files, as it prints them.
ROUTING = """{
"model_routing": {
"strategic_decision": "anthropic/claude-opus-4-6",
"orchestration": "anthropic/claude-sonnet-4-6",
"code_generation": "anthropic/claude-sonnet-4-6",
"code_review": "anthropic/claude-sonnet-4-5",
"large_context_coding": "kimi-coding/kimi-for-coding",
"content_creation": "anthropic/claude-sonnet-4-5",
"research_synthesis": "anthropic/claude-sonnet-4-5",
"monitoring": "anthropic/claude-haiku-4-5",
"curation": "anthropic/claude-haiku-4-5",
"classification": "anthropic/claude-haiku-4-5",
"web_grounded_search": "google/gemini-2.5-pro",
"image_analysis": "openai/gpt-4o",
"fallback": "anthropic/claude-sonnet-4-5"
}
}"""
CRONS = """crons:
- name: cron-health-check
  schedule: "*/30 * * * *"
  model: "anthropic/claude-haiku-4-5" # 48x/day — must be Haiku
- name: content-curation
  schedule: "0 6,12,18 * * *"
  model: "anthropic/claude-haiku-4-5" # 3x/day — Haiku for pattern matching
- name: morning-brief
  schedule: "0 7 * * *"
  model: "anthropic/claude-sonnet-4-6" # Once/day — worth Sonnet for quality
"""


def component(**words: Any) -> dict[str, Any]:
    """A component that is well-formed but for what `words` say; None leaves a word out."""
    whole = {"name": "a", "model": HAIKU, "runs_per_day": 5, "tokens": {"input": 1000, "output": 100}} | words
    return {key: value for key, value in whole.items() if value is not None}


def fleet(**words: Any) -> dict[str, Any]:
    """An architecture of that one component."""
    return {"components": [component(**words)]}


def problem(read: Read, content: Any, **more: Any) -> str:
    """What is said about an architecture that is wrong."""
    with pytest.raises(ArchitectureError) as raised:
        read(content, **more)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_the_articles_own_routing_and_crons_are_taken_as_they_are(read: Read) -> None:
    text = "routing: model-routing.json\ncrons: crons.yaml\ndefaults: {input: 2000, output: 200}\n"
    found = read(text, {"model-routing.json": ROUTING, "crons.yaml": CRONS})
    assert len(found.model_routing) == 13
    assert found.model_routing["strategic_decision"] == "anthropic/claude-opus-4-6"
    assert [(c.name, c.schedule, c.model) for c in found.components] == [
        ("cron-health-check", "*/30 * * * *", HAIKU),
        ("content-curation", "0 6,12,18 * * *", HAIKU),
        ("morning-brief", "0 7 * * *", "anthropic/claude-sonnet-4-6"),
    ]


def test_the_articles_crons_and_routing_may_stand_in_the_file_itself(read: Read) -> None:
    routing = "model_routing: " + json.dumps(json.loads(ROUTING)["model_routing"])
    found = read(f"{routing}\n{CRONS}defaults: {{input: 2000, output: 200}}\n")
    assert [c.name for c in found.components] == ["cron-health-check", "content-curation", "morning-brief"]


def test_the_shipped_example_has_the_articles_files_unchanged() -> None:
    assert json.loads((EXAMPLE / "model-routing.json").read_text()) == json.loads(ROUTING)
    assert [line.strip() for line in (EXAMPLE / "crons.yaml").read_text().splitlines()] == [
        line.strip() for line in CRONS.splitlines()
    ]


def test_yaml_json_and_toml_say_the_same(written: Written) -> None:
    yaml = """
timezone: Europe/Berlin
model_routing: {fallback: anthropic/claude-haiku-4-5}
components:
  - name: brief
    schedule: "0 7 * * 1-5"
    start: 2026-06-01
    tokens:
      input: {low: 1000, mode: 2000, high: 4000.5}
      output: 0.1
"""
    toml = """
timezone = "Europe/Berlin"
model_routing = {fallback = "anthropic/claude-haiku-4-5"}
[[components]]
name = "brief"
schedule = "0 7 * * 1-5"
start = 2026-06-01
tokens = {input = {low = 1000, mode = 2000, high = 4000.5}, output = 0.1}
"""
    data = {
        "timezone": "Europe/Berlin",
        "model_routing": {"fallback": HAIKU},
        "components": [
            {
                "name": "brief",
                "schedule": "0 7 * * 1-5",
                "start": "2026-06-01",
                "tokens": {"input": {"low": 1000, "mode": 2000, "high": 4000.5}, "output": 0.1},
            }
        ],
    }
    files = [written(yaml, None, "same.yaml"), written(toml, None, "same.toml"), written(data, None, "same.json")]
    read = [read_architecture(file) for file in files]
    assert read[0] == read[1] == read[2]
    assert read[0].components[0].tokens == TokenProfile(
        input=Range(low=Decimal(1000), mode=Decimal(2000), high=Decimal("4000.5")), output=Decimal("0.1")
    )


def test_a_component_takes_from_its_cron_what_it_does_not_say_itself(read: Read) -> None:
    crons = [
        {"name": "nightly", "schedule": "0 2 * * *", "model": HAIKU, "task": "review", "timezone": "Europe/Berlin"}
    ]
    content = {
        "crons": crons,
        "components": [component(name="own-model", cron="nightly", runs_per_day=None, model="openai/gpt-4o")],
    }
    (found,) = read(content).components  # the cron that a component names is no component itself
    assert (found.schedule, found.task, found.timezone) == ("0 2 * * *", "review", "Europe/Berlin")
    assert found.model == "openai/gpt-4o"


WRONG_KEYS = {
    "at the top": ({"componets": []}, "componets", "'components'"),
    "in a component": (fleet(schedul="* * * * *"), "components[0].schedul", "'schedule'"),
    "in its tokens": (fleet(tokens={"inptu": 5}), "components[0].tokens.inptu", "'input'"),
    "in a range": (fleet(tokens={"input": {"low": 1, "hihg": 2}}), "components[0].tokens.input.hihg", "'high'"),
    "in percentiles": (fleet(tokens={"output": {"p50": 1, "p59": 2}}), "components[0].tokens.output.p59", "'p95'"),
    "in a log": (
        fleet(tokens={"from_usage": {"file": "x.csv", "colums": {}}}),
        "components[0].tokens.from_usage.colums",
        "'columns'",
    ),
    "in a calibration": (
        fleet(tokens=None, calibrate={"daily_usd": {"low": 1, "hgih": 3}, "input_per_output": 1}),
        "components[0].calibrate.daily_usd.hgih",
        "'high'",
    ),
    "in a cron": (fleet() | {"crons": [{"name": "x", "shedule": "* * * * *"}]}, "crons[0].shedule", "'schedule'"),
    "in a plan": (fleet() | {"plans": {"p": {"modle": HAIKU}}}, "plans.p.modle", "'model'"),
    "in a claim": (
        fleet() | {"claims": [{"says": "x", "stated": 1, "daily_us": {}}]},
        "claims[0].daily_us",
        "'daily_usd'",
    ),
}


@pytest.mark.parametrize("where", WRONG_KEYS)
def test_an_unknown_key_is_named_with_its_path_and_the_nearest_right_one(read: Read, where: str) -> None:
    content, key, right = WRONG_KEYS[where]
    said = problem(read, content)
    assert f"{key}: unknown key {key.split('.')[-1]!r}; did you mean {right}?" in said


def test_an_unknown_key_far_from_every_right_one_lists_those(read: Read) -> None:
    said = problem(read, fleet(runs_per_day={"poisson": 1, "zzz": 2}))
    assert "components[0].runs_per_day.zzz: unknown key 'zzz'; known here:" in said
    assert "poisson" in said


DEEP = """name: deep
model_routing: {fallback: anthropic/claude-haiku-4-5}
components:
  - name: a
    runs_per_day: 5
    tokens:
      output: 100
      input:
        low: 10
        high: -3
"""


def test_an_error_inside_a_union_names_the_line_and_key_that_the_file_has(read: Read) -> None:
    # pydantic's own path is components.0.tokens.input.range.high; no file holds the word "range"
    said = problem(read, DEEP)
    assert "architecture.yaml:10 components[0].tokens.input.high: this should be greater than or equal to 0" in said


def test_a_key_missing_inside_a_union_names_the_line_around_it(read: Read) -> None:
    said = problem(read, DEEP.replace("        high: -3\n", ""))
    assert "architecture.yaml:8 components[0].tokens.input.high: the key 'high' is missing" in said


def test_a_rule_about_a_whole_range_names_the_range(read: Read) -> None:
    said = problem(read, DEEP.replace("-3", "3"))
    assert "architecture.yaml:8 components[0].tokens.input: low, mode and high must ascend, not 10, 3" in said


RULES = {
    "no schedule": (fleet(runs_per_day=None), "components[0]: 'a': say when it runs: either schedule"),
    "both schedules": (fleet(schedule="* * * * *"), "components[0]: 'a': say when it runs: either schedule"),
    "no tokens": (fleet(tokens=None), "components[0]: 'a': say what a run uses: either tokens or calibrate"),
    "tokens of nothing": (fleet(tokens={}), "components[0].tokens: no token count is given"),
    "tokens of a null log": (fleet(tokens={"from_usage": None}), "components[0].tokens: no token count is given"),
    "tokens and a log": (
        fleet(tokens={"input": 5, "from_usage": {"file": "x.csv", "columns": {"input": "n"}}}),
        "components[0].tokens: give either from_usage or token counts, not both",
    ),
    "both": (
        fleet(calibrate={"daily_usd": 1, "input_per_output": 1}),
        "components[0]: 'a': say what a run uses: either tokens or calibrate",
    ),
    "the same name": (
        {"components": [component(), component()]},
        "components[1].name: 'a': another component has this",
    ),
    "nothing at all": ({"name": "x"}, "there is nothing to run: list components, or crons"),
    "unknown cron": (
        {"crons": [{"name": "nightly", "schedule": "@daily"}], "components": [component(cron="nihgtly")]},
        "components[0].cron: 'a': there is no cron 'nihgtly'; did you mean 'nightly'?",
    ),
    "two crons of one name": (
        fleet() | {"crons": [{"name": "x", "schedule": "@daily"}, {"name": "x", "schedule": "@hourly"}]},
        "crons[1].name: another cron is named 'x'",
    ),
    "a cron alone without tokens": (
        {"crons": [{"name": "x", "schedule": "@daily", "model": HAIKU}]},
        "crons[0]: 'x': say what a run uses",
    ),
    "bad cron expression": (
        fleet(runs_per_day=None, schedule="*/75 * * * *"),
        'components[0].schedule: "*/75 * * * *" is not a cron expression: minute step 75 is past 59',
    ),
    "reversed dates": (
        fleet(start="2026-06-02", end="2026-06-01"),
        "components[0]: end 2026-06-01 is before start 2026-06-02",
    ),
    "negative tokens": (
        fleet(tokens={"input": -5}),
        "components[0].tokens.input: this should be greater than or equal",
    ),
    "half a percentile": (
        fleet(tokens={"input": {"p50": 5}}),
        "components[0].tokens.input.p95: the key 'p95' is missing",
    ),
    "percentiles reversed": (
        fleet(tokens={"input": {"p50": 5, "p95": 4}}),
        "components[0].tokens.input: p95 (4) is below p50 (5)",
    ),
    "percentiles too far apart": (
        fleet(tokens={"input": {"p50": 1, "p95": 1001}}),
        "components[0].tokens.input: p95 (1001) is more than 1,000 times p50 (1)",
    ),
    "a range of nothing": (fleet(tokens={"input": {"low": 0, "high": 0}}), "high must be more than 0"),
    "a trillion runs": (
        fleet(runs_per_day=10**12),
        "components[0].runs_per_day: 1000000000000 runs per day is more than the 100,000,000 that costsim takes",
    ),
    "a trillion poisson runs": (fleet(runs_per_day={"poisson": 10**12}), "components[0].runs_per_day.poisson"),
    "a trillion runs at most": (fleet(runs_per_day={"low": 1, "high": 10**12}), "is more than the 100,000,000"),
    "too many tokens": (fleet(tokens={"input": 10**10}), "10000000000 tokens a run is more than the 1,000,000,000"),
    "a number with a million digits": (fleet(tokens={"input": "1e-9999999"}), "no more than 18 decimal places"),
    "a huge exponent": (fleet(tokens={"input": "1e9999999"}), "components[0].tokens.input: this should be less than"),
    "a huge claim": (
        fleet() | {"claims": [{"says": "x", "stated": "1e9999999", "daily_usd": {}}]},
        "claims[0].stated: this should be less than",
    ),
    "a rate of a log that is not there": (
        fleet(runs_per_day={"from_usage": 24}),
        "components[0]: runs_per_day.from_usage needs tokens.from_usage",
    ),
    "a range of a daily cost that varies by run": (
        fleet(tokens=None, calibrate={"daily_usd": {"low": 1, "high": 3, "varies": "run"}, "input_per_output": 1}),
        "components[0].calibrate.daily_usd.varies: unknown key 'varies'",  # it is what we don't know, always
    ),
    "uncertainty twice": (
        fleet(
            tokens=None,
            calibrate={"daily_usd": {"low": 1, "high": 3}, "input_per_output": 1},
            uncertainty={"low": 1, "high": 2},
        ),
        "components[0]: calibrate.daily_usd is a range already; leave out uncertainty",
    ),
    **{
        f"an empty {key}": (fleet(**{key: ""}), f"components[0].{key}: string should have at least 1 character")
        for key in ("model", "agent", "task", "cron")
    },
    **{
        f"a budget of an empty {key}": (
            fleet() | {"budgets": [{"name": "b", "usd": 1, "scope": {key: ""}}]},
            f"budgets[0].scope.{key}: string should have at least 1 character",
        )
        for key in ("agent", "component", "task", "model", "team", "session", "tag")
    },
    "a plan of an empty model": (
        fleet() | {"plans": {"p": {"model": ""}}},
        "plans.p.model: string should have at least 1 character",
    ),
    "unknown time zone": (fleet(timezone="Mars/Olympus"), "components[0].timezone: 'Mars/Olympus' is not a time zone"),
    "a plan's name taken": (fleet() | {"plans": {"naive": {"model": HAIKU}}}, "plans: the plan 'naive' always exists"),
    "a plan of nothing": (fleet() | {"plans": {"p": {}}}, "plans.p: say model, model_routing, components or policies"),
    "a plan's unknown component": (
        fleet(name="scanner") | {"plans": {"p": {"components": {"scaner": HAIKU}}}},
        "plans.p.components.scaner: there is no component 'scaner'; did you mean 'scanner'?",
    ),
    "a plan's unknown task": (
        fleet(task="review") | {"plans": {"p": {"model_routing": {"reviw": HAIKU}}}},
        "plans.p.model_routing.reviw: there is no task 'reviw'; did you mean 'review'?",
    ),
    "a claim of two kinds": (
        fleet() | {"claims": [{"says": "x", "stated": 1, "daily_usd": {}, "plan_ratio": {"plan": "a", "to": "b"}}]},
        "claims[0]: a claim needs exactly one of price_ratio, cost_ratio, plan_ratio, daily_usd",
    ),
    "true is no number": (fleet(runs_per_day=True), "components[0].runs_per_day: "),
    "components is no list": ({"components": {"a": 1}}, "components: this should be a valid list"),
}


@pytest.mark.parametrize("case", RULES)
def test_a_broken_rule_is_said_in_one_line_with_its_key(read: Read, case: str) -> None:
    content, said = RULES[case]
    assert said in problem(read, content)


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf"])
def test_a_number_that_is_none_is_refused(read: Read, number: str) -> None:
    said = problem(read, f"components:\n  - name: a\n    runs_per_day: {number}\n    tokens: {{input: 5}}\n")
    assert "architecture.yaml:3 components[0].runs_per_day: this should be a finite number" in said


def test_json_that_is_nan_is_refused(read: Read) -> None:
    text = '{"components": [{"name": "a", "runs_per_day": NaN, "tokens": {"input": 5}}]}'
    assert "components[0].runs_per_day: this should be a finite number" in problem(read, text, name="a.json")


BROKEN_FILES = {
    "empty": ("a.yaml", "", "the file is empty"),
    "comments only": ("a.yaml", "# soon\n", "the file holds nothing but comments"),
    "not YAML": ("a.yaml", "name: [a\nb: }", "a.yaml:2: this is not YAML"),
    "not JSON": ("a.json", '{"name": "a",}', "a.json:1: this is not JSON"),
    "not TOML": ("a.toml", "name = ", "this is not TOML"),
    "a list": ("a.yaml", "- a\n", "the file must be a mapping of keys to values"),
    "a key twice in YAML": ("a.yaml", "name: a\nname: b\n", "the key 'name' stands twice, again in line 2"),
    "a key twice in JSON": ("a.json", '{"name": "a", "name": "b"}', "the key 'name' stands twice"),
    "an endless number in YAML": ("a.yaml", "name: " + "9" * 5000, "a.yaml: this is not YAML"),
    "an endless number in JSON": ("a.json", '{"name": ' + "9" * 5000 + "}", "a.json: this is not usable JSON"),
    "an endless number in TOML": ("a.toml", "name = " + "9" * 5000, "a.toml: this is not TOML"),
    "deep JSON": ("a.json", "[" * 100_000, "a.json: the file is nested too deeply"),
    "an alias of itself": ("a.yaml", "a: &a [*a]\n", "holds itself"),
    "a Python object": ("a.yaml", "name: !!python/object/apply:os.getcwd []\n", "this is not YAML"),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_is_one_line(read: Read, case: str) -> None:
    name, text, said = BROKEN_FILES[case]
    assert said in problem(read, text, name=name)


def test_an_alias_bomb_is_stopped_before_it_unfolds(read: Read) -> None:
    # nine levels of ten aliases each: 10^9 values from half a kilobyte
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "unfolds into more than 1,000,000 values" in problem(read, "\n".join(levels))


def test_a_cron_files_error_names_the_cron_file(read: Read) -> None:
    said = problem(read, "crons: crons.yaml\n", beside={"crons.yaml": CRONS.replace("0 7 *", "0 77 *")})
    assert "crons.yaml:9 crons[2].schedule" in said
    assert "bad hour (0 to 23)" in said
    said = problem(read, "crons: crons.yaml\n", beside={"crons.yaml": CRONS})
    assert "crons.yaml:2 crons[0]: 'cron-health-check': say what a run uses" in said


def test_a_routing_file_may_hold_more_than_the_routing(read: Read) -> None:
    more = {"model_routing": {"fallback": HAIKU}, "policies": {"escalate": True}}
    assert read(fleet() | {"routing": "routing.json"}, {"routing.json": more}).model_routing == {"fallback": HAIKU}


def test_files_are_looked_for_beside_the_architecture(written: Written) -> None:
    content = fleet() | {"book": "own-book.yaml", "prices": ["extra.yaml"], "routing": "r.json"}
    file = written(content, {"r.json": {"model_routing": {"fallback": HAIKU}}, "extra.yaml": {"models": []}})
    found = read_architecture(file)
    assert found.book == str(file.parent / "own-book.yaml")
    assert found.prices == [file.parent / "extra.yaml"]
    assert read_architecture(written(fleet() | {"book": "article-2026"})).book == "article-2026"
