"""Tables that fit: keys are whole at any width, what can be derived goes first, then rows become blocks."""

from __future__ import annotations

import io

import pytest
from costsim.reports.fitted import Fitted, TableColumn
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

WIDTHS = (60, 80, 100, 120, 160)
COLUMNS = [
    TableColumn("component", "key"),
    TableColumn("model", "model"),
    TableColumn("input", goes=1),
    TableColumn("output", goes=1),
    TableColumn("tokens", goes=2, instead_of="input"),
    TableColumn("cost"),
]


def printed(table: Fitted, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def fleet(component: str = "monitor") -> Fitted:
    rows = [
        [component, "anthropic/claude-haiku-4-5", "1,000,000", "100,000", "1,100,000", "$1.50"],
        ["brief", "anthropic/claude-sonnet-4-6", "2,000,000", "200,000", "2,200,000", "$9.00"],
    ]
    return Fitted(COLUMNS, rows, title="Spend", total=["total", "", "3,000,000", "300,000", "3,300,000", "$10.50"])


@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_terminal_and_every_key_and_cost_is_whole(width: int) -> None:
    text = printed(fleet(), width)
    assert all(len(line) <= width for line in text.splitlines())
    for word in ("monitor", "brief", "claude-haiku-4-5", "claude-sonnet-4-6", "$1.50", "$9.00", "$10.50"):
        assert word in text


def test_a_wide_terminal_shows_every_class_and_no_sum_of_them() -> None:
    text = printed(fleet(), 120)
    assert "anthropic/claude-haiku-4-5" in text
    assert "100,000" in text
    assert "1,100,000" not in text


def test_the_provider_that_all_share_goes_first_and_is_named() -> None:
    text = printed(fleet(), 70)
    assert "models are anthropic/…" in text
    assert "│ claude-haiku-4-5" in text
    assert "100,000" in text


def test_then_the_classes_of_tokens_become_one_column_and_what_is_not_shown_is_named() -> None:
    text = printed(fleet(), 62)
    assert "1,100,000" in text
    assert "not shown in 62 columns: input, output" in text


def test_at_last_a_row_is_a_block_that_leaves_nothing_out() -> None:
    text = printed(fleet("a-component-with-a-name-of-more-than-sixty-characters-of-text-x"), 70)
    assert "a-component-with-a-name-of-more-than-sixty-characters-of-text-x" in text
    assert "input 1,000,000 · output 100,000 · cost $1.50" in text
    assert "not shown" not in text


def test_a_column_in_which_nothing_stands_is_left_out_without_a_word() -> None:
    table = Fitted(
        [TableColumn("budget", "key"), TableColumn("on about", "label"), TableColumn("cost")], [["month", "", "$1"]]
    )
    assert "on about" not in printed(table, 80)


@pytest.mark.slow
@given(st.lists(st.text("abcdefghij-", min_size=1, max_size=50), min_size=1, max_size=5), st.sampled_from(WIDTHS))
def test_names_of_any_length_that_fit_the_terminal_are_never_cut(names: list[str], width: int) -> None:
    table = Fitted([TableColumn("component", "key"), TableColumn("cost")], [[name, "$1,234,567.89"] for name in names])
    lines = printed(table, width).splitlines()
    assert all(any(name in line for line in lines) for name in names)
    assert sum("$1,234,567.89" in line for line in lines) == len(names)


def test_a_name_of_many_lines_is_bounded_as_one_line() -> None:
    """50,000 lines of one character: 2,000 characters of them, each on a line of its own at most."""
    table = Fitted([TableColumn("id", "key"), TableColumn("what", "words")], [["a", "x\n" * 50_000]])
    assert len(printed(table, 80).splitlines()) < 1_100


def test_a_heading_is_one_line_and_bounded_as_a_name_is() -> None:
    """Units and currencies are headings, and come from files."""
    table = Fitted(
        [TableColumn("component", "key"), TableColumn("a\n::stop-commands::b"), TableColumn("c" * 900)],
        [["x", "1", "2"]],
    )
    text = printed(table, 400)
    assert "a ::stop-commands::b" in text
    assert "c" * 201 not in text
    assert "not shown" not in text
