"""Components observed in logs have names that people can read and write."""

from __future__ import annotations

from costsim.analysis.spend.observe import component_names

HAIKU, SONNET = "claude-haiku-4-5-20251001", "claude-sonnet-4-6"


def names(*keys: tuple[str, str, str, str]) -> list[str]:
    """Of (component, agent, task, model)."""
    full = [(component, agent, task, "anthropic", model) for component, agent, task, model in keys]
    return [component_names(full)[key] for key in full]


def test_a_component_of_its_own_keeps_its_name() -> None:
    assert names(("website", "cto", "code_generation", HAIKU)) == ["website"]


def test_only_what_differs_is_added_without_the_models_date() -> None:
    shared = (("website", "cto", "code_generation", model) for model in (HAIKU, SONNET))
    assert names(*shared) == ["website-claude-haiku-4-5", "website-claude-sonnet-4-6"]


def test_a_component_named_other_gives_way_to_its_task() -> None:
    shared = (("other", "claude-code", "code_review", model) for model in (HAIKU, SONNET))
    assert names(*shared) == ["code_review-claude-haiku-4-5", "code_review-claude-sonnet-4-6"]


def test_no_two_have_one_name() -> None:
    twins = (("website", "", "", model) for model in ("claude-haiku-4-5", HAIKU))
    assert names(*twins) == ["website-claude-haiku-4-5", "website-claude-haiku-4-5-#2"]
