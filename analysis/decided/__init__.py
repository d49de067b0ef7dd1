"""Decisions that were taken: recorded in decisions.yaml, and measured against what they promised."""
