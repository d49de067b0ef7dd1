"""SQL for the tags of spans and log records: attributes, theirs and their resource's, without usage and content.

An attribute is a tag under its own name, `tags.deployment.environment`, if its text is short.
"""

from __future__ import annotations

from collections.abc import Sequence

MAX_KEY, MAX_TEXT = 100, 200
_OURS = r"^(gen_ai|llm|ai|openinference|traceloop|input|output|embedding|retrieval|tool|message|exception)\."


def constants(texts: Sequence[str]) -> str:
    """SQL for a list of texts of ours as one constant: a list of hundreds of constants takes far longer to plan."""
    return f"string_split('{'|'.join(texts)}', '|')"


def kept_places(keys: str, taken: Sequence[str]) -> str:
    """The places of the attributes that are tags in a list of names."""
    kept = (
        f"length({keys}[place]) <= {MAX_KEY} AND NOT regexp_matches({keys}[place], '{_OURS}') "
        f"AND NOT list_contains({constants(taken)}, {keys}[place])"
    )
    return f"coalesce(list_filter(range(1, len({keys}) + 1), lambda place: {kept}), []::BIGINT[])"


def tags_at(places: str, keys: str, texts: str) -> str:
    """The tags (JSON) of attributes given as two lists, those at these places."""
    pair = f"to_json({keys}[place])::VARCHAR || ':' || to_json({texts}[place])::VARCHAR"
    short = f"list_filter({places}, lambda place: length({texts}[place]) <= {MAX_TEXT})"
    pairs = f"list_transform({short}, lambda place: {pair})"
    return f"coalesce(('{{' || array_to_string({pairs}, ',') || '}}')::JSON, '{{}}'::JSON)"
