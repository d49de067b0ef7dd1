"""The index over a folder's review pages, which come from anywhere: what they say is checked, what they are too."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.review.results import Review
from costsim.errors import InputError
from costsim.reports.review import index
from costsim.reports.review.embedded import read
from costsim.reports.review.html import render_review
from costsim.reports.review.index import read_pages, render_index
from every_leaf import places, replaced
from thorough import THOROUGH

SCRIPT = re.compile(r'(?<=<script type="application/json" id="review">).*?(?=</script>)', re.DOTALL)
OF_A_REVIEW = re.compile(
    r'<script type="application/json" id="(review|what-if-data)">.*?</script>|<a href="[^"]*" download="days.csv">',
    re.DOTALL,
)
"""What is read of a page: it has charts beside that, and what draws them."""
ANOTHER = "the review in this page is of another version; make it anew"
VALUES: list[Any] = [
    None, True, "", "x", -1, 1.5, 10**30, "1e1000000", "1e999999999", "-1e400", "1e-999999999", "NaN", "Infinity", "9999-12",
    "0001-01", "2026-13", "9999-12-31", "0001-01-01", "\ud800", "A" * 10_000, [], {}, [[]],
]  # fmt: skip


@pytest.fixture(scope="module")
def page(worked_month: Review) -> str:
    return render_review(worked_month)


def with_value(page: str, path: tuple[str | int, ...], value: Any) -> str:
    """The page with another value at a place of its JSON."""
    found = SCRIPT.search(page)
    assert found
    text = json.dumps(replaced(json.loads(found[0]), path, value)).replace("<", "\\u003c")
    return page[: found.start()] + text + page[found.end() :]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("month",), "2026-13"),
        (("month",), "x"),
        (("month",), "9999-12-31"),
        (("month",), "9999-12"),
        (("headline", "month", "month"), "2026-00"),
        (("headline", "month", "first"), "9999-12-31"),
        (("headline", "month", "first"), "0001-01-01"),
        (("headline", "month", "usd"), "1e1000000"),
        (("headline", "month", "usd"), "1e-1000000"),
        (("headline", "change_usd"), "1e999999999"),
        (("headline", "month", "calls"), 10**400),
        (("where", "cells"), {"columns": {"a": [[1], [5]]}}),
        (("where", "cells"), {"columns": 3}),
        (("where", "days"), [["one"]]),
        (("where",), []),
        ((), []),
        ((), "review"),
    ],
)
def test_a_page_with_a_wrong_value_is_named(page: str, tmp_path: Path, path: tuple[str, ...], value: Any) -> None:
    (tmp_path / "a.html").write_text(with_value(page, path, value), "utf-8")
    with pytest.raises(InputError, match=ANOTHER) as raised:
        render_index(tmp_path)
    assert raised.value.file == tmp_path / "a.html"


@pytest.mark.slow
def test_any_value_anywhere_in_a_page_is_shown_or_refused(page: str, tmp_path: Path) -> None:
    """Every place that an index reads; every place of the page with COSTSIM_THOROUGH=1."""
    small = "\n".join(part[0] for part in OF_A_REVIEW.finditer(page))
    assert read(small) == read(page)
    page, found = small, SCRIPT.search(small)
    assert found
    shown = [path for path in places(json.loads(found[0])) if THOROUGH or path[0] in ("month", "name", "headline")]
    for path in shown:
        for value in VALUES:
            (tmp_path / "a.html").write_text(with_value(page, path, value), "utf-8")
            try:
                text = render_index(tmp_path)
            except InputError as error:
                assert ANOTHER in str(error)  # noqa: PT017
            else:
                assert len(text) < 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "script",
    ["{", "[" * 200_000, "1" * 5_000, "null", "", '{"where": {"cells": [], "days": [["a", "b"]]}}', "NaN"],
    ids=["cut", "nested", "long number", "null", "empty", "no days", "no number"],
)
def test_a_script_that_is_no_review_is_named(page: str, tmp_path: Path, script: str) -> None:
    (tmp_path / "a.html").write_text(SCRIPT.sub(lambda _: script, page), "utf-8")
    with pytest.raises(InputError, match=ANOTHER):
        read_pages(tmp_path)


@pytest.mark.slow
def test_a_table_of_days_with_a_cell_too_long_is_named(page: str, tmp_path: Path) -> None:
    head = '<a href="data:text/csv;charset=utf-8,'
    assert head in page
    (tmp_path / "a.html").write_text(
        re.sub(rf'{head}[^"]*" download="days.csv">', f'{head}{"x" * 200_000}" download="days.csv">', page), "utf-8"
    )
    with pytest.raises(InputError, match=ANOTHER):
        read_pages(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.html")
    with pytest.raises(InputError, match=r"a.html: this is a device, a pipe or a socket, not a file"):
        read_pages(tmp_path)


def test_a_link_to_a_device_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.html").symlink_to("/dev/zero")
    with pytest.raises(InputError, match=r"a.html: this is a device, a pipe or a socket, not a file"):
        read_pages(tmp_path)


def test_a_link_to_nothing_is_named_and_a_folder_is_none_of_the_pages(tmp_path: Path) -> None:
    (tmp_path / "a.html").mkdir()
    assert read_pages(tmp_path) == []
    (tmp_path / "b.html").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"b.html: there is no such file"):
        read_pages(tmp_path)


def test_a_page_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_PAGE", 2**20)
    (tmp_path / "a.html").write_text("x" * (2**20))
    assert read_pages(tmp_path) == []
    (tmp_path / "b.html").write_text("x" * (2**20 + 1))
    with pytest.raises(InputError, match=r"b.html: the file is larger than 1 MiB"):
        read_pages(tmp_path)


@pytest.mark.slow
def test_many_heads_of_scripts_are_read_in_proportion(tmp_path: Path) -> None:
    """To search from each of 300,000 heads to the end of 13 MB would take hours."""
    (tmp_path / "a.html").write_text('<script type="application/json" id="review">' * 300_000)
    assert read_pages(tmp_path) == []


@pytest.mark.slow
def test_the_command_says_it_in_one_line(costsim: Callable[..., Any], page: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(with_value(page, ("month",), "2026-13"), "utf-8")
    done = costsim("report", "--index", ".")
    assert (done.code, done.out, done.err) == (2, "", f"costsim: a.html: {ANOTHER}\n")
