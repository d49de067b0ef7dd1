"""Linting routings and architectures: what the article's own files get wrong, and what a component breaks."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis import lint as package
from costsim.analysis.findings import Finding
from costsim.analysis.lint import exit_code, lint, target_of
from costsim.analysis.lint.cards import article, is_of
from costsim.analysis.lint.components import AssignedComponent, lint_components
from costsim.analysis.lint.routing import lint_routing
from costsim.analysis.routing import covers
from costsim.analysis.routing.routing import SHIPPED, RoutingConfig, read_routing, shipped_routing
from costsim.errors import InputError
from costsim.pricing.book import PriceBook, open_book
from costsim.reports.lint import line

EXAMPLES = Path(package.__file__).parents[2] / "examples" / "c-suite"
START = date(2026, 11, 1)
OPUS, HAIKU = "anthropic/claude-opus-4-6", "anthropic/claude-haiku-4-5"
SONNET, KIMI = "anthropic/claude-sonnet-4-6", "kimi-coding/kimi-for-coding"


@pytest.fixture(scope="module")
def book() -> PriceBook:
    return open_book("list", [EXAMPLES / "prices.yaml"])


def routing(tmp_path: Path, data: dict[str, Any]) -> RoutingConfig:
    file = tmp_path / "routing.json"
    file.write_text(json.dumps({"model_routing": {"fallback": SONNET}, **data}, indent=2))
    return read_routing(file, needs_fallback=False)


def rules(findings: list[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def of(findings: list[Finding], rule: str) -> list[Finding]:
    return [finding for finding in findings if finding.rule == rule]


def component(
    task: str, model: str, runs_per_day: int = 1, context_tokens: int | None = None, **more: Any
) -> AssignedComponent:
    usd = {OPUS: Decimal("45.00"), HAIKU: Decimal("9.00")}
    return AssignedComponent("part", "cto", task, model, Decimal(runs_per_day), usd.get, context_tokens, **more)


def test_the_shipped_routing_has_warnings_and_notes_but_no_error() -> None:
    found = lint(start=START)
    assert {finding.severity for finding in found} == {"warning", "note"}
    assert exit_code(found) == 0


def test_the_articles_kimi_rule_cannot_see_code_writing() -> None:
    [finding] = of(lint(start=START), "shadowed-rule")
    assert finding.message == (f"rule 4 ({KIMI}) never sees kind 'code_writing': rule 3 takes such tasks first")
    assert finding.fix.startswith("put rule 4 before rule 3")
    assert finding.line == line_of(SHIPPED, '"kind": ["code_writing", "code_review"')


def test_a_tree_that_is_too_large_is_said_to_be_unchecked_from_there_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = [{"when": {"kind": kind}, "use": "fallback"} for kind in ("a", "a", "b")]
    config = routing(tmp_path, {"model_routing": {"fallback": "p/m"}, "decision_tree": tree})
    monkeypatch.setattr(covers, "MAX_STEPS", 4)
    found = lint_routing(config)
    assert rules(found) == ["unchecked-rules"]
    assert found[0].message == ("the decision tree is too large to decide which of its rules from 2 on can never fire")


def test_the_articles_tree_and_its_json_disagree_on_code_generation() -> None:
    finding = of(lint(start=START), "tree-disagrees")[0]
    assert "anthropic/claude-sonnet-4-5 by rule 3" in finding.message
    assert "model_routing gives it anthropic/claude-sonnet-4-6" in finding.message
    assert (finding.key, finding.line) == ("model_routing.code_generation", line_of(SHIPPED, '"code_generation": "'))


def test_contexts_beyond_kimis_128000_tokens_are_sent_there_too() -> None:
    messages = [finding.message for finding in of(lint(start=START), "open-ended-context")]
    assert len(messages) == 2
    assert all("128,000" in message for message in messages)


def test_the_articles_cards_claim_for_sonnet_46_what_its_json_gives_sonnet_45() -> None:
    keys = [finding.key for finding in of(lint(start=START), "card-elsewhere")]
    assert keys == [f"model_routing.{key}" for key in ("code_review", "content_creation", "research_synthesis")]


def line_of(file: Path, text: str) -> int:
    return next(n for n, line in enumerate(file.read_text().splitlines(), 1) if text in line)


def test_a_fixed_tree_is_clean(tmp_path: Path, book: PriceBook) -> None:
    data = json.loads(SHIPPED.read_text())
    tree = data["decision_tree"]
    tree.insert(2, tree.pop(3))  # "large codebase?" before "code writing?"
    tree[2]["when"]["context_tokens"]["at_most"] = data["large_context"]["at_most"] = 128_000
    data["model_routing"]["code_generation"] = "anthropic/claude-sonnet-4-5"
    found = lint_routing(routing(tmp_path, data), book)
    assert {finding.severity for finding in found} == {"note"}


def test_a_missing_fallback_is_an_error(tmp_path: Path) -> None:
    found = lint_routing(routing(tmp_path, {"model_routing": {"monitoring": HAIKU}}))
    assert rules(found) == ["missing-fallback"]
    assert exit_code(found) == 1


def test_a_rule_that_never_fires_is_an_error_that_names_its_takers(tmp_path: Path) -> None:
    tree = [
        {"when": {"context_tokens": {"at_most": 9}}, "use": SONNET},
        {"when": {"context_tokens": {"over": 9}}, "use": SONNET},
        {"when": {"needs_web": True}, "use": SONNET},
        {"when": {"runs_per_day": {"over": 5, "at_most": 5}}, "use": SONNET},
    ]
    found = of(lint_routing(routing(tmp_path, {"decision_tree": tree})), "unreachable-rule")
    assert "rules 1 and 2 take all" in found[0].message
    assert "contradicts itself" in found[1].message


def test_a_condition_among_several_that_never_fires_is_a_warning(tmp_path: Path) -> None:
    tree = [
        {"when": {"needs_web": True}, "use": SONNET},
        {"when": [{"needs_web": True, "strategic": True}, {"needs_images": True}], "use": SONNET},
    ]
    [finding] = lint_routing(routing(tmp_path, {"decision_tree": tree}))
    assert (finding.rule, finding.key) == ("shadowed-rule", "decision_tree[1].when[0]")


def test_a_model_without_a_price_is_an_error_said_once(tmp_path: Path, book: PriceBook) -> None:
    data = {"model_routing": {"a": "anthropic/claude-opsu-4-6", "b": "anthropic/claude-opsu-4-6", "fallback": SONNET}}
    [finding] = of(lint_routing(routing(tmp_path, data), book), "unpriced-model")
    assert "'anthropic/claude-opsu-4-6' has no price in list + c-suite-overlay" in finding.message
    assert finding.severity == "error"


def test_a_rule_for_contexts_that_its_model_cannot_hold_at_all_is_an_error(tmp_path: Path, book: PriceBook) -> None:
    large = {"over": 200_000, "use": HAIKU}  # Haiku 4.5 holds 200,000 tokens
    assert "context-window" in rules(lint_routing(routing(tmp_path, {"large_context": large}), book))


def test_a_task_that_states_more_context_than_its_model_holds_is_an_error(tmp_path: Path, book: PriceBook) -> None:
    data = {
        "model_routing": {"reading": HAIKU, "fallback": SONNET},
        "tasks": {"reading": {"kind": "reading", "context_tokens": 250_000}},
    }
    [finding] = lint_routing(routing(tmp_path, data), book)
    assert finding.message == f"the 250,000 context tokens of reading do not fit the 200,000 of {HAIKU}"


def test_keys_that_the_routing_does_not_have_are_said(tmp_path: Path) -> None:
    data = {"large_context": {"over": 5, "use": SONNET, "tasks": ["coding"]}, "tasks": {"codnig": {"kind": "x"}}}
    assert rules(lint_routing(routing(tmp_path, data))) == ["unknown-task", "unknown-task"]


@pytest.mark.parametrize(
    ("task", "model", "rule", "message"),
    [
        ("strategic_decision", HAIKU, "card-dont", "Claude Haiku 4.5 says not for strategic decisions"),
        ("monitoring", OPUS, "card-dont", "Claude Opus 4.6 says not for monitoring"),
        ("monitoring", SONNET, "card-dont", "Claude Sonnet 4.6 says not for simple pattern matching, monitoring"),
        ("code_generation", KIMI, "card-dont", "Kimi for Coding says not for small code tasks"),
        ("content_creation", HAIKU, "card-dont", "not for nuanced writing"),
        ("code_generation", HAIKU, "capability", '("Simple only")'),
        ("strategic_decision", SONNET, "capability", "strategic reasoning as weak"),
    ],
)
def test_a_routing_against_the_cards_and_the_matrix(
    tmp_path: Path, task: str, model: str, rule: str, message: str
) -> None:
    large = {"over": 50_000, "use": SONNET}  # so a code_generation that stays is of at most 50,000 tokens
    found = lint_routing(
        routing(tmp_path, {"model_routing": {task: model, "fallback": SONNET}, "large_context": large})
    )
    [finding] = [finding for finding in found if finding.key == f"model_routing.{task}"]
    assert finding.rule == rule
    assert message in finding.message


def test_opus_on_a_half_hourly_monitor_is_named_with_what_it_costs_a_month() -> None:
    [finding] = lint_components([component("monitoring", OPUS, 48)], shipped_routing())
    assert finding.message == (
        f"part: monitoring on {OPUS}, 48x per day: the card of Claude Opus 4.6 says not for monitoring, scanning, "
        f"or anything a Haiku can do; $45.00 a month, $9.00 on {HAIKU}"
    )
    assert finding.fix == f"use {HAIKU}"


def test_a_cost_that_is_unknown_is_not_stated() -> None:
    [finding] = lint_components([component("strategic_decision", "in-house/haiku-9")], shipped_routing())
    assert "$" not in finding.message


def test_kimi_is_for_large_code_only_and_an_unstated_context_is_not_judged() -> None:
    def found(context_tokens: int | None) -> list[str]:
        return rules(lint_components([component("code_generation", KIMI, 1, context_tokens)], shipped_routing()))

    assert found(2_000) == ["card-dont"]
    assert found(62_000) == []
    assert found(None) == []


def test_a_context_that_does_not_fit_the_model_is_an_error() -> None:
    [finding] = lint_components([component("code_generation", KIMI, 1, 200_000)], shipped_routing())
    assert finding.message == f"part: its 200,000 context tokens do not fit the 128,000 of {KIMI}"


def test_a_component_whose_task_the_routing_does_not_have_runs_on_the_fallback() -> None:
    [finding] = lint_components([component("monitorin", SONNET)], shipped_routing())
    assert finding.rule == "unknown-task"
    assert "did you mean 'monitoring'?" in finding.message


def test_a_pinned_model_needs_no_task_but_a_price(book: PriceBook) -> None:
    found = lint_components([component("other", "in-house/llama", pinned=True)], shipped_routing(), book)
    assert rules(found) == ["unpriced-model"]


def test_the_c_suite_breaks_no_card() -> None:
    found = lint(EXAMPLES / "architecture.yaml", start=START)
    assert set(rules(found)) <= {"open-ended-context", "card-elsewhere"}


def test_a_monitor_pinned_to_opus_is_found_in_its_architecture(tmp_path: Path) -> None:
    file = tmp_path / "architecture.yaml"
    file.write_text(f"""\
components:
  - name: watch
    task: monitoring
    model: {OPUS}
    schedule: "*/30 * * * *"
    tokens: {{input: 1000, output: 100}}
model_routing: {{monitoring: {HAIKU}, fallback: {SONNET}}}
""")
    # 48 x 30 = 1,440 runs. Opus 4.6 at $5/$25: 1000 x 5/M + 100 x 25/M = $0.0075; Haiku 4.5 at $1/$5: $0.0015
    [finding] = lint(file, start=START)
    assert "48x per day" in finding.message
    assert finding.message.endswith(f"$10.80 a month, $2.16 on {HAIKU}")
    assert (finding.line, finding.key) == (2, "components[0]")


def test_large_inputs_are_measured_against_the_window(tmp_path: Path) -> None:
    file = tmp_path / "architecture.yaml"
    file.write_text(f"""\
components:
  - name: reader
    task: reading
    runs_per_day: 1
    tokens: {{input: {{low: 1000, high: 150000}}, cache_read: 100000, output: 10}}
model_routing: {{reading: {HAIKU}, fallback: {SONNET}}}
""")
    [finding] = lint(file, start=START)
    assert finding.message == f"reader: its 250,000 context tokens do not fit the 200,000 of {HAIKU}"


def test_a_finding_reads_as_editors_can_jump_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = lint_routing(routing(tmp_path, {"model_routing": {"monitoring": OPUS, "fallback": SONNET}}))
    assert line(found[0]) == (
        "routing.json:3: warning: model_routing.monitoring: monitoring is on anthropic/claude-opus-4-6: the card of "
        "Claude Opus 4.6 says not for monitoring, scanning, or anything a Haiku can do; "
        "use a model of the haiku family [card-dont]"
    )


def test_what_a_path_holds_is_known_by_its_content(tmp_path: Path) -> None:
    assert target_of(EXAMPLES / "architecture.yaml") == "architecture"
    assert target_of(EXAMPLES / "model-routing.json") == "routing"
    assert target_of(EXAMPLES / "crons.yaml") == "code"
    assert target_of(tmp_path) == "code"
    with pytest.raises(InputError, match="no such file"):
        target_of(tmp_path / "nowhere.py")


@pytest.mark.parametrize(
    ("model", "family", "expected"),
    [
        ("anthropic/claude-haiku-4-5-20251001", "haiku", True),
        ("claude-3-haiku@20240307", "haiku", True),
        ("us.anthropic.claude-opus-4-6-v1:0", "opus", True),
        ("anthropic/claude-sonnet-4.6", "sonnet-4-6", True),
        ("anthropic/claude-sonnet-4-5", "sonnet-4-6", False),
        ("kimi-coding/kimi-for-coding", "kimi-for-coding", True),
        ("moonshotai/kimi-k2", "kimi-for-coding", False),
        ("acme/opusculum-1", "opus", False),
    ],
)
def test_a_family_is_known_by_whole_words(model: str, family: str, expected: bool) -> None:
    assert is_of(model, family) is expected


def test_every_family_that_the_cards_name_has_a_card() -> None:
    cards, matrix = article()
    families = {card.family for card in cards}
    assert {dont.instead for card in cards for dont in card.dont} <= families
    assert {name for row in matrix for name in (*row.weak, row.best)} <= families


def test_every_rule_of_the_catalogue_says_what_it_is() -> None:
    for rule in package.RULES.values():
        assert rule.message.endswith(".")
        assert rule.help[0].isupper()
        assert rule.name.lower() == rule.id.replace("-", "")
