"""What `run --save` and `profile` write of logs is an architecture again, whatever the names in the logs; else nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from costsim.analysis.architecture.load import readable_again
from costsim.analysis.profile.profile import profile
from costsim.analysis.profile.written import flow
from costsim.analysis.spend.observe import component_names, observed_architecture
from costsim.errors import ArchitectureError, OutputError
from costsim.tokens import TOKEN_CLASSES
from costsim.usage.store import insert_rows, open_store
from costsim.yaml_text import yaml_text
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from conftest import Run

LONG = "n" * 199
FILE = Path("architecture.yaml")
NAMES = [
    LONG, LONG + "1", LONG + "12", "l" * 3_000, "null", "1e5", "2026-10-01", "a: b", "- a", "#a", "a #b", "a, b]", "{a}", "'",
    '"', "a\nb", "a\rb", "a\u2028b", "a\x85b", "\ufeffa", "a\x07", " a ", "*a", "&a", "!!int a", "%a", "@a", "`a", "<<", "=",
    "😀", "…", "\\", "a\tb", "?", "~", "true", "fallback", "unattributed", "other", "a-#2", "a",
]  # fmt: skip
"""Lengths beside the 200 that a file takes; words that YAML reads otherwise, and characters that end its lines."""


def call(number: int, name: str, agent: str, task: str, model: str = "claude-haiku-4-5") -> dict[str, object]:
    tokens = dict.fromkeys(TOKEN_CLASSES, 0) | {"input": 10, "output": 5, "request": 1}
    return {
        "event_id": str(number), "ts": datetime(2026, 10, 1) + timedelta(hours=number), "file_id": 1, "source": "test",
        "component": name, "agent": agent, "task": task, "session": str(number // 2), "provider": "anthropic",
        "model": model, "processing": "standard", "status": "ok", "aggregated": False, **tokens,
    }  # fmt: skip


@pytest.fixture(scope="module")
def hostile() -> Iterator[DuckDBPyConnection]:
    """Each name as a component, an agent, a task and a model, and two agents for each component."""
    calls = [
        call(2 * n + twin, name, NAMES[(n + 1 + twin) % len(NAMES)], NAMES[n - 1], NAMES[n - 2])
        for n, name in enumerate(NAMES)
        for twin in range(2)
    ]
    with open_store(Path(":memory:")) as store:
        insert_rows(store, "usage_event", calls)
        yield store


@pytest.mark.slow
def test_what_logs_show_is_an_architecture_whatever_its_names(hostile: DuckDBPyConnection) -> None:
    data = observed_architecture(hostile, Path("x.duckdb"), "s" * 250)
    found = readable_again(FILE, yaml_text(data)).architecture
    assert len({component.name for component in found.components}) == 2 * len(NAMES)
    assert {component.agent for component in found.components} == {*NAMES}
    assert {component.task for component in found.components} == {*NAMES}
    assert found.name == "s" * 180


@pytest.mark.parametrize("by", ["component", "task"])
def test_a_profile_is_an_architecture_whatever_its_names(hostile: DuckDBPyConnection, by: str) -> None:
    text = profile(hostile, "s\n" * 150, by="task" if by == "task" else "component").yaml
    found = readable_again(FILE, text).architecture
    assert len({component.name for component in found.components}) == 2 * len(NAMES)
    assert {component.agent for component in found.components} == {*NAMES}
    assert text.startswith("# Fitted by costsim profile to s s s ")


def test_what_turns_the_direction_of_text_is_escaped() -> None:
    written = yaml_text({"name": "é \u202egnp.exe\u2066", "city": "Zürich"})
    assert "\u202e" not in written
    assert "city: Zürich" in written
    assert yaml.safe_load(written)["name"] == "é \u202egnp.exe\u2066"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
@settings(max_examples=50)
def test_a_text_within_brackets_is_the_text(text: str) -> None:
    assert yaml.safe_load(yaml_text({text: text})) == {text: text}
    assert yaml.safe_load(f"a: {flow({'b': [text], 'c': text})}") == {"a": {"b": [text], "c": text}}


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "a-#2", "a-#3", LONG, LONG + "1"]), *3 * [st.sampled_from("xyz")]), unique=True
    )
)
@settings(max_examples=50)
def test_no_two_components_have_one_name(parts: list[tuple[str, str, str, str]]) -> None:
    names = component_names([(name, agent, task, "", model) for name, agent, task, model in parts])
    assert len({*names.values()}) == len(parts)
    assert all(len(name) <= 200 for name in names.values())


def test_what_could_not_be_read_again_is_refused_in_one_line() -> None:
    with pytest.raises(OutputError, match=r"x.yaml is not written, for it could not be read again: x.yaml:1 nam: unkn"):
        readable_again(Path("x.yaml"), "nam: x\n")


@pytest.mark.slow
@pytest.mark.parametrize("words", [["profile", "--out"], ["run", "--from-usage", "--db", "costsim.duckdb", "--save"]])
def test_nothing_is_written_that_could_not_be_read_again(
    costsim: Run, tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "log.jsonl").write_text(
        json.dumps({"ts": "2026-10-01T00:00:00Z", "m": "claude-haiku-4-5", "i": 9, "c": "four"})
    )
    assert costsim("load", "log.jsonl", "--map", "ts=ts,model=m,input=i,component=c").code == 0

    def refuse(file: Path, document: object = None) -> None:
        raise ArchitectureError("it is too large", file=file)

    monkeypatch.setattr("costsim.analysis.architecture.load.load_architecture", refuse)
    done = costsim(*words, "new.yaml")
    assert (done.code, "new.yaml is not written, for" in done.err, done.err.count("\n")) == (2, True, 1)
    assert not (tmp_path / "new.yaml").exists()
