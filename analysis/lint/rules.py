"""What `costsim lint` looks for: the catalogue of its rules, and a finding of one.

An error is what cannot work or cannot mean what it says; a warning goes against the article's advice or is
ambiguous, yet works; a note is for the next review. Only errors fail a build.
"""

from __future__ import annotations

from pathlib import Path

from ..findings import STATUS, Finding, FindingRule

RULES: dict[str, FindingRule] = {
    rule.id: rule
    for rule in (
        FindingRule(
            "missing-fallback",
            "The routing says no model for a task that it does not list.",
            "MissingFallback", "error",
            "Add a fallback to model_routing.",
        ),
        FindingRule(
            "unreachable-rule",
            "A rule of the decision tree can never fire: those before it take every task that it asks for.",
            "UnreachableRule", "error",
            "Move the rule before those that take its tasks, or delete it.",
        ),
        FindingRule(
            "shadowed-rule",
            "A part of a rule can never fire: the rules before it take every such task.",
            "ShadowedRule", "warning",
            "Move the rule before those that take its tasks, or delete that part of it.",
        ),
        FindingRule(
            "unchecked-rules",
            "The decision tree is too large to decide which of its rules can never fire.",
            "UncheckedRules", "warning",
            "Make it smaller: fewer conditions, or fewer attributes in each.",
        ),
        FindingRule(
            "tree-disagrees",
            "The decision tree and model_routing give the same task different models.",
            "TreeDisagrees", "warning",
            "Decide which one is meant, and let the tree's rule use the routing key.",
        ),
        FindingRule(
            "unpriced-model",
            "No price book has a price for the model, so its cost is unknown.",
            "UnpricedModel", "error",
            "Correct the model's name, or add its price to a prices.yaml overlay.",
        ),
        FindingRule(
            "context-window",
            "The context that is declared does not fit the model's context window.",
            "ContextWindow", "error",
            "Choose a model with a larger window, or less context.",
        ),
        FindingRule(
            "open-ended-context",
            "A rule for large contexts has no upper end, so it also takes those that its model cannot hold.",
            "OpenEndedContext", "warning",
            "Add at_most: the model's context window.",
        ),
        FindingRule(
            "unknown-task",
            "A task is not a key of model_routing, so the fallback decides.",
            "UnknownTask", "warning",
            "Correct the key, or add it to model_routing.",
        ),
        FindingRule(
            "card-dont",
            "A model does what its card in the article says not to use it for.",
            "CardDont", "warning",
            "Route the task to the model that the article's cards give it.",
        ),
        FindingRule(
            "capability",
            "A model does what the article's capability matrix marks as a weakness of it.",
            "Capability", "warning",
            "Route the task to the model that the matrix marks as best.",
        ),
        FindingRule(
            "card-elsewhere",
            "The article's card of another model that the routing uses claims this task.",
            "CardElsewhere", "note",
            "Compare both models on this task at the next review of the routing.",
        ),
        FindingRule(
            "pointless-escalation",
            "A run escalates to the model that it started on, or to one that costs no more.",
            "PointlessEscalation", "warning",
            "Start on the cheaper model, or leave the policy out.",
        ),
        FindingRule(
            "cold-cache",
            "Runs find the prompt cache cold so often that writing it costs more than reading it saves.",
            "ColdCache", "warning",
            "State a ttl that the schedule keeps warm, or leave the cache out.",
        ),
        FindingRule(
            "losing-policy",
            "A policy costs more than it saves, or takes runs into a more expensive price tier.",
            "LosingPolicy", "warning",
            "Change its figures, or leave it out.",
        ),
        FindingRule(
            "idle-policy",
            "A policy never has an effect on the runs that there are.",
            "IdlePolicy", "warning",
            "Change its figures, or leave it out.",
        ),
        FindingRule(
            "slow-batch",
            "So few runs happen that a batch takes more than a day to gather.",
            "SlowBatch", "warning",
            "Batch fewer tasks, or let the component run more often.",
        ),
        FindingRule(
            "unreadable-architecture",
            "An architecture in the folder cannot be read.",
            "UnreadableArchitecture", "error",
            "Correct the file, or leave it out: --exclude.",
        ),
        FindingRule(
            "hardcoded-model",
            "A model's name stands in code, where a change of the routing cannot reach it.",
            "HardcodedModel", "error",
            "Look the model up by its routing key, or end the line with: costsim: ignore",
        ),
    )
}  # fmt: skip


def finding_of(
    rule: str,
    message: str,
    fix: str = "",
    file: Path | None = None,
    line: int | None = None,
    columns: tuple[int | None, int | None] = (None, None),
    key: str | None = None,
    keys: tuple[str, ...] = (),
) -> Finding:
    """A finding of a rule of RULES; `columns` are the first one that is meant and the one after the last, from 1."""
    severity = RULES[rule].severity or "error"
    return Finding(
        rule=rule, status=STATUS[severity], message=message, fix=fix, file=file, line=line, key=key,
        column=columns[0], end_column=columns[1], keys=keys,
    )  # fmt: skip
