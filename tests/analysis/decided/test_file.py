"""decisions.yaml: what is added can be read again, or is not added."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from costsim.analysis.decided.file import add_decision, read_decisions
from costsim.analysis.decided.results import DecisionRecord
from costsim.errors import InputError

RECORD = DecisionRecord(id="move-1", decision="accepted", on=date(2026, 11, 2), month="2026-10", what="Move it")
HOSTILE = "a\x1b]52;c;x\x07\n::error::x: &a *a '\" #\t\u202e {{}} \x00 - "


def test_whatever_the_words_hold_they_are_read_again(tmp_path: Path) -> None:
    file = tmp_path / "decisions.yaml"
    add_decision(file, RECORD.model_copy(update={"note": HOSTILE, "who": HOSTILE}))
    add_decision(file, RECORD)
    first, second = read_decisions(file)
    assert (first.note, first.who, second.note) == (HOSTILE, HOSTILE, "")


@pytest.mark.parametrize(
    "update",
    [{"who": "x\udcff"}, {"note": "\ud800"}, {"who": "x" * 301}, {"note": "x" * 2001}, {"id": "x\ny"}],
    ids=ascii,
)
def test_what_could_not_be_read_again_is_not_written(tmp_path: Path, update: dict[str, str]) -> None:
    file = tmp_path / "decisions.yaml"
    add_decision(file, RECORD)
    before = file.read_bytes()
    with pytest.raises(InputError, match="decisions"):
        add_decision(file, RECORD.model_copy(update=update))
    assert file.read_bytes() == before


def test_what_a_proposal_says_is_cut_to_what_the_file_takes(tmp_path: Path) -> None:
    file = tmp_path / "decisions.yaml"
    add_decision(file, RECORD.model_copy(update={"what": "x" * 100_000}))
    assert [len(record.what) for record in read_decisions(file)] == [2000]
