"""Options mean and are called the same in every command; earlier spellings go on working and no help shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from costsim.cli.app import app
from costsim.cli.spellings import EARLIER, today

if TYPE_CHECKING:
    from conftest import Run

ROOT = Path(__file__).parents[2]
SHORT = {"--out": "-o", "--format": "-f"}
# what prints a result can write it to a file; the others write files by their nature, or load
PRINTS = {
    "run",
    "profile",
    "schema",
    "check",
    "diff",
    "spend",
    "report",
    "lint",
    "evaluate",
    "outcomes",
    "recommend",
    "replay",
    "reconcile",
}

DESK = """
name: desk
model_routing: {fallback: anthropic/claude-haiku-4-5}
components: [{name: a, agent: a, task: t, runs_per_day: 10, tokens: {input: 1000, output: 100}}]
"""


def options_of(command: Any) -> dict[str, list[str]]:
    """The options of a command, each with its other spellings."""
    return {parameter.opts[0]: parameter.opts for parameter in command.params if parameter.opts[0].startswith("--")}


def commands() -> dict[str, Any]:
    found = dict(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    families = {family: found.pop(family).commands for family in ("prices", "store")}
    return found | {f"{family} {name}": known[name] for family, known in families.items() for name in known}


@pytest.mark.parametrize("name", sorted(commands()))
def test_a_result_is_written_by_out_and_formed_by_format(name: str) -> None:
    options = options_of(commands()[name])
    assert not {"--output", "--write", "--json", "--focus"} & {*options}
    for option, short in SHORT.items():
        assert option not in options or short in options[option], option
    if name in PRINTS or name.startswith("prices"):
        assert "--out" in options
        assert "--format" in options or name == "schema"


@pytest.mark.parametrize("command", sorted(EARLIER))
def test_earlier_spellings_stand_in_no_help(costsim: Run, command: str) -> None:
    words = ["prices", "list"] if command == "prices" else [command]
    printed = costsim(*words, "--help").out.split()
    assert not {*EARLIER[command]} & {*printed}


@pytest.mark.parametrize(
    ("earlier", "spelled"),
    [
        ("check --output x.json", "check --out x.json"),
        ("--debug diff a b --output=x.json", "--debug diff a b --out=x.json"),
        ("export --focus --output focus.csv", "export --out focus.csv"),
        ("recommend --write new.json", "recommend --save new.json"),
        ("spend --price both --output x.md", "spend --costs both --out x.md"),
        ("load --format codex a.jsonl", "load --log-format codex a.jsonl"),
        ("load -f codex a.jsonl", "load --log-format codex a.jsonl"),
        ("prices list --json", "prices list --format=json"),
        ("schema --output", "schema run"),
        ("schema --output check", "schema check"),
        ("schema check --output", "schema check"),
        ("diff -- --output=here", "diff -- --output=here"),
        ("run --save a.yaml --report b.html", "run --save a.yaml --report b.html"),
        ("", ""),
    ],
)
def test_an_earlier_spelling_is_todays(earlier: str, spelled: str) -> None:
    assert today(earlier.split()) == spelled.split()


@pytest.mark.slow
def test_the_ending_of_the_file_says_the_format(costsim: Run, tmp_path: Path) -> None:
    (tmp_path / "architecture.yaml").write_text(DESK, "utf-8")
    for name in ("plan.json", "plan.csv", "plan.md", "plan.html", "plan.txt"):
        done = costsim("run", "--trials", "10", "--out", name)
        assert (done.code, done.out) == (0, "")
    assert json.loads((tmp_path / "plan.json").read_text("utf-8"))["name"]
    assert (tmp_path / "plan.csv").read_text("utf-8").startswith("plan,")
    assert (tmp_path / "plan.md").read_text("utf-8").startswith("#")
    assert (tmp_path / "plan.html").read_text("utf-8").startswith("<!doctype html>")
    assert "┃" in (tmp_path / "plan.txt").read_text("utf-8")
    assert "\x1b" not in (tmp_path / "plan.txt").read_text("utf-8")


def test_a_format_that_is_named_wins_over_the_ending(costsim: Run, tmp_path: Path) -> None:
    costsim("run", "--trials", "10", "--format", "csv", "--out", "plan.data")
    assert (tmp_path / "plan.data").read_text("utf-8").startswith("plan,")


def test_earlier_spellings_run(costsim: Run, tmp_path: Path) -> None:
    assert json.loads(costsim("schema", "--output").out) == json.loads(costsim("schema", "run").out)
    assert costsim("prices", "list", "--model", "haiku", "--json").out.startswith("[")
    assert costsim("prices", "list", "--model", "haiku", "--format", "json", "--out", "p").code == 0
    assert (tmp_path / "p").read_text("utf-8").startswith("[")


@pytest.mark.parametrize("file", ["README.md", "docs/check.md", "docs/gitlab.md", "docs/github.md"])
def test_the_docs_use_todays_spellings(file: str) -> None:
    for line in (ROOT / file).read_text("utf-8").splitlines():
        for command, earlier in EARLIER.items():
            if f"costsim {command}" in line:
                assert not {*earlier} & {*line.split()}, line
