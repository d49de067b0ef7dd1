"""Roles of sources as a file of rules gives them; apart from `roles`, as most loads have no file and need no pydantic.

roles: {litellm: bill, helicone: calls}
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..documents import read_document, validate
from ..errors import UsageLogError
from .reader import Role
from .roles import check_source


class RolesFile(BaseModel):
    """The key `roles` of a file; its other keys are not ours."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    roles: dict[str, Role] = {}


def read_roles(file: Path) -> dict[str, Role]:
    """The roles that a YAML, JSON or TOML file gives to sources. Raises UsageLogError with file, line and key."""
    roles = validate(read_document(file, UsageLogError), RolesFile, UsageLogError).roles
    for name in roles:
        check_source(name)
    return roles


def has_rules(file: Path) -> bool:
    """Whether a file has rules of attribution, or only roles or acknowledged fields. Raises UsageLogError."""
    data = read_document(file, UsageLogError).data
    return not (isinstance(data, dict) and data.keys() & {"roles", "acknowledged"} and "attribution" not in data)
