"""The terminal: a console as wide as it should be, and progress that is quiet elsewhere."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType

T = TypeVar("T")


def console() -> Console:
    """Where results are printed."""
    stated = os.environ.get("COLUMNS", "")
    if stated.isascii() and stated.isdecimal() and int(stated[:6]):
        width = int(stated[:6])
    else:  # COLUMNS=0 is no width (a terminal without a size), and a pipe has none of its own
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 160
    others = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    return terminal_console(width=width, highlight=False, _environ=others)


def terminal_console(**settings: Any) -> Console:
    """A console that prints untrusted text as text: on one line, bounded, no escapes but its own styles, no commands
    of a CI."""
    from rich.console import Console
    from rich.segment import Segment
    from rich.text import Text

    from ..reports.escaping import without_commands, without_escapes
    from ..shown import one_line, shortened

    class Terminal(Console):
        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            if isinstance(renderable, Text) and (bounded := shortened(one_line(renderable.plain))) != renderable.plain:
                renderable = Text(bounded, renderable.style)
            return super().render(renderable, options)

        def render_str(self, text: str, **how: Any) -> Text:
            return super().render_str(shortened(one_line(text)), **how)

        def _render_buffer(self, buffer: Iterable[Segment]) -> str:
            harmless = (part if part.control else Segment(without_escapes(part.text), part.style) for part in buffer)
            return without_commands(super()._render_buffer(harmless))

    return Terminal(**settings)


def say(text: str, err: bool = False) -> None:
    """Print a line that may hold untrusted names."""
    from ..reports.escaping import terminal
    from ..shown import one_line, shortened

    print(terminal(shortened(one_line(text))), file=sys.stderr if err else sys.stdout)


def say_json(text: str) -> None:
    """Print JSON for other programs on standard error: the whole of it, harmless and with the same values."""
    from ..reports.escaping import terminal

    print(terminal(text), file=sys.stderr)


REMARKS: list[str] = []
"""What is said on standard error once the command has ended well: an error is one line."""


def say_at_end(text: str) -> None:
    """Print a line on standard error when the command has ended without an error; nothing if it is empty."""
    REMARKS.extend([text] if text else [])


def say_remarks() -> None:
    """Print what `say_at_end` has kept."""
    while REMARKS:
        say(REMARKS.pop(0), err=True)


def with_progress(title: str, work: Callable[[Callable[[int, int], None] | None], T]) -> T:
    """Run `work`, giving it a function to report (done, total) to on a terminal, and None elsewhere."""
    if not sys.stderr.isatty():
        return work(None)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title)
        return work(lambda done, total: bar.update(task, completed=done, total=total))
