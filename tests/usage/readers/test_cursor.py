"""Cursor's usage export: requests that have no id of their own."""

from __future__ import annotations

from pathlib import Path

from costsim.usage.load import load
from emptied import open_store

HEAD = "Date,Model,Input (w/ Cache Write),Input (w/o Cache Write),Cache Read,Output Tokens,Total Tokens,Cost"
ROW = "2026-10-05T10:00:00.000Z,gpt-5,0,10,0,5,15,{}"


def test_of_requests_with_one_time_and_figures_a_refused_one_keeps_its_number(tmp_path: Path) -> None:
    file = tmp_path / "thrice.csv"
    file.write_text("\n".join([HEAD, ROW.format("$0.01"), ROW.format("1.2.3"), ROW.format("$0.02")]) + "\n")
    with open_store(tmp_path / "costsim.duckdb") as store:
        assert load(store, [file]).total("rejected") == 1
        calls = store.execute("SELECT event_id[-2:], recorded_usd FROM usage_event ORDER BY ALL").fetchall()
        assert [(end, float(usd)) for end, usd in calls] == [(":1", 0.01), (":3", 0.02)]
        assert store.execute("SELECT raw[-8:] FROM reject").fetchall() == [(":2 gpt-5",)]
        assert load(store, [file]).total("added") == 0
