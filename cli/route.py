"""`costsim route`, by itself: agents ask it before every spawn, so it loads the standard library only."""

from __future__ import annotations

import sys
from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

HELP = """\
Print the model for a task: the model's id alone, for `$(…)` in a shell.

    MODEL=$(costsim route code_generation --context-tokens 62000)
    costsim route --describe kind=monitoring --explain
    costsim route code_review --config model-routing.json

A task is a key of the routing, or is described by the attributes that the decision tree asks about: kind,
agent, strategic, complex, needs_web, needs_images, context_tokens, runs_per_day.
"""


HERE = Path("architecture.yaml")  # as in arguments.py, which loads Typer


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        from ..errors import InputError

        raise InputError(f"{message}; costsim route --help says more")


class _Once(Action):
    """An option that takes one value, as those of the other commands."""

    def __call__(self, parser: ArgumentParser, found: Namespace, value: object, option: str | None = None) -> None:
        if getattr(found, self.dest) is not None:
            parser.error(f"{option} is given twice, and takes one value; give it once")
        setattr(found, self.dest, value)


def parser() -> ArgumentParser:
    """The arguments of `costsim route`."""
    arguments = _Parser("costsim route", description=HELP, formatter_class=RawDescriptionHelpFormatter)
    arguments.add_argument("task", nargs="?", help="a key of the routing, such as code_generation")
    arguments.add_argument(
        "--describe", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="an attribute of the task"
    )
    arguments.add_argument(
        "--context-tokens", action=_Once, type=int, metavar="N", help="how much context the task needs"
    )
    arguments.add_argument(
        "--config",
        action=_Once,
        type=Path,
        metavar="FILE",
        help="routing file, or architecture (default: architecture.yaml here, else the article's routing)",
    )
    arguments.add_argument("--explain", action="store_true", help="print the path through the rules, not the model")
    arguments.add_argument("--strict", action="store_true", help="an unknown task is an error, not the fallback")
    arguments.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return arguments


def route(words: Sequence[str]) -> int:
    """Answer, warnings on stderr. Returns the exit code; raises InputError."""
    from ..analysis.routing.conditions import parse_attributes
    from ..analysis.routing.routing import decide, read_routing, shipped_routing

    asked = parser().parse_args(words)
    # an architecture names models for tasks; what kind of task it is, the article's tree asks
    config = asked.config or (HERE if HERE.is_file() and not asked.describe else None)
    routing = read_routing(config) if config else shipped_routing()
    attributes = parse_attributes(asked.describe)
    decision = decide(routing, asked.task, attributes, asked.context_tokens, strict=asked.strict)
    from ..reports.escaping import plain, terminal

    for warning in decision.warnings:
        sys.stderr.write(f"costsim: {plain(warning)}\n")
    lines = decision.steps if asked.explain else [decision.model]
    sys.stdout.write(terminal("".join(f"{plain(line)}\n" for line in lines)))
    return 0
