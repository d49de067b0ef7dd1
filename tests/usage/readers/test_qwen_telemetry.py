"""Qwen Code's telemetry repeats the responses of a chat's entries; only the prompt's size tells which."""

from __future__ import annotations

from pathlib import Path

from costsim.usage.load import load
from costsim.usage.store import open_store

CHAT = Path(__file__).parents[2] / "data" / "usage" / "qwen-code" / "chat.jsonl"


def test_a_response_without_its_input_is_rejected_and_no_further_call(tmp_path: Path) -> None:
    told, out = '"input_token_count":9000', tmp_path / "chat.jsonl"
    assert told in CHAT.read_text()
    out.write_text(CHAT.read_text().replace(told, '"input_token_count":0'))
    with open_store(tmp_path / "s.duckdb") as store:
        load(store, [out])
        # as without that line: 9,200 + 9,000 in, of which 15,000 cached; 120 + 40 + 15 out
        assert store.execute("SELECT count(*), sum(input), sum(output) FROM usage_event").fetchall() == [(2, 3200, 175)]
        (reason,) = store.execute("SELECT reason FROM reject").fetchall()
    assert reason == ("a response without its input: it may be one that has an entry",)
