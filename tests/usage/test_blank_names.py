"""An empty or blank name in a log is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run


@pytest.mark.slow
@pytest.mark.parametrize("torn", ["", '{"torn\n'], ids=["in bulk", "line by line"])
def test_an_empty_or_blank_name_is_none(tmp_path: Path, costsim: Run, torn: str) -> None:
    """Three calls without a name and one with; a group without a name could be written to no architecture file."""
    calls = [
        {"at": f"2026-10-0{day}T10:00:00Z", "id": f"{day}", "n": 1000, "m": "anthropic/claude-haiku-4-5", "c": name}
        for day, name in enumerate(["", "  ", "triage", None], start=1)
    ]
    log, db = tmp_path / "log.jsonl", f"{tmp_path / 's.duckdb'}"
    log.write_text("".join(json.dumps(call) + "\n" for call in calls) + torn, "utf-8")
    costsim("load", f"{log}", "--db", db, "--map", "ts=at,id=id,input=n,model=m,component=c,task=c,user=c")
    lines = costsim("spend", "--db", db, "--by", "component", "-f", "csv").out.splitlines()
    assert sorted(line.split(",")[:2] for line in lines[1:]) == [["triage", "1"], ["unattributed", "3"]]
