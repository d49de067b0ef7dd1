"""The terminal: a console as wide as it should be, and progress that is quiet elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

T = TypeVar("T")


def console() -> Console:
    """Where results are printed."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160  # a pipe has no width of its own
    return Console(width=width, highlight=False)


def with_progress(says: str, work: Callable[[Callable[[int, int], None] | None], T]) -> T:
    """Run `work`, giving it a function to report (done, total) to on a terminal, and None elsewhere."""
    if not sys.stderr.isatty():
        return work(None)
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(says)
        return work(lambda done, total: bar.update(task, completed=done, total=total))
