"""Names from files that others wrote, and words of a shell, as commands print them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from conftest import Run
from costsim import csvfile
from costsim.errors import InputError, StoreError
from costsim.usage.store import open_store

HOSTILE = "evil\x1b]52;c;ZXZpbA==\x07\n::stop-commands::x"


def harmless(text: str) -> bool:
    """No control character but line ends, and no line that a CI takes for a command."""
    return not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text) and not re.search(r"^\s*(::|##\[)", text, re.M)


def test_names_of_a_routing_reach_no_terminal_as_commands(costsim: Run, tmp_path: Path) -> None:
    routing = {HOSTILE: f"anthropic/{HOSTILE}", "fallback": f"openai/{HOSTILE}"}
    (tmp_path / "routing.json").write_text(json.dumps({"model_routing": routing}))
    for words in (["other"], [HOSTILE], [HOSTILE, "--explain"], [HOSTILE + "s"]):
        done = costsim("route", *words, "--config", "routing.json")
        assert done.code == 0, done.err
        assert harmless(done.out)
        assert harmless(done.err)
        assert done.out.count("\n") == 1 or "--explain" in words


def test_a_line_of_a_table_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("date,EUR\n2026-01-01," + "1" * 200 + "\n")
    monkeypatch.setattr(csvfile, "MAX_BYTES", 100)
    with pytest.raises(InputError, match="a line is longer"):
        list(csvfile.read_csv(file)[1])


def test_a_table_of_many_columns_is_read_in_one_pass(tmp_path: Path) -> None:
    """20,000 names compared with one another would be 400 million comparisons, several seconds."""
    file = tmp_path / "wide.csv"
    file.write_text(",".join(f"c{n}" for n in range(20_000)) + ",c7\n")
    with pytest.raises(InputError, match="'c7' stands twice"):
        csvfile.read_csv(file)


def test_a_word_that_is_no_text_reaches_no_file(costsim: Run, tmp_path: Path) -> None:
    word = os.fsdecode(b"x\xff")
    for words in (["spend", "--where", f"agent={word}"], ["rollup", word, "--print-sql"], ["init", "--out", word],
                  ["decide", "x", "--accept", "--who", word], ["load", "--db", f"{word}.duckdb"], ["spend", f"--out={word}.csv"]):  # fmt: skip
        done = costsim(*words)
        assert (done.code, done.err.count("\n"), "is not UTF-8 text" in done.err) == (2, 1, True), done.err
    assert not list(tmp_path.iterdir())


def test_a_store_of_such_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not UTF-8"), open_store(tmp_path / os.fsdecode(b"x\xff.duckdb")):
        pass
