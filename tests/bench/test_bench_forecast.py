"""The benchmark of the forecast runs; its tables are for people (docs/forecast.md)."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_the_forecast_can_be_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    spec = importlib.util.spec_from_file_location("bench_forecast", Path(__file__).with_name("bench_forecast.py"))
    assert spec
    assert spec.loader
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    monkeypatch.setattr(bench, "find_spec", lambda name: None)  # statsforecast takes minutes
    inside, times = bench.main(["--months", "1", "--series", "1", "--processes", "1"])
    assert 0 <= inside <= 1
    assert all(seconds < 5 for seconds in times)
    assert "chance of breach" in capsys.readouterr().out
