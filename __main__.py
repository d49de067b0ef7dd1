"""`costsim`, and `python -m costsim`: the command line, which a signal ends in good order from its first line on."""

from __future__ import annotations

import os
from signal import SIGINT, default_int_handler, getsignal, signal


def main() -> None:
    """Run the command line. While its modules are loaded nothing is begun that would have to be cleaned up."""
    if getsignal(SIGINT) is default_int_handler:
        signal(SIGINT, lambda *_: os._exit(128 + SIGINT))
    from .cli.entry import main as command
    from .interrupts import run

    run(command)


if __name__ == "__main__":
    main()
