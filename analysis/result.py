"""What all typed results are made of: the base model, and USD as JSON has it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, PlainSerializer

Usd = Annotated[Decimal, PlainSerializer(lambda amount: format(amount, "f"), return_type=str, when_used="json")]
"""A decimal: a string of plain digits in JSON, never an exponent."""


class Result(BaseModel):
    """Base of all results: immutable, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)  # most commands use few of them
