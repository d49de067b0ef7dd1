"""Deciding: routing keys, large contexts, the article's decision tree, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.routing.conditions import parse_attributes
from costsim.analysis.routing.routing import SHIPPED, decide, read_routing, shipped_routing
from costsim.errors import ArchitectureError, InputError

OPUS, HAIKU = "anthropic/claude-opus-4-6", "anthropic/claude-haiku-4-5"
SONNET_46, SONNET_45 = "anthropic/claude-sonnet-4-6", "anthropic/claude-sonnet-4-5"
KIMI, GEMINI, GPT = "kimi-coding/kimi-for-coding", "google/gemini-2.5-pro", "openai/gpt-4o"


def write(tmp_path: Path, data: Any, name: str = "routing.json") -> Path:
    file = tmp_path / name
    file.write_text(data if isinstance(data, str) else json.dumps(data))
    return file


def model_for(*pairs: str) -> str:
    return decide(shipped_routing(), attributes=parse_attributes(pairs)).model


def test_code_generation_with_a_large_context_goes_to_kimi() -> None:
    assert decide(shipped_routing(), "code_generation", context_tokens=62_000).model == KIMI


def test_code_generation_without_a_context_is_sonnet() -> None:
    assert decide(shipped_routing(), "code_generation").model == SONNET_46


def test_the_threshold_itself_is_not_large_as_the_article_asks_for_more_than_50000() -> None:
    routing = shipped_routing()
    assert decide(routing, "code_generation", context_tokens=50_000).model == SONNET_46
    assert decide(routing, "code_generation", context_tokens=50_001).model == KIMI


def test_only_coding_tasks_have_a_large_context_rule() -> None:
    assert decide(shipped_routing(), "content_creation", context_tokens=62_000).model == SONNET_45


def test_the_articles_own_file_has_its_50000_without_saying_so() -> None:
    from costsim.analysis.routing import routing

    article = Path(routing.__file__).parents[2] / "examples" / "c-suite" / "model-routing.json"
    config = read_routing(article)
    assert config.model_routing == shipped_routing().model_routing
    assert decide(config, "code_generation", context_tokens=62_000).model == KIMI


def test_the_threshold_of_the_articles_code_is_one_line_away(tmp_path: Path) -> None:
    data = {**json.loads(SHIPPED.read_text()), "large_context": {"over": 100_000, "use": "large_context_coding"}}
    config = read_routing(write(tmp_path, data))
    assert decide(config, "code_generation", context_tokens=62_000).model == SONNET_46
    assert decide(config, "code_generation", context_tokens=100_001).model == KIMI


def test_large_context_can_be_turned_off_and_has_an_upper_end(tmp_path: Path) -> None:
    routing = {"large_context_coding": KIMI, "code_generation": SONNET_46, "fallback": HAIKU}
    off = read_routing(write(tmp_path, {"model_routing": routing, "large_context": None}))
    assert decide(off, "code_generation", context_tokens=62_000).model == SONNET_46
    large = {"over": 50_000, "at_most": 128_000, "use": "large_context_coding"}
    bounded = read_routing(write(tmp_path, {"model_routing": routing, "large_context": large}))
    assert decide(bounded, "code_generation", context_tokens=128_000).model == KIMI
    assert decide(bounded, "code_generation", context_tokens=128_001).model == SONNET_46


def test_an_unknown_task_gets_the_fallback_and_a_warning() -> None:
    decision = decide(shipped_routing(), "code_generaton")
    assert (decision.model, decision.key) == (SONNET_45, "fallback")
    assert decision.warnings == (
        "the routing has no task 'code_generaton': fallback decides; did you mean 'code_generation'?",
    )


def test_strict_makes_an_unknown_task_an_error() -> None:
    with pytest.raises(InputError, match="no task 'sing'"):
        decide(shipped_routing(), "sing", strict=True)


def test_a_context_that_the_chosen_model_cannot_hold_is_said() -> None:
    decision = decide(shipped_routing(), "code_generation", context_tokens=200_000)
    assert decision.warnings == (f"200,000 context tokens do not fit the 128,000 of {KIMI}",)


@pytest.mark.parametrize(
    ("described", "model"),
    [
        (["strategic"], OPUS),
        (["kind=quality_judgment"], OPUS),
        (["kind=delegation"], SONNET_46),
        (["kind=code_writing"], SONNET_45),
        (["kind=code_writing", "context_tokens=62000"], SONNET_45),  # the article's tree, as it stands
        (["kind=refactoring", "context_tokens=62k"], KIMI),
        (["kind=monitoring"], HAIKU),
        (["needs_web"], GEMINI),
        (["needs_images=yes"], GPT),
        (["needs_images=no"], SONNET_45),
    ],
)
def test_the_articles_tree_answers_its_own_questions(described: list[str], model: str) -> None:
    assert model_for(*described) == model


def test_the_first_rule_that_holds_decides() -> None:
    assert model_for("strategic", "kind=monitoring", "needs_web") == OPUS


def test_the_path_names_every_question_up_to_the_answer() -> None:
    decision = decide(shipped_routing(), attributes={"kind": "orchestration"})
    assert decision.steps == (
        "rule 1: Is this a CEO strategic decision, complex reasoning, or quality judgment? no",
        "rule 2: Is this orchestration, delegation, or C-suite execution? yes",
        f"-> {SONNET_46}",
    )


def test_a_word_that_no_rule_asks_for_is_said() -> None:
    decision = decide(shipped_routing(), attributes={"kind": "monitorin"})
    assert decision.model == SONNET_45
    assert "did you mean 'monitoring'?" in decision.warnings[0]


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("knid=code", "did you mean 'kind'?"),
        ("context_tokens=many", "a whole number"),
        ("context_tokens=-1", "a whole number"),
        ("needs_web=maybe", "true or false"),
        ("kind", "a word"),
        ("kind=", "a word"),
        ("context_tokens=62kk", "a whole number"),
        ("context_tokens=62mk", "a whole number"),
    ],
)
def test_a_description_that_makes_no_sense_is_refused(pair: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_attributes([pair])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_attribute_said_twice_is_refused() -> None:
    with pytest.raises(InputError, match="kind stands twice"):
        parse_attributes(["kind=a", "kind=b"])


def test_a_key_and_a_description_together_are_refused() -> None:
    with pytest.raises(InputError, match="not both"):
        decide(shipped_routing(), "monitoring", {"kind": "monitoring"})


def test_neither_a_key_nor_a_description_is_refused() -> None:
    with pytest.raises(InputError, match="say which task"):
        decide(shipped_routing(), context_tokens=5)


def test_a_description_needs_a_tree(tmp_path: Path) -> None:
    config = read_routing(write(tmp_path, {"model_routing": {"fallback": HAIKU}}))
    with pytest.raises(InputError, match="no decision_tree"):
        decide(config, attributes={"kind": "monitoring"})


def test_a_rule_may_name_a_key_so_that_the_routing_moves_it(tmp_path: Path) -> None:
    rules = [{"when": {"runs_per_day": {"over": 10}}, "use": "cheap"}]
    config = read_routing(
        write(tmp_path, {"model_routing": {"cheap": HAIKU, "fallback": OPUS}, "decision_tree": rules})
    )
    assert decide(config, attributes={"runs_per_day": 48}).key == "cheap"
    assert decide(config, attributes={"runs_per_day": 10}).model == OPUS


def test_a_routing_in_yaml_reads_the_same(tmp_path: Path) -> None:
    config = read_routing(write(tmp_path, f"model_routing:\n  fallback: {HAIKU}\n", "routing.yaml"))
    assert decide(config, "anything").model == HAIKU


TREE = {"model_routing": {"fallback": HAIKU}}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({}, "model_routing"),
        ([], "mapping"),
        ({"model_routing": {}}, "'model_routing' is missing"),
        ({"model_routing": {"a": HAIKU}}, "'fallback' is missing"),
        ({"model_routing": {"fallback": 5}}, "a model is a word"),
        ({"model_routing": {"fallback": " "}}, "a model is a word"),
        ({**TREE, "decison_tree": []}, "did you mean 'decision_tree'?"),
        ({**TREE, "decision_tree": {}}, "as a list"),
        ({**TREE, "decision_tree": [7]}, "as a mapping"),
        ({**TREE, "decision_tree": [{"use": "fallbak"}]}, "did you mean 'fallback'?"),
        ({**TREE, "decision_tree": [{"when": {"kind": "x"}}]}, "'use' is missing"),
        ({**TREE, "decision_tree": [{"if": {}, "use": HAIKU}]}, "unknown key 'if'"),
        ({**TREE, "decision_tree": [{"when": {}, "use": HAIKU}]}, "as {attribute: demand}"),
        ({**TREE, "decision_tree": [{"when": [], "use": HAIKU}]}, "is empty"),
        ({**TREE, "decision_tree": [{"when": {"kinds": "x"}, "use": HAIKU}]}, "did you mean 'kind'?"),
        ({**TREE, "decision_tree": [{"when": {"kind": []}, "use": HAIKU}]}, "a word or a list of words"),
        ({**TREE, "decision_tree": [{"when": {"needs_web": 1}, "use": HAIKU}]}, "true or false"),
        ({**TREE, "decision_tree": [{"when": {"context_tokens": 5}, "use": HAIKU}]}, "{over: 50000}"),
        ({**TREE, "decision_tree": [{"when": {"context_tokens": {"over": -1}}, "use": HAIKU}]}, "whole number"),
        ({**TREE, "decision_tree": [{"use": HAIKU}] * 101}, "at most 100"),
        (
            {**TREE, "decision_tree": [{"when": {"kind": [f"k{n}" for n in range(20_001)]}, "use": HAIKU}]},
            "the rules ask for 20,001 words, numbers, yes or no; write a tree of at most 20,000",
        ),
        ({**TREE, "large_context": {"use": HAIKU}}, "'over' is missing"),
        ({**TREE, "large_context": {"over": 5, "use": "big"}}, "neither a key"),
        ({**TREE, "large_context": {"over": 5, "use": HAIKU, "tasks": "x"}}, "a list of routing keys"),
        ({**TREE, "tasks": {"a": {"kind": 5}}}, "a word"),
        ({**TREE, "tasks": {"a": "code"}}, "write attributes as"),
        ({**TREE, "context_windows": {HAIKU: "200k"}}, "whole number"),
        ({**TREE, "context_windows": [1]}, "as a mapping"),
    ],
)
def test_a_routing_that_makes_no_sense_is_refused_in_one_line(tmp_path: Path, data: Any, message: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        read_routing(write(tmp_path, data))
    assert message in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_deciding_loads_no_heavy_library() -> None:
    code = """
import sys
from costsim.analysis.routing.routing import decide, shipped_routing
assert decide(shipped_routing(), "code_generation", context_tokens=62_000).model
print([name for name in ("pydantic", "duckdb", "yaml", "genai_prices", "numpy", "pandas") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
