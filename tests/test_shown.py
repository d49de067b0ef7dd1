"""What people read of an untrusted name is bounded in every medium; what programs read has it whole."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from costsim.analysis.findings import Finding
from costsim.cli.entry import _one_line
from costsim.cli.screen import say, terminal_console
from costsim.reports import escaping
from costsim.reports.ci import RENDERERS, CiFormat, render
from costsim.reports.fitted import Fitted, TableColumn
from costsim.reports.review.html import csv_link
from costsim.shown import MAX_LINE, MAX_NAME, shortened, shortened_words
from rich.console import Group
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = "start " + "m" * 1_000_000 + " end"


def printed(*things: object) -> str:
    """What a console of 160 columns writes."""
    out = io.StringIO()
    terminal_console(file=out, width=160, color_system=None, highlight=False).print(*things)
    return out.getvalue()


@pytest.mark.parametrize("length", [0, 1, MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, 3 * MAX_LINE, 1_000_000])
def test_a_line_is_whole_up_to_the_limit_and_never_longer(length: int) -> None:
    text = "a" * length
    assert shortened(text) == text if length <= MAX_LINE else len(shortened(text)) == MAX_LINE


def test_beginning_end_and_length_of_a_long_line_are_shown() -> None:
    short = shortened(LONG)
    assert short.startswith("start m")
    assert short.endswith("m end")
    assert "(1,000,010 characters, " in short  # 6 + 1,000,000 + 4


def test_names_that_differ_in_their_middle_stay_two() -> None:
    assert shortened(f"{'a' * 5000}1{'a' * 5000}") != shortened(f"{'a' * 5000}2{'a' * 5000}")


def test_each_line_is_bounded_and_none_is_lost() -> None:
    lines = shortened(f"first\n{LONG}\nlast").split("\n")
    assert (lines[0], len(lines[1]), lines[2]) == ("first", MAX_LINE, "last")


def test_half_a_surrogate_pair_is_no_fault() -> None:
    assert len(shortened("\ud800" * 10_000)) == MAX_LINE


@pytest.mark.parametrize(
    "medium", [escaping.plain, escaping.cell, escaping.xml, escaping.html, escaping.chart, _one_line]
)
def test_what_people_read_is_bounded(medium: Callable[[str], str]) -> None:
    assert len(medium(LONG)) <= 2 * MAX_LINE  # an escaped character is two


def test_a_spreadsheet_has_the_name_whole() -> None:
    assert escaping.inert(LONG) == LONG


@pytest.mark.parametrize("thing", [LONG, Text(LONG), Text(f"note: {LONG}", style="yellow")])
def test_a_terminal_prints_no_more_of_a_line_than_is_read(thing: str | Text) -> None:
    assert MAX_LINE <= len(printed(thing)) < 2 * MAX_LINE


def test_many_short_lines_are_all_printed() -> None:
    assert printed(Group(*(Text(f"line {n}") for n in range(1000)))).count("\n") == 1000


@pytest.mark.parametrize("width", [40, 160])
@pytest.mark.parametrize("kind", ["key", "model", "label", "figure"])
def test_a_cell_shows_no_more_than_a_name(width: int, kind: str) -> None:
    table = Fitted([TableColumn("name", kind), TableColumn("n")], [[LONG, "1"], [Text(LONG), "2"]])  # type: ignore[arg-type]
    out = io.StringIO()
    terminal_console(file=out, width=width, color_system=None).print(table)
    assert out.getvalue().count("m") < 2 * MAX_NAME


def test_a_sentence_in_a_table_is_bounded_as_a_line() -> None:
    sentence = "word " * 300  # 1,500 characters
    assert printed(Fitted([TableColumn("message", "words")], [[sentence]])).count("word") == 300
    assert printed(Fitted([TableColumn("message", "words")], [[LONG]])).count("m") < MAX_LINE + 10


def test_say_is_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    say(LONG)
    assert len(capsys.readouterr().out) == MAX_LINE + 1  # and its line end


@pytest.mark.parametrize("form", [*RENDERERS])
def test_annotations_are_bounded(form: CiFormat) -> None:
    findings = [Finding(rule="unpriced-model", name=LONG, status="fail", message=LONG, fix=LONG)]
    assert len(render(form, "x", findings)) < 12 * MAX_LINE  # three texts, some of them twice, and what is around them


def test_a_page_bounds_each_word_as_a_name_and_each_line_as_a_sentence() -> None:
    """A name stands in a page hundreds of times: of 4,000 characters each time, 1,800 calls made a page of 57 MB."""
    name = "n" * 4_000
    assert shortened_words(name) == escaping.html(name) == shortened(name, MAX_NAME)
    assert len(escaping.html(f"{name} and {name}")) == 2 * MAX_NAME + len(" and ")
    assert len(escaping.html("n " * 4_000)) == MAX_LINE
    assert escaping.html("a sentence of " + "words " * 100) == "a sentence of " + "words " * 100


def test_the_data_behind_a_page_repeats_no_name_whole() -> None:
    """A name of 4,000 characters on 1,000 rows: 200 kB, not 4 MB; two that differ in their middle still differ."""
    names = ["x" * 2000 + middle + "x" * 2000 for middle in "ab"]
    made = unquote(csv_link(["model"], [[name] for name in names] * 500))
    assert len(made) < 250_000
    assert len(set(made.splitlines()[1:])) == 2
