"""docs/reliability.md names the test that holds each promise: all of them exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROMISES = ROOT / "docs" / "reliability.md"


def test_every_promise_names_a_test_that_exists() -> None:
    rows = [line for line in PROMISES.read_text("utf-8").splitlines() if line.startswith("| ")]
    promises = [row for row in rows if not row.startswith(("| promise", "| ---", "| what", "| limit"))]
    assert len(promises) >= 9
    for row in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", row)
        assert named, row
        for file, test in named:
            assert (ROOT / file).is_file(), row
            assert not test or f"def {test}(" in (ROOT / file).read_text("utf-8"), row
