"""How many examples of a property a run tries where each costs milliseconds: few, or all with COSTSIM_THOROUGH=1."""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("COSTSIM_THOROUGH"))


def examples(quick: int, thorough: int) -> int:
    """The examples of a run: `quick`, or `thorough` where the environment asks for it."""
    return thorough if THOROUGH else quick
