"""A file that is said to be of a format and holds nothing of it is rejected, not read as no calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run
from costsim.usage.load import load
from costsim.usage.store import open_store


@pytest.mark.slow
@pytest.mark.parametrize("format", ["claude-code", "codex", "otel"])
@pytest.mark.parametrize("content", ["hello\nthis is no log\n", '{"a": 1}\n{"b": 2}\n'])
def test_garbage_under_a_named_format_is_a_reject(tmp_path: Path, format: str, content: str) -> None:
    file = tmp_path / "garbage.txt"
    file.write_text(content)
    with open_store(tmp_path / "s.duckdb") as store:
        report = load(store, [file], format=format)
    assert [(entry.entries, entry.rejected) for entry in report.files] == [(0, 1)]
    assert f"this is no {format} log" in report.first_rejects[0]


def test_a_session_without_a_call_is_still_a_session(tmp_path: Path) -> None:
    file = tmp_path / "session.jsonl"
    file.write_text('{"type": "user", "sessionId": "s", "timestamp": "2026-10-05T10:00:00Z", "message": {}}\n')
    with open_store(tmp_path / "s.duckdb") as store:
        report = load(store, [file], format="claude-code")
    assert [entry.rejected for entry in report.files] == [0]


@pytest.mark.parametrize("text", ["ts,model\r2026-10-01,a\r", "a,b\rc", "m" * 200_000 + ",b\n1,2\n", 'a,"b\r\n'])
def test_a_table_that_csv_does_not_take_is_refused_in_one_line(costsim: Run, tmp_path: Path, text: str) -> None:
    (tmp_path / "log.csv").write_text(text, newline="")
    outcome = costsim("load", "log.csv")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
