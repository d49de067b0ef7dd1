"""Names in Markdown, rendered by GitHub's own parser (cmark-gfm): they stay text."""

from __future__ import annotations

import re
from html import unescape

import cmarkgfm  # type: ignore[import-untyped]
import pytest
from costsim.reports.escaping import BREAK, cell
from hypothesis import example, given
from hypothesis import strategies as st

BEFORE = ["", *"_*~([a-\"'/:>|é.\\&#<", "\\_", "![", "a."]
"""`www.` is an address after `*`, `_`, `~` and `(` only, any other after everything."""
ADDRESSES = [
    "www.e.co",
    "http://e.co",
    "HTTP://e.co",
    "ftp://e.co",
    "a@e.co",
    "a@-e.co",
    "a@.e.co",
    "mailto:a@e.co",
    "xmpp:a@e.co/x",
    "[a](http://e.co)",
    "<http://e.co>",
    "<a@b.co>",
]
OURS = re.compile(r"</?(table|thead|tbody|tr|td|th|ul|li|p|span)\b[^>]*>")


def rendered(text: str) -> str:
    return str(cmarkgfm.github_flavored_markdown_to_html(text, options=cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE))


def in_places(name: str) -> list[str]:
    """What a reader sees of a name in a table's cell, in a list and at the beginning of a paragraph."""
    text = cell(name)
    return [OURS.sub("", rendered(source)) for source in (f"| a |\n|---|\n| {text} |\n", f"- x: {text}", text)]


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_is_a_link_whatever_stands_before_it(address: str) -> None:
    assert [before for before in BEFORE if any("<" in shown for shown in in_places(before + address))] == []


def test_the_addresses_would_be_links() -> None:
    """The test above tells something: each of them is one where nothing is escaped."""
    assert [address for address in ADDRESSES if "<a " not in rendered(address)] == []


@pytest.mark.slow
@given(st.text(st.sampled_from("w.:/@htpsxm_-*~`([{<>])}!#&%$;+|\\\"' 01aé^=\n"), min_size=1, max_size=40))
@example("_www.e.co")
@example("a@-e.co")
def test_no_name_is_markup(name: str) -> None:
    """It is read as it is written, whatever is in it."""
    *_, shown = in_places(name)
    assert all("<" not in place for place in in_places(name))
    assert unescape(shown).replace(BREAK, "").strip() == " ".join(name.split())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("~bug", r"\~|bug"),
        ('%"Release 1"', '%|"Release 1"'),
        ("GL-12", "GL|-12"),
        ("CVE-2026-1234", "CVE|-2026-1234"),
        ("GHSA-29g3-96g3-jg6c", "GHSA|-29g3-96g3-jg6c"),
        ("[wiki_page:home]", r"\[|wiki\_page:home\]"),
        ('*iteration:"x"', r'\*|iteration:"x"'),
        ("^alert#1", r"^alert\#|1"),
        ("{+x+}", "{|+x+}"),
        ("/close", "/|close"),
        ("{poisson: 10}", "{poisson: 10}"),
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("costs ~50x Haiku", r"costs \~50x Haiku"),
        ("100% of 5", "100% of 5"),
    ],
)
def test_what_code_hosts_make_of_rendered_text_finds_nothing(name: str, shown: str) -> None:
    """References and quick actions of GitHub and GitLab are looked for after Markdown has been read."""
    assert cell(name) == shown.replace("|", BREAK)
