"""How quick `costsim diff` is: two architectures of a thousand components, from nothing to the printed result.

    python tests/bench/bench_diff.py [--components 1000] [--changed 50]

In one run, each the better of two: a Python process that only imports what costsim imports (the floor), and the whole
command, in which some components run half as often. Target: under 5 s.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

TARGET_SECONDS = 5.0
IMPORTS = "import numpy, pydantic, yaml, typer, genai_prices, rich.table"


def architecture(components: int, changed: int) -> str:
    """Components of 48 runs per day with random tokens; the first `changed` run half as often."""
    rows = [
        {
            "name": f"component-{n}",
            "schedule": "0 * * * *" if n < changed else "*/30 * * * *",
            "tokens": {
                "input": {"low": 1000 + n, "mode": 2000 + n, "high": 9000 + n},
                "output": {"p50": 300 + n, "p95": 800 + n},
            },
        }
        for n in range(components)
    ]
    return json.dumps({"model_routing": {"fallback": "anthropic/claude-haiku-4-5"}, "components": rows})


def seconds(*command: str | Path) -> float:
    """The better of two runs of a Python process."""
    best = float("inf")
    for _ in range(2):
        began = time.perf_counter()
        subprocess.run([sys.executable, *map(str, command)], check=True, stdout=subprocess.DEVNULL)
        best = min(best, time.perf_counter() - began)
    return best


def main(arguments: Sequence[str] | None = None) -> float:
    """Print the figures; returns the seconds of the diff."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--components", type=int, default=1_000)
    parser.add_argument("--changed", type=int, default=50)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / "base.json", Path(folder) / "head.json"]
        for file, changed in zip(files, (0, given.changed), strict=True):
            file.write_text(architecture(given.components, changed))
        floor = seconds("-c", IMPORTS)
        took = seconds("-m", "costsim", "diff", *files)
    print(f"floor: imports       {floor:6.2f} s")
    print(f"diff                 {took:6.2f} s   {took / floor:.1f} x the floor (at most {TARGET_SECONDS} s)")
    print(f"{given.components:,} components, {given.changed:,} changed")
    return took


if __name__ == "__main__":
    main()
