"""An empty word (a variable that is not set) is refused: it would be ignored, or take the next option for its value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Run


@pytest.mark.parametrize(
    "words",
    [
        ["run", ""], ["load", ""], ["lint", ""], ["route", ""], ["spend", "--db", "", "--by", "day"],
        ["spend", "--month="], ["load", "--attribution", "", "logs"], ["check", "--budgets", ""], ["run", "--out="],
        ["prices", "show", ""], ["spend", "--book", ""], ["diff", "", ""], ["report", "--title", ""],
        ["export", "--out", "x.csv", "--account="],
    ],
)  # fmt: skip
def test_an_empty_word_is_refused_in_one_line(costsim: Run, words: list[str]) -> None:
    outcome = costsim(*words)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "is empty" in outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--tags", ""], ["--tags="]])
def test_a_text_of_ones_own_may_be_empty(sessions: Run, words: list[str]) -> None:
    assert sessions("export", "--out", "focus.csv", *words).code == 0
