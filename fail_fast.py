"""Validation that stops at the first wrong item of a list or map: pydantic keeps an error of a kilobyte for each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import SchemaValidator

MAX_KEYS = 100_000
"""Of a map: each key that is not known there is an error, which no validation stops at."""
FEW = 10_000
"""Values of a document of which all errors can be kept."""
ITEMS = {"list", "dict", "set", "frozenset", "tuple"}


def is_large(data: Any) -> bool:
    """Whether a document has so many values that not all of its errors should be kept. Raises ValueError where a map
    has too many keys."""
    count, waiting = 0, [data]
    while waiting:
        one = waiting.pop()
        count += 1
        if isinstance(one, dict):
            if len(one) > MAX_KEYS:
                raise ValueError(f"a map of {len(one):,} keys, of which there can be {MAX_KEYS:,}")
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return count > FEW


@cache
def failing_fast(model: type[BaseModel]) -> SchemaValidator:
    """The model's validator, stopping at the first wrong item of each list and map."""
    from pydantic_core import SchemaValidator

    model.model_rebuild()  # one that builds itself late has no schema before
    # the validators that the models themselves have keep all errors
    return SchemaValidator(_failing_fast(model.__pydantic_core_schema__), _use_prebuilt=False)


def _failing_fast(schema: Any) -> Any:
    if isinstance(schema, list | tuple):
        return type(schema)(map(_failing_fast, schema))
    if not isinstance(schema, Mapping):
        return schema
    inner = {key: part if key in ("metadata", "config") else _failing_fast(part) for key, part in schema.items()}
    return {**inner, "fail_fast": True} if schema.get("type") in ITEMS else inner
