"""How a call was processed, in SQL, from the service tier, speed and region of inference that its source states.

The result is a level of the price lists (`standard`, `batch`, `flex`, `priority`, `fast`), and after a slash the region
where that is priced apart: `fast/us`. A tier that no price list knows stays as its source wrote it: such calls are
priced at standard prices and named (see `signs`), never taken for standard ones.
"""

from __future__ import annotations

import re

LEVELS = ("standard", "batch", "flex", "priority", "fast")

STANDARD = (
    "", "standard", "default", "auto", "scale", "standard_only", "standard-only", "on_demand", "on-demand", "ondemand",
    "none", "null", "unspecified", "not_available",
)  # fmt: skip
"""Tiers at standard prices: what a request may ask for (`auto`), and what a contract includes (`scale`)."""

SAME_AS = {
    "flex_discount": "flex",
    "on_demand_flex": "flex",
    "priority_on_demand": "priority",
    "on_demand_priority": "priority",
    "batches": "batch",
}
"""Tiers by another name, without the prefix that some enumerations have."""

ANYWHERE = ("", "global", "none", "null", "default", "not_available", "unspecified")
"""Regions of inference that have no price of their own."""

NAMED_FAST = "(^|/)(claude|gpt)-[^/]*-fast$"
"""Names of models that answer at their fast price: `claude-opus-4-6-fast`, `openai/gpt-5.5-fast`. OpenRouter lists such
names as models of their own; other makers have models that are called so (`grok-4-fast`)."""
OPENROUTER = "openrouter"


def level(tier: str) -> str:
    """SQL for the level of a service tier (SQL for a text); NULL for standard, or where nothing is stated."""
    plain = f"regexp_replace(lower(trim({tier})), '^service_tier_', '')"
    same = "".join(
        f" WHEN {plain} IN ({_quoted(tuple(name for name in SAME_AS if SAME_AS[name] == known))}) THEN '{known}'"
        for known in dict.fromkeys(SAME_AS.values())
    )
    other = f"left(regexp_replace({plain}, '[^a-z0-9_.-]+', ' ', 'g'), 40)"
    return (
        f"CASE WHEN {tier} IS NULL OR {tier} IN ('standard', 'default') OR {plain} IN ({_quoted(STANDARD)}) THEN NULL"
        f"{same} ELSE {other} END"
    )


def processing(tier: str, speed: str = "NULL", geo: str = "NULL") -> str:
    """SQL for the level, and the region that is priced apart (each SQL for a text, or NULL).

    Anthropic states a fast answer as its `speed` and the region as `inference_geo`.
    """
    region = f"CASE WHEN lower({geo}) NOT IN ({_quoted(ANYWHERE)}) THEN '/' || lower({geo}) ELSE '' END"
    fast = f"CASE WHEN lower({speed}) = 'fast' THEN 'fast' END"
    parts = [fast] * (speed != "NULL") + [level(tier)] * (tier != "NULL") + ["'standard'"]
    return f"coalesce({', '.join(parts)})" + (f" || {region}" if geo != "NULL" else "")


def as_named(provider: str) -> str:
    """SQL for `processing` where the `model` may be NAMED_FAST; `provider` is SQL for who served it."""
    return f"""CASE WHEN suffix(lower(model), '-fast') AND regexp_matches(lower(model), '{NAMED_FAST}')
            AND NOT starts_with(lower(model), '{OPENROUTER}/') AND lower({provider}) IS DISTINCT FROM '{OPENROUTER}'
        THEN regexp_replace(processing, '^standard($|/)', 'fast\\1') ELSE processing END"""


def is_named_fast(model: str) -> bool:
    """The same of a name that stands by itself."""
    name = model.lower()
    return bool(re.search(NAMED_FAST, name)) and not name.startswith(f"{OPENROUTER}/")


def _quoted(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
