"""What `costsim lint` finds: a finding, and the catalogue of the rules that make one.

An error is what cannot work or cannot mean what it says; a warning goes against the article's advice or is
ambiguous, yet works; a note is for the next review. Only errors fail a build.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class LintRule:
    """A rule of the linter: `name` is for tools, `says` one sentence, `help` how to mend it."""

    id: str
    name: str
    severity: Severity
    says: str
    help: str


RULES: dict[str, LintRule] = {
    rule.id: rule
    for rule in (
        LintRule(
            "missing-fallback", "MissingFallback", "error",
            "The routing says no model for a task that it does not list.",
            "Add a fallback to model_routing.",
        ),
        LintRule(
            "unreachable-rule", "UnreachableRule", "error",
            "A rule of the decision tree can never fire: those before it take every task that it asks for.",
            "Move the rule before those that take its tasks, or delete it.",
        ),
        LintRule(
            "shadowed-rule", "ShadowedRule", "warning",
            "A part of a rule can never fire: the rules before it take every such task.",
            "Move the rule before those that take its tasks, or delete that part of it.",
        ),
        LintRule(
            "tree-disagrees", "TreeDisagrees", "warning",
            "The decision tree and model_routing give the same task different models.",
            "Decide which one is meant, and let the tree's rule use the routing key.",
        ),
        LintRule(
            "unpriced-model", "UnpricedModel", "error",
            "No price book has a price for the model, so its cost is unknown.",
            "Correct the model's name, or add its price to a prices.yaml overlay.",
        ),
        LintRule(
            "context-window", "ContextWindow", "error",
            "The context that is declared does not fit the model's context window.",
            "Choose a model with a larger window, or less context.",
        ),
        LintRule(
            "open-ended-context", "OpenEndedContext", "warning",
            "A rule for large contexts has no upper end, so it also takes those that its model cannot hold.",
            "Add at_most: the model's context window.",
        ),
        LintRule(
            "unknown-task", "UnknownTask", "warning",
            "A task is not a key of model_routing, so the fallback decides.",
            "Correct the key, or add it to model_routing.",
        ),
        LintRule(
            "card-dont", "CardDont", "warning",
            "A model does what its card in the article says not to use it for.",
            "Route the task to the model that the article's cards give it.",
        ),
        LintRule(
            "capability", "Capability", "warning",
            "A model does what the article's capability matrix marks as a weakness of it.",
            "Route the task to the model that the matrix marks as best.",
        ),
        LintRule(
            "card-elsewhere", "CardElsewhere", "note",
            "The article's card of another model that the routing uses claims this task.",
            "Compare both models on this task at the next review of the routing.",
        ),
        LintRule(
            "pointless-escalation", "PointlessEscalation", "warning",
            "A run escalates to the model that it started on, or to one that costs no more.",
            "Start on the cheaper model, or leave the policy out.",
        ),
        LintRule(
            "cold-cache", "ColdCache", "warning",
            "Runs find the prompt cache cold so often that writing it costs more than reading it saves.",
            "State a ttl that the schedule keeps warm, or leave the cache out.",
        ),
        LintRule(
            "losing-policy", "LosingPolicy", "warning",
            "A policy costs more than it saves, or takes runs into a dearer price tier.",
            "Change its figures, or leave it out.",
        ),
        LintRule(
            "idle-policy", "IdlePolicy", "warning",
            "A policy never has an effect on the runs that there are.",
            "Change its figures, or leave it out.",
        ),
        LintRule(
            "slow-batch", "SlowBatch", "warning",
            "So few runs happen that a batch takes more than a day to gather.",
            "Batch fewer tasks, or let the component run more often.",
        ),
        LintRule(
            "hardcoded-model", "HardcodedModel", "error",
            "A model's name stands in code, where a change of the routing cannot reach it.",
            "Look the model up by its routing key, or end the line with: costsim: ignore",
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One finding: `mend` says what to do; `file`, `line`, `column` (from 1) and `key` where, as far as known.

    `end_column` is the column after the last one that is meant. `keys` are the routing keys to use instead of
    a hard-coded model.
    """

    rule: str
    message: str
    mend: str = ""
    file: Path | None = None
    line: int | None = None
    column: int | None = None
    end_column: int | None = None
    key: str | None = None
    keys: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """The severity of the finding's rule."""
        return RULES[self.rule].severity

    @property
    def place(self) -> str:
        """`agents/run.py:12:9`, as far as known; relative to the working folder where it lies in it."""
        if self.file is None:
            return ""
        return ":".join(str(part) for part in (shown_path(self.file), self.line, self.column) if part)

    def __str__(self) -> str:
        """`file:line:column: warning: key: message; mend [rule]`, the form that editors can jump to."""
        parts = [part for part in (self.place, self.severity, self.key, self.message) if part]
        help = RULES[self.rule].help
        return f"{': '.join(parts)}; {self.mend or help[0].lower() + help[1:].rstrip('.')} [{self.rule}]"


def shown_path(file: Path) -> str:
    """The path relative to the working folder where it lies in it, with forward slashes."""
    absolute = file.absolute()
    return absolute.relative_to(Path.cwd()).as_posix() if absolute.is_relative_to(Path.cwd()) else absolute.as_posix()
