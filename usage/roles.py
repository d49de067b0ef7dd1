"""The role of a source: `calls`, one row per call or sums of them, or `bill`, what the provider says it charged.

Every format has one by default (`Reader.role`). `costsim load --role bill FILE` gives it to files, `--role
litellm=bill` to a source by its name, and so does the key `roles` of a file of rules:

    roles: {litellm: bill, helicone: calls}

A role that the user gave is kept in the store and holds for files loaded later. `calls`, given to a source that
shares its days and models with another, says that these are calls of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from ..documents import did_you_mean
from ..errors import UsageLogError
from .reader import MAPPED, Reader, Role

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SourceRoles = Mapping[str, Role]
"""Roles by the name of their source."""

KEEP = "INSERT INTO source_role VALUES (?, ?) ON CONFLICT (source) DO UPDATE SET role = excluded.role"
OF_SOURCES = "SELECT source, role FROM source_role"
OF_FILES = "SELECT path, role FROM load"
OTHERWISE = "WHERE role <> $role AND file_id IN (SELECT file_id FROM load WHERE {where})"
TOUCH = "INSERT OR IGNORE INTO touched_day SELECT DISTINCT ts::DATE FROM usage_event " + OTHERWISE  # noqa: S608 (ours)
CHANGE = "UPDATE usage_event SET role = $role " + OTHERWISE  # noqa: S608 (ours)
TOUCH_OVERLAP = "INSERT OR IGNORE INTO touched_day SELECT DISTINCT day FROM overlap WHERE ? IN (source, other)"
CHANGE_FILES = "UPDATE load SET role = $role WHERE {where}"
OF_SOURCE, OF_PATHS = "reader = $name", "path IN (SELECT unnest($paths::VARCHAR[]))"


def parse_roles(written: Sequence[str]) -> tuple[Role | None, dict[str, Role]]:
    """`bill` or `calls` for what is loaded now, `SOURCE=bill` for a source. Raises UsageLogError."""
    of_files: Role | None = None
    of_sources: dict[str, Role] = {}
    for text in written:
        name, given, role = text.rpartition("=")
        if given:
            of_sources[check_source(name)] = _role(role)
        else:
            of_files = _role(role)
    return of_files, of_sources


def _role(text: str) -> Role:
    for role in get_args(Role):
        if text == role:
            return role  # type: ignore[no-any-return]
    raise UsageLogError(f"{text!r} is no role; write calls or bill, or SOURCE=bill", key="--role")


def check_source(name: str) -> str:
    """The name, if there is such a source. Raises UsageLogError."""
    from .readers import READERS

    known = [MAPPED, *(reader.name for reader in READERS)]
    if name not in known:
        raise UsageLogError(f"there is no source {name!r}{did_you_mean(name, known)}", key="--role")
    return name


def roles_of_files(store: DuckDBPyConnection, role: Role | None) -> Callable[[str, Reader], Reader]:
    """Gives the reader of a file (by its label) the file's role: `role`, else the user's for the source, else what the
    file had, else the format's."""
    by_source = dict(store.execute(OF_SOURCES).fetchall())
    by_file = dict(store.execute(OF_FILES).fetchall())

    def given(label: str, reader: Reader) -> Reader:
        found = role or by_source.get(reader.name) or by_file.get(label) or reader.role
        return reader if found == reader.role else replace(reader, role=found)

    return given


def keep_roles(store: DuckDBPyConnection, roles: SourceRoles) -> None:
    """Give these sources their roles, now and for later loads."""
    for name, role in roles.items():
        store.execute(KEEP, [name, role])
        _change(store, OF_SOURCE, {"name": name, "role": role})
        # what was said of an overlap may change, though no role does
        store.execute(TOUCH_OVERLAP, [name])


def set_file_roles(store: DuckDBPyConnection, labels: Iterable[str], role: Role) -> None:
    """Give files that are in the store this role."""
    _change(store, OF_PATHS, {"paths": list(labels), "role": role})


def _change(store: DuckDBPyConnection, where: str, values: dict[str, Any]) -> None:
    store.execute("BEGIN")
    store.execute(TOUCH.format(where=where), values)
    store.execute(CHANGE.format(where=where), values)
    store.execute(CHANGE_FILES.format(where=where), values)
    store.execute("COMMIT")
