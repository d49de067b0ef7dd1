"""Who serves a model that Claude Code called, in SQL: no log of it states the provider.

It speaks Anthropic's protocol to whatever server ANTHROPIC_BASE_URL names: Z.AI, Moonshot, MiniMax and DeepSeek have
such servers, and so have gateways and local ones (https://docs.claude.com/en/docs/claude-code/llm-gateway). So only a
name of Claude's says that it is Anthropic's model; any other is left to what the price lists know of the name alone.
"""

from __future__ import annotations


def provider_of(model: str) -> str:
    """SQL for the provider of a model (SQL for its name): `anthropic`, or NULL."""
    return f"CASE WHEN regexp_matches({model}, '(?i)^claude[^/@]*$') THEN 'anthropic' END"
