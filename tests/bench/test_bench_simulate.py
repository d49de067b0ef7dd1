"""The benchmark of the simulator runs; its figures are for people, on a quiet machine."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_the_simulator_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("bench_simulate", Path(__file__).with_name("bench_simulate.py"))
    assert spec
    assert spec.loader
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    measured = bench.main(["--components", "2", "--days", "3", "--trials", "100", "--large", "3"])
    assert measured[0] > 0
    assert 0 < measured[1] < 4  # GiB
    assert "ratio" in capsys.readouterr().out
