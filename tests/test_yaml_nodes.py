"""YAML that would fill the memory or the hours is refused before it becomes values."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("010", "010 in line 2 is 8 in YAML, of base 8"),
        ("-0_17", "is -15 in YAML"),
        ("1:30", "1:30 in line 2 is a number of base 60"),
        ("190:20:30.15", "base 60"),
    ],
)
def test_a_number_that_yaml_reads_in_another_base_is_refused(tmp_path: Path, written: str, says: str) -> None:
    (tmp_path / "prices.yaml").write_text(f"source: s\nusd: {written}\n")
    with pytest.raises(InputError, match=re.escape(says)):
        read_document(tmp_path / "prices.yaml")


@pytest.mark.parametrize(
    ("written", "value"), [("07", 7), ("00", 0), ("0x10", 16), ('"010"', "010"), ('"1:30"', "1:30")]
)
def test_a_number_that_is_the_same_in_both_bases_is_one(tmp_path: Path, written: str, value: object) -> None:
    (tmp_path / "prices.yaml").write_text(f"usd: {written}\n")
    assert read_document(tmp_path / "prices.yaml").data == {"usd": value}


def test_of_maps_that_are_merged_the_first_wins_and_own_keys_before_all(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(
        "base: &base {runs_per_day: 20, task: work}\nother: &other {<<: *base, runs_per_day: 30, agent: cto}\n"
        "one: {<<: [*base, *other]}\ntwo: {<<: [*other, *base], task: own}\n"
    )
    data = read_document(tmp_path / "fleet.yaml").data
    assert data["other"] == {"runs_per_day": 30, "task": "work", "agent": "cto"}
    assert data["one"] == {"runs_per_day": 20, "task": "work", "agent": "cto"}
    assert data["two"] == {"runs_per_day": 30, "task": "own", "agent": "cto"}


def test_what_is_no_map_cannot_be_merged(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("one:\n  <<: [1]\n")
    with pytest.raises(InputError, match="<< in line 2 takes a map"):
        read_document(tmp_path / "fleet.yaml")
