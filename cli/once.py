"""An option that takes one value is given once: of two, one would be ignored without a word."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand

from ..errors import InputError


class Once(TyperCommand):
    """A command that refuses an option given twice, unless it may have several values."""

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
