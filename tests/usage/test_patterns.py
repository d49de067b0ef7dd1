"""No regular expression that meets the text of a log takes the square of its length.

One that begins anew at every character of a word, or after each quote of a text that nothing closes, looks at each
as often as there are others: a label of 80 KB without a value took 34 s.
"""

from __future__ import annotations

import pytest
from costsim.usage.fast_json import parsed
from costsim.usage.readers.droid import plain
from costsim.usage.readers.vllm import LABEL
from costsim.usage.torn_beginnings import is_torn


def test_a_label_begins_with_a_word() -> None:
    labels = r'model_name="a\"b",é1="", x="y", torn' + "a" * 100_000
    assert LABEL.findall(labels) == [("model_name", r"a\"b"), ("é1", ""), ("x", "y")]


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("custom:GPT-5.1-[High]-0", "gpt-5.1"),
        ("Claude Opus 4.5 [Anthropic]", "claude-opus-4.5"),
        ("a[b[c]d", "ad"),  # from the first bracket
        ("a-[b", "a-[b"),  # which nothing closes
        ("[" * 100_000, "[" * 100_000),
    ],
)
def test_what_stands_in_brackets_is_no_part_of_a_model_of_droid(model: str, name: str) -> None:
    assert plain(model) == name


def test_a_document_that_is_cut_within_a_text_of_quotes_is_looked_through_once() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (whatever the parser says)
        parsed("[" * 2_000 + '"' + r"\"" * 200_000)


def test_a_line_of_spaces_ends_no_item_of_a_torn_text() -> None:
    assert not is_torn('{"torn": \n{"a": 1}' + " " * 200_000 + "x\n{\n")
