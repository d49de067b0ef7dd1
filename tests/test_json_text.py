r"""JSON that costsim writes: what does not print is written \uXXXX, and means the same."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import yaml
from conftest import Run
from costsim.analysis.routing.edit import rewrite_routing
from costsim.json_text import json_text, readable
from hypothesis import given
from hypothesis import strategies as st

COLUMNS = ("ts", "component", "model", "input", "output")
ROOT = Path(__file__).parent.parent
HOSTILE = "evil\x1b]52;c;x\x07\x7f\x85\x9b2J\u202e\u2066\u2028\u200b\ufeff\U000e0001 ##[add-path]x ##vso[task]é😀"
UNPRINTED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|##\\[|##vso")


@pytest.mark.slow
@given(st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Zs", "L"])))
def test_every_text_means_what_it_meant_and_prints(text: str) -> None:
    written = json_text({text: [text]})
    assert json.loads(written) == {text: [text]}
    assert all(char.isprintable() or char == "\n" for char in written)


def test_what_people_read_stays_as_it_is() -> None:
    assert readable(["é 😀 漢"]) == '["é 😀 漢"]'


def write_project(folder: Path) -> None:
    """An architecture and a call of it whose names are all hostile."""
    component = {"name": HOSTILE, "agent": HOSTILE, "model": "gpt-4o", "runs_per_day": 5, "tokens": {"input": 5}}
    budget = {"name": HOSTILE, "usd": 1, "period": "month"}
    architecture = {"name": HOSTILE, "components": [component], "budgets": [budget]}
    (folder / "architecture.yaml").write_text(yaml.safe_dump(architecture))
    call = {"ts": "2026-10-05T00:00:00Z", "component": HOSTILE, "model": HOSTILE, "input": 5, "output": 5}
    (folder / "calls.jsonl").write_text(json.dumps(call) + "\n")


@pytest.mark.slow
def test_no_name_reaches_a_file_of_json_raw(costsim: Run, tmp_path: Path) -> None:
    write_project(tmp_path)
    assert costsim("load", "calls.jsonl", "--map", ",".join(f"{x}={x}" for x in COLUMNS)).code == 0
    for command in ("run --trials 10 --days 2", "check --trials 10", "spend --by component,model", "report", "profile"):
        (tmp_path / "written.json").unlink(missing_ok=True)
        costsim(*command.split(), "--out", "written.json")
        written = (tmp_path / "written.json").read_text()
        assert not UNPRINTED.search(written), command
        assert json.dumps(HOSTILE) in json.dumps(json.loads(written)), command


def test_the_file_and_the_terminal_get_the_same(costsim: Run, tmp_path: Path) -> None:
    write_project(tmp_path)
    printed = costsim("lint", ".", "--format", "json").out
    costsim("lint", ".", "--out", tmp_path.parent / "written.json")
    assert (tmp_path.parent / "written.json").read_text() == printed
    assert not UNPRINTED.search(printed)


def test_a_routing_that_is_changed_keeps_its_names() -> None:
    before = json.dumps({"model_routing": {HOSTILE: "a/b", "fallback": "a/b"}})
    after = rewrite_routing(before, {HOSTILE: "c/d", "new\u202e": "e/f"})
    assert json.loads(after) == {"model_routing": {HOSTILE: "c/d", "fallback": "a/b", "new\u202e": "e/f"}}
    assert not UNPRINTED.search(after.replace("##", ""))


@pytest.mark.slow
def test_nothing_else_writes_json_for_people() -> None:
    """Renderers and commands have one writer: `json.dumps` and `model_dump_json` stand in none of them."""
    # for a process of our own, for DuckDB, and a text in an expression of Vega's
    allowed = {"reports/vega.py", "reports/spend.py", "reports/chart_labels.py"}
    for file in (*ROOT.glob("reports/**/*.py"), *ROOT.glob("cli/**/*.py")):
        names = {node.attr for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
        if str(file.relative_to(ROOT)) not in allowed:
            assert not names & {"dumps", "model_dump_json"}, file
