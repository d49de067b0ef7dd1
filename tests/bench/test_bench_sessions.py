"""The proof on real sessions, small: one half foretells the other, and a replay onto the same model costs the same."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_half_of_real_sessions_foretells_the_other(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("bench_sessions", Path(__file__).with_name("bench_sessions.py"))
    assert spec
    assert spec.loader
    bench = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bench_sessions", bench)  # where its dataclass looks for its own module
    spec.loader.exec_module(bench)
    coverage, apart = bench.main(["--splits", "5", "--trials", "400", "--way", "whole sessions"])
    assert apart == 0
    # of five splits of nine sessions four are 8 of 10; one more may fall to chance in so few
    assert coverage.inside["whole sessions", "usd"] >= 4
    assert sum(coverage.inside.values()) >= 0.8 * 5 * len(coverage.inside)
    assert "9 sessions, 899 calls" in capsys.readouterr().out
