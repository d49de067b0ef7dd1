"""A command of many options takes them as one dataclass; Typer sees its fields as the command's parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from functools import wraps
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Options = TypeVar("Options", bound="DataclassInstance")


def grouped(options: type[Options]) -> Callable[[Callable[[Options], None]], Callable[..., None]]:
    """Decorate a command whose one argument is the dataclass `options`: an annotated field is an option of it."""

    def decorate(command: Callable[[Options], None]) -> Callable[..., None]:
        @wraps(command)
        def parsed(**given: Any) -> None:
            command(options(**given))

        parsed.__dict__["__signature__"] = _signature(options)
        return parsed

    return decorate


def _signature(options: type[Options]) -> Signature:
    kinds = get_type_hints(options, include_extras=True)
    return Signature(
        [
            Parameter(field.name, Parameter.KEYWORD_ONLY, default=_default(field), annotation=kinds[field.name])
            for field in fields(options)
        ]
    )


def _default(field: Field[Any]) -> Any:
    return Parameter.empty if field.default is MISSING else field.default
