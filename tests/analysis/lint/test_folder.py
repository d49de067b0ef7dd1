"""A folder is linted with the architectures in it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from costsim.analysis.lint import lint

ARCHITECTURE = """
model_routing: {fallback: anthropic/claude-nope-9}
components:   # the desk
  # one
  - {name: drafts, runs_per_day: 1, tokens: {input: 1}}
"""


def rules(folder: Path) -> list[tuple[str, str]]:
    found = lint(folder, start=date(2026, 12, 1))
    return [(finding.file.name if finding.file else "", finding.rule) for finding in found]


def test_an_architecture_in_the_folder_is_linted_too(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "architecture.yaml").write_text(ARCHITECTURE)
    assert ("architecture.yaml", "unpriced-model") in rules(tmp_path)


def test_one_that_cannot_be_read_is_a_finding_and_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "architecture.yaml").write_text(ARCHITECTURE.replace("fallback", "routing: {}\nx"))
    (tmp_path / "other.yaml").write_text(ARCHITECTURE)
    found = rules(tmp_path)
    assert ("architecture.yaml", "unreadable-architecture") in found
    assert ("other.yaml", "unpriced-model") in found


def test_the_description_of_an_api_is_no_architecture(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text("routing: x\ncomponents:\n  schemas:\n    Call: {type: object}\n")
    assert rules(tmp_path) == []
