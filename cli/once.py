"""What is given to a command is read: an option of one value once, and none where the command does not read it.

Of two values one would be ignored without a word, and so would an option of another case of the command.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from ..errors import InputError
from .refused import refuse


class Once(TyperCommand):
    """A command that refuses an option given twice, unless it may have several values, and what it does not read."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The words that are no option's. Raises InputError."""
        options = {name: param for param in self.get_params(ctx) for name in param.opts if name.startswith("-")}
        met: set[str | None] = set()
        words = iter(args)
        for word in words:
            if word == "--":
                break
            name, equals, _ = word.partition("=")
            option: Any = options.get(name)
            if option is None or option.is_flag:
                continue
            if not equals:
                next(words, None)  # its value, whatever that looks like
            if option.name in met and not option.multiple:
                raise InputError(f"{name} is given twice, and takes one value; give it once")
            met.add(option.name)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Raises InputError for what is not read in this case."""
        refuse(ctx)
        return super().invoke(ctx)
