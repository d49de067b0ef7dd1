"""A file of a million mistakes is one error: the first, in memory that is in proportion to the file."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

import pytest
from costsim.analysis.architecture.model import Architecture
from costsim.documents import Document, parse_document, validate
from costsim.errors import InputError
from costsim.fail_fast import FEW, MAX_KEYS, failing_fast, is_large
from pydantic import ValidationError

LIST: dict[str, Any] = {"name": "x", "budgets": [0] * 1_000}
MAP: dict[str, Any] = {"name": "x", "plans": dict.fromkeys(map(str, range(1_000)), 1)}
NESTED: dict[str, Any] = {"name": "x", "components": [{"name": 1, "agent": 1}] * 1_000}


@pytest.mark.parametrize(("data", "most"), [(LIST, 2), (MAP, 1), (NESTED, 4)], ids=["list", "map", "objects"])
def test_no_more_than_the_first_wrong_item_is_kept(data: dict[str, Any], most: int) -> None:
    with pytest.raises(ValidationError) as all_kept:
        Architecture.model_validate(data)
    with pytest.raises(ValidationError) as first_kept:
        failing_fast(Architecture).validate_python(data)
    assert all_kept.value.error_count() >= 1_000
    assert first_kept.value.error_count() <= most
    assert first_kept.value.errors()[0]["loc"] == all_kept.value.errors()[0]["loc"]


def test_what_is_right_is_the_same_whichever_way_it_is_read() -> None:
    data = {
        "name": "desk",
        "model_routing": {"fallback": "anthropic/claude-haiku-4-5"},
        "components": [{"name": "monitor", "agent": "ops", "runs_per_day": 10, "tokens": {"input": 100_000}}],
        "budgets": [{"name": "month", "usd": 30}],
    }
    assert failing_fast(Architecture).validate_python(data) == Architecture.model_validate(data)


@pytest.mark.slow
def test_a_million_mistakes_need_little_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match=r"budgets\[0\]: this should be a valid dictionary"):
        validate(Document(Path("a.json"), {"name": "x", "budgets": [0] * 1_000_000}), Architecture)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KiB; it took over 1 GiB


def test_a_map_of_very_many_keys_is_refused() -> None:
    data = {"name": "x", "model_routing": dict.fromkeys(map(str, range(MAX_KEYS + 1)), 1)}
    with pytest.raises(InputError, match=r"a\.json: a map of 100,001 keys, of which there can be 100,000"):
        validate(Document(Path("a.json"), data), Architecture)


def test_a_document_is_large_by_all_its_values() -> None:
    assert not is_large({"a": [0] * (FEW - 2)})
    assert is_large({"a": [0] * (FEW - 1)})


@pytest.mark.parametrize(
    "text",
    [
        ".".join(["a"] * 102) + " = 1",
        "[" + ".".join(["a"] * 102) + "]",
        "x = {" + " . ".join(['"a"'] * 102) + " = 1}",
        "[[" + ".".join(["'a'"] * 102) + "]]",
    ],
    ids=["key", "table", "quoted key of an inline table", "list of tables"],
)
def test_a_key_of_very_many_parts_is_refused(text: str) -> None:
    """tomllib takes time by the cube of them: 50,000 took 40 seconds and 8 GB."""
    with pytest.raises(InputError, match=r"a\.toml:2: a key of more than 100 parts"):
        parse_document(Path("a.toml"), f"name = 'x'\n{text}\n")


def test_a_text_with_many_points_is_no_key() -> None:
    sentence = "one. two. " * 200
    text = f'a = "{sentence}"\nb = """\n{sentence}\n"""\nc = [{"1.5, " * 300}]\n' + ".".join(["k"] * 50) + "= 1"
    assert parse_document(Path("a.toml"), text).data["a"] == sentence


def test_very_many_directives_are_refused() -> None:
    """libyaml compares each with all before it: 100,000 took half a minute."""
    text = "".join(f"%TAG !a{n}! tag:x\n" for n in range(101)) + "---\nname: x\n"
    with pytest.raises(InputError, match=r"a\.yaml: the file has more than 100 lines that begin with %TAG"):
        parse_document(Path("a.yaml"), text)
