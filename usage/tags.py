"""Tags: what a source has of a call beside the columns of `usage_event`, as a JSON object; `tags.NAME` is one of it."""

from __future__ import annotations

from .reader import DIMENSIONS, identifier, text

TAG = "tags."

KNOWN = {
    "user": ("user", "user.email", "user.name", "user.id", "enduser.id", "user_id"),
    "team": ("team", "team.name", "team.id", "team_id", "department"),
    "project": ("project", "project.name", "project.id", "project_id", "workspace_id"),
    "repository": ("repository", "vcs.repository.name", "repo"),
    "branch": ("branch", "gitBranch", "git_branch", "vcs.ref.head.name"),
}
"""The tags that say a dimension, the best first, where a reader has no column for any; the last folder of `cwd` is a
project too."""


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


def known_columns() -> dict[str, str]:
    """SQL for the columns that well-known tags say, over a column `known_tags` (see `KNOWN_TAGS`)."""
    columns = {}
    for dimension, names in KNOWN.items():
        found = [f"nullif(known_tags[{_PLACES.index(name) + 1}], '')" for name in names]
        found += [project_of(f"known_tags[{len(_PLACES)}]")] * (dimension == "project")
        columns[dimension] = f"coalesce({', '.join(found)})"
    return columns


_PLACES = (*(name for names in KNOWN.values() for name in names), "cwd")
_PARTS = "user|team|department|project|workspace|repo|ranch|vcs|cwd|\\\\u"  # one of each place, or an escaped letter
KNOWN_TAGS = f"""CASE WHEN regexp_matches(tags::VARCHAR, {text(_PARTS)})
    THEN json_extract_string(tags, [{", ".join(text(json_path(name)) for name in _PLACES)}]) END"""


def with_known_tags(entries: str) -> str:
    """SQL for these entries (SQL, with `tags`) with the dimensions that their tags say."""
    columns = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in known_columns().items())
    return f"SELECT * EXCLUDE (known_tags), {columns} FROM (SELECT *, {KNOWN_TAGS} AS known_tags FROM ({entries}))"  # noqa: S608 (ours)


def project_of(folder: str) -> str:
    """SQL for the project that works in a folder: its last part."""
    return f"nullif(regexp_extract({folder}, '([^/\\\\]+)[/\\\\]*$', 1), '')"


def repository_of(url: str) -> str:
    """SQL for the repository at a Git URL, as owner/name; as it is where it is no such URL."""
    return f"coalesce(nullif(regexp_extract({url}, '([^/:]+/[^/:]+?)(\\.git)?/?$', 1), ''), nullif({url}, ''))"
