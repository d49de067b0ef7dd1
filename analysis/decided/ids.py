"""The ids of decisions: the same proposal has the same id in every run and in every month's review."""

from __future__ import annotations

from hashlib import sha256

LENGTH = 8


def decision_id(kind: str, *parts: str) -> str:
    """`move-3f9a2c01`: the kind and a hash of what the decision is about, whatever it is worth this month."""
    return f"{kind}-{sha256(chr(0).join(parts).encode()).hexdigest()[:LENGTH]}"


def move_id(task: str, was: str, to: str) -> str:
    """Of a task's move between two models, by their book names: the review and `recommend` give it the same id."""
    return decision_id("move", task, was, to)
