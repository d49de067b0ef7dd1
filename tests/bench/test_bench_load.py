"""The benchmark of loading runs; its figures are for people, on a quiet machine."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_loading_can_be_measured(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("bench_load", Path(__file__).with_name("bench_load.py"))
    assert spec
    assert spec.loader
    bench = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bench_load", bench)  # its dataclass looks itself up there
    spec.loader.exec_module(bench)
    runs = bench.main(["--entries", "200", "--files", "4", "--rounds", "1"])
    assert 0 < runs["everything new"][0].gib < 1.5
    assert runs["one file grown"][0].seconds > 0
    assert "nothing changed / everything new" in capsys.readouterr().out
