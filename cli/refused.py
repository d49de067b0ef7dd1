"""Options that a command does not read in some case: given there they are an error, and none is ignored in silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ..errors import InputError

Command = TypeVar("Command", bound=Callable[..., None])
Asked = Mapping[str, Any]
"""What a command is asked for, by the names of its parameters, defaults included."""
CASES = "refusals"


@dataclass(frozen=True)
class Refusal:
    """Parameters that are not read in a case (all but those that are `read`, where none is named), and why."""

    names: tuple[str, ...]
    case: Callable[[Asked], Any]
    why: str
    read: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Whether it is not read there."""
        return name in self.names if self.names else name not in self.read


def refuses(
    *names: str, case: Callable[[Asked], Any], why: str, read: tuple[str, ...] = ()
) -> Callable[[Command], Command]:
    """Decorate a command: `names` of parameters that it does not read in the `case`; without any, all but `read`."""

    def decorate(command: Command) -> Command:
        command.__dict__[CASES] = (Refusal(names, case, why, read), *refusals_of(command))
        return command

    return decorate


def refusals_of(command: Any) -> tuple[Refusal, ...]:
    """The cases in which a command reads less than all."""
    found: tuple[Refusal, ...] = getattr(command, CASES, ())
    return found


def refuse(context: Any) -> None:
    """Raises InputError where what was given to a command is not read in this case."""
    given = {
        parameter.name: next((name for name in parameter.opts if name.startswith("--")), parameter.opts[0])
        for parameter in context.command.params
        if context.get_parameter_source(parameter.name).name not in ("DEFAULT", "DEFAULT_MAP")
    }
    for refusal in refusals_of(context.command.callback):
        ignored = [word for name, word in given.items() if refusal.has(name)]
        if ignored and refusal.case(context.params):
            raise InputError(f"{', '.join(ignored)}: {refusal.why}")
