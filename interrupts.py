"""Signals that end a command: it takes back what it has half written, and ends.

The first one is an exception (a KeyboardInterrupt), so that every block cleans up behind itself; those that follow
while it does are ignored. Steps that belong together are not parted (`undivided`).
"""

from __future__ import annotations

import os
import signal
import time
from _thread import get_ident  # threading takes longer to load than `costsim route` to answer
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
MAIN = get_ident()
PATIENCE_SECONDS = 5.0
"""How long cleaning up may take before another signal ends the command at once."""


class _Received:
    """The signal that ended this command, and when it came; how many blocks are not to be parted now."""

    number = 0
    at = 0.0
    undivided = 0
    pending = False


@contextmanager
def watched() -> Iterator[None]:
    """Let signals end a command in good order, but for those that whoever started it has it ignore (nohup)."""
    _Received.number, _Received.pending = 0, False
    before = {number: signal.getsignal(number) for number in ENDING} if get_ident() == MAIN else {}
    ours = {number: how for number, how in before.items() if how not in (signal.SIG_IGN, None)}
    for number in ours:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, how in ours.items():
            signal.signal(number, how)


def exit_code() -> int:
    """128 and the signal's number, as a shell has it."""
    return 128 + (_Received.number or signal.SIGINT)


@contextmanager
def undivided() -> Iterator[None]:
    """No signal comes between these steps; one that does ends the command after them."""
    if get_ident() != MAIN:
        yield
        return
    _Received.undivided += 1
    try:
        yield
    finally:
        _Received.undivided -= 1
        if _Received.pending and not _Received.undivided:
            _Received.pending = False
            raise KeyboardInterrupt


def _end(number: int, _frame: FrameType | None) -> None:
    if _Received.number:
        if time.monotonic() - _Received.at > PATIENCE_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        return
    _Received.number, _Received.at = number, time.monotonic()
    if _Received.undivided:
        _Received.pending = True
    else:
        raise KeyboardInterrupt
