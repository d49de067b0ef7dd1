"""YAML that would fill the memory or the hours is refused before it becomes values."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from costsim.documents import read_document
from costsim.errors import InputError


def refused(tmp_path: Path, name: str, text: str) -> str:
    """Why a document is refused; in at most 5 seconds of processor time."""
    file = tmp_path / name
    file.write_text(text)
    began = time.process_time()
    with pytest.raises(InputError) as error:
        read_document(file)
    assert time.process_time() - began < 5
    return error.value.message


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "1:" * 500_000 + "1",
        "? " + "1:" * 500_000 + "1\n: a",
        "a: " + "1:" * 500_000 + "1.5",
        "a: " + "9" * 10_000,
    ],
    ids=["base 60", "as a key", "with a fraction", "digits"],
)
def test_a_number_that_is_too_long_is_not_computed(tmp_path: Path, text: str) -> None:
    assert "more than 4,300 digits" in refused(tmp_path, "a.yaml", text)


@pytest.mark.parametrize(("name", "text"), [("a.json", '{"a": %s}'), ("a.toml", "a = %s")])
def test_other_documents_say_it_in_the_same_words(tmp_path: Path, name: str, text: str) -> None:
    assert refused(tmp_path, name, text % ("9" * 10_000)).endswith("a number of more than 4,300 digits")


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["[" + "a," * 5_000_000 + "a]", "a: {" + "b: 1," * 2_000_000 + "}"], ids=["list", "keys"]
)
def test_too_many_values_are_counted_before_they_are_made(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, "a.yaml", text) == "the file has more than 1,000,000 values"


def test_a_large_document_within_the_bounds_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("text: " + "x" * 2_000_000)
    assert len(read_document(tmp_path / "a.yaml").data["text"]) == 2_000_000
