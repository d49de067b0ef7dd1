"""Signals that end a command: it takes back what it has half written, and ends.

The first one is an exception (a KeyboardInterrupt), so that every block cleans up behind itself; those that follow
while it does are ignored. Steps that belong together are not parted (`undivided`).
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import time
from _thread import get_ident, start_new_thread  # threading takes longer to load than `costsim route` to answer
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
INTERRUPTED = 128 + signal.SIGINT
MAIN = get_ident()
SOON_SECONDS = 0.02
PATIENCE_SECONDS = 5.0
"""How long cleaning up may take before another signal ends the command at once."""


class _Received:
    """The signal that ended this command, and when it came; how many blocks are not to be parted now; whether the
    command is done, so that Python only cleans up."""

    number = 0
    at = 0.0
    undivided = 0
    pending = False
    done = False


def run(command: Callable[[], None]) -> None:
    """Run what this process is for; from now on signals end it in good order, to its very end.

    But for those that whoever started it has it ignore (nohup). Python's own end takes a while too: threads and child
    processes are waited for. Raises SystemExit.
    """
    try:
        try:
            atexit.register(_ignore, _watch())  # what is registered first is called last
            sys.unraisablehook = _lost
            command()
        finally:
            _Received.done = True
    except KeyboardInterrupt:
        sys.exit(exit_code())
    finally:
        exec("")  # noqa: S102  # else Python ends by SIGINT where that came while it ran code of a text (a dataclass's)


def _watch() -> list[int]:
    """Handle the signals that end this process; which these are."""
    ours = [number for number in ENDING if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    for number in ours:
        signal.signal(number, _end)
    return ours


def _ignore(numbers: list[int]) -> None:
    """Python puts back what the system does, which would end it by the signal, before it ends."""
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def exit_code() -> int:
    """128 and the signal's number, as a shell has it."""
    return 128 + _Received.number if _Received.number else INTERRUPTED


@contextmanager
def before_errors() -> Iterator[None]:
    """An error of this block after a signal came of it: an import, or a query, that it cut short. Raises
    KeyboardInterrupt then."""
    try:
        yield
    except Exception:
        if _Received.number:
            raise KeyboardInterrupt from None
        raise


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
    if _is_loading(sys.modules.get("duckdb")):  # an exception in the midst of it makes it abort the process
        start_new_thread(_again, (number,))
        return
    if _Received.at:
        if time.monotonic() - _Received.at > PATIENCE_SECONDS:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        return
    _Received.at = time.monotonic()
    if _Received.done:
        return
    _Received.number = number
    if _Received.undivided:
        _Received.pending = True
    else:
        raise KeyboardInterrupt


def _is_loading(module: ModuleType | None) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _lost(error: sys.UnraisableHookArgs) -> None:
    """Native code that hands on no exception has dropped this one; where it came of a signal, that is sent again."""
    if error.exc_type is not KeyboardInterrupt or not _Received.number:
        sys.__unraisablehook__(error)
    elif not _Received.done:
        _Received.at = 0.0
        start_new_thread(_again, (_Received.number,))


def _again(number: int) -> None:
    """Send this process the signal once more, a little later."""
    time.sleep(SOON_SECONDS)
    os.kill(os.getpid(), number)
