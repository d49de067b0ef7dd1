"""Files that are sifted by their bytes come in portions; where these end changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from costsim.usage import sifted
from costsim.usage.load import load
from emptied import open_store

pytestmark = pytest.mark.slow


def _entry(number: int) -> str:
    usage = {"input_tokens": 100 + number, "output_tokens": 10}
    message = {"id": f"msg_{number:020}", "model": "claude-haiku-4-5", "usage": usage}
    return json.dumps({"type": "assistant", "timestamp": "2026-05-15T10:00:00Z", "sessionId": "s", "message": message})


def _logs(folder: Path) -> None:
    """Twelve sessions: mostly prompts, nothing but calls, a broken line, no call at all; by turns."""
    prompt = json.dumps({"type": "user", "timestamp": "2026-05-15T10:00:00Z", "message": {"content": "x" * 900}})
    for number in range(12):
        kind, call = number % 4, _entry(number)
        lines = ([prompt, call, prompt], [call, call], [call, '{"type": "assistant", "usage": '], [prompt])[kind]
        (folder / f"{number:02}.jsonl").write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("part_bytes", [1, 700, 2_000, 48 * 1024 * 1024])
def test_where_a_portion_ends_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part_bytes: int) -> None:
    monkeypatch.setattr(sifted, "PART_BYTES", part_bytes)
    _logs(tmp_path)
    with open_store(tmp_path / "s.duckdb") as store:
        load(store, [tmp_path])
        events = store.execute("SELECT count(*), sum(input), sum(output) FROM usage_event").fetchone()
        rejects = store.execute("SELECT line, reason FROM reject ORDER BY ALL").fetchall()
    # calls 0, 1, 2, 4, 5, 6, 8, 9 and 10: 9 x 100 and their numbers, 45; an answer has 10 tokens
    assert events == (9, 945, 90)
    assert rejects == [(2, "not JSON")] * 3
