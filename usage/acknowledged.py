"""Fields that are known not to be usage, as a file says: the key `acknowledged` of an architecture or a file of rules.

    acknowledged: [message.usage.brand_new_tokens]

They are named by their dotted path, as `costsim load` reports them. The store keeps them for later loads.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from ..documents import read_document, validate
from ..errors import UsageLogError


class AcknowledgedFile(BaseModel):
    """The key `acknowledged` of a file; its other keys are not ours."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    acknowledged: list[str] = []


def read_acknowledged(file: Path) -> list[str]:
    """The fields that a YAML, JSON or TOML file acknowledges. Raises UsageLogError with file, line and key."""
    return validate(read_document(file, UsageLogError), AcknowledgedFile, UsageLogError).acknowledged
