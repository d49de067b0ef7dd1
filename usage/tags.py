"""Tags: what a source has of a call beside the columns of `usage_event`, as a JSON object; `tags.NAME` is one of it."""

from __future__ import annotations

from .reader import DIMENSIONS, identifier, text

TAG = "tags."


def tag_value(field: str) -> str:
    """SQL for the tag that `tags.NAME` names, over the columns of `usage_event`; NULL where a call has none.

    What readers keep in a column (user, team, project, repository, branch) is a tag of that name, too.
    """
    name = field.removeprefix(TAG)
    value = f"json_extract_string(tags, {text(json_path(name))})"
    return f"coalesce({value}, {identifier(name)})" if name in DIMENSIONS else value


def json_path(key: str) -> str:
    """The path of a key at a JSON object's top, whatever characters it has."""
    return '$."' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
